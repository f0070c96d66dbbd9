"""A store of MLflow's comes over whole, from any of its forms; it stays as it was; what is wrong is told."""

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.client.imports.near import NAMES, Near, bring, client_of, make_database

from airside.client.imports.opening import open_store
from airside.client.transport import Client
from airside.core.errors import AirsideError, Conflict, Denied, Invalid, NotFound, Unavailable
from airside.platform.wiring import Platform
from airside.registry.operations.models import GetModel
from airside.registry.operations.versions import CreateVersion, GetDownloadUri, GetVersion
from airside.tracking.imports.journal import GetImport
from airside.tracking.imports.operations import ImportRuns, ImportSeries
from airside.tracking.imports.records import Import
from airside.tracking.logged_models.operations import SearchLoggedModels
from airside.tracking.operations.experiments import CreateExperiment, GetExperiment, SearchExperiments
from airside.tracking.operations.histories import GetMetricHistory
from airside.tracking.operations.logging import LogMetric, SetRunTag
from airside.tracking.operations.runs import SearchRuns
from airside.tracking.records import Run


@pytest.fixture
def client(platform: Platform) -> Client:
    return client_of(platform)


def counted(done: Import) -> dict[str, tuple[int, int]]:
    return {count.kind: (count.source, count.here) for count in done.report.counts}


def runs_of(client: Client, **ask: Any) -> tuple[Run, ...]:
    found = client.call(SearchExperiments(view="all")).items
    return client.call(SearchRuns(experiment_ids=tuple(each.experiment_id for each in found), view="all", **ask)).items


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", NAMES)
def test_all_of_a_database_is_here_and_the_database_is_untouched(client: Client, tmp_path: Path, name: str) -> None:
    path = make_database(tmp_path / "old", name)
    before = digest(path)

    done = bring(client, f"sqlite:///{path}")

    is_new = name == "mlflow-3.17"
    models = 3 if is_new else 0
    assert counted(done) == {
        "experiments": (4, 4),
        "runs": (11, 11),
        "logged models": (models, models),
        "registered models": (3, 3),
        "model versions": (5, 5),
        "traces": (4, 4),
        "evaluation datasets": (models, models),
        "scorers": (models, models),
        "webhooks": (2, 2) if is_new else (0, 0),
    }
    assert (done.report.n_differences, done.ended_ms is None) == (0, False)
    assert digest(path) == before
    assert sorted(each.name for each in path.parent.iterdir()) == ["mlflow.db", "mlruns"]


def test_what_a_run_logged_is_here_point_by_point(client: Client, tmp_path: Path) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    bring(client, path)

    (run,) = runs_of(client, filter="tags.nr = '2'")
    latest = {metric.key: (metric.value, metric.step) for metric in run.metrics}
    history = client.call(GetMetricHistory(run_id=run.info.run_id, key="loss")).items
    assert (run.info.name, run.info.status, run.info.end_time_ms) == ("run 2", "KILLED", 1_700_000_001_002)
    assert latest == {
        "loss": (0.05, 19),
        "bad": (None, 3),
        "inf": (1.7976931348623157e308, -1),
        "sub/acc": (0.30000000000000004, 7),
    }
    assert [(point.step, point.value) for point in history] == [(step, 1 / (step + 1)) for step in range(20)]
    assert {param.key: param.value for param in run.params}["lines"] == "a\nb"
    assert [(each.dataset.name, each.dataset.digest) for each in run.dataset_inputs] == [("people", "d2")]


def test_files_are_copied_and_addresses_follow_them(client: Client, platform: Platform, tmp_path: Path) -> None:
    bring(client, make_database(tmp_path / "old", "mlflow-3.17"))

    (run,) = runs_of(client, filter="tags.nr = '1'")
    place = f"{run.info.experiment_id}/{run.info.run_id}/artifacts"
    assert run.info.artifact_uri == f"mlflow-artifacts:/{place}"
    with platform.artifacts.open(f"{place}/notes/deep/hello.txt") as file:
        assert b"".join(file.pieces()) == f"hello {run.info.run_id}".encode()
    assert client.call(GetVersion(name="churn model", version=1)).source == f"mlflow-artifacts:/{place}/model"
    uri = client.call(GetDownloadUri(name="churn model", version=1)).artifact_uri
    assert uri == f"mlflow-artifacts:/{place}/model"
    models = client.call(SearchLoggedModels(experiment_ids=(run.info.experiment_id,))).items
    assert {model.artifact_uri for model in models} == {
        f"mlflow-artifacts:/{model.experiment_id}/models/{model.model_id}/artifacts" for model in models
    }


