"""Verbs on webhooks. All are the owner's, as in MLflow: an address may itself hold a secret."""

import threading
import uuid
from typing import Any

import msgspec

from airside.core.errors import Conflict, NotFound, Overloaded
from airside.core.operation import AnyOperation, Context, Services, operation
from airside.core.paging import cut, page_size
from airside.core.plugin import load
from airside.core.record import DONE, Ask, Done, Record
from airside.core.search import PageToken, read_token, write_token
from airside.outbound.records import Answer, Rules
from airside.outbound.targets import target_of
from airside.platform.notify import queries, rules, secrets
from airside.platform.notify.records import (
    DeliveryPage,
    DeliveryState,
    Sealed,
    Webhook,
    WebhookDelivery,
    WebhookPage,
    WebhookStatus,
    WebhookTest,
)
from airside.platform.notify.telling import EXAMPLES
from airside.store import outbox

MAX_WEBHOOKS = 1000
WHAT = "webhook URL"
POST = "airside.outbound.client:post"
"""Imported with the first call: TLS costs the server's start time."""
_TRIALS = threading.BoundedSemaphore(2)
"""Trials wait for their receivers on the threads of preparations: they must not take all of them."""


class _WithSecret(Record):
    """An ask that holds a secret: it is not shown where the ask is."""

    secret: str | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


def rules_of(settings: Any) -> Rules:
    """What the operator lets webhooks call."""
    return Rules(
        schemes=settings["outbound_schemes"],
        allow=settings["outbound_allow"],
        timeout_s=settings["outbound_timeout_s"],
        ca_file=settings["outbound_ca_file"],
    )


class CreateWebhook(Ask[Webhook], _WithSecret):
    """An address to be told what happens, e.g. `registered_model.created`; the secret signs what it gets."""

    name: str
    url: str
    events: tuple[str, ...]
    description: str | None = None
    status: WebhookStatus = "ACTIVE"


def _check_new(services: Services, ask: CreateWebhook) -> Sealed:
    """Check the address, and seal the secret."""
    rules.check_name(ask.name)
    rules.check_texts(ask.description, ask.secret)
    target_of(ask.url, rules_of(services.settings), WHAT)
    return secrets.seal(services, ask.secret, ask.url)


@operation("webhooks.create", needs="webhook:create", prepare=_check_new)
def create_webhook(ctx: Context, ask: CreateWebhook) -> Webhook:
    """Make a webhook. It is told what happens from now on.

    Raises:
        Invalid: the name, the url or an event is not allowed, or the url's host is not public.
        Conflict: there are too many.
    """
    events = rules.checked_events(ask.events)
    if queries.count(ctx.tx) >= MAX_WEBHOOKS:
        raise Conflict(f"There are {MAX_WEBHOOKS} webhooks already. Delete one: airside webhooks delete ID")
    webhook = Webhook(
        id=str(uuid.UUID(bytes=ctx.random(16), version=4)),
        name=ask.name,
        url=ask.url,
        events=events,
        status=ask.status,
        description=ask.description,
        has_secret=bool(ask.secret),
        created_by=ctx.actor.name,
        created_ms=ctx.now_ms(),
        updated_ms=ctx.now_ms(),
    )
    queries.insert_webhook(ctx.tx, webhook, ctx.prepared, outbox.newest(ctx.tx))
    return webhook


class GetWebhook(Ask[Webhook]):
    """A webhook by its id."""

    id: str


@operation("webhooks.get", needs="webhook:list", audit="read")
def get_webhook(ctx: Context, ask: GetWebhook) -> Webhook:
    """A webhook, without its secret.

    Raises:
        NotFound: there is none of that id.
    """
    webhook = queries.webhook(ctx.tx, ask.id)
    if webhook is None:
        raise NotFound(f"Webhook with ID {ask.id} not found.")
    return webhook


class ListWebhooks(Ask[WebhookPage]):
    """The webhooks."""

    max_results: int = 100
    page_token: str = ""


@operation("webhooks.list", needs="webhook:list", audit="read")
def list_webhooks(ctx: Context, ask: ListWebhooks) -> WebhookPage:
    """The webhooks, newest first, without their secrets.

    Raises:
        Invalid: the page size or the token is not one.
    """
    size = page_size(ask.max_results)
    offset = read_token(ask.page_token).offset
    found = queries.webhooks(ctx.tx, offset, size + 1)
    items, following = cut(found, size, lambda _last: write_token(PageToken(offset=offset + size)))
    return WebhookPage(items=items, next_page_token=following)


