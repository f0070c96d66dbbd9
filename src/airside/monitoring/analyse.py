"""One window against the reference: drift of each input and of the score, quality with and without labels.

Heavy (numpy, SciPy): imported where windows are analysed, never by the operations. Every figure comes from
`airside.quality.measures`, so a monitor, a gate and a notebook say the same.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from airside.core.estimate import Estimate
from airside.monitoring.distribution import distribution_of
from airside.monitoring.records import PREDICTION, AlertRule, ColumnFinding, Figure, LevelCount, WindowResult
from airside.quality.measures import estimated, performance, profile, segments, window
from airside.quality.measures.arrays import AnyArray, Bools, Floats, as_array
from airside.quality.measures.intervals import Entities
from airside.quality.profiles import Calibration, ColumnProfile, ColumnReference, Drift, Importance, Profile, Reference

REALISED = (
    "accuracy",
    "auc",
    "log_loss",
    "calibration",
    "true_positive_rate",
    "false_positive_rate",
    "macro_f1",
    "mae",
    "rmse",
    "bias",
    "r2",
)
"""The measures that a window tells, of those that the task has."""
SEGMENT_MEASURES = ("accuracy", "calibration", "true_positive_rate", "mae", "bias")
SMALLEST_SEGMENT = 50
VANISHED_SHARE = 0.01
CROSS = "\u00d7"
"""Between the columns of an intersection, as `quality.measures.segments` writes it."""
POWER_Z = 0.8416
Z = 1.959964


class Served(NamedTuple):
    """What was served in a window.

    Attributes:
        inputs: column → values, as they came.
        answers: what was answered, one for each row.
        scores: the probability of the second class, one for each row; None for other than two classes.
        positive: the answer that the second class stands for.
        confidence: the probability of the answer that was given; None without probabilities.
        truth: what was true; NaN or None where it is not known. None when nothing is known.
    """

    inputs: Mapping[str, AnyArray]
    answers: AnyArray
    scores: Floats | None = None
    positive: Any = None
    confidence: Floats | None = None
    truth: AnyArray | None = None


def served_of(
    inputs: Mapping[str, Sequence[Any]],
    answers: Sequence[Any],
    probabilities: Sequence[Sequence[float]] = (),
    truth: Sequence[Any] | None = None,
) -> Served:
    """The rows of the prediction log as arrays.

    The positive class is the one whose column of the probabilities comes second: the answer given where it is the
    larger one.

    >>> served = served_of({"x": [1, 2]}, [0, 1], [[0.9, 0.1], [0.2, 0.8]])
    >>> served.positive, served.scores.tolist()
    (1, [0.1, 0.8])
    """
    columns = {name: as_array(list(values)) for name, values in inputs.items()}
    given = as_array(list(answers))
    known = None if truth is None or all(one is None for one in truth) else as_array(list(truth))
    if not len(probabilities) or len(probabilities) != len(given):
        return Served(columns, given, truth=known)
    matrix = np.asarray(probabilities, dtype=np.float64)
    confidence: Floats = matrix.max(axis=1)
    if matrix.shape[1] != 2:
        return Served(columns, given, confidence=confidence, truth=known)
    scores: Floats = matrix[:, 1]
    return Served(columns, given, scores, _positive(given, scores, known), confidence, known)


def _positive(answers: AnyArray, scores: Floats, truth: AnyArray | None) -> Any:
    """The label of the second class."""
    chosen = answers[scores > 0.5]
    if len(chosen):
        return chosen.tolist()[0]
    every = {*answers.tolist(), *(() if truth is None else truth.tolist())}
    return max((one for one in every if one is not None and one == one), default=None, key=str)  # noqa: PLR0124 -- NaN differs from itself


def analyse(
    reference: Reference,
    served: Served,
    rule: AlertRule,
    *,
    baseline: Iterable[Figure] = (),
    by_segment: Sequence[str] = (),
) -> WindowResult:
    """What a window says, compared with the reference.

    Args:
        reference: the training profile.
        served: the rows of the window.
        rule: the monitor's rule: what is flagged.
        baseline: what the reference's hold-out measured, passed on so that the window can be read alone.
        by_segment: columns whose values split the realised quality.
    """
    rows = len(served.answers)
    columns, counted, notes = _inputs(reference, served, rows)
    findings = [
        _finding(one, found, drift, rule, len(columns.columns))
        for one, found, drift in zip(
            columns.columns, counted.columns, window.compare(columns, counted, by_entity=rule.by_entity), strict=True
        )
    ]
    known = _known(served)
    threshold = reference.threshold
    figures = [*_estimated(served, reference.calibration, threshold), *_realised(served, known, threshold), *baseline]
    for name in by_segment:
        figures += _segments(served, known, name, notes, threshold)
    return WindowResult(
        rows=rows,
        labelled=int(known.sum()),
        columns=tuple(findings),
        prediction=_score_drift(reference, served, rule),
        figures=tuple(figure for figure in figures if math.isfinite(figure.estimate.value)),
        notes=tuple(notes),
    )


def _inputs(reference: Reference, served: Served, rows: int) -> tuple[Reference, Profile, list[str]]:
    """The reference's inputs, and what the window holds of them. The label is no input; a lost input is missing."""
    important = {one.column for one in reference.importance}
    used = [one for one in reference.columns if one.name in served.inputs or one.name in important]
    left = [one.name for one in reference.columns if one not in used and one.name != PREDICTION]
    notes = [f"Not compared, because no input: {', '.join(left)}."] if left else []
    table = dict(served.inputs)
    for one in used:
        if one.name not in table:
            notes.append(f"{one.name} was in no request: every row counts as missing.")
            table[one.name] = np.full(rows, np.nan)
    columns = _only(reference, used)
    return columns, profile.count(columns, table), notes


