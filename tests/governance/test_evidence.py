"""Evidence is appended, signed, and never made up; what the rooms found becomes evidence."""

from typing import Any

import msgspec
import pytest
from tests.monitoring.making import figure, finding, flagged
from tests.monitoring.serving import ENDPOINT, MODEL, MONITOR, SMALL, record, version, world

from airside.core.clock import FixedClock
from airside.core.errors import Invalid, NotFound
from airside.core.estimate import Estimate
from airside.core.ids import LoggedModelId, ModelName, RolloutId, RunId, is_blob_id
from airside.core.operation import LOCAL, SERVICE
from airside.governance.operations.evidence import ListEvidence, RecordEvidence
from airside.governance.operations.scores import GetScore
from airside.governance.records import Evidence
from airside.monitoring.events import WindowAnalysed
from airside.platform.reactions import proving
from airside.platform.wiring import Platform
from airside.quality.events import GateDecided
from airside.quality.operations.gates import DecideGate
from airside.quality.operations.suites import SetSuite
from airside.quality.profiles import Importance
from airside.quality.records import Check, Measured
from airside.registry.events import ApprovalDecided, VersionRegistered
from airside.registry.operations.models import CreateModel
from airside.serving.events import RolloutEnded
from airside.serving.operations.endpoints import Deploy
from airside.serving.operations.rollouts import RollbackRollout


def ask(**fields: Any) -> RecordEvidence:
    given: dict[str, Any] = {"items": ("mts:I1",), "status": "pass", "model": MODEL, "version": 1}
    return RecordEvidence(subject_kind="model_version", subject="employment@1", **{**given, **fields})


def listed(platform: Platform, number: int = 0) -> dict[str, str]:
    """Item → status of the newest evidence about a version."""
    found = platform.call(LOCAL, ListEvidence(model=MODEL, version=number)).items
    return {one.items[0]: one.status for one in reversed(found)}


def test_evidence_comes_back_with_its_digest_its_signature_and_its_end(platform: Platform) -> None:
    made = platform.call(LOCAL, ask())

    assert platform.call(LOCAL, ListEvidence()).items == (made,)
    assert is_blob_id(made.digest)
    assert made.signed_by == "local"
    assert made.valid_until is not None
    assert (made.valid_until - made.created_at).days == 30


@pytest.mark.parametrize(
    "fields", [{"items": ()}, {"items": ("mts:X9",)}, {"kind": "attestation"}, {"cause": "schedule"}]
)
def test_evidence_that_says_nothing_or_claims_too_much_is_refused(platform: Platform, fields: Any) -> None:
    with pytest.raises(Invalid):
        platform.call(LOCAL, ask(**fields))


def test_what_one_thing_produced_is_recorded_again_only_when_its_status_changed(
    platform: Platform, clock: FixedClock
) -> None:
    made: list[Evidence] = []
    for status in ("pass", "pass", "fail"):
        clock.advance(seconds=1)
        made.append(platform.call(SERVICE, ask(status=status, produced_by="w-1", cause="event")))

    assert made[0] == made[1]
    assert [one.status for one in platform.call(LOCAL, ListEvidence()).items] == ["fail", "pass"]


def test_a_score_counts_what_is_there_and_falls_by_itself(platform: Platform, clock: FixedClock) -> None:
    world(platform)
    platform.call(SERVICE, ask(items=("mts:O2",), cause="event"))

    def points() -> float:
        return next(one.points for one in platform.call(LOCAL, GetScore(model=MODEL)).tests if one.test == "O2")

    assert points() == 1
    clock.advance(seconds=8 * 24 * 3600)
    assert points() == 0


def test_evidence_about_one_version_says_nothing_of_another(platform: Platform) -> None:
    world(platform)
    number = version(platform)
    platform.call(SERVICE, ask(items=("mts:I4",), cause="gate"))

    tests = platform.call(LOCAL, GetScore(model=MODEL, version=number)).tests

    assert {one.status for one in tests} == {"missing"}
    with pytest.raises(NotFound):
        platform.call(LOCAL, GetScore(model=MODEL, version=99))
    with pytest.raises(NotFound):
        platform.call(LOCAL, GetScore(model=ModelName("none")))


