"""The published rule of the ML Test Score, by example and by law."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.ids import BlobId, ModelName
from airside.governance import ml_tests
from airside.governance.ml_tests import SECTIONS, TESTS, points, score
from airside.governance.records import Evidence, EvidenceId

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


def evidence(item: str = "mts:O2", *, age: timedelta = timedelta(0), **fields: Any) -> Evidence:
    given: dict[str, Any] = {"kind": "automatic", "cause": "event", "status": "pass", "valid_until": NOW - age + WEEK}
    return Evidence(
        evidence_id=EvidenceId("ev-1"),
        digest=BlobId("b3:" + "0" * 64),
        items=(item,),
        subject_kind="model_version",
        subject="m@1",
        signed_by="airside",
        created_at=NOW - age,
        **{**given, **fields},
    )


@pytest.mark.parametrize(
    ("records", "earned"),
    [
        ([], 0.0),
        ([evidence()], 1.0),
        ([evidence(cause="by_hand")], 0.5),
        ([evidence(), evidence(cause="by_hand")], 1.0),
        ([evidence(status="fail")], 0.0),
        ([evidence(status="fail"), evidence()], 1.0),
        ([evidence(), evidence(status="unknown")], 1.0),
        ([evidence(), evidence(status="error")], 1.0),
        ([evidence(age=timedelta(days=8))], 0.0),
        ([evidence(kind="attestation", cause="by_hand", statement="seen")], 0.5),
        ([evidence(kind="not_applicable", cause="by_hand", status="unknown", statement="no features")], 0.5),
        ([evidence(kind="waiver", cause="by_hand", statement="accepted")], 0.0),
        ([evidence(status="fail"), evidence(kind="attestation", statement="I say it is fine")], 0.0),
        ([evidence(age=timedelta(days=60), status="fail"), evidence(kind="attestation", statement="fine")], 0.0),
        ([evidence("mts:O3")], 0.0),
    ],
)
def test_the_points_of_one_test_follow_the_rule(records: list[Evidence], earned: float) -> None:
    assert points("O2", records, NOW) == earned


def test_there_are_seven_tests_in_each_of_four_sections() -> None:
    assert [sum(test.section == section for test in TESTS) for section in SECTIONS] == [7, 7, 7, 7]
    assert len({test.id for test in TESTS}) == 28


def test_the_score_is_the_minimum_of_the_sections_not_their_mean() -> None:
    records = [evidence(f"mts:{test.id}", valid_until=None) for test in TESTS if test.section != "data"]

    result = score(ModelName("m"), 1, records, NOW)

    assert (result.data, result.model_section, result.infrastructure, result.monitoring) == (0, 7, 7, 7)
    assert (result.score, result.weakest, result.band) == (0, "data", ml_tests.band(0))


def test_what_has_no_evidence_is_missing_and_says_what_would_earn_it() -> None:
    tests = {one.test: one for one in score(ModelName("m"), 1, [evidence()], NOW).tests}

    assert (tests["D1"].status, tests["D1"].points) == ("missing", 0)
    assert tests["D1"].next_step
    assert (tests["O2"].status, tests["O2"].points, tests["O2"].next_step) == ("pass", 1, "")


def test_what_is_too_old_is_expired_and_earns_nothing() -> None:
    tests = {one.test: one for one in score(ModelName("m"), 1, [evidence(age=timedelta(days=8))], NOW).tests}

    assert (tests["O2"].status, tests["O2"].points) == ("expired", 0)


records = st.lists(
    st.builds(
        lambda status, kind, cause, age: evidence(
            status=status, kind=kind, cause=cause, age=timedelta(days=age), statement="said"
        ),
        st.sampled_from(["pass", "fail", "error", "unknown"]),
        st.sampled_from(["automatic", "attestation", "not_applicable", "waiver"]),
        st.sampled_from(["event", "gate", "by_hand"]),
        st.integers(0, 20),
    ),
    max_size=6,
).map(lambda known: sorted(known, key=lambda one: one.created_at))


@settings(max_examples=50)
@given(records)
def test_a_failing_automatic_record_never_raises_the_points(known: list[Evidence]) -> None:
    assert points("O2", [*known, evidence(status="fail")], NOW) <= points("O2", known, NOW)


@settings(max_examples=50)
@given(records, st.integers(0, 30))
def test_time_alone_never_raises_the_points(known: list[Evidence], days: int) -> None:
    assert points("O2", known, NOW + timedelta(days=days)) <= points("O2", known, NOW)


@settings(max_examples=50)
@given(records, st.data())
def test_removing_a_record_that_is_no_failure_never_raises_the_points(
    known: list[Evidence], data: st.DataObject
) -> None:
    harmless = [i for i, one in enumerate(known) if one.status != "fail"]
    if harmless:
        gone = data.draw(st.sampled_from(harmless))
        assert points("O2", [*known[:gone], *known[gone + 1 :]], NOW) <= points("O2", known, NOW)
