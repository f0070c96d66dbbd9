"""What was exported comes back equal; a damaged folder is refused, and names the file; nothing half-written stays."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.client.imports.near import Quiet, client_of

from airside.client.folders.bringing import Bringing, bring
from airside.client.folders.export import export_experiment, export_model, export_run
from airside.client.folders.layout import MANIFEST, as_name, read_manifest
from airside.client.transport import Client
from airside.core.errors import Conflict, Invalid, NotFound
from airside.core.settings import Settings
from airside.platform.wiring import Platform
from airside.registry.operations.aliases import SetAlias
from airside.registry.operations.models import CreateModel, GetModel
from airside.registry.operations.versions import CreateVersion, DeleteVersion, GetDownloadUri, GetVersion
from airside.tracking.imports.records import Import
from airside.tracking.logged_models.operations import CreateLoggedModel, GetLoggedModel, SetLoggedModelStatus
from airside.tracking.operations.experiments import CreateExperiment, GetExperiment
from airside.tracking.operations.histories import GetMetricHistory
from airside.tracking.operations.logging import LogBatch, LogInputs, LogOutputs
from airside.tracking.operations.runs import CreateRun, DeleteRun, GetRun, SearchRuns, UpdateRun
from airside.tracking.records import Dataset, DatasetInput, LoggedMetric, ModelOutput, Param, Run, Tag


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Platform]:
    """Another platform, new."""
    opened = Platform.open(tmp_path / "other", settings=Settings.load(None, environment={}))
    yield opened
    opened.close()


@pytest.fixture
def client(platform: Platform) -> Client:
    return client_of(platform)


def brought(target: Platform, folder: Path, **how: Any) -> Import:
    return bring(client_of(target), folder, Bringing(**how), Quiet())


def make_run(client: Client, experiment_id: str, parent: str = "") -> str:
    tags = (Tag(key="mlflow.parentRunId", value=parent),) if parent else ()
    run_id = client.call(CreateRun(experiment_id=experiment_id, name="ünï", start_time_ms=1, tags=tags)).info.run_id
    metrics = tuple(LoggedMetric(key="loss", value=1 / (step + 1), timestamp_ms=step, step=step) for step in range(30))
    odd = (
        LoggedMetric(key="loss", value=None, timestamp_ms=99, step=99),
        LoggedMetric(key="a/b", value=5e-324, timestamp_ms=0, step=-1),
    )
    client.call(LogBatch(run_id=run_id, metrics=(*metrics, *odd), params=(Param(key="p", value="a\nb"),)))
    data = Dataset(name="people", digest="d", source_type="local", source="x", schema="{}", profile=None)
    inputs = (DatasetInput(dataset=data, tags=(Tag(key="mlflow.data.context", value="train"),)),)
    client.call(LogInputs(run_id=run_id, datasets=inputs))
    client.upload_artifact(f"{experiment_id}/{run_id}/artifacts/deep/ünï 1.txt", b"hello")
    client.upload_artifact(f"{experiment_id}/{run_id}/artifacts/run.json", b"{}")
    client.call(UpdateRun(run_id=run_id, status="FINISHED", end_time_ms=9))
    return run_id


@pytest.fixture
def world(client: Client) -> dict[str, str]:
    """An experiment with runs, a logged model, and a registered model."""
    experiment_id = client.call(CreateExperiment(name="churn", tags=(Tag(key="t", value="1"),))).experiment_id
    run_id = make_run(client, experiment_id)
    child = make_run(client, experiment_id, parent=run_id)
    deleted = make_run(client, experiment_id)
    client.call(DeleteRun(run_id=deleted))
    model = client.call(
        CreateLoggedModel(experiment_id=experiment_id, name="m", source_run_id=run_id, params=(Param(key="d"),))
    )
    client.call(LogOutputs(run_id=run_id, models=(ModelOutput(model_id=model.model_id, step=4),)))
    point = LoggedMetric(key="auc", value=0.5, timestamp_ms=1, model_id=model.model_id, dataset_name="people")
    client.call(LogBatch(run_id=run_id, metrics=(point,)))
    client.upload_artifact(f"{experiment_id}/models/{model.model_id}/artifacts/MLmodel", b"flavors: {}\n")
    client.call(SetLoggedModelStatus(model_id=model.model_id, status="READY"))
    client.call(CreateModel(name="churn model", description="A **model**", tags={"a": "b"}))
    files = {"MLmodel": client.put_blob(b"x: 1\n"), "deep/model.json": client.put_blob(b"{}")}
    reference = client.put_blob(b"profile")
    client.call(CreateVersion(name="churn model", source=f"models:/{model.model_id}", model_id=model.model_id))
    client.call(
        CreateVersion(name="churn model", source="s3://bucket/x", files=files, reference=reference, golden="equal")
    )
    client.call(CreateVersion(name="churn model", source="s3://bucket/y"))
    client.call(DeleteVersion(name="churn model", version=3))
    client.call(SetAlias(name="churn model", alias="champion", version=2))
    return {"experiment": experiment_id, "run": run_id, "child": child, "deleted": deleted, "model": model.model_id}


def told(client: Client, run_id: str) -> tuple[Any, ...]:
    """All that a run holds, in an order of its own."""
    run = client.call(GetRun(run_id=run_id))
    histories = {m.key: client.call(GetMetricHistory(run_id=run_id, key=m.key)).items for m in run.metrics}
    return (
        run.info,
        sorted(run.params, key=lambda each: each.key),
        sorted(run.tags, key=lambda each: each.key),
        run.dataset_inputs,
        run.model_outputs,
        sorted(run.metrics, key=lambda each: each.key),
        histories,
    )


def test_an_experiment_comes_back_equal(client: Client, other: Platform, tmp_path: Path, world: dict[str, str]) -> None:
    manifest = export_experiment(client, world["experiment"], tmp_path / "out")

    done = brought(other, tmp_path / "out")

    there = client_of(other)
    assert (done.report.n_differences, manifest.kind, manifest.notes) == (0, "experiment", ())
    assert there.call(GetExperiment(experiment_id=world["experiment"])) == client.call(
        GetExperiment(experiment_id=world["experiment"])
    )
    for name in ("run", "child", "deleted"):
        assert told(there, world[name]) == told(client, world[name])
    assert there.call(GetLoggedModel(model_id=world["model"])) == client.call(GetLoggedModel(model_id=world["model"]))
    assert brought(other, tmp_path / "out").report.counts == done.report.counts


def test_a_model_comes_back_equal_with_what_it_came_from(
    client: Client, other: Platform, tmp_path: Path, world: dict[str, str]
) -> None:
    export_model(client, "churn model", tmp_path / "out")

    done = brought(other, tmp_path / "out")

    there = client_of(other)
    assert done.report.n_differences == 0
    plain = msgspec.structs.replace(client.call(GetModel(name="churn model")), latest_versions=())
    assert msgspec.structs.replace(there.call(GetModel(name="churn model")), latest_versions=()) == plain
    for number in (1, 2):
        ask, uri = GetVersion(name="churn model", version=number), GetDownloadUri(name="churn model", version=number)
        assert (there.call(ask), there.call(uri)) == (client.call(ask), client.call(uri))
    version = there.call(GetVersion(name="churn model", version=2))
    assert {path: there.get_blob(blob) for path, blob in version.files.items()} == {
        "MLmodel": b"x: 1\n",
        "deep/model.json": b"{}",
    }
    assert there.get_blob(version.reference) == b"profile"
    assert told(there, world["run"]) == told(client, world["run"])
    assert there.call(CreateVersion(name="churn model", source="s3://bucket/z")).version == 4


def test_new_ids_make_things_of_their_own(
    client: Client, platform: Platform, tmp_path: Path, world: dict[str, str]
) -> None:
    export_experiment(client, world["experiment"], tmp_path / "out")

    done = brought(platform, tmp_path / "out", new_ids=True, name="copy")
    again = brought(platform, tmp_path / "out", new_ids=True, name="copy")

    assert (done.report.n_differences, again.report.counts) == (0, done.report.counts)
    copy = next(e for e in ("2", "3", "4", "5") if _named(client, e, "copy"))
    runs = client.call(SearchRuns(experiment_ids=(copy,), view="all")).items
    assert len(runs) == 3
    assert {run.info.run_id for run in runs}.isdisjoint(world.values())
    (parent,) = {tag.value for run in runs for tag in run.tags if tag.key == "mlflow.parentRunId"}
    first = next(run for run in runs if run.info.run_id == parent)
    assert first.info.artifact_uri.endswith(f"/{parent}/artifacts")
    assert told(client, parent)[-1] == told(client, world["run"])[-1]
    assert first.model_outputs[0].model_id != world["model"]


def _named(client: Client, experiment_id: str, name: str) -> bool:
    try:
        return client.call(GetExperiment(experiment_id=experiment_id)).name == name
    except NotFound:
        return False


def test_a_model_may_come_back_under_another_name(
    client: Client, platform: Platform, tmp_path: Path, world: dict[str, str]
) -> None:
    export_model(client, "churn model", tmp_path / "out")

    brought(platform, tmp_path / "out", new_ids=True, name="second")

    version = client.call(GetVersion(name="second", version=1))
    assert version.source == f"models:/{version.model_id}"
    assert version.model_id != world["model"]
    assert client.call(GetModel(name="second")).aliases == {"champion": 2}


@pytest.fixture
def out(client: Client, tmp_path: Path, world: dict[str, str]) -> Path:
    export_run(client, world["run"], tmp_path / "out")
    return tmp_path / "out"


def _missing(folder: Path) -> str:
    next(folder.glob("runs/*/metrics.jsonl")).unlink()
    return r"metrics\.jsonl is missing"


def _longer(folder: Path) -> str:
    path = next(folder.glob("runs/*/run.json"))
    path.write_bytes(path.read_bytes() + b" ")
    return r"run\.json is damaged: \d+ bytes where the manifest has"


def _changed(folder: Path) -> str:
    path = next(folder.glob("runs/*/metrics.jsonl"))
    path.write_bytes(path.read_bytes().replace(b"0.5", b"0.6"))
    return r"metrics\.jsonl is damaged: other bytes"


def _linked(folder: Path) -> str:
    path = next(folder.glob("runs/*/run.json"))
    path.rename(folder.parent / "elsewhere.json")
    path.symlink_to(folder.parent / "elsewhere.json")
    return r"run\.json is a link"


def _linked_folder(folder: Path) -> str:
    shutil.move(folder / "runs", folder.parent / "runs")
    (folder / "runs").symlink_to(folder.parent / "runs")
    return r"runs is a link"


def _climbing(folder: Path) -> str:
    _edit(
        folder, lambda manifest: manifest["files"].update({"../secret": {"size_bytes": 0, "digest": "b3:" + "0" * 64}})
    )
    return "Invalid path"


def _newer(folder: Path) -> str:
    _edit(folder, lambda manifest: manifest.update(format_version=99))
    return "version 99; this release reads"


def _no_manifest(folder: Path) -> str:
    (folder / MANIFEST).unlink()
    return "is not an exported folder"


def _torn_manifest(folder: Path) -> str:
    path = folder / MANIFEST
    path.write_bytes(path.read_bytes()[:-20])
    return r"MANIFEST\.json is damaged"


def _edit(folder: Path, change: Callable[[Any], None]) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


DAMAGES = (_missing, _longer, _changed, _linked, _linked_folder, _climbing, _newer, _no_manifest, _torn_manifest)


def test_a_damaged_folder_is_refused_and_nothing_is_taken(out: Path, other: Platform, tmp_path: Path) -> None:
    for damage in DAMAGES:
        folder = tmp_path / damage.__name__ / "out"
        shutil.copytree(out, folder)
        text = damage(folder)
        with pytest.raises(Invalid, match=text):
            brought(other, folder)

    assert client_of(other).call(SearchRuns(experiment_ids=("0", "1"), view="all")).items == ()


def test_a_folder_is_whole_or_absent(
    client: Client, tmp_path: Path, world: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "no room")

    monkeypatch.setattr("airside.client.folders.export.Exporter._files", fail)
    with pytest.raises(OSError, match="no room"):
        export_run(client, world["run"], tmp_path / "place" / "out")

    assert list((tmp_path / "place").iterdir()) == []


def test_nothing_is_overwritten(client: Client, out: Path, world: dict[str, str]) -> None:
    with pytest.raises(Conflict, match="is there already"):
        export_run(client, world["run"], out)


def test_the_layout_is_for_people(out: Path, world: dict[str, str]) -> None:
    names = set(read_manifest(out).files)

    assert {
        f"experiments/{world['experiment']}.json",
        f"runs/{world['run']}/run.json",
        f"runs/{world['run']}/metrics.jsonl",
        f"runs/{world['run']}/artifacts/deep/ünï 1.txt",
        f"logged_models/{world['model']}/model.json",
        f"logged_models/{world['model']}/artifacts/MLmodel",
    } <= names
    first = (out / f"runs/{world['run']}/metrics.jsonl").read_text().splitlines()[0]
    assert json.loads(first) == {"key": "a/b", "value": 5e-324, "timestamp_ms": 0, "step": -1}


def test_a_run_has_no_other_name(out: Path, other: Platform) -> None:
    with pytest.raises(Invalid, match="--name is for experiments and models"):
        brought(other, out, name="x")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, Platform]]:
    folder = tmp_path_factory.mktemp("two")
    plain = Settings.load(None, environment={}, flags={"synchronous": "NORMAL"})
    pair = (Platform.open(folder / "a", settings=plain), Platform.open(folder / "b", settings=plain))
    yield pair
    for each in pair:
        each.close()


texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
points = st.lists(
    st.tuples(
        st.integers(0, 2**50),
        st.integers(-(2**40), 2**40),
        st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    ),
    max_size=20,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(params=st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), texts, max_size=4), series=points)
def test_any_run_comes_back_equal(
    two: tuple[Platform, Platform],
    tmp_path_factory: pytest.TempPathFactory,
    params: dict[str, str],
    series: list[tuple[int, int, float | None]],
) -> None:
    here, there = (client_of(each) for each in two)
    run: Run = here.call(CreateRun(name="r", start_time_ms=3))
    metrics = tuple(LoggedMetric(key="m", value=value, timestamp_ms=at, step=step) for at, step, value in series)
    here.call(
        LogBatch(
            run_id=run.info.run_id, metrics=metrics, params=tuple(Param(key=k, value=v) for k, v in params.items())
        )
    )
    folder = tmp_path_factory.mktemp("any") / "out"

    export_run(here, run.info.run_id, folder)
    done = brought(two[1], folder)

    assert done.report.n_differences == 0
    assert told(there, run.info.run_id) == told(here, run.info.run_id)


@given(st.lists(texts, min_size=2, max_size=5, unique=True))
def test_every_name_has_a_folder_of_its_own(names: list[str]) -> None:
    folders = [as_name(name) for name in names if name]

    assert len(set(folders)) == len(folders)
    assert not any("/" in folder or folder in ("", ".", "..") for folder in folders)
