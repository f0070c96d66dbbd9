"""Rates of groups and the largest differences between them. A group that is too small is named, never judged."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from airside.core.estimate import Estimate
from airside.quality.measures.arrays import Bools, Columns, Floats
from airside.quality.measures.intervals import (
    LEVEL,
    Entities,
    absolute,
    newcombe,
    percentile,
    resampled,
    share,
)
from airside.quality.measures.segments import segments
from airside.quality.records import Measured

MINIMUM_ROWS = 50
MINIMUM_OF_EACH_LABEL = 10
RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy")
RESAMPLES = 500


class Group:
    """The rows of one group, and whether they are enough to say something."""

    def __init__(self, name: str, rows: Bools, labels: Bools, minimum_rows: int) -> None:
        self.name = name
        self.rows = rows
        self.n = int(rows.sum())
        positives = int((rows & labels).sum())
        least = min(positives, self.n - positives)
        self.note = ""
        if self.n < minimum_rows:
            self.note = f"too few rows: {self.n}, {minimum_rows} are needed"
        elif least < MINIMUM_OF_EACH_LABEL:
            self.note = f"too few of one label: {least}, {MINIMUM_OF_EACH_LABEL} are needed"

    @property
    def is_known(self) -> bool:
        """Whether it is large enough."""
        return not self.note


def by_group(  # noqa: PLR0913 -- a model's decisions, the groups, and how to read them
    labels: Bools,
    selected: Bools,
    columns: Columns,
    sensitive: Sequence[str],
    *,
    entities: Entities,
    cuts: Mapping[str, Sequence[float]] | None = None,
    minimum_rows: int = MINIMUM_ROWS,
    level: float = LEVEL,
) -> tuple[Measured, ...]:
    """Each rate of each group with its interval, and for each sensitive column the largest difference (`…_gap`).

    Args:
        labels: the truth. Shape (n,).
        selected: whom the model selects. Shape (n,).
        columns: the table that holds the sensitive columns.
        sensitive: their names; `SEX&DIS` for an intersection.
        entities: the entities of the rows.
        cuts: where numbers are cut into groups.
        minimum_rows: a smaller group is `is_known=False`: told, and left out of the gap.
        level: the coverage.
    """
    found: list[Measured] = []
    for name in sensitive:
        groups = [Group(label, rows, labels, minimum_rows) for label, rows in segments(columns, [name], cuts)]
        for measure in RATES:
            hits, among = _parts(measure, labels, selected)
            rates = [share(hits, among & group.rows, entities, level) for group in groups]
            found += [_measured(measure, group, rate) for group, rate in zip(groups, rates, strict=True)]
            found.append(_gap(measure, name, list(zip(groups, rates, strict=True)), hits, among, entities))
    return tuple(found)


def _parts(measure: str, labels: Bools, selected: Bools) -> tuple[Bools, Bools]:
    everyone = np.ones(len(labels), dtype=bool)
    return {
        "selection_rate": (selected, everyone),
        "true_positive_rate": (selected, labels),
        "false_positive_rate": (selected, ~labels),
        "accuracy": (selected == labels, everyone),
    }[measure]


def _measured(measure: str, group: Group, rate: Estimate) -> Measured:
    if not math.isfinite(rate.value):
        nothing = Estimate(value=0.0, level=rate.level, n=0)
        return Measured(
            measure=measure, segment=group.name, estimate=nothing, is_known=False, note=group.note or "no such row"
        )
    return Measured(measure=measure, segment=group.name, estimate=rate, is_known=group.is_known, note=group.note)


def _gap(
    measure: str,
    column: str,
    rated: list[tuple[Group, Estimate]],
    hits: Bools,
    among: Bools,
    entities: Entities,
) -> Measured:
    known = [(group, rate) for group, rate in rated if group.is_known and math.isfinite(rate.value)]
    small = [group.name for group, _ in rated if not group.is_known]
    note = f"too small to be judged: {', '.join(small)}" if small else ""
    if len(known) < 2:
        nothing = Estimate(value=0.0, n=0)
        text = f"fewer than two groups are large enough; {note}" if note else "fewer than two groups"
        return Measured(measure=f"{measure}_gap", segment=column, estimate=nothing, is_known=False, note=text)
    two = len(known) == 2
    gap = absolute(newcombe(known[0][1], known[1][1])) if two else _widest(known, hits, among, entities)
    return Measured(measure=f"{measure}_gap", segment=column, estimate=gap, note=note)


def _widest(known: list[tuple[Group, Estimate]], hits: Bools, among: Bools, entities: Entities) -> Estimate:
    """The largest difference of several groups; its interval by resampling entities."""
    level = known[0][1].level
    parts: list[Floats] = []
    for group, _ in known:
        inside = (among & group.rows).astype(np.float64)
        parts += [entities.sums(inside * hits), entities.sums(inside)]
    totals = resampled(entities, np.stack(parts, axis=1), resamples=RESAMPLES)
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = totals[:, 0::2] / totals[:, 1::2]
    values = [rate.value for _, rate in known]
    low, high = percentile(rates.max(axis=1) - rates.min(axis=1), level)
    return Estimate(
        value=max(values) - min(values),
        low=max(low, 0.0),
        high=high,
        level=level,
        n=sum(rate.n for _, rate in known),
    )
