"""What a check says of a figure: by its interval, and never a pass where nothing is known."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.estimate import Estimate
from airside.quality.records import Check, CheckKind, CheckResult, Measured
from airside.quality.rules import decide, inside, judge


def figure(measure: str, value: float, reach: float = 0.0, **more: object) -> Measured:
    n = more.pop("n", 1_000)
    estimate = Estimate(value=value, low=value - reach, high=value + reach, n=n)  # type: ignore[arg-type]  # an int
    return Measured(measure=measure, estimate=estimate, **more)  # type: ignore[arg-type]  # fields of Measured


def outcomes(check: Check, *figures: Measured, champion: int = 1, compared_with: int = 1) -> list[str]:
    results = judge([check], figures, champion=champion, compared_with=compared_with)
    return [f"{one.outcome}{'' if one.is_blocking else ' (told)'}" for one in results]


@pytest.mark.parametrize(
    ("check", "value", "reach", "outcome"),
    [
        (Check(kind="at_least", measure="auc", limit=0.8), 0.85, 0.01, "pass"),
        (Check(kind="at_least", measure="auc", limit=0.8), 0.79, 0.005, "fail"),
        (Check(kind="at_least", measure="auc", limit=0.8), 0.81, 0.02, "unknown"),
        (Check(kind="at_most", measure="auc", limit=0.8), 0.79, 0.005, "pass"),
        (Check(kind="within", measure="auc", limit=0.015), -0.003, 0.008, "pass"),
        (Check(kind="within", measure="auc", limit=0.015), -0.062, 0.008, "fail"),
        (Check(kind="within", measure="auc", limit=0.015), -0.01, 0.008, "unknown"),
    ],
)
def test_a_limit_is_held_by_the_whole_interval(check: Check, value: float, reach: float, outcome: str) -> None:
    assert outcomes(check, figure("auc", value, reach)) == [outcome]


@pytest.mark.parametrize(
    ("measure", "value", "reach", "outcome"),
    [
        ("accuracy", 0.029, 0.006, "pass"),
        ("accuracy", 0.012, 0.006, "unknown"),
        ("accuracy", 0.001, 0.006, "fail"),
        ("log_loss", -0.069, 0.006, "pass"),
        ("log_loss", 0.069, 0.006, "fail"),
    ],
)
def test_better_means_lower_for_a_loss(measure: str, value: float, reach: float, outcome: str) -> None:
    check = Check(kind="better_than", measure=measure, against="baseline", limit=0.01)
    assert outcomes(check, figure(measure, value, reach, against="baseline")) == [outcome]


@pytest.mark.parametrize(("value", "outcome"), [(-0.014, "pass"), (0.001, "pass"), (0.023, "fail")])
def test_only_a_proven_loss_fails(value: float, outcome: str) -> None:
    check = Check(kind="no_provable_loss", measure="log_loss", against="champion")
    assert outcomes(check, figure("log_loss", value, 0.004, against="champion")) == [outcome]
    rising = Check(kind="no_provable_loss", measure="auc", against="champion")
    assert outcomes(rising, figure("auc", -value, 0.004, against="champion")) == [outcome]


def test_without_a_champion_a_comparison_is_told_and_blocks_nothing() -> None:
    check = Check(kind="no_provable_loss", measure="log_loss", against="champion")
    assert outcomes(check, champion=0) == ["unknown (told)"]


def test_a_comparison_with_another_champion_does_not_count() -> None:
    check = Check(kind="no_provable_loss", measure="log_loss", against="champion")
    good = figure("log_loss", -0.1, 0.01, against="champion")
    assert outcomes(check, good, champion=3, compared_with=2) == ["unknown"]
    assert outcomes(check, good, champion=3, compared_with=0) == ["unknown"]
    assert outcomes(check, good, champion=3, compared_with=3) == ["pass"]


def test_a_gap_names_the_groups_that_are_too_small_and_does_not_wait_for_them() -> None:
    check = Check(kind="gap_at_most", measure="true_positive_rate", column="RAC1P", limit=0.05)
    small = figure("true_positive_rate", 1.0, segment="RAC1P=4", is_known=False, note="too few rows: 1, 50 are needed")
    results = judge([check], [figure("true_positive_rate_gap", 0.02, 0.01, segment="RAC1P"), small])
    assert [(one.outcome, one.is_blocking, one.segment) for one in results] == [
        ("pass", True, "RAC1P"),
        ("unknown", False, "RAC1P=4"),
    ]
    assert results[1].note == "too few rows: 1, 50 are needed"


def test_a_gap_that_could_not_be_measured_blocks() -> None:
    check = Check(kind="gap_at_most", measure="true_positive_rate", column="SEX", limit=0.05)
    unknown = figure("true_positive_rate_gap", 0.0, segment="SEX", is_known=False, note="fewer than two groups")
    assert outcomes(check, unknown) == ["unknown"]
    assert outcomes(check) == ["unknown"]


def test_a_large_segment_in_which_nobody_is_selected_fails() -> None:
    check = Check(kind="somebody_selected")
    shares = [figure("positive_share", 0.2, segment="DIS=1"), figure("positive_share", 0.05, segment="AGE=old")]
    nobody = figure("selection_rate", 0.0, segment="DIS=1", n=1_471)
    some = figure("selection_rate", 0.08, segment="DIS=1", n=1_471)
    old = figure("selection_rate", 0.0, segment="AGE=old", n=5_000)
    few = figure("selection_rate", 0.0, segment="DIS=1", n=499)
    assert outcomes(check, nobody, *shares) == ["fail"]
    assert outcomes(check, some, old, *shares) == ["pass"]
    assert outcomes(check, few, *shares) == ["unknown"]


def test_wrong_labels_show_in_the_share_of_a_group() -> None:
    check = Check(kind="label_balance", limit=0.03)
    whole = figure("label_share_change", -0.02, 0.005)
    women = figure("label_share_change", -0.11, 0.01, segment="SEX=2")
    few = figure("label_share_change", -0.05, 0.1, segment="RAC1P=4")
    assert outcomes(check, whole, women, few) == ["pass", "fail", "unknown (told)"]
    assert outcomes(check) == ["unknown"]


def test_segments_are_chosen_by_name_by_column_and_all() -> None:
    figures = [figure("auc", 0.9, segment=name) for name in ("", "SEX=1", "SEX=2", "DIS=1")]
    for segment, count in (("", 1), ("SEX=2", 1), ("SEX=*", 2), ("*", 3), ("AGE=*", 1)):
        results = judge([Check(kind="at_least", measure="auc", limit=0.5, segment=segment)], figures)
        assert len(results) == count
        assert all(one.outcome == ("unknown" if segment == "AGE=*" else "pass") for one in results)


def test_a_segment_that_is_too_small_is_told_whatever_its_figure_says() -> None:
    check = Check(kind="at_least", measure="auc", limit=0.5, segment="*")
    few = figure("auc", 0.9, segment="RAC1P=4", is_known=False)
    assert outcomes(check, few, figure("auc", 0.9, segment="SEX=1")) == ["unknown (told)", "pass"]


def test_two_bare_numbers_are_no_verdict() -> None:
    bare = Measured(measure="auc", estimate=Estimate(value=0.99))
    [result] = judge([Check(kind="at_least", measure="auc", limit=0.5)], [bare])
    assert (result.outcome, result.note) == ("unknown", "it has no interval")


def result(outcome: str, *, is_blocking: bool = True) -> CheckResult:
    kind: CheckKind = "at_least"
    estimate = Estimate(value=0.5, low=0.4, high=0.6)
    return CheckResult(
        name="auc",
        kind=kind,
        measure="auc",
        threshold="at least 0.8",
        outcome=outcome,  # type: ignore[arg-type]  # a plain text serves
        is_blocking=is_blocking,
        estimate=estimate,
    )


def test_the_gate_says_in_one_line_what_failed_and_by_how_much() -> None:
    assert decide([result("pass"), result("fail")]) == (
        "fail",
        "1 of 2 checks passed; failed: auc: 0.5 [0.4, 0.6], asked at least 0.8",
    )
    assert decide([result("unknown")])[1].startswith("0 of 1 checks passed; not proven: auc")
    assert decide([result("pass"), result("unknown", is_blocking=False)]) == ("pass", "1 of 1 checks passed")


def test_a_gate_without_a_judgement_does_not_pass() -> None:
    assert decide([]) == ("fail", "nothing could be judged")
    assert decide([result("unknown", is_blocking=False)]) == ("fail", "nothing could be judged")


@settings(max_examples=50, deadline=None)
@given(st.floats(-1, 1), st.floats(0, 1), st.floats(-1, 1), st.floats(0, 1))
def test_a_wider_interval_never_turns_unknown_into_a_verdict(
    value: float, reach: float, limit: float, more: float
) -> None:
    narrow = inside(Estimate(value=value, low=value - reach, high=value + reach), limit, None)
    wide = inside(Estimate(value=value, low=value - reach - more, high=value + reach + more), limit, None)
    assert wide in {narrow, "unknown"}
