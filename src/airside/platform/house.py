"""The platform's own verbs: what it is, its audit log, and what its reactions gave up."""

from airside.core.operation import AnyOperation, Context, operation
from airside.core.paging import page_size
from airside.core.record import Ask, Record
from airside.core.version import VERSION
from airside.store import audit


class About(Record):
    """What answers.

    Attributes:
        serving_url: where the serving process of this server answers; empty when it has none.
        events, audit_records: how many are recorded.
    """

    version: str
    serving_url: str = ""
    events: int
    audit_records: int


class GetAbout(Ask[About]):
    """Ask what answers."""


@operation("platform.about", needs="platform:read")
def about(ctx: Context, _ask: GetAbout) -> About:
    """The release that answers, and how much it has recorded."""
    events = ctx.tx.one("SELECT COALESCE(MAX(seq), 0) FROM event")
    records = ctx.tx.one("SELECT COUNT(*) FROM audit")
    return About(
        version=VERSION,
        serving_url=ctx.memory.get("serving_url", ""),
        events=events[0] if events else 0,
        audit_records=records[0] if records else 0,
    )


class AuditLine(Record):
    """One record of the audit log."""

    chain: str
    seq: int
    at_ms: int
    actor: str
    operation: str
    resource: str
    outcome: str


class AuditPage(Record):
    """Some records of the audit log, newest first."""

    items: tuple[AuditLine, ...]


class ListAudit(Ask[AuditPage]):
    """Ask for the newest records, of one resource if given."""

    resource: str = ""
    max_results: int = 100


@operation("audit.list", needs="audit:read")
def list_audit(ctx: Context, ask: ListAudit) -> AuditPage:
    """Who changed what, newest first.

    Raises:
        Invalid: the page's size is none.
    """
    rows = ctx.tx.all(
        "SELECT chain, seq, at_ms, actor, operation, resource, outcome FROM audit "
        "WHERE ? = '' OR resource = ? ORDER BY at_ms DESC, seq DESC LIMIT ?",
        (ask.resource, ask.resource, page_size(ask.max_results)),
    )
    return AuditPage(
        items=tuple(
            AuditLine(chain=r[0], seq=r[1], at_ms=r[2], actor=r[3], operation=r[4], resource=r[5], outcome=r[6])
            for r in rows
        )
    )


class AuditVerdict(Record):
    """Whether the chains hold, and the first bad record of each that does not."""

    holds: bool
    findings: tuple[str, ...]


class VerifyAudit(Ask[AuditVerdict]):
    """Ask to recompute the chains."""


@operation("audit.verify", needs="audit:read")
def verify_audit(ctx: Context, _ask: VerifyAudit) -> AuditVerdict:
    """Recompute every chain of the audit log; name the first bad record of each."""
    findings = tuple(audit.broken(ctx.tx))
    return AuditVerdict(holds=not findings, findings=findings)


class ReactionFailure(Record):
    """An event that a reaction gave up: five attempts failed, the last of them with this error."""

    reaction: str
    event: str
    seq: int
    error: str
    at_ms: int


class ReactionFailures(Record):
    """Some events that reactions gave up."""

    items: tuple[ReactionFailure, ...]


class ListReactionFailures(Ask[ReactionFailures]):
    """Ask for what reactions gave up, the newest."""

    max_results: int = 100


@operation("reactions.failures", needs="audit:read")
def list_reaction_failures(ctx: Context, ask: ListReactionFailures) -> ReactionFailures:
    """Events that a reaction gave up, newest first: what should have followed from them did not.

    Raises:
        Invalid: the page's size is none.
    """
    rows = ctx.tx.all(
        "SELECT f.reaction, e.name, f.seq, f.error, f.at_ms FROM reaction_failure f JOIN event e ON e.seq = f.seq "
        "ORDER BY f.at_ms DESC, f.seq DESC LIMIT ?",
        (page_size(ask.max_results),),
    )
    return ReactionFailures(
        items=tuple(ReactionFailure(reaction=r[0], event=r[1], seq=r[2], error=r[3], at_ms=r[4]) for r in rows)
    )


OPERATIONS: tuple[AnyOperation, ...] = (about, list_audit, verify_audit, list_reaction_failures)
