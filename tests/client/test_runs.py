"""Runs as people log them, in this process: nothing that was logged is lost, and mistakes are told."""

import math
import pickle
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

import airside
from airside.client.recording import outbox, stack
from airside.client.recording.run import Run
from airside.client.transport import Client
from airside.core.errors import Invalid, NotFound
from airside.core.ids import RunId
from airside.tracking.artifacts import ListArtifacts
from airside.tracking.operations.experiments import GetExperimentByName
from airside.tracking.operations.histories import GetMetricHistory
from airside.tracking.operations.runs import DeleteRun, GetRun
from airside.tracking.records import Run as StoredRun


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("AIRSIDE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIRSIDE_CAPTURE", "none")
    for name in ("AIRSIDE_URL", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    with airside.open(tmp_path / "home") as opened:
        yield opened
        for run in reversed(stack.all_active()):
            run.finish("FAILED")


def start(client: Client, name: str = "", **options: Any) -> Run:
    return airside.start_run(name, client=client, **options)


def got(client: Client, run_id: RunId) -> StoredRun:
    return client.call(GetRun(run_id=run_id))


def steps(client: Client, run: Run, key: str) -> list[int]:
    return [point.step for point in client.call(GetMetricHistory(run_id=run.run_id, key=key)).items]


def raise_it(error: BaseException) -> None:
    raise error


def test_all_that_was_logged_is_there_when_the_run_ends(client: Client) -> None:
    with start(client, "first", experiment="mine", tags={"team": "core"}, note="*why*") as run:
        run.params({f"p{index}": index for index in range(150)}, tree={"depth": 7})
        for step in range(2500):
            run.log({"loss": 1 / (step + 1)}, step=step, acc=0.5)
    stored = got(client, run.run_id)
    tags = {tag.key: tag.value for tag in stored.tags}
    assert (stored.info.status, stored.info.name, len(stored.params)) == ("FINISHED", "first", 151)
    assert (tags["team"], tags["mlflow.note.content"]) == ("core", "*why*")
    assert ("tree.depth", "7") in {(param.key, param.value) for param in stored.params}
    assert stored.info.experiment_id == client.call(GetExperimentByName(name="mine")).experiment_id
    assert steps(client, run, "loss") == list(range(2500))


def test_without_a_step_the_points_of_a_metric_are_counted_and_a_resumed_run_counts_on(client: Client) -> None:
    with start(client) as run:
        run.log(a=1, b=1)
        run.log(a=2)
        run.log(a=3, step=10)
    with start(client, run_id=run.run_id) as again:
        again.log(a=4)
    assert (steps(client, run, "a"), steps(client, run, "b")) == ([0, 1, 10, 11], [0])
    assert got(client, run.run_id).info.status == "FINISHED"


def test_a_run_left_by_an_error_has_failed_and_says_why_without_the_secret(client: Client) -> None:
    run = start(client)
    run.log(m=1.0)
    try:
        with run:
            raise_it(ValueError("no such user, password=hunter2"))
    except ValueError:
        pass
    stored = got(client, run.run_id)
    tags = {tag.key: tag.value for tag in stored.tags}
    assert (stored.info.status, len(stored.metrics)) == ("FAILED", 1)
    assert tags["airside.error"] == "ValueError: no such user, password=***"
    assert "test_runs.py" in tags["mlflow.note.content"]
    assert "hunter2" not in tags["mlflow.note.content"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (KeyboardInterrupt(), "KILLED"),
        (stack.Terminated(143), "KILLED"),
        (SystemExit(0), "FINISHED"),
        (SystemExit(3), "FAILED"),
    ],
)
def test_how_a_run_is_left_decides_how_it_ended(client: Client, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), start(client) as run:
        raise error
    assert got(client, run.run_id).info.status == status


def test_what_json_cannot_carry_arrives(client: Client) -> None:
    with start(client) as run:
        run.log({"nan": math.nan, "inf": math.inf, "np": np.float32(0.5), "int": 3, "bool": True})
    values = {metric.key: metric.value for metric in got(client, run.run_id).metrics}
    assert values == {"nan": None, "inf": sys.float_info.max, "np": 0.5, "int": 3.0, "bool": 1.0}


@pytest.mark.parametrize("wrong", [{"a$": 1.0}, {"b": "text"}, {"b": None}])
def test_a_metric_that_cannot_be_is_refused_where_it_is_logged(client: Client, wrong: dict[str, Any]) -> None:
    with start(client) as run:
        with pytest.raises(Invalid):
            run.log({"fine": 1.0, **wrong})
        run.log({"fine": 2.0})
    assert [metric.value for metric in got(client, run.run_id).metrics] == [2.0]


