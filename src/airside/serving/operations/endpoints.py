"""Verbs on endpoints."""

import re
from contextlib import suppress

import msgspec

from airside.core.clock import from_ms
from airside.core.errors import AlreadyExists, Conflict, Invalid, NotFound
from airside.core.ids import EndpointName, ModelName
from airside.core.operation import Context, operation
from airside.core.paging import cut, page_size
from airside.core.record import DONE, Ask, Done, Record
from airside.registry.operations.aliases import SetAlias, set_alias
from airside.registry.operations.models import GetModel, get_model
from airside.registry.operations.versions import GetVersion, get_version
from airside.registry.records import CHAMPION
from airside.serving import progress, queries, rules
from airside.serving.events import EndpointChanged
from airside.serving.records import (
    WEIGHT_UNIT,
    Arm,
    Endpoint,
    EndpointPage,
    Phase,
    Role,
    Rollout,
    RolloutPlan,
    Route,
    Routing,
    ServingTransform,
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class CreateEndpoint(Ask[Endpoint]):
    """A name that shall answer predictions of a registered model.

    Attributes:
        plan: how later versions take over, unless a deployment brings its own plan.
    """

    name: EndpointName
    model: ModelName
    plan: RolloutPlan = RolloutPlan()


@operation("endpoints.create", needs="endpoint:write")
def create_endpoint(ctx: Context, ask: CreateEndpoint) -> Endpoint:
    """Make an endpoint. It serves the model's champion from the start, if there is one.

    Raises:
        Invalid: the name or the plan is not allowed.
        AlreadyExists: the name is taken.
        NotFound: there is no such model.
    """
    if not _NAME.fullmatch(ask.name):
        raise Invalid(
            f"An endpoint cannot be named {ask.name[:120]!r}. Use up to 100 letters, digits, '.', '_' and '-', "
            "beginning with a letter or digit."
        )
    rules.check_plan(ask.plan)
    if queries.endpoint(ctx.tx, ask.name) is not None:
        raise AlreadyExists(f"There is an endpoint '{ask.name}' already. Take another name, or deploy to it.")
    version = get_model(ctx, GetModel(name=ask.model)).aliases.get(CHAMPION, 0)
    now = from_ms(ctx.now_ms())
    endpoint = Endpoint(
        name=ask.name,
        model=ask.model,
        version=version,
        state="serving" if version else "empty",
        plan=ask.plan,
        salt=ctx.new_hex(),
        created_by=ctx.actor.name,
        created_at=now,
        updated_at=now,
    )
    return progress.save_endpoint(ctx, endpoint)


class GetEndpoint(Ask[Endpoint]):
    """An endpoint by name."""

    name: EndpointName


@operation("endpoints.get", needs="endpoint:read")
def get_endpoint(ctx: Context, ask: GetEndpoint) -> Endpoint:
    """An endpoint.

    Raises:
        NotFound: there is none of that name.
    """
    return progress.endpoint_or_fail(ctx, ask.name)


class ListEndpoints(Ask[EndpointPage]):
    """The endpoints, of one model or of all."""

    model: str = ""
    max_results: int = 100
    page_token: str = ""


@operation("endpoints.list", needs="endpoint:read")
def list_endpoints(ctx: Context, ask: ListEndpoints) -> EndpointPage:
    """Endpoints, by name.

    Raises:
        Invalid: the page's size is none.
    """
    size = page_size(ask.max_results)
    found = queries.endpoints(ctx.tx, after=ask.page_token, limit=size + 1, model=ask.model)
    items, following = cut(found, size, lambda endpoint: endpoint.name)
    return EndpointPage(items=items, next_page_token=following)


class UpdateEndpoint(Ask[Endpoint]):
    """Another plan for the rollouts to come."""

    name: EndpointName
    plan: RolloutPlan


@operation("endpoints.update", needs="endpoint:write")
def update_endpoint(ctx: Context, ask: UpdateEndpoint) -> Endpoint:
    """Change how later versions take over. A rollout that is under way keeps its plan.

    Raises:
        NotFound: there is no such endpoint.
        Invalid: the plan cannot be followed.
    """
    rules.check_plan(ask.plan)
    endpoint = progress.endpoint_or_fail(ctx, ask.name)
    return progress.save_endpoint(ctx, msgspec.structs.replace(endpoint, plan=ask.plan))


class Deployed(Record):
    """What a deployment started. `rollout` is None when the version serves already."""

    endpoint: Endpoint
    rollout: Rollout | None = None


class Deploy(Ask[Deployed]):
    """A version that shall become the champion of an endpoint.

    Attributes:
        plan: None takes the endpoint's.
        transform: a declared step between request and model, for this version.
        direct: switch at once, without a rollout.
    """

    endpoint: EndpointName
    version: int
    plan: RolloutPlan | None = None
    transform: ServingTransform | None = None
    direct: bool = False


@operation("endpoints.deploy", needs="endpoint:deploy")
def deploy(ctx: Context, ask: Deploy) -> Deployed:
    """Start the rollout of a version. Where nothing serves yet, or with `direct`, it switches at once.

    Raises:
        NotFound: there is no such endpoint or version.
        Conflict: a rollout is under way, the version serves already, or it lacks a verdict.
        Invalid: the plan cannot be followed.
    """
    endpoint = progress.endpoint_or_fail(ctx, ask.endpoint)
    version = get_version(ctx, GetVersion(name=endpoint.model, version=ask.version))
    plan = ask.plan or endpoint.plan
    rules.check_plan(plan)
    if endpoint.rollout_id:
        raise Conflict(
            f"'{endpoint.model}@{ask.version}' cannot be deployed to '{endpoint.name}' while the rollout "
            f"{endpoint.rollout_id} is under way. Wait for its end, or end it with: rollouts.rollback"
        )
    if endpoint.version == ask.version and ask.transform == endpoint.transform:
        raise Conflict(f"'{endpoint.name}' serves '{endpoint.model}@{ask.version}' already.")
    progress.require_gates(ctx, version)
    if ask.direct or not endpoint.version:
        set_alias(ctx, SetAlias(name=endpoint.model, alias=CHAMPION, version=ask.version))
        return Deployed(endpoint=progress.switch(ctx, endpoint, ask.version, ask.transform))
    rollout = progress.begin(ctx, endpoint, ask.version, plan, ask.transform)
    return Deployed(endpoint=progress.endpoint_or_fail(ctx, ask.endpoint), rollout=rollout)


class FollowChampion(Ask[EndpointPage]):
    """A model's alias `champion` moved; its endpoints shall follow."""

    model: ModelName
    version: int


@operation("endpoints.follow", needs="endpoint:deploy")
def follow_champion(ctx: Context, ask: FollowChampion) -> EndpointPage:
    """Switch every endpoint of a model to the version that became champion. The answer lists those that changed.

    A rollout that is under way ends: promoted if it is of that version, else rolled back.
    """
    current = get_model(ctx, GetModel(name=ask.model)).aliases.get(CHAMPION, 0)
    if current != ask.version:
        return EndpointPage(items=())
    changed = []
    for endpoint in queries.endpoints(ctx.tx, after="", limit=10_000, model=ask.model):
        if endpoint.version == ask.version:
            continue
        if endpoint.rollout_id:
            rollout = progress.rollout_or_fail(ctx, endpoint.rollout_id)
            signal: rules.Signal = "promote" if rollout.to_version == ask.version else "harm"
            progress.follow_signal(ctx, rollout, signal, f"'{ask.model}@{ask.version}' was made champion by hand.")
        after = progress.endpoint_or_fail(ctx, endpoint.name)
        if after.version != ask.version:
            after = progress.switch(ctx, after, ask.version, None)
        changed.append(after)
    return EndpointPage(items=tuple(changed))


class PauseEndpoint(Ask[Endpoint]):
    """An endpoint that shall stop answering, or go on."""

    name: EndpointName
    paused: bool = True


@operation("endpoints.pause", needs="endpoint:write")
def pause_endpoint(ctx: Context, ask: PauseEndpoint) -> Endpoint:
    """Stop answering predictions (503 with this reason), or go on with `paused=false`.

    Raises:
        NotFound: there is no such endpoint.
        Conflict: nothing was deployed to it yet.
    """
    endpoint = progress.endpoint_or_fail(ctx, ask.name)
    if endpoint.state == "empty":
        raise Conflict(f"Nothing was deployed to '{ask.name}' yet, so there is nothing to pause.")
    return progress.save_endpoint(ctx, msgspec.structs.replace(endpoint, state="paused" if ask.paused else "serving"))


class DeleteEndpoint(Ask[Done]):
    """An endpoint that shall go."""

    name: EndpointName


@operation("endpoints.delete", needs="endpoint:delete")
def delete_endpoint(ctx: Context, ask: DeleteEndpoint) -> Done:
    """Delete an endpoint. Its rollouts and its prediction log stay.

    Raises:
        NotFound: there is no such endpoint.
        Conflict: a rollout is under way.
    """
    endpoint = progress.endpoint_or_fail(ctx, ask.name)
    if endpoint.rollout_id:
        raise Conflict(f"'{ask.name}' has the rollout {endpoint.rollout_id} under way. End it first.")
    queries.delete_endpoint(ctx.tx, ask.name)
    ctx.announce(
        EndpointChanged(
            endpoint=endpoint.name,
            model=endpoint.model,
            version=endpoint.version,
            state="deleted",
            revision=queries.next_revision(ctx.tx),
        )
    )
    return DONE


class GetRouting(Ask[Routing]):
    """The routes of every endpoint. `known` is the revision that the asker has."""

    known: int = -1


@operation("endpoints.routing", needs="endpoint:read")
def routing(ctx: Context, ask: GetRouting) -> Routing:
    """What a serving process needs: for each endpoint its arms, their weights, and the files of their models."""
    revision = queries.revision(ctx.tx)
    if revision == ask.known:
        return Routing(revision=revision, changed=False)
    found = queries.endpoints(ctx.tx, after="", limit=10_000)
    return Routing(revision=revision, changed=True, routes=tuple(_route(ctx, endpoint) for endpoint in found))


def _route(ctx: Context, endpoint: Endpoint) -> Route:
    rollout = queries.rollout(ctx.tx, endpoint.rollout_id) if endpoint.rollout_id else None
    phase: Phase = ""
    plan, canary = endpoint.plan, 0
    wanted: list[tuple[int, Role, int, ServingTransform | None]] = []
    if rollout is not None:
        plan, canary = rollout.plan, rollout.weight
        phase = "shadow" if "shadow" in {rollout.state, rollout.paused_in} else "canary"
        role: Role = "shadow" if phase == "shadow" else "canary"
        wanted.append((rollout.to_version, role, canary, rules.transform_in(rollout.transform, phase)))
    wanted.insert(0, (endpoint.version, "champion", WEIGHT_UNIT - canary, endpoint.transform))
    return Route(
        endpoint=endpoint.name,
        model=endpoint.model,
        state=endpoint.state,
        salt=endpoint.salt,
        revision=endpoint.revision,
        rollout_id=endpoint.rollout_id,
        phase=phase,
        latency_objective_ms=plan.latency_objective_ms,
        arms=_arms(ctx, endpoint.model, wanted),
        standby=_arms(ctx, endpoint.model, [(endpoint.previous_version, "champion", 0, None)]),
    )


def _arms(
    ctx: Context, model: ModelName, wanted: list[tuple[int, Role, int, ServingTransform | None]]
) -> tuple[Arm, ...]:
    arms = []
    for number, role, weight, transform in wanted:
        if not number:
            continue
        with suppress(NotFound):  # a version that was deleted is not served; the endpoint says so by a missing arm
            version = get_version(ctx, GetVersion(name=model, version=number))
            arms.append(
                Arm(
                    version=number,
                    role=role,
                    weight=weight,
                    source=version.source,
                    files=dict(version.files),
                    transform=transform,
                )
            )
    return tuple(arms)
