"""The gate on a platform: decided on the server, kept, announced, and its verdict left on the version."""

import pytest

from airside.core.errors import Invalid, NotFound
from airside.core.estimate import Estimate
from airside.core.ids import ModelName
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.quality.operations.gates import DecideGate, GetGate, ListGates
from airside.quality.operations.suites import GetSuite, SetSuite
from airside.quality.records import Check, Measured
from airside.registry.operations.aliases import SetAlias
from airside.registry.operations.models import CreateModel
from airside.registry.operations.versions import CreateVersion, GetVersion

MODEL = ModelName("employment")
CHECKS = (
    Check(kind="at_least", measure="accuracy", limit=0.7),
    Check(kind="no_provable_loss", measure="log_loss", against="champion"),
)


def accuracy(value: float) -> Measured:
    return Measured(measure="accuracy", estimate=Estimate(value=value, low=value - 0.01, high=value + 0.01, n=9_805))


def loss(value: float) -> Measured:
    estimate = Estimate(value=value, low=value - 0.004, high=value + 0.004, n=9_805)
    return Measured(measure="log_loss", estimate=estimate, against="champion")


@pytest.fixture
def model(platform: Platform) -> Platform:
    platform.call(LOCAL, CreateModel(name=MODEL))
    for _ in range(2):
        platform.call(LOCAL, CreateVersion(name=MODEL, source="s3://bucket/model"))
    platform.call(LOCAL, SetSuite(model=MODEL, checks=CHECKS))
    return platform


def test_a_decision_is_kept_announced_and_left_on_the_version(model: Platform) -> None:
    made = model.call(LOCAL, DecideGate(model=MODEL, version=1, measured=(accuracy(0.79),)))
    assert (made.outcome, made.summary) == ("pass", "1 of 1 checks passed")
    assert [one.outcome for one in made.results] == ["pass", "unknown"]
    assert model.call(LOCAL, GetGate(id=made.id)) == made
    [verdict] = model.call(LOCAL, GetVersion(name=MODEL, version=1)).verdicts
    assert (verdict.gate, verdict.passed, verdict.decision_id) == ("quality", True, made.id)
    names = model.read(lambda ctx: ctx.tx.all("SELECT name FROM event WHERE name = ?", ("GateDecided",)))
    assert len(names) == 1


def test_a_failing_version_gets_a_failing_verdict_with_the_reason(model: Platform) -> None:
    made = model.call(LOCAL, DecideGate(model=MODEL, version=1, measured=(accuracy(0.4),)))
    assert made.outcome == "fail"
    [verdict] = model.call(LOCAL, GetVersion(name=MODEL, version=1)).verdicts
    assert not verdict.passed
    assert verdict.summary.endswith("failed: at_least accuracy: 0.4 [0.39, 0.41], asked at least 0.7")


def test_what_was_not_measured_does_not_pass(model: Platform) -> None:
    made = model.call(LOCAL, DecideGate(model=MODEL, version=1, measured=()))
    assert made.outcome == "fail"
    assert "not measured" in made.summary


def test_the_comparison_must_be_with_the_champion_of_now(model: Platform) -> None:
    model.call(LOCAL, SetAlias(name=MODEL, alias="champion", version=1))
    ask = DecideGate(model=MODEL, version=2, measured=(accuracy(0.79), loss(-0.01)))
    assert "the champion is version 1" in model.call(LOCAL, ask).summary
    compared = DecideGate(model=MODEL, version=2, measured=(accuracy(0.79), loss(-0.01)), compared_with=1)
    assert model.call(LOCAL, compared).outcome == "pass"
    worse = DecideGate(model=MODEL, version=2, measured=(accuracy(0.79), loss(0.02)), compared_with=1)
    assert model.call(LOCAL, worse).outcome == "fail"


def test_decisions_are_listed_newest_first(model: Platform) -> None:
    made = [
        model.call(LOCAL, DecideGate(model=MODEL, version=version, measured=(accuracy(0.8),))).id
        for version in (1, 2, 2)
    ]
    newest_first = sorted(made, reverse=True)
    assert [one.id for one in model.call(LOCAL, ListGates()).items] == newest_first
    assert {one.id for one in model.call(LOCAL, ListGates(model=MODEL, version=2)).items} == set(made[1:])
    page = model.call(LOCAL, ListGates(max_results=2))
    rest = model.call(LOCAL, ListGates(max_results=2, page_token=page.next_page_token))
    assert [one.id for one in (*page.items, *rest.items)] == newest_first


def test_what_is_not_there_is_told(platform: Platform) -> None:
    with pytest.raises(NotFound, match="has no suite"):
        platform.call(LOCAL, GetSuite(model=MODEL))
    with pytest.raises(NotFound, match="No gate decision"):
        platform.call(LOCAL, GetGate(id="ga-0"))
    with pytest.raises(Invalid, match="max_results"):
        platform.call(LOCAL, ListGates(max_results=0))
    platform.call(LOCAL, CreateModel(name=MODEL))
    with pytest.raises(NotFound):
        platform.call(LOCAL, DecideGate(model=MODEL, version=1, measured=()))


@pytest.mark.parametrize(
    ("checks", "told"),
    [
        ((CHECKS[0], CHECKS[0]), "Two checks have the name"),
        ((Check(kind="gap_at_most"),), "say of which column"),
        ((Check(kind="better_than"),), "say against"),
    ],
)
def test_a_suite_that_cannot_be_judged_is_refused(platform: Platform, checks: tuple[Check, ...], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        platform.call(LOCAL, SetSuite(model=MODEL, checks=checks))


def test_a_suite_is_replaced_as_a_whole(model: Platform) -> None:
    model.call(LOCAL, SetSuite(model=MODEL, checks=CHECKS[:1]))
    assert model.call(LOCAL, GetSuite(model=MODEL)).checks == CHECKS[:1]
