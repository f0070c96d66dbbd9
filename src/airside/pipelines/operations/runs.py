"""Runs of pipelines: start, get, list; for drivers: offers, claim, embed, renew, finish."""

from typing import Any, Literal

import msgspec

from airside.core.errors import NotFound
from airside.core.ids import PipelineName, PipelineRunId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.paging import cut, page_size
from airside.core.record import Ask, Record
from airside.pipelines import queries, rules, tracked
from airside.pipelines.events import PipelineRunFinished, PipelineRunStarted
from airside.pipelines.operations.pipelines import GetPipeline
from airside.pipelines.operations.pipelines import get as get_pipeline
from airside.pipelines.records import Cause, Pipeline, PipelineRun, RunState, StepRun, StepState


class StartRun(Ask[PipelineRun]):
    """A run of a pipeline. `version` 0 is the newest. `text` says why, in a line for people."""

    pipeline: PipelineName
    version: int = 0
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    text: str = ""


@operation("pipeline_runs.start", needs="pipeline_run:write")
def start(ctx: Context, ask: StartRun) -> PipelineRun:
    """Put a run of a pipeline in the queue.

    Raises:
        NotFound: no such pipeline or version.
        Invalid: a parameter is missing, unknown, or not of its type.
    """
    return begin(ctx, ask, Cause(actor=ctx.actor.name, text=ask.text))


def begin(ctx: Context, ask: StartRun, cause: Cause) -> PipelineRun:
    """Put a run with a cause in the queue: by hand, or by a trigger. Same errors as `start`."""
    pipeline = get_pipeline(ctx, GetPipeline(name=ask.pipeline, version=ask.version))
    parameters = rules.bind_parameters(pipeline, ask.parameters)
    run_id = PipelineRunId(ctx.new_id("pipeline_run"))
    run = PipelineRun(
        id=run_id,
        pipeline=pipeline.name,
        version=pipeline.version,
        state="queued",
        parameters=parameters,
        cause=cause,
        tracking_run=tracked.begin(ctx, pipeline, run_id, parameters, cause),
        steps_total=len(pipeline.graph.nodes),
        created_at=ctx.clock.now(),
    )
    queries.insert_run(ctx.tx, run)
    _tell_started(ctx, run)
    return run


def _tell_started(ctx: Context, run: PipelineRun) -> None:
    ctx.announce(
        PipelineRunStarted(
            run=run.id,
            pipeline=run.pipeline,
            state=run.state,
            trigger=run.cause.trigger,
            cause_event=run.cause.event,
        )
    )


class GetRun(Ask[PipelineRun]):
    """One run of a pipeline."""

    run_id: PipelineRunId


@operation("pipeline_runs.get", needs="pipeline_run:read")
def get(ctx: Context, ask: GetRun) -> PipelineRun:
    """A run.

    Raises:
        NotFound: there is none of that id.
    """
    found = queries.run(ctx.tx, ask.run_id)
    if found is None:
        raise NotFound(f"No pipeline run '{ask.run_id}'. List them with the operation pipeline_runs.list.")
    return found


class PipelineRunPage(Record):
    """Some runs, the newest first."""

    items: tuple[PipelineRun, ...]
    next_page_token: str = ""


class ListRuns(Ask[PipelineRunPage]):
    """Runs, cut by pipeline, state, trigger, and by the event that caused them, where given."""

    pipeline: PipelineName = PipelineName("")
    states: tuple[RunState, ...] = ()
    trigger: str = ""
    event: str = ""
    max_results: int = 50
    page_token: str = ""


@operation("pipeline_runs.list", needs="pipeline_run:read")
def list_runs(ctx: Context, ask: ListRuns) -> PipelineRunPage:
    """Runs, the newest first.

    Raises:
        Invalid: the page's size or token is none.
    """
    size = page_size(ask.max_results)
    wanted = queries.RunFilter(
        pipeline=ask.pipeline, states=ask.states, trigger=ask.trigger, event=ask.event, before=ask.page_token
    )
    items, following = cut(queries.runs(ctx.tx, wanted, limit=size + 1), size, lambda run: run.id)
    return PipelineRunPage(items=items, next_page_token=following)


