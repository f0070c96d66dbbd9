"""Laws of the registry's rules."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.errors import Invalid
from airside.core.ids import ModelName
from airside.registry.records import Approval, Requirement, Verdict
from airside.registry.rules import check_alias, lacking, stage_of, version_before, version_of_subject

NOW = datetime(2026, 1, 1, tzinfo=UTC)
numbers = st.integers(1, 6)


def verdict(gate: str, *, passed: bool) -> Verdict:
    return Verdict(name=ModelName("m"), version=1, gate=gate, passed=passed, left_by="x", left_at=NOW)


def approval(who: str, *, approved: bool = True, day: int = 1) -> Approval:
    return Approval(
        id=f"ap-{who}-{day}",
        subject_kind="version",
        subject="m@1",
        asked_by="x",
        asked_at=NOW,
        state="approved" if approved else "refused",
        decided_by=who,
        decided_at=NOW.replace(day=day),
    )


@given(st.lists(numbers, max_size=12), st.sets(numbers))
@settings(max_examples=50)
def test_the_version_before_was_champion_once_still_exists_and_is_another(moves: list[int], there: set[int]) -> None:
    before = version_before([("alias", str(number)) for number in moves], there)
    assert before is None or (before in moves[:-1] and before in there and before != moves[-1])


@given(st.lists(numbers, min_size=2, max_size=8, unique=True))
@settings(max_examples=50)
def test_rolling_back_again_and_again_ends_at_the_first(versions: list[int]) -> None:
    moves = [("alias", str(number)) for number in versions]
    visited = []
    while (target := version_before(moves, set(versions))) is not None:
        visited.append(target)
        moves.append(("rollback", str(target)))
    assert visited == versions[-2::-1]


@given(st.lists(numbers, min_size=1, max_size=6))
@settings(max_examples=50)
def test_an_alias_that_was_taken_away_comes_back_to_where_it_was(versions: list[int]) -> None:
    moves = [*(("alias", str(number)) for number in versions), ("alias", "")]
    assert version_before(moves, set(versions)) == versions[-1]


@given(st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd")))
@settings(max_examples=50)
def test_a_version_lacks_exactly_the_gates_that_did_not_pass(asked: set[str], passed: set[str]) -> None:
    requires = Requirement(gates=tuple(sorted(asked)))
    missing = lacking(requires, [verdict(gate, passed=True) for gate in passed], [], created_by="x")
    assert missing == tuple(f"the verdict of the gate '{gate}'" for gate in sorted(asked - passed))


def test_the_newest_decision_of_a_person_counts() -> None:
    requires = Requirement(approvers=("ana",))
    decisions = [approval("ana", day=1), approval("ana", approved=False, day=2)]
    assert lacking(requires, [], decisions, created_by="bo") == ("the approval of 'ana', who refused",)
    assert lacking(requires, [], [*decisions, approval("ana", day=3)], created_by="bo") == ()


def test_without_authentication_everyone_is_local_and_may_approve() -> None:
    assert lacking(Requirement(approvers=("local",)), [], [approval("local")], created_by="local") == ()


@given(st.sampled_from(["none", "STAGING", "Production", "archived"]))
def test_a_stage_is_known_in_any_case(text: str) -> None:
    assert stage_of(text) == text.capitalize()


@given(st.text(max_size=12))
@settings(max_examples=50)
def test_an_alias_that_may_be_set_may_be_read(alias: str) -> None:
    try:
        check_alias(alias, reserved=False)
    except Invalid:
        return
    check_alias(alias)


@given(st.text(min_size=1, max_size=10), st.integers(0, 10**6))
@settings(max_examples=50)
def test_a_subject_names_its_version(name: str, number: int) -> None:
    assert version_of_subject(f"{name}@{number}") == (name, number)
