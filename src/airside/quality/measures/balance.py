"""Whether the label is as frequent as it was, overall and in each group: wrong labels show here before any model."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from airside.quality.measures.arrays import Bools, Columns, Floats
from airside.quality.measures.intervals import LEVEL, Entities, newcombe, share
from airside.quality.measures.levels import chi_square
from airside.quality.measures.segments import segments
from airside.quality.records import Measured


def label_balance(  # noqa: PLR0913 -- two tables and the groups to compare them in
    reference_labels: Bools,
    reference: Columns,
    labels: Bools,
    columns: Columns,
    groups: Sequence[str] = (),
    *,
    entities: tuple[Entities, Entities] | None = None,
    cuts: Mapping[str, Sequence[float]] | None = None,
    level: float = LEVEL,
) -> tuple[Measured, ...]:
    """The change of the label's share against a reference (`label_share_change`), with Newcombe's interval.

    Args:
        reference_labels: the labels that count as right. Shape (n,).
        reference: their table.
        labels: the labels to be checked. Shape (m,).
        columns: their table.
        groups: the columns whose groups are compared too.
        entities: of the reference's rows and of ours.
        cuts: where numbers are cut into groups.
        level: the coverage.
    """
    ours, theirs = _entities(entities, len(reference_labels), len(labels))
    before = {"": np.ones(len(reference_labels), dtype=bool), **dict(segments(reference, groups, cuts))}
    after = {"": np.ones(len(labels), dtype=bool), **dict(segments(columns, groups, cuts))}
    found = []
    for name, rows in after.items():
        if name not in before:
            continue
        first = share(reference_labels, before[name], ours, level)
        second = share(labels, rows, theirs, level)
        if not math.isfinite(first.value) or not math.isfinite(second.value):
            continue
        _, p = chi_square(_counts(reference_labels, before[name]), _counts(labels, rows))
        note = f"{first.value:.1%} before, {second.value:.1%} now, p = {p:.2g}"
        found.append(Measured(measure="label_share_change", segment=name, estimate=newcombe(first, second), note=note))
    return tuple(found)


def _entities(given: tuple[Entities, Entities] | None, n: int, m: int) -> tuple[Entities, Entities]:
    return given or (Entities(None, n), Entities(None, m))


def _counts(labels: Bools, rows: Bools) -> Floats:
    positives = float((labels & rows).sum())
    return np.array([positives, float(rows.sum()) - positives])
