"""Tells webhooks what happened: one thread that looks, and one for each call that is under way.

What happened is read off the outbox and written down as deliveries, once for each webhook and event; then they are
attempted, each under a lease. So nothing is lost when the process is killed at any point: at worst a receiver hears
of the same delivery again, under the same id.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import msgspec

from airside.core.errors import AirsideError, Conflict, Unavailable
from airside.core.event import Event
from airside.core.operation import Context
from airside.core.plugin import load
from airside.outbound.records import Answer, Rules
from airside.platform.notify import queries, rules, secrets
from airside.platform.notify.operations import POST, WHAT, rules_of
from airside.platform.notify.telling import BY_NAME, told
from airside.platform.wiring import Platform
from airside.store import outbox

CURSOR: Final = "webhooks"
AT_ONCE: Final = 4
"""How many calls may be under way."""
LOOK_EVERY_S: Final = 5.0
"""How often it looks without being told: for events of other servers, and for deliveries that people ask for."""
EVENTS_AT_ONCE: Final = 200
MARGIN_MS: Final = 20_000
"""What a lease holds beyond the time that a call may take."""
PATIENCE_S: Final = 2.0
"""How long the end waits for calls under way; those that are cut off are made again."""
KEPT_MS: Final = 30 * 24 * 3600 * 1000
FORGOTTEN_AT_ONCE: Final = 1000

Post = Callable[[str, bytes, Mapping[str, str], Rules, str], Answer]
"""`airside.outbound.client.post`, or what a test puts in its place."""

_log = logging.getLogger("airside.webhooks")


class Courier:
    """Delivers until it is closed."""

    def __init__(self, platform: Platform, post: Post | None = None) -> None:
        self._platform = platform
        self._post = post
        self._rules = rules_of(platform.settings)
        self._owner = platform.random(8).hex()
        self._closed = threading.Event()
        self._wake = threading.Event()
        self._under_way = 0
        self._changed = threading.Condition()
        self._stop = platform.hub.listen(self._heard)
        self._thread = threading.Thread(target=self._run, name="airside-webhooks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; calls under way have a moment."""
        self._stop()
        self._closed.set()
        self._wake.set()
        self._thread.join()
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way, PATIENCE_S)

    def _heard(self, events: tuple[Event, ...]) -> None:
        if any(event.NAME in BY_NAME for event in events):
            self._wake.set()

    def _run(self) -> None:
        if self._platform.database.dialect == "sqlite":
            self._attempt(lambda: self._platform.change(lambda ctx: queries.free_leases(ctx.tx)))
        while not self._closed.is_set():
            self._wake.clear()
            pause_s = self._attempt(self._round)
            self._wake.wait(LOOK_EVERY_S if pause_s is None else pause_s)

    def _attempt(self, work: Callable[[], float | None]) -> float | None:
        try:
            return work()
        except Exception:  # noqa: BLE001 -- the edge of a thread: it must go on when the database is away for a while
            _log.exception("webhooks.stopped")
            return None

    def _round(self) -> float:
        """Write down what is to be told, start what is due; the seconds until there may be more to do."""
        while announce(self._platform):
            pass
        platform, now_ms = self._platform, self._platform.clock.now_ms()
        due_ms = platform.read(lambda ctx: queries.next_due(ctx.tx))
        free = AT_ONCE - self._under_way
        if due_ms is None or free <= 0:
            return LOOK_EVERY_S
        if due_ms > now_ms:
            return min(LOOK_EVERY_S, (due_ms - now_ms) / 1000)
        until_ms = now_ms + round(self._rules.timeout_s * 1000) + MARGIN_MS
        claimed = platform.change(
            lambda ctx: queries.claim(ctx.tx, self._owner, now_ms=now_ms, until_ms=until_ms, limit=free)
        )
        for delivery in claimed:
            with self._changed:
                self._under_way += 1
            threading.Thread(target=self._call, args=(delivery,), name="airside-webhook", daemon=True).start()
        return 0.0 if claimed else LOOK_EVERY_S

    def _call(self, delivery: queries.Claimed) -> None:
        try:
            attempt(self._platform, delivery, self._owner, self._post or load(POST))
        except AirsideError:
            _log.warning("webhook.unsettled delivery=%s", delivery.id)  # it is made again when the lease ends
        except Exception:  # noqa: BLE001 -- the edge of a thread
            _log.exception("webhook.failed delivery=%s", delivery.id)
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()
            self._wake.set()


