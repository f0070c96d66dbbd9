"""From a column of Python values to what an estimator reads: numbers, rows of tables, splines, bins."""

import math
from array import array
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from airside.core.errors import Invalid
from airside.inference.compiled.spec import BinsSpec, LookupSpec, NumberSpec, SplineSpec, Step

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


def floats(values: list[Any], column: str, *, nullable: bool) -> Floats:
    """A column as doubles, None as NaN.

    Raises:
        Invalid: a value is missing and may not be, or is no number.
    """
    try:
        found = np.frombuffer(array("d", values))
    except TypeError:
        found = _with_gaps(values, column)
    except OverflowError:
        raise Invalid(f"Column {column[:200]!r}: a whole number is too large for a double.") from None
    if not nullable and np.isnan(found).any():
        raise missing(column, int(np.isnan(found).argmax()))
    return found


def _with_gaps(values: list[Any], column: str) -> Floats:
    for row, value in enumerate(values):
        if value is not None and not isinstance(value, int | float):
            raise Invalid(f"Row {row}, column {column[:200]!r}: expected a number, got {type(value).__name__}.")
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def missing(column: str, row: int) -> Invalid:
    """The refusal of a missing value."""
    return Invalid(
        f"Row {row}, column {column[:200]!r}: expected a value, got null. The model was not made for gaps there.",
        code="BAD_REQUEST",
    )


_ARRAY_STEPS: dict[str, Callable[[Floats, Step], Floats]] = {
    "impute": lambda x, s: np.where(np.isnan(x), s.a, x),
    "subtract": lambda x, s: x - s.a,
    "divide": lambda x, s: x / s.a,
    "multiply": lambda x, s: x * s.a,
    "add": lambda x, s: x + s.a,
    "clip": lambda x, s: np.clip(x, s.a, s.b),
    "missing": lambda x, _: np.isnan(x).astype(np.float64),
}
_SCALAR_STEPS: dict[str, Callable[[float, Step], float]] = {
    "impute": lambda x, s: s.a if x != x else x,  # noqa: PLR0124 -- NaN alone differs from itself
    "subtract": lambda x, s: x - s.a,
    "divide": lambda x, s: x / s.a,
    "multiply": lambda x, s: x * s.a,
    "add": lambda x, s: x + s.a,
    "clip": lambda x, s: x if x != x else min(max(x, s.a), s.b),  # noqa: PLR0124
    "missing": lambda x, _: float(x != x),  # noqa: PLR0124
}


def stepped(x: Floats, steps: tuple[Step, ...]) -> Floats:
    """Numbers after their steps.

    >>> stepped(np.array([3.0, np.nan]), (Step(kind="impute", a=1.0), Step(kind="divide", a=2.0))).tolist()
    [1.5, 0.5]
    """
    for step in steps:
        x = _ARRAY_STEPS[step.kind](x, step)
    return x


class NumberBlock:
    """A column as a number."""

    def __init__(self, spec: NumberSpec | SplineSpec | BinsSpec) -> None:
        self.column = spec.column
        self._steps = spec.steps
        self._nullable = spec.nullable
        self._scalar = tuple((_SCALAR_STEPS[step.kind], step) for step in spec.steps)

    def values(self, column: list[Any]) -> Floats:
        """(n,)."""
        x = floats(column, self.column, nullable=self._nullable)
        return stepped(x, self._steps) if self._steps else x

    def value(self, given: Any) -> float:
        """The same for one row, bit for bit."""
        try:
            x = math.nan if given is None else given + 0.0  # not float(): that would take texts
        except (TypeError, OverflowError):
            raise Invalid(
                f"Row 0, column {self.column[:200]!r}: expected a number, got {type(given).__name__}."
            ) from None
        if x != x and not self._nullable:  # noqa: PLR0124 -- NaN alone differs from itself
            raise missing(self.column, 0)
        for apply, step in self._scalar:
            x = apply(x, step)
        return x


class Table(dict[Any, Any]):
    """What each value of a column stands for; also for None, NaN and values that were never seen."""

    def __init__(self, spec: LookupSpec, rows: list[Any]) -> None:
        """`rows`: for each key, then for an unknown value, for None, for NaN."""
        super().__init__(zip(spec.keys, rows, strict=False))
        self._column = spec.column
        self._nullable = spec.nullable
        self._unknown, none, self._nan = rows[-3:]
        if spec.nullable:
            self[None] = none

    def __missing__(self, value: Any) -> Any:
        if value is None or value != value:  # noqa: PLR0124 -- NaN alone differs from itself
            if not self._nullable:
                raise missing(self._column, 0)
            return self._nan
        return self._unknown


