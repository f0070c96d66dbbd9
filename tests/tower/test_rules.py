"""A model's state, as a table of scenarios: what is known, which light, which reasons first."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.estimate import Estimate
from airside.core.ids import ModelName
from airside.tower.records import DriftSummary
from airside.tower.rules import (
    RANK,
    AlertSign,
    ApprovalSign,
    EndpointSign,
    Facts,
    QualitySign,
    RolloutSign,
    reasons_of,
    row_of,
    summary_of,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HEALTHY: dict[str, Any] = {
    "champion": 2,
    "newest": 2,
    "endpoints": (EndpointSign(name="e", state="serving", version=2, predictions_24h=5000, errors_24h=0, p95_ms=4.0),),
    "monitors": ("inputs",),
}
CRITICAL = AlertSign(alert_id="al-1", title="RELP: codes that the reference never had", is_critical=True, since=NOW)
WARNING = AlertSign(alert_id="al-2", title="ANC drifts", is_critical=False, since=NOW)
ROLLED_BACK = RolloutSign(rollout_id="ro-1", endpoint="e", state="rolled_back", to_version=3, reason="wrong labels")
CANARY = RolloutSign(rollout_id="ro-2", endpoint="e", state="canary", to_version=3, weight=2500)
DRIFT = DriftSummary(column="SCHL", value=0.041, threshold=0.03, is_flagged=True, window_id="w-1")
LOW = QualitySign(measure="accuracy", basis="realised", estimate=Estimate(value=0.77, low=0.75, high=0.79), limit=0.769)


def facts(**fields: Any) -> Facts:
    return Facts(name=ModelName("m"), at=NOW, **{**HEALTHY, **fields})


def asked(ago: timedelta) -> ApprovalSign:
    return ApprovalSign(question="may v3 serve?", approvers=("anna",), since=NOW - ago)


def answering(**fields: Any) -> tuple[EndpointSign, ...]:
    return (EndpointSign(name="e", state="serving", **{"version": 2, "predictions_24h": 100, **fields}),)


SCENARIOS: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("all well", {}, "ok", ["all checks passed"]),
    ("critical alert", {"alerts": (CRITICAL,)}, "bad", [CRITICAL.title]),
    ("warning alert", {"alerts": (WARNING,)}, "warn", ["ANC drifts"]),
    ("critical before warning", {"alerts": (WARNING, CRITICAL)}, "bad", [CRITICAL.title, "ANC drifts"]),
    ("every answer failed", {"endpoints": answering(errors_24h=100)}, "bad", ["endpoint e: all 100 predictions"]),
    ("some answers failed", {"endpoints": answering(errors_24h=3)}, "ok", ["all checks passed"]),
    ("rolled back", {"rollouts": (ROLLED_BACK,)}, "bad", ["v3 was rolled back, nobody looked yet"]),
    (
        "rolled back and looked at",
        {
            "rollouts": (
                RolloutSign(rollout_id="r", endpoint="e", state="rolled_back", to_version=3, is_acknowledged=True),
            )
        },
        "ok",
        ["all checks passed"],
    ),
    ("drift without an alert yet", {"drift": DRIFT}, "warn", ["drift in SCHL: 0.041, 0.03 counts"]),
    (
        "drift that the alert tells already",
        {
            "drift": DriftSummary(column="ANC", value=0.05, threshold=0.03, is_flagged=True, window_id="w"),
            "alerts": (WARNING,),
        },
        "warn",
        ["ANC drifts"],
    ),
    ("quality may be under the limit", {"quality": LOW}, "warn", ["accuracy realised may be 0.750, under the limit"]),
    ("rollout under way", {"rollouts": (CANARY,)}, "info", ["v3 in canary at 25 %"]),
    ("alert during a rollout", {"rollouts": (CANARY,), "alerts": (WARNING,)}, "warn", ["ANC drifts", "v3 in canary"]),
    ("waits since an hour", {"approvals": (asked(timedelta(hours=1)),)}, "info", ["waits for anna: may v3 serve?"]),
    ("waits since two days", {"approvals": (asked(timedelta(days=2)),)}, "warn", ["waits for anna"]),
    ("no version", {"newest": 0, "champion": 0, "endpoints": ()}, "idle", ["no version yet"]),
    ("not served", {"endpoints": ()}, "idle", ["no endpoint serves it"]),
    ("an empty endpoint", {"endpoints": answering(version=0)}, "idle", ["no endpoint serves it"]),
    ("nobody asks", {"endpoints": answering(predictions_24h=0)}, "idle", ["no prediction in 24 h"]),
    ("nobody watches", {"monitors": ()}, "idle", ["no monitor watches it"]),
]


@pytest.mark.parametrize(
    ("fields", "state", "texts"), [one[1:] for one in SCENARIOS], ids=[one[0] for one in SCENARIOS]
)
def test_the_light_is_that_of_the_worst_sign(fields: dict[str, Any], state: str, texts: list[str]) -> None:
    row = row_of(facts(**fields))

    assert row.state == state
    assert [reason.text[: len(text)] for reason, text in zip(row.reasons, texts, strict=True)] == texts
    assert all(reason.link.startswith("/") for reason in row.reasons)


def test_two_reasons_are_shown_and_the_rest_is_counted() -> None:
    row = row_of(facts(alerts=(CRITICAL, WARNING), rollouts=(ROLLED_BACK,), quality=LOW))

    assert (len(row.reasons), row.more_reasons, row.open_alerts) == (2, 2, 2)


def test_waiting_and_running_have_a_word_each() -> None:
    assert row_of(facts(approvals=(asked(timedelta(hours=1)),))).word == "Waiting"
    assert row_of(facts(rollouts=(CANARY,))).word == "Running"
    assert (row_of(facts(rollouts=(CANARY,))).rollout_id, row_of(facts()).rollout_id) == ("ro-2", "")


fragments = st.fixed_dictionaries(
    {},
    optional={
        "alerts": st.lists(st.sampled_from([CRITICAL, WARNING]), max_size=3).map(tuple),
        "rollouts": st.sampled_from([(), (CANARY,), (ROLLED_BACK,)]),
        "quality": st.sampled_from([None, LOW]),
        "drift": st.sampled_from([None, DRIFT]),
        "monitors": st.sampled_from([(), ("inputs",)]),
        "approvals": st.sampled_from([(), (asked(timedelta(hours=1)),), (asked(timedelta(days=3)),)]),
    },
)


@settings(max_examples=50)
@given(fragments)
def test_reasons_stand_in_the_order_of_their_rank(fields: dict[str, Any]) -> None:
    ranks = [RANK[reason.state] for reason in reasons_of(facts(**fields))]

    assert ranks == sorted(ranks)


@settings(max_examples=50)
@given(fragments)
def test_a_further_critical_alert_never_makes_the_light_better(fields: dict[str, Any]) -> None:
    more = {**fields, "alerts": (*fields.get("alerts", ()), CRITICAL)}

    assert RANK[row_of(facts(**more)).state] <= RANK[row_of(facts(**fields)).state]


def test_the_summary_counts_each_row_once() -> None:
    rows = [row_of(facts()), row_of(facts(alerts=(CRITICAL,), score=1.0)), row_of(facts(score=3.0))]

    summary = summary_of(rows)

    assert (summary.models, summary.ok, summary.bad, summary.open_alerts) == (3, 2, 1, 1)
    assert (summary.predictions_24h, summary.median_score) == (15_000, 2.0)
    assert summary_of([]).median_score is None
