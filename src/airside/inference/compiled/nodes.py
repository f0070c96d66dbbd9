"""Trees as flat nodes: every pair of a row and a tree goes down one level at a time; a leaf points to itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from airside.inference.compiled.blocks import BinsBlock, Floats, LookupBlock, NumberBlock, SplineBlock
from airside.inference.compiled.spec import BinsSpec, BlockSpec, LookupSpec, NodesSpec, NumberSpec

Arrays = Mapping[str, npt.NDArray[Any]]
_CHUNK = 2**18
"""Pairs of row and tree that are walked at once."""


class Nodes:
    """The leaves that rows end in."""

    def __init__(self, spec: NodesSpec, blocks: tuple[BlockSpec, ...], arrays: Arrays) -> None:
        self._parts = [_part(block, name, arrays) for block, name in zip(blocks, spec.features, strict=True)]
        self._feature = np.ascontiguousarray(arrays[spec.feature])
        self._threshold = np.ascontiguousarray(arrays[spec.threshold])
        self._children = np.ascontiguousarray(arrays[spec.children])
        self._missing = np.ascontiguousarray(arrays[spec.missing])
        self._category = np.ascontiguousarray(arrays[spec.category])
        self._left_sets = np.ascontiguousarray(arrays[spec.left_sets])
        self._values = np.ascontiguousarray(arrays[spec.values])
        self._roots = np.ascontiguousarray(arrays[spec.roots])
        self._depth = spec.depth
        self._has_categories = len(self._left_sets) > 0

    def leaf_values(self, columns: Mapping[str, list[Any]], rows: int) -> Floats:
        """(rows, trees, n_values)."""
        x = np.concatenate([part.matrix(columns[part.column]) for part in self._parts], axis=1)
        step = max(1, _CHUNK // len(self._roots))
        found = [self._leaves(x[at : at + step]) for at in range(0, rows, step)]
        return self._values[np.concatenate(found)]

    def _leaves(self, x: Floats) -> npt.NDArray[np.intp]:
        n, width = x.shape
        flat = x.ravel()
        has_missing = bool(np.isnan(flat).any())
        base = np.repeat(np.arange(n) * width, len(self._roots))
        node = np.tile(self._roots, n)
        for _ in range(self._depth):
            value = flat[base + self._feature[node]]
            left = value <= self._threshold[node]
            if self._has_categories:
                left = self._categorical(node, value, left)
            if has_missing:
                left = np.where(np.isnan(value), self._missing[node], left)
            node = self._children[2 * node + left]
        return node.reshape(n, -1)

    def _categorical(
        self, node: npt.NDArray[np.intp], value: Floats, left: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        category = self._category[node]
        code = np.where(np.isnan(value) | (category < 0), 0, value).astype(np.intp)
        return np.where(category >= 0, self._left_sets[category, np.minimum(code, 255)], left)


class _Number:
    def __init__(self, spec: NumberSpec) -> None:
        self.column = spec.column
        self._block = NumberBlock(spec)

    def matrix(self, column: list[Any]) -> Floats:
        return self._block.values(column)[:, None]


class _Lookup:
    def __init__(self, spec: LookupSpec, features: Floats) -> None:
        self.column = spec.column
        self._features = features
        self._block = LookupBlock(spec)

    def matrix(self, column: list[Any]) -> Floats:
        return self._features[self._block.rows(column)]


class _Bins:
    def __init__(self, spec: BinsSpec, edges: Floats, features: Floats) -> None:
        self.column = spec.column
        self._features = features
        self._block = BinsBlock(spec, edges)

    def matrix(self, column: list[Any]) -> Floats:
        return self._features[self._block.rows(column)]


def _part(spec: BlockSpec, name: str, arrays: Arrays) -> _Number | _Lookup | _Bins | SplineBlock:
    match spec:
        case NumberSpec():
            return _Number(spec)
        case LookupSpec():
            return _Lookup(spec, arrays[name])
        case BinsSpec():
            return _Bins(spec, arrays[spec.edges], arrays[name])
        case _:
            return SplineBlock(spec, arrays[spec.knots])