class LookupBlock:
    """A column of known values as rows of a table, `offset` being the first."""

    def __init__(self, spec: LookupSpec, *, offset: int = 0) -> None:
        self.column = spec.column
        self.size = len(spec.keys) + 3
        self._table = Table(spec, list(range(offset, offset + self.size)))
        self.row: Callable[[Any], int] = self._table.__getitem__
        self._low, self._direct = _direct(spec, offset)

    def rows(self, column: list[Any]) -> Ints:
        """(n,)."""
        if self._direct is not None:
            try:
                x = np.frombuffer(array("d", column))
            except (TypeError, OverflowError):
                pass  # gaps or texts: one by one
            else:
                at = np.clip(x - self._low, -1, len(self._direct) - 2)
                if not np.isnan(at).any():
                    whole = at.astype(np.intp)
                    return np.where(whole == at, self._direct[whole], self._direct[-1])
        return np.fromiter(map(self.row, column), np.intp, len(column))


_MAX_SPAN = 4096


def _direct(spec: LookupSpec, offset: int) -> tuple[int, Ints | None]:
    """Rows by the distance from the lowest key, where all keys are whole numbers near each other; last: unknown."""
    keys = [key for key in spec.keys if type(key) is int or (type(key) is float and key.is_integer())]
    if not keys or len(keys) < len(spec.keys) or max(keys) - min(keys) >= _MAX_SPAN or abs(max(keys)) > 2**52:
        return 0, None
    low = int(min(keys))
    unknown = offset + len(keys)
    direct = np.full(int(max(keys)) - low + 3, unknown, np.intp)
    for row, key in enumerate(keys):
        direct[int(key) - low] = offset + row
    return low, direct


class SplineBlock(NumberBlock):
    """A number through a B-spline basis, by de Boor's recursion in the order of operations of SciPy's."""

    def __init__(self, spec: SplineSpec, knots: Floats) -> None:
        super().__init__(spec)
        self._degree = spec.degree
        self._t = knots
        self._knots: list[float] = knots.tolist()
        self._last = len(self._knots) - spec.degree - 2
        self._low = self._knots[spec.degree]
        self._high = self._knots[-spec.degree - 1]
        self._inner = knots[spec.degree + 1 : self._last + 1]
        self._inner_list: list[float] = self._inner.tolist()
        self.outputs = spec.outputs

    def basis(self, column: list[Any]) -> tuple[Ints, list[Floats]]:
        """The first of the `degree + 1` functions that are not zero, and their values, each (n,)."""
        x = np.clip(self.values(column), self._low, self._high)
        k = self._degree
        interval = np.searchsorted(self._inner, x, side="right") + k
        t = self._t
        h = [np.ones(len(x))] + [np.zeros(len(x)) for _ in range(k)]
        for j in range(1, k + 1):
            before = h[:j]
            h = [np.zeros(len(x)), *h[1:]]
            for n in range(1, j + 1):
                above = t[interval + n]
                below = t[interval + n - j]
                w = before[n - 1] / (above - below)
                h[n - 1] = h[n - 1] + w * (above - x)
                h[n] = w * (x - below)
        return interval - k, h

    def basis_row(self, given: Any) -> tuple[int, list[float]]:
        """The same for one row, bit for bit."""
        x = self.value(given)
        x = self._low if x < self._low else min(x, self._high)
        k, t = self._degree, self._knots
        interval = bisect_right(self._inner_list, x) + k
        h = [1.0] + [0.0] * k
        for j in range(1, k + 1):
            before = h[:j]
            h[0] = 0.0
            for n in range(1, j + 1):
                above = t[interval + n]
                below = t[interval + n - j]
                w = before[n - 1] / (above - below)
                h[n - 1] += w * (above - x)
                h[n] = w * (x - below)
        return interval - k, h

    def matrix(self, column: list[Any]) -> Floats:
        """(n, outputs)."""
        first, h = self.basis(column)
        found = np.zeros((len(column), self.outputs))
        rows = np.arange(len(column))
        for offset, values in enumerate(h):
            found[rows, first + offset] = values
        return found


class BinsBlock(NumberBlock):
    """A number put into bins; the last row stands for NaN."""

    def __init__(self, spec: BinsSpec, edges: Floats) -> None:
        super().__init__(spec)
        self._edges = edges
        self._edge_list: list[float] = edges.tolist()
        self._nan_row = len(self._edge_list) + 1

    def rows(self, column: list[Any]) -> Ints:
        """(n,)."""
        x = self.values(column)
        return np.where(np.isnan(x), self._nan_row, np.searchsorted(self._edges, x, side="right"))

    def row(self, given: Any) -> int:
        """The same for one row."""
        x = self.value(given)
        return self._nan_row if x != x else bisect_right(self._edge_list, x)  # noqa: PLR0124
