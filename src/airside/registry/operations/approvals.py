"""Verbs on approvals: of versions, pipeline steps and rollouts alike."""

import msgspec

from airside.core.clock import from_ms
from airside.core.errors import Conflict, Denied, NotFound, quoted
from airside.core.ids import ModelName
from airside.core.operation import LOCAL, Context, operation
from airside.core.paging import cut, page_size
from airside.core.record import Ask
from airside.registry import history, queries, rules
from airside.registry.events import ApprovalAsked, ApprovalDecided
from airside.registry.operations.versions import GetVersion, get_version
from airside.registry.records import Approval, ApprovalPage, ApprovalState, Requirement, SubjectKind


class AskApproval(Ask[Approval]):
    """A question to people. The subject of kind `version` is written `NAME@NUMBER`.

    Attributes:
        approvers: who may decide; for a version, when nobody is named, those whom its model requires.
    """

    subject_kind: SubjectKind
    subject: str
    question: str = ""
    approvers: tuple[str, ...] = ()


@operation("approvals.ask", needs="approval:write")
def ask_approval(ctx: Context, ask: AskApproval) -> Approval:
    """Ask people to approve something.

    Raises:
        Invalid: the subject is not written `NAME@NUMBER`, though it is to be a version.
        NotFound: there is no such version.
    """
    approvers = ask.approvers
    if ask.subject_kind == "version":
        name, number = rules.version_of_subject(ask.subject)
        get_version(ctx, GetVersion(name=name, version=number))
        approvers = approvers or _left(ctx, name, number) or _requirement(ctx, name, number).approvers
    approval = Approval(
        id=f"ap-{ctx.new_hex()}",
        subject_kind=ask.subject_kind,
        subject=ask.subject,
        question=ask.question,
        approvers=approvers,
        asked_by=ctx.actor.name,
        asked_at=from_ms(ctx.now_ms()),
    )
    _put(ctx, approval)
    return approval


def _put(ctx: Context, approval: Approval) -> None:
    """Write a question, and tell of it."""
    queries.insert_approval(ctx.tx, approval)
    if approval.subject_kind == "version":
        name, number = rules.version_of_subject(approval.subject)
        history.record(ctx, name, number, what="approval", key=", ".join(approval.approvers), after="waiting")
    ctx.announce(
        ApprovalAsked(
            approval_id=approval.id,
            subject_kind=approval.subject_kind,
            subject=approval.subject,
            approvers=approval.approvers,
        )
    )


def _requirement(ctx: Context, name: ModelName, number: int) -> Requirement:
    version = get_version(ctx, GetVersion(name=name, version=number))
    return rules.together(queries.requirement(ctx.tx, name), version.approvers)


def _left(ctx: Context, name: ModelName, number: int) -> tuple[str, ...]:
    """Who must approve a version and has not."""
    approvals = queries.approvals_of(ctx.tx, "version", f"{name}@{number}")
    return rules.still_to_approve(_requirement(ctx, name, number), approvals)


def _meant(ctx: Context, text: str, state: ApprovalState) -> Approval:
    """The approval of an id; of a version, its newest one of a state.

    Raises:
        NotFound: there is none.
    """
    if "@" not in text:
        return get_approval(ctx, GetApproval(id=text))
    rules.version_of_subject(text)
    found = queries.approvals(ctx.tx, state, "version", text, "", 1)
    if not found:
        raise NotFound(f"No approval of '{text}' is {state}. List them with: airside approvals search --subject {text}")
    return found[0]


class DecideApproval(Ask[Approval]):
    """A decision.

    Attributes:
        id: of the approval; or `churn@7`: the question about that version that waits.
        on_behalf_of: whose decision it is. Only the local actor, who is everyone, may name another than itself.
    """

    id: str
    approved: bool
    comment: str = ""
    on_behalf_of: str = ""


