"""Traces: their heads, and the texts that belong to them, loaded many at a time."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from airside.core.ids import ExperimentId
from airside.core.operation import Context, Row, Transaction
from airside.store.sql.conditions import placeholders
from airside.tracking.queries.keys import key_of, known_key, name_of
from airside.tracking.queries.rows import certain
from airside.tracking.traces.queries.assessments import of_traces
from airside.tracking.traces.records import TraceInfo

COLUMNS = (
    "id, trace_id, experiment_no, request_ms, duration_ms, state, client_request_id, request_preview, response_preview"
)
CHUNK = 500
"""Ids in one IN list: below the variables of a statement in any SQLite."""
_FIND = f"SELECT {COLUMNS} FROM trace WHERE trace_id = ?"
_ADD = (
    "INSERT INTO trace (trace_id, experiment_no, request_ms, duration_ms, state, client_request_id, request_preview, "
    "response_preview) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
)
_UPDATE = (
    "UPDATE trace SET experiment_no = ?, request_ms = ?, duration_ms = ?, state = ?, client_request_id = ?, "
    "request_preview = ?, response_preview = ? WHERE id = ?"
)
_VALUES = "SELECT trace_no, key_no, value FROM {} WHERE trace_no IN ({}) ORDER BY trace_no, key_no"
_SET = (
    "INSERT INTO {} (trace_no, key_no, experiment_no, value) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (trace_no, key_no) DO UPDATE SET value = excluded.value"
)
PARTS = ("trace_tag", "trace_metadata", "span", "assessment")
"""The tables of what belongs to a trace; each holds its number and its experiment."""
LINKS = ("trace_run", "trace_prompt")


class Head(msgspec.Struct, frozen=True):
    """A trace's row."""

    number: int
    experiment_no: int
    info: TraceInfo


def find(tx: Transaction, trace_id: str) -> Head | None:
    """A trace's head, without its texts and assessments."""
    row = tx.one(_FIND, (trace_id,))
    return _head(row) if row else None


def _head(row: Row) -> Head:
    info = TraceInfo(
        trace_id=row[1],
        experiment_id=ExperimentId(str(row[2])),
        request_ms=row[3],
        duration_ms=row[4],
        state=row[5],
        client_request_id=row[6],
        request_preview=row[7],
        response_preview=row[8],
    )
    return Head(row[0], row[2], info)


def add(tx: Transaction, info: TraceInfo, experiment_no: int) -> int:
    """A new trace's number."""
    return int(certain(tx.one(_ADD, (info.trace_id, experiment_no, *_changing(info))))[0])


def update(tx: Transaction, head: Head, info: TraceInfo, experiment_no: int) -> None:
    """Write a changed head; what belongs to the trace moves with it to another experiment."""
    tx.run(_UPDATE, (experiment_no, *_changing(info), head.number))
    if experiment_no != head.experiment_no:
        for table in PARTS:
            tx.run(f"UPDATE {table} SET experiment_no = ? WHERE trace_no = ?", (experiment_no, head.number))


def _changing(info: TraceInfo) -> tuple[object, ...]:
    return (
        info.request_ms,
        info.duration_ms,
        info.state,
        info.client_request_id,
        info.request_preview,
        info.response_preview,
    )


def set_texts(ctx: Context, table: str, trace: tuple[int, int], texts: Mapping[str, str]) -> None:
    """Set some tags or metadata of a trace, told by its number and its experiment's."""
    rows = [(trace[0], key_of(ctx, key), trace[1], value) for key, value in texts.items()]
    if rows:
        ctx.tx.many(_SET.format(table), rows)


def texts(ctx: Context, table: str, number: int) -> dict[str, str]:
    """The tags or the metadata of one trace."""
    return {name_of(ctx, key): value for _, key, value in ctx.tx.all(_VALUES.format(table, "?"), (number,))}


def drop_tag(ctx: Context, number: int, key: str) -> bool:
    """Remove a tag; False when the trace has none of that key."""
    key_no = known_key(ctx, key)
    if key_no is None:
        return False
    return ctx.tx.run("DELETE FROM trace_tag WHERE trace_no = ? AND key_no = ?", (number, key_no)) > 0