class Offers(Record):
    """Runs that a driver may try to claim.

    Attributes:
        queued: runs that nobody drives, the oldest first.
        abandoned: runs whose driver's lease has run out.
        here: runs that a driver on the same host drives: whoever can take such a run's lock knows its driver dead.
    """

    queued: tuple[PipelineRunId, ...] = ()
    abandoned: tuple[PipelineRunId, ...] = ()
    here: tuple[PipelineRunId, ...] = ()


class GetOffers(Ask[Offers]):
    """`host` names the machine (and its boot) on which the driver's locks hold."""

    host: str = ""


@operation("pipeline_runs.offers", needs="pipeline_run:read")
def offers(ctx: Context, ask: GetOffers) -> Offers:
    """What a driver on a host may try to claim."""
    return Offers(
        queued=tuple(queries.queued(ctx.tx)),
        abandoned=tuple(queries.abandoned(ctx.tx, ctx.now_ms())),
        here=tuple(queries.driven_on(ctx.tx, ask.host)) if ask.host else (),
    )


class Claimed(Record):
    """A run, now driven by the caller.

    Attributes:
        token: the fence: each commit names it; it is void as soon as somebody else claims the run.
        finished: the attempts of earlier drivers that succeeded or failed; none that succeeded runs again while its key
            is the same.
        attempts: step → its greatest attempt so far.
    """

    run: PipelineRun
    pipeline: Pipeline
    token: int
    finished: tuple[StepRun, ...] = ()
    attempts: dict[str, int] = msgspec.field(default_factory=dict)


class ClaimRun(Ask[Claimed]):
    """`holds_lock` says that the caller holds the run's lock on `host`, so that an earlier driver there is dead."""

    run_id: PipelineRunId
    worker: str
    host: str = ""
    holds_lock: bool = False
    lease_s: float = 30.0


@operation("pipeline_runs.claim", needs="pipeline_run:drive", audit="measure")
def claim(ctx: Context, ask: ClaimRun) -> Claimed:
    """Become the driver of a run: one that is queued, or one whose driver is dead.

    Raises:
        NotFound: there is no such run.
        Conflict: its driver lives, or it has ended.
    """
    run = get(ctx, GetRun(run_id=ask.run_id))
    lease = queries.lease(ctx.tx, ask.run_id)
    rules.check_claim(run, lease, host=ask.host, holds_lock=ask.holds_lock, now_ms=ctx.now_ms())
    if run.state == "running":
        rules.next_run_state(run.state, "lose")
        queries.interrupt_steps(ctx.tx, run.id, ctx.now_ms())
    token = run.attempt + 1
    taken = rules.Lease(worker=ask.worker, host=ask.host, until_ms=ctx.now_ms() + rules.lease_ms(ask.lease_s))
    queries.claim_run(ctx.tx, run.id, token=token, lease=taken, now_ms=ctx.now_ms())
    claimed = get(ctx, GetRun(run_id=ask.run_id))
    _tell_started(ctx, claimed)
    return Claimed(
        run=claimed,
        pipeline=get_pipeline(ctx, GetPipeline(name=run.pipeline, version=run.version)),
        token=token,
        finished=tuple(queries.finished_steps(ctx.tx, run.id)),
        attempts=queries.attempts(ctx.tx, run.id),
    )


class EmbedRun(Ask[Claimed]):
    """A run that the asking process itself will drive, in its own memory: no runner may be faster."""

    pipeline: PipelineName
    worker: str
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)


@operation("pipeline_runs.embed", needs="pipeline_run:drive")
def embed(ctx: Context, ask: EmbedRun) -> Claimed:
    """Start a run and claim it at once. Errors as `pipeline_runs.start`."""
    run = start(ctx, StartRun(pipeline=ask.pipeline, parameters=ask.parameters, text="embedded"))
    return claim(ctx, ClaimRun(run_id=run.id, worker=ask.worker))


class RenewLease(Ask[PipelineRun]):
    """The driver of a run lives."""

    run_id: PipelineRunId
    token: int
    lease_s: float = 30.0


