"""Features as the compilers see them: each is made of one input column."""

from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from airside.core.errors import Invalid
from airside.inference.compiled.blocks import Floats, stepped
from airside.inference.compiled.spec import Key, Step

MAX_CELLS = 4_000_000
"""Of one table, 32 MB."""


class NotCompiled(Invalid):
    """The model is not one of those that can be compiled; it is served by its original code."""

    code = "NOT_COMPILED"


def refuse(what: object, reason: str) -> NoReturn:
    """Say why something cannot be compiled."""
    raise refusal(what, reason)


def refusal(what: object, reason: str) -> NotCompiled:
    """Why something cannot be compiled."""
    return NotCompiled(f"{type(what).__name__} is not compiled: {reason}. The original serves instead.")


@dataclass(frozen=True)
class Source:
    """An input column, as it came; `fill` stands for a missing text."""

    column: str
    fill: str | None = None


@dataclass(frozen=True, eq=False)
class Lookup:
    """A column of known values and what they become: a row for each key, then unknown, None, NaN."""

    column: str
    keys: tuple[Key, ...]
    table: Floats


@dataclass(frozen=True, eq=False)
class Bins:
    """A number put into bins and what they become: a row for each bin, then NaN."""

    column: str
    steps: tuple[Step, ...]
    edges: Floats
    table: Floats


@dataclass(frozen=True, eq=False)
class Spline:
    """A number and its spline basis."""

    column: str
    steps: tuple[Step, ...]
    knots: Floats
    degree: int
    outputs: int


@dataclass(frozen=True)
class Feature:
    """One column of the matrix that the estimator sees."""

    block: Source | Lookup | Bins | Spline
    output: int = 0
    steps: tuple[Step, ...] = ()

    def then(self, *steps: Step) -> "Feature":
        """The feature after further steps."""
        if isinstance(self.block, Source) and self.block.fill is not None:
            raise NotCompiled(f"The text column {self.block.column!r} is used as a number.")
        return replace(self, steps=self.steps + steps)

    def rows(self) -> Floats:
        """What each row of a lookup or of bins becomes."""
        if not isinstance(self.block, Lookup | Bins):
            raise TypeError(type(self.block).__name__)
        return stepped(self.block.table[:, self.output], self.steps)


@dataclass
class Arrays:
    """The arrays of a model under construction."""

    by_name: dict[str, npt.NDArray[Any]] = field(default_factory=dict)

    def add(self, name: str, array: npt.ArrayLike) -> str:
        """Keep an array; its name."""
        self.by_name[name] = np.ascontiguousarray(array)
        return name
