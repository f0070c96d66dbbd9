"""One call that measures a classifier of two classes: overall, by segment, between groups, against others.

The answer is a record: a pipeline step stores it as JSON, a gate judges its figures, a model card shows them.
"""

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from airside.core.estimate import Estimate
from airside.quality.measures import fairness, paired, performance
from airside.quality.measures.arrays import AnyArray, Bools, Columns, Floats, columns_of
from airside.quality.measures.intervals import LEVEL, Entities
from airside.quality.measures.segments import segments
from airside.quality.records import EvaluationReport, Measured

MINIMUM_ROWS = 50
SEGMENT_MEASURES = (
    "accuracy",
    "auc",
    "calibration",
    "log_loss",
    "positive_share",
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
)
NOT_COMPUTED = "cannot be computed: no such row, or one class only"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is to be read and cut.

    Attributes:
        threshold: a probability at or above it selects.
        segments: columns by which the figures are told: `SEX`, `SEX&DIS` for an intersection.
        sensitive: columns whose groups are compared.
        cuts: where numbers are cut: `{"AGEP": (25, 35, 45)}`.
        minimum_rows: a smaller segment or group is told, but not judged.
        level: the coverage of the intervals.
    """

    threshold: float = 0.5
    segments: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    cuts: dict[str, tuple[float, ...]] = {}
    minimum_rows: int = MINIMUM_ROWS
    level: float = LEVEL


def evaluate(  # noqa: PLR0913 -- a model's answers, the truth, whom they are about, and two to compare with
    y: Any,
    probability: Any,
    columns: Any = None,
    entity: AnyArray | None = None,
    *,
    baseline: Any = None,
    champion: Any = None,
    setting: Setting | None = None,
) -> EvaluationReport:
    """Measure a classifier of two classes on a labelled table.

    Args:
        y: the labels: 0 and 1, or booleans. Shape (n,).
        probability: of the label 1. Shape (n,).
        columns: the table, for segments and groups: a pyarrow Table, a frame, or a mapping of arrays.
        entity: the household (or other entity) of each row; intervals are then over entities.
        baseline: probabilities of a simpler model on the same rows.
        champion: probabilities of the model in use on the same rows.
        setting: how to read and cut; plain defaults when left out.

    Raises:
        ValueError: the arrays do not fit each other, or a probability is none.

    >>> report = evaluate([1, 0, 1, 0], [0.9, 0.2, 0.8, 0.4], baseline=[0.5, 0.5, 0.5, 0.5])
    >>> report.figure("accuracy").value, report.figure("accuracy", against="baseline").value
    (1.0, 0.5)
    """
    how = setting or Setting()
    labels, ours = _labels(y), _probabilities(probability, "probability")
    table: Columns = {} if columns is None else columns_of(columns)
    _same_length(labels, {"probability": ours, **table, **({} if entity is None else {"entity": entity})})
    entities = Entities(entity, len(labels))
    selected = ours >= how.threshold
    measured = _overall(labels, ours, entities, how)
    for name, other in (("baseline", baseline), ("champion", champion)):
        if other is not None:
            theirs = _probabilities(other, name)
            _same_length(labels, {name: theirs})
            measured += _against(name, labels, ours, theirs, entities, how)
    measured += _segments(labels, ours, table, entity, how)
    told = {(one.measure, one.segment) for one in measured}
    rates = _groups(labels, selected, table, entities, how)
    measured += [one for one in rates if (one.measure, one.segment) not in told]
    return EvaluationReport(
        rows=len(labels),
        entities=entities.count,
        threshold=how.threshold,
        measured=tuple(measured),
        confusion=performance.confusion(labels, selected),
        calibration=performance.calibration_curve(labels, ours),
    )


def _overall(labels: Bools, ours: Floats, entities: Entities, how: Setting) -> list[Measured]:
    figures = performance.binary(labels, ours, threshold=how.threshold, entities=entities, level=how.level)
    error = Estimate(value=performance.calibration_error(labels, ours), n=len(labels))
    return [
        *(_measured(measure, estimate) for measure, estimate in figures.items()),
        Measured(measure="calibration_error", estimate=error),
    ]


def _groups(labels: Bools, selected: Bools, table: Columns, entities: Entities, how: Setting) -> tuple[Measured, ...]:
    return fairness.by_group(
        labels,
        selected,
        table,
        how.sensitive,
        entities=entities,
        cuts=how.cuts,
        minimum_rows=how.minimum_rows,
        level=how.level,
    )


def _segments(labels: Bools, ours: Floats, table: Columns, entity: AnyArray | None, how: Setting) -> list[Measured]:
    found: list[Measured] = []
    for name, rows in segments(table, how.segments, how.cuts):
        group = fairness.Group(name, rows, labels, how.minimum_rows)
        inside = Entities(None if entity is None else entity[rows], group.n)
        figures = performance.binary(
            labels[rows], ours[rows], threshold=how.threshold, entities=inside, level=how.level
        )
        found += [_measured(measure, figures[measure], name, group.note) for measure in SEGMENT_MEASURES]
    return found


def _against(
    name: str, labels: Bools, ours: Floats, theirs: Floats, entities: Entities, how: Setting
) -> list[Measured]:
    found = paired.differences(labels, ours, theirs, entities=entities, threshold=how.threshold, level=how.level)
    return [_measured(measure, estimate, against=name) for measure, estimate in found.items()]


def _measured(measure: str, estimate: Estimate, segment: str = "", note: str = "", *, against: str = "") -> Measured:
    """A figure that JSON can carry: what could not be computed is told as unknown, not as NaN."""
    if not math.isfinite(estimate.value):
        nothing = Estimate(value=0.0, level=estimate.level, n=estimate.n)
        return Measured(
            measure=measure,
            estimate=nothing,
            segment=segment,
            against=against,
            is_known=False,
            note=note or NOT_COMPUTED,
        )
    bounds = (estimate.low, estimate.high)
    if any(bound is not None and not math.isfinite(bound) for bound in bounds):
        estimate = Estimate(value=estimate.value, level=estimate.level, n=estimate.n)
    return Measured(measure=measure, estimate=estimate, segment=segment, against=against, is_known=not note, note=note)


def _labels(y: Any) -> Bools:
    values = np.asarray(y)
    if not np.isin(values, (0, 1)).all():
        text = "The labels must be 0 and 1; found others. Map the positive class to 1 first."
        raise ValueError(text)
    return values.astype(bool)


def _probabilities(values: Any, name: str) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or not np.isfinite(found).all() or (found < 0).any() or (found > 1).any():
        text = f"'{name}' must be one probability for each row, within 0 and 1; predict_proba(…)[:, 1] gives them."
        raise ValueError(text)
    return found


def _same_length(labels: Bools, others: Mapping[str, AnyArray]) -> None:
    wrong = {name: len(values) for name, values in others.items() if len(values) != len(labels)}
    if wrong:
        text = f"There are {len(labels)} labels, but {wrong} rows. Give the same rows in the same order."
        raise ValueError(text)