@operation("pipeline_runs.renew", needs="pipeline_run:drive", audit="measure")
def renew(ctx: Context, ask: RenewLease) -> PipelineRun:
    """Keep a run.

    Raises:
        Conflict: somebody else drives it now, or it was cancelled: stop at once and throw away what is not committed.
    """
    run = get(ctx, GetRun(run_id=ask.run_id))
    rules.check_fence(run, ask.token)
    queries.renew(ctx.tx, run.id, ctx.now_ms() + rules.lease_ms(ask.lease_s))
    return run


class ReleaseRun(Ask[PipelineRun]):
    """The driver of a run is told to stop before the run has ended."""

    run_id: PipelineRunId
    token: int


@operation("pipeline_runs.release", needs="pipeline_run:drive", audit="measure")
def release(ctx: Context, ask: ReleaseRun) -> PipelineRun:
    """Give a run back: it is interrupted, and whoever claims it next goes on with it.

    Raises:
        Conflict: somebody else drives it now, or it has ended.
    """
    run = get(ctx, GetRun(run_id=ask.run_id))
    rules.check_fence(run, ask.token)
    queries.release_run(ctx.tx, run.id, rules.next_run_state(run.state, "lose"))
    queries.interrupt_steps(ctx.tx, run.id, ctx.now_ms())
    return get(ctx, GetRun(run_id=ask.run_id))


class FinishRun(Ask[PipelineRun]):
    """The driver's last word. `waiting` is for a run whose next step is an approval: no process stays for it."""

    run_id: PipelineRunId
    token: int
    state: Literal["succeeded", "failed", "waiting"]
    error: str = ""
    result: Any = None


@operation("pipeline_runs.finish", needs="pipeline_run:drive")
def finish(ctx: Context, ask: FinishRun) -> PipelineRun:
    """End a run. No step of it stays behind as running.

    Raises:
        Conflict: somebody else drives it now, or it has ended.
    """
    run = get(ctx, GetRun(run_id=ask.run_id))
    rules.check_fence(run, ask.token)
    ended = _end(ctx, run, rules.FINISHES[ask.state], error=ask.error, result=ask.result)
    if ended.state == "waiting" and not queries.waits(ctx.tx, run.id):  # decided while other steps went on
        return resume(ctx, run.id)
    return ended


def resume(ctx: Context, run_id: PipelineRunId) -> PipelineRun:
    """Put a run that waited for a person in the queue again; one that still runs learns of it at its end."""
    run = get(ctx, GetRun(run_id=run_id))
    if run.state != "waiting":
        return run
    queries.release_run(ctx.tx, run_id, rules.next_run_state(run.state, "decide"))
    resumed = get(ctx, GetRun(run_id=run_id))
    _tell_started(ctx, resumed)
    return resumed


class CancelRun(Ask[PipelineRun]):
    """End a run before its time."""

    run_id: PipelineRunId
    text: str = ""


@operation("pipeline_runs.cancel", needs="pipeline_run:write")
def cancel(ctx: Context, ask: CancelRun) -> PipelineRun:
    """Cancel a run: its driver notices within a second and ends its worker processes.

    Raises:
        NotFound: there is no such run.
        Conflict: it has ended already.
    """
    run = get(ctx, GetRun(run_id=ask.run_id))
    return _end(ctx, run, "cancel", error=f"Cancelled by {ctx.actor.name}. {ask.text}".strip(), result=None)


def _end(ctx: Context, run: PipelineRun, event: rules.RunEvent, *, error: str, result: Any) -> PipelineRun:
    state = rules.next_run_state(run.state, event)
    ended = msgspec.structs.replace(
        run, state=state, error=error, result=result, ended_at=None if state == "waiting" else ctx.clock.now()
    )
    queries.end_run(ctx.tx, ended)
    if state != "waiting":
        left: StepState = "cancelled" if state == "cancelled" else "interrupted"
        queries.close_steps(ctx.tx, run.id, state=left, now_ms=ctx.now_ms())
        tracked.end(ctx, ended)
    ctx.announce(
        PipelineRunFinished(
            run=run.id,
            pipeline=run.pipeline,
            state=state,
            error=error,
            trigger=run.cause.trigger,
            cause_event=run.cause.event,
        )
    )
    return ended


OPERATIONS: tuple[AnyOperation, ...] = (start, get, list_runs, offers, claim, embed, renew, release, finish, cancel)
