"""Traces are looked at: one, some, or those that match."""

from airside.core.errors import Invalid, NotFound, TooLarge
from airside.core.ids import ExperimentId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.record import Ask
from airside.tracking.queries import experiments
from airside.tracking.rules import experiment_no
from airside.tracking.traces import rules
from airside.tracking.traces.operations.finding import found, whole
from airside.tracking.traces.queries import search
from airside.tracking.traces.queries import spans as span_queries
from airside.tracking.traces.queries import traces as queries
from airside.tracking.traces.records import Trace, TraceInfo, TraceInfos, TracePage, Traces

MAX_IDS = 1000


class GetTraceInfo(Ask[TraceInfo]):
    """Ask for the head of a trace."""

    trace_id: str


@operation("traces.info", needs="trace:read")
def get_trace_info(ctx: Context, ask: GetTraceInfo) -> TraceInfo:
    """The head of a trace, with its tags, metadata and assessments.

    Raises:
        NotFound: there is no such trace.
    """
    return whole(ctx, found(ctx, ask.trace_id).number, ask.trace_id)


class GetTrace(Ask[Trace]):
    """Ask for a trace with its spans.

    Attributes:
        allow_partial: answer also when not all spans that its maker announced are there.
    """

    trace_id: str
    allow_partial: bool = False


@operation("traces.get", needs="trace:read")
def get_trace(ctx: Context, ask: GetTrace) -> Trace:
    """A trace with its spans: roots first, then by their start.

    Raises:
        NotFound: there is no such trace, or its spans are not all there.
        TooLarge: it is too large for one answer.
    """
    head = queries.find(ctx.tx, ask.trace_id)
    if head is None:
        raise NotFound(f"Trace with ID {ask.trace_id[: rules.MAX_ID]} is not found.")
    traces = _loaded(ctx, {ask.trace_id: head.number})
    if not ask.allow_partial and not _is_kept_here(traces[0].info):
        raise NotFound("Trace data not stored in tracking store")
    if not ask.allow_partial and not _is_complete(traces[0]):
        raise NotFound(
            f"Trace with ID {ask.trace_id[: rules.MAX_ID]} is not fully exported yet, please try again later."
        )
    return traces[0]


class GetTraces(Ask[Traces]):
    """Ask for some traces with their spans.

    Attributes:
        experiment_ids: only those of these experiments; None for any.
    """

    trace_ids: tuple[str, ...]
    experiment_ids: tuple[ExperimentId, ...] | None = None


@operation("traces.get_many", needs="trace:read")
def get_traces(ctx: Context, ask: GetTraces) -> Traces:
    """Those of some traces that are there with all their spans.

    Raises:
        Invalid: too many were asked for. TooLarge: they are too large for one answer.
    """
    every = _loaded(ctx, _numbers(ctx, ask.trace_ids, ask.experiment_ids))
    return Traces(items=tuple(trace for trace in every if trace.spans and _is_complete(trace)))


class GetTraceInfos(Ask[TraceInfos]):
    """Ask for the heads of some traces.

    Attributes:
        experiment_ids: only those of these experiments; None for any.
    """

    trace_ids: tuple[str, ...]
    experiment_ids: tuple[ExperimentId, ...] | None = None


@operation("traces.infos", needs="trace:read")
def get_trace_infos(ctx: Context, ask: GetTraceInfos) -> TraceInfos:
    """The heads of those of some traces that are there.

    Raises:
        Invalid: too many were asked for.
    """
    numbers = _numbers(ctx, ask.trace_ids, ask.experiment_ids)
    return TraceInfos(items=tuple(queries.load(ctx, list(numbers.values()))))


class SearchTraces(Ask[TracePage]):
    """Ask for the traces of some experiments that match, newest first unless told otherwise.

    For example `status = 'ERROR' AND span.name = 'retrieve' AND feedback.relevant = 'false'`.
    """

    experiment_ids: tuple[ExperimentId, ...] = ()
    filter: str = ""
    order_by: tuple[str, ...] = ()
    max_results: int = 100
    page_token: str = ""


@operation("traces.search", needs="trace:read")
def search_traces(ctx: Context, ask: SearchTraces) -> TracePage:
    """The heads of traces that match a filter, a page at a time.

    Raises:
        Invalid: the filter, the order or the page token cannot be read.
    """
    numbers = tuple(dict.fromkeys(experiment_no(each) for each in ask.experiment_ids))
    if len(numbers) > experiments.MANY:  # each is looked through by itself
        numbers = experiments.known(ctx.tx, numbers)
    return search.page(ctx, numbers, ask.filter, ask.order_by, max_results=ask.max_results, page_token=ask.page_token)


def _numbers(ctx: Context, trace_ids: tuple[str, ...], experiments: tuple[ExperimentId, ...] | None) -> dict[str, int]:
    if len(trace_ids) > MAX_IDS:
        raise Invalid(f"At most {MAX_IDS} traces can be asked for at once, got {len(trace_ids)}.")
    within = None if experiments is None else [experiment_no(each) for each in experiments]
    return queries.numbers_of(ctx.tx, trace_ids, within)


def _loaded(ctx: Context, numbers: dict[str, int]) -> list[Trace]:
    every = list(numbers.values())
    if span_queries.size(ctx.tx, every) > rules.MAX_ANSWER:
        raise TooLarge(f"The traces are larger than {rules.MAX_ANSWER >> 20} MiB together. Ask for fewer at once.")
    infos = queries.load(ctx, every)
    spans = span_queries.load(ctx.tx, [(numbers[info.trace_id], info.trace_id.removeprefix("tr-")) for info in infos])
    return [Trace(info=info, spans=tuple(spans.get(numbers[info.trace_id], ()))) for info in infos]


def _is_kept_here(info: TraceInfo) -> bool:
    return info.tags.get(rules.SPANS_LOCATION) == rules.IN_STORE


def _is_complete(trace: Trace) -> bool:
    return len(trace.spans) >= rules.expected_spans(trace.info.metadata)


OPERATIONS: tuple[AnyOperation, ...] = (get_trace_info, get_trace, get_traces, get_trace_infos, search_traces)
