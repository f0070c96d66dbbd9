"""Who may let a version through, who may take that back, and how a model goes back to what it was."""

import pytest

from airside.core.clock import FixedClock
from airside.core.errors import Conflict, Denied, Invalid, NotFound
from airside.core.ids import ModelName
from airside.core.operation import LOCAL, Actor
from airside.platform.wiring import Platform
from airside.registry.operations.aliases import SetAlias
from airside.registry.operations.approvals import AskApproval, DecideApproval, RevokeApproval, SearchApprovals
from airside.registry.operations.models import CreateModel, ModelHistory, RequireOfModel, RollbackModel, SetModelTag
from airside.registry.operations.verdicts import LeaveVerdict
from airside.registry.operations.versions import CreateVersion, DeleteVersion, RequireOfVersion, SetStage
from airside.registry.records import Approval, Rollback

CHURN = ModelName("churn")
ANA = Actor(name="ana", role="owner")
BO = Actor(name="bo", role="owner")
CLEO = Actor(name="cleo", role="owner")


@pytest.fixture
def churn(platform: Platform) -> ModelName:
    """A model with versions 1, 2 and 3, each champion in its turn."""
    platform.call(ANA, CreateModel(name=CHURN))
    for version in (1, 2, 3):
        platform.call(ANA, CreateVersion(name=CHURN, source="s3://bucket/churn"))
        platform.call(ANA, SetAlias(name=CHURN, alias="champion", version=version))
    return CHURN


def approved(platform: Platform, version: int, who: Actor = BO) -> Approval:
    asked = platform.call(ANA, AskApproval(subject_kind="version", subject=f"churn@{version}", approvers=(who.name,)))
    return platform.call(who, DecideApproval(id=asked.id, approved=True))


def back(platform: Platform, to: int = 0, alias: str = "champion") -> Rollback:
    return platform.call(BO, RollbackModel(name=CHURN, to=to, alias=alias))


# --- approvals -----------------------------------------------------------------------------------------------------


def test_who_asks_does_not_decide(platform: Platform, churn: ModelName) -> None:
    asked = platform.call(ANA, AskApproval(subject_kind="version", subject="churn@2", approvers=("ana", "bo")))
    with pytest.raises(Denied, match=r"'ana' asked for approval .* so somebody else decides it"):
        platform.call(ANA, DecideApproval(id=asked.id, approved=True))
    assert platform.call(BO, DecideApproval(id=asked.id, approved=True)).decided_by == "bo"


def test_a_single_version_may_need_an_approver(platform: Platform, churn: ModelName) -> None:
    platform.call(ANA, RequireOfVersion(name=churn, version=1, approvers=("bo",)))
    champion = SetAlias(name=churn, alias="champion", version=1)
    for ask in (champion, SetStage(name=churn, version=1, stage="Production")):
        with pytest.raises(Conflict, match=r"cannot move to 'churn@1'\. It lacks the approval of 'bo'\. .* churn@1"):
            platform.call(ANA, ask)
    platform.call(ANA, SetAlias(name=churn, alias="champion", version=2))
    approved(platform, 1)
    assert platform.call(ANA, champion).version == 1


def test_other_aliases_may_wait_too(platform: Platform, churn: ModelName) -> None:
    platform.call(ANA, RequireOfModel(name=churn, approvers=("bo",), aliases=("live", "champion")))
    with pytest.raises(Conflict, match="The alias 'live' cannot move to 'churn@2'"):
        platform.call(ANA, SetAlias(name=churn, alias="live", version=2))
    platform.call(ANA, SetAlias(name=churn, alias="shadow", version=2))
    with pytest.raises(Invalid, match="reserved"):
        platform.call(ANA, RequireOfModel(name=churn, approvers=("bo",), aliases=("latest",)))


def test_everyone_who_must_is_asked_one_after_the_other(platform: Platform, churn: ModelName) -> None:
    platform.call(ANA, RequireOfModel(name=churn, approvers=("bo", "cleo")))
    first = platform.call(ANA, AskApproval(subject_kind="version", subject="churn@1", question="good enough?"))
    platform.call(CLEO, DecideApproval(id=first.id, approved=True))
    (second,) = platform.call(LOCAL, SearchApprovals(state="waiting")).items
    assert (second.approvers, second.asked_by, second.question) == (("bo",), "ana", "good enough?")
    platform.call(BO, DecideApproval(id=second.id, approved=True))
    assert platform.call(LOCAL, SearchApprovals(state="waiting")).items == ()
    assert platform.call(ANA, SetAlias(name=churn, alias="champion", version=1)).version == 1


def test_an_approval_is_taken_back_by_who_gave_it_once(platform: Platform, churn: ModelName, clock: FixedClock) -> None:
    platform.call(ANA, RequireOfModel(name=churn, approvers=("bo",)))
    given = approved(platform, 1)
    with pytest.raises(Denied, match="given by 'bo', who alone can revoke it"):
        platform.call(ANA, RevokeApproval(id=given.id))
    revoked = platform.call(BO, RevokeApproval(id=given.id, comment="a leak"))
    assert (revoked.state, revoked.decided_by, revoked.comment) == ("revoked", "bo", "a leak")
    with pytest.raises(Conflict, match="is revoked; only one that was given can be revoked"):
        platform.call(BO, RevokeApproval(id=given.id))
    with pytest.raises(Conflict, match=r"the approval of 'bo', who revoked it \(a leak\)"):
        platform.call(ANA, SetAlias(name=churn, alias="champion", version=1))
    clock.advance(seconds=1)
    approved(platform, 1)
    assert platform.call(ANA, SetAlias(name=churn, alias="champion", version=1)).version == 1


