"""The analysis, on the demo's real data: which windows are flagged, and what is said of faults."""

import numpy as np
import pytest
from tests.monitoring.making import FEATURES, RELP_OF_2019, batch, people, rows_of, training_reference, window

from airside.core.column import Column
from airside.monitoring.analyse import Served, analyse, served_of
from airside.monitoring.records import AlertRule, WindowResult
from airside.monitoring.rules import decide
from airside.quality.measures.profile import reference_of

RULE = AlertRule()


def inputs_of(year: int, number: int, last_year: int = 2015) -> WindowResult:
    mask = batch(year, number)
    return analyse(training_reference(last_year), Served(rows_of(mask), people()["employed"][mask]), RULE)


def flagged_in(year: int, last_year: int = 2015) -> dict[int, set[str]]:
    found = {number: inputs_of(year, number, last_year) for number in range(1, 13)}
    flags = {number: {one.column for one in result.columns if one.is_flagged} for number, result in found.items()}
    return {number: columns for number, columns in flags.items() if columns}


def first_alert(year: int, last_year: int = 2015) -> int | None:
    """The batch after which drift alerts, two windows in a row."""
    history = []
    for number in range(1, 13):
        history.append(window(number, *inputs_of(year, number, last_year).columns))
        if any(draft.kind == "drift" for draft in decide(RULE, history, []).opened):
            return number
    return None


def test_in_2016_eight_batches_are_flagged_for_anc_alone_and_the_alert_comes_after_the_fifth() -> None:
    assert flagged_in(2016) == {number: {"ANC"} for number in (2, 4, 5, 6, 7, 8, 9, 11)}
    assert first_alert(2016) == 5


def test_in_2017_and_2018_every_batch_is_flagged_and_one_for_schooling_too() -> None:
    assert flagged_in(2017) == {number: {"ANC"} for number in range(1, 13)}
    assert flagged_in(2018) == {number: {"ANC", "SCHL"} if number == 5 else {"ANC"} for number in range(1, 13)}
    assert (first_alert(2017), first_alert(2018)) == (2, 2)


def test_after_a_retraining_2017_is_quiet_and_2018_alerts_on_its_own_merit() -> None:
    assert flagged_in(2017, last_year=2016) == {number: {"ANC"} for number in (2, 7, 12)}
    assert first_alert(2017, last_year=2016) is None
    assert set(flagged_in(2018, last_year=2016)) == set(range(1, 13)) - {4}
    assert first_alert(2018, last_year=2016) == 2


def test_the_training_years_own_test_households_are_never_flagged() -> None:
    table = people()
    for number in range(1, 13):
        mask = batch(2015, number) & (table["household"] % 5 == 0)
        result = analyse(training_reference(), Served(rows_of(mask), table["employed"][mask]), RULE)
        assert not [one.column for one in result.columns if one.is_flagged]


def test_the_range_check_reports_the_top_code_95_from_2017_on_and_nothing_in_2016() -> None:
    def beyond(year: int) -> list[tuple[str, float | None]]:
        found = inputs_of(year, 1).columns
        return [(one.column, one.maximum) for one in found if one.p_range <= RULE.immediate_level]

    assert (beyond(2016), beyond(2017)) == ([], [("AGEP", 95.0)])


def test_codes_of_2019_are_all_unseen_and_the_alert_is_critical() -> None:
    columns = rows_of(batch(2018, 1))
    recoded = {**columns, "RELP": np.array([RELP_OF_2019[code] for code in columns["RELP"].tolist()])}
    result = analyse(training_reference(), Served(recoded, np.zeros(len(recoded["RELP"]))), RULE)

    draft = next(d for d in decide(RULE, [window(1, *result.columns)], []).opened if d.kind == "unseen")

    assert (draft.columns, draft.severity) == (("RELP",), "critical")
    assert draft.findings[0].unseen_rows == draft.findings[0].n
    assert {one.level for one in draft.findings[0].unseen} <= {str(code) for code in RELP_OF_2019.values()}


def test_ages_in_months_are_out_of_range_by_a_factor_of_twelve() -> None:
    columns = rows_of(batch(2018, 1))
    result = analyse(training_reference(), Served({**columns, "AGEP": columns["AGEP"] * 12}, columns["SEX"]), RULE)
    age = next(one for one in result.columns if one.column == "AGEP")

    assert (age.maximum, age.reference_maximum, age.unit_factor) == (1140.0, 94.0, 12.0)


