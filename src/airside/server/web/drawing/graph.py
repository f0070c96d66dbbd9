"""A layered drawing of a directed graph, left to right: pipelines by longest path, lineage by given columns.

Edges that span several columns pass through empty places that are ordered like nodes, so that they do not run
through a node. Four barycentre sweeps each way. The drawing depends on ids and edges alone: while a pipeline runs,
nothing moves.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from airside.core.record import Record

NODE_WIDTH, NODE_HEIGHT = 168, 40
GAP_X, GAP_Y = 56, 16
LANE = 14  # the height of a lane below the nodes, for an edge that closes a loop
PASS_HEIGHT = 8  # what an edge that passes through a column takes of its height
MARGIN = 8
SWEEPS = 4

Key = tuple[str, int]  # a node: (id, -1); an edge's place in a column: (id of the edge, column)


class Placed(Record):
    """A node's place: its upper left corner."""

    id: str
    x: float
    y: float
    rank: int


class Edge(Record):
    """An edge's path, from the right side of its source to the left side of its target.

    Attributes:
        back: whether it leads to the same column or an earlier one (a loop of the chain closes).
    """

    source: str
    target: str
    path: str
    back: bool = False


class Drawing(Record):
    """A laid-out graph; `width` and `height` are also its view box, so that text is never scaled."""

    width: float
    height: float
    nodes: tuple[Placed, ...]
    edges: tuple[Edge, ...]

    def place(self, identity: str) -> Placed:
        """Where a node is."""
        return next(node for node in self.nodes if node.id == identity)


def longest_path(ids: Sequence[str], edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Each node's column: one more than the furthest of its sources. Edges that would close a circle are left out.

    >>> longest_path(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])
    {'a': 0, 'b': 1, 'c': 2}
    """
    sources: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        sources[target].append(source)
    ranks: dict[str, int] = {}
    for start in ids:
        _rank(start, sources, ranks)
    return {identity: ranks[identity] for identity in ids}


def _rank(start: str, sources: Mapping[str, Sequence[str]], ranks: dict[str, int]) -> None:
    """Depth first without recursion: a pipeline may be a chain of thousands."""
    stack, open_nodes = [(start, False)], set[str]()
    while stack:
        node, is_done = stack.pop()
        if is_done:
            open_nodes.discard(node)
            ranks[node] = 1 + max((ranks[s] for s in sources.get(node, ()) if s in ranks), default=-1)
        elif node not in ranks and node not in open_nodes:
            open_nodes.add(node)
            stack.append((node, True))
            stack.extend((s, False) for s in sources.get(node, ()) if s not in ranks and s not in open_nodes)


def reduced(ids: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The edges that do not follow from others: a pipeline drawn with these alone stays readable.

    >>> reduced(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])
    [('a', 'b'), ('b', 'c')]
    """
    pairs = list(dict.fromkeys(edges))
    targets: dict[str, set[str]] = defaultdict(set)
    for source, target in pairs:
        targets[source].add(target)
    beyond: dict[str, set[str]] = {}
    ranks = longest_path(ids, pairs)
    for node in sorted(ids, key=lambda one: -ranks[one]):
        further = [beyond[target] | {target} for target in targets[node] if target in beyond]
        beyond[node] = set().union(*further)
    return [
        (source, target)
        for source, target in pairs
        if not any(target in beyond.get(other, ()) for other in targets[source] if other != target)
    ]


def draw(ids: Sequence[str], edges: Iterable[tuple[str, str]], columns: Mapping[str, int] | None = None) -> Drawing:
    """Lay out a graph.

    Args:
        ids: the nodes, in the order in which equals stand.
        edges: pairs (source, target); those with an unknown end, and loops, are left out.
        columns: the column of each node; without, the longest path decides.
    """
    known = set(ids)
    pairs = list(dict.fromkeys((s, t) for s, t in edges if s in known and t in known and s != t))
    given = dict(columns) if columns is not None else longest_path(ids, pairs)
    compressed = {rank: i for i, rank in enumerate(sorted({given[identity] for identity in ids}))}
    ranks = {identity: compressed[given[identity]] for identity in ids}
    layers, links = _layers(ids, pairs, ranks)
    for _ in range(SWEEPS):
        _sweep(layers, links, forward=True)
        _sweep(layers, links, forward=False)
    return _write(layers, pairs, ranks)


