"""A store of very many runs, filled by the database itself: some statements for each 100,000 runs.

The secondary indexes are dropped before and made again after, by their own declarations. What the values are follows
from the number of a run, so that `expected` knows every run; `check` reads some of them through the API, and compares
the rows of one with those of a run that the API itself has logged.
"""

import random
import time
from collections.abc import Iterable

from airside.core.ids import RunId
from airside.core.operation import LOCAL, Context
from airside.platform.wiring import Platform
from airside.tracking.operations.experiments import CreateExperiment
from airside.tracking.operations.logging import LogBatch
from airside.tracking.operations.runs import CreateRun, GetRun, UpdateRun
from airside.tracking.queries import keys
from airside.tracking.records import LoggedMetric, Param, Run, Tag
from airside.tracking.trash.queries import OF_RUNS

START_MS = 1_700_000_000_000
PART = 100_000
PRIME = 1_000_003
FACTORS = (7919, 104_729, 611_953, 15_485_863, 32_452_843, 49_979_687, 67_867_967, 86_028_121, 122_949_823, 141_650_939)
MODELS = ("xgb", "lgbm", "rf", "mlp", "lr")
STATUSES = ("FINISHED", "FAILED", "RUNNING")
METRICS = ("auc", "m0", "m1", "m2", "m3")
PARAMS = ("model", "p0", "p1", "p2", "p3")
TAGS = ("team", "host", "mlflow.runName")
NEVER_PACKED = -1
COLUMNS = {
    "run": "run_id, experiment_no, name, user_id, status, start_ms, end_ms, artifact_uri, is_deleted, revision",
    "metric_point": "run_no, key_no, time_ms, step, value, is_nan",
    "metric_latest": "run_no, key_no, experiment_no, step, time_ms, value, is_nan, n_since_packed, packed_ms",
    "run_param": "run_no, key_no, experiment_no, value",
    "run_tag": "run_no, key_no, experiment_no, value",
}
APART = frozenset({"id", "run_id", "run_no", "experiment_no", "artifact_uri", "revision"})
"""Columns in which two runs with the same content differ."""


def mixed(no: int, index: int) -> int:
    """A number below 1,000,003 that looks like chance."""
    return no * FACTORS[index] % PRIME


def run_id_of(no: int) -> RunId:
    """The id of a run."""
    return RunId(f"{1_000_000_000 + no:032d}")


def expected(no: int) -> tuple[dict[str, float], dict[str, str], dict[str, str]]:
    """Metrics, parameters and tags of a run."""
    metrics = {key: mixed(no, index) / PRIME for index, key in enumerate(METRICS)}
    params = {"model": MODELS[mixed(no, 5) % 5]}
    params |= {key: f"0.{mixed(no, 5 + index) + 1_000_000:07d}" for index, key in enumerate(PARAMS[1:], 1)}
    return metrics, params, {"team": f"t{mixed(no, 6) % 1000}", "host": f"h{no % 97}", "mlflow.runName": f"run {no}"}


def fill(platform: Platform, runs: int) -> None:
    """Store the runs, in the experiment 0."""
    began = time.perf_counter()
    names = (*METRICS, *PARAMS, *TAGS)
    key_no = platform.change(lambda ctx: keys.keys_of(ctx, names))
    first_free = platform.change(_first_free)
    if first_free != 1:
        raise SystemExit(f"The store is not empty: its next run has the number {first_free}.")
    indexes = platform.change(_without_indexes)
    if platform.database.dialect == "sqlite":  # more pages for the fill; the writer ends with this process
        platform.change(lambda ctx: ctx.tx.all("PRAGMA cache_size=-200000"))
    for first in range(1, runs + 1, PART):
        last = min(runs, first + PART - 1)
        for text in statements(first, last, key_no):
            platform.change(lambda ctx, text=text: ctx.tx.run(text))
        print(f"  {last:,} runs after {time.perf_counter() - began:.0f} s", flush=True)
    for text in indexes:
        platform.change(lambda ctx, text=text: ctx.tx.run(text))
    if platform.database.dialect == "postgresql":
        for table in COLUMNS:  # as autovacuum does beside a server
            platform.change(lambda ctx, table=table: ctx.tx.run(f"ANALYZE {table}"))
    print(f"filled with {runs:,} runs in {time.perf_counter() - began:.0f} s", flush=True)


def statements(first: int, last: int, key_no: dict[str, int]) -> list[str]:
    """What stores some runs."""
    numbers = (
        f"WITH RECURSIVE n(no) AS (SELECT CAST({first} AS BIGINT) UNION ALL SELECT no + 1 FROM n WHERE no < {last}) "
    )
    made_id = "'0000000000000000000000' || CAST(1000000000 + no AS TEXT)"
    runs = (
        f"SELECT {made_id}, 0, 'run ' || no, 'u', {_choice('no % 3', STATUSES)}, {START_MS} + no * 1000, "
        f"CASE WHEN no % 3 = 2 THEN NULL ELSE {START_MS} + no * 1000 + {_mixed('no', 9)} END, "
        f"'mlflow-artifacts:/0/' || {made_id} || '/artifacts', FALSE, 2 FROM n"
    )
    some = f"FROM run r CROSS JOIN ({{}}) k WHERE r.id BETWEEN {first} AND {last} ORDER BY r.id, k.key_no"
    metrics = some.format(_rows(key_no[key] for key in METRICS))
    figure = f"CAST({_by_key({key_no[key]: _mixed('r.id', at) for at, key in enumerate(METRICS)})} AS DOUBLE PRECISION)"
    figure = f"{figure} / {PRIME}"
    texts = {key_no["model"]: _choice(f"{_mixed('r.id', 5)} % 5", MODELS)}
    texts |= {
        key_no[key]: f"'0.' || CAST({_mixed('r.id', 5 + at)} + 1000000 AS TEXT)" for at, key in enumerate(PARAMS[1:], 1)
    }
    tags = {
        key_no["team"]: f"'t' || ({_mixed('r.id', 6)} % 1000)",
        key_no["host"]: "'h' || (r.id % 97)",
        key_no["mlflow.runName"]: "r.name",
    }
    into = {table: f"INSERT INTO {table} ({columns}) " for table, columns in COLUMNS.items()}
    return [
        f"{numbers}{into['run']}{runs}",
        f"{into['metric_point']}SELECT r.id, k.key_no, r.start_ms, 0, {figure}, FALSE {metrics}",
        f"{into['metric_latest']}SELECT r.id, k.key_no, 0, 0, r.start_ms, {figure}, FALSE, 1, {NEVER_PACKED} {metrics}",
        f"{into['run_param']}SELECT r.id, k.key_no, 0, {_by_key(texts)} {some.format(_rows(texts))}",
        f"{into['run_tag']}SELECT r.id, k.key_no, 0, {_by_key(tags)} {some.format(_rows(tags))}",
    ]