def test_a_lost_column_counts_as_missing_in_every_row_and_the_report_goes_on() -> None:
    columns = rows_of(batch(2016, 1))
    del columns["RELP"]
    result = analyse(training_reference(), Served(columns, columns["SEX"]), RULE)
    lost = next(one for one in result.columns if one.column == "RELP")

    assert (lost.status, lost.missing, len(result.columns)) == ("error", result.rows, len(FEATURES))
    assert any("RELP" in note for note in result.notes)


def test_a_column_that_is_no_input_is_not_compared_and_said_so() -> None:
    columns = rows_of(batch(2016, 1))
    del columns["MAR"]  # it has no importance either: the reference's label is such a column
    result = analyse(training_reference(), Served(columns, columns["SEX"]), RULE)

    assert "MAR" not in {one.column for one in result.columns}
    assert "Not compared, because no input: MAR." in result.notes


def test_the_shares_then_and_now_add_up_to_one() -> None:
    for one in inputs_of(2018, 3).columns:
        assert one.distribution is not None
        assert sum(one.distribution.reference) == pytest.approx(1)
        assert sum(one.distribution.current) == pytest.approx(1)
        assert len(one.distribution.cells) == len(one.distribution.current)


def test_quality_is_realised_with_labels_and_estimated_without() -> None:
    random = np.random.default_rng(1)
    scores = random.uniform(0.05, 0.95, 4000)
    truth = (random.uniform(size=4000) < scores).astype(int)
    served = served_of(
        {}, (scores > 0.5).astype(int).tolist(), np.stack([1 - scores, scores], 1).tolist(), truth.tolist()
    )

    result = analyse(training_reference(), served, RULE)
    figures = {(one.measure, one.basis): one.estimate for one in result.figures}

    assert result.labelled == 4000
    for measure in ("accuracy", "auc"):
        real = figures[measure, "realised"]
        assert real.low is not None
        assert real.high is not None
        assert real.low - 0.01 <= figures[measure, "estimated"].value <= real.high + 0.01
    assert abs(figures["calibration", "realised"].value) < 0.03


def test_rows_without_a_label_are_left_out_of_the_realised_quality() -> None:
    answers, truth = [1] * 100, [1] * 60 + [None] * 40
    served = served_of({}, answers, [[0.2, 0.8]] * 100, truth)

    result = analyse(training_reference(), served, RULE)

    assert result.labelled == 60
    assert {one.estimate.n for one in result.figures if one.basis == "realised"} == {60}


def test_segments_are_told_apart_and_those_with_too_few_rows_are_named() -> None:
    sex = [1] * 200 + [2] * 190 + [3] * 10
    served = served_of({"SEX": sex}, [1] * 400, [[0.4, 0.6]] * 400, [1, 0] * 200)

    result = analyse(training_reference(), served, RULE, by_segment=("SEX", "NONE"))

    assert {one.segment for one in result.figures if one.segment} == {"SEX=1", "SEX=2"}
    assert any("SEX=3" in note for note in result.notes)
    assert any("NONE" in note for note in result.notes)


def test_without_scores_nothing_is_estimated() -> None:
    result = analyse(training_reference(), served_of({}, ["a", "b"]), RULE)

    assert (result.figures, result.labelled) == ((), 0)


def test_more_than_two_classes_have_an_accuracy() -> None:
    served = served_of({}, ["a", "b", "c"], [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]], ["a", "b", "b"])
    found = analyse(training_reference(), served, RULE).figures
    figures = {one.basis: one.estimate.value for one in found if one.measure == "accuracy"}

    assert figures == {"estimated": pytest.approx(2.2 / 3), "realised": pytest.approx(2 / 3)}


def test_quantities_are_measured_by_their_errors_and_their_drift_is_that_of_the_answers() -> None:
    random = np.random.default_rng(3)
    answers = random.normal(size=2000)
    reference = reference_of({"prediction": answers}, [Column(name="prediction", type="double")])
    served = served_of({}, (answers + 1).tolist(), truth=answers.tolist())

    result = analyse(reference, served, RULE)

    figures = {one.measure: one.estimate.value for one in result.figures}
    assert figures["mae"] == pytest.approx(1.0)
    assert figures["bias"] == pytest.approx(1.0)
    assert "accuracy" not in figures
    assert result.prediction is not None
    assert result.prediction.is_flagged
