"""Webhooks: who is told what, and how the telling went."""

from airside.platform.notify.operations import (
    CreateWebhook,
    DeleteWebhook,
    GetWebhook,
    ListDeliveries,
    ListWebhooks,
    Redeliver,
    TryWebhook,
    UpdateWebhook,
)
from airside.platform.notify.records import DeliveryState
from airside.platform.notify.rules import ACTIONS
from airside.server.web.page import Call, Crumb, PageQuery, Table, View, address

STATES: tuple[DeliveryState, ...] = ("waiting", "delivered", "dead")
EVENTS = tuple(f"{entity}.{action}" for entity, actions in ACTIONS.items() for action in actions)
HEADS = ("id", "name", "url", "events", "status", "created_by", "created_ms")
DELIVERY_HEADS = ("id", "event", "state", "attempts", "status", "error", "created_at", "finished_at", "due_at")


def webhooks(call: Call, query: PageQuery) -> View:
    """Every webhook."""
    page = call(ListWebhooks(max_results=50, page_token=query.arguments.get("after", "")))
    return View(
        template="webhooks.html",
        title="Webhooks",
        place="Webhooks",
        crumbs=(Crumb(text="Webhooks"),),
        shows={"page": page, "events": EVENTS},
        data=page,
        table=Table(heads=HEADS, rows=tuple(tuple(getattr(one, head) for head in HEADS) for one in page.items)),
    )


def webhook(call: Call, query: PageQuery) -> View:
    """One webhook with what it was told."""
    found = call(GetWebhook(id=query.names["webhook"]))
    state: DeliveryState | None = next((one for one in STATES if one == query.arguments.get("state")), None)
    page = call(
        ListDeliveries(webhook_id=found.id, state=state, max_results=50, page_token=query.arguments.get("after", ""))
    )
    rows = tuple(tuple(getattr(one, head) for head in DELIVERY_HEADS) for one in page.items)
    return View(
        template="webhook.html",
        title=found.name,
        place="Webhooks",
        crumbs=(Crumb(text="Webhooks", href="/webhooks"), Crumb(text=found.name)),
        shows={"webhook": found, "events": EVENTS, "page": page, "state": state or "", "states": STATES},
        data={"webhook": found, "deliveries": page},
        table=Table(heads=DELIVERY_HEADS, rows=rows),
    )


def create(call: Call, query: PageQuery) -> View:
    """Make a webhook by a form; its secret is told once, and never shown."""
    form = query.form
    made = call(
        CreateWebhook(
            name=form.get("name", "").strip(),
            url=form.get("url", "").strip(),
            events=query.form_several.get("event", ()),
            description=form.get("text") or None,
            secret=form.get("secret") or None,
        )
    )
    return View(redirect=address("/webhooks/{}", made.id), data=made)


def act(call: Call, query: PageQuery) -> View:
    """Change, pause, delete or try a webhook, or make a delivery again, by a form's button."""
    own, form = query.names["webhook"], query.form
    leads = address("/webhooks/{}", own)
    match form.get("do", ""):
        case "change":
            done: object = call(
                UpdateWebhook(
                    id=own,
                    name=form.get("name", "").strip(),
                    url=form.get("url", "").strip(),
                    events=query.form_several.get("event", ()),
                    description=form.get("text", ""),
                    secret=form.get("secret") or None,
                )
            )
        case "pause":
            done = call(UpdateWebhook(id=own, status="DISABLED"))
        case "resume":
            done = call(UpdateWebhook(id=own, status="ACTIVE"))
        case "delete":
            done, leads = call(DeleteWebhook(id=own)), "/webhooks"
        case _:
            delivery = form.get("delivery", "")
            done = call(Redeliver(id=delivery)) if delivery else call(TryWebhook(id=own))
    return View(redirect=leads, data=done)
