"""Trees of one form → bit masks where their tables stay small, else flat nodes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from airside.inference.compiled.blocks import Floats
from airside.inference.compiled.compilers.features import Arrays, Bins, Feature, Lookup, Source, refuse
from airside.inference.compiled.compilers.forms import Ensemble, Tree
from airside.inference.compiled.compilers.layout import Group, grouped
from airside.inference.compiled.spec import FORMAT, HeadSpec, MasksSpec, ModelSpec, NodesSpec, NumberSpec, SumSpec

MAX_MASK_BYTES = 16 * 2**20
"""Beyond it the tables leave the processor's cache and walking the nodes is as fast."""
_WORD = 64
_ALL = np.uint64(2**64 - 1)


def compiled_ensemble(
    estimator: Any, ensemble: Ensemble, features: list[Feature], head: HeadSpec, arrays: Arrays
) -> ModelSpec:
    """The model of an ensemble."""
    groups = _used(ensemble, grouped(features, arrays, nullable=ensemble.takes_missing))
    if not ensemble.takes_missing:
        _refuse_gaps(estimator, groups)
    plan = _plan(ensemble, groups)
    spec = _masks(ensemble, groups, plan, arrays) if plan is not None else _nodes(ensemble, groups, arrays)
    return ModelSpec(
        format=FORMAT,
        columns=tuple(dict.fromkeys(group.spec.column for group in groups)),
        blocks=tuple(group.spec for group in groups),
        estimator=spec,
        head=head,
        sum=SumSpec(initial=arrays.add("initial", ensemble.initial), scores=len(ensemble.initial), mean=ensemble.mean),
        compiled_from=type(estimator).__name__,
    )


def _used(ensemble: Ensemble, groups: list[Group]) -> list[Group]:
    """Without the groups that no tree looks at, unless they must refuse missing values."""
    seen = {int(f) for tree in ensemble.trees for f in tree.feature if f >= 0}
    kept = [g for g in groups if not g.spec.nullable or any(position in seen for position, _ in g.members)]
    return kept or groups[:1]


def _refuse_gaps(estimator: Any, groups: list[Group]) -> None:
    for group in groups:
        if isinstance(group.block, Lookup) and any(np.isnan(feature.rows()).any() for _, feature in group.members):
            refuse(estimator, "an encoder gives it missing values, which it does not take")


@dataclass(frozen=True)
class _Plan:
    """Where rows and words lie: thresholds of each group (None for tables), first word of each tree."""

    thresholds: list[Floats | None]
    words: list[int]
    rows: int


