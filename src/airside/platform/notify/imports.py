"""Verbs that take webhooks over from another store: they are the owner's, as all verbs on webhooks."""

from typing import Any

import msgspec

from airside.core.errors import Conflict
from airside.core.ids import ImportId
from airside.core.operation import AnyOperation, Context, Services, operation
from airside.core.record import Ask
from airside.platform.notify import queries, rules, secrets
from airside.platform.notify.operations import MAX_WEBHOOKS
from airside.platform.notify.records import ImportedWebhook, Sealed, Webhook
from airside.store import outbox
from airside.tracking.imports.journal import check_known
from airside.tracking.imports.records import Compared, Imported
from airside.tracking.imports.rules import check_size, first_difference
from airside.tracking.imports.taking import Kind, compare, take

FACTS = ("name", "url", "events", "status", "description", "has_secret", "created_ms", "updated_ms")


def _difference(found: Webhook, given: ImportedWebhook) -> str:
    return first_difference(_facts(found), _facts(given.webhook))


def _facts(webhook: Webhook) -> dict[str, Any]:
    return {name: getattr(webhook, name) for name in FACTS}


KIND = Kind[ImportedWebhook](name="webhooks", id_of=lambda each: each.webhook.id, difference=_difference)


class ImportWebhooks(Ask[Imported]):
    """Webhooks of another store."""

    import_id: ImportId
    items: tuple[ImportedWebhook, ...]
    skip_existing: bool = False


def _sealed(services: Services, ask: ImportWebhooks) -> dict[str, Sealed]:
    """The secrets as they are stored, by webhook."""
    check_size(ask.items)
    for each in ask.items:
        rules.check_texts(each.webhook.description, each.secret)
    return {each.webhook.id: secrets.seal(services, each.secret, each.webhook.url) for each in ask.items}


@operation("webhooks.import", needs="webhook:create", audit="measure", prepare=_sealed)
def import_webhooks(ctx: Context, ask: ImportWebhooks) -> Imported:
    """Take webhooks over under their ids. They are told what happens from now on; their addresses are checked then.

    One that came without its secret before, and was not changed here, is completed when it comes with it.

    Raises:
        Conflict: one is here already with other content, or there are too many. Invalid: an event is none.
        NotFound: there is no such import.
    """
    check_known(ctx, ask.import_id)
    known = _known(ctx, ask.items)
    if queries.count(ctx.tx) + len(ask.items) - len(known) > MAX_WEBHOOKS:
        raise Conflict(f"There would be more than {MAX_WEBHOOKS} webhooks. Delete some: airside webhooks delete ID")
    here = _complete(known, ask.items)
    return take(KIND, ask.items, here, lambda each: _add(ctx, each), skip_existing=ask.skip_existing)


class CompareWebhooks(Ask[Compared]):
    """Webhooks of a source; their secrets are not looked at, only whether there is one."""

    items: tuple[ImportedWebhook, ...]


@operation("webhooks.compare", needs="webhook:list", audit="read")
def compare_webhooks(ctx: Context, ask: CompareWebhooks) -> Compared:
    """Which of some webhooks are here, and which of them differ from what they are in the source.

    Raises:
        Invalid: too many at once.
    """
    check_size(ask.items)
    return compare(KIND, ask.items, _complete(_known(ctx, ask.items), ask.items))


def _known(ctx: Context, wanted: tuple[ImportedWebhook, ...]) -> dict[str, Webhook]:
    found = (queries.webhook(ctx.tx, each.webhook.id) for each in wanted)
    return {each.id: each for each in found if each is not None}


def _complete(known: dict[str, Webhook], given: tuple[ImportedWebhook, ...]) -> dict[str, Webhook]:
    """Those that lack nothing: the others count as not here."""
    without = {each.webhook.id: _as_without_secret(each.webhook) for each in given if each.webhook.has_secret}
    return {
        name: found
        for name, found in known.items()
        if name not in without or first_difference(_facts(found), _facts(without[name]))
    }


def _as_without_secret(webhook: Webhook) -> Webhook:
    """As a webhook came when its secret could not be read."""
    return msgspec.structs.replace(webhook, has_secret=False, status="DISABLED")


def _add(ctx: Context, given: ImportedWebhook) -> None:
    rules.checked_events(given.webhook.events)
    queries.forget_webhook(ctx.tx, given.webhook.id)
    queries.insert_webhook(ctx.tx, given.webhook, ctx.prepared[given.webhook.id], outbox.newest(ctx.tx))


OPERATIONS: tuple[AnyOperation, ...] = (import_webhooks, compare_webhooks)
