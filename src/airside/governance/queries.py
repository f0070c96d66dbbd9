"""All SQL of the room."""

import msgspec

from airside.core.clock import from_ms, to_ms
from airside.core.ids import BlobId, ModelName
from airside.core.operation import Row, Transaction
from airside.core.record import Record
from airside.governance.records import Evidence, EvidenceId, Measured, Threshold

_EVIDENCE = (
    "id, digest, subject_kind, subject, model, version, kind, cause, status, produced_by, signed_by, body, created_at,"
    " valid_until"
)


class EvidenceBody(Record):
    """What of a record is never searched for: one JSON text."""

    items: tuple[str, ...]
    measured: tuple[Measured, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    statement: str = ""


_body = msgspec.json.Decoder(EvidenceBody).decode


def _record(row: Row) -> Evidence:
    body = _body(row[11])
    return Evidence(
        evidence_id=EvidenceId(row[0]),
        digest=BlobId(row[1]),
        items=body.items,
        subject_kind=row[2],
        subject=row[3],
        model=ModelName(row[4]),
        version=row[5],
        kind=row[6],
        cause=row[7],
        status=row[8],
        measured=body.measured,
        thresholds=body.thresholds,
        produced_by=row[9],
        statement=body.statement,
        signed_by=row[10],
        created_at=from_ms(row[12]),
        valid_until=None if row[13] is None else from_ms(row[13]),
    )


def add(tx: Transaction, evidence: Evidence) -> None:
    """Append a record of evidence."""
    body = EvidenceBody(
        items=evidence.items,
        measured=evidence.measured,
        thresholds=evidence.thresholds,
        statement=evidence.statement,
    )
    tx.run(
        f"INSERT INTO evidence ({_EVIDENCE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            evidence.evidence_id,
            evidence.digest,
            evidence.subject_kind,
            evidence.subject,
            evidence.model,
            evidence.version,
            evidence.kind,
            evidence.cause,
            evidence.status,
            evidence.produced_by,
            evidence.signed_by,
            msgspec.json.encode(body).decode(),
            to_ms(evidence.created_at),
            None if evidence.valid_until is None else to_ms(evidence.valid_until),
        ),
    )


def listed(tx: Transaction, model: str, version: int, subject: str, before: str, limit: int) -> list[Evidence]:
    """Evidence, newest first, by what is given of model, version and subject."""
    rows = tx.all(
        f"SELECT {_EVIDENCE} FROM evidence WHERE (? = '' OR model = ?) AND (? = 0 OR version = ?)"
        " AND (? = '' OR subject = ?) AND (? = '' OR id < ?) ORDER BY id DESC LIMIT ?",
        (model, model, version, version, subject, subject, before, before, limit),
    )
    return [_record(row) for row in rows]


def about(tx: Transaction, model: str, version: int) -> list[Evidence]:
    """All evidence about a version, oldest first."""
    rows = tx.all(f"SELECT {_EVIDENCE} FROM evidence WHERE model = ? AND version = ? ORDER BY id", (model, version))
    return [_record(row) for row in rows]


def newest(tx: Transaction, model: str, version: int, produced_by: str) -> list[Evidence]:
    """Evidence about a version that one thing produced, newest first."""
    rows = tx.all(
        f"SELECT {_EVIDENCE} FROM evidence WHERE model = ? AND version = ? AND produced_by = ? ORDER BY id DESC",
        (model, version, produced_by),
    )
    return [_record(row) for row in rows]


def rename_model(tx: Transaction, name: str, new_name: str) -> None:
    """Call a model by its new name in the evidence on it and on its versions."""
    rows = tx.all("SELECT DISTINCT version FROM evidence WHERE model = ?", (name,))
    subjects = [(new_name, name), *((f"{new_name}@{version}", f"{name}@{version}") for (version,) in rows)]
    tx.many(
        "UPDATE evidence SET subject = ? WHERE subject = ? AND model = ?",
        [(after, before, name) for after, before in subjects],
    )
    tx.run("UPDATE evidence SET model = ? WHERE model = ?", (new_name, name))
