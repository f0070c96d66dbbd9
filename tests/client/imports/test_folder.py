"""A folder that MLflow's file store wrote comes over like a database, and is not changed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.client.imports.near import bring, client_of

from airside.client.imports.folder import staged
from airside.client.imports.trust import Trust
from airside.client.transport import Client
from airside.core.errors import Invalid
from airside.platform.wiring import Platform
from airside.registry.operations.models import GetModel
from airside.registry.operations.versions import GetVersion
from airside.tracking.logged_models.operations import GetLoggedModel
from airside.tracking.operations.experiments import GetExperiment
from airside.tracking.operations.histories import GetMetricHistory
from airside.tracking.operations.runs import GetRun
from airside.tracking.traces.operations.reading import GetTraceInfo

RUN, MODEL, LONG_ID = "a" * 32, "m-" + "b" * 32, "594210525158110088"


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def meta(folder: Path, **facts: object) -> None:
    put(folder / "meta.yaml", yaml.safe_dump(facts))


@pytest.fixture
def mlruns(tmp_path: Path) -> Path:
    """A folder as MLflow 3 writes it: an experiment, a deleted one, a run, a logged model, a registered model."""
    top = tmp_path / "mlruns"
    meta(top / "0", experiment_id="0", name="Default", artifact_location=f"file://{top}/0", lifecycle_stage="active")
    place = top / LONG_ID
    meta(
        place,
        experiment_id=LONG_ID,
        name="churn",
        artifact_location=f"file://{place}",
        lifecycle_stage="active",
        creation_time=5,
        last_update_time=6,
    )
    put(place / "tags" / "team", "fraud")
    _traces(place / "traces")
    gone = top / ".trash" / "7"
    meta(gone, experiment_id="7", name="gone", artifact_location=f"file://{top}/7", lifecycle_stage="deleted")
    meta(place / "datasets" / "d1", name="people", digest="x1", source_type="local", source="x.csv")
    _run(place / RUN)
    _logged_model(place / "models" / MODEL)
    _registered(top / "models" / "churn", f"file://{place}/{RUN}/artifacts/model")
    return top


def _traces(folder: Path) -> None:
    """One in the form of release 3, with an assessment; one in that of release 2."""
    new, old = folder / "tr-1", folder / ("c" * 32)
    info = {"trace_id": "tr-1", "request_time": "2026-11-21T21:35:42.734000999Z", "execution_duration_ms": 7}
    put(new / "trace_info.yaml", yaml.safe_dump({**info, "state": "OK", "request_preview": "hëllo"}))
    put(new / "tags" / "mlflow.artifactLocation", f"file://{new}/artifacts")
    put(new / "artifacts" / "traces.json", "{}")
    thought = {"assessment_id": "a-1", "assessment_name": "plain", "create_time": "2026-11-21T21:35:44.024Z"}
    value = {"serialized_value": {"serialization_format": "JSON_FORMAT", "value": '["a"]'}}
    source = {"source_type": "HUMAN", "source_id": "ana"}
    facts = {**thought, "last_update_time": "2026-11-21T21:35:44Z", "expectation": value, "source": source}
    put(new / "assessments" / "a-1.yaml", yaml.safe_dump(facts))
    info = {"request_id": "c" * 32, "timestamp_ms": 5, "execution_time_ms": None, "status": "IN_PROGRESS"}
    put(old / "trace_info.yaml", yaml.safe_dump(info))
    put(old / "request_metadata" / "k", "v")


def _run(folder: Path) -> None:
    meta(
        folder,
        run_id=RUN,
        run_name="first",
        user_id="ana",
        status=4,
        start_time=10,
        end_time=20,
        lifecycle_stage="active",
        artifact_uri=f"file://{folder}/artifacts",
        experiment_id=LONG_ID,
    )
    put(folder / "params" / "deep" / "lr", "0.1\nand more")
    put(folder / "tags" / "mlflow.runName", "first")
    put(folder / "metrics" / "loss", "1 0.5 0\n2 nan 1\n2 nan 1\n3 inf 2\n")
    put(folder / "metrics" / "old", "7 0.25\n")
    put(folder / "artifacts" / "model" / "x.txt", "hello")
    facts = {"source_type": "DATASET", "source_id": "d1", "destination_type": "RUN", "destination_id": RUN}
    meta(folder / "inputs" / "i1", **facts, tags={"mlflow.data.context": "train"})
    meta(folder / "inputs" / "i2", source_type="MODEL", source_id="m-other", destination_id=RUN, tags={})
    meta(folder / "outputs" / MODEL, source_type="RUN_OUTPUT", destination_type="MODEL_OUTPUT", step=3)


def _logged_model(folder: Path) -> None:
    meta(
        folder,
        model_id=MODEL,
        name="model",
        artifact_location=f"file://{folder}/artifacts",
        creation_timestamp=1,
        last_updated_timestamp=2,
        status=2,
        source_run_id=RUN,
        lifecycle_stage="active",
    )
    put(folder / "metrics" / "auc", f"5 0.75 2 {RUN} big people x1\n6 0.5 3 {RUN}\n")
    put(folder / "params" / "d", "1")
    put(folder / "artifacts" / "MLmodel", "flavors: {}\n")


def _registered(folder: Path, source: str) -> None:
    meta(folder, name="churn", creation_timestamp=1, last_updated_timestamp=2, description="good")
    put(folder / "tags" / "owner", "ana")
    put(folder / "aliases" / "champion", "1")
    facts = {"name": "churn", "version": 1, "source": source, "run_id": RUN, "current_stage": "Staging"}
    meta(folder / "version-1", **facts, status="READY", creation_timestamp=1, last_updated_timestamp=2)
    put(folder / "version-1" / "tags" / "q", "1")


def listing(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*"))


def test_all_of_a_folder_is_here_and_the_folder_is_untouched(platform: Platform, mlruns: Path) -> None:
    client, before = client_of(platform), listing(mlruns)

    done = bring(client, f"file://{mlruns}")

    assert (done.kind, done.report.n_differences, listing(mlruns)) == ("mlflow-folder", 0, before)
    assert [(count.kind, count.here) for count in done.report.counts] == [
        ("experiments", 3),
        ("runs", 1),
        ("logged models", 1),
        ("registered models", 1),
        ("model versions", 1),
        ("traces", 2),
        ("evaluation datasets", 0),
        ("scorers", 0),
        ("webhooks", 0),
    ]
    experiment = client.call(GetExperiment(experiment_id=LONG_ID))
    assert (experiment.name, experiment.created_ms, experiment.tags[0].value) == ("churn", 5, "fraud")
    assert client.call(GetExperiment(experiment_id="7")).lifecycle_stage == "deleted"
    _check_run(client)
    _check_models(client)
    with platform.artifacts.open(f"{LONG_ID}/{RUN}/artifacts/model/x.txt") as file:
        assert b"".join(file.pieces()) == b"hello"


def _check_run(client: Client) -> None:
    run = client.call(GetRun(run_id=RUN))
    history = client.call(GetMetricHistory(run_id=RUN, key="loss")).items
    assert (run.info.name, run.info.user_id, run.info.status, run.info.end_time_ms) == ("first", "ana", "FAILED", 20)
    assert [(param.key, param.value) for param in run.params] == [("deep/lr", "0.1\nand more")]
    assert [(p.timestamp_ms, p.step, p.value) for p in history] == [
        (1, 0, 0.5),
        (2, 1, None),
        (3, 2, 1.7976931348623157e308),
    ]
    assert {metric.key: metric.step for metric in run.metrics} == {"loss": 2, "old": 0}
    assert [each.dataset.digest for each in run.dataset_inputs] == ["x1"]
    assert (run.model_inputs, run.model_outputs[0].step) == (("m-other",), 3)


def _check_models(client: Client) -> None:
    model = client.call(GetLoggedModel(model_id=MODEL))
    assert (model.status, model.artifact_uri) == ("READY", f"mlflow-artifacts:/{LONG_ID}/models/{MODEL}/artifacts")
    assert [(p.value, p.step, p.run_id, p.dataset_name, p.dataset_digest) for p in model.metrics] == [
        (0.75, 2, RUN, "big people", "x1"),
        (0.5, 3, RUN, "", ""),
    ]
    version = client.call(GetVersion(name="churn", version=1))
    assert (version.stage, version.tags, version.aliases) == ("Staging", {"q": "1"}, ("champion",))
    assert version.source == f"mlflow-artifacts:/{LONG_ID}/{RUN}/artifacts/model"
    assert client.call(GetModel(name="churn")).description == "good"


def _cut_meta(top: Path) -> Path:
    path = top / LONG_ID / RUN / "meta.yaml"
    path.write_text("")
    return path


def _strange_line(top: Path) -> Path:
    path = top / LONG_ID / RUN / "metrics" / "loss"
    path.write_text("1 0.5 0\n1 high 0\n")
    return path


def _strange_yaml(top: Path) -> Path:
    path = top / "models" / "churn" / "meta.yaml"
    path.write_text("{[")
    return path


def _strange_alias(top: Path) -> Path:
    path = top / "models" / "churn" / "aliases" / "champion"
    path.write_text("one")
    return path


@pytest.mark.parametrize("damage", [_cut_meta, _strange_line, _strange_yaml, _strange_alias])
def test_a_damaged_file_is_named(mlruns: Path, damage: Callable[[Path], Path]) -> None:
    path = damage(mlruns)

    with pytest.raises(Invalid, match=str(path)):
        staged(mlruns, Trust([mlruns]))


def test_what_was_staged_is_gone_afterwards(mlruns: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", os.fspath(tmp_path / "temporary"))

    source = staged(mlruns, Trust([mlruns]))
    assert list((tmp_path / "temporary").iterdir()) != []
    source.close()

    assert list((tmp_path / "temporary").iterdir()) == []


def test_traces_of_both_forms_come_with_what_was_thought_of_them(platform: Platform, mlruns: Path) -> None:
    client = client_of(platform)

    done = bring(client, mlruns)

    new, old = (client.call(GetTraceInfo(trace_id=trace_id)) for trace_id in ("tr-1", "c" * 32))
    assert done.report.n_differences == 0
    assert (new.request_ms, new.duration_ms, new.state, new.request_preview) == (1795296942734, 7, "OK", "hëllo")
    assert new.tags == {"mlflow.artifactLocation": f"mlflow-artifacts:/{LONG_ID}/traces/tr-1/artifacts"}
    assert [(each.kind, each.value, each.source_id) for each in new.assessments] == [("expectation", ["a"], "ana")]
    assert (old.request_ms, old.duration_ms, old.state, old.metadata) == (5, None, "IN_PROGRESS", {"k": "v"})
    with platform.artifacts.open(f"{LONG_ID}/traces/tr-1/artifacts/traces.json") as file:
        assert b"".join(file.pieces()) == b"{}"


def test_an_infinite_value_is_the_largest_there_is(platform: Platform, mlruns: Path) -> None:
    put(mlruns / LONG_ID / RUN / "metrics" / "endless", "1 inf 0\n2 -inf 1\n3 nan 2\n")
    client = client_of(platform)

    done = bring(client, mlruns)

    points = client.call(GetMetricHistory(run_id=RUN, key="endless")).items
    assert [each.value for each in points] == [1.7976931348623157e308, -1.7976931348623157e308, None]
    assert done.report.n_differences == 0