def test_a_gate_decision_is_evidence_for_what_its_checks_looked_at(platform: Platform) -> None:
    world(platform)
    checks = (
        Check(kind="at_least", name="accurate", measure="accuracy", limit=0.7),
        Check(kind="better_than", name="worth it", measure="accuracy", limit=0.01, against="baseline"),
        Check(kind="gap_at_most", name="fair", measure="true_positive_rate", limit=0.05, column="SEX"),
    )
    platform.call(LOCAL, SetSuite(model=MODEL, checks=checks))

    def of(value: float) -> Estimate:
        return Estimate(value=value, low=value - 0.001, high=value + 0.001, n=900)

    measured = (
        Measured(measure="accuracy", estimate=of(0.79)),
        Measured(measure="accuracy", estimate=of(0.03), against="baseline"),
        Measured(measure="true_positive_rate_gap", estimate=of(0.12), segment="SEX"),
    )
    gate = platform.call(LOCAL, DecideGate(model=MODEL, version=1, measured=measured))
    event = GateDecided(id=gate.id, model=MODEL, version=1, outcome=gate.outcome, summary=gate.summary)

    for _ in range(2):
        proving.prove_gate(platform, event, 7)

    assert gate.outcome == "fail"
    assert listed(platform) == {"mts:I4": "fail", "mts:M5": "pass", "mts:M7": "fail"}
    assert len(platform.call(LOCAL, ListEvidence()).items) == 3


def test_a_window_is_evidence_for_inputs_skew_and_quality(platform: Platform) -> None:
    world(platform)
    figures = (figure("accuracy", "realised", 0.79), figure("accuracy", "reference", 0.79))
    made = record(platform, "a", flagged(), finding("AGEP", above=40, p_range=0.0), figures=figures)
    event = WindowAnalysed(
        monitor=MONITOR, model=MODEL, endpoint=ENDPOINT, window_id=made.window_id, version=1, delivery="a"
    )

    proving.prove_window(platform, event, 8)

    assert listed(platform, 1) == {"mts:O2": "fail", "mts:O3": "fail", "mts:O7": "pass"}


def test_a_rollback_proves_that_one_can_go_back_and_that_the_version_did_not_pass(platform: Platform) -> None:
    world(platform)
    number = version(platform)
    deployed = platform.call(LOCAL, Deploy(endpoint=ENDPOINT, version=number))
    assert deployed.rollout is not None
    platform.call(LOCAL, RollbackRollout(id=deployed.rollout.id, reason="worse"))
    event = RolloutEnded(
        rollout_id=RolloutId(deployed.rollout.id),
        endpoint=ENDPOINT,
        model=MODEL,
        from_version=1,
        to_version=number,
        outcome="rolled_back",
        reason="worse",
    )

    proving.prove_rollout(platform, event, 9)

    assert (listed(platform, number), listed(platform, 1)) == ({"mts:I6": "fail"}, {"mts:I7": "pass"})


@pytest.mark.parametrize(("low", "status"), [(0.01, "pass"), (-0.001, "fail"), (None, "unknown")])
def test_importances_that_came_with_a_version_are_evidence_that_its_features_pay_their_way(
    platform: Platform, low: float | None, status: str
) -> None:
    platform.call(LOCAL, CreateModel(name=MODEL))
    used = Importance(column="AGEP", fall=0.17, low=low, high=0.2)
    number = version(platform, msgspec.structs.replace(SMALL, importance=(used,)))
    event = VersionRegistered(name=MODEL, version=number, run_id=RunId(""), model_id=LoggedModelId(""), source="s")

    proving.prove_features(platform, event, 11)

    assert listed(platform) == {"mts:D2": status}


@pytest.mark.parametrize(
    ("who", "approved", "status"), [("anna", True, "pass"), ("local", True, "fail"), ("anna", False, "fail")]
)
def test_only_another_persons_approval_is_a_review(platform: Platform, who: str, approved: bool, status: str) -> None:
    world(platform)
    event = ApprovalDecided(
        approval_id="ap-1", subject_kind="version", subject=f"{MODEL}@1", approved=approved, decided_by=who
    )

    proving.prove_review(platform, event, 10)

    assert listed(platform) == {"mts:M1": status}
