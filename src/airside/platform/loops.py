"""What happens by the clock: one table, one thread each, one holder each by a lease."""

import logging
import threading
from collections.abc import Callable

from airside.core.record import Record
from airside.platform import repeat
from airside.platform.courier import forget_old as forget_deliveries
from airside.platform.reactions import cataloguing, clearing, triggers, watching
from airside.platform.turns import Turns
from airside.platform.wiring import Platform
from airside.serving import ticking
from airside.tracking.operations import experiments

SWEEPS_A_ROUND = 200
"""Of a thousand runs each: a million are done in a minute; a server that ends waits for one round, some seconds."""
_log = logging.getLogger("airside.loops")


class Loop(Record):
    """A thing done again and again.

    Attributes:
        name: names its lease.
        every_s: the pause between two rounds.
        round: what a round does; must be idempotent.
    """

    name: str
    every_s: float
    round: Callable[[Platform], None]


def forget_answers(platform: Platform) -> None:
    """Remove the saved answers of repeated requests that are older than a day."""
    platform.change(lambda ctx: repeat.forget_old(ctx.tx, now_ms=ctx.now_ms()))


def finish_sweeps(platform: Platform) -> None:
    """Bring on what a server left when it ended while it deleted or restored a large experiment.

    Step by step, so that other writers have their turn in between.
    """
    for _ in range(SWEEPS_A_ROUND):
        if not platform.read(experiments.has_sweeps):
            return
        platform.change(experiments.finish_sweeps)


LOOPS: tuple[Loop, ...] = (
    Loop(name="forget_answers", every_s=3600.0, round=forget_answers),
    Loop(name="forget_deliveries", every_s=3600.0, round=forget_deliveries),
    Loop(name="rollouts", every_s=ticking.EVERY_S, round=ticking.tick_all),
    Loop(name="refresh_changed", every_s=0.5, round=cataloguing.refresh_changed),
    Loop(name="refresh_all", every_s=600.0, round=cataloguing.refresh_all),
    Loop(name="cut_windows", every_s=10.0, round=watching.cut_windows),
    Loop(name="finish_sweeps", every_s=10.0, round=finish_sweeps),
    Loop(name="tick_triggers", every_s=1.0, round=triggers.tick),
    Loop(name="sweep_trash", every_s=60.0, round=clearing.sweep_trash),
)


class Loops:
    """Runs loops on threads until it is closed."""

    def __init__(self, platform: Platform, loops: tuple[Loop, ...] = LOOPS) -> None:
        self._platform = platform
        self._turns = Turns(platform)
        self._closed = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(loop,), name=f"airside-loop-{loop.name}", daemon=True)
            for loop in loops
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End after the round in hand."""
        self._closed.set()
        for thread in self._threads:
            thread.join()

    def _run(self, loop: Loop) -> None:
        turn, ttl_ms = f"loop:{loop.name}", int(loop.every_s * 3000) + 10_000
        while not self._closed.wait(loop.every_s):
            try:
                if self._turns.take(turn, ttl_ms=ttl_ms):
                    loop.round(self._platform)
            except Exception:  # noqa: BLE001 -- the edge of a loop: the next round tries again
                _log.exception("loop.failed name=%s", loop.name)
        self._turns.give_up(turn)
