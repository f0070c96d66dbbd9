"""Traces come in: their heads, their spans; and they go."""

import msgspec

from airside.core.errors import Invalid
from airside.core.ids import ExperimentId, RunId
from airside.core.operation import AnyOperation, Context, Services, operation
from airside.core.record import Ask
from airside.tracking import rules as tracking_rules
from airside.tracking.operations.experiments import writable
from airside.tracking.traces import rules
from airside.tracking.traces.conventions import COSTS, USED, USED_BESIDES
from airside.tracking.traces.operations.assessments import attach
from airside.tracking.traces.operations.finding import found, whole
from airside.tracking.traces.queries import spans as span_queries
from airside.tracking.traces.queries import traces as queries
from airside.tracking.traces.records import (
    DeletedTraces,
    LoggedSpans,
    NewAssessment,
    Span,
    Texts,
    TraceInfo,
    TraceState,
)
from airside.tracking.traces.sketch import Sketch, sketches

PIECE = 100
"""How many traces one deletion takes: it holds the writer for some milliseconds."""
_OPEN: frozenset[TraceState] = frozenset({"IN_PROGRESS", "STATE_UNSPECIFIED"})
_TOKENS, _COST = "mlflow.trace.tokenUsage", "mlflow.trace.cost"


class StartTrace(Ask[TraceInfo]):
    """The head of a trace, as its maker knows it at its end.

    Attributes:
        trace_id: chosen by the caller.
        tags: those that the server writes itself are dropped.
    """

    trace_id: str
    experiment_id: ExperimentId
    request_ms: int
    duration_ms: int | None = None
    state: TraceState = "STATE_UNSPECIFIED"
    client_request_id: str | None = None
    request_preview: str | None = None
    response_preview: str | None = None
    metadata: Texts = {}
    tags: Texts = {}
    assessments: tuple[NewAssessment, ...] = ()


@operation("traces.start", needs="trace:write", audit="measure")
def start_trace(ctx: Context, ask: StartTrace) -> TraceInfo:
    """Write the head of a trace. Sent again, it overwrites times and state, and adds to texts and assessments.

    Raises:
        NotFound: there is no such experiment.
        Invalid: the experiment is deleted, or a part breaks a rule.
    """
    experiment_no, location = writable(ctx, ask.experiment_id)
    rules.check_trace_id(ask.trace_id)
    given = _given(ask, experiment_no)
    head = queries.find(ctx.tx, ask.trace_id)
    if head is None:
        number = queries.add(ctx.tx, given, experiment_no)
    else:
        number = head.number
        queries.update(ctx.tx, head, _kept_previews(given, head.info), experiment_no)
    trace = (number, experiment_no)
    queries.set_texts(ctx, "trace_tag", trace, {**given.tags, **_place(location, ask.trace_id)})
    queries.set_texts(ctx, "trace_metadata", trace, {**given.metadata, rules.FINALIZED: "true"})
    attach(ctx, trace, ask.trace_id, ask.assessments)
    return whole(ctx, number, ask.trace_id)


def _given(ask: StartTrace, experiment_no: int) -> TraceInfo:
    for what, text in (("request_preview", ask.request_preview), ("response_preview", ask.response_preview)):
        tracking_rules.check_length(text or "", what, 1 << 20)
    tracking_rules.check_length(ask.client_request_id or "", "client_request_id", rules.MAX_ID)
    return TraceInfo(
        trace_id=ask.trace_id,
        experiment_id=ExperimentId(str(experiment_no)),
        request_ms=ask.request_ms,
        duration_ms=ask.duration_ms,
        state=ask.state,
        client_request_id=ask.client_request_id,
        request_preview=ask.request_preview,
        response_preview=ask.response_preview,
        metadata=rules.kept_metadata(ask.metadata),
        tags=rules.kept_tags(ask.tags),
    )


def _kept_previews(info: TraceInfo, before: TraceInfo) -> TraceInfo:
    return msgspec.structs.replace(
        info,
        request_preview=before.request_preview if info.request_preview is None else info.request_preview,
        response_preview=before.response_preview if info.response_preview is None else info.response_preview,
    )


def _place(location: str, trace_id: str) -> Texts:
    return {rules.ARTIFACT_LOCATION: tracking_rules.joined(location, "traces", trace_id, "artifacts")}


class CreateTrace(Ask[TraceInfo]):
    """A trace that begins now, whose spans are kept elsewhere; its id is made here."""

    experiment_id: ExperimentId = ExperimentId("0")
    request_ms: int = 0
    metadata: Texts = {}
    tags: Texts = {}


