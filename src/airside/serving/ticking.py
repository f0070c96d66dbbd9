"""The rollout controller: lets the judge look at every rollout whose interval has passed."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from airside.core.clock import Clock
from airside.core.operation import SERVICE, Actor, Context
from airside.core.record import Ask
from airside.serving import queries
from airside.serving.operations.rollouts import TickRollout
from airside.serving.records import Rollout

EVERY_S = 0.5
"""How often the controller asks who is due. The judge's own interval is the plan's."""

T = TypeVar("T")


class Controlled(Protocol):
    """What the controller needs of a platform."""

    clock: Clock

    def read(self, query: Callable[[Context], T]) -> T:
        """Run a query."""

    def call(self, actor: Actor, ask: Ask[T]) -> T:
        """Do what is asked."""


def tick_all(platform: Controlled) -> None:
    """Let the judge look at each rollout that is due. To call it again, or twice at once, does no harm."""
    now = platform.clock.now()
    active: list[Rollout] = platform.read(lambda ctx: queries.active_rollouts(ctx.tx))
    for rollout in active:
        last = rollout.looked_at or rollout.started_at
        is_due = rollout.looked_at is None or (now - last).total_seconds() >= rollout.plan.interval_s
        if rollout.state in {"shadow", "canary"} and is_due:
            platform.call(SERVICE, TickRollout(id=rollout.id))
