"""All SQL of captures."""

import msgspec

from airside.core.operation import Transaction
from airside.tracking.capture.records import Capture

_PUT = (
    "INSERT INTO run_capture (run_no, source, at_ms, code_blob, lock_blob, facts) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (run_no, source) DO UPDATE SET at_ms = excluded.at_ms, code_blob = excluded.code_blob, "
    "lock_blob = excluded.lock_blob, facts = excluded.facts"
)
_OF = "SELECT facts FROM run_capture WHERE run_no = ? ORDER BY at_ms, source"
_COUNT = "SELECT count(*) FROM run_capture WHERE run_no = ? AND source <> ?"


def put(tx: Transaction, number: int, capture: Capture) -> None:
    """Store a capture, in the place of an earlier one of the same source."""
    code = capture.code.bundle if capture.code is not None else ""
    lock = capture.environment.lock if capture.environment is not None else ""
    facts = msgspec.json.encode(capture).decode()
    tx.run(_PUT, (number, capture.source, capture.at_ms, code, lock, facts))


def of_run(tx: Transaction, number: int) -> tuple[Capture, ...]:
    """The captures of a run, the oldest first."""
    return tuple(msgspec.json.decode(row[0], type=Capture) for row in tx.all(_OF, (number,)))


def count_others(tx: Transaction, number: int, source: str) -> int:
    """How many captures of other sources a run has."""
    row = tx.one(_COUNT, (number, source))
    return 0 if row is None else int(row[0])