def _only(reference: Reference, columns: Sequence[ColumnReference]) -> Reference:
    return Reference(
        digest=reference.digest,
        rows=reference.rows,
        of=reference.of,
        columns=tuple(columns),
        importance=reference.importance,
    )


def _finding(
    one: ColumnReference, counted: ColumnProfile, drift: Drift, rule: AlertRule, columns: int
) -> ColumnFinding:
    limit = rule.numeric_effect if drift.statistic == "ks" else rule.code_effect
    n = counted.rows - counted.missing - counted.infinite
    reference_n = one.rows - one.missing - one.infinite
    adjusted = 1.0 if drift.p_adjusted is None else drift.p_adjusted
    number = one.number
    return ColumnFinding(
        column=one.name,
        kind=one.kind,
        statistic=drift.statistic,
        effect=drift.effect,
        effect_limit=limit,
        p=1.0 if drift.p is None else drift.p,
        p_adjusted=adjusted,
        visible_effect=visible_effect(reference_n, n, rule.level / max(columns, 1)),
        is_flagged=drift.p_adjusted is not None and adjusted <= rule.level and drift.effect >= limit,
        psi=drift.psi,
        js=drift.js,
        w1=drift.w1,
        n=n,
        reference_n=reference_n,
        missing=counted.missing,
        reference_missing=one.missing,
        infinite=counted.infinite,
        p_missing=drift.p_missing,
        unseen=tuple(LevelCount(level=str(level), rows=rows) for level, rows in counted.unseen),
        unseen_rows=sum(rows for _, rows in counted.unseen) + counted.other,
        p_unseen=drift.p_unseen,
        vanished=_vanished(one, counted, n),
        below=counted.below,
        above=counted.above,
        p_range=drift.p_range,
        minimum=counted.minimum,
        maximum=counted.maximum,
        reference_minimum=None if number is None else number.minimum,
        reference_maximum=None if number is None else number.maximum,
        unit_factor=drift.unit_factor,
        importance=_importance(drift.importance),
        distribution=distribution_of(one, counted),
        status="ok" if n else "error",
        reason="" if n else "no value in the window",
    )


def _importance(one: Importance | None) -> Estimate | None:
    return None if one is None else Estimate(value=one.fall, low=one.low, high=one.high, unit="AUC")


def _vanished(one: ColumnReference, counted: ColumnProfile, n: int) -> tuple[str, ...]:
    """Codes of 1 % and more of the reference that the window lacks."""
    total = sum(one.level_counts)
    if not n or not total:
        return ()
    pairs = zip(one.levels, one.level_counts, counted.level_counts, strict=True)
    return tuple(str(level) for level, then, now in pairs if not now and then / total >= VANISHED_SHARE)


def visible_effect(n: int, m: int, level: float) -> float | None:
    """The smallest shift of a share by a half that windows of these sizes find with 80 % power; None without rows.

    >>> round(visible_effect(39268, 4150, 0.01 / 16), 3)
    0.035
    """
    if not n or not m:
        return None
    reach = float(special.ndtri(1 - level / 2)) + POWER_Z
    return min(1.0, reach * 0.5 * math.sqrt(1 / n + 1 / m))