@operation("traces.create", needs="trace:write", audit="measure")
def create_trace(ctx: Context, ask: CreateTrace) -> TraceInfo:
    """Begin a trace; `traces.end` ends it.

    Raises:
        NotFound: there is no such experiment.
        Invalid: the experiment is deleted, or a part breaks a rule.
    """
    experiment_no, location = writable(ctx, ask.experiment_id)
    trace_id = ctx.new_hex()
    info = TraceInfo(
        trace_id=trace_id,
        experiment_id=ExperimentId(str(experiment_no)),
        request_ms=ask.request_ms,
        state="IN_PROGRESS",
    )
    tags, metadata = rules.kept_tags(ask.tags), rules.kept_metadata(ask.metadata)
    number = queries.add(ctx.tx, info, experiment_no)
    queries.set_texts(ctx, "trace_tag", (number, experiment_no), {**tags, **_place(location, trace_id)})
    queries.set_texts(ctx, "trace_metadata", (number, experiment_no), metadata)
    return whole(ctx, number, trace_id)


class EndTrace(Ask[TraceInfo]):
    """That a trace has ended, when and how."""

    trace_id: str
    end_ms: int
    state: TraceState = "OK"
    metadata: Texts = {}
    tags: Texts = {}


@operation("traces.end", needs="trace:write", audit="measure")
def end_trace(ctx: Context, ask: EndTrace) -> TraceInfo:
    """End a trace that was begun.

    Raises:
        NotFound: there is no such trace.
        Invalid: a part breaks a rule.
    """
    head = found(ctx, ask.trace_id)
    tags, metadata = rules.kept_tags(ask.tags), rules.kept_metadata(ask.metadata)
    duration_ms = ask.end_ms - head.info.request_ms
    changed = msgspec.structs.replace(head.info, duration_ms=duration_ms, state=ask.state)
    queries.update(ctx.tx, head, changed, head.experiment_no)
    queries.set_texts(ctx, "trace_tag", (head.number, head.experiment_no), tags)
    queries.set_texts(ctx, "trace_metadata", (head.number, head.experiment_no), metadata)
    return whole(ctx, head.number, ask.trace_id)


class LogSpans(Ask[LoggedSpans]):
    """Spans of any number of traces.

    Attributes:
        experiment_id: where traces go that are not there yet.
        resources: of each trace, by the id that its spans carry, what made it: kept as tags.
        run_id: the run that the traces whose root is among the spans belong to; empty for none.
    """

    experiment_id: ExperimentId
    spans: tuple[Span, ...]
    resources: dict[str, Texts] = {}
    run_id: RunId = RunId("")


def _sketched(services: Services, ask: LogSpans) -> list[Sketch]:
    del services
    return sketches(ask.spans, ask.resources)


@operation("traces.log_spans", needs="trace:write", audit="measure", prepare=_sketched)
def log_spans(ctx: Context, ask: LogSpans) -> LoggedSpans:
    """Keep spans, all of them or none; a span that is there already is overwritten.

    Raises:
        NotFound: there is no such experiment.
        Invalid: a span cannot be kept, or a trace would have too many. TooLarge: a span is too large.
    """
    every: list[Sketch] = ctx.prepared
    for part in every:
        _log(ctx, part, ask.experiment_id)
    if ask.run_id:
        tracking_rules.check_run_id(ask.run_id)
        queries.link_run(ctx.tx, [part.trace_id for part in every if part.root_state is not None], ask.run_id)
    return LoggedSpans(n_spans=sum(len(part.spans) for part in every))


def _log(ctx: Context, part: Sketch, experiment_id: ExperimentId) -> None:
    head = queries.find(ctx.tx, part.trace_id)
    tags = {**part.tags, rules.SPANS_LOCATION: rules.IN_STORE}
    metadata: Texts = {}
    if head is None:
        experiment_no, location = writable(ctx, experiment_id)
        trace = (queries.add(ctx.tx, _new(part, experiment_no), experiment_no), experiment_no)
        tags |= _place(location, part.trace_id)
    else:
        trace = (head.number, head.experiment_no)
        metadata = queries.texts(ctx, "trace_metadata", head.number)
        queries.update(ctx.tx, head, _grown(part, head.info, is_final=rules.FINALIZED in metadata), head.experiment_no)
        _check_room(ctx, part, head.number)
    span_queries.put(ctx.tx, trace, part.spans)
    queries.set_texts(ctx, "trace_tag", trace, tags)
    queries.set_texts(ctx, "trace_metadata", trace, _learnt(ctx, part, trace[0], metadata))


