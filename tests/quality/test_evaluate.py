"""One call that measures a model, and a report that travels as JSON."""

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from airside.quality.evaluate import Setting, evaluate
from airside.quality.records import EvaluationReport


def rows(n: int = 600) -> tuple[np.ndarray, np.ndarray, pa.Table, np.ndarray]:
    random = np.random.default_rng(0)
    p = random.random(n)
    y = (random.random(n) < p).astype(int)
    table = pa.table(
        {"SEX": random.integers(1, 3, n), "AGE": random.integers(16, 95, n), "RARE": np.arange(n) // (n - 3)}
    )
    return y, p, table, random.integers(0, 300, n)


SETTING = Setting(segments=("SEX", "AGE", "RARE"), sensitive=("SEX",), cuts={"AGE": (25.0, 65.0)})


def test_a_report_holds_all_that_a_gate_asks_and_is_the_same_as_json() -> None:
    y, p, table, house = rows()
    report = evaluate(y, p, table, house, baseline=np.full(600, 0.5), champion=np.sqrt(p), setting=SETTING)
    assert msgspec.json.decode(msgspec.json.encode(report), type=EvaluationReport) == report
    assert report.entities == len(np.unique(house))
    assert report.figure("accuracy").value == ((p >= 0.5) == y).mean()
    assert report.figure("log_loss", against="champion").value < 0 < report.figure("accuracy", against="baseline").value
    assert report.figure("calibration", "SEX=2").n == (table["SEX"].to_numpy() == 2).sum()
    assert report.figure("true_positive_rate_gap", "SEX").high is not None
    assert sum(one.rows for one in report.calibration) == 600
    with pytest.raises(KeyError):
        report.figure("beauty")


def test_no_figure_is_told_twice() -> None:
    y, p, table, house = rows()
    report = evaluate(y, p, table, house, setting=SETTING)
    keys = [(one.measure, one.segment, one.against) for one in report.measured]
    assert len(keys) == len(set(keys))


def test_what_cannot_be_computed_is_told_as_unknown_and_not_as_nan() -> None:
    y, p, table, house = rows()
    report = evaluate(y, p, table, house, setting=SETTING)
    rare = {one.measure: one for one in report.measured if one.segment == "RARE=1"}
    assert not any(one.is_known for one in rare.values())
    assert rare["accuracy"].note == "too few rows: 3, 50 are needed"
    assert b"null" not in msgspec.json.encode([one.estimate.value for one in report.measured])


@pytest.mark.parametrize(
    ("y", "p", "told"),
    [
        ([0, 2], [0.1, 0.2], "must be 0 and 1"),
        ([0, 1], [0.1, 1.2], "within 0 and 1"),
        ([0, 1], [0.1, float("nan")], "within 0 and 1"),
        ([0, 1], [[0.1, 0.9], [0.2, 0.8]], "one probability for each row"),
        ([0, 1, 1], [0.1, 0.2], "There are 3 labels"),
    ],
)
def test_rows_that_do_not_fit_are_told(y: list[int], p: list[float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        evaluate(y, p)


def test_another_model_must_have_judged_the_same_rows() -> None:
    with pytest.raises(ValueError, match="'champion': 1"):
        evaluate([0, 1], [0.1, 0.9], champion=[0.5])


def test_frames_lists_and_tables_give_the_same_report() -> None:
    y, p, table, house = rows()
    reports = [evaluate(y, p, one, house, setting=SETTING) for one in (table, table.to_pandas(), table.to_pydict())]
    assert reports[0] == reports[1] == reports[2]