def _score_drift(reference: Reference, served: Served, rule: AlertRule) -> ColumnFinding | None:
    """The drift of the model's score, in a family of its own."""
    column = next((one for one in reference.columns if one.name == PREDICTION), None)
    scores = served.answers if is_regression(served) else served.scores
    if column is None or scores is None or column.number is None:
        return None
    alone = _only(reference, [column])
    counted = profile.count(alone, {PREDICTION: scores})
    drift = window.compare(alone, counted, by_entity=rule.by_entity)[0]
    return _finding(column, counted.columns[0], drift, rule, 1)


def _known(served: Served) -> Bools:
    """Which rows have a label."""
    if served.truth is None:
        return np.zeros(len(served.answers), dtype=bool)
    if served.truth.dtype.kind == "f":
        return ~np.isnan(served.truth)
    if served.truth.dtype.kind == "O":
        return np.fromiter((one is not None for one in served.truth), dtype=bool, count=len(served.truth))
    return np.ones(len(served.truth), dtype=bool)


def _estimated(served: Served, calibration: Calibration, threshold: float) -> list[Figure]:
    """Quality without labels (CBPE); the interval is that of the labels' own chance."""
    rows = len(served.answers)
    if not rows:
        return []
    if served.scores is None:
        if served.confidence is None:
            return []
        return [_figure("accuracy", "estimated", _around(float(served.confidence.mean()), served.confidence))]
    found = estimated.estimated(served.scores, calibration, threshold=threshold)
    p = estimated.calibrated(served.scores, calibration)
    accuracy = _around(found["accuracy"], p)
    ranking = Estimate(value=found["auc"], n=rows)
    return [_figure("accuracy", "estimated", accuracy), _figure("auc", "estimated", ranking)]


def _around(value: float, p: Floats) -> Estimate:
    reach = Z * math.sqrt(float((p * (1 - p)).sum())) / len(p)
    return Estimate(value=value, low=max(0.0, value - reach), high=min(1.0, value + reach), n=len(p))


def _figure(measure: str, basis: Any, estimate: Estimate, segment: str = "") -> Figure:
    return Figure(measure=measure, basis=basis, estimate=estimate, segment=segment)


def _realised(served: Served, known: Bools, threshold: float) -> list[Figure]:
    """Quality with labels, on the rows that have them."""
    if served.truth is None or not known.any():
        return []
    found = _measured(served, known, threshold)
    return [_figure(name, "realised", found[name]) for name in REALISED if name in found]


def _measured(served: Served, rows: Bools, threshold: float) -> dict[str, Estimate]:
    truth = np.asarray(served.truth)[rows]
    entities = Entities(None, len(truth))
    if is_regression(served):
        return performance.regression(truth.astype(np.float64), served.answers[rows].astype(np.float64), entities)
    if served.scores is None:
        return performance.multiclass(truth, served.answers[rows], entities)
    labels: Bools = np.asarray(truth == served.positive, dtype=bool)
    return performance.binary(labels, served.scores[rows], threshold=threshold, entities=entities)


def is_regression(served: Served) -> bool:
    """Whether the answers are quantities: numbers without probabilities, not all of them whole.

    >>> is_regression(served_of({}, [1.5, 2.0])), is_regression(served_of({}, [1.0, 2.0]))
    (True, False)
    """
    if served.confidence is not None or served.answers.dtype.kind != "f":
        return False
    finite = served.answers[np.isfinite(served.answers)]
    return bool((finite != np.floor(finite)).any())


def _segments(served: Served, known: Bools, name: str, notes: list[str], threshold: float) -> list[Figure]:
    """Realised quality of each value of a column; values with too few rows are named, never judged."""
    if not known.any():
        return []
    if any(part not in served.inputs for part in name.split(CROSS)):
        notes.append(f"No segments by {name}: no request holds it.")
        return []
    try:
        parts = list(segments.segments(served.inputs, (name,)))
    except ValueError as error:
        notes.append(str(error))
        return []
    figures: list[Figure] = []
    few = []
    for label, inside in parts:
        rows: Bools = inside & known
        if rows.sum() < SMALLEST_SEGMENT:
            few.append(label)
            continue
        found = _measured(served, rows, threshold)
        figures += [_figure(one, "realised", found[one], label) for one in SEGMENT_MEASURES if one in found]
    if few:
        notes.append(f"Too few labelled rows (under {SMALLEST_SEGMENT}) in: {', '.join(few)}.")
    return figures