def _check_room(ctx: Context, part: Sketch, number: int) -> None:
    there = span_queries.count(ctx.tx, number)
    if there + len(part.spans) > rules.MAX_SPANS:
        raise Invalid(
            f"A trace can have at most {rules.MAX_SPANS} spans; '{part.trace_id}' has {there} "
            f"and {len(part.spans)} more were sent. Begin another trace."
        )


def _new(part: Sketch, experiment_no: int) -> TraceInfo:
    return TraceInfo(
        trace_id=part.trace_id,
        experiment_id=ExperimentId(str(experiment_no)),
        request_ms=part.start_ms,
        duration_ms=None if part.end_ms is None else part.end_ms - part.start_ms,
        state=part.root_state or "IN_PROGRESS",
        request_preview=part.request_preview,
        response_preview=part.response_preview,
    )


def _grown(part: Sketch, before: TraceInfo, *, is_final: bool) -> TraceInfo:
    """The head with what the new spans say; what the trace's maker said of its times stands."""
    start_ms, duration_ms = before.request_ms, before.duration_ms
    if not is_final:
        start_ms = min(start_ms, part.start_ms)
        ends = [] if duration_ms is None else [before.request_ms + duration_ms]
        ends += [] if part.end_ms is None else [part.end_ms]
        duration_ms = max(ends) - start_ms if ends else None
    return msgspec.structs.replace(
        before,
        request_ms=start_ms,
        duration_ms=duration_ms,
        state=part.root_state if part.root_state and before.state in _OPEN else before.state,
        request_preview=part.request_preview if before.request_preview is None else before.request_preview,
        response_preview=part.response_preview if before.response_preview is None else before.response_preview,
    )


def _learnt(ctx: Context, part: Sketch, number: int, known: Texts) -> Texts:
    """The metadata that spans tell: session and user where nobody said, tokens and costs summed over the tree."""
    learnt = {key: value for key, value in part.metadata.items() if key not in known}
    is_final = rules.FINALIZED in known
    if part.has_usage and not (is_final and _TOKENS in known):
        used = rules.summed(span_queries.nodes(ctx.tx, number, "usage"), USED, USED_BESIDES)
        learnt[_TOKENS] = rules.json_text(used)
    if part.has_cost and not (is_final and _COST in known):
        learnt[_COST] = rules.json_text(rules.summed(span_queries.nodes(ctx.tx, number, "cost"), COSTS))
    return learnt


class DeleteTraces(Ask[DeletedTraces]):
    """Traces that shall go: those named, or those up to a time. At most 100 go at once: ask until none does.

    Attributes:
        max_traces: how many of the oldest, with `until_ms`.
    """

    experiment_id: ExperimentId
    until_ms: int | None = None
    max_traces: int | None = None
    trace_ids: tuple[str, ...] = ()


@operation("traces.delete", needs="trace:write")
def delete_traces(ctx: Context, ask: DeleteTraces) -> DeletedTraces:
    """Delete traces for good, with their spans and assessments.

    Raises:
        Invalid: it is not said which, or said in two ways.
    """
    experiment_no = tracking_rules.experiment_no(ask.experiment_id)
    check_delete(ask)
    if ask.until_ms is not None:
        limit = PIECE if ask.max_traces is None else min(PIECE, ask.max_traces)
        numbers = queries.oldest(ctx.tx, experiment_no, ask.until_ms, limit)
    else:
        numbers = list(queries.numbers_of(ctx.tx, ask.trace_ids, (experiment_no,)).values())[:PIECE]
    queries.delete(ctx.tx, numbers)
    return DeletedTraces(n_deleted=len(numbers))


def check_delete(ask: DeleteTraces) -> None:
    """Refuse a deletion that does not say plainly what it means.

    Raises:
        Invalid: it does not.
    """
    if ask.until_ms is None and not ask.trace_ids:
        raise Invalid("Either `max_timestamp_millis` or `trace_ids` must be specified.")
    if ask.until_ms is not None and ask.trace_ids:
        raise Invalid("Only one of `max_timestamp_millis` and `trace_ids` can be specified.")
    if ask.trace_ids and ask.max_traces is not None:
        raise Invalid("`max_traces` can't be specified if `trace_ids` is specified.")
    if ask.max_traces is not None and ask.max_traces <= 0:
        raise Invalid(f"`max_traces` must be a positive integer, received {ask.max_traces}.")


OPERATIONS: tuple[AnyOperation, ...] = (start_trace, create_trace, end_trace, log_spans, delete_traces)
