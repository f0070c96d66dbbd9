"""A folder that MLflow's file store wrote (`mlruns`), read into a database of MLflow's own form.

The folder is only read. The database is temporary, on disk: metrics of any length pass through a few thousand at a
time. From there on a folder is a database like any other.
"""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from airside.client.imports.folder_files import META, Put, facts_of, files, texts, whole
from airside.client.imports.folder_traces import stage_traces
from airside.client.imports.mlflow.tables import DDL
from airside.client.imports.sources.sqlite import SqliteSource
from airside.client.imports.trust import Trust
from airside.core.errors import Denied, Invalid, NotFound

TRASH = ".trash"
MODELS = "models"
LINE = 1 << 16
"""No line of a metric's file is longer."""
RUN_STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
RESERVED = frozenset({"tags", "datasets", "traces", MODELS, TRASH})


class StagedFolder(SqliteSource):
    """The database of a folder; gone with it."""

    def __init__(self, folder: Path, trust: Trust) -> None:
        self._kept = tempfile.TemporaryDirectory(prefix="airside-mlruns-")
        path = Path(self._kept.name) / "staged.db"
        try:
            fill(trust, folder, path)
            super().__init__(path, str(folder))
        except BaseException:
            self._kept.cleanup()
            raise

    def close(self) -> None:
        """Close it, and remove it."""
        super().close()
        self._kept.cleanup()


def staged(folder: Path, trust: Trust) -> StagedFolder:
    """A folder as a database; of what is in it, what is trusted.

    Raises:
        NotFound: there is none. Invalid: it is not one that MLflow wrote, or damaged: says which file.
        Denied: it may not be read.
    """
    folder = folder.resolve()
    if not folder.exists():
        raise NotFound(f"There is no folder {folder}. Name the one that the runs are in, usually ./mlruns.")
    try:
        if not any(path.name != MODELS for path in _experiments(trust, folder)):
            raise Invalid(f"{folder} is not a folder of MLflow's: no folder in it has a {META}. Name mlruns itself.")
        return StagedFolder(folder, trust)
    except PermissionError as error:
        raise Denied(f"{error.filename} may not be read. Give this user the right to read the folder.") from error


def fill(trust: Trust, folder: Path, path: Path) -> None:
    """Read a folder into a new database."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("PRAGMA synchronous=OFF")
        db.execute("PRAGMA journal_mode=OFF")
        for statement in DDL:
            db.execute(statement)

        def put(table: str, row: Sequence[Any]) -> None:
            db.execute(f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(row))})", row)

        def put_metrics(table: str, rows: Iterator[Sequence[Any]]) -> None:
            marks = ", ".join("?" * (6 if table == "metrics" else 8))
            db.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", rows)

        db.execute("BEGIN")
        for experiment in _experiments(trust, folder):
            with _told(experiment):
                _experiment(trust, experiment, put, put_metrics)
        with _told(folder / MODELS):
            _registry(trust, folder / MODELS, put)
        db.execute("COMMIT")
    finally:
        db.close()


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Say in which folder a value is none: a list where a name should be, a file's name that is no text."""
    try:
        yield
    except (sqlite3.Error, OverflowError, UnicodeError) as error:
        raise Invalid(f"{folder} is damaged: a value in it cannot be stored ({error}). Mend or remove it.") from error


def _experiments(trust: Trust, folder: Path) -> Iterator[Path]:
    for top in (folder, folder / TRASH):
        for path in trust.folders(top):
            if path.name not in RESERVED and trust.is_file(path / META):
                yield path


def _experiment(
    trust: Trust, folder: Path, put: Put, put_metrics: Callable[[str, Iterator[Sequence[Any]]], None]
) -> None:
    facts = facts_of(trust, folder / META)
    number = whole(facts.get("experiment_id", folder.name), folder / META)
    stage = "deleted" if folder.parent.name == TRASH else facts.get("lifecycle_stage", "active")
    times = (facts.get("creation_time"), facts.get("last_update_time"))
    put("experiments", (number, facts.get("name"), facts.get("artifact_location"), stage, *times))
    for key, value in texts(trust, folder / "tags"):
        put("experiment_tags", (key, value, number))
    for path in trust.folders(folder / "datasets"):
        data = facts_of(trust, path / META)
        source = (data.get("source_type"), data.get("source"), data.get("schema"), data.get("profile"))
        put("datasets", (f"{number}/{path.name}", number, data.get("name"), data.get("digest"), *source))
    for path in trust.folders(folder):
        if path.name not in RESERVED and trust.is_file(path / META):
            _run(trust, path, number, put, put_metrics)
    stage_traces(trust, folder / "traces", number, put)
    for path in trust.folders(folder / MODELS):
        if trust.is_file(path / META):
            _logged_model(trust, path, number, put, put_metrics)


