"""Assessments of traces."""

from collections.abc import Sequence

import msgspec

from airside.core.operation import Row, Transaction
from airside.store.sql.conditions import placeholders
from airside.tracking.traces.records import Assessment, AssessmentError
from airside.tracking.traces.rules import SESSION, figure_of, json_text

COLUMNS = (
    "a.assessment_id, t.trace_id, a.name, a.kind, a.value, a.error, a.source_type, a.source_id, a.span_id, "
    "a.rationale, a.metadata, a.overrides, a.is_valid, a.created_ms, a.updated_ms"
)
_FROM = "FROM assessment a JOIN trace t ON t.id = a.trace_no"
_ONE = f"SELECT {COLUMNS} {_FROM} WHERE a.trace_no = ? AND a.assessment_id = ?"
_ADD = (
    "INSERT INTO assessment (assessment_id, trace_no, experiment_no, kind, name, value, figure, error, source_type, "
    "source_id, span_id, rationale, metadata, is_of_session, overrides, is_valid, created_ms, updated_ms) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (assessment_id) DO NOTHING"
)
_UPDATE = (
    "UPDATE assessment SET name = ?, value = ?, figure = ?, error = ?, rationale = ?, metadata = ?, "
    "is_of_session = ?, is_valid = ?, updated_ms = ? WHERE trace_no = ? AND assessment_id = ?"
)
_VALID = "UPDATE assessment SET is_valid = ? WHERE trace_no = ? AND assessment_id = ?"
_DELETE = "DELETE FROM assessment WHERE trace_no = ? AND assessment_id = ?"
_COUNT = "SELECT COUNT(*) FROM assessment WHERE trace_no = ?"


def one(tx: Transaction, trace_no: int, assessment_id: str) -> Assessment | None:
    """One assessment of a trace."""
    row = tx.one(_ONE, (trace_no, assessment_id))
    return _of_row(row) if row else None


def of_traces(tx: Transaction, numbers: Sequence[int]) -> dict[int, list[Assessment]]:
    """The assessments of some traces, oldest first."""
    found: dict[int, list[Assessment]] = {}
    marks = placeholders(len(numbers))
    for row in tx.all(
        f"SELECT a.trace_no, {COLUMNS} {_FROM} WHERE a.trace_no IN ({marks}) ORDER BY a.trace_no, a.id", numbers
    ):
        found.setdefault(row[0], []).append(_of_row(row[1:]))
    return found


def count(tx: Transaction, trace_no: int) -> int:
    """How many a trace has."""
    row = tx.one(_COUNT, (trace_no,))
    return int(row[0]) if row else 0


def add(tx: Transaction, trace: tuple[int, int], given: Assessment) -> bool:
    """Write a new assessment of a trace, told by its number and its experiment's; False when its id is taken."""
    row = (
        given.assessment_id,
        *trace,
        given.kind,
        given.name,
        json_text(given.value),
        figure_of(given.value),
        _json(given.error),
        given.source_type,
        given.source_id,
        given.span_id,
        given.rationale,
        _metadata(given),
        SESSION in given.metadata,
        given.overrides or None,
        given.is_valid,
        given.created_ms,
        given.updated_ms,
    )
    return tx.run(_ADD, row) > 0


def update(tx: Transaction, trace_no: int, changed: Assessment) -> None:
    """Write a changed assessment."""
    row = (
        changed.name,
        json_text(changed.value),
        figure_of(changed.value),
        _json(changed.error),
        changed.rationale,
        _metadata(changed),
        SESSION in changed.metadata,
        changed.is_valid,
        changed.updated_ms,
        trace_no,
        changed.assessment_id,
    )
    tx.run(_UPDATE, row)


def set_valid(tx: Transaction, trace_no: int, assessment_id: str, *, is_valid: bool) -> bool:
    """Put one in or out of force; False when there is none."""
    return tx.run(_VALID, (is_valid, trace_no, assessment_id)) > 0


def delete(tx: Transaction, trace_no: int, assessment_id: str) -> None:
    """Delete one."""
    tx.run(_DELETE, (trace_no, assessment_id))


def _json(error: AssessmentError | None) -> str | None:
    return None if error is None else msgspec.json.encode(error).decode()


def _metadata(given: Assessment) -> str:
    return msgspec.json.encode(given.metadata).decode()


def _of_row(row: Row) -> Assessment:
    return Assessment(
        assessment_id=row[0],
        trace_id=row[1],
        name=row[2],
        kind=row[3],
        value=msgspec.json.decode(row[4]),
        error=None if row[5] is None else msgspec.json.decode(row[5], type=AssessmentError),
        source_type=row[6],
        source_id=row[7],
        span_id=row[8],
        rationale=row[9],
        metadata=msgspec.json.decode(row[10], type=dict[str, str]),
        overrides=row[11] or "",
        is_valid=bool(row[12]),
        created_ms=row[13],
        updated_ms=row[14],
    )
