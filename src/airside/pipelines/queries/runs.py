"""Runs of pipelines in SQL."""

from typing import Any

import msgspec

from airside.core.clock import from_ms, to_ms
from airside.core.ids import PipelineRunId
from airside.core.operation import Row, Transaction
from airside.core.record import Record
from airside.pipelines.queries.pipelines import text_of
from airside.pipelines.records import Cause, PipelineRun
from airside.pipelines.rules import Lease

_COLUMNS = (
    "id, pipeline, version, state, parameters, cause_kind, cause_actor, cause_trigger, cause_event, cause_text, "
    "tracking_run, attempt, worker, error, result, steps_total, steps_done, created_ms, started_ms, ended_ms"
)
_INSERT = f"""
INSERT INTO pipeline_run ({_COLUMNS}, host, lease_until_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0)
"""
_ONE = f"SELECT {_COLUMNS} FROM pipeline_run WHERE id = ?"
_LEASE = "SELECT worker, host, lease_until_ms FROM pipeline_run WHERE id = ?"
_QUEUED = "SELECT id FROM pipeline_run WHERE state IN ('queued', 'interrupted') ORDER BY id LIMIT 100"
_ABANDONED = "SELECT id FROM pipeline_run WHERE state = 'running' AND lease_until_ms <= ? ORDER BY id LIMIT 100"
_DRIVEN_ON = "SELECT id FROM pipeline_run WHERE state = 'running' AND host = ? ORDER BY id LIMIT 100"
_CLAIM = """
UPDATE pipeline_run SET state = 'running', attempt = ?, worker = ?, host = ?, lease_until_ms = ?,
  started_ms = COALESCE(started_ms, ?)
WHERE id = ?
"""
_RENEW = "UPDATE pipeline_run SET lease_until_ms = ? WHERE id = ?"
_END = "UPDATE pipeline_run SET state = ?, error = ?, result = ?, ended_ms = ?, lease_until_ms = 0 WHERE id = ?"
_RELEASE = "UPDATE pipeline_run SET state = ?, lease_until_ms = 0 WHERE id = ?"
_ACTIVE = """
SELECT id FROM pipeline_run
WHERE cause_trigger = ? AND state IN ('queued', 'running', 'interrupted', 'waiting') LIMIT 1
"""

_parameters = msgspec.json.Decoder(dict[str, Any])


class RunFilter(Record):
    """Which runs; what is empty does not cut."""

    pipeline: str = ""
    states: tuple[str, ...] = ()
    trigger: str = ""
    event: str = ""
    before: str = ""


def insert_run(tx: Transaction, run: PipelineRun) -> None:
    """Store a new run."""
    cause = run.cause
    tx.run(
        _INSERT,
        (
            run.id,
            run.pipeline,
            run.version,
            run.state,
            text_of(run.parameters),
            cause.kind,
            cause.actor,
            cause.trigger,
            cause.event,
            cause.text,
            run.tracking_run,
            run.attempt,
            run.worker,
            run.error,
            text_of(run.result),
            run.steps_total,
            run.steps_done,
            to_ms(run.created_at),
            None,
            None,
        ),
    )


def run(tx: Transaction, run_id: str) -> PipelineRun | None:
    """A run."""
    row = tx.one(_ONE, (run_id,))
    return None if row is None else _run(row)


def runs(tx: Transaction, wanted: RunFilter, *, limit: int) -> list[PipelineRun]:
    """Runs, the newest first: an id sorts by the time it was made."""
    conditions, args = ["1 = 1"], list[Any]()
    for column, value in (
        ("pipeline = ?", wanted.pipeline),
        ("cause_trigger = ?", wanted.trigger),
        ("cause_event = ?", wanted.event),
        ("id < ?", wanted.before),
    ):
        if value:
            conditions.append(column)
            args.append(value)
    if wanted.states:
        conditions.append(f"state IN ({', '.join('?' for _ in wanted.states)})")
        args += wanted.states
    text = f"SELECT {_COLUMNS} FROM pipeline_run WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?"
    return [_run(row) for row in tx.all(text, (*args, limit))]


def lease(tx: Transaction, run_id: str) -> Lease:
    """Who drives a run."""
    row = tx.one(_LEASE, (run_id,)) or ("", "", 0)
    return Lease(worker=row[0], host=row[1], until_ms=row[2])


def queued(tx: Transaction) -> list[PipelineRunId]:
    """Runs that nobody drives, the oldest first."""
    return [row[0] for row in tx.all(_QUEUED)]


def abandoned(tx: Transaction, now_ms: int) -> list[PipelineRunId]:
    """Runs whose lease has run out."""
    return [row[0] for row in tx.all(_ABANDONED, (now_ms,))]


def driven_on(tx: Transaction, host: str) -> list[PipelineRunId]:
    """Runs that a driver on this host claimed."""
    return [row[0] for row in tx.all(_DRIVEN_ON, (host,))]


def claim_run(tx: Transaction, run_id: str, *, token: int, lease: Lease, now_ms: int) -> None:
    """Note the new driver and its fence."""
    tx.run(_CLAIM, (token, lease.worker, lease.host, lease.until_ms, now_ms, run_id))


def renew(tx: Transaction, run_id: str, until_ms: int) -> None:
    """Lengthen a lease."""
    tx.run(_RENEW, (until_ms, run_id))


def release_run(tx: Transaction, run_id: str, state: str) -> None:
    """Nobody drives it any more."""
    tx.run(_RELEASE, (state, run_id))


def end_run(tx: Transaction, run: PipelineRun) -> None:
    """Note a run's last state, or that it waits: then it has no end yet."""
    ended_ms = None if run.ended_at is None else to_ms(run.ended_at)
    tx.run(_END, (run.state, run.error, text_of(run.result), ended_ms, run.id))


def active_of_trigger(tx: Transaction, trigger_id: str) -> PipelineRunId | None:
    """A run of a trigger that has not ended."""
    row = tx.one(_ACTIVE, (trigger_id,))
    return None if row is None else PipelineRunId(row[0])


def _run(row: Row) -> PipelineRun:
    return PipelineRun(
        id=row[0],
        pipeline=row[1],
        version=row[2],
        state=row[3],
        parameters=_parameters.decode(row[4]),
        cause=Cause(kind=row[5], actor=row[6], trigger=row[7], event=row[8], text=row[9]),
        tracking_run=row[10],
        attempt=row[11],
        worker=row[12],
        error=row[13],
        result=msgspec.json.decode(row[14]),
        steps_total=row[15],
        steps_done=row[16],
        created_at=from_ms(row[17]),
        started_at=None if row[18] is None else from_ms(row[18]),
        ended_at=None if row[19] is None else from_ms(row[19]),
    )
