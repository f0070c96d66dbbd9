"""The rules, by example and by law."""

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.monitoring.making import START, figure, finding, flagged, window

from airside.core.errors import Invalid
from airside.core.estimate import Estimate
from airside.core.ids import AlertId
from airside.monitoring import rules
from airside.monitoring.records import Alert, AlertRule, WindowPlan
from airside.monitoring.rules import Draft, decide
from airside.monitoring.words import titled

RULE = AlertRule()


def alert_of(draft: Draft) -> Alert:
    return Alert(
        alert_id=AlertId("al-1"),
        monitor=window(1).monitor,
        endpoint=window(1).endpoint,
        model=window(1).model,
        kind=draft.kind,
        severity=draft.severity,
        title="",
        text="",
        columns=draft.columns,
        version=1,
        windows=draft.windows,
        opened_at=START,
        seen_at=START,
    )


def test_one_flagged_window_is_not_enough_for_drift() -> None:
    assert decide(RULE, [window(1), window(2, flagged())], []).opened == ()


def test_two_flagged_windows_in_a_row_open_one_alert() -> None:
    opened = decide(RULE, [window(1, flagged()), window(2, flagged())], []).opened

    assert [(draft.kind, draft.columns, draft.windows) for draft in opened] == [
        ("drift", ("ANC",), ("w-0001", "w-0002"))
    ]


def test_a_quiet_window_between_starts_the_count_anew() -> None:
    history = [window(1, flagged()), window(2), window(3, flagged())]

    assert decide(RULE, history, []).opened == ()


def test_windows_compared_with_another_reference_do_not_count() -> None:
    history = [window(1, flagged(), reference=1), window(2, flagged(), reference=2)]

    assert decide(RULE, history, []).opened == ()


def test_the_models_own_score_alerts_as_a_column_does() -> None:
    score = flagged("prediction", effect=0.2, importance=None)
    history = [msgspec.structs.replace(window(number), prediction=score, flagged=("prediction",)) for number in (1, 2)]

    (draft,) = decide(RULE, history, []).opened

    assert (draft.columns, draft.severity, titled(draft)) == (("prediction",), "warning", "prediction drifts")


def test_only_columns_flagged_in_each_of_the_windows_are_named() -> None:
    history = [window(1, flagged("ANC"), flagged("SCHL")), window(2, flagged("ANC"), flagged("SEX"))]

    assert [draft.columns for draft in decide(RULE, history, []).opened] == [("ANC",)]


def test_drift_of_a_column_that_the_model_hardly_uses_is_a_warning_of_next_to_no_weight() -> None:
    draft = decide(RULE, [window(1, flagged()), window(2, flagged(effect=0.05))], []).opened[0]

    assert draft.severity == "warning"
    assert draft.weight == pytest.approx(0.00002)


def test_drift_of_a_column_that_the_model_lives_on_is_critical() -> None:
    found = flagged("AGEP", effect=0.2, importance=0.174)

    assert decide(RULE, [window(1, found), window(2, found)], []).opened[0].severity == "critical"


def test_without_importance_the_weight_is_unknown_and_the_alert_a_warning() -> None:
    found = flagged(importance=None)
    draft = decide(RULE, [window(1, found), window(2, found)], []).opened[0]

    assert (draft.weight, draft.severity) == (None, "warning")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("unseen", {"unseen_rows": 4000, "p_unseen": 1e-300}),
        ("range", {"above": 37, "p_range": 1e-30}),
        ("missing", {"missing": 400, "p_missing": 1e-50}),
    ],
)
def test_what_one_window_proves_alerts_at_once(kind: str, fields: dict[str, Any]) -> None:
    assert [draft.kind for draft in decide(RULE, [window(1, finding(**fields))], []).opened] == [kind]


@pytest.mark.parametrize(
    "fields",
    [
        {"unseen_rows": 1, "p_unseen": 0.2},
        {"above": 1, "p_range": 0.19},
        {"missing": 2, "p_missing": 0.5},
        {"missing": 0, "reference_missing": 8000, "p_missing": 1e-50},
    ],
)
def test_what_may_be_chance_or_is_better_than_before_does_not_alert(fields: dict[str, Any]) -> None:
    assert decide(RULE, [window(1, finding(**fields))], []).opened == ()


def test_a_column_that_an_open_alert_covers_confirms_it_and_opens_nothing() -> None:
    history = [window(1, flagged()), window(2, flagged()), window(3, flagged())]
    known = alert_of(decide(RULE, history[:2], []).opened[0])

    decision = decide(RULE, history, [known])

    assert (decision.opened, decision.confirmed) == ((), (known,))


