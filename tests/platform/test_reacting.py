"""Reactions: every event at least once, in order, whatever fails and whenever it stops."""

import threading
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from airside.core.event import Event
from airside.core.operation import LOCAL, Context
from airside.platform import reacting
from airside.platform.house import ListReactionFailures
from airside.platform.reacting import Reaction, Reactor
from airside.platform.wiring import Platform
from airside.store import lease, outbox


class Counted(Event):
    NAME: ClassVar[str] = "Counted"
    number: int


class Other(Event):
    NAME: ClassVar[str] = "Other"


class Heard:
    """A handler that remembers, and lets a test wait until it has heard enough."""

    def __init__(self, then: Callable[[int], None] = lambda _number: None) -> None:
        self.numbers: list[int] = []
        self._then = then
        self._news = threading.Condition()

    def __call__(self, _platform: Platform, event: Any, _seq: int) -> None:
        with self._news:
            self.numbers.append(event.number)
            self._news.notify_all()
        self._then(event.number)

    def wait(self, count: int) -> list[int]:
        with self._news:
            assert self._news.wait_for(lambda: len(self.numbers) >= count, timeout=30), self.numbers
            return list(self.numbers)


def reaction(handle: Callable[[Platform, Any, int], None], name: str = "r") -> Reaction:
    return Reaction(name=name, event=Counted, handle=handle)


def announce(platform: Platform, *numbers: int) -> None:
    for number in numbers:
        platform.change(lambda ctx, number=number: ctx.announce(Counted(number=number)))  # type: ignore[misc]


def cursor(platform: Platform, name: str = "r") -> int:
    return platform.read(lambda ctx: outbox.cursor(ctx.tx, name))


def newest(platform: Platform) -> int:
    def query(ctx: Context) -> int:
        row = ctx.tx.one("SELECT MAX(seq) FROM event WHERE name = ?", ("Counted",))
        return row[0] if row else 0

    return platform.read(query)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reacting, "PAUSES_S", (0.0, 0.0, 0.0, 0.0))


def test_events_from_before_the_start_and_after_it_are_handled_in_order(platform: Platform) -> None:
    announce(platform, 1, 2)
    heard = Heard()
    reactor = Reactor(platform, (reaction(heard),))
    heard.wait(2)
    platform.change(lambda ctx: ctx.announce(Other()))
    announce(platform, 3, 4)
    assert heard.wait(4) == [1, 2, 3, 4]
    reactor.close()
    assert cursor(platform) == newest(platform)


def test_a_cursor_survives_a_restart(platform: Platform) -> None:
    announce(platform, 1)
    first, second = Heard(), Heard()
    reactor = Reactor(platform, (reaction(first),))
    first.wait(1)
    reactor.close()
    announce(platform, 2)
    reactor = Reactor(platform, (reaction(second),))
    assert second.wait(1) == [2]
    reactor.close()
    assert (first.numbers, second.numbers) == ([1], [2])


def test_a_failing_handler_is_tried_again_then_the_event_is_put_aside(
    platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    def then(number: int) -> None:
        if number == 1:
            raise RuntimeError("broken for ever")

    announce(platform, 1, 2)
    heard = Heard(then)
    reactor = Reactor(platform, (reaction(heard),))
    assert heard.wait(6) == [1, 1, 1, 1, 1, 2]
    reactor.close()
    (given_up,) = platform.call(LOCAL, ListReactionFailures()).items
    assert (given_up.reaction, given_up.event, given_up.error) == ("r", "Counted", "broken for ever")
    assert len(caplog.records) == 5


def test_a_handler_that_recovers_puts_nothing_aside(platform: Platform) -> None:
    times: list[int] = []

    def then(number: int) -> None:
        times.append(number)
        if len(times) < 3:
            raise RuntimeError("not yet")

    announce(platform, 1)
    heard = Heard(then)
    reactor = Reactor(platform, (reaction(heard),))
    heard.wait(3)
    reactor.close()
    assert (platform.call(LOCAL, ListReactionFailures()).items, cursor(platform)) == ((), newest(platform))


def test_an_event_that_failed_when_the_server_stopped_is_handled_by_the_next(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reacting, "PAUSES_S", (3600.0,))

    def then(_number: int) -> None:
        raise RuntimeError("away")

    announce(platform, 1)
    first, second = Heard(then), Heard()
    reactor = Reactor(platform, (reaction(first),))
    first.wait(1)
    reactor.close()
    assert cursor(platform) == 0
    reactor = Reactor(platform, (reaction(second),))
    assert second.wait(1) == [1]
    reactor.close()


def test_an_event_of_another_shape_is_put_aside_and_the_next_handled(
    platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    strange = outbox.NewEvent("Counted", '{"count":1}', "me", 1)
    platform.change(lambda ctx: outbox.append(ctx.tx, [strange]))
    announce(platform, 2)
    heard = Heard()
    reactor = Reactor(platform, (reaction(heard),))
    assert heard.wait(1) == [2]
    reactor.close()
    (given_up,) = platform.call(LOCAL, ListReactionFailures()).items
    assert "number" in given_up.error
    assert caplog.records


def test_a_slow_reaction_holds_nobody_up(platform: Platform) -> None:
    go = threading.Event()
    slow, quick = Heard(lambda _number: (go.wait(), None)[1]), Heard()
    reactor = Reactor(platform, (reaction(slow, "slow"), reaction(quick, "quick")))
    announce(platform, 1, 2, 3)
    assert quick.wait(3) == [1, 2, 3]
    assert slow.wait(1) == [1]
    go.set()
    slow.wait(3)
    reactor.close()


def test_whoever_holds_the_lease_handles_and_nobody_else(platform: Platform) -> None:
    if platform.database.dialect == "sqlite":
        pytest.skip("one process owns a home")
    taken = platform.change(
        lambda ctx: lease.acquire(ctx.tx, "reaction:r", "another server", now_ms=ctx.now_ms(), ttl_ms=1000)
    )
    assert taken is not None
    announce(platform, 1)
    heard, other = Heard(), Heard()
    reactor = Reactor(platform, (reaction(heard), reaction(other, "other")))
    other.wait(1)
    reactor.close()
    assert (heard.numbers, cursor(platform)) == ([], 0)


def test_a_reaction_goes_on_when_the_database_was_away(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reacting, "LOOK_EVERY_S", 0.01)
    real, looks = platform.read, iter([True])

    def read(query: Callable[[Context], Any]) -> Any:
        if next(looks, False):
            raise ConnectionError("away")
        return real(query)

    monkeypatch.setattr(platform, "read", read)
    announce(platform, 1)
    heard = Heard()
    reactor = Reactor(platform, (reaction(heard),))
    assert heard.wait(1) == [1]
    reactor.close()
    assert [record.message for record in caplog.records] == ["reaction.stopped name=r"]


def test_the_table_of_reactions_names_each_once() -> None:
    from airside.platform.reactions.table import REACTIONS

    names = [known.name for known in REACTIONS]
    assert len(set(names)) == len(names)
    assert all(known.event.NAME for known in REACTIONS)
