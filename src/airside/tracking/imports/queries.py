"""SQL of imports: the journal, things with their ids, and how much there is of them."""

from collections.abc import Iterable, Sequence

import msgspec

from airside.core.ids import ImportId, RunId
from airside.core.operation import Context, Row, Transaction
from airside.store.sql.conditions import placeholders
from airside.tracking.imports.records import Import, ImportPart, ImportReport, RunTally
from airside.tracking.queries import experiments
from airside.tracking.queries.keys import keys_of
from airside.tracking.queries.series import RunNumbers
from airside.tracking.records import Experiment, Param

_COLUMNS = "import_id, source, kind, started_by, started_ms, ended_ms, report"
_ADD_JOB = (
    "INSERT INTO import_job (import_id, fingerprint, source, kind, started_by, started_ms, ended_ms, report) "
    "VALUES (?, ?, ?, ?, ?, ?, NULL, '{}')"
)
_BY_FINGERPRINT = f"SELECT {_COLUMNS} FROM import_job WHERE fingerprint = ?"
_BY_ID = f"SELECT {_COLUMNS} FROM import_job WHERE import_id = ?"
_NEWEST = f"SELECT {_COLUMNS} FROM import_job ORDER BY started_ms DESC, import_id DESC LIMIT ?"
_AGAIN = "UPDATE import_job SET started_by = ?, started_ms = ?, ended_ms = NULL WHERE import_id = ?"
_FINISH = "UPDATE import_job SET ended_ms = ?, report = ? WHERE import_id = ?"
_PARTS = "SELECT part, after_key, done, skipped, is_complete FROM import_part WHERE import_id = ? ORDER BY part"
_FORGET = "DELETE FROM import_part WHERE import_id = ?"
_MARK = (
    "INSERT INTO import_part (import_id, part, after_key, done, skipped, is_complete) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (import_id, part) DO UPDATE SET after_key = excluded.after_key, done = excluded.done, "
    "skipped = excluded.skipped, is_complete = excluded.is_complete"
)

_EXPERIMENT = (
    "INSERT INTO experiment (id, name, artifact_location, is_deleted, created_ms, updated_ms, is_sweeping) "
    "VALUES (?, ?, ?, ?, ?, ?, FALSE)"
)
_ADOPT = (
    "UPDATE experiment SET name = ?, artifact_location = ?, is_deleted = ?, created_ms = ?, updated_ms = ? WHERE id = ?"
)
_GREATEST = "SELECT MAX(id) FROM experiment"
_ANY_RUN = "SELECT 1 FROM run WHERE experiment_no = ? LIMIT 1"
_SEQUENCE = "SELECT setval(pg_get_serial_sequence('experiment', 'id'), GREATEST((SELECT MAX(id) FROM experiment), 1))"
_PARAM = "INSERT INTO run_param (run_no, key_no, experiment_no, value) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_COUNTS = {
    "params": "run_param",
    "tags": "run_tag",
    "metrics": "metric_latest",
    "inputs": "dataset_input",
    "outputs": "model_output",
}
_PACKED = "SELECT run_no, SUM(n_points) FROM metric_chunk WHERE run_no IN ({marks}) GROUP BY run_no"
_COUNT = "SELECT t.run_no, COUNT(*) FROM {table} t WHERE t.run_no IN ({marks}) GROUP BY t.run_no"
_MODEL_POINTS = "SELECT model_id, COUNT(*) FROM logged_model_metric WHERE model_id IN ({marks}) GROUP BY model_id"


def job_by_fingerprint(tx: Transaction, fingerprint: str) -> Import | None:
    """The import of a source."""
    return _job(tx, tx.one(_BY_FINGERPRINT, (fingerprint,)))


def job(tx: Transaction, import_id: ImportId) -> Import | None:
    """An import."""
    return _job(tx, tx.one(_BY_ID, (import_id,)))


def jobs(tx: Transaction, limit: int) -> tuple[Import, ...]:
    """The newest imports."""
    found = (_job(tx, row) for row in tx.all(_NEWEST, (limit,)))
    return tuple(one for one in found if one is not None)


def add_job(tx: Transaction, new: Import, fingerprint: str) -> None:
    """Note that an import began."""
    tx.run(_ADD_JOB, (new.import_id, fingerprint, new.source, new.kind, new.started_by, new.started_ms))


