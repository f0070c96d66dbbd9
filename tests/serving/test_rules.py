import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.errors import Conflict, Invalid
from airside.serving import rules
from airside.serving.records import (
    Arm,
    Brake,
    Evidence,
    Phase,
    Role,
    RolloutPlan,
    ServingTransform,
    ShadowPhase,
    Step,
    Tally,
)
from airside.serving.rules import Position, Signal

SIGNALS: tuple[Signal, ...] = ("proven", "step", "promote", "harm", "pause", "resume")
PLAN = RolloutPlan(steps=(Step(weight_percent=10, min_rows=100), Step(weight_percent=50, min_rows=100)))


def tally(phase: Phase, metric: str, role: Role, rows: int, bad: int = 0) -> Tally:
    return Tally(phase=phase, metric=metric, role=role, rows=rows, bad=bad)


@given(st.lists(st.sampled_from(SIGNALS), max_size=30))
@settings(max_examples=50)
def test_whatever_happens_a_rollout_stays_in_its_states_and_never_leaves_a_final_one(signals: list[Signal]) -> None:
    position = rules.start(PLAN)
    for signal in signals:
        try:
            after = rules.move(position, signal)
        except Conflict:
            continue
        assert position.state not in rules.FINAL
        assert (position.state, signal) in rules.MOVES
        assert after.state in rules.MOVES[position.state, signal]
        position = after


def test_a_pause_holds_the_share_and_a_resume_goes_on_where_it_was() -> None:
    paused = rules.move(Position("canary", 1), "pause")
    assert rules.weight_of(paused, PLAN) == 5_000
    assert rules.move(paused, "resume") == Position("canary", 1)
    assert rules.move(rules.move(Position("shadow"), "pause"), "resume") == Position("shadow")


@pytest.mark.parametrize("state", ["promoted", "rolled_back"])
@pytest.mark.parametrize("signal", SIGNALS)
def test_what_has_ended_moves_no_more(state: str, signal: Signal) -> None:
    with pytest.raises(Conflict, match="it has ended"):
        rules.move(Position(state), signal)  # type: ignore[arg-type]


@given(st.integers(0, 10_000))
def test_the_shares_sum_to_the_whole(weight: int) -> None:
    assert sum(rules.shares(weight)) == 10_000


@given(st.text(min_size=1, max_size=40), st.integers(0, 10_000), st.integers(0, 10_000))
@settings(max_examples=50)
def test_who_got_the_canary_keeps_it_when_its_share_grows(key: str, one: int, other: int) -> None:
    small, large = sorted((one, other))
    place = rules.bucket("salt", key)

    def role(weight: int) -> Role:
        arms = [
            Arm(version=1, role="champion", weight=10_000 - weight, source="", files={}),
            Arm(version=2, role="canary", weight=weight, source="", files={}),
        ]
        return rules.pick(arms, place).role

    assert role(large) == "canary" or role(small) == "champion"


