"""A linear model: an intercept and, block by block, what each column contributes.

The sum runs over the blocks in order, for one row as for many, so a row's score does not depend on its neighbours.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from airside.inference.compiled.blocks import BinsBlock, Floats, LookupBlock, NumberBlock, SplineBlock, Table
from airside.inference.compiled.spec import BinsSpec, BlockSpec, LinearSpec, LookupSpec, SplineSpec

Arrays = Mapping[str, npt.NDArray[Any]]


class _Term:
    """What one column adds to the scores. `add` gives the scores with it, (n, n_scores); `one` the same for a row."""

    def __init__(self, spec: BlockSpec, weights: Floats) -> None:
        self.column = spec.column
        self._weights = weights
        self._single: list[float] = weights[:, 0].tolist()

    def add(self, scores: Floats, column: list[Any]) -> Floats:
        raise NotImplementedError

    def one(self, score: float, given: Any) -> float:
        raise NotImplementedError


class _NumberTerm(_Term):
    def __init__(self, spec: Any, weights: Floats, _arrays: Arrays) -> None:
        super().__init__(spec, weights)
        self._block = NumberBlock(spec)
        self._weight = self._single[0]

    def add(self, scores: Floats, column: list[Any]) -> Floats:
        return scores + self._block.values(column)[:, None] * self._weights

    def one(self, score: float, given: Any) -> float:
        return score + self._block.value(given) * self._weight


class _LookupTerm(_Term):
    def __init__(self, spec: LookupSpec, weights: Floats, _arrays: Arrays) -> None:
        super().__init__(spec, weights)
        self._block = LookupBlock(spec)
        self._table = Table(spec, self._single)

    def add(self, scores: Floats, column: list[Any]) -> Floats:
        return scores + self._weights[self._block.rows(column)]

    def one(self, score: float, given: Any) -> float:
        return score + float(self._table[given])


class _SplineTerm(_Term):
    def __init__(self, spec: SplineSpec, weights: Floats, arrays: Arrays) -> None:
        super().__init__(spec, weights)
        self._block = SplineBlock(spec, arrays[spec.knots])

    def add(self, scores: Floats, column: list[Any]) -> Floats:
        first, basis = self._block.basis(column)
        for offset, values in enumerate(basis):
            scores = scores + values[:, None] * self._weights[first + offset]
        return scores

    def one(self, score: float, given: Any) -> float:
        first, basis = self._block.basis_row(given)
        for offset, value in enumerate(basis):
            score += value * self._single[first + offset]
        return score


class _BinsTerm(_Term):
    def __init__(self, spec: BinsSpec, weights: Floats, arrays: Arrays) -> None:
        super().__init__(spec, weights)
        self._block = BinsBlock(spec, arrays[spec.edges])

    def add(self, scores: Floats, column: list[Any]) -> Floats:
        return scores + self._weights[self._block.rows(column)]

    def one(self, score: float, given: Any) -> float:
        return score + self._single[self._block.row(given)]


_TERMS: dict[str, Callable[[Any, Floats, Arrays], _Term]] = {
    "NumberSpec": _NumberTerm,
    "LookupSpec": _LookupTerm,
    "SplineSpec": _SplineTerm,
    "BinsSpec": _BinsTerm,
}


class Linear:
    """Scores of a linear model."""

    def __init__(self, spec: LinearSpec, blocks: tuple[BlockSpec, ...], arrays: Arrays) -> None:
        self._intercept = np.ascontiguousarray(arrays[spec.intercept])
        self._start = float(self._intercept[0])
        self._terms = [
            _TERMS[type(block).__name__](block, np.ascontiguousarray(arrays[name]), arrays)
            for block, name in zip(blocks, spec.weights, strict=True)
        ]
        self._ones = [(term.column, term.one) for term in self._terms]
        self._is_single = len(self._intercept) == 1

    def scores(self, columns: Mapping[str, list[Any]], rows: int) -> Floats:
        """(rows, n_scores)."""
        scores = np.broadcast_to(self._intercept, (rows, len(self._intercept)))
        for term in self._terms:
            scores = term.add(scores, columns[term.column])
        return scores

    def magnitudes(self, columns: Mapping[str, list[Any]], rows: int) -> Floats:
        """(rows, n_scores): the sum of the sizes of all terms, which bounds the error of the scores."""
        nothing = np.zeros((rows, len(self._intercept)))
        terms = [np.abs(term.add(nothing, columns[term.column])) for term in self._terms]
        total: Floats = np.abs(self._intercept) + np.sum(terms, axis=0)
        return total

    def one(self, columns: Mapping[str, list[Any]]) -> float | None:
        """The score of the only row, if the model has one score; else None."""
        if not self._is_single:
            return None
        score = self._start
        for column, add in self._ones:
            score = add(score, columns[column][0])
        return score
