"""Quality without labels: confidence-based performance estimation (CBPE, as `nannyml.CBPE`).

It knows the inputs only: it assumes that the relation of label and input has not changed. Say so wherever the number
stands, and show the realised value beside it once labels arrive.
"""

import numpy as np
from scipy.optimize import isotonic_regression

from airside.quality.measures.arrays import AnyArray, Bools, Floats
from airside.quality.measures.auc import auc
from airside.quality.measures.performance import calibration_error
from airside.quality.profiles import Calibration

SPLITS = 10
TOO_GOOD = 0.999
SEED = 42


def fit(labels: Bools, scores: Floats) -> Calibration:
    """Learn on a labelled reference whether, and how, to calibrate the scores.

    Ten stratified splits tell whether isotonic calibration lowers the calibration error out of sample. It is never
    used when there is one class only, or when the AUC is above 0.999.
    """
    if labels.all() or not labels.any() or auc(labels, scores) > TOO_GOOD:
        return Calibration()
    before, after, truth = [], [], []
    for train, test in _splits(labels):
        x, y = _isotonic(labels[train], scores[train])
        before.append(scores[test])
        after.append(np.interp(scores[test], x, y))
        truth.append(labels[test])
    pooled = np.concatenate(truth)
    if calibration_error(pooled, np.concatenate(after)) >= calibration_error(pooled, np.concatenate(before)):
        return Calibration()
    x, y = _isotonic(labels, scores)
    return Calibration(scores=tuple(x.tolist()), probabilities=tuple(y.tolist()))


def _splits(labels: Bools) -> list[tuple[AnyArray, AnyArray]]:
    random = np.random.default_rng(SEED)
    found = []
    for _ in range(SPLITS):
        chosen = np.zeros(len(labels), dtype=bool)
        for one in (labels, ~labels):
            rows = random.permutation(np.flatnonzero(one))
            chosen[rows[: max(round(len(rows) / 10), 1)]] = True
        found.append((np.flatnonzero(~chosen), np.flatnonzero(chosen)))
    return found


def _isotonic(labels: Bools, scores: Floats) -> tuple[Floats, Floats]:
    """The steps of the isotonic fit, thinned to where they change: linear interpolation gives the same."""
    x, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, weights=labels.astype(np.float64)) / counts
    y: Floats = isotonic_regression(means, weights=counts).x
    inner = (y[1:-1] != y[:-2]) | (y[1:-1] != y[2:])
    kept = np.concatenate(([True], inner, [True])) if len(x) > 1 else np.array([True])
    return x[kept], y[kept]


def calibrated(scores: Floats, calibration: Calibration) -> Floats:
    """The scores as probabilities: interpolated between the reference's scores, clipped at its ends.

    >>> calibrated(np.array([0.5]), Calibration(scores=(0.0, 1.0), probabilities=(0.2, 0.4))).round(6).tolist()
    [0.3]
    """
    if not calibration.scores:
        return scores.astype(np.float64)
    return np.interp(scores, calibration.scores, calibration.probabilities)


def estimated(scores: Floats, calibration: Calibration, *, threshold: float = 0.5) -> dict[str, float]:
    """The expected measures of rows whose labels are not known yet; 0 where a denominator is 0.

    >>> estimated(np.array([0.9, 0.2]), Calibration())["accuracy"].__round__(6)
    0.85
    """
    if not len(scores):
        return {}
    p = calibrated(scores, calibration)
    selected = scores >= threshold
    tp, fp = float(p[selected].sum()), float((1 - p[selected]).sum())
    fn, tn = float(p[~selected].sum()), float((1 - p[~selected]).sum())
    return {
        "accuracy": (tp + tn) / len(scores),
        "auc": _expected_auc(scores, p),
        "precision": _ratio(tp, tp + fp),
        "true_positive_rate": _ratio(tp, tp + fn),
        "specificity": _ratio(tn, tn + fp),
        "f1": _ratio(tp, tp + (fp + fn) / 2),
        "positive_share": (tp + fn) / len(scores),
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _expected_auc(scores: Floats, p: Floats) -> float:
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    tp = np.concatenate(([0.0], np.cumsum(p[order])[ends]))
    fp = np.concatenate(([0.0], np.cumsum(1 - p[order])[ends]))
    area = float((np.diff(fp) * (tp[1:] + tp[:-1])).sum()) / 2
    return _ratio(area, float(tp[-1] * fp[-1]))