def test_files_may_stay_where_they_are(client: Client, tmp_path: Path) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")

    done = bring(client, path, mode="reference")

    (run,) = runs_of(client, filter="tags.nr = '1'")
    assert run.info.artifact_uri.startswith(str(tmp_path / "old"))
    assert any(note.endswith("stayed where they are.") for note in done.report.notes)


def proxied(path: Path) -> Path:
    """The same store, as if a server had kept the files; they lie in the folder beside it."""
    with closing(sqlite3.connect(path)) as db, db:
        for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri")):
            db.execute(
                f"UPDATE {table} SET {column} = replace({column}, ?, 'mlflow-artifacts:/')", (f"{path.parent}/mlruns/",)
            )
        db.execute(
            "UPDATE model_versions SET source = replace(source, ?, 'mlflow-artifacts:/'), storage_location = NULL",
            (f"{path.parent}/mlruns/",),
        )
        db.execute("DELETE FROM logged_models")
    return path.parent / "mlruns"


def test_files_behind_a_server_need_the_folder_that_it_kept_them_in(
    client: Client, platform: Platform, tmp_path: Path
) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    kept = proxied(path)

    with pytest.raises(Invalid, match=r"--artifacts DIR.*--reference-artifacts"):
        bring(client, path)
    with pytest.raises(Invalid, match=r"There is no folder .*nowhere"):
        bring(client, path, artifacts=tmp_path / "nowhere")
    bring(client, path, artifacts=kept)

    (run,) = runs_of(client, filter="tags.nr = '1'")
    with platform.artifacts.open(f"{run.info.experiment_id}/{run.info.run_id}/artifacts/notes/deep/hello.txt") as file:
        assert b"".join(file.pieces()) == f"hello {run.info.run_id}".encode()


def test_the_registry_is_here_with_stages_aliases_and_numbers_used_up(client: Client, tmp_path: Path) -> None:
    bring(client, make_database(tmp_path / "old", "mlflow-3.17"))

    model = client.call(GetModel(name="churn model"))
    first = client.call(GetVersion(name="churn model", version=1))
    assert (model.description, model.tags, model.aliases) == (
        "A **model**",
        {"owner": "ana"},
        {"champion": 1, "best": 1},
    )
    assert (first.stage, first.description, first.tags) == ("Production", "v0", {"n": "0"})
    with pytest.raises(NotFound):
        client.call(GetVersion(name="churn model", version=4))
    made = client.call(CreateVersion(name="churn model", source="s3://bucket/x"))
    assert made.version == 5
    prompt = client.call(GetVersion(name="hello", version=2))
    assert prompt.tags["mlflow.prompt.text"] == "Say hello to {{name}}"


def test_a_second_time_finds_everything_here(client: Client, tmp_path: Path) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    first = bring(client, path)

    again = bring(client, path)

    assert (again.import_id, counted(again), again.report.n_differences) == (first.import_id, counted(first), 0)


class Stopping(Near):
    """Goes away at the nth ask, once."""

    def __init__(self, platform: Platform, stop_at: int) -> None:
        super().__init__(platform)
        self.stop_at = stop_at

    def call(self, ask: Any, *, idempotency_key: str) -> Any:
        if len(self.asked) == self.stop_at:
            raise KeyboardInterrupt
        return super().call(ask, idempotency_key=idempotency_key)


@pytest.mark.parametrize("stop_at", [1, 20, 23, 26])
def test_an_import_that_stops_anywhere_goes_on(platform: Platform, tmp_path: Path, stop_at: int) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    with pytest.raises(KeyboardInterrupt):
        bring(Client(Stopping(platform, stop_at)), path, samples=3)

    done = bring(client_of(platform), path)

    assert done.report.n_differences == 0
    assert counted(done)["runs"] == (11, 11)


