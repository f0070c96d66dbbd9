"""Webhooks: who is told what, and how the telling went."""

from airside.platform.notify.operations import GetWebhook, ListDeliveries, ListWebhooks, Redeliver, TryWebhook
from airside.platform.notify.records import DeliveryState
from airside.server.web.page import Call, Crumb, PageQuery, Table, View, address

STATES: tuple[DeliveryState, ...] = ("waiting", "delivered", "dead")
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
        shows={"page": page},
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
        shows={"webhook": found, "page": page, "state": state or "", "states": STATES},
        data={"webhook": found, "deliveries": page},
        table=Table(heads=DELIVERY_HEADS, rows=rows),
    )


def act(call: Call, query: PageQuery) -> View:
    """Make a delivery again, or try the webhook, by a form's button."""
    own, delivery = query.names["webhook"], query.form.get("delivery", "")
    done: object = call(Redeliver(id=delivery)) if delivery else call(TryWebhook(id=own))
    return View(redirect=address("/webhooks/{}", own), data=done)