class UpdateWebhook(Ask[Webhook], _WithSecret):
    """What shall change of a webhook; what is None stays. The secret `''` takes the signature away."""

    id: str
    name: str | None = None
    url: str | None = None
    events: tuple[str, ...] | None = None
    description: str | None = None
    status: WebhookStatus | None = None


class Change(Record):
    """What a change brings: the new secret, sealed for the url."""

    secret: Sealed | None
    url: str


def _check_changed(services: Services, ask: UpdateWebhook) -> Change:
    """Check the address, and seal the secret."""
    if ask.name is not None:
        rules.check_name(ask.name)
    rules.check_texts(ask.description, ask.secret)
    before: Webhook = services.read(lambda ctx: get_webhook(ctx, GetWebhook(id=ask.id)))
    url = before.url if ask.url is None else ask.url
    if ask.url is not None:
        target_of(url, rules_of(services.settings), WHAT)
    return Change(secret=None if ask.secret is None else secrets.seal(services, ask.secret, url), url=url)


@operation("webhooks.update", needs="webhook:create", prepare=_check_changed)
def update_webhook(ctx: Context, ask: UpdateWebhook) -> Webhook:
    """Change a webhook.

    Raises:
        NotFound: there is none of that id.
        Invalid: a value is not allowed, or the url leads to another host and the secret did not come along.
        Conflict: another change moved it meanwhile to another host than that of the secret.
    """
    change: Change = ctx.prepared
    before = get_webhook(ctx, GetWebhook(id=ask.id))
    if ask.url is not None:
        rules.check_move(before.url, ask.url, has_secret=before.has_secret, tells_secret=ask.secret is not None)
    after = msgspec.structs.replace(
        before,
        name=before.name if ask.name is None else ask.name,
        url=before.url if ask.url is None else ask.url,
        events=before.events if ask.events is None else rules.checked_events(ask.events),
        description=before.description if ask.description is None else ask.description,
        status=before.status if ask.status is None else ask.status,
        has_secret=before.has_secret if ask.secret is None else bool(ask.secret),
        updated_ms=ctx.now_ms(),
    )
    if change.secret and secrets.bound_to(after.url) != secrets.bound_to(change.url):
        raise Conflict("Another change moved this webhook to another host meanwhile. Look at it, and try again.")
    queries.update_webhook(ctx.tx, after, change.secret)
    if before.status != after.status:
        queries.listen_from(ctx.tx, ask.id, outbox.newest(ctx.tx))
    return after


class DeleteWebhook(Ask[Done]):
    """A webhook that shall go."""

    id: str


@operation("webhooks.delete", needs="webhook:delete")
def delete_webhook(ctx: Context, ask: DeleteWebhook) -> Done:
    """Delete a webhook and its secret. What it was told stays to be seen; what waits for it is given up.

    Raises:
        NotFound: there is none of that id.
    """
    get_webhook(ctx, GetWebhook(id=ask.id))
    queries.delete_webhook(ctx.tx, ask.id, ctx.now_ms())
    return DONE


class TryWebhook(Ask[WebhookTest]):
    """A webhook to try; empty: with the first of its events."""

    id: str
    event: str = ""


class Trial(Record):
    """What a trial sent, and what came back."""

    delivery_id: str
    event: str
    body: str
    answer: Answer


def _try(services: Services, ask: TryWebhook) -> Trial:
    """Send the example, before the transaction."""
    if ask.event:
        rules.checked_events((ask.event,))
    webhook, secret, delivery_id, now_ms = services.read(
        lambda ctx: (
            get_webhook(ctx, GetWebhook(id=ask.id)),
            queries.secret_of(ctx.tx, ask.id),
            str(uuid.UUID(hex=ctx.new_hex())),
            ctx.now_ms(),
        )
    )
    event = ask.event or webhook.events[0]
    body = rules.body_of(event, now_ms, EXAMPLES[event])
    headers = rules.headers_of(delivery_id, body, secrets.opened(services, secret, webhook.url), now_ms)
    if not _TRIALS.acquire(blocking=False):
        raise Overloaded("Two trials of webhooks are under way already. Try again in some seconds.")
    try:
        answer = load(POST)(webhook.url, body.encode(), headers, rules_of(services.settings), WHAT)
    finally:
        _TRIALS.release()
    return Trial(delivery_id=delivery_id, event=event, body=body, answer=answer)


