"""Loops: again and again, one holder each, and a bad round is not the last."""

import threading

import pytest

from airside.core.clock import FixedClock
from airside.core.operation import LOCAL
from airside.platform import repeat
from airside.platform.loops import LOOPS, Loop, Loops, forget_answers
from airside.platform.wiring import Platform
from airside.store import lease


class Rounds:
    def __init__(self, *, fails_first: bool = False) -> None:
        self.count = 0
        self._fails_first = fails_first
        self._news = threading.Condition()

    def __call__(self, _platform: Platform) -> None:
        with self._news:
            self.count += 1
            self._news.notify_all()
            if self._fails_first and self.count == 1:
                raise RuntimeError("bad round")

    def wait(self, count: int) -> None:
        with self._news:
            assert self._news.wait_for(lambda: self.count >= count, timeout=60)


def loop(rounds: Rounds, name: str = "l") -> Loop:
    return Loop(name=name, every_s=0.001, round=rounds)


def test_a_loop_goes_round_until_it_is_closed(platform: Platform) -> None:
    rounds = Rounds()
    loops = Loops(platform, (loop(rounds),))
    rounds.wait(3)
    loops.close()
    assert [thread.name for thread in threading.enumerate() if thread.name == "airside-loop-l"] == []


def test_a_round_that_fails_is_logged_and_not_the_last(platform: Platform, caplog: pytest.LogCaptureFixture) -> None:
    rounds = Rounds(fails_first=True)
    loops = Loops(platform, (loop(rounds),))
    rounds.wait(2)
    loops.close()
    assert [record.message for record in caplog.records] == ["loop.failed name=l"]


def test_where_servers_share_a_database_one_goes_round(platform: Platform) -> None:
    if platform.database.dialect == "sqlite":
        pytest.skip("one process owns a home")
    platform.change(lambda ctx: lease.acquire(ctx.tx, "loop:l", "other", now_ms=ctx.now_ms(), ttl_ms=1000))
    held, free = Rounds(), Rounds()
    loops = Loops(platform, (loop(held), loop(free, "free")))
    free.wait(2)
    loops.close()
    assert held.count == 0


def test_saved_answers_are_forgotten_after_a_day(platform: Platform, clock: FixedClock) -> None:
    for key in ("old", "new"):
        platform.change(lambda ctx, key=key: repeat.save_answer(ctx.tx, LOCAL, key, "d", {}, now_ms=ctx.now_ms()))  # type: ignore[misc]
        clock.advance(seconds=24 * 3600)
    forget_answers(platform)
    assert platform.read(lambda ctx: ctx.tx.all("SELECT key FROM idempotency")) == [("new",)]


def test_the_table_of_loops_names_each_once() -> None:
    assert len({known.name for known in LOOPS}) == len(LOOPS)
    assert all(known.every_s > 0 for known in LOOPS)