def test_what_is_done_is_not_done_again(platform: Platform, tmp_path: Path) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    first = Near(platform)
    with pytest.raises(KeyboardInterrupt):
        bring(Client(Stopping(platform, 27)), path)

    bring(Client(first), path)

    assert not any(isinstance(ask, ImportRuns | ImportSeries) for ask in first.asked)


def test_runs_that_are_here_with_other_content_are_refused_before_anything_is_written(
    client: Client, platform: Platform, tmp_path: Path
) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    bring(client, path)
    (run,) = runs_of(client, filter="tags.nr = '1'")
    client.call(SetRunTag(run_id=run.info.run_id, key="mine", value="1"))

    with pytest.raises(Conflict, match=rf"1 runs .*{run.info.run_id} \(tags"):
        bring(client, path)
    done = bring(client, path, skip_existing=True)

    (count,) = (count for count in done.report.counts if count.kind == "runs")
    assert (count.here, count.skipped, done.report.n_differences) == (10, 1, 0)


def test_a_point_too_many_is_told(client: Client, tmp_path: Path) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    bring(client, path)
    (run,) = runs_of(client, filter="tags.nr = '1'")
    client.call(LogMetric(run_id=run.info.run_id, key="loss", value=0.5, timestamp_ms=1, step=99))

    done = bring(client, path)

    assert done.report.differences[0] == f"run {run.info.run_id}: 28 points of metrics here, 27 in the source"
    assert client.call(GetImport(import_id=done.import_id)).report == done.report


def test_another_experiment_under_an_id_is_refused_or_gets_out_of_the_way(client: Client, tmp_path: Path) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    mine = client.call(CreateExperiment(name="mine"))
    assert mine.experiment_id == "1"

    with pytest.raises(Conflict, match=r"1 experiments .*--experiment-ids new"):
        bring(client, path)
    done = bring(client, path, ids="new")

    moved = client.call(SearchExperiments(filter="name = 'churn'")).items[0]
    assert moved.experiment_id != "1"
    assert client.call(GetExperiment(experiment_id="1")) == mine
    assert f"Experiments with another id here: 1 is {moved.experiment_id}" in done.report.notes
    assert done.report.n_differences == 0
    assert len(client.call(SearchRuns(experiment_ids=(moved.experiment_id,), view="all")).items) == 3


VERSION_COLUMNS = (
    "name, version, creation_time, last_updated_time, description, user_id, current_stage, source, run_id, status, "
    "status_message"
)


def test_a_database_of_an_older_form_is_read(client: Client, tmp_path: Path) -> None:
    path = make_database(tmp_path / "old", "mlflow-2.22")
    with closing(sqlite3.connect(path)) as db, db:
        for table in ("latest_metrics", "input_tags", "inputs", "datasets", "registered_model_aliases"):
            db.execute(f"DROP TABLE {table}")
        for table, columns in (
            ("metrics", '"key", value, "timestamp", run_uuid'),
            ("experiments", "experiment_id, name, artifact_location, lifecycle_stage"),
            ("model_versions", VERSION_COLUMNS),
        ):
            db.execute(f"CREATE TABLE kept AS SELECT DISTINCT {columns} FROM {table}")
            db.execute(f"DROP TABLE {table}")
            db.execute(f"ALTER TABLE kept RENAME TO {table}")

    done = bring(client, path)

    assert (done.report.n_differences, counted(done)["runs"], counted(done)["model versions"]) == (0, (11, 11), (5, 5))


def test_folders_that_are_not_there_are_told(client: Client, tmp_path: Path) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    shutil.rmtree(tmp_path / "old" / "mlruns")

    done = bring(client, path)

    assert any("of 18 folders of files are not there" in note for note in done.report.notes)
    assert done.report.n_differences == 0


