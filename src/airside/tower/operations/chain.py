"""The chain of records: what is near a record, and what has a name."""

from collections import Counter

from airside.core.errors import Invalid
from airside.core.operation import Context, operation
from airside.core.record import Ask
from airside.tower import queries
from airside.tower.records import FoundPage, LineageEdge, LineageNode, Neighbourhood

MAX_HOPS = 6
MAX_NODES = 100
MAX_ALIKE = 50
MAX_TEXT = 200


class GetNeighbourhood(Ask[Neighbourhood]):
    """What is near a record.

    Attributes:
        kind, id: as the chain names it, e.g. `model_version` and `employment@3`, `window` and `w-…`.
        hops: so many arrows away, either way.
        alike: of each record at most so many arrows of one relation to one kind are followed, those to the newest.
    """

    kind: str
    id: str
    hops: int = 2
    alike: int = 8


@operation("lineage.neighbourhood", needs="lineage:read")
def neighbourhood(ctx: Context, ask: GetNeighbourhood) -> Neighbourhood:
    """The records within some arrows of one, and the arrows between them; at most 100 records.

    Raises:
        Invalid: the number of hops or of arrows alike is out of bounds.
    """
    if not 1 <= ask.alike <= MAX_ALIKE:
        raise Invalid(f"alike is {ask.alike}; it must be within 1 and {MAX_ALIKE}.")
    if not 1 <= ask.hops <= MAX_HOPS:
        raise Invalid(f"hops is {ask.hops}; it must be within 1 and {MAX_HOPS}.")
    start = (ask.kind, ask.id)
    near: dict[tuple[str, str], int] = {start: 0}
    edges: dict[LineageEdge, None] = {}
    newest = [start]
    is_complete = True
    for hop in range(1, ask.hops + 1):
        found, is_whole = _arrows(ctx, newest, ask.alike)
        is_complete = is_complete and is_whole
        newest = []
        for edge in found:
            for node in ((edge.from_kind, edge.from_id), (edge.to_kind, edge.to_id)):
                if node not in near and len(near) < MAX_NODES:
                    near[node] = hop
                    newest.append(node)
            ends = ((edge.from_kind, edge.from_id), (edge.to_kind, edge.to_id))
            if all(end in near for end in ends):
                edges[edge] = None
            else:
                is_complete = False
    return Neighbourhood(
        nodes=tuple(LineageNode(kind=kind, id=id_, hops=hops) for (kind, id_), hops in near.items()),
        edges=tuple(edges),
        is_complete=is_complete,
    )


def _arrows(ctx: Context, nodes: list[tuple[str, str]], alike: int) -> tuple[list[LineageEdge], bool]:
    """The arrows at some records, and whether these are all: a group that is full may have been cut."""
    found: list[LineageEdge] = []
    sizes: Counter[tuple[str, ...]] = Counter()
    for kind in sorted({kind for kind, _ in nodes}):
        ids = [id_ for of, id_ in nodes if of == kind]
        found += queries.arrows(ctx.tx, kind, ids, alike)
    for edge in found:
        sizes[edge.from_kind, edge.from_id, edge.relation, edge.to_kind] += 1
        sizes[edge.to_kind, edge.to_id, edge.relation, edge.from_kind] += 1
    return found, max(sizes.values(), default=0) < alike


class Find(Ask[FoundPage]):
    """A text that a name holds, or that an id begins with."""

    text: str
    max_results: int = 20


@operation("search.find", needs="catalog:read")
def find(ctx: Context, ask: Find) -> FoundPage:
    """Models, versions, runs, datasets, pipelines, endpoints, monitors and alerts by name or id.

    Raises:
        Invalid: the text is empty or too long, or too many results are asked for.
    """
    text = ask.text.strip()
    if not 0 < len(text) <= MAX_TEXT:
        raise Invalid(f"A search has 1 to {MAX_TEXT} characters; this one has {len(text)}.")
    if not 1 <= ask.max_results <= MAX_NODES:
        raise Invalid(f"max_results is {ask.max_results}; it must be within 1 and {MAX_NODES}.")
    return FoundPage(items=tuple(queries.named(ctx.tx, text, ask.max_results)))
