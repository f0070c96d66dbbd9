"""Waiting decisions: who is asked what, and the two buttons."""

from airside.registry.operations.approvals import DecideApproval, SearchApprovals
from airside.registry.records import ApprovalState
from airside.server.web.links import chain_href
from airside.server.web.page import Call, Crumb, PageQuery, Table, View

STATES: tuple[ApprovalState, ...] = ("waiting", "approved", "refused", "revoked")
HEADS = (
    *(
        "id",
        "subject_kind",
        "subject",
        "question",
        "state",
        "asked_by",
        "asked_at",
        "decided_by",
        "decided_at",
        "comment",
    ),
)
KINDS = {"version": "model_version", "rollout": "rollout"}


def approvals(call: Call, query: PageQuery) -> View:
    """The approvals of a state, those that wait first."""
    state: ApprovalState = next((one for one in STATES if one == query.arguments.get("state")), "waiting")
    page = call(SearchApprovals(state=state, max_results=50, page_token=query.arguments.get("after", "")))
    links = {one.id: chain_href(KINDS.get(one.subject_kind, ""), one.subject) for one in page.items}
    return View(
        template="approvals.html",
        title="Approvals",
        place="Approvals",
        crumbs=(Crumb(text="Approvals"),),
        shows={"page": page, "state": state, "states": STATES, "links": links, "topics": ("approvals",)},
        data=page,
        table=Table(heads=HEADS, rows=tuple(tuple(getattr(one, head) for head in HEADS) for one in page.items)),
    )


def act(call: Call, query: PageQuery) -> View:
    """Approve or refuse, by a form's button."""
    is_approved = query.form.get("do") == "approve"
    decided = call(DecideApproval(id=query.names["id"], approved=is_approved, comment=query.form.get("comment", "")))
    return View(redirect="/approvals", data=decided)
