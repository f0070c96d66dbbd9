"""Quality without labels: the definition, and what it is good for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from airside.quality.measures import estimated, importance
from airside.quality.measures.auc import auc
from airside.quality.profiles import Calibration


def scores(seed: int, n: int = 4_000, *, bend: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    p = random.beta(1.2, 1.0, n)
    return random.random(n) < p, p**bend


def test_scores_that_are_probabilities_estimate_the_realised_quality() -> None:
    labels, p = scores(0, 100_000)
    found = estimated.estimated(p, Calibration())
    assert found["accuracy"] == pytest.approx((labels == (p >= 0.5)).mean(), abs=0.005)
    assert found["auc"] == pytest.approx(auc(labels, p), abs=0.005)
    assert found["positive_share"] == pytest.approx(labels.mean(), abs=0.005)


def test_bent_scores_are_calibrated_on_the_reference() -> None:
    labels, p = scores(1, 20_000, bend=3.0)
    calibration = estimated.fit(labels, p)
    assert calibration.scores
    later, q = scores(2, 50_000, bend=3.0)
    realised = (later == (q >= 0.5)).mean()
    assert estimated.estimated(q, calibration)["accuracy"] == pytest.approx(realised, abs=0.01)
    assert abs(estimated.estimated(q, Calibration())["accuracy"] - realised) > 0.05


def test_the_calibration_is_scikit_learns_isotonic_regression() -> None:
    labels, p = scores(3, 3_000, bend=2.0)
    p = np.round(p, 2)
    x, y = estimated._isotonic(labels, p)
    fitted = IsotonicRegression(out_of_bounds="clip").fit(p, labels)
    at = np.linspace(-0.1, 1.1, 500)
    assert np.interp(at, x, y) == pytest.approx(fitted.predict(at), abs=1e-12)


def test_it_is_left_out_where_it_cannot_help() -> None:
    labels, p = scores(4)
    assert estimated.fit(np.ones_like(labels), p) == Calibration()
    assert estimated.fit(p > 0.5, p) == Calibration()
    assert estimated.estimated(np.empty(0), Calibration()) == {}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([0.05, 0.2, 0.5, 0.7, 0.95]), min_size=2, max_size=40))
def test_the_expected_auc_is_the_sum_over_pairs(values: list[float]) -> None:
    p = np.array(values)
    pairs = (p[:, None] * (1 - p)[None, :]) * ((p[:, None] > p) + 0.5 * (p[:, None] == p))
    assert estimated.estimated(p, Calibration())["auc"] == pytest.approx(
        pairs.sum() / (p.sum() * (1 - p).sum()), rel=1e-9
    )


def test_the_expected_counts_are_sums_of_probabilities() -> None:
    p = np.array([0.9, 0.6, 0.3, 0.1])
    found = estimated.estimated(p, Calibration())
    assert found["precision"] == pytest.approx(1.5 / 2)
    assert found["true_positive_rate"] == pytest.approx(1.5 / 1.9)
    assert found["specificity"] == pytest.approx(1.6 / 2.1)
    assert found["f1"] == pytest.approx(1.5 / (1.5 + (0.5 + 0.4) / 2))
    assert estimated.estimated(np.zeros(3), Calibration())["precision"] == 0


def test_a_column_that_decides_is_important_and_one_that_does_not_is_not() -> None:
    random = np.random.default_rng(0)
    columns = {"signal": random.normal(size=2_000), "noise": random.normal(size=2_000)}
    labels = columns["signal"] + 0.3 * random.normal(size=2_000) > 0
    first, last = importance.permutation_importance(
        lambda table: 1 / (1 + np.exp(-table["signal"])), columns, labels, ["noise", "signal"], repeats=3
    )
    assert (first.column, last.column, last.fall) == ("signal", "noise", 0.0)
    assert first.low is not None
    assert 0.4 < first.low <= first.fall <= 0.55
    [once] = importance.permutation_importance(
        lambda table: table["signal"], columns, labels, ["noise"], repeats=1, most_rows=500
    )
    assert (once.fall, once.low) == (0.0, None)
