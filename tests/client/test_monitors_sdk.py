"""Monitors from Python, on a platform in this process whose reactions run."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.monitoring.making import START, flagged
from tests.monitoring.serving import ENDPOINT, MODEL, MONITOR, SMALL

import airside
from airside.client.sdk.monitors import (
    acknowledge,
    alerts,
    close,
    create_monitor,
    ml_test_score,
    model_card,
    wait_window,
    windows,
)
from airside.client.transport import Client
from airside.core.errors import AlreadyExists, DeadlineExceeded
from airside.core.ids import EndpointName
from airside.monitoring.operations.windows import RecordWindow
from airside.monitoring.records import ColumnFinding, WindowResult
from airside.registry.operations.aliases import SetAlias
from airside.registry.operations.models import CreateModel
from airside.registry.operations.versions import CreateVersion
from airside.serving.operations.endpoints import CreateEndpoint


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with airside.open(tmp_path / "home") as client:
        reference = client.put_blob(msgspec.json.encode(SMALL))
        client.call(CreateModel(name=MODEL))
        client.call(CreateVersion(name=MODEL, source="s3://bucket/model", reference=reference))
        client.call(SetAlias(name=MODEL, alias="champion", version=1))
        client.call(CreateEndpoint(name=ENDPOINT, model=MODEL))
        create_monitor(client, MONITOR, endpoint=ENDPOINT, policy="retrain")
        yield client


def record(client: Client, delivery: str, *found: ColumnFinding) -> None:
    result = WindowResult(rows=100, columns=found)
    client.call(
        RecordWindow(
            monitor=MONITOR,
            delivery=delivery,
            from_at=START,
            to_at=START,
            version=1,
            reference_version=1,
            result=result,
        )
    )


def test_to_create_a_monitor_again_answers_the_one_that_is_there(client: Client) -> None:
    assert create_monitor(client, MONITOR, endpoint=ENDPOINT).policy == "retrain"
    client.call(CreateEndpoint(name=EndpointName("other"), model=MODEL))
    with pytest.raises(AlreadyExists):
        create_monitor(client, MONITOR, endpoint="other")


def test_a_window_is_waited_for_and_every_one_is_listed(client: Client) -> None:
    for name in ("a", "b"):
        record(client, name)

    assert wait_window(client, MONITOR, delivery="b").delivery == "b"
    assert [one.delivery for one in windows(client, MONITOR)] == ["b", "a"]


def test_to_wait_in_vain_says_what_may_be_wrong(client: Client) -> None:
    with pytest.raises(DeadlineExceeded, match="was not analysed"):
        wait_window(client, MONITOR, delivery="never", timeout_s=0)
    record(client, "a")
    with pytest.raises(DeadlineExceeded, match="is not as asked"):
        wait_window(client, MONITOR, delivery="a", timeout_s=0, until=lambda window: window.labelled > 0)


def test_alerts_are_seen_taken_on_and_closed(client: Client) -> None:
    for name in ("a", "b"):
        record(client, name, flagged())
    (alert,) = alerts(client, monitor=MONITOR)

    assert acknowledge(client, alert, "mine").state == "acknowledged"
    assert close(client, alert.alert_id).state == "closed"
    assert alerts(client) == []
    assert [one.alert_id for one in alerts(client, state="closed")] == [alert.alert_id]


def test_card_and_score_are_a_call_away(client: Client) -> None:
    assert model_card(client, MODEL).version == 1
    assert len(ml_test_score(client, MODEL).tests) == 28
