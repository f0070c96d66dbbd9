"""Trees as bit masks: for the value of each column, which leaves are still possible; the AND of all is the answer.

The idea is that of QuickScorer (Lucchese and others, SIGIR 2015), with one mask for each row of a column's table, not
for each node: a row of the table is a value (or an interval between two thresholds), so that one AND for each column
replaces the walk through every tree.
"""

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from airside.inference.compiled.blocks import BinsBlock, Floats, Ints, LookupBlock, NumberBlock
from airside.inference.compiled.spec import BinsSpec, BlockSpec, LookupSpec, MasksSpec, NumberSpec

Arrays = Mapping[str, npt.NDArray[Any]]
_CHUNK = 2**16
"""Words that are held at once: 512 KiB, so that they stay in the processor's cache."""


class _NumberRows:
    """Rows of a number: one below each threshold, one above all, one for NaN."""

    def __init__(self, spec: NumberSpec, thresholds: Floats, offset: int) -> None:
        self.size = len(thresholds) + 2
        self._block = NumberBlock(spec)
        self._thresholds = thresholds
        self._list: list[float] = thresholds.tolist()
        self._nan_row = offset + len(thresholds) + 1
        self._offset = offset

    def rows(self, column: list[Any]) -> Ints:
        x = self._block.values(column)
        found = np.searchsorted(self._thresholds, x, side="left") + self._offset
        return np.where(np.isnan(x), self._nan_row, found)

    def row(self, given: Any) -> int:
        x = self._block.value(given)
        return self._nan_row if x != x else self._offset + bisect_left(self._list, x)  # noqa: PLR0124


class _BinsRows:
    def __init__(self, spec: BinsSpec, edges: Floats, offset: int) -> None:
        self.size = len(edges) + 2
        self._block = BinsBlock(spec, edges)
        self._offset = offset

    def rows(self, column: list[Any]) -> Ints:
        return self._block.rows(column) + self._offset

    def row(self, given: Any) -> int:
        return self._block.row(given) + self._offset


class Masks:
    """The leaves that rows end in."""

    def __init__(self, spec: MasksSpec, blocks: tuple[BlockSpec, ...], arrays: Arrays) -> None:
        self._masks = np.ascontiguousarray(arrays[spec.masks])
        self._firsts = np.ascontiguousarray(arrays[spec.firsts])
        self._values = np.ascontiguousarray(arrays[spec.values])
        self._trees = spec.trees
        self._is_plain = self._masks.shape[1] == spec.trees
        self._parts: list[tuple[str, _NumberRows | LookupBlock | _BinsRows]] = []
        offset = 0
        for block, name in zip(blocks, spec.thresholds, strict=True):
            part: _NumberRows | LookupBlock | _BinsRows
            match block:
                case NumberSpec():
                    part = _NumberRows(block, arrays[name], offset)
                case LookupSpec():
                    part = LookupBlock(block, offset=offset)
                case BinsSpec():
                    part = _BinsRows(block, arrays[block.edges], offset)
                case _:
                    raise TypeError(type(block).__name__)
            self._parts.append((block.column, part))
            offset += part.size
        self._ones = [(column, part.row) for column, part in self._parts]

    def leaf_values(self, columns: Mapping[str, list[Any]], rows: int) -> Floats:
        """(rows, trees, n_values)."""
        if rows == 1:
            return self._values[self._leaves_of_one(columns)][None]
        indexes = [part.rows(columns[column]) for column, part in self._parts]
        step = max(1, _CHUNK // self._masks.shape[1])
        found = [self._leaves([index[at : at + step] for index in indexes]) for at in range(0, rows, step)]
        return self._values[np.concatenate(found)]

    def _leaves_of_one(self, columns: Mapping[str, list[Any]]) -> Ints:
        index = [row(columns[column][0]) for column, row in self._ones]
        words = np.bitwise_and.reduce(self._masks[index], axis=0)
        if self._is_plain:
            return self._firsts + _bits(words)
        at = words.nonzero()[0]
        leaves: Ints = self._firsts[at] + _bits(words[at])
        return leaves

    def _leaves(self, indexes: list[Ints]) -> Ints:
        words = self._masks[indexes[0]]
        for index in indexes[1:]:
            words &= self._masks[index]
        if self._is_plain:
            return self._firsts + _bits(words)
        row, at = words.nonzero()
        leaves: Ints = (self._firsts[at] + _bits(words[row, at])).reshape(len(words), self._trees)
        return leaves


def _bits(words: npt.NDArray[np.uint64]) -> Ints:
    """The position of the only bit of each word: a power of two is exact as a double, its exponent is the position.

    >>> _bits(np.array([1, 8, 1 << 63], dtype=np.uint64)).tolist()
    [0, 3, 63]
    """
    found: Ints = np.frexp(words.astype(np.float64))[1] - 1
    return found
