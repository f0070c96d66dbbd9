"""Attempts of steps and the cache in SQL."""

from collections.abc import Mapping

import msgspec

from airside.core.clock import from_ms, to_ms
from airside.core.operation import Row, Transaction
from airside.pipelines.queries.pipelines import text_of
from airside.pipelines.records import StepRun, StepState, Value

_COLUMNS = (
    "run, step, attempt, node, label, state, key, cached, cached_from, infrastructure, outputs, error, reason, opaque, "
    "seconds, started_ms, ended_ms"
)
_COMMIT = f"""
INSERT INTO step_run ({_COLUMNS}, parts, log, position)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
  (SELECT COALESCE(MAX(position), 0) + 1 FROM step_run s WHERE s.run = ?))
ON CONFLICT (run, step, attempt) DO UPDATE SET
  state = excluded.state, key = excluded.key, cached = excluded.cached, cached_from = excluded.cached_from,
  infrastructure = excluded.infrastructure, outputs = excluded.outputs, error = excluded.error,
  reason = excluded.reason, opaque = excluded.opaque, seconds = excluded.seconds,
  started_ms = excluded.started_ms, ended_ms = excluded.ended_ms, parts = excluded.parts, log = excluded.log
WHERE step_run.state = 'running'
  OR (step_run.state IN ('interrupted', 'waiting') AND excluded.state IN ('succeeded', 'failed'))
"""
_COUNT = """
UPDATE pipeline_run SET
  steps_total = CASE WHEN ? > 0 THEN ? ELSE steps_total END,
  steps_done = (SELECT COUNT(DISTINCT step) FROM step_run WHERE run = ? AND state IN ('succeeded', 'skipped'))
WHERE id = ?
"""
_LIST = f"SELECT {_COLUMNS} FROM step_run WHERE run = ? ORDER BY position LIMIT ? OFFSET ?"
_LATEST = f"""
SELECT {_COLUMNS} FROM step_run WHERE run = ?
  AND attempt = (SELECT MAX(o.attempt) FROM step_run o WHERE o.run = step_run.run AND o.step = step_run.step)
ORDER BY position LIMIT ? OFFSET ?
"""
_FINISHED = f"SELECT {_COLUMNS} FROM step_run WHERE run = ? AND state IN ('succeeded', 'failed') ORDER BY position"
_ATTEMPTS = "SELECT step, MAX(attempt) FROM step_run WHERE run = ? GROUP BY step"
_ATTEMPT = f"""
SELECT {_COLUMNS}, log, parts FROM step_run WHERE run = ? AND step = ? AND (attempt = ? OR ? = 0)
ORDER BY attempt DESC LIMIT 1
"""
_CLOSE = "UPDATE step_run SET state = ?, ended_ms = ? WHERE run = ? AND state IN ('running', 'waiting')"
_INTERRUPT = "UPDATE step_run SET state = 'interrupted', ended_ms = ? WHERE run = ? AND state = 'running'"
_WAITS = "SELECT step FROM step_run WHERE run = ? AND state = 'waiting' LIMIT 1"
_KEEP = """
INSERT INTO step_cache (key, run, step, outputs, created_ms) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (key) DO NOTHING
"""
_KEPT = "SELECT run, step, outputs FROM step_cache WHERE key = ?"
_KEPT_BEFORE = """
SELECT c.key, c.run, c.step, c.outputs FROM step_run s
JOIN step_cache c ON c.key = s.key
WHERE s.run = (SELECT MAX(r.id) FROM pipeline_run r WHERE r.pipeline = ? AND r.id < ? AND r.state = 'succeeded')
LIMIT ?
"""
_BEFORE = """
SELECT s.run FROM step_run s
JOIN pipeline_run r ON r.id = s.run
WHERE s.step = ? AND s.state = 'succeeded' AND s.run < ?
  AND r.pipeline = (SELECT pipeline FROM pipeline_run WHERE id = ?)
ORDER BY s.run DESC LIMIT 1
"""

_outputs = msgspec.json.Decoder(dict[str, Value])
_texts = msgspec.json.Decoder(tuple[str, ...])
_parts = msgspec.json.Decoder(dict[str, str])


