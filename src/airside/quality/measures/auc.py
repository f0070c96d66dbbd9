"""The area under the ROC curve, its components after DeLong, its variance over rows or entities."""

import math

import numpy as np
from scipy import stats

from airside.core.estimate import Estimate
from airside.quality.measures.arrays import Bools, Floats
from airside.quality.measures.intervals import LEVEL, Entities
from airside.quality.measures.numbers import normal_quantile


def auc(labels: Bools, scores: Floats) -> float:
    """The chance that a positive row scores above a negative one, ties half; NaN when a class is empty.

    >>> auc(np.array([True, False, True, False]), np.array([0.9, 0.1, 0.4, 0.4]))
    0.875
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return math.nan
    ranks = stats.rankdata(scores)
    return float((ranks[labels].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def components(labels: Bools, scores: Floats) -> Floats:
    """DeLong's components in the midrank form of Sun and Xu (2014): V₁₀ of the positives, V₀₁ of the negatives.

    >>> components(np.array([True, False, True, False]), np.array([0.9, 0.1, 0.4, 0.4])).tolist()
    [1.0, 1.0, 0.75, 0.75]
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    ranks = stats.rankdata(scores)
    parts = np.empty(len(labels))
    parts[labels] = (ranks[labels] - stats.rankdata(scores[labels])) / negatives
    parts[~labels] = 1 - (ranks[~labels] - stats.rankdata(scores[~labels])) / positives
    return parts


def influence(labels: Bools, parts: Floats) -> Floats:
    """What each row adds to the error of the AUC; the sum of squares over entities is its variance."""
    positives = int(labels.sum())
    negatives = len(labels) - positives
    added = np.empty(len(labels))
    added[labels] = (parts[labels] - parts[labels].mean()) / positives
    added[~labels] = (parts[~labels] - parts[~labels].mean()) / negatives
    return added


def variance(labels: Bools, parts: Floats, entities: Entities) -> float:
    """DeLong's variance (ddof 1 in each class); over entities after Obuchowski when rows come in entities."""
    if not entities.is_rows:
        return entities.variance(influence(labels, parts))
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if min(positives, negatives) < 2:
        return math.nan
    return float(np.var(parts[labels], ddof=1) / positives + np.var(parts[~labels], ddof=1) / negatives)


def auc_estimate(labels: Bools, scores: Floats, entities: Entities, level: float = LEVEL) -> Estimate:
    """The AUC with DeLong's interval on the logit scale.

    >>> y = np.array([True, False] * 50)
    >>> found = auc_estimate(y, np.linspace(0, 1, 100) + 0.2 * y, Entities(None, 100))
    >>> round(found.value, 3), found.low < found.value < found.high
    (0.672, True)
    """
    value = auc(labels, scores)
    n = len(labels)
    if not math.isfinite(value):
        return Estimate(value=math.nan, level=level, n=n)
    spread = variance(labels, components(labels, scores), entities)
    if not math.isfinite(spread) or not 0 < value < 1:
        return Estimate(value=value, level=level, n=n)
    middle = math.log(value / (1 - value))
    reach = normal_quantile(level) * math.sqrt(spread) / (value * (1 - value))
    return Estimate(value=value, low=_expit(middle - reach), high=_expit(middle + reach), level=level, n=n)


def auc_difference(labels: Bools, first: Floats, second: Floats, entities: Entities, level: float = LEVEL) -> Estimate:
    """The paired difference of two AUCs, second - first, with DeLong's covariance in its interval."""
    n = len(labels)
    value = auc(labels, second) - auc(labels, first)
    if not math.isfinite(value):
        return Estimate(value=math.nan, level=level, n=n)
    parts = components(labels, second) - components(labels, first)
    spread = variance(labels, parts, entities)
    if not math.isfinite(spread):
        return Estimate(value=value, level=level, n=n)
    reach = normal_quantile(level) * math.sqrt(spread)
    return Estimate(value=value, low=value - reach, high=value + reach, level=level, n=n)


def _expit(value: float) -> float:
    return 1 / (1 + math.exp(-value))