def _plan(ensemble: Ensemble, groups: list[Group]) -> _Plan | None:
    """None where masks would be too large or a block gives no finite number of rows."""
    thresholds: list[Floats | None] = []
    rows = 0
    for group in groups:
        match group.block:
            case Source():
                found = _thresholds(ensemble, group.members[0][0])
                thresholds.append(found)
                rows += len(found) + 2
            case Lookup() | Bins():
                thresholds.append(None)
                rows += len(group.block.table)
            case _:
                return None
    words = [-(-int((tree.feature < 0).sum()) // _WORD) for tree in ensemble.trees]
    return _Plan(thresholds, words, rows) if rows * sum(words) * 8 <= MAX_MASK_BYTES else None


def _thresholds(ensemble: Ensemble, feature: int) -> Floats:
    found = [tree.threshold[tree.feature == feature] for tree in ensemble.trees]
    return np.unique(np.concatenate(found))


def _masks(ensemble: Ensemble, groups: list[Group], plan: _Plan, arrays: Arrays) -> MasksSpec:
    masks = np.zeros((plan.rows, sum(plan.words)), np.uint64)
    values: list[Floats] = []
    firsts: list[int] = []
    places = _places(groups, plan)
    leaves = 0
    word = 0
    for tree, count in zip(ensemble.trees, plan.words, strict=True):
        order = _Painter(tree, masks[:, word : word + count], places).paint()
        values.append(tree.values[order])
        firsts += [leaves + _WORD * i for i in range(count)]
        leaves += len(order)
        word += count
    names = tuple(
        "" if found is None else arrays.add(f"thresholds_{i}", found) for i, found in enumerate(plan.thresholds)
    )
    return MasksSpec(
        thresholds=names,
        masks=arrays.add("masks", masks),
        firsts=arrays.add("firsts", np.array(firsts, np.int64)),
        values=arrays.add("values", np.concatenate(values)),
        trees=len(ensemble.trees),
    )


@dataclass(frozen=True, eq=False)
class _Place:
    """The rows of a feature's block, and a value of the feature that stands for each row."""

    first: int
    stands_for: Floats


def _places(groups: list[Group], plan: _Plan) -> dict[int, _Place]:
    places: dict[int, _Place] = {}
    first = 0
    for group, thresholds in zip(groups, plan.thresholds, strict=True):
        for position, feature in group.members:
            rows = feature.rows() if thresholds is None else np.concatenate([thresholds, [np.inf, np.nan]])
            places[position] = _Place(first, rows)
        first += len(places[group.members[0][0]].stands_for)
    return places


class _Painter:
    """Clears, for each node, the bits of the leaves that a row of its feature's block cannot reach."""

    def __init__(self, tree: Tree, masks: npt.NDArray[np.uint64], places: dict[int, _Place]) -> None:
        self._tree = tree
        self._masks = masks
        self._places = places

    def paint(self) -> list[int]:
        """The leaves in the order of their bits."""
        self._set_all(int((self._tree.feature < 0).sum()))
        order: list[int] = []
        spans: dict[int, tuple[int, int]] = {}
        waiting: list[tuple[int, bool]] = [(0, False)]
        tree = self._tree
        while waiting:
            node, is_done = waiting.pop()
            if tree.feature[node] < 0:
                spans[node] = (len(order), len(order) + 1)
                order.append(node)
            elif is_done:
                left, right = spans[int(tree.left[node])], spans[int(tree.right[node])]
                spans[node] = (left[0], right[1])
                self._clear(node, left, right)
            else:
                waiting += [(node, True), (int(tree.right[node]), False), (int(tree.left[node]), False)]
        return order

    def _set_all(self, leaves: int) -> None:
        self._masks[:] = _ALL
        self._masks[:, -1] = _ALL >> np.uint64((-leaves) % _WORD)

    def _clear(self, node: int, left: tuple[int, int], right: tuple[int, int]) -> None:
        place = self._places[int(self._tree.feature[node])]
        goes_left = went_left(self._tree, node, place.stands_for)
        rows = np.arange(len(goes_left)) + place.first
        self._clear_span(rows[~goes_left], *left)
        self._clear_span(rows[goes_left], *right)

    def _clear_span(self, rows: npt.NDArray[np.intp], start: int, stop: int) -> None:
        first, last = start // _WORD, (stop - 1) // _WORD
        head = _ALL << np.uint64(start % _WORD)
        tail = _ALL >> np.uint64(_WORD - 1 - (stop - 1) % _WORD)
        if first == last:
            self._masks[rows, first] &= ~(head & tail)
            return
        self._masks[rows, first] &= ~head
        self._masks[rows, first + 1 : last] = 0
        self._masks[rows, last] &= ~tail


def went_left(tree: Tree, node: int, values: Floats) -> npt.NDArray[np.bool_]:
    """Which values go left at a node."""
    is_missing = np.isnan(values)
    left_set = tree.left_sets.get(node)
    if left_set is None:
        left = values <= tree.threshold[node]
    else:
        left = left_set[np.where(is_missing, 0, values).astype(np.intp)]
    goes: npt.NDArray[np.bool_] = np.where(is_missing, tree.missing_left[node], left)
    return goes


def _nodes(ensemble: Ensemble, groups: list[Group], arrays: Arrays) -> NodesSpec:
    places: dict[int, int] = {}
    names: list[str] = []
    for i, group in enumerate(groups):
        _check_order(group)
        for position, _ in group.members:
            places[position] = len(places)
        is_table = isinstance(group.block, Lookup | Bins)
        table = np.stack([feature.rows() for _, feature in group.members], axis=1) if is_table else None
        names.append("" if table is None else arrays.add(f"features_{i}", table))
    flat = _flattened(ensemble.trees, places)
    return NodesSpec(
        features=tuple(names),
        roots=arrays.add("roots", flat.roots),
        feature=arrays.add("feature", flat.feature),
        threshold=arrays.add("threshold", flat.threshold),
        children=arrays.add("children", flat.children),
        missing=arrays.add("missing", flat.missing),
        category=arrays.add("category", flat.category),
        left_sets=arrays.add("left_sets", flat.left_sets),
        values=arrays.add("values", np.concatenate([tree.values for tree in ensemble.trees])),
        depth=max(_depth(tree) for tree in ensemble.trees),
    )


def _check_order(group: Group) -> None:
    """A spline's matrix holds all its outputs in order; other blocks give exactly their members."""
    if isinstance(group.spec, NumberSpec) or isinstance(group.block, Lookup | Bins):
        return
    if any(feature.steps for _, feature in group.members) or len(group.members) != group.spec.outputs:  # type: ignore[union-attr]  # a spline is left
        refuse(group.block, "a tree looks at a spline that was cut or scaled")


@dataclass(frozen=True, eq=False)
class _Flat:
    roots: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    threshold: Floats
    children: npt.NDArray[np.int64]
    missing: npt.NDArray[np.bool_]
    category: npt.NDArray[np.int64]
    left_sets: npt.NDArray[np.bool_]


def _flattened(trees: list[Tree], places: dict[int, int]) -> _Flat:
    sizes = [len(tree.feature) for tree in trees]
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    children: list[npt.NDArray[np.int64]] = []
    category = [np.full(size, -1, np.int64) for size in sizes]
    sets: list[npt.NDArray[np.bool_]] = []
    for tree, root, codes in zip(trees, roots, category, strict=True):
        here = np.arange(len(tree.feature))
        is_leaf = tree.feature < 0
        right = np.where(is_leaf, here, tree.right) + root
        left = np.where(is_leaf, here, tree.left) + root
        children.append(np.stack([right, left], axis=1).ravel())
        for node, left_set in tree.left_sets.items():
            codes[node] = len(sets)
            sets.append(left_set)
    place = np.array([places.get(i, 0) for i in range(max(places, default=0) + 1)] + [0])
    feature = np.concatenate([place[tree.feature] for tree in trees])
    leaf = np.concatenate([tree.feature < 0 for tree in trees])
    return _Flat(
        roots=roots,
        feature=feature,
        threshold=np.where(leaf, np.inf, np.concatenate([tree.threshold for tree in trees])),
        children=np.concatenate(children),
        missing=np.concatenate([tree.missing_left for tree in trees]),
        category=np.concatenate(category),
        left_sets=np.array(sets, bool).reshape(-1, 256),
    )


def _depth(tree: Tree) -> int:
    depth = 0
    level = np.array([0])
    while len(level := level[tree.feature[level] >= 0]):
        level = np.concatenate([tree.left[level], tree.right[level]])
        depth += 1
    return depth
