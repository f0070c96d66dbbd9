"""From scores to labels and probabilities, as scikit-learn does it."""

import math
from typing import Any

import numpy as np

from airside.core.errors import Invalid
from airside.inference.compiled.blocks import Floats
from airside.inference.compiled.spec import HeadSpec
from airside.inference.records import Prediction


def expit(score: float) -> float:
    """The logistic function, with the same bits as SciPy's: both use the C library's `exp`; numpy has its own.

    >>> expit(0.0), expit(-1e4), expit(1e4)
    (0.5, 0.0, 1.0)
    """
    try:
        return 1.0 / (1.0 + math.exp(-score))
    except OverflowError:
        return 0.0


class Head:
    """Makes a prediction of scores."""

    def __init__(self, spec: HeadSpec) -> None:
        self._link = spec.link
        self._classes = spec.classes
        self._finite = spec.finite
        self._zero_is_positive = spec.zero_is_positive
        self.takes_one = spec.link in {"none", "logistic"} or (spec.link == "fractions" and len(spec.classes) > 1)
        """Whether `one` makes the prediction of a single row."""

    def one(self, score: float, *others: float) -> Prediction:
        """Of the scores of one row."""
        if others:
            fractions = [score, *others]
            return Prediction(
                labels=[self._classes[fractions.index(max(fractions))]],
                probabilities=[fractions],
                scores=[fractions],
                classes=self._classes,
            )
        if self._finite and not math.isfinite(score):
            raise _not_finite(0)
        if self._link == "none":
            return Prediction(labels=[score], scores=[score])
        probability = expit(score)
        is_second = score > 0 or (self._zero_is_positive and score == 0)
        return Prediction(
            labels=[self._classes[is_second]],
            probabilities=[[1 - probability, probability]],
            scores=[score],
            classes=self._classes,
        )

    def many(self, scores: Floats) -> Prediction:
        """Of scores (n, n_scores)."""
        if self._finite and not np.isfinite(scores).all():
            raise _not_finite(int((~np.isfinite(scores).all(axis=1)).argmax()))
        if self._link == "none":
            values = scores[:, 0].tolist()
            return Prediction(labels=values, scores=values)
        if self._link == "logistic":
            return self._two(scores[:, 0])
        probabilities = {"fractions": _fractions, "softmax": _softmax, "ovr": _ovr}[self._link](scores)
        best = (probabilities if self._link == "fractions" else scores).argmax(axis=1).tolist()
        return Prediction(
            labels=[self._classes[i] for i in best],
            probabilities=probabilities.tolist(),
            scores=scores.tolist(),
            classes=self._classes,
        )

    def _two(self, scores: Floats) -> Prediction:
        second = (scores >= 0) if self._zero_is_positive else (scores > 0)
        values: list[float] = scores.tolist()
        return Prediction(
            labels=[self._classes[i] for i in second.tolist()],
            probabilities=[[1 - p, p] for p in map(expit, values)],
            scores=values,
            classes=self._classes,
        )


def _fractions(scores: Floats) -> Floats:
    return scores


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1)[:, None])
    shares: Floats = powers / powers.sum(axis=1)[:, None]
    return shares


def _ovr(scores: Floats) -> Floats:
    each = np.array([[expit(score) for score in row] for row in scores.tolist()])
    total = each.sum(axis=1)
    each[total == 0] = 1
    total[total == 0] = each.shape[1]
    shares: Floats = each / total[:, None]
    return shares


def _not_finite(row: int) -> Invalid:
    return Invalid(
        f"Row {row}: a value is missing or not finite, and the model was not made for that.", code="BAD_REQUEST"
    )


def as_label(value: Any) -> Any:
    """A class of a fitted estimator as plain Python.

    >>> as_label(np.int64(3)), as_label(np.str_("yes"))
    (3, 'yes')
    """
    return value.item() if isinstance(value, np.generic) else value