def commit_step(tx: Transaction, step: StepRun, *, parts: Mapping[str, str], log: str) -> bool:
    """Store an attempt, or what became of it; False when it had ended already and so was left alone."""
    args = (
        step.run,
        step.step,
        step.attempt,
        step.node,
        step.label,
        step.state,
        step.key,
        step.cached,
        step.cached_from,
        step.infrastructure,
        text_of(step.outputs),
        step.error,
        step.reason,
        text_of(step.opaque),
        step.seconds,
        None if step.started_at is None else to_ms(step.started_at),
        None if step.ended_at is None else to_ms(step.ended_at),
        text_of(parts),
        log,
        step.run,
    )
    return tx.run(_COMMIT, args) > 0


def count_steps(tx: Transaction, run_id: str, total: int) -> None:
    """Bring a run's counts up to date."""
    tx.run(_COUNT, (total, total, run_id, run_id))


def steps(tx: Transaction, run_id: str, *, latest: bool, limit: int, offset: int) -> list[StepRun]:
    """The attempts of a run."""
    return [_step(row) for row in tx.all(_LATEST if latest else _LIST, (run_id, limit, offset))]


def finished_steps(tx: Transaction, run_id: str) -> list[StepRun]:
    """The attempts that succeeded or failed."""
    return [_step(row) for row in tx.all(_FINISHED, (run_id,))]


def attempts(tx: Transaction, run_id: str) -> dict[str, int]:
    """Step → its greatest attempt."""
    return {row[0]: row[1] for row in tx.all(_ATTEMPTS, (run_id,))}


def attempt(tx: Transaction, run_id: str, step: str, number: int) -> tuple[StepRun, str, dict[str, str]] | None:
    """An attempt (0: the last) with its log and the parts of its key."""
    row = tx.one(_ATTEMPT, (run_id, step, number, number))
    return None if row is None else (_step(row), row[17], _parts.decode(row[18]))


def close_steps(tx: Transaction, run_id: str, *, state: StepState, now_ms: int) -> None:
    """Leave no attempt of an ended run as running."""
    tx.run(_CLOSE, (state, now_ms, run_id))


def interrupt_steps(tx: Transaction, run_id: str, now_ms: int) -> None:
    """The driver died: what ran does not run any more."""
    tx.run(_INTERRUPT, (now_ms, run_id))


def waits(tx: Transaction, run_id: str) -> bool:
    """Whether a step of a run waits for a person."""
    return tx.one(_WAITS, (run_id,)) is not None


def keep(tx: Transaction, step: StepRun, now_ms: int) -> None:
    """Let later runs take these outputs."""
    tx.run(_KEEP, (step.key, step.run, step.step, text_of(step.outputs), now_ms))


def kept(tx: Transaction, key: str) -> tuple[str, str, dict[str, Value]] | None:
    """The run, the step and the outputs that a key stands for."""
    row = tx.one(_KEPT, (key,))
    return None if row is None else (row[0], row[1], _outputs.decode(row[2]))


def kept_before(
    tx: Transaction, pipeline: str, run_id: str, limit: int
) -> list[tuple[str, str, str, dict[str, Value]]]:
    """Key, run, step and outputs of what the last succeeded run of a pipeline before this one made or took."""
    rows = tx.all(_KEPT_BEFORE, (pipeline, run_id, limit))
    return [(row[0], row[1], row[2], _outputs.decode(row[3])) for row in rows]


def run_before(tx: Transaction, run_id: str, step: str) -> str:
    """The last earlier run of the same pipeline in which a step succeeded; empty when there is none."""
    row = tx.one(_BEFORE, (step, run_id, run_id))
    return "" if row is None else str(row[0])


def _step(row: Row) -> StepRun:
    return StepRun(
        run=row[0],
        step=row[1],
        attempt=row[2],
        node=row[3],
        label=row[4],
        state=row[5],
        key=row[6],
        cached=bool(row[7]),
        cached_from=row[8],
        infrastructure=bool(row[9]),
        outputs=_outputs.decode(row[10]),
        error=row[11],
        reason=row[12],
        opaque=_texts.decode(row[13]),
        seconds=row[14],
        started_at=None if row[15] is None else from_ms(row[15]),
        ended_at=None if row[16] is None else from_ms(row[16]),
    )