def announce(platform: Platform) -> bool:
    """Write down as deliveries what happened since the last time; True if there may be more."""
    listeners = platform.read(lambda ctx: queries.listeners(ctx.tx))
    if not listeners:
        return False
    first = min(listener.since_seq for listener in listeners)
    seq = max(first, platform.read(lambda ctx: outbox.cursor(ctx.tx, CURSOR)))
    events = platform.read(lambda ctx: outbox.after_any(ctx.tx, tuple(BY_NAME), seq, limit=EVENTS_AT_ONCE))
    if not events:
        return False

    def write(ctx: Context) -> None:
        rows = []
        for stored in events:
            what = told(msgspec.json.decode(stored.body, type=BY_NAME[stored.name]))
            for listener in listeners if what else ():
                if what and what.event in listener.events and stored.seq > listener.since_seq:
                    body = rules.body_of(what.event, stored.at_ms, what.data)
                    id_ = str(uuid.UUID(hex=ctx.new_hex()))
                    rows.append(queries.NewDelivery(id_, listener.id, stored.seq, what.event, body, ctx.now_ms()))
        queries.insert_deliveries(ctx.tx, rows)
        outbox.move_cursor(ctx.tx, CURSOR, events[-1].seq)

    platform.change(write)
    return len(events) == EVENTS_AT_ONCE


def attempt(platform: Platform, delivery: queries.Claimed, owner: str, post: Post) -> None:
    """Make one call, and write what it led to."""
    now_ms = platform.clock.now_ms()
    if now_ms > delivery.created_ms + rules.LIFE_MS:
        answer = Answer(error="It could not be delivered within a day.")
        result = rules.Outcome(state="dead", error=answer.error)
    else:
        answer = _posted(platform, delivery, now_ms, post)
        result = rules.outcome(
            answer,
            attempts=delivery.attempts,
            retries=platform.settings["webhook_retries"],
            created_ms=delivery.created_ms,
            now_ms=platform.clock.now_ms(),
            chance=platform.random(1)[0] / 255,
        )
    _log.info("webhook.attempted delivery=%s state=%s status=%s", delivery.id, result.state, answer.status)
    written = queries.Result(
        state=result.state,
        due_ms=result.due_ms,
        status=answer.status,
        error=result.error[:1000],
        answer=rules.answer_text(answer),
    )
    platform.change(partial(_settle, delivery.id, owner, written))


def _posted(platform: Platform, delivery: queries.Claimed, now_ms: int, post: Post) -> Answer:
    """Sign and send; without its signature nothing is sent."""
    try:
        secret = secrets.opened(platform, delivery.secret, delivery.url)
    except (Conflict, Unavailable) as refused:
        return Answer(error=refused.message)
    headers = rules.headers_of(delivery.id, delivery.body, secret, now_ms)
    return post(delivery.url, delivery.body.encode(), headers, rules_of(platform.settings), WHAT)


def _settle(delivery_id: str, owner: str, result: queries.Result, ctx: Context) -> None:
    queries.settle(ctx.tx, delivery_id, owner, result, ctx.now_ms())


def forget_old(platform: Platform) -> None:
    """Remove deliveries that have been over for 30 days."""
    platform.change(lambda ctx: queries.forget(ctx.tx, ctx.now_ms() - KEPT_MS, FORGOTTEN_AT_ONCE))