def test_the_story_of_an_approval_stands_in_the_history(platform: Platform, churn: ModelName) -> None:
    given = approved(platform, 1)
    platform.call(BO, RevokeApproval(id=given.id))
    lines = platform.call(LOCAL, ModelHistory(name=churn, version=1, what="approval")).items
    assert [(line.actor, line.key, line.before, line.after) for line in lines] == [
        ("bo", "bo", "approved", "revoked"),
        ("bo", "bo", "waiting", "approved"),
        ("ana", "bo", "", "waiting"),
    ]


# --- rollback ------------------------------------------------------------------------------------------------------


def test_a_rollback_says_what_it_did_and_how_to_come_forward(platform: Platform, churn: ModelName) -> None:
    first, second = back(platform), back(platform)
    assert (first.version, first.previous, first.steps) == (2, 3, 1)
    assert first.text == (
        "'churn@champion' names version 2 again; it named 3. "
        "To come forward again: airside models rollback churn --to 3"
    )
    assert (second.version, second.previous, second.steps) == (1, 2, 2)
    assert "That is 2 steps back in a row." in second.text
    forward = back(platform, to=3)
    assert (forward.version, forward.steps) == (3, 0)
    assert forward.text == "'churn@champion' names version 3; it named 1. To go back: airside models rollback churn"
    again = back(platform, to=3)
    assert (again.steps, again.text) == (0, "'churn@champion' names version 3 already: nothing moved.")
    assert back(platform).version == 1


def test_what_has_turned_out_bad_is_passed_over(platform: Platform, churn: ModelName) -> None:
    platform.call(BO, RevokeApproval(id=approved(platform, 2).id))
    moved = back(platform)
    assert (moved.version, moved.skipped) == (1, ("2, for 'bo' revoked its approval",))
    assert "Passed over version 2, for 'bo' revoked its approval." in moved.text
    platform.call(ANA, SetAlias(name=churn, alias="champion", version=3))
    platform.call(ANA, RequireOfModel(name=churn, gates=("quality",)))
    platform.call(ANA, LeaveVerdict(name=churn, version=1, gate="quality", passed=False))
    with pytest.raises(Conflict, match=r"Version 1, for the gate 'quality' failed it\. .* --to VERSION"):
        back(platform)


def test_a_named_version_needs_nothing_if_it_was_there_and_is_still_good(platform: Platform, churn: ModelName) -> None:
    platform.call(ANA, CreateVersion(name=churn, source="s3://bucket/churn"))
    platform.call(ANA, RequireOfModel(name=churn, approvers=("bo",)))
    assert back(platform, to=1).version == 1
    with pytest.raises(Conflict, match="It lacks the approval of 'bo'"):
        back(platform, to=4)
    platform.call(BO, RevokeApproval(id=approved(platform, 2).id))
    with pytest.raises(Conflict, match="who revoked it"):
        back(platform, to=2)
    with pytest.raises(NotFound, match=r"Model Version \(name=churn, version=9\) not found"):
        back(platform, to=9)


def test_any_alias_rolls_back(platform: Platform, churn: ModelName) -> None:
    for version in (1, 2):
        platform.call(ANA, SetAlias(name=churn, alias="live", version=version))
    moved = back(platform, alias="live")
    assert (moved.version, moved.alias) == (1, "live")
    assert moved.text.endswith("airside models rollback churn --to 2 --alias live")
    with pytest.raises(Conflict, match="'churn' has no earlier live to roll back to"):
        back(platform, alias="live")


def test_what_is_gone_is_not_gone_back_to(platform: Platform, churn: ModelName) -> None:
    platform.call(ANA, DeleteVersion(name=churn, version=2))
    assert back(platform).version == 1


# --- history -------------------------------------------------------------------------------------------------------


def test_the_history_begins_with_what_something_was_created_with(platform: Platform) -> None:
    platform.call(ANA, CreateModel(name=CHURN, description="who leaves", tags={"team": "crm"}))
    platform.call(ANA, CreateVersion(name=CHURN, source="s3://b/c", description="first", tags={"k": "v"}))
    platform.call(BO, SetModelTag(name=CHURN, key="team", value="sales"))
    lines = platform.call(LOCAL, ModelHistory(name=CHURN)).items
    assert [(line.version, line.what, line.key, line.before, line.after) for line in reversed(lines)] == [
        (None, "created", "", "", ""),
        (None, "description", "", "", "who leaves"),
        (None, "tag", "team", "", "crm"),
        (1, "created", "", "", "s3://b/c"),
        (1, "description", "", "", "first"),
        (1, "tag", "k", "", "v"),
        (None, "tag", "team", "crm", "sales"),
    ]
    assert {line.actor for line in platform.call(LOCAL, ModelHistory(name=CHURN, version=1)).items} == {"ana"}