def begin_again(tx: Transaction, import_id: ImportId, who: str, now_ms: int) -> None:
    """Forget how far a finished import got: it looks at everything again."""
    tx.run(_FORGET, (import_id,))
    tx.run(_AGAIN, (who, now_ms, import_id))


def finish(tx: Transaction, import_id: ImportId, report: ImportReport, now_ms: int) -> None:
    """Note how an import ended."""
    tx.run(_FINISH, (now_ms, msgspec.json.encode(report).decode(), import_id))


def mark(tx: Transaction, import_id: ImportId, part: ImportPart) -> None:
    """Note how far a part got."""
    tx.run(_MARK, (import_id, part.part, part.after_key, part.done, part.skipped, part.is_complete))


def add_experiment(tx: Transaction, experiment: Experiment) -> None:
    """Store an experiment under its own id."""
    number = int(experiment.experiment_id)
    tx.run(_EXPERIMENT, (number, experiment.name, *_facts(experiment)))
    experiments.set_tags(tx, number, experiment.tags)
    if tx.dialect == "postgresql":  # the next new experiment must not get this number
        tx.one(_SEQUENCE)


def adopt_experiment(tx: Transaction, experiment: Experiment) -> None:
    """Make the experiment of that id this one."""
    number = int(experiment.experiment_id)
    tx.run(_ADOPT, (experiment.name, *_facts(experiment), number))
    experiments.set_tags(tx, number, experiment.tags)


def greatest_experiment(tx: Transaction) -> int:
    """The greatest id of an experiment."""
    row = tx.one(_GREATEST)
    return (row[0] if row else None) or 0


def has_runs(tx: Transaction, number: int) -> bool:
    """Whether an experiment has any run."""
    return tx.one(_ANY_RUN, (number,)) is not None


def put_params(ctx: Context, run: RunNumbers, params: Sequence[Param]) -> None:
    """Write the parameters of a new run."""
    keys = keys_of(ctx, (param.key for param in params))
    if params:
        ctx.tx.many(_PARAM, [(run[0], keys[param.key], run[1], param.value) for param in params])


def tallies(tx: Transaction, runs: dict[int, RunId]) -> tuple[RunTally, ...]:
    """How much some runs hold, by their numbers."""
    counts: dict[int, dict[str, int]] = {number: {} for number in runs}
    if not runs:
        return ()
    marks = placeholders(len(runs))
    points: dict[int, int] = dict(tx.all(_PACKED.format(marks=marks), tuple(runs)))
    for number, count in tx.all(_COUNT.format(table="metric_point", marks=marks), tuple(runs)):
        points[number] = points.get(number, 0) + count
    for number, count in points.items():
        counts[number]["points"] = int(count)
    for field, table in _COUNTS.items():
        for number, count in tx.all(_COUNT.format(table=table, marks=marks), tuple(runs)):
            counts[number][field] = count
    return tuple(RunTally(run_id=runs[number], **found) for number, found in counts.items())


def model_points(tx: Transaction, model_ids: Sequence[str]) -> dict[str, int]:
    """How many points some logged models hold."""
    return dict(tx.all(_MODEL_POINTS.format(marks=placeholders(len(model_ids))), model_ids)) if model_ids else {}


def _facts(experiment: Experiment) -> Iterable[object]:
    is_deleted = experiment.lifecycle_stage == "deleted"
    return (experiment.artifact_location, is_deleted, experiment.created_ms, experiment.updated_ms)


def _job(tx: Transaction, row: Row | None) -> Import | None:
    if row is None:
        return None
    import_id, source, kind, started_by, started_ms, ended_ms, report = row
    parts = tuple(
        ImportPart(part=part, after_key=after_key, done=done, skipped=skipped, is_complete=bool(is_complete))
        for part, after_key, done, skipped, is_complete in tx.all(_PARTS, (import_id,))
    )
    return Import(
        import_id=import_id,
        source=source,
        kind=kind,
        started_by=started_by,
        started_ms=started_ms,
        ended_ms=ended_ms,
        parts=parts,
        report=msgspec.json.decode(report, type=ImportReport),
    )
