"""The records of profiles: what a reference was, and what was counted against it. No arithmetic, no numpy.

`measures.profile` makes, fills, merges and compares them. Arrays travel as base64 of little-endian float64 or int64.
"""

from typing import Literal

from airside.core.record import Record

Level = str | int | float | bool


class Importance(Record):
    """How much a model needs a column: the fall of its AUC when the column is shuffled."""

    column: str
    fall: float
    low: float | None = None
    high: float | None = None


class Calibration(Record):
    """How scores become probabilities, learnt on the reference: linear between the points. Empty: they are already.

    `measures.estimated` needs it to estimate a model's quality without labels.
    """

    scores: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()


class NumberReference(Record):
    """A numeric column of the reference.

    Attributes:
        edges: base64 float64: cell i = (edge i-1, edge i]; reference order statistics, deciles, atoms, then tails.
        counts: base64 int64: the reference's rows in each cell; one more than edges.
        deciles: base64 float64: the nine deciles with duplicates merged; each is an edge too.
    """

    edges: str
    counts: str
    deciles: str
    minimum: float | None = None
    maximum: float | None = None
    mean: float = 0.0
    deviation: float = 0.0


class ColumnReference(Record):
    """What a column looked like in the reference.

    Attributes:
        rows: all rows; `missing` are null or NaN, `infinite` are ±inf.
        inflation: how much larger the test's statistic is between unchanged windows than for independent rows.
    """

    name: str
    kind: Literal["number", "levels"]
    rows: int
    missing: int = 0
    infinite: int = 0
    inflation: float = 1.0
    number: NumberReference | None = None
    levels: tuple[Level, ...] = ()
    level_counts: tuple[int, ...] = ()


class Reference(Record):
    """The profile that windows are compared with.

    Attributes:
        digest: names the edges; profiles over different references do not merge.
        of: what was profiled, e.g. `people@3`.
        calibration: how the model's scores become probabilities, for quality without labels.
        threshold: the model selects at or above it.
    """

    digest: str
    rows: int
    of: str = ""
    columns: tuple[ColumnReference, ...] = ()
    importance: tuple[Importance, ...] = ()
    calibration: Calibration = Calibration()
    threshold: float = 0.5


class ColumnProfile(Record):
    """What was counted of one column, against a reference.

    Attributes:
        counts: of a number: base64 int64, the rows in each cell of the reference.
        above, below: rows beyond the reference's maximum and minimum.
        level_counts: of levels: rows of each of the reference's levels; `unseen` are the others, at most 64 of them,
            and `other` the rows of further ones.
    """

    name: str
    rows: int = 0
    missing: int = 0
    infinite: int = 0
    counts: str = ""
    minimum: float | None = None
    maximum: float | None = None
    mean: float = 0.0
    squares: float = 0.0
    above: int = 0
    below: int = 0
    level_counts: tuple[int, ...] = ()
    unseen: tuple[tuple[Level, int], ...] = ()
    other: int = 0


class Profile(Record):
    """What a window held. Merging two profiles of one reference is addition."""

    reference: str
    rows: int = 0
    columns: tuple[ColumnProfile, ...] = ()


class Drift(Record):
    """One column of a window against the reference.

    Attributes:
        statistic, effect: `ks` or `tvd`, and its raw value.
        effect_corrected: the effect less what sampling alone makes of it.
        p: of the distribution's test, divided by the reference's inflation; None where it could not be computed.
        p_adjusted: after Benjamini-Hochberg over the columns of the window.
        psi, js: on deciles or levels; js is the distance in base 2.
        w1: Wasserstein-1 over the reference's standard deviation; numbers only.
        p_missing, p_unseen, p_range: the tests of their own.
        unit_factor: dividing by it makes the column fit the reference: a change of unit.
        importance: how much the model needs the column.
        is_drifted: significant after adjustment, and large enough.
        findings: sentences about what is new: unseen levels, values out of range, missing values.
    """

    column: str
    kind: Literal["number", "levels"]
    rows: int
    missing: int
    statistic: Literal["ks", "tvd"]
    effect: float
    effect_corrected: float
    p: float | None
    p_adjusted: float | None = None
    psi: float
    js: float
    w1: float | None = None
    p_missing: float = 1.0
    p_unseen: float = 1.0
    p_range: float = 1.0
    unit_factor: float | None = None
    importance: Importance | None = None
    is_drifted: bool = False
    findings: tuple[str, ...] = ()


class DriftReport(Record):
    """Two tables side by side: what changed, how surely, and what such a comparison could have seen.

    Attributes:
        reference, current: what the two sides are called.
        smallest_effect: the smallest distance that this many rows would show as certain.
        only_in_reference, only_in_current: columns that one side lacks.
        columns: most certain first.
    """

    reference: str
    current: str
    rows_reference: int
    rows_current: int
    smallest_effect: float
    only_in_reference: tuple[str, ...] = ()
    only_in_current: tuple[str, ...] = ()
    columns: tuple[Drift, ...] = ()