def _run(
    trust: Trust, folder: Path, experiment: int, put: Put, put_metrics: Callable[[str, Iterator[Sequence[Any]]], None]
) -> None:
    facts = facts_of(trust, folder / META)
    run_id = str(facts.get("run_id") or facts.get("run_uuid") or folder.name)
    status = facts.get("status")
    row = (
        run_id,
        facts.get("run_name") or facts.get("name"),
        facts.get("user_id"),
        RUN_STATUSES.get(status, "RUNNING") if isinstance(status, int) else status,
        facts.get("start_time"),
        facts.get("end_time"),
        facts.get("lifecycle_stage", "active"),
        facts.get("artifact_uri"),
        experiment,
    )
    put("runs", row)
    for key, value in texts(trust, folder / "params"):
        put("params", (key, value, run_id))
    for key, value in texts(trust, folder / "tags"):
        put("tags", (key, value, run_id))
    put_metrics("metrics", _points(trust, folder / "metrics", run_id))
    for path in trust.folders(folder / "inputs"):
        given = facts_of(trust, path / META)
        is_model = str(given.get("source_type")).endswith("MODEL")
        kinds = ("RUN_INPUT", "MODEL_INPUT") if is_model else ("DATASET", "RUN")
        ends = (run_id, given.get("source_id")) if is_model else (f"{experiment}/{given.get('source_id')}", run_id)
        put("inputs", (path.name, kinds[0], ends[0], kinds[1], ends[1], 0))
        for key, value in (given.get("tags") or {}).items():
            put("input_tags", (path.name, key, str(value)))
    for path in trust.folders(folder / "outputs"):
        step = facts_of(trust, path / META).get("step") or 0
        put("inputs", (f"{run_id}/{path.name}", "RUN_OUTPUT", run_id, "MODEL_OUTPUT", path.name, step))


def _logged_model(
    trust: Trust, folder: Path, experiment: int, put: Put, put_metrics: Callable[[str, Iterator[Sequence[Any]]], None]
) -> None:
    facts = facts_of(trust, folder / META)
    model_id = str(facts.get("model_id") or folder.name)
    row = (
        model_id,
        experiment,
        facts.get("name"),
        facts.get("artifact_location") or facts.get("artifact_uri"),
        facts.get("creation_timestamp"),
        facts.get("last_updated_timestamp"),
        facts.get("status"),
        facts.get("lifecycle_stage", "active"),
        facts.get("model_type"),
        facts.get("source_run_id"),
        facts.get("status_message"),
    )
    put("logged_models", row)
    for key, value in texts(trust, folder / "params"):
        put("logged_model_params", (model_id, key, value))
    for key, value in texts(trust, folder / "tags"):
        put("logged_model_tags", (model_id, key, value))
    put_metrics("logged_model_metrics", _model_points(trust, folder / "metrics", model_id))


def _registry(trust: Trust, folder: Path, put: Put) -> None:
    for path in trust.folders(folder):
        if not trust.is_file(path / META):
            continue
        facts = facts_of(trust, path / META)
        name = str(facts.get("name") or path.name)
        times = (facts.get("creation_timestamp"), facts.get("last_updated_timestamp"))
        put("registered_models", (name, *times, facts.get("description")))
        for key, value in texts(trust, path / "tags"):
            put("registered_model_tags", (name, key, value))
        for alias, number in texts(trust, path / "aliases"):
            put("registered_model_aliases", (name, alias, whole(number.strip(), path / "aliases" / alias)))
        for version in trust.folders(path):
            if version.name.startswith("version-") and trust.is_file(version / META):
                _version(trust, version, name, put)


def _version(trust: Trust, folder: Path, name: str, put: Put) -> None:
    facts = facts_of(trust, folder / META)
    number = whole(facts.get("version") or folder.name.removeprefix("version-"), folder / META)
    row = (
        name,
        number,
        facts.get("creation_timestamp"),
        facts.get("last_updated_timestamp"),
        facts.get("description"),
        facts.get("user_id"),
        facts.get("current_stage"),
        facts.get("source"),
        facts.get("storage_location"),
        facts.get("run_id"),
        facts.get("run_link"),
        facts.get("status"),
        facts.get("status_message"),
    )
    put("model_versions", row)
    for key, value in texts(trust, folder / "tags"):
        put("model_version_tags", (name, number, key, value))


def _points(trust: Trust, folder: Path, run_id: str) -> Iterator[Sequence[Any]]:
    """`time value`, `time value step`; what stands behind them since release 3 belongs to the logged model's file."""
    for key, path in files(trust, folder):
        for timestamp_ms, value, step, _ in _lines(path):
            is_nan = value != value  # noqa: PLR0124 -- the one value that is not itself
            yield key, 0.0 if is_nan else value, timestamp_ms, step, is_nan, run_id


def _model_points(trust: Trust, folder: Path, model_id: str) -> Iterator[Sequence[Any]]:
    """`time value step run`, and perhaps `dataset digest`."""
    for key, path in files(trust, folder):
        for timestamp_ms, value, step, rest in _lines(path):
            run_id = rest[0] if rest else ""
            dataset, digest = (" ".join(rest[1:-1]), rest[-1]) if len(rest) > 2 else ("", "")
            yield model_id, key, timestamp_ms, step, value, run_id, dataset, digest


def _lines(path: Path) -> Iterator[tuple[int, float, int, list[str]]]:
    """The points in a file of a metric: time, value, step, and the words behind them."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for at, line in enumerate(iter(lambda: file.readline(LINE), ""), 1):
            words = line.split()
            if not words:
                continue
            try:
                yield int(words[0]), float(words[1]), int(words[2]) if len(words) > 2 else 0, words[3:]
            except (ValueError, IndexError):
                raise Invalid(
                    f"{path}, line {at}: '{line.strip()[:80]}' is no point of a metric. Mend the line, or remove it."
                ) from None
