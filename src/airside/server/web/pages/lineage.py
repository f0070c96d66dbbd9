"""The chain around a record: its neighbourhood as a graph, and as a list."""

from collections import Counter
from collections.abc import Mapping, Sequence

from airside.core.record import Record
from airside.server.web.drawing.graph import Drawing, draw, reduced
from airside.server.web.format import plural, short
from airside.server.web.links import chain_href
from airside.server.web.page import Call, Crumb, PageQuery, Table, View
from airside.tower.operations.chain import GetNeighbourhood
from airside.tower.records import LineageNode, Neighbourhood

MAX_NODES = 100
MAX_ALIKE = {"prediction": 1, "ground_truth": 1}
MAX_OTHERS_ALIKE = 3
"""Records of one kind that are drawn, the nearest and newest; of the others there is a count."""

KINDS: dict[str, tuple[int, str, str]] = {  # kind -> column, icon, words
    "dataset_version": (0, "database", "dataset version"),
    "run": (1, "flask-conical", "run"),
    "logged_model": (2, "box", "logged model"),
    "model_version": (3, "package", "model version"),
    "gate": (4, "shield-check", "gate"),
    "endpoint": (4, "server", "endpoint"),
    "rollout": (5, "rocket", "rollout"),
    "delivery": (6, "history", "delivery"),
    "prediction": (7, "zap", "prediction"),
    "monitor": (7, "activity", "monitor"),
    "ground_truth": (8, "tag", "ground truth"),
    "window": (8, "gauge", "window"),
    "alert": (9, "bell", "alert"),
    "trigger": (9, "zap", "trigger"),
    "pipeline": (9, "workflow", "pipeline"),
    "pipeline_run": (10, "workflow", "pipeline run"),
}
_UNKNOWN = (11, "circle-dashed", "record")


class GraphNode(Record):
    """A node as the template draws it."""

    state: str
    icon: str
    text: str
    under: str
    href: str
    title: str
    own: bool = False


class Chain(Record):
    """A drawn neighbourhood."""

    drawing: Drawing
    nodes: dict[str, GraphNode]
    data: Neighbourhood
    sentence: str
    n_hidden: int = 0


def cut(text: str, most: int = 19) -> str:
    """A name that fits a node, cut in the middle.

    >>> cut("a-very-long-name-of-a-model@12")
    'a-very-lo…-model@12'
    """
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2) :]}"


def neighbourhood(call: Call, kind: str, identity: str, *, hops: int) -> Chain:
    """Ask for what is near a record, and lay it out in the order of the chain."""
    found = call(GetNeighbourhood(kind=kind, id=identity, hops=hops))
    near = sorted(found.nodes, key=lambda node: (node.hops, node.kind, _newest_first(node.id)))[:MAX_NODES]
    names = _folded(near)
    kinds = {name: node.kind for node, name in names.items()}
    columns = {name: KINDS.get(kinds[name], _UNKNOWN)[0] for name in kinds}
    by_key = {_key(node.kind, node.id): name for node, name in names.items()}
    edges = [
        (by_key.get(_key(edge.from_kind, edge.from_id), ""), by_key.get(_key(edge.to_kind, edge.to_id), ""))
        for edge in found.edges
    ]
    members: dict[str, list[LineageNode]] = {}
    for node, name in names.items():
        members.setdefault(name, []).append(node)
    return Chain(
        drawing=draw(list(members), _calm(list(members), edges, columns), columns),
        nodes={
            name: _drawn(some, own=(some[0].kind, some[0].id) == (kind, identity)) for name, some in members.items()
        },
        data=found,
        sentence=f"{plural(len(near), 'record')} within {plural(hops, 'step')}, {plural(len(found.edges), 'arrow')}.",
        n_hidden=len(found.nodes) - len(near),
    )


def _calm(names: Sequence[str], edges: Sequence[tuple[str, str]], columns: Mapping[str, int]) -> list[tuple[str, str]]:
    """The arrows without those that follow from others; the ones that close a loop all stay."""
    known = [(source, target) for source, target in edges if source in columns and target in columns]
    forward = [pair for pair in known if columns[pair[0]] < columns[pair[1]]]
    return [*reduced(names, forward), *(pair for pair in known if columns[pair[0]] >= columns[pair[1]])]


def _newest_first(identity: str) -> tuple[int, ...]:
    """Ids begin with their time, so the greatest is the newest; numbers in them count as numbers."""
    head, _, tail = identity.rpartition("@")
    return (-int(tail),) if head and tail.isdigit() else tuple(-ord(char) for char in identity)


def _folded(near: Sequence[LineageNode]) -> dict[LineageNode, str]:
    """The drawn node that each record belongs to: its own, or the one that stands for the others of its kind."""
    alike: Counter[str] = Counter()
    sizes = Counter(node.kind for node in near)
    names: dict[LineageNode, str] = {}
    for node in near:
        alike[node.kind] += 1
        most = MAX_ALIKE.get(node.kind, MAX_OTHERS_ALIKE)
        is_own = alike[node.kind] <= most or sizes[node.kind] == most + 1
        names[node] = _key(node.kind, node.id) if is_own else f"\x00{node.kind}"
    return names


def _drawn(some: Sequence[LineageNode], *, own: bool) -> GraphNode:
    if len(some) == 1:
        return _node(some[0], own=own)
    _, icon, words = KINDS.get(some[0].kind, _UNKNOWN)
    text = f"{len(some)} more"
    many = f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"
    return GraphNode(state="planned", icon=icon, text=text, under=many, href="", title=f"{text}, in the list below")


def _key(kind: str, identity: str) -> str:
    return f"{kind}:{identity}"


def _node(node: LineageNode, *, own: bool) -> GraphNode:
    _, icon, words = KINDS.get(node.kind, _UNKNOWN)
    text = node.id if "@" in node.id else short(node.id)
    return GraphNode(
        state="",
        icon=icon,
        text=cut(text),
        under=words,
        href=chain_href(node.kind, node.id),
        title=f"{words} {node.id}",
        own=own,
    )


def lineage(call: Call, query: PageQuery) -> View:
    """The chain around any record: `?from=KIND:ID&hops=2`."""
    kind, _, identity = query.arguments.get("from", "").partition(":")
    hops = query.number("hops", 2, least=1, most=4)
    chain = neighbourhood(call, kind, identity, hops=hops)
    rows = tuple((e.from_kind, e.from_id, e.relation, e.to_kind, e.to_id) for e in chain.data.edges)
    return View(
        template="lineage.html",
        title="Lineage",
        crumbs=(Crumb(text="Catalog", href="/"), Crumb(text="Lineage")),
        shows={"chain": chain, "kind": kind, "identity": identity, "hops": hops},
        data=chain.data,
        table=Table(heads=("from_kind", "from_id", "relation", "to_kind", "to_id"), rows=rows),
    )
