"""SQL of approvals."""

import msgspec

from airside.core.clock import from_ms, to_ms
from airside.core.operation import Row, Transaction
from airside.registry.records import Approval, ApprovalState, SubjectKind

_COLUMNS = "id, subject_kind, subject, question, approvers, state, asked_by, asked_ms, decided_by, decided_ms, comment"


def insert_approval(tx: Transaction, approval: Approval) -> None:
    """Write a question that waits."""
    tx.run(
        f"INSERT INTO approval ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            approval.id,
            approval.subject_kind,
            approval.subject,
            approval.question,
            msgspec.json.encode(approval.approvers).decode(),
            approval.state,
            approval.asked_by,
            to_ms(approval.asked_at),
            approval.decided_by,
            None,
            approval.comment,
        ),
    )


def set_decision(tx: Transaction, decided: Approval) -> None:
    """Write a decision."""
    at_ms = None if decided.decided_at is None else to_ms(decided.decided_at)
    tx.run(
        "UPDATE approval SET state = ?, decided_by = ?, decided_ms = ?, comment = ? WHERE id = ?",
        (decided.state, decided.decided_by, at_ms, decided.comment, decided.id),
    )


def approval(tx: Transaction, approval_id: str) -> Approval | None:
    """One approval."""
    row = tx.one(f"SELECT {_COLUMNS} FROM approval WHERE id = ?", (approval_id,))
    return None if row is None else _approval(row)


def approvals_of(tx: Transaction, subject_kind: SubjectKind, subject: str) -> tuple[Approval, ...]:
    """All approvals of a subject, oldest first."""
    rows = tx.all(
        f"SELECT {_COLUMNS} FROM approval WHERE subject_kind = ? AND subject = ? ORDER BY id", (subject_kind, subject)
    )
    return tuple(_approval(row) for row in rows)


def approvals(
    tx: Transaction,
    state: ApprovalState | None,
    subject_kind: SubjectKind | None,
    subject: str,
    below: str,
    limit: int,
) -> tuple[Approval, ...]:
    """Approvals that match, newest first, below an id."""
    conditions, args = ["1 = 1"], []
    for column, value in (("state", state), ("subject_kind", subject_kind), ("subject", subject)):
        if value:
            conditions.append(f"{column} = ?")
            args.append(value)
    if below:
        conditions.append("id < ?")
        args.append(below)
    rows = tx.all(
        f"SELECT {_COLUMNS} FROM approval WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?", (*args, limit)
    )
    return tuple(_approval(row) for row in rows)


def _approval(row: Row) -> Approval:
    approval_id, kind, subject, question, approvers, state, asked_by, asked_ms, decided_by, decided_ms, comment = row
    return Approval(
        id=approval_id,
        subject_kind=kind,
        subject=subject,
        question=question,
        approvers=msgspec.json.decode(approvers, type=tuple[str, ...]),
        state=state,
        asked_by=asked_by,
        asked_at=from_ms(asked_ms),
        decided_by=decided_by,
        decided_at=None if decided_ms is None else from_ms(decided_ms),
        comment=comment,
    )