def test_a_full_memory_makes_the_caller_wait_and_loses_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_WAITING", 10)
    with start(client) as run:
        for step in range(200):
            run.log({"m": float(step)}, step=step)
    assert len(steps(client, run, "m")) == 200


def test_what_the_server_refuses_is_told_once_and_at_the_end_and_raised_by_flush(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    run = start(client)
    client.call(DeleteRun(run_id=run.run_id))
    run.log(m=1.0)
    with pytest.raises(Invalid, match="must be in the 'active' state"):
        run.flush()
    run.log(m=2.0)
    run.finish()
    said = capsys.readouterr().err
    assert said.count("not recorded") == 1
    assert f"run {run.name} is not complete: The run" in said


def test_a_run_that_has_ended_takes_nothing_more(client: Client) -> None:
    with start(client) as run:
        pass
    with pytest.raises(Invalid, match="has ended"):
        run.log(m=1.0)
    run.finish("FAILED")
    assert got(client, run.run_id).info.status == "FINISHED"


def test_files_texts_tables_and_pictures_become_artifacts(client: Client, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "one.txt").write_text("one")
    (folder / "two.bin").write_bytes(b"\0\1")
    with start(client) as run:
        run.artifact(folder / "two.bin")
        run.artifact(folder / "two.bin", "models/")
        run.artifact(folder, "all")
        run.text("notes/a.txt", "über")
        run.json("config", {"a": np.int64(1)})
        run.table("rows", pa.table({"x": [1, 2]}))
        run.image("grey", np.zeros((2, 3)))
        (folder / "two.bin").write_bytes(b"changed afterwards")
    root = got(client, run.run_id).info.artifact_uri.removeprefix("mlflow-artifacts:/")
    names = {item.path for item in client.call(ListArtifacts(run_id=run.run_id)).items}
    assert names == {"two.bin", "models", "all", "notes", "config", "rows.json", "grey.png"}
    assert client.download_artifact(f"{root}/models/two.bin") == b"\0\1"
    assert client.download_artifact(f"{root}/all/deep/one.txt") == b"one"
    assert client.download_artifact(f"{root}/notes/a.txt").decode() == "über"
    assert client.download_artifact(f"{root}/grey.png").startswith(b"\x89PNG")
    assert msgspec.json.decode(client.download_artifact(f"{root}/rows.json")) == {"columns": ["x"], "data": [[1], [2]]}


def test_a_large_file_is_there_when_the_call_returns(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airside.client.recording.run.COPY_BYTES", 10)
    (tmp_path / "large").write_bytes(b"x" * 100)
    with start(client) as run:
        run.artifact(tmp_path / "large")
        assert [item.path for item in client.call(ListArtifacts(run_id=run.run_id)).items] == ["large"]


@pytest.mark.parametrize("to", ["../out", "/etc/x", "a/../../b"])
def test_an_artifact_stays_in_its_run(client: Client, to: str) -> None:
    with start(client) as run, pytest.raises(Invalid):
        run.text(to, "x")


def test_a_child_says_whose_it_is_and_a_second_run_must_say_so(client: Client) -> None:
    with start(client, "above") as above:
        with pytest.raises(Invalid, match="is active in this thread"):
            start(client)
        with start(client, "below", nested=True) as below:
            assert airside.active_run() is below
        assert airside.active_run() is above
    assert airside.active_run() is None
    tags = {tag.key: tag.value for tag in got(client, below.run_id).tags}
    assert tags["mlflow.parentRunId"] == above.run_id


def test_threads_have_runs_of_their_own(client: Client) -> None:
    made: list[Run] = []

    def work() -> None:
        with start(client) as run:
            run.log(m=1.0)
            made.append(run)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {got(client, run.run_id).info.status for run in made} == {"FINISHED"}
    assert len({run.run_id for run in made}) == 4


def test_a_copy_of_a_run_is_the_run(client: Client) -> None:
    with start(client) as run:
        assert pickle.loads(pickle.dumps(run)) is run


def test_an_unknown_run_cannot_be_gone_on_with(client: Client) -> None:
    with pytest.raises(NotFound, match="There is no run"):
        start(client, run_id="f" * 32)


def test_the_environment_names_the_experiment_and_a_launchers_run(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "from mlflow")
    with start(client) as first:
        pass
    monkeypatch.setenv("AIRSIDE_RUN_ID", first.run_id)
    with start(client) as second:
        pass
    found = client.call(GetExperimentByName(name="from mlflow"))
    assert got(client, first.run_id).info.experiment_id == found.experiment_id
    assert second.run_id == first.run_id


def test_a_notebook_shows_a_link(client: Client) -> None:
    with start(client, "<b>") as run:
        assert run._repr_html_() == f"Airside run <b>&lt;b&gt;</b> <code>{run.run_id}</code>"