def test_a_text_that_is_not_utf8_is_told_before_anything_is_taken(client: Client, tmp_path: Path) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE params SET value = CAST(X'fffe' AS TEXT) WHERE key = 'lr'")

    with pytest.raises(Invalid, match=r"is damaged \(Could not decode"):
        bring(client, path)
    assert runs_of(client) == ()


class Damage:
    """Ways in which a source is none."""

    @staticmethod
    def missing(folder: Path) -> str:
        return f"sqlite:///{folder}/none.db"

    @staticmethod
    def no_database(folder: Path) -> str:
        (folder / "x.db").write_text("this is a text, and no database at all")
        return f"sqlite:///{folder}/x.db"

    @staticmethod
    def empty(folder: Path) -> str:
        (folder / "x.db").touch()
        return f"{folder}/x.db"

    @staticmethod
    def other(folder: Path) -> str:
        with closing(sqlite3.connect(folder / "x.db")) as db:
            db.execute("CREATE TABLE cats (name)")
        return f"sqlite:///{folder}/x.db"

    @staticmethod
    def ours(folder: Path) -> str:
        with closing(sqlite3.connect(folder / "x.db")) as db:
            for table in ("schema_version", "metric_point", "registry_change"):
                db.execute(f"CREATE TABLE {table} (x)")
        return f"sqlite:///{folder}/x.db"

    @staticmethod
    def lacking(folder: Path) -> str:
        path = make_database(folder / "old", "mlflow-3.17")
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("ALTER TABLE runs DROP COLUMN start_time")
        return f"sqlite:///{path}"

    @staticmethod
    def of_the_future(folder: Path) -> str:
        path = make_database(folder / "old", "mlflow-3.17")
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("ALTER TABLE spans RENAME COLUMN content TO body")
        return f"sqlite:///{path}"

    @staticmethod
    def workspaces(folder: Path) -> str:
        path = make_database(folder / "old", "mlflow-3.17")
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE experiments SET workspace = 'team' WHERE experiment_id = 1")
        return f"sqlite:///{path}"

    @staticmethod
    def cut(folder: Path) -> str:
        path = make_database(folder / "old", "mlflow-3.17")
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)
        return f"sqlite:///{path}"

    @staticmethod
    def sql_server(folder: Path) -> str:
        del folder
        return "mssql+pyodbc://host/mlflow"

    @staticmethod
    def no_folder(folder: Path) -> str:
        return f"file://{folder}/nowhere"

    @staticmethod
    def empty_folder(folder: Path) -> str:
        (folder / "mlruns").mkdir()
        return f"{folder}/mlruns"

    @staticmethod
    def away(folder: Path) -> str:
        del folder
        return "postgresql://ana:secret@127.0.0.1:1/mlflow"


@pytest.mark.parametrize(
    ("damage", "kind", "text"),
    [
        (Damage.missing, NotFound, r"There is no file .*none\.db\. Name the database"),
        (Damage.no_database, Invalid, "is not a SQLite database"),
        (Damage.empty, Invalid, "it is empty"),
        (Damage.other, Invalid, "it has 1 other tables"),
        (Damage.ours, Invalid, "is a database of Airside's"),
        (Damage.lacking, Invalid, "'runs' lacks start_time. Bring it up to date with: mlflow db upgrade"),
        (Damage.of_the_future, Invalid, r"whose table 'spans' lacks content.*take a newer Airside"),
        (Damage.workspaces, Invalid, r"2 workspaces \(default, team\)"),
        (Damage.cut, AirsideError, r"damaged|not of MLflow's|cannot be read"),
        (Damage.sql_server, Invalid, "Nothing is read from 'mssql://'"),
        (Damage.no_folder, NotFound, "There is no folder"),
        (Damage.empty_folder, Invalid, "is not a folder of MLflow's"),
        (Damage.away, Unavailable, r"^postgresql://ana@127.0.0.1:1/mlflow cannot be read"),
    ],
)
def test_what_is_no_source_is_told(tmp_path: Path, damage: Any, kind: type, text: str) -> None:
    with pytest.raises(kind, match=text):
        open_store(damage(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    path.chmod(0)

    with pytest.raises(Denied, match="may not be read"):
        open_store(str(path))