@operation("approvals.decide", needs="approval:decide")
def decide_approval(ctx: Context, ask: DecideApproval) -> Approval:
    """Approve or refuse. Once. Who asked does not decide. If more people must approve a version, they are asked next.

    Raises:
        NotFound: there is no such approval.
        Conflict: it was decided before.
        Denied: the caller is not among those asked, or is who asked.
    """
    waiting = _meant(ctx, ask.id, "waiting")
    if waiting.state != "waiting":
        raise Conflict(f"Approval {waiting.id} was {waiting.state} by '{waiting.decided_by}' already. Ask a new one.")
    if ask.on_behalf_of and ctx.actor != LOCAL:
        raise Denied("Only the local actor decides on behalf of others. Sign in as the person who decides.")
    who = ask.on_behalf_of or ctx.actor.name
    if waiting.approvers and who not in waiting.approvers and (ctx.actor != LOCAL or ask.on_behalf_of):
        raise Denied(f"'{who}' is not asked for approval {waiting.id}. Those who are: {quoted(waiting.approvers)}.")
    if who == waiting.asked_by and who != LOCAL.name:
        raise Denied(
            f"'{who}' asked for approval {ask.id}, so somebody else decides it. Let another person ask: "
            f"airside approvals ask {waiting.subject_kind} {waiting.subject}"
        )
    state: ApprovalState = "approved" if ask.approved else "refused"
    decided = rules.decided(waiting, state, who, from_ms(ctx.now_ms()), ask.comment)
    queries.set_decision(ctx.tx, decided)
    if waiting.subject_kind == "version":
        name, number = rules.version_of_subject(waiting.subject)
        history.record(ctx, name, number, what="approval", key=who, before="waiting", after=state)
        if ask.approved:
            _ask_the_others(ctx, waiting, name, number)
    _tell(ctx, decided)
    return decided


def _ask_the_others(ctx: Context, answered: Approval, name: ModelName, number: int) -> None:
    """Ask those of the people in question whose approval a version still needs."""
    others = tuple(who for who in answered.approvers if who in _left(ctx, name, number))
    waiting = queries.approvals(ctx.tx, "waiting", "version", answered.subject, "", 1)
    if others and not waiting:
        question = msgspec.structs.replace(
            answered, id=f"ap-{ctx.new_hex()}", approvers=others, asked_at=from_ms(ctx.now_ms())
        )
        _put(ctx, question)


def _tell(ctx: Context, decided: Approval) -> None:
    ctx.announce(
        ApprovalDecided(
            approval_id=decided.id,
            subject_kind=decided.subject_kind,
            subject=decided.subject,
            approved=decided.state == "approved",
            decided_by=decided.decided_by,
            is_revoked=decided.state == "revoked",
        )
    )


class RevokeApproval(Ask[Approval]):
    """An approval that no longer holds; the comment says why. `churn@7` means the newest one of that version."""

    id: str
    comment: str = ""


@operation("approvals.revoke", needs="approval:decide")
def revoke_approval(ctx: Context, ask: RevokeApproval) -> Approval:
    """Take an approval back. Aliases that moved on it stay where they are: roll the model back if they should not.

    Raises:
        NotFound: there is no such approval.
        Conflict: it was not approved, or was revoked before.
        Denied: it is not the caller's.
    """
    approval = _meant(ctx, ask.id, "approved")
    if approval.state != "approved":
        raise Conflict(f"Approval {ask.id} is {approval.state}; only one that was given can be revoked.")
    if ctx.actor != LOCAL and ctx.actor.name != approval.decided_by:
        raise Denied(f"Approval {ask.id} was given by '{approval.decided_by}', who alone can revoke it.")
    revoked = rules.decided(approval, "revoked", approval.decided_by, from_ms(ctx.now_ms()), ask.comment)
    queries.set_decision(ctx.tx, revoked)
    if approval.subject_kind == "version":
        name, number = rules.version_of_subject(approval.subject)
        history.record(ctx, name, number, what="approval", key=approval.decided_by, before="approved", after="revoked")
    _tell(ctx, revoked)
    return revoked


class GetApproval(Ask[Approval]):
    """An approval by its id."""

    id: str


@operation("approvals.get", needs="approval:read")
def get_approval(ctx: Context, ask: GetApproval) -> Approval:
    """An approval, decided or not.

    Raises:
        NotFound: there is none of that id.
    """
    approval = queries.approval(ctx.tx, ask.id)
    if approval is None:
        raise NotFound(f"No approval '{ask.id}'. List them with: airside approvals search")
    return approval


class SearchApprovals(Ask[ApprovalPage]):
    """Approvals; an empty field matches every one."""

    state: ApprovalState | None = None
    subject_kind: SubjectKind | None = None
    subject: str = ""
    max_results: int = 100
    page_token: str = ""


@operation("approvals.search", needs="approval:read")
def search_approvals(ctx: Context, ask: SearchApprovals) -> ApprovalPage:
    """Approvals, newest first.

    Raises:
        Invalid: the page size or the token is not one.
    """
    size = page_size(ask.max_results)
    found = queries.approvals(ctx.tx, ask.state, ask.subject_kind, ask.subject, ask.page_token, size + 1)
    items, following = cut(found, size, lambda approval: approval.id)
    return ApprovalPage(items=items, next_page_token=following)
