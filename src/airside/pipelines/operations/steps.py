"""Attempts of steps: commit, look up by key, list, log, explain, decide."""

from datetime import datetime

import msgspec

from airside.core.errors import Conflict, Invalid, NotFound
from airside.core.ids import PipelineRunId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.paging import MAX_PAGE, cut, number_in, page_size
from airside.core.record import DONE, Ask, Done, Record
from airside.pipelines import queries, rules
from airside.pipelines.events import StepFinished
from airside.pipelines.operations.runs import GetRun, resume
from airside.pipelines.operations.runs import get as get_run
from airside.pipelines.records import RESULT, StepRun, Value
from airside.pipelines.values import json_value


class Attempt(Record):
    """What a driver knows of an attempt of a step.

    Attributes:
        parts: of what the key is made: name → short digest or text.
        log: the end of what the body wrote.
        keep: whether an equal key may take these outputs in later runs.
    """

    step: StepRun
    parts: dict[str, str] = msgspec.field(default_factory=dict)
    log: str = ""
    keep: bool = False


class CommitSteps(Ask[Done]):
    """Attempts of one run, in the order in which they happened, with the driver's fence."""

    run_id: PipelineRunId
    token: int
    attempts: tuple[Attempt, ...]
    steps_total: int = 0
    """How many steps the run has, as far as is known: a fan-out is counted when it is unfolded. 0 is unchanged."""


@operation("steps.commit", needs="pipeline_run:drive", audit="measure")
def commit(ctx: Context, ask: CommitSteps) -> Done:
    """Commit attempts by compare-and-swap on the fence; a finished attempt never changes again.

    Raises:
        Conflict: somebody else drives the run now, or it has ended.
        Invalid: an attempt is of another run.
    """
    run = get_run(ctx, GetRun(run_id=ask.run_id))
    rules.check_fence(run, ask.token)
    for attempt in ask.attempts:
        step = attempt.step
        if step.run != ask.run_id:
            raise Invalid(f"The attempt of '{step.step}' is of the run '{step.run}', not of '{ask.run_id}'.")
        if queries.commit_step(ctx.tx, step, parts=attempt.parts, log=attempt.log) and step.state in rules.STEP_ENDS:
            ctx.announce(
                StepFinished(run=step.run, step=step.step, attempt=step.attempt, state=step.state, cached=step.cached)
            )
        if attempt.keep and step.state == "succeeded" and not step.cached:
            queries.keep(ctx.tx, step, ctx.now_ms())
    queries.count_steps(ctx.tx, ask.run_id, ask.steps_total)
    return DONE


class Kept(Record):
    """Outputs that an equal key had before, and in which run."""

    key: str
    run: PipelineRunId
    step: str
    outputs: dict[str, Value]


class Found(Record):
    """What of the keys is known."""

    items: tuple[Kept, ...]


class LookUpSteps(Ask[Found]):
    """At most 1,000 keys."""

    keys: tuple[str, ...]


@operation("steps.lookup", needs="pipeline_run:read")
def lookup(ctx: Context, ask: LookUpSteps) -> Found:
    """The outputs of earlier attempts with these keys."""
    if len(ask.keys) > 1000:
        raise Invalid(f"{len(ask.keys)} keys in one look-up; at most 1,000.")
    kept = [queries.kept(ctx.tx, key) for key in ask.keys]
    return Found(
        items=tuple(
            Kept(key=key, run=PipelineRunId(found[0]), step=found[1], outputs=found[2])
            for key, found in zip(ask.keys, kept, strict=True)
            if found is not None
        )
    )


class LookUpLastRun(Ask[Found]):
    """What the last succeeded run before this one had: most of it is likely to be asked for again."""

    run_id: PipelineRunId


@operation("steps.lookup_last", needs="pipeline_run:read")
def lookup_last(ctx: Context, ask: LookUpLastRun) -> Found:
    """The kept outputs of the run before, at once, so that a run of nothing new needs one look-up.

    Raises:
        NotFound: there is no such run.
    """
    run = get_run(ctx, GetRun(run_id=ask.run_id))
    found = queries.kept_before(ctx.tx, run.pipeline, run.id, MAX_PAGE)
    return Found(
        items=tuple(
            Kept(key=key, run=PipelineRunId(of), step=step, outputs=outputs) for key, of, step, outputs in found
        )
    )


class StepPage(Record):
    """The attempts of the steps of a run, in the order in which they began."""

    items: tuple[StepRun, ...]
    next_page_token: str = ""


class ListSteps(Ask[StepPage]):
    """The attempts of one run; `latest` leaves out those that were followed by another."""

    run_id: PipelineRunId
    latest: bool = True
    max_results: int = 1000
    page_token: str = ""