def _mixed(no: str, index: int) -> str:
    return f"({no} * {FACTORS[index]} % {PRIME})"


def _choice(number: str, texts: tuple[str, ...]) -> str:
    return f"CASE {number} {' '.join(f'WHEN {at} THEN {text!r}' for at, text in enumerate(texts))} END"


def _by_key(values: dict[int, str]) -> str:
    return f"CASE k.key_no {' '.join(f'WHEN {key} THEN {value}' for key, value in values.items())} END"


def _rows(numbers: Iterable[int]) -> str:
    return " UNION ALL ".join(f"SELECT {number} AS key_no" for number in sorted(numbers))


def _first_free(ctx: Context) -> int:
    row = ctx.tx.one("SELECT MAX(id) FROM run")
    return 1 + (row[0] or 0 if row else 0)


def _without_indexes(ctx: Context) -> list[str]:
    """Drop the secondary indexes of the tables that are filled; what makes them again."""
    among = ", ".join(f"'{table}'" for table in COLUMNS)
    if ctx.tx.dialect == "sqlite":
        asked = (
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({among})"
        )
    else:
        asked = (
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() "
            f"AND tablename IN ({among}) "
            "AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        )
    found = ctx.tx.all(asked)
    for name, _ in found:
        ctx.tx.run(f"DROP INDEX {name}")
    return [text for _, text in found]


def check(platform: Platform, runs: int) -> None:
    """Read some runs through the API, and compare the rows of one with those that the API has written.

    Raises:
        SystemExit: something differs.
    """
    for no in random.Random(3).sample(range(1, runs + 1), min(runs, 200)):
        run = platform.call(LOCAL, GetRun(run_id=run_id_of(no)))
        found = (
            {metric.key: metric.value for metric in run.metrics},
            {param.key: param.value for param in run.params},
            {tag.key: tag.value for tag in run.tags},
        )
        if found != expected(no):
            raise SystemExit(f"Run {no} is not as it was meant: {found}")
    twin = _twin(platform, platform.call(LOCAL, GetRun(run_id=run_id_of(runs))), runs)
    if _rows_of(platform, run_id_of(runs)) != _rows_of(platform, twin):
        raise SystemExit(f"The rows of run {runs} are not those that the API writes. bench/scale_store.py is behind.")


def _twin(platform: Platform, run: Run, no: int) -> RunId:
    """The same run logged through the API, in an experiment of its own."""
    metrics, params, tags = expected(no)
    at = run.info.start_time_ms
    other = platform.call(LOCAL, CreateExperiment(name=f"twin of {no}")).experiment_id
    run_id = platform.call(
        LOCAL, CreateRun(experiment_id=other, name=run.info.name, user_id="u", start_time_ms=at)
    ).info.run_id
    platform.call(
        LOCAL,
        LogBatch(
            run_id=run_id,
            metrics=tuple(LoggedMetric(key=key, value=value, timestamp_ms=at) for key, value in metrics.items()),
            params=tuple(Param(key=key, value=value) for key, value in params.items()),
            tags=tuple(Tag(key=key, value=value) for key, value in tags.items()),
        ),
    )
    platform.call(LOCAL, UpdateRun(run_id=run_id, status=run.info.status, end_time_ms=run.info.end_time_ms))
    return run_id


def _rows_of(platform: Platform, run_id: RunId) -> dict[str, list[tuple[object, ...]]]:
    """Everything that the tables hold of a run, without what tells it from another."""

    def read(ctx: Context) -> dict[str, list[tuple[object, ...]]]:
        number = _number_of(ctx, run_id)
        found = {}
        for table, column in {"run": "id", **dict.fromkeys(OF_RUNS, "run_no")}.items():
            names = ", ".join(name for name in _columns(ctx, table) if name not in APART)
            found[table] = sorted(ctx.tx.all(f"SELECT {names} FROM {table} WHERE {column} = ?", (number,)))
        return found

    return platform.read(read)


def _number_of(ctx: Context, run_id: RunId) -> int:
    row = ctx.tx.one("SELECT id FROM run WHERE run_id = ?", (run_id,))
    if row is None:
        raise SystemExit(f"There is no run {run_id}.")
    number: int = row[0]
    return number


def _columns(ctx: Context, table: str) -> list[str]:
    if ctx.tx.dialect == "sqlite":
        return [name for (name,) in ctx.tx.all("SELECT name FROM pragma_table_info(?)", (table,))]
    asked = "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() "
    return [name for (name,) in ctx.tx.all(asked + "AND table_name = ? ORDER BY ordinal_position", (table,))]
