"""The figures that were measured on the demo's data, line by line: drift, flagged batches, candidates, gates."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer
from sklearn.tree import DecisionTreeClassifier

import airside
from airside.core.column import Column
from airside.quality import rules
from airside.quality.evaluate import Setting, evaluate
from airside.quality.measures import balance, drift, estimated, numbers, paired, performance, profile, window
from airside.quality.measures.adjust import inflation
from airside.quality.measures.arrays import AnyArray, columns_of
from airside.quality.measures.intervals import Entities
from airside.quality.records import Check, EvaluationReport

pytestmark = pytest.mark.timeout(600)

FILE = Path(airside.__file__).parent / "client" / "cli" / "demo" / "data" / "acs_ma_employment.parquet"
FEATURES = [
    "AGEP",
    "SCHL",
    "MAR",
    "RELP",
    "DIS",
    "ESP",
    "CIT",
    "MIG",
    "MIL",
    "ANC",
    "NATIVITY",
    "DEAR",
    "DEYE",
    "DREM",
    "SEX",
    "RAC1P",
]
COLUMNS = [Column(name=name, type="integer", categorical=name != "AGEP") for name in FEATURES]
CODES = list(range(1, 16))
YEARS = (2015, 2016, 2017, 2018)
Table = dict[str, AnyArray]


@cache
def adults() -> Table:
    columns = columns_of(pq.read_table(FILE))
    return {name: values[columns["AGEP"] >= 16] for name, values in columns.items()}


def where(rows: AnyArray) -> Table:
    return {name: values[rows] for name, values in adults().items()}


@cache
def year(number: int) -> Table:
    """A later year whole; of 2015 the test households."""
    everyone = adults()
    return where((everyone["year"] == number) & ((number != 2015) | (everyone["household"] % 5 == 0)))


@cache
def training() -> Table:
    return where((adults()["year"] == 2015) & (adults()["household"] % 5 != 0))


@cache
def inflations() -> dict[str, float]:
    reference = where(adults()["year"] == 2015)
    deciles = numbers.decile_edges(np.sort(reference["AGEP"].astype(float)))
    cells = {**reference, "AGEP": np.searchsorted(deciles, reference["AGEP"], "left")}
    return {name: inflation(cells[name], reference["household"]) for name in [*FEATURES, "employed"]}


def test_rows_are_those_of_the_table() -> None:
    assert [int((adults()["year"] == one).sum()) for one in YEARS] == [49_073, 49_349, 49_688, 50_268]
    assert (len(training()["AGEP"]), len(year(2015)["AGEP"])) == (39_268, 9_805)


def test_the_inflation_by_households_is_the_measured_one() -> None:
    measured = {
        "ANC": 1.62,
        "SCHL": 1.15,
        "AGEP": 1.26,
        "MIL": 1.04,
        "MIG": 1.55,
        "CIT": 1.64,
        "RELP": 1.24,
        "DEYE": 1.09,
    }
    assert {name: inflations()[name] for name in measured} == pytest.approx(measured, abs=0.08)
    assert inflations()["employed"] == pytest.approx(1.14, abs=0.08)


@pytest.mark.parametrize(
    ("column", "effects", "exponents"),
    [
        ("ANC", (0.035, 0.042, 0.048), (-17, -28, -50)),
        ("SCHL", (0.013, 0.024, 0.031), (-1, -7, -15)),
        ("AGEP", (0.010, 0.010, 0.020), (-2, -2, -7)),
        ("MIL", (0.003, 0.006, 0.008), (-1, -2, -4)),
        ("MIG", (0.003, 0.010, 0.000), (-1, -3, 0)),
        ("CIT", (0.004, 0.004, 0.008), (-1, -1, -2)),
        ("RELP", (0.007, 0.009, 0.009), (-2, -3, -2)),
        ("DEYE", (0.003, 0.001, 0.001), (-3, -1, -1)),
        ("employed", (0.005, 0.006, 0.007), (-1, -2, -2)),
    ],
)
def test_drift_of_a_column_is_that_of_the_table(
    column: str, effects: tuple[float, ...], exponents: tuple[int, ...]
) -> None:
    reference = where(adults()["year"] == 2015)
    asked = [Column(name=column, type="integer", categorical=column != "AGEP")]
    for number, effect, exponent in zip(YEARS[1:], effects, exponents, strict=True):
        [found] = drift.compare(reference, year(number), asked, inflation=inflations())
        assert found.effect == pytest.approx(effect, abs=0.0006)
        assert found.p is not None
        assert np.log10(found.p) == pytest.approx(exponent, abs=1.0 + 0.02 * abs(exponent))
        assert found.psi < 0.0155


def test_other_columns_do_not_drift_and_textbook_limits_see_nothing() -> None:
    reference = where(adults()["year"] == 2015)
    for number in YEARS[1:]:
        found = {one.column: one for one in drift.compare(reference, year(number), COLUMNS, inflation=inflations())}
        for name in ("MAR", "ESP", "DIS", "DEAR", "DREM", "SEX", "RAC1P", "NATIVITY"):
            assert (found[name].p or 0) > 0.05
        assert max(one.psi for one in found.values()) < 0.1
        assert max(one.js for one in found.values()) < 0.1
    assert found["ANC"].psi == pytest.approx(0.015, abs=0.0006)
    assert found["ANC"].js == pytest.approx(0.052, abs=0.0006)


def test_the_new_top_code_of_age_is_reported_as_out_of_range() -> None:
    reference = where(adults()["year"] == 2015)
    told = []
    for number in YEARS[1:]:
        [found] = drift.compare(reference, year(number), COLUMNS[:1])
        told.append(found.findings)
    assert told == [
        (),
        ("95 above the reference's maximum 94, in 433 rows",),
        ("95 above the reference's maximum 94, in 441 rows",),
    ]


def flagged(reference: Table, number: int) -> dict[int, tuple[str, ...]]:
    """The batches of a year in which a column drifted, counted as a serving process counts them."""
    profiled = profile.reference_of(reference, COLUMNS)
    rows = year(number)
    found = {}
    for batch in range(1, 13):
        part = {name: values[rows["batch"] == batch] for name, values in rows.items()}
        names = window.drifted(window.compare(profiled, profile.count(profiled, part)))
        if names:
            found[batch] = names
    return found


def test_the_flagged_batches_are_those_of_the_table() -> None:
    assert flagged(training(), 2015) == {}
    assert flagged(training(), 2016) == dict.fromkeys((2, 4, 5, 6, 7, 8, 9, 11), ("ANC",))
    assert list(flagged(training(), 2017)) == list(range(1, 13))
    in_2018 = flagged(training(), 2018)
    assert list(in_2018) == list(range(1, 13))
    assert [batch for batch, names in in_2018.items() if "SCHL" in names] == [5]


def test_after_a_retraining_2017_is_quiet_and_2018_is_not() -> None:
    newer = where((adults()["year"] == 2015) | (adults()["year"] == 2016))
    assert list(flagged(newer, 2017)) == [2, 7, 12]
    assert list(flagged(newer, 2018)) == [batch for batch in range(1, 13) if batch != 4]


RELATIONS = {0: 20, 1: 21, 2: 25, 3: 26, 4: 27, 5: 28, 6: 29, 7: 30, 8: 31, 9: 32, 10: 33, 12: 34, 13: 22, 14: 35}
RELATIONS |= {11: 36, 15: 36, 16: 37, 17: 38}


def test_injected_faults_are_named() -> None:
    profiled = profile.reference_of(training(), COLUMNS)
    rows = year(2018)
    months = {**rows, "AGEP": rows["AGEP"].astype(np.int64) * 12}
    relations = {**rows, "RELP": np.array([RELATIONS[one] for one in rows["RELP"].tolist()])}
    sexes = {**rows, "SEX": rows["SEX"] - 1}

    def told(table: Table, column: str) -> tuple[str, ...]:
        found = window.compare(profiled, profile.count(profiled, table))
        return next(one.findings for one in found if one.column == column)

    assert told(months, "AGEP")[1] == "another unit: times 12"
    assert told(months, "AGEP")[0].startswith("1140 above the reference's maximum 94")
    assert told(relations, "RELP")[0].endswith("in 50268 rows (100.0%)")
    assert told(relations, "RELP")[0].startswith("unseen levels 20, 21, 22, 25")
    assert told(sexes, "SEX") == ("unseen levels 0 in 24055 rows (47.9%)", "levels 2 are gone")


def matrix(table: Table) -> AnyArray:
    return np.stack([table[name] for name in FEATURES], axis=1)


def fitted(kind: str, labels: AnyArray) -> Any:
    made = {
        "tree": DecisionTreeClassifier(max_depth=3, random_state=0),
        "logistic": make_pipeline(
            make_column_transformer((OneHotEncoder(handle_unknown="ignore"), CODES), (SplineTransformer(), [0])),
            LogisticRegression(max_iter=1000),
        ),
        "forest": RandomForestClassifier(60, min_samples_leaf=20, random_state=0, n_jobs=1),
        "boosting": HistGradientBoostingClassifier(max_iter=150, categorical_features=CODES, random_state=0),
    }
    return made[kind].fit(matrix(training()), labels)


@cache
def candidate(kind: str) -> Any:
    """A candidate; `corrupted` is boosting with a fifth of the employed women set to 0."""
    labels = training()["employed"]
    return fitted("boosting", corrupted()) if kind == "corrupted" else fitted(kind, labels)


@cache
def corrupted() -> AnyArray:
    rows = training()
    women = np.flatnonzero((rows["SEX"] == 2) & (rows["employed"] == 1))
    labels = rows["employed"].copy()
    labels[np.random.default_rng(0).permutation(women)[: len(women) // 5]] = 0
    return labels


@cache
def scores(kind: str, number: int) -> AnyArray:
    found: AnyArray = candidate(kind).predict_proba(matrix(year(number)))[:, 1]
    return found


@cache
def report(kind: str, number: int, champion: str = "logistic") -> EvaluationReport:
    rows = year(number)
    return evaluate(
        rows["employed"],
        scores(kind, number),
        rows,
        rows["household"],
        baseline=scores("tree", number),
        champion=scores(champion, number),
        setting=Setting(
            segments=("SEX", "DIS", "RAC1P", "AGEP"),
            sensitive=("SEX", "RAC1P", "DIS"),
            cuts={"AGEP": (25, 35, 45, 55, 65, 75)},
        ),
    )


TABLE = {
    "tree": (
        (0.773, 0.781, 0.789, 0.791),
        (0.760, 0.768, 0.777, 0.778),
        (0.523, 0.516, 0.507, 0.505),
        (-3, -7, -9, -11),
    ),
    "logistic": (
        (0.846, 0.848, 0.854, 0.854),
        (0.784, 0.788, 0.794, 0.794),
        (0.468, 0.467, 0.458, 0.458),
        (-1, -6, -8, -9),
    ),
    "forest": (
        (0.854, 0.854, 0.858, 0.860),
        (0.786, 0.788, 0.795, 0.794),
        (0.458, 0.460, 0.454, 0.452),
        (0, -6, -8, -8),
    ),
    "boosting": (
        (0.855, 0.855, 0.860, 0.861),
        (0.789, 0.791, 0.798, 0.796),
        (0.454, 0.457, 0.449, 0.448),
        (0, -7, -9, -9),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", TABLE)
def test_a_candidate_reaches_what_the_table_says(kind: str) -> None:
    for column, number in enumerate(YEARS):
        rows = year(number)
        found = performance.binary(
            rows["employed"].astype(bool), scores(kind, number), entities=Entities(rows["household"], len(rows["SEX"]))
        )
        auc, accuracy, loss, calibration = (one[column] for one in TABLE[kind])
        assert found["auc"].value == pytest.approx(auc, abs=0.002)
        assert found["accuracy"].value == pytest.approx(accuracy, abs=0.003)
        assert found["log_loss"].value == pytest.approx(loss, abs=0.002)
        assert found["calibration"].value == pytest.approx(calibration / 1000, abs=0.0015)
        reach = (found["accuracy"].high or 0) - found["accuracy"].value
        assert reach / 1.96 == pytest.approx(0.004 if number == 2015 else 0.002, abs=0.0005)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ours", "theirs", "number", "accuracy", "loss", "disagreement"),
    [
        ("boosting", "tree", 2015, (2.9, 0.3), (-0.069, 0.003), 9.8),
        ("boosting", "logistic", 2015, (0.6, 0.2), (-0.014, 0.002), 6.3),
        ("boosting", "forest", 2015, (0.3, 0.2), (-0.005, 0.002), 3.5),
        ("boosting", "logistic", 2016, (0.3, 0.1), (-0.010, 0.001), 6.0),
    ],
)
def test_a_paired_comparison_is_that_of_the_table(  # one line of the table
    ours: str, theirs: str, number: int, accuracy: tuple[float, float], loss: tuple[float, float], disagreement: float
) -> None:
    rows = year(number)
    found = paired.differences(
        rows["employed"].astype(bool),
        scores(ours, number),
        scores(theirs, number),
        entities=Entities(rows["household"], len(rows["SEX"])),
    )
    right, lost = found["accuracy"], found["log_loss"]
    assert 100 * right.value == pytest.approx(accuracy[0], abs=0.35)
    assert 100 * ((right.high or 0) - right.value) / 1.96 == pytest.approx(accuracy[1], abs=0.07)
    assert lost.value == pytest.approx(loss[0], abs=0.002)
    assert ((lost.high or 0) - lost.value) / 1.96 == pytest.approx(loss[1], abs=0.0006)
    assert 100 * found["disagreement"].value == pytest.approx(disagreement, abs=0.6)


@pytest.mark.slow
def test_the_estimate_without_labels_is_that_of_the_table() -> None:
    calibration = estimated.fit(year(2015)["employed"].astype(bool), scores("boosting", 2015))
    found = [estimated.estimated(scores("boosting", number), calibration) for number in YEARS[1:]]
    assert [one["accuracy"] for one in found] == pytest.approx([0.787, 0.787, 0.786], abs=0.004)
    assert [one["auc"] for one in found] == pytest.approx([0.857, 0.856, 0.856], abs=0.002)


GATES = (
    Check(name="baseline", kind="better_than", measure="accuracy", against="baseline", limit=0.01),
    Check(name="champion", kind="no_provable_loss", measure="log_loss", against="champion"),
    Check(name="calibration", kind="within", measure="calibration", limit=0.015),
    Check(name="fairness", kind="gap_at_most", measure="true_positive_rate", column="SEX", limit=0.05),
    Check(name="everybody", kind="somebody_selected"),
)


def verdicts(kind: str, champion: str = "logistic") -> dict[str, str]:
    results = rules.judge(GATES, report(kind, 2015, champion).measured, champion=1, compared_with=1)
    return {one.name: one.outcome for one in results if one.is_blocking}


@pytest.mark.slow
def test_boosting_passes_every_gate() -> None:
    assert verdicts("boosting") == dict.fromkeys(
        ("baseline", "champion", "calibration", "fairness", "everybody"), "pass"
    )


@pytest.mark.slow
def test_the_tree_is_stopped_because_it_selects_nobody_with_a_disability() -> None:
    found = verdicts("tree")
    assert (found["champion"], found["calibration"], found["fairness"], found["everybody"]) == (
        "fail",
        "pass",
        "pass",
        "fail",
    )
    results = rules.judge(GATES, report("tree", 2015).measured, champion=1, compared_with=1)
    [nobody] = [one for one in results if one.name == "everybody"]
    assert nobody.estimate is not None
    assert (nobody.segment, nobody.estimate.value, nobody.estimate.n) == ("DIS=1", 0.0, 1_471)


@pytest.mark.slow
def test_the_model_of_corrupted_labels_is_stopped_although_accuracy_looks_right() -> None:
    assert verdicts("corrupted", "boosting") == {
        "baseline": "pass",
        "champion": "fail",
        "calibration": "fail",
        "fairness": "fail",
        "everybody": "pass",
    }
    found = report("corrupted", 2015, "boosting")
    assert found.figure("calibration").value == pytest.approx(-0.062, abs=0.006)
    assert found.figure("true_positive_rate_gap", "SEX").value == pytest.approx(0.118, abs=0.03)


@pytest.mark.slow
def test_calibration_by_segment_shows_what_the_years_did() -> None:
    found = report("boosting", 2018)
    black = found.figure("calibration", "RAC1P=2")
    assert black.value == pytest.approx(-0.027, abs=0.005)
    assert ((black.high or 0) - black.value) / 1.96 == pytest.approx(0.007, abs=0.001)
    assert found.figure("calibration", "AGEP=25-35").value == pytest.approx(-0.020, abs=0.003)
    small = [one.segment for one in found.measured if one.measure == "selection_rate" and not one.is_known]
    assert {"RAC1P=4", "RAC1P=5", "RAC1P=7"} <= set(small)


def test_the_balance_of_the_labels_shows_the_corruption_before_any_model() -> None:
    rows = training()
    right = rows["employed"].astype(bool)
    check = [Check(kind="label_balance", limit=0.03)]
    wrong = balance.label_balance(right, rows, corrupted().astype(bool), rows, ["SEX"])
    by_group = {one.segment: one for one in rules.judge(check, wrong)}
    assert (by_group["SEX=2"].outcome, by_group["SEX=1"].outcome) == ("fail", "pass")
    assert by_group["SEX=2"].note.startswith("56.5% before, 45.2% now") or by_group["SEX=2"].note.startswith("56.")
    later = year(2016)
    quiet = balance.label_balance(right, rows, later["employed"].astype(bool), later, ["SEX"])
    assert {one.outcome for one in rules.judge(check, quiet)} == {"pass"}
