"""How a rollout moves: one place writes the move, its decision, the endpoint, the alias and the events."""

import msgspec

from airside.core.clock import from_ms
from airside.core.errors import Conflict, NotFound
from airside.core.operation import Context
from airside.registry.operations.aliases import SetAlias, set_alias
from airside.registry.operations.models import GetModel, get_model
from airside.registry.records import CHAMPION, ModelVersion
from airside.serving import queries, rules
from airside.serving.events import EndpointChanged, RolloutEnded, RolloutStarted, RolloutStepped
from airside.serving.records import Decision, Endpoint, Evidence, Rollout, RolloutPlan, ServingTransform


def endpoint_or_fail(ctx: Context, name: str) -> Endpoint:
    """The endpoint of a name.

    Raises:
        NotFound: there is none; names some that there are.
    """
    found = queries.endpoint(ctx.tx, name)
    if found is None:
        known = ", ".join(f"'{each.name}'" for each in queries.endpoints(ctx.tx, after="", limit=10))
        raise NotFound(f"No endpoint '{name}'. There are: {known or 'none yet'}. Make one with: endpoints.create")
    return found


def rollout_or_fail(ctx: Context, rollout_id: str) -> Rollout:
    """The rollout of an id.

    Raises:
        NotFound: there is none.
    """
    found = queries.rollout(ctx.tx, rollout_id)
    if found is None:
        raise NotFound(f"No rollout '{rollout_id}'. List them with: rollouts.list")
    return found


def save_endpoint(ctx: Context, endpoint: Endpoint) -> Endpoint:
    """Store an endpoint under a new revision of the routing, and tell."""
    saved = msgspec.structs.replace(endpoint, revision=queries.next_revision(ctx.tx), updated_at=from_ms(ctx.now_ms()))
    queries.put_endpoint(ctx.tx, saved)
    ctx.announce(
        EndpointChanged(
            endpoint=saved.name, model=saved.model, version=saved.version, state=saved.state, revision=saved.revision
        )
    )
    return saved


def switch(ctx: Context, endpoint: Endpoint, version: int, transform: ServingTransform | None) -> Endpoint:
    """Make a version the champion of an endpoint at once; the one before is kept warm."""
    return save_endpoint(
        ctx,
        msgspec.structs.replace(
            endpoint,
            version=version,
            previous_version=endpoint.version or endpoint.previous_version,
            state="serving" if endpoint.state == "empty" else endpoint.state,
            transform=transform,
            rollout_id="",
        ),
    )


def require_gates(ctx: Context, version: ModelVersion) -> None:
    """Refuse a version that lacks a passing verdict of a gate that its model asks for.

    Raises:
        Conflict: names the gates.
    """
    wanted = get_model(ctx, GetModel(name=version.name)).requires.gates
    passed = {verdict.gate for verdict in version.verdicts if verdict.passed}
    if missing := [gate for gate in wanted if gate not in passed]:
        raise Conflict(
            f"'{version.name}@{version.version}' cannot be rolled out: no passing verdict of {', '.join(missing)}. "
            "Run the gates on it first."
        )


def begin(
    ctx: Context, endpoint: Endpoint, version: int, plan: RolloutPlan, transform: ServingTransform | None
) -> Rollout:
    """Start a rollout."""
    now = from_ms(ctx.now_ms())
    position = rules.start(plan)
    rollout = Rollout(
        id=ctx.new_id("rollout"),  # type: ignore[arg-type]
        endpoint=endpoint.name,
        model=endpoint.model,
        from_version=endpoint.version,
        to_version=version,
        state=position.state,
        step=position.step,
        weight=rules.weight_of(position, plan),
        plan=plan,
        transform=transform,
        reason=f"Started by {ctx.actor.name}.",
        started_by=ctx.actor.name,
        started_at=now,
        step_started_at=now,
    )
    queries.put_rollout(ctx.tx, rollout)
    _write_down(ctx, rollout, "started")
    save_endpoint(ctx, msgspec.structs.replace(endpoint, rollout_id=rollout.id))
    ctx.announce(
        RolloutStarted(
            rollout_id=rollout.id,
            endpoint=rollout.endpoint,
            model=rollout.model,
            from_version=rollout.from_version,
            to_version=rollout.to_version,
            state="shadow" if position.state == "shadow" else "canary",
            weight=rollout.weight,
        )
    )
    return rollout