def _layers(
    ids: Sequence[str], pairs: Sequence[tuple[str, str]], ranks: Mapping[str, int]
) -> tuple[list[list[Key]], list[tuple[Key, Key]]]:
    """The columns with the places that long edges take, and the links between neighbouring columns."""
    layers: list[list[Key]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for identity in ids:
        layers[ranks[identity]].append((identity, -1))
    links: list[tuple[Key, Key]] = []
    for source, target in pairs:
        before: Key = (source, -1)
        for column in range(ranks[source] + 1, ranks[target]):
            here: Key = (_edge_id(source, target), column)
            layers[column].append(here)
            links.append((before, here))
            before = here
        if ranks[target] > ranks[source]:
            links.append((before, (target, -1)))
    return layers, links


def _edge_id(source: str, target: str) -> str:
    return f"{source}\x00{target}"


def _sweep(layers: list[list[Key]], links: Sequence[tuple[Key, Key]], *, forward: bool) -> None:
    """Order each column by the mean position of its neighbours in the column before (or behind) it."""
    neighbours: dict[Key, list[Key]] = defaultdict(list)
    for source, target in links:
        neighbours[target if forward else source].append(source if forward else target)
    position = {key: i - len(layer) / 2 for layer in layers for i, key in enumerate(layer)}
    for layer in layers if forward else reversed(layers):
        weight = {
            key: sum(position[n] for n in neighbours[key]) / len(neighbours[key]) if neighbours[key] else position[key]
            for key in layer
        }
        layer.sort(key=lambda key: weight[key])
        position.update({key: i - len(layer) / 2 for i, key in enumerate(layer)})


def _height(key: Key) -> int:
    return NODE_HEIGHT if key[1] < 0 else PASS_HEIGHT


def _write(layers: Sequence[Sequence[Key]], pairs: Sequence[tuple[str, str]], ranks: Mapping[str, int]) -> Drawing:
    """Coordinates: every column centred on the tallest one."""
    heights = [sum(map(_height, layer)) + GAP_Y * (len(layer) - 1) for layer in layers]
    tallest = max(heights, default=0)
    middle: dict[Key, float] = {}
    nodes: list[Placed] = []
    for rank, layer in enumerate(layers):
        top = MARGIN + (tallest - heights[rank]) / 2
        for key in layer:
            middle[key] = top + _height(key) / 2
            if key[1] < 0:
                nodes.append(Placed(id=key[0], x=_left(rank), y=top, rank=rank))
            top += _height(key) + GAP_Y
    back = [pair for pair in pairs if ranks[pair[1]] <= ranks[pair[0]]]
    lanes = {pair: MARGIN + tallest + LANE * (i + 1) for i, pair in enumerate(back)}
    edges = tuple(
        _back(pair, lanes[pair], ranks, middle) if pair in lanes else _edge(*pair, ranks, middle) for pair in pairs
    )
    n_back = sum(edge.back for edge in edges)
    low = tallest + 2 * MARGIN + (LANE * n_back + LANE if n_back else 0)
    width = _left(len(layers) - 1) + NODE_WIDTH + MARGIN if layers else 2 * MARGIN
    return Drawing(width=width, height=low, nodes=tuple(nodes), edges=edges)


def _left(rank: int) -> float:
    return MARGIN + rank * (NODE_WIDTH + GAP_X)


def _edge(source: str, target: str, ranks: Mapping[str, int], middle: Mapping[Key, float]) -> Edge:
    """A cubic curve in each gap, a straight line past each column between."""
    start, end = ranks[source], ranks[target]
    x, y = _left(start) + NODE_WIDTH, middle[source, -1]
    parts = [f"M{_n(x)},{_n(y)}"]
    for column in range(start + 1, end + 1):
        key: Key = (target, -1) if column == end else (_edge_id(source, target), column)
        tx, ty, half = _left(column), middle[key], GAP_X / 2
        parts.append(f"C{_n(x + half)},{_n(y)} {_n(tx - half)},{_n(ty)} {_n(tx)},{_n(ty)}")
        x, y = tx + NODE_WIDTH, ty
        if column < end:
            parts.append(f"H{_n(x)}")
    return Edge(source=source, target=target, path=" ".join(parts))


def _back(pair: tuple[str, str], lane: float, ranks: Mapping[str, int], middle: Mapping[Key, float]) -> Edge:
    """An edge that closes a loop: down from its source, along a lane of its own below all nodes, up to its target."""
    source, target = pair
    x, tx = _left(ranks[source]) + NODE_WIDTH * 2 / 3, _left(ranks[target]) + NODE_WIDTH / 3
    y, ty = middle[source, -1] + NODE_HEIGHT / 2, middle[target, -1] + NODE_HEIGHT / 2
    turn = min(LANE, abs(x - tx) / 2)
    down = f"M{_n(x)},{_n(y)} V{_n(lane - turn)} Q{_n(x)},{_n(lane)} {_n(x - turn)},{_n(lane)}"
    up = f"H{_n(tx + turn)} Q{_n(tx)},{_n(lane)} {_n(tx)},{_n(lane - turn)} V{_n(ty)}"
    return Edge(source=source, target=target, path=f"{down} {up}", back=True)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