def load(ctx: Context, numbers: Sequence[int]) -> list[TraceInfo]:
    """The heads of some traces, with all but their spans, in the order of the numbers; what is missing is left out."""
    found: dict[int, TraceInfo] = {}
    for start in range(0, len(numbers), CHUNK):
        chunk = numbers[start : start + CHUNK]
        marks = placeholders(len(chunk))
        tags = _texts(ctx, "trace_tag", marks, chunk)
        metadata = _texts(ctx, "trace_metadata", marks, chunk)
        assessments = of_traces(ctx.tx, chunk)
        for row in ctx.tx.all(f"SELECT {COLUMNS} FROM trace WHERE id IN ({marks})", chunk):
            head = _head(row)
            found[head.number] = msgspec.structs.replace(
                head.info,
                tags=tags.get(head.number, {}),
                metadata=metadata.get(head.number, {}),
                assessments=tuple(assessments.get(head.number, ())),
            )
    return [found[number] for number in numbers if number in found]


def _texts(ctx: Context, table: str, marks: str, numbers: Sequence[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for number, key, value in ctx.tx.all(_VALUES.format(table, marks), numbers):
        found.setdefault(number, {})[name_of(ctx, key)] = value
    return found


def numbers_of(tx: Transaction, trace_ids: Iterable[str], experiments: Sequence[int] | None = None) -> dict[str, int]:
    """The numbers of those traces that are there, in the order asked; perhaps only those of some experiments."""
    wanted = list(dict.fromkeys(trace_ids))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        rows = tx.all(
            f"SELECT trace_id, id, experiment_no FROM trace WHERE trace_id IN ({', '.join('?' * len(chunk))})", chunk
        )
        found |= {row[0]: row[1] for row in rows if experiments is None or row[2] in experiments}
    return {trace_id: found[trace_id] for trace_id in wanted if trace_id in found}


def oldest(tx: Transaction, experiment_no: int, until_ms: int, limit: int) -> list[int]:
    """The numbers of the oldest traces of an experiment, up to a time."""
    return [
        row[0]
        for row in tx.all(
            "SELECT id FROM trace WHERE experiment_no = ? AND request_ms <= ? ORDER BY request_ms, trace_id LIMIT ?",
            (experiment_no, until_ms, limit),
        )
    ]


def delete(tx: Transaction, numbers: Sequence[int]) -> None:
    """Delete traces with all that belongs to them."""
    for start in range(0, len(numbers), CHUNK):
        chunk = numbers[start : start + CHUNK]
        marks = placeholders(len(chunk))
        for table in LINKS:
            tx.run(
                f"DELETE FROM {table} WHERE trace_id IN (SELECT trace_id FROM trace WHERE id IN ({marks}))",
                chunk,
            )
        for table in PARTS:
            tx.run(f"DELETE FROM {table} WHERE trace_no IN ({marks})", chunk)
        tx.run(f"DELETE FROM trace WHERE id IN ({marks})", chunk)


def link_run(tx: Transaction, trace_ids: Iterable[str], run_id: str) -> None:
    """Link traces to a run; twice is once."""
    tx.many(
        "INSERT INTO trace_run (run_id, trace_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(run_id, trace_id) for trace_id in trace_ids],
    )


def link_prompts(tx: Transaction, trace_id: str, prompts: Iterable[str]) -> None:
    """Link versions of prompts, each as `name/version`, to a trace; twice is once."""
    tx.many(
        "INSERT INTO trace_prompt (prompt, trace_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(prompt, trace_id) for prompt in prompts],
    )


def links(tx: Transaction, table: str, column: str, trace_ids: Sequence[str]) -> dict[str, list[str]]:
    """What some traces are linked to: runs in `trace_run`, prompts in `trace_prompt`."""
    found: dict[str, list[str]] = {}
    for start in range(0, len(trace_ids), CHUNK):
        chunk = trace_ids[start : start + CHUNK]
        marks = ", ".join("?" * len(chunk))
        rows = tx.all(f"SELECT trace_id, {column} FROM {table} WHERE trace_id IN ({marks}) ORDER BY 1, 2", chunk)
        for trace_id, target in rows:
            found.setdefault(trace_id, []).append(target)
    return found
