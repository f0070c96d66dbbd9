"""Reactions: what follows from an event, after its commit, at least once, in order.

Each reaction has a thread and a cursor of its own, so a slow one holds nobody up. Where several servers share a
database, a lease decides which of them handles a reaction. A handler that fails is tried again with growing pauses;
after five times the event is put aside for a person to see (`airside reactions failures`), and the reaction goes on.
"""

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from airside.core.event import Event
from airside.core.operation import Context
from airside.core.record import Record
from airside.platform.turns import Turns
from airside.platform.wiring import Platform
from airside.store import outbox
from airside.store.outbox import StoredEvent

PAUSES_S = (0.4, 1.6, 6.4, 25.6)
"""Between the attempts; after the last attempt the event is put aside."""
LEASE_MS = 60_000
LOOK_EVERY_S = 5.0
"""How often a reaction looks without being told: for events of other servers, and for a lease that became free."""

_log = logging.getLogger("airside.reactions")


class Reaction(Record):
    """What follows from a kind of event.

    Attributes:
        name: names its cursor and its idempotency keys: never rename it.
        event: the kind of event.
        handle: `(platform, event, seq)`; called at least once for each event, so it must be idempotent: it passes
            `idempotency_key=f"{name}:{seq}"` to what it calls.
    """

    name: str
    event: type[Event]
    handle: Callable[[Platform, Any, int], None]


class Reactor:
    """Runs reactions on threads until it is closed."""

    def __init__(self, platform: Platform, reactions: tuple[Reaction, ...]) -> None:
        self._platform = platform
        self._turns = Turns(platform)
        self._closed = threading.Event()
        self._wakes = {reaction.name: threading.Event() for reaction in reactions}
        self._by_event: dict[str, list[str]] = {}
        for reaction in reactions:
            self._by_event.setdefault(reaction.event.NAME, []).append(reaction.name)
        self._stop = platform.hub.listen(self._heard)
        self._threads = [
            threading.Thread(target=self._run, args=(reaction,), name=f"airside-react-{reaction.name}", daemon=True)
            for reaction in reactions
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End after the events in hand."""
        self._stop()
        self._closed.set()
        for wake in self._wakes.values():
            wake.set()
        for thread in self._threads:
            thread.join()

    def _heard(self, events: tuple[Event, ...]) -> None:
        for event in events:
            for name in self._by_event.get(event.NAME, ()):
                self._wakes[name].set()

    def _run(self, reaction: Reaction) -> None:
        wake = self._wakes[reaction.name]
        while not self._closed.is_set():
            wake.clear()
            try:
                while self._handle_some(reaction) and not self._closed.is_set():
                    pass
            except Exception:  # noqa: BLE001 -- the edge of a reaction: it must go on when the database is away for a while
                _log.exception("reaction.stopped name=%s", reaction.name)
            wake.wait(LOOK_EVERY_S)
        self._turns.give_up(_turn(reaction))

    def _handle_some(self, reaction: Reaction) -> bool:
        """Handle what waits behind the cursor; True if there may be more."""
        events = self._platform.read(
            lambda ctx: outbox.after_named(ctx.tx, reaction.event.NAME, outbox.cursor(ctx.tx, reaction.name), limit=100)
        )
        if not events:
            return False
        for event in events:
            if not self._turns.take(_turn(reaction), ttl_ms=LEASE_MS) or self._closed.is_set():
                return False
            if not self._handle(reaction, event):
                return False
            self._platform.change(partial(_move, reaction.name, event.seq))
        return True

    def _handle(self, reaction: Reaction, stored: StoredEvent) -> bool:
        """Handle an event, or put it aside; False when the end came between two attempts: it is not done with."""
        for attempt, pause_s in enumerate((*PAUSES_S, None), start=1):
            try:
                event = msgspec.json.decode(stored.body, type=reaction.event)
                reaction.handle(self._platform, event, stored.seq)
            except Exception as error:  # noqa: BLE001 -- the edge of a reaction
                _log.exception("reaction.failed name=%s seq=%s attempt=%s", reaction.name, stored.seq, attempt)
                if pause_s is None:
                    self._platform.change(partial(_put_aside, reaction.name, stored.seq, str(error)[:2000]))
                elif self._closed.wait(pause_s):
                    return False
            else:
                return True
        return True


def _turn(reaction: Reaction) -> str:
    return f"reaction:{reaction.name}"


def _move(name: str, seq: int, ctx: Context) -> None:
    outbox.move_cursor(ctx.tx, name, seq)


def _put_aside(name: str, seq: int, error: str, ctx: Context) -> None:
    outbox.put_aside(ctx.tx, name, seq, error, now_ms=ctx.now_ms())