@operation("webhooks.test", needs="webhook:create", prepare=_try)
def try_webhook(ctx: Context, ask: TryWebhook) -> WebhookTest:
    """Send an example to a webhook at once, and tell what it answered.

    Raises:
        NotFound: there is none of that id.
        Invalid: there is no such event.
        Overloaded: other trials are under way.
    """
    trial: Trial = ctx.prepared
    answer, now_ms = trial.answer, ctx.now_ms()
    is_good = 200 <= answer.status < 300
    error = "" if is_good else rules.trouble(answer)
    text = rules.answer_text(answer)
    row = queries.NewDelivery(trial.delivery_id, ask.id, None, trial.event, trial.body, now_ms)
    result = queries.Result(
        state="delivered" if is_good else "dead", due_ms=0, status=answer.status, error=error, answer=text
    )
    queries.insert_trial(ctx.tx, row, result, now_ms)
    return WebhookTest(
        success=is_good,
        status=answer.status or None,
        answer=rules.answer_text(answer, len(answer.body)) if answer.status else None,
        error=f"Failed to test webhook: {error}" if error else None,
    )


class ListDeliveries(Ask[DeliveryPage]):
    """What was told, and what waits; an empty field matches every one."""

    webhook_id: str = ""
    state: DeliveryState | None = None
    max_results: int = 100
    page_token: str = ""


@operation("webhooks.deliveries", needs="webhook:list", audit="read")
def list_deliveries(ctx: Context, ask: ListDeliveries) -> DeliveryPage:
    """Deliveries, newest first; those that are over are kept for 30 days.

    Raises:
        Invalid: the page size is not one.
    """
    size = page_size(ask.max_results)
    found = queries.deliveries(ctx.tx, ask.webhook_id, ask.state, ask.page_token, size + 1)
    items, following = cut(found, size, lambda delivery: delivery.id)
    return DeliveryPage(items=items, next_page_token=following)


class GetDelivery(Ask[WebhookDelivery]):
    """A delivery by its id."""

    id: str


@operation("webhooks.delivery", needs="webhook:list", audit="read")
def get_delivery(ctx: Context, ask: GetDelivery) -> WebhookDelivery:
    """A delivery with what was sent.

    Raises:
        NotFound: there is none of that id.
    """
    delivery = queries.delivery(ctx.tx, ask.id)
    if delivery is None:
        raise NotFound(f"No delivery '{ask.id[:100]}'. List them with: airside webhooks deliveries")
    return delivery


class Redeliver(Ask[WebhookDelivery]):
    """A delivery to be made again."""

    id: str


@operation("webhooks.redeliver", needs="webhook:create")
def redeliver(ctx: Context, ask: Redeliver) -> WebhookDelivery:
    """Make a delivery again, under the same id: a receiver that has it already can tell.

    Raises:
        NotFound: there is none of that id, or its webhook is gone.
        Conflict: it waits already.
    """
    delivery = get_delivery(ctx, GetDelivery(id=ask.id))
    get_webhook(ctx, GetWebhook(id=delivery.webhook_id))
    if delivery.state == "waiting":
        raise Conflict(f"The delivery '{ask.id}' waits already; its next attempt is due at {delivery.due_at}.")
    queries.again(ctx.tx, ask.id, ctx.now_ms())
    return get_delivery(ctx, GetDelivery(id=ask.id))


class Resealed(Record):
    """What came of a new key: how many secrets are sealed with it now."""

    secrets: int


class RenewKey(Ask[Resealed]):
    """Ask to seal the stored secrets with a new key."""


class Renewed(Record):
    """A secret before and after."""

    id: str
    before: Sealed
    after: Sealed


def _renew(services: Services, _ask: RenewKey) -> tuple[Renewed, ...]:
    """Make the key, and seal everything anew; until that is stored, the key before opens what is there."""
    kept: tuple[queries.Kept, ...] = services.read(lambda ctx: queries.secrets(ctx.tx))
    vault = secrets.vault_of(services)
    plain = [(each, vault.open(each.secret, secrets.bound_to(each.url))) for each in kept]
    vault.renew(each.secret for each in kept)
    return tuple(
        Renewed(id=each.id, before=each.secret, after=vault.seal(text, secrets.bound_to(each.url)))
        for each, text in plain
    )


@operation("webhooks.renew_key", needs="webhook:create", prepare=_renew)
def renew_key(ctx: Context, _ask: RenewKey) -> Resealed:
    """Seal the stored secrets with a new key. The key before stays in the file until the next time.

    Raises:
        Conflict: a stored secret cannot be opened; nothing is changed.
        Unavailable: the key file cannot be written.
    """
    renewed: tuple[Renewed, ...] = ctx.prepared
    return Resealed(secrets=sum(queries.reseal(ctx.tx, each.id, each.before, each.after) for each in renewed))


OPERATIONS: tuple[AnyOperation, ...] = (
    create_webhook,
    get_webhook,
    list_webhooks,
    update_webhook,
    delete_webhook,
    try_webhook,
    list_deliveries,
    get_delivery,
    redeliver,
    renew_key,
)
