"""Runs as people handle them: nothing that was logged is lost, and mistakes are told."""

import math
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import airside
from airside.client.sdk import runs
from airside.client.sdk.runs import ActiveRun, start_run
from airside.client.transport import Client
from airside.core.errors import Invalid
from airside.core.ids import RunId
from airside.tracking.operations.experiments import GetExperimentByName
from airside.tracking.operations.histories import GetMetricHistory
from airside.tracking.operations.runs import DeleteRun, GetRun
from airside.tracking.records import Run


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with airside.open(tmp_path / "home") as opened:
        yield opened


def got(client: Client, run_id: RunId) -> Run:
    return client.call(GetRun(run_id=run_id))


def test_all_that_was_logged_is_there_when_the_run_ends(client: Client) -> None:
    with start_run(client, experiment="mine", name="first", tags={"team": "core"}) as run:
        run.log_params({f"p{index}": index for index in range(150)})
        for step in range(2500):
            run.log({"loss": 1 / (step + 1), "step": step}, step=step)
    stored = got(client, run.run_id)
    assert (stored.info.status, stored.info.name, len(stored.params)) == ("FINISHED", "first", 150)
    assert stored.info.experiment_id == client.call(GetExperimentByName(name="mine")).experiment_id
    assert len(client.call(GetMetricHistory(run_id=run.run_id, key="loss")).items) == 2500


def test_a_run_left_by_an_error_has_failed(client: Client) -> None:
    run = start_run(client)
    run.log({"m": 1.0})
    run.__exit__(ValueError, ValueError(), None)
    stored = got(client, run.run_id)
    assert (stored.info.status, len(stored.metrics)) == ("FAILED", 1)


def test_what_json_cannot_carry_arrives(client: Client) -> None:
    with start_run(client) as run:
        run.log({"nan": math.nan, "inf": math.inf})
    values = {metric.key: metric.value for metric in got(client, run.run_id).metrics}
    assert values == {"nan": None, "inf": sys.float_info.max}


def test_a_name_that_breaks_a_rule_is_refused_where_it_is_logged(client: Client) -> None:
    with start_run(client) as run:
        with pytest.raises(Invalid, match="Names may only contain"):
            run.log({"fine": 1.0, "a$": 1.0})
        run.log({"fine": 2.0})
    assert [metric.value for metric in got(client, run.run_id).metrics] == [2.0]


def test_a_full_memory_makes_the_caller_wait_and_loses_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "MAX_WAITING", 10)
    with start_run(client) as run:
        for step in range(200):
            run.log({"m": float(step)}, step=step)
    assert len(client.call(GetMetricHistory(run_id=run.run_id, key="m")).items) == 200


def test_a_run_that_was_deleted_meanwhile_says_so_at_its_end(client: Client) -> None:
    run: ActiveRun = start_run(client)
    client.call(DeleteRun(run_id=run.run_id))
    run.log({"m": 1.0})
    with pytest.raises(Invalid, match="must be in the 'active' state"):
        run.end()
