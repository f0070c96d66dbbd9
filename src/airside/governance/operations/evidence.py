"""Evidence: appended, never changed."""

from datetime import datetime

import blake3
import msgspec

from airside.core.errors import Invalid
from airside.core.ids import BlobId, ModelName
from airside.core.operation import Context, operation
from airside.core.paging import cut, page_size
from airside.core.record import Ask
from airside.governance import queries
from airside.governance.ml_tests import BY_ID, valid_until
from airside.governance.records import (
    Cause,
    Evidence,
    EvidenceId,
    EvidenceKind,
    EvidencePage,
    EvidenceStatus,
    Measured,
    SubjectKind,
    Threshold,
)


class RecordEvidence(Ask[Evidence]):
    """What was checked, on what, with what result.

    Attributes:
        items: what it is evidence for: `mts:D1` … `mts:O7`, `card:<field>`.
        subject: of a model version `NAME@NUMBER`, else an id or name.
        valid_until: None takes the freshness of the items.
        statement: of a person; needed for everything but `automatic`.
    """

    items: tuple[str, ...]
    subject_kind: SubjectKind
    subject: str
    model: ModelName = ModelName("")
    version: int = 0
    kind: EvidenceKind = "automatic"
    cause: Cause = "by_hand"
    status: EvidenceStatus
    measured: tuple[Measured, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    produced_by: str = ""
    statement: str = ""
    valid_until: datetime | None = None


@operation("evidence.record", needs="evidence:write")
def record_evidence(ctx: Context, ask: RecordEvidence) -> Evidence:
    """Append evidence, signed with the caller's name.

    What was produced by one thing (a window, say) is recorded again only when its status changed.

    Only the platform itself may say that it was not made by hand: a cause other than `by_hand` earns the full point.

    Raises:
        Invalid: an item is unknown, a person's statement is empty, or a person claims an automatic cause.
    """
    unknown = [item for item in ask.items if item.startswith("mts:") and item[4:] not in BY_ID]
    if unknown or not ask.items:
        raise Invalid(f"Evidence is for items such as 'mts:D1' or 'card:limits'; these are none: {list(ask.items)!r}.")
    if ask.kind != "automatic" and not ask.statement:
        raise Invalid(f"Evidence of the kind '{ask.kind}' is a person's statement; say in `statement` what you state.")
    if ask.cause != "by_hand" and ctx.actor.role != "service":
        raise Invalid(f"'{ctx.actor.name}' records evidence by hand; the cause '{ask.cause}' is the platform's own.")
    known = queries.newest(ctx.tx, ask.model, ask.version, ask.produced_by)
    same = next((one for one in known if (one.items, one.subject) == (ask.items, ask.subject)), None)
    if ask.produced_by and same is not None and (same.status, same.kind) == (ask.status, ask.kind):
        return same
    now = ctx.clock.now()
    evidence = Evidence(
        evidence_id=EvidenceId(""),
        digest=BlobId(""),
        items=ask.items,
        subject_kind=ask.subject_kind,
        subject=ask.subject,
        model=ask.model,
        version=ask.version,
        kind=ask.kind,
        cause=ask.cause,
        status=ask.status,
        measured=ask.measured,
        thresholds=ask.thresholds,
        produced_by=ask.produced_by,
        statement=ask.statement,
        signed_by=ctx.actor.name,
        created_at=now,
        valid_until=ask.valid_until or valid_until(ask.items, ask.kind, now),
    )
    evidence_id = EvidenceId(ctx.new_id("evidence"))
    canonical = msgspec.json.encode(msgspec.structs.replace(evidence, evidence_id=evidence_id), order="sorted")
    digest = BlobId(f"b3:{blake3.blake3(canonical).hexdigest()}")
    stored = msgspec.structs.replace(evidence, evidence_id=evidence_id, digest=digest)
    queries.add(ctx.tx, stored)
    return stored


class ListEvidence(Ask[EvidencePage]):
    """Evidence; an empty field matches every one. The page token is the last id seen."""

    model: str = ""
    version: int = 0
    subject: str = ""
    max_results: int = 100
    page_token: str = ""


@operation("evidence.list", needs="evidence:read")
def list_evidence(ctx: Context, ask: ListEvidence) -> EvidencePage:
    """Evidence, newest first.

    Raises:
        Invalid: the page's size is out of bounds.
    """
    size = page_size(ask.max_results)
    found = queries.listed(ctx.tx, ask.model, ask.version, ask.subject, ask.page_token, size + 1)
    items, following = cut(found, size, lambda evidence: evidence.evidence_id)
    return EvidencePage(items=items, next_page_token=following)