def follow_signal(ctx: Context, rollout: Rollout, signal: rules.Signal, reason: str) -> Rollout:
    """Move a rollout by a signal, with all that the move brings along.

    Raises:
        Conflict: the state does not allow it, or the alias `champion` lacks what its model asks for.
    """
    if rollout.state == "shadow" and signal == "proven" and not rollout.plan.steps:
        signal = "promote"
    position = rules.move(rules.Position(rollout.state, rollout.step, rollout.paused_in), signal)
    now = from_ms(ctx.now_ms())
    moved = msgspec.structs.replace(
        rollout,
        state=position.state,
        step=position.step,
        paused_in=position.paused_in,
        weight=rules.weight_of(position, rollout.plan),
        reason=reason,
        step_started_at=now if signal in {"proven", "step", "resume"} else rollout.step_started_at,
        ended_at=now if position.state in rules.FINAL else None,
    )
    if signal == "promote":
        set_alias(ctx, SetAlias(name=rollout.model, alias=CHAMPION, version=rollout.to_version))
    if signal in {"proven", "step", "resume"}:
        moved = _start_step(ctx, moved, fresh=signal == "proven")
    queries.put_rollout(ctx.tx, moved)
    _write_down(ctx, moved, position.state if position.state in rules.FINAL else signal)
    _tell_endpoint(ctx, moved)
    return moved


def follow_or_pause(ctx: Context, rollout: Rollout, signal: rules.Signal, reason: str) -> Rollout:
    """The judge's way to move: a promotion that the registry refuses becomes a pause that says why."""
    try:
        return follow_signal(ctx, rollout, signal, reason)
    except Conflict as refused:
        return follow_signal(ctx, rollout, "pause", f"{reason} But: {refused.message}")


def note_look(ctx: Context, rollout: Rollout) -> None:
    """Write a look down that decided nothing."""
    _write_down(ctx, rollout, "continue")


def _start_step(ctx: Context, rollout: Rollout, *, fresh: bool) -> Rollout:
    queries.clear_tally(ctx.tx, rollout.id, "rows")
    kept = rollout.evidence
    recent = "" if fresh else kept.recent_failures
    guards = () if fresh else kept.guards
    return msgspec.structs.replace(
        rollout, evidence=Evidence(guards=guards, paired=kept.paired, step_rows=0, recent_failures=recent)
    )


def _write_down(ctx: Context, rollout: Rollout, outcome: str) -> None:
    queries.add_decision(
        ctx.tx,
        rollout.id,
        Decision(
            at=from_ms(ctx.now_ms()),
            outcome=outcome,
            reason=rollout.reason,
            state=rollout.state,
            step=rollout.step,
            weight=rollout.weight,
            evidence=rollout.evidence,
        ),
    )


def _tell_endpoint(ctx: Context, rollout: Rollout) -> None:
    endpoint = queries.endpoint(ctx.tx, rollout.endpoint)
    if endpoint is not None and rollout.state == "promoted":
        switch(ctx, endpoint, rollout.to_version, rollout.transform)
    elif endpoint is not None:
        running = "" if rollout.state in rules.FINAL else rollout.id
        save_endpoint(ctx, msgspec.structs.replace(endpoint, rollout_id=running))
    if rollout.state == "promoted" or rollout.state == "rolled_back":  # noqa: PLR1714 -- mypy narrows by ==
        ctx.announce(
            RolloutEnded(
                rollout_id=rollout.id,
                endpoint=rollout.endpoint,
                model=rollout.model,
                from_version=rollout.from_version,
                to_version=rollout.to_version,
                outcome=rollout.state,
                reason=rollout.reason,
            )
        )
        return
    ctx.announce(
        RolloutStepped(
            rollout_id=rollout.id,
            endpoint=rollout.endpoint,
            model=rollout.model,
            to_version=rollout.to_version,
            state=rollout.state,
            step=rollout.step,
            weight=rollout.weight,
            reason=rollout.reason,
        )
    )
