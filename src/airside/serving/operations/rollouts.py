"""Verbs on rollouts."""

import msgspec

from airside.core.clock import from_ms
from airside.core.errors import Conflict
from airside.core.ids import RolloutId
from airside.core.operation import Context, operation
from airside.core.paging import cut, page_size
from airside.core.record import Ask
from airside.serving import progress, queries, rules
from airside.serving.records import Rollout, RolloutPage


class GetRollout(Ask[Rollout]):
    """A rollout by its id."""

    id: RolloutId


@operation("rollouts.get", needs="rollout:read")
def get_rollout(ctx: Context, ask: GetRollout) -> Rollout:
    """A rollout with its counts, its evidence and every decision.

    Raises:
        NotFound: there is none.
    """
    return _whole(ctx, progress.rollout_or_fail(ctx, ask.id))


class ListRollouts(Ask[RolloutPage]):
    """Rollouts of one endpoint, or of all.

    Attributes:
        active: only those that have not ended.
    """

    endpoint: str = ""
    active: bool = False
    max_results: int = 100
    page_token: str = ""


@operation("rollouts.list", needs="rollout:read")
def list_rollouts(ctx: Context, ask: ListRollouts) -> RolloutPage:
    """Rollouts, the newest first, without counts and decisions.

    Raises:
        Invalid: the page's size is none.
    """
    if ask.active:
        every = [each for each in queries.active_rollouts(ctx.tx) if ask.endpoint in {"", each.endpoint}]
        return RolloutPage(items=tuple(reversed(every)))
    size = page_size(ask.max_results)
    found = queries.rollouts(ctx.tx, endpoint=ask.endpoint, before=ask.page_token, limit=size + 1)
    items, following = cut(found, size, lambda rollout: rollout.id)
    return RolloutPage(items=items, next_page_token=following)


class TickRollout(Ask[Rollout]):
    """A rollout that the judge shall look at."""

    id: RolloutId


@operation("rollouts.tick", needs="rollout:judge", audit="measure")
def tick_rollout(ctx: Context, ask: TickRollout) -> Rollout:
    """Let the judge look at what came since the last look, and follow what it says.

    The test is valid at every look, so one may look as often as one likes. A rollout that is paused or has ended is
    answered as it is.

    Raises:
        NotFound: there is none.
    """
    before = progress.rollout_or_fail(ctx, ask.id)
    if before.state not in {"shadow", "canary"}:
        return _whole(ctx, before)
    now = from_ms(ctx.now_ms())
    counts = queries.tallies(ctx.tx, before.id)
    if before.state == "shadow":
        look = rules.shadow_look(before.plan, before.evidence, counts)
    else:
        look = rules.canary_look(before.plan, before.step, before.evidence, counts)
    signal, reason = look.signal, look.reason
    if signal is None and (now - before.started_at).total_seconds() > before.plan.max_duration_s:
        signal = rules.timeout_signal(before.plan)
        reason = (
            f"No decision within {before.plan.max_duration_s:g} s, so the plan says: {before.plan.on_timeout}. {reason}"
        )
    seen = msgspec.structs.replace(before, evidence=look.evidence, looked_at=now)
    if signal is not None:
        return _whole(ctx, progress.follow_or_pause(ctx, seen, signal, reason))
    seen = msgspec.structs.replace(seen, reason=reason)
    queries.put_rollout(ctx.tx, seen)
    if seen.evidence != before.evidence:
        progress.note_look(ctx, seen)
    return _whole(ctx, seen)


class PromoteRollout(Ask[Rollout]):
    """A rollout whose version shall become champion now."""

    id: RolloutId
    reason: str = ""


@operation("rollouts.promote", needs="rollout:decide")
def promote_rollout(ctx: Context, ask: PromoteRollout) -> Rollout:
    """Promote by hand: the version becomes champion, the endpoint switches.

    Raises:
        NotFound: there is none.
        Conflict: it has ended, or the version lacks a verdict or an approval.
    """
    return _by_hand(ctx, ask.id, "promote", ask.reason or f"Promoted by {ctx.actor.name}.")


class RollbackRollout(Ask[Rollout]):
    """A rollout that shall be undone now."""

    id: RolloutId
    reason: str = ""


@operation("rollouts.rollback", needs="rollout:decide")
def rollback_rollout(ctx: Context, ask: RollbackRollout) -> Rollout:
    """Roll back by hand: all traffic goes to the champion.

    Raises:
        NotFound: there is none.
        Conflict: it has ended.
    """
    return _by_hand(ctx, ask.id, "harm", ask.reason or f"Rolled back by {ctx.actor.name}.")


class PauseRollout(Ask[Rollout]):
    """A rollout that shall hold its share, or go on."""

    id: RolloutId
    paused: bool = True
    reason: str = ""


@operation("rollouts.pause", needs="rollout:decide")
def pause_rollout(ctx: Context, ask: PauseRollout) -> Rollout:
    """Hold a rollout at its share of the traffic, or let it go on with `paused=false`.

    Raises:
        NotFound: there is none.
        Conflict: its state does not allow it.
    """
    verb = "Paused" if ask.paused else "Resumed"
    return _by_hand(ctx, ask.id, "pause" if ask.paused else "resume", ask.reason or f"{verb} by {ctx.actor.name}.")


class AcknowledgeRollout(Ask[Rollout]):
    """A rollout whose end, or pause, someone has seen."""

    id: RolloutId


@operation("rollouts.acknowledge", needs="rollout:decide")
def acknowledge_rollout(ctx: Context, ask: AcknowledgeRollout) -> Rollout:
    """Note who has seen how a rollout ended, or that it waits.

    Raises:
        NotFound: there is none.
        Conflict: it is still under way.
    """
    rollout = progress.rollout_or_fail(ctx, ask.id)
    if rollout.state in {"shadow", "canary"}:
        raise Conflict(f"Rollout {ask.id} is still in the state '{rollout.state}': there is nothing to acknowledge.")
    seen = msgspec.structs.replace(rollout, acknowledged_by=ctx.actor.name, acknowledged_at=from_ms(ctx.now_ms()))
    queries.put_rollout(ctx.tx, seen)
    return _whole(ctx, seen)


def _by_hand(ctx: Context, rollout_id: RolloutId, signal: rules.Signal, reason: str) -> Rollout:
    return _whole(ctx, progress.follow_signal(ctx, progress.rollout_or_fail(ctx, rollout_id), signal, reason))


def _whole(ctx: Context, rollout: Rollout) -> Rollout:
    return msgspec.structs.replace(
        rollout, tallies=queries.tallies(ctx.tx, rollout.id), history=queries.history(ctx.tx, rollout.id)
    )