@given(st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_the_canary_gets_exactly_its_share_of_the_places(weight: int) -> None:
    arms = [
        Arm(version=1, role="champion", weight=10_000 - weight, source="", files={}),
        Arm(version=2, role="canary", weight=weight, source="", files={}),
    ]
    assert sum(rules.pick(arms, place).role == "canary" for place in range(10_000)) == weight


def test_a_share_of_ten_percent_gets_a_tenth_of_the_keys() -> None:
    found = sum(rules.bucket("salt", f"key-{i}") < 1_000 for i in range(20_000))
    assert 1_850 < found < 2_150


def test_the_shadow_waits_for_its_rows_then_for_the_proof() -> None:
    plan = RolloutPlan(shadow=ShadowPhase(min_rows=500, margin=0.02))
    few = [tally("shadow", "pair", "shadow", 100, 3)]
    assert rules.shadow_look(plan, Evidence(), few).signal is None
    unlabelled = [tally("shadow", "pair", "shadow", 600, 3)]
    assert rules.shadow_look(plan, Evidence(), unlabelled).signal is None
    labelled = [
        tally("shadow", "pair", "shadow", 2500, 150),
        tally("shadow", "pair_label", "champion", 2500, 85),
        tally("shadow", "pair_label", "shadow", 2500, 70),
    ]
    look = rules.shadow_look(plan, Evidence(), labelled)
    assert look.signal == "proven"
    assert look.evidence.paired is not None
    assert look.evidence.paired.difference is not None
    assert look.evidence.paired.difference.value == pytest.approx(-0.006)


def test_a_challenger_that_is_wrong_more_often_is_refused_in_the_shadow() -> None:
    counts = [
        tally("shadow", "pair", "shadow", 400, 90),
        tally("shadow", "pair_label", "champion", 400, 15),
        tally("shadow", "pair_label", "shadow", 400, 70),
    ]
    look = rules.shadow_look(RolloutPlan(), Evidence(), counts)
    assert look.signal == "harm"
    assert "it was the challenger on 70" in look.reason


def test_the_canary_steps_promotes_and_is_rolled_back_by_the_counts() -> None:
    calm = [
        tally("canary", "error", "champion", 900),
        tally("canary", "error", "canary", 100),
        tally("canary", "rows", "canary", 100),
    ]
    assert rules.canary_look(PLAN, 0, Evidence(), calm).signal == "step"
    assert rules.canary_look(PLAN, 1, Evidence(), calm).signal == "promote"
    wrong = [
        *calm,
        tally("canary", "wrong_label", "champion", 900, 180),
        tally("canary", "wrong_label", "canary", 100, 60),
    ]
    look = rules.canary_look(PLAN, 0, Evidence(), wrong)
    assert look.signal == "harm"
    assert "60 wrong labels in 100" in look.reason


def test_a_step_may_wait_for_labels() -> None:
    plan = RolloutPlan(steps=(Step(weight_percent=50, min_rows=10, min_labelled_rows=20),))
    served = [tally("canary", "error", "champion", 100), tally("canary", "rows", "canary", 100)]
    labelled = [tally("canary", "wrong_label", "canary", 19)]
    look = rules.canary_look(plan, 0, Evidence(), [*served, *labelled])
    assert (look.signal, look.reason) == (None, "19 of 20 rows of the canary have labels.")
    enough = [tally("canary", "wrong_label", "canary", 20)]
    assert rules.canary_look(plan, 0, Evidence(), [*served, *enough]).signal == "promote"


def test_counts_of_a_tick_without_canary_wait_for_the_next() -> None:
    first = rules.canary_look(PLAN, 0, Evidence(), [tally("canary", "error", "champion", 500, 5)])
    assert first.evidence.guards[0].champion_rows == 0
    both = [tally("canary", "error", "champion", 900, 9), tally("canary", "error", "canary", 50, 1)]
    second = rules.canary_look(PLAN, 0, first.evidence, both)
    assert (second.evidence.guards[0].champion_rows, second.evidence.guards[0].canary_rows) == (900, 50)


def test_a_plan_may_ask_for_a_proof_before_the_promotion() -> None:
    plan = RolloutPlan(steps=(Step(weight_percent=50, min_rows=10),), prove=("error",), margin=0.01)
    few = [
        tally("canary", "error", "champion", 100),
        tally("canary", "error", "canary", 100),
        tally("canary", "rows", "canary", 100),
    ]
    assert "Not yet proven" in rules.canary_look(plan, 0, Evidence(), few).reason
    many = [
        tally("canary", "error", "champion", 2000),
        tally("canary", "error", "canary", 2000),
        tally("canary", "rows", "canary", 2000),
    ]
    assert rules.canary_look(plan, 0, Evidence(), many).signal == "promote"


def test_the_brake_of_a_look_is_absolute() -> None:
    look = rules.canary_look(PLAN, 0, Evidence(recent_failures="0011111"), [])
    assert (look.signal, look.reason) == ("harm", "Brake: 5 failures in a row.")
    assert rules.shadow_look(RolloutPlan(brake=Brake(in_a_row=2)), Evidence(recent_failures="11"), []).signal == "harm"


@pytest.mark.parametrize(
    "plan",
    [
        RolloutPlan(shadow=None, steps=()),
        RolloutPlan(steps=(Step(weight_percent=0),)),
        RolloutPlan(steps=(Step(weight_percent=101),)),
        RolloutPlan(alpha=0),
        RolloutPlan(interval_s=0),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(plan: RolloutPlan) -> None:
    with pytest.raises(Invalid):
        rules.check_plan(plan)


def test_a_transform_after_the_shadow_is_not_applied_in_it() -> None:
    months = ServingTransform(multiply={"AGEP": 12}, after="shadow")
    assert rules.transform_in(months, "shadow") is None
    assert rules.transform_in(months, "canary") is months
    assert rules.apply_transform(months, {"AGEP": [30, None], "SEX": [1, 2]}) == {"AGEP": [360, None], "SEX": [1, 2]}