def test_a_further_column_opens_an_alert_of_its_own() -> None:
    history = [window(1, flagged("ANC"), flagged("SCHL")), window(2, flagged("ANC"), flagged("SCHL"))]
    known = alert_of(decide(RULE, [window(1, flagged("ANC")), window(2, flagged("ANC"))], []).opened[0])

    decision = decide(RULE, history, [known])

    assert [draft.columns for draft in decision.opened] == [("SCHL",)]


def test_accuracy_provably_below_the_reference_is_critical() -> None:
    figures = (figure("accuracy", "realised", 0.55), figure("accuracy", "reference", 0.79))

    assert [(d.kind, d.severity) for d in decide(RULE, [window(1, figures=figures)], []).opened] == [
        ("quality", "critical")
    ]


def test_accuracy_that_may_be_as_before_does_not_alert() -> None:
    figures = (figure("accuracy", "realised", 0.775), figure("accuracy", "reference", 0.79))

    assert decide(RULE, [window(1, figures=figures)], []).opened == ()


def test_a_small_bias_is_found_when_the_windows_are_taken_together() -> None:
    biased = (figure("calibration", "realised", -0.012, reach=0.012),)

    history = [window(number, figures=biased) for number in range(1, 9)]

    assert decide(RULE, history[:2], []).opened == ()
    assert [draft.columns for draft in decide(RULE, history, []).opened] == [("calibration",)]


def test_looking_at_every_window_of_a_year_seldom_alarms_when_nothing_is_wrong() -> None:
    chance = random.Random(7)
    alarms = 0
    for _ in range(300):
        windows = [
            window(number, figures=(figure("calibration", "realised", chance.gauss(0, 0.01), reach=0.0196),))
            for number in range(1, 13)
        ]
        alarms += any(rules.calibration_draft(RULE, windows[:seen]) for seen in range(1, 13))

    assert alarms <= 6  # 1 % is asked for; more than 6 of 300 would come up once in 30 such tests


@settings(max_examples=50)
@given(st.lists(st.sets(st.sampled_from(["ANC", "SCHL", "SEX"])), min_size=1, max_size=8), st.integers(1, 4))
def test_drift_alerts_name_exactly_the_columns_flagged_in_the_last_windows(
    flags: list[set[str]], consecutive: int
) -> None:
    rule = msgspec.structs.replace(RULE, consecutive=consecutive)
    history = [window(i, *(flagged(name) for name in sorted(names))) for i, names in enumerate(flags, 1)]
    last = flags[-consecutive:]
    expected = set.intersection(*last) if len(last) == consecutive else set()

    opened = decide(rule, history, []).opened

    assert {column for draft in opened for column in draft.columns} == expected


@settings(max_examples=50)
@given(st.sets(st.sampled_from(["ANC", "SCHL", "SEX"]), min_size=1))
def test_the_same_window_twice_opens_nothing_twice(names: set[str]) -> None:
    found = [flagged(name) for name in sorted(names)]
    history = [window(1, *found), window(2, *found)]
    known = [alert_of(draft) for draft in decide(RULE, history, []).opened]

    assert decide(RULE, history, known).opened == ()


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0.001, 0.1), st.integers(1, 1000)), min_size=1, max_size=6))
def test_pooling_lies_between_the_smallest_and_the_largest_and_never_widens(
    parts: list[tuple[float, float, int]],
) -> None:
    estimates = [Estimate(value=v, low=v - r, high=v + r, n=n) for v, r, n in parts]

    both = rules.pooled(estimates)

    assert min(e.value for e in estimates) - 1e-9 <= both.value <= max(e.value for e in estimates) + 1e-9
    assert both.n == sum(e.n for e in estimates)
    assert both.low is not None
    assert both.value - both.low <= max(r for _, r, _ in parts) + 1e-9


@pytest.mark.parametrize("plan", [WindowPlan(by="delivery", size=5), WindowPlan(by="rows"), WindowPlan(by="time")])
def test_a_window_that_cannot_be_cut_is_refused(plan: WindowPlan) -> None:
    with pytest.raises(Invalid):
        rules.check_plan(plan)


@pytest.mark.parametrize(
    "changes", [{"level": 0.0}, {"immediate_level": 1.0}, {"code_effect": -0.1}, {"consecutive": 0}]
)
def test_a_rule_that_makes_no_sense_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(Invalid):
        rules.check_rule(msgspec.structs.replace(RULE, **changes))
