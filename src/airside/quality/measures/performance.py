"""How good is a classifier of two classes, with intervals; and the bare measures of other tasks.

Everywhere: `labels` (n,) booleans, `probability` (n,) of the positive class, selected = probability ≥ threshold.
"""

import math

import numpy as np

from airside.core.estimate import Estimate
from airside.quality.measures.arrays import AnyArray, Bools, Floats
from airside.quality.measures.auc import auc_estimate
from airside.quality.measures.intervals import LEVEL, Entities, mean, share
from airside.quality.records import Bin, Confusion

ROUNDING = float(np.finfo(np.float64).eps)


def confusion(labels: Bools, selected: Bools) -> Confusion:
    """Counts of right and wrong decisions.

    >>> confusion(np.array([True, False]), np.array([True, True])).false_positives
    1
    """
    return Confusion(
        true_positives=int(np.count_nonzero(labels & selected)),
        false_positives=int(np.count_nonzero(~labels & selected)),
        false_negatives=int(np.count_nonzero(labels & ~selected)),
        true_negatives=int(np.count_nonzero(~labels & ~selected)),
    )


def losses(labels: Bools, probability: Floats) -> Floats:
    """The log loss of each row; probabilities are kept away from 0 and 1 by a rounding error, as scikit-learn does.

    >>> losses(np.array([True]), np.array([0.5])).round(4).tolist()
    [0.6931]
    """
    clipped = np.clip(probability, ROUNDING, 1 - ROUNDING)
    found: Floats = -np.where(labels, np.log(clipped), np.log1p(-clipped))
    return found


def binary(
    labels: Bools, probability: Floats, *, threshold: float = 0.5, entities: Entities, level: float = LEVEL
) -> dict[str, Estimate]:
    """Every measure of a classifier of two classes, by name, each with its interval.

    `calibration` is the mean of prediction - label (calibration in the large); `balanced_accuracy` and `f1` have
    intervals by linearisation.
    """
    selected = probability >= threshold
    everyone = np.ones(len(labels), dtype=bool)
    rates = {
        "accuracy": share(selected == labels, everyone, entities, level),
        "positive_share": share(labels, everyone, entities, level),
        "selection_rate": share(selected, everyone, entities, level),
        "true_positive_rate": share(selected, labels, entities, level),
        "false_positive_rate": share(selected, ~labels, entities, level),
        "precision": share(labels, selected, entities, level),
    }
    return {
        **rates,
        "auc": auc_estimate(labels, probability, entities, level),
        "log_loss": mean(losses(labels, probability), entities, level),
        "brier": mean((probability - labels) ** 2, entities, level),
        "calibration": mean(probability - labels, entities, level),
        "f1": _f1(labels, selected, entities, level),
        "balanced_accuracy": _balanced(labels, selected, entities, level),
    }


def _f1(labels: Bools, selected: Bools, entities: Entities, level: float) -> Estimate:
    # F1 = 2 TP / (positives + selected): a ratio of sums, so its influence is (2·hit - F1·(label + selected)) / total.
    both = labels.astype(np.float64) + selected
    total = float(both.sum())
    if not total:
        return Estimate(value=0.0, level=level, n=len(labels))
    value = 2 * float(np.count_nonzero(labels & selected)) / total
    return _around(value, (2 * (labels & selected) - value * both) / total, entities, level)


def _balanced(labels: Bools, selected: Bools, entities: Entities, level: float) -> Estimate:
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return Estimate(value=math.nan, level=level, n=len(labels))
    hit, right = float((labels & selected).sum()) / positives, float((~labels & ~selected).sum()) / negatives
    added = labels * (selected - hit) / positives + ~labels * (~selected - right) / negatives
    return _around((hit + right) / 2, added / 2, entities, level)


def _around(value: float, influence: Floats, entities: Entities, level: float) -> Estimate:
    spread = mean(influence * len(influence), entities, level)
    if spread.low is None or spread.high is None:
        return Estimate(value=value, level=level, n=len(influence))
    reach = (spread.high - spread.low) / 2
    return Estimate(value=value, low=value - reach, high=value + reach, level=level, n=len(influence))


def calibration_curve(labels: Bools, probability: Floats, bins: int = 10) -> tuple[Bin, ...]:
    """Mean prediction and mean label of bins of equal counts: ⌊n/bins⌋ rows each, the last takes the rest."""
    n = len(labels)
    order = np.argsort(probability, kind="stable")
    size = n // bins
    if not size:
        return ()
    cuts = [(index * size, (index + 1) * size if index < bins - 1 else n) for index in range(bins)]
    return tuple(
        Bin(
            predicted=float(probability[order[start:end]].mean()),
            observed=float(labels[order[start:end]].mean()),
            rows=end - start,
        )
        for start, end in cuts
    )


def calibration_error(labels: Bools, probability: Floats, bins: int = 10) -> float:
    """The expected calibration error over bins of equal counts.

    >>> calibration_error(np.array([True, False] * 10), np.full(20, 0.5))
    0.0
    """
    curve = calibration_curve(labels, probability, bins)
    return sum(one.rows * abs(one.predicted - one.observed) for one in curve) / max(len(labels), 1)


def multiclass(labels: AnyArray, predicted: AnyArray, entities: Entities, level: float = LEVEL) -> dict[str, Estimate]:
    """Accuracy and macro-averaged F1 of a classifier of any number of classes."""
    right = labels == predicted
    scores = []
    for one in np.unique(np.concatenate((labels, predicted))):
        total = np.count_nonzero(labels == one) + np.count_nonzero(predicted == one)
        scores.append(2 * np.count_nonzero(right & (labels == one)) / total)
    everyone = np.ones(len(labels), dtype=bool)
    return {
        "accuracy": share(right, everyone, entities, level),
        "macro_f1": Estimate(value=float(np.mean(scores)), level=level, n=len(labels)),
    }


def regression(truth: Floats, predicted: Floats, entities: Entities, level: float = LEVEL) -> dict[str, Estimate]:
    """Errors of predicted numbers: `mae`, `mse`, `rmse`, `bias` (mean of prediction - truth) with intervals; `r2`."""
    error = predicted - truth
    squared = mean(error**2, entities, level)
    spread = float(((truth - truth.mean()) ** 2).mean())
    root = Estimate(
        value=math.sqrt(squared.value),
        low=None if squared.low is None else math.sqrt(max(squared.low, 0.0)),
        high=None if squared.high is None else math.sqrt(squared.high),
        level=level,
        n=len(truth),
    )
    return {
        "mae": mean(np.abs(error), entities, level),
        "mse": squared,
        "rmse": root,
        "bias": mean(error, entities, level),
        "r2": Estimate(value=1 - squared.value / spread if spread else math.nan, level=level, n=len(truth)),
    }
