"""All SQL of the room."""

import msgspec

from airside.core.clock import from_ms, to_ms
from airside.core.ids import DatasetVersionId, ModelName, RunId
from airside.core.operation import Context, Row
from airside.quality.records import Check, CheckResult, GateDecision, Suite

_DECISION = (
    "SELECT id, model, version, outcome, summary, results, compared_with, run_id, dataset_versions, decided_by,"
    " decided_at FROM gate_decision"
)

_checks = msgspec.json.Decoder(tuple[Check, ...])
_results = msgspec.json.Decoder(tuple[CheckResult, ...])
_ids = msgspec.json.Decoder(tuple[DatasetVersionId, ...])


def suite(ctx: Context, model: str) -> Suite | None:
    """The suite of a model."""
    row = ctx.tx.one("SELECT model, checks, set_by, set_at FROM suite WHERE model = ?", (model,))
    if row is None:
        return None
    return Suite(model=ModelName(row[0]), checks=_checks.decode(row[1]), set_by=row[2], set_at=from_ms(row[3]))


def put_suite(ctx: Context, made: Suite) -> None:
    """Set, or set anew."""
    ctx.tx.run(
        "INSERT INTO suite (model, checks, set_by, set_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (model) DO UPDATE SET checks = excluded.checks, set_by = excluded.set_by,"
        " set_at = excluded.set_at",
        (made.model, msgspec.json.encode(made.checks).decode(), made.set_by, to_ms(made.set_at)),
    )


def insert_decision(ctx: Context, made: GateDecision) -> None:
    """A new decision; it never changes."""
    ctx.tx.run(
        "INSERT INTO gate_decision (id, model, version, outcome, summary, results, compared_with, run_id,"
        " dataset_versions, decided_by, decided_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            made.id,
            made.model,
            made.version,
            made.outcome,
            made.summary,
            msgspec.json.encode(made.results).decode(),
            made.compared_with,
            made.run_id,
            msgspec.json.encode(made.dataset_versions).decode(),
            made.decided_by,
            to_ms(made.decided_at),
        ),
    )


def decision(ctx: Context, decision_id: str) -> GateDecision | None:
    """One decision."""
    row = ctx.tx.one(f"{_DECISION} WHERE id = ?", (decision_id,))
    return None if row is None else _to_decision(row)


def decisions(ctx: Context, model: str, version: int, *, before: str, limit: int) -> tuple[GateDecision, ...]:
    """Decisions, newest first: of all models for the empty name, of all versions for 0, older than the id `before`."""
    conditions = [
        ("model = ?", model),
        ("version = ?", version),
        ("id < ?", before),
    ]
    given = [(text, value) for text, value in conditions if value]
    where = f" WHERE {' AND '.join(text for text, _ in given)}" if given else ""
    rows = ctx.tx.all(f"{_DECISION}{where} ORDER BY id DESC LIMIT ?", (*(value for _, value in given), limit))
    return tuple(_to_decision(row) for row in rows)


def _to_decision(row: Row) -> GateDecision:
    return GateDecision(
        id=row[0],
        model=ModelName(row[1]),
        version=row[2],
        outcome=row[3],
        summary=row[4],
        results=_results.decode(row[5]),
        compared_with=row[6],
        run_id=None if row[7] is None else RunId(row[7]),
        dataset_versions=_ids.decode(row[8]),
        decided_by=row[9],
        decided_at=from_ms(row[10]),
    )


def rename_model(ctx: Context, name: str, new_name: str) -> None:
    """Call a model by its new name in its suite and its decisions; a suite left by a model of that name goes."""
    if ctx.tx.one("SELECT 1 FROM suite WHERE model = ?", (name,)):
        ctx.tx.run("DELETE FROM suite WHERE model = ?", (new_name,))
        ctx.tx.run("UPDATE suite SET model = ? WHERE model = ?", (new_name, name))
    ctx.tx.run("UPDATE gate_decision SET model = ? WHERE model = ?", (new_name, name))