@operation("steps.list", needs="pipeline_run:read")
def list_steps(ctx: Context, ask: ListSteps) -> StepPage:
    """The attempts of the steps of a run.

    Raises:
        NotFound: there is no such run.
        Invalid: the page's size or token is none.
    """
    get_run(ctx, GetRun(run_id=ask.run_id))
    size, offset = page_size(ask.max_results), number_in(ask.page_token, 0)
    found = queries.steps(ctx.tx, ask.run_id, latest=ask.latest, limit=size + 1, offset=offset)
    items, following = cut(found, size, lambda _last: offset + size)
    return StepPage(items=items, next_page_token=following)


class StepLog(Record):
    """The end of what a body wrote to its outputs."""

    run: PipelineRunId
    step: str
    attempt: int
    text: str
    at: datetime | None = None


class GetStepLog(Ask[StepLog]):
    """`attempt` 0 is the last."""

    run_id: PipelineRunId
    step: str
    attempt: int = 0


@operation("steps.log", needs="pipeline_run:read")
def log(ctx: Context, ask: GetStepLog) -> StepLog:
    """The end of a step's log.

    Raises:
        NotFound: no such run, or the step has not begun.
    """
    run, text = _attempt(ctx, ask.run_id, ask.step, ask.attempt)[:2]
    return StepLog(run=ask.run_id, step=ask.step, attempt=run.attempt, text=text, at=run.ended_at)


def _attempt(ctx: Context, run_id: PipelineRunId, step: str, attempt: int) -> tuple[StepRun, str, dict[str, str]]:
    found = queries.attempt(ctx.tx, run_id, step, attempt)
    if found is None:
        get_run(ctx, GetRun(run_id=run_id))
        raise NotFound(f"No attempt of the step '{step}' in the run '{run_id}'. List them with: steps.list.")
    return found


class Explained(Record):
    """Why a step ran, or did not.

    Attributes:
        parts: of what its key is made.
        before: the parts of the attempt of the same step that it is compared with, `run` is that attempt's run.
        changed: the names of the parts that differ.
        opaque: what the key could not see.
    """

    key: str
    parts: dict[str, str]
    run: str = ""
    before: dict[str, str] = msgspec.field(default_factory=dict)
    changed: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()


class ExplainStep(Ask[Explained]):
    """Compares with `with_run`, else with the last succeeded attempt of that step in an earlier run of the pipeline."""

    run_id: PipelineRunId
    step: str
    with_run: PipelineRunId = PipelineRunId("")


@operation("steps.explain", needs="pipeline_run:read")
def explain(ctx: Context, ask: ExplainStep) -> Explained:
    """What a step's key is made of, and what of it changed.

    Raises:
        NotFound: no such run, or the step has not begun.
    """
    step, _, parts = _attempt(ctx, ask.run_id, ask.step, 0)
    other = ask.with_run or queries.run_before(ctx.tx, ask.run_id, ask.step)
    if not other:
        return Explained(key=step.key, parts=parts, opaque=step.opaque)
    before = _attempt(ctx, PipelineRunId(other), ask.step, 0)[2]
    return Explained(
        key=step.key,
        parts=parts,
        run=other,
        before=before,
        changed=rules.changed_parts(before, parts),
        opaque=step.opaque,
    )


class DecideStep(Ask[StepRun]):
    """A person's word on an approval."""

    run_id: PipelineRunId
    step: str
    approved: bool
    text: str = ""


@operation("steps.decide", needs="pipeline_run:approve")
def decide(ctx: Context, ask: DecideStep) -> StepRun:
    """Approve or refuse a step that waits; the run goes on, or ends as failed.

    Raises:
        NotFound: no such run or step.
        Conflict: the step does not wait.
    """
    step, _, parts = _attempt(ctx, ask.run_id, ask.step, 0)
    if step.state != "waiting":
        raise Conflict(f"The step '{ask.step}' of the run '{ask.run_id}' is {step.state}; it waits for nobody.")
    word = {"approved": ask.approved, "by": ctx.actor.name, "text": ask.text}
    decided = msgspec.structs.replace(
        step,
        state="succeeded" if ask.approved else "failed",
        outputs={RESULT: json_value(word)} if ask.approved else {},
        error="" if ask.approved else f"Refused by {ctx.actor.name}. {ask.text}".strip(),
        ended_at=ctx.clock.now(),
    )
    queries.commit_step(ctx.tx, decided, parts=parts, log="")
    resume(ctx, ask.run_id)
    ctx.announce(StepFinished(run=step.run, step=step.step, attempt=step.attempt, state=decided.state))
    return decided


OPERATIONS: tuple[AnyOperation, ...] = (commit, lookup, lookup_last, list_steps, log, explain, decide)
