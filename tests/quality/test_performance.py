"""Measures of quality against scikit-learn, intervals against SciPy and against resampling."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from airside.core.estimate import Estimate
from airside.quality.measures import auc, intervals, paired, performance
from airside.quality.measures.intervals import Entities

N = 600


def model(seed: int, n: int = N, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    signal = random.normal(size=n)
    labels = random.random(n) < 1 / (1 + np.exp(-2 * signal))
    scores = 1 / (1 + np.exp(-(2 * signal + noise * random.normal(size=n))))
    return labels, np.round(scores, 2) if seed % 2 else scores


@pytest.mark.parametrize("seed", range(4))
def test_every_measure_is_scikit_learns(seed: int) -> None:
    y, p = model(seed)
    chosen = p >= 0.5
    found = {name: one.value for name, one in performance.binary(y, p, entities=Entities(None, N)).items()}
    expected = {
        "accuracy": metrics.accuracy_score(y, chosen),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, chosen),
        "precision": metrics.precision_score(y, chosen),
        "true_positive_rate": metrics.recall_score(y, chosen),
        "f1": metrics.f1_score(y, chosen),
        "auc": metrics.roc_auc_score(y, p),
        "log_loss": metrics.log_loss(y, p),
        "brier": metrics.brier_score_loss(y, p),
        "calibration": p.mean() - y.mean(),
        "selection_rate": chosen.mean(),
        "positive_share": y.mean(),
        "false_positive_rate": chosen[~y].mean(),
    }
    assert found == pytest.approx(expected, abs=1e-12)
    counts = performance.confusion(y, chosen)
    table = [[counts.true_negatives, counts.false_positives], [counts.false_negatives, counts.true_positives]]
    assert table == metrics.confusion_matrix(y, chosen).tolist()


def test_certain_and_wrong_probabilities_have_a_finite_loss() -> None:
    y, p = np.array([True, False, True]), np.array([0.0, 1.0, 1.0])
    assert performance.losses(y, p).mean() == pytest.approx(metrics.log_loss(y, p), rel=1e-9)


def test_wilson_is_scipys() -> None:
    for k, n in ((0, 10), (3, 10), (10, 10), (500, 1471)):
        expected = stats.binomtest(k, n).proportion_ci(method="wilson")
        assert intervals.wilson(k, n) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert intervals.wilson(0, 0) == (0.0, 1.0)


def test_delong_in_midranks_is_delong_pair_by_pair() -> None:
    y, p = model(1, 120)
    versus = (p[y][:, None] > p[~y]) + 0.5 * (p[y][:, None] == p[~y])
    v10, v01 = versus.mean(axis=1), versus.mean(axis=0)
    parts = auc.components(y, p)
    assert parts[y] == pytest.approx(v10, abs=1e-12)
    assert parts[~y] == pytest.approx(v01, abs=1e-12)
    expected = np.var(v10, ddof=1) / y.sum() + np.var(v01, ddof=1) / (~y).sum()
    assert auc.variance(y, parts, Entities(None, 120)) == pytest.approx(expected, rel=1e-12)


def test_the_auc_of_one_class_is_unknown() -> None:
    found = auc.auc_estimate(np.ones(5, dtype=bool), np.linspace(0, 1, 5), Entities(None, 5))
    assert math.isnan(found.value)
    assert auc.auc_estimate(np.array([True, False]), np.array([1.0, 0.0]), Entities(None, 2)).low is None


def covers(low: float | None, high: float | None, truth: float) -> bool:
    return low is not None and high is not None and low <= truth <= high


def test_intervals_cover_the_truth_as_often_as_they_say_for_rows_in_households() -> None:
    """Each household counts three times: intervals over rows are too narrow, over households they are right."""
    covered = dict.fromkeys(("accuracy", "auc", "log_loss", "calibration", "f1", "true_positive_rate"), 0)
    naive = 0
    whole_y, whole_p = model(2, 200_000)
    truth = {
        name: one.value for name, one in performance.binary(whole_y, whole_p, entities=Entities(None, 200_000)).items()
    }
    for seed in range(200):
        y, p = model(2 * seed + 4, 150)
        house = np.repeat(np.arange(150), 3)
        found = performance.binary(np.repeat(y, 3), np.repeat(p, 3), entities=Entities(house, 450))
        for name in covered:
            covered[name] += covers(found[name].low, found[name].high, truth[name])
        rows = performance.binary(np.repeat(y, 3), np.repeat(p, 3), entities=Entities(None, 450))["accuracy"]
        naive += covers(rows.low, rows.high, truth["accuracy"])
    assert all(180 <= times <= 199 for times in covered.values()), covered
    assert naive < 165


def test_an_interval_over_entities_is_that_of_resampled_entities() -> None:
    y, p = model(3, 900)
    house = np.sort(np.random.default_rng(3).integers(0, 400, 900))
    fast = performance.binary(y, p, entities=Entities(house, 900))
    slow = intervals.bootstrap(lambda a, b: float((a == (b >= 0.5)).mean()), (y, p), entity=house, resamples=500)
    assert fast["accuracy"].low == pytest.approx(slow.low, abs=0.008)
    assert fast["accuracy"].high == pytest.approx(slow.high, abs=0.008)
    slow = intervals.bootstrap(auc.auc, (y, p), entity=house, resamples=300)
    assert (fast["auc"].low, fast["auc"].high) == pytest.approx((slow.low, slow.high), abs=0.01)


def test_the_bootstrap_of_rows_is_scipys() -> None:
    values = np.random.default_rng(0).exponential(size=80)
    found = intervals.bootstrap(lambda one: float(one.mean()), (values,), resamples=300)
    expected = stats.bootstrap(
        (values,), np.mean, vectorized=False, n_resamples=300, rng=np.random.default_rng(intervals.SEED)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_newcombes_interval_is_that_of_his_paper() -> None:
    """Newcombe 1998, table II, method 10, example (a): 56/70 and 48/80."""
    first, second = (
        intervals.share(np.arange(n) < k, np.ones(n, dtype=bool), Entities(None, n)) for k, n in ((48, 80), (56, 70))
    )
    found = intervals.newcombe(first, second)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def width(estimate: Estimate) -> float:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.high - estimate.low


def test_a_paired_difference_is_narrower_than_two_intervals() -> None:
    y, p = model(2)
    other = np.clip(p + np.random.default_rng(1).normal(0, 0.05, N), 0.01, 0.99)
    p = np.clip(p, 0.01, 0.99)
    found = paired.differences(y, p, other, entities=Entities(None, N))
    alone = performance.binary(y, p, entities=Entities(None, N))
    for name in ("accuracy", "auc", "log_loss", "brier"):
        assert width(found[name]) < 0.6 * width(alone[name])
    assert found["auc"].value == pytest.approx(metrics.roc_auc_score(y, p) - metrics.roc_auc_score(y, other), abs=1e-12)
    assert found["log_loss"].value == pytest.approx(metrics.log_loss(y, p) - metrics.log_loss(y, other), abs=1e-12)


def test_a_model_against_itself_differs_by_nothing() -> None:
    y, p = model(2)
    found = paired.differences(y, p, p, entities=Entities(None, N))
    assert all((one.value, one.low, one.high) == pytest.approx((0, 0, 0), abs=1e-9) for one in list(found.values())[:5])


def test_calibration_curve_and_error_use_bins_of_equal_counts() -> None:
    y, p = model(2, 205)
    curve = performance.calibration_curve(y, p)
    assert [one.rows for one in curve] == [20] * 9 + [25]
    expected = sum(one.rows / 205 * abs(one.predicted - one.observed) for one in curve)
    assert performance.calibration_error(y, p) == pytest.approx(expected, abs=1e-12)
    assert performance.calibration_curve(y[:5], p[:5]) == ()


def test_other_tasks_have_scikit_learns_measures() -> None:
    random = np.random.default_rng(0)
    truth, guess = random.integers(0, 4, 300), random.integers(0, 4, 300)
    found = performance.multiclass(truth, guess, Entities(None, 300))
    assert found["accuracy"].value == pytest.approx(metrics.accuracy_score(truth, guess), abs=1e-12)
    assert found["macro_f1"].value == pytest.approx(metrics.f1_score(truth, guess, average="macro"), abs=1e-12)
    y, p = random.normal(size=300), random.normal(size=300)
    errors = {name: one.value for name, one in performance.regression(y, p, Entities(None, 300)).items()}
    assert errors == pytest.approx(
        {
            "mae": metrics.mean_absolute_error(y, p),
            "mse": metrics.mean_squared_error(y, p),
            "rmse": metrics.root_mean_squared_error(y, p),
            "bias": (p - y).mean(),
            "r2": metrics.r2_score(y, p),
        },
        abs=1e-12,
    )


def test_no_row_is_no_figure() -> None:
    nothing = np.zeros(0, dtype=bool)
    assert math.isnan(intervals.share(nothing, nothing, Entities(None, 0)).value)
    assert math.isnan(intervals.mean(np.empty(0), Entities(None, 0)).value)
    assert intervals.mean(np.ones(3), Entities(np.zeros(3), 3)).low is None
