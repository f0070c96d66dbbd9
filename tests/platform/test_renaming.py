"""A model that is renamed keeps its endpoints, its log, its monitors, its decisions, its triggers and its evidence."""

import pytest

from airside.core.clock import from_ms
from airside.core.ids import EndpointName, ModelName, PredictionId
from airside.core.operation import LOCAL, Context
from airside.platform.reactions.renaming import follow_rename
from airside.platform.wiring import Platform
from airside.registry.events import ModelRenamed
from airside.registry.operations.models import CreateModel, GetModel, RenameModel
from airside.serving import renaming
from airside.serving.operations.endpoints import CreateEndpoint, GetEndpoint, GetRouting
from airside.serving.operations.predictions import AppendPredictions
from airside.serving.records import NewBatch

OLD, NEW = ModelName("churn"), ModelName("leavers")

ROWS = {
    "rollout": {"id": "ro-1"},
    "prediction_batch": {"id": "p-1"},
    "monitor": {"name": "m"},
    "monitor_window": {"id": "w-1"},
    "alert": {"id": "al-1"},
    "suite": {},
    "gate_decision": {"id": "ga-1"},
    "pipeline_trigger": {"id": "tg-1", "name": "t"},
    "evidence": {"id": "ev-1", "subject": "churn@1", "version": 1},
}
"""Table -> what its row about the model must say; the rest is filled by its type."""


def columns(ctx: Context, table: str) -> dict[str, str]:
    """Column -> type."""
    if ctx.tx.dialect == "sqlite":
        return {name: kind for _, name, kind, *_ in ctx.tx.all(f"PRAGMA table_info({table})")}
    rows = ctx.tx.all(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = ? "
        "AND table_schema = current_schema() ORDER BY ordinal_position",
        (table,),
    )
    return dict(rows)


def fill(ctx: Context, table: str, **known: object) -> None:
    """Write a row of a table that says what is known, and next to nothing else."""
    values: dict[str, object] = {}
    for name, kind in columns(ctx, table).items():
        if name in known:
            values[name] = known[name]
        elif "BLOB" in kind.upper() or "BYTEA" in kind.upper():
            values[name] = b""
        elif "BOOL" in kind.upper():
            values[name] = False
        else:
            values[name] = "" if "TEXT" in kind.upper() else 0
    marks = ", ".join("?" * len(values))
    names = ", ".join(f'"{name}"' for name in values)
    ctx.tx.run(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))


def models(platform: Platform) -> dict[str, set[str]]:
    return {
        table: platform.read(lambda ctx, t=table: {row[0] for row in ctx.tx.all(f"SELECT model FROM {t}")})
        for table in ROWS
    }


def renamed(platform: Platform) -> None:
    platform.call(LOCAL, RenameModel(name=OLD, new_name=NEW))
    follow_rename(platform, ModelRenamed(name=NEW, old_name=OLD), 1)


def test_every_room_follows_a_new_name(platform: Platform) -> None:
    platform.call(LOCAL, CreateModel(name=OLD))
    platform.change(lambda ctx: [fill(ctx, table, model=OLD, **row) for table, row in ROWS.items()])
    renamed(platform)
    assert models(platform) == {table: {NEW} for table in ROWS}
    assert platform.read(lambda ctx: ctx.tx.one("SELECT subject FROM evidence")) == ("leavers@1",)
    follow_rename(platform, ModelRenamed(name=NEW, old_name=OLD), 1)
    assert models(platform) == {table: {NEW} for table in ROWS}


def test_every_table_that_names_a_model_is_known_here(platform: Platform) -> None:
    def tables(ctx: Context) -> set[str]:
        if ctx.tx.dialect == "sqlite":
            names = [row[0] for row in ctx.tx.all("SELECT name FROM sqlite_master WHERE type = 'table'")]
        else:
            rows = ctx.tx.all("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() "
                              "AND table_type = 'BASE TABLE'")  # fmt: skip
            names = [row[0] for row in rows]
        return {name for name in names if "model" in columns(ctx, name)}

    assert platform.read(tables) == {*ROWS, "endpoint"}


def test_an_endpoint_goes_on_under_the_new_name_and_its_processes_hear_of_it(platform: Platform) -> None:
    platform.call(LOCAL, CreateModel(name=OLD))
    platform.call(LOCAL, CreateEndpoint(name="jobs", model=OLD))
    before = platform.call(LOCAL, GetRouting())
    renamed(platform)
    endpoint = platform.call(LOCAL, GetEndpoint(name="jobs"))
    assert endpoint.model == NEW
    assert platform.call(LOCAL, GetModel(name=endpoint.model)).name == NEW
    assert platform.call(LOCAL, GetRouting()).revision > before.revision


def test_a_long_log_is_renamed_in_short_transactions(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renaming, "AT_ONCE", 2)
    platform.call(LOCAL, CreateModel(name=OLD))
    platform.change(lambda ctx: [fill(ctx, "prediction_batch", id=f"p-{number}", model=OLD) for number in range(5)])
    assert platform.change(lambda ctx: renaming.follow_rename(ctx, OLD, NEW))
    assert models(platform)["prediction_batch"] == {OLD, NEW}
    renamed(platform)
    assert models(platform)["prediction_batch"] == {NEW}


def waiting(number: int, model: ModelName) -> NewBatch:
    """A request that waited in a spool."""
    return NewBatch(
        id=PredictionId(f"p-{number}"),
        request_id=f"r{number}",
        endpoint=EndpointName("jobs"),
        model=model,
        version=1,
        role="champion",
        received_at=from_ms(1_750_000_000_000),
        rows=1,
        labels=(1,),
        latency_ms=1,
    )


def test_what_waited_in_a_spool_comes_under_the_new_name(platform: Platform) -> None:
    platform.call(LOCAL, CreateModel(name=OLD))
    platform.call(LOCAL, CreateEndpoint(name="jobs", model=OLD))
    renamed(platform)
    platform.call(LOCAL, AppendPredictions(batches=(waiting(1, OLD),)))
    assert models(platform)["prediction_batch"] == {NEW}


def test_what_another_model_of_that_name_answered_stays_its_own(platform: Platform) -> None:
    platform.call(LOCAL, CreateModel(name=OLD))
    platform.call(LOCAL, CreateModel(name=NEW))
    platform.call(LOCAL, CreateEndpoint(name="jobs", model=NEW))
    platform.call(LOCAL, AppendPredictions(batches=(waiting(1, OLD),)))
    assert models(platform)["prediction_batch"] == {OLD}
