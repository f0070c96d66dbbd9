"""Verbs that take traces over: their heads with what was thought of them, then their spans."""

from typing import Any

import msgspec

from airside.core.errors import AlreadyExists, Invalid, NotFound
from airside.core.ids import ImportId
from airside.core.operation import AnyOperation, Context, Services, operation
from airside.core.record import DONE, Ask, Done
from airside.tracking import rules as tracking
from airside.tracking.imports import rules
from airside.tracking.imports.journal import check_known
from airside.tracking.imports.records import (
    Compared,
    Imported,
    ImportedSpans,
    ImportedTrace,
    ImportTallies,
    ImportTally,
)
from airside.tracking.imports.taking import Kind, compare, take
from airside.tracking.operations.experiments import GetExperiment, get_experiment
from airside.tracking.traces.queries import assessments, spans, traces
from airside.tracking.traces.records import Span
from airside.tracking.traces.rules import check_trace_id, not_found
from airside.tracking.traces.sketch import told

TRACES = Kind[ImportedTrace](name="traces", id_of=lambda trace: trace.info.trace_id, difference=rules.trace_difference)
MAX_SPANS = 2000


class ImportTraces(Ask[Imported]):
    """Traces of another store, without their spans."""

    import_id: ImportId
    items: tuple[ImportedTrace, ...]
    skip_existing: bool = False


@operation("imports.traces", needs="imports:write", audit="measure")
def import_traces(ctx: Context, ask: ImportTraces) -> Imported:
    """Take traces over under their ids, with their tags, metadata, links and assessments. Their spans come behind them.

    Raises:
        Conflict: one is here already with other content. Invalid: an id is none. NotFound: the import or an experiment
            is not here. AlreadyExists: an assessment's id is another trace's.
    """
    check_known(ctx, ask.import_id)
    rules.check_size(ask.items)
    return take(
        TRACES, ask.items, _known(ctx, ask.items), lambda each: _add(ctx, each), skip_existing=ask.skip_existing
    )


class ImportSpans(Ask[Done]):
    """Spans of traces that were taken over."""

    import_id: ImportId
    items: tuple[ImportedSpans, ...]


def _encoded(services: Services, ask: ImportSpans) -> list[list[tuple[Span, str]]]:
    """What takes long, before the transaction."""
    del services
    if sum(len(each.spans) for each in ask.items) > MAX_SPANS:
        raise Invalid(f"At most {MAX_SPANS} spans at once. Send them in several calls.")
    kept = []
    for each in ask.items:
        known = [told(span, each.trace_id) for span in each.spans]
        kept.append([(span, spans.content_of(span)) for span in known])
    return kept


@operation("imports.spans", needs="imports:write", audit="measure", prepare=_encoded)
def import_spans(ctx: Context, ask: ImportSpans) -> Done:
    """Take spans over. A span that is here already stays, as does the head of its trace.

    Raises:
        NotFound: the import or a trace is not here. Invalid: there are too many.
    """
    check_known(ctx, ask.import_id)
    encoded: list[list[tuple[Span, str]]] = ctx.prepared
    for each, kept in zip(ask.items, encoded, strict=True):
        head = traces.find(ctx.tx, each.trace_id)
        if head is None:
            raise NotFound(not_found(each.trace_id))
        spans.put(ctx.tx, (head.number, head.experiment_no), kept, overwrites=False)
    return DONE


class CompareTraces(Ask[Compared]):
    """Traces of a source; their spans are not looked at."""

    items: tuple[ImportedTrace, ...]


@operation("imports.compare_traces", needs="imports:read")
def compare_traces(ctx: Context, ask: CompareTraces) -> Compared:
    """Which of some traces are here, and which of them differ from what they are in the source.

    Raises:
        Invalid: too many at once.
    """
    rules.check_size(ask.items)
    return compare(TRACES, ask.items, _known(ctx, ask.items))


class TallyTraces(Ask[ImportTallies]):
    """Traces whose spans shall be counted."""

    trace_ids: tuple[str, ...]


@operation("imports.tally_traces", needs="imports:read")
def tally_traces(ctx: Context, ask: TallyTraces) -> ImportTallies:
    """How many spans traces have.

    Raises:
        Invalid: too many at once.
    """
    rules.check_size(ask.trace_ids)
    numbers = traces.numbers_of(ctx.tx, ask.trace_ids)
    counts = spans.counts(ctx.tx, list(numbers.values()))
    return ImportTallies(
        items=tuple(ImportTally(id=key, number=counts[number]) for key, number in numbers.items() if number in counts)
    )


def _known(ctx: Context, wanted: tuple[ImportedTrace, ...]) -> dict[str, ImportedTrace]:
    ids = [each.info.trace_id for each in wanted]
    numbers = traces.numbers_of(ctx.tx, ids)
    runs: dict[str, list[Any]] = traces.links(ctx.tx, "trace_run", "run_id", list(numbers))
    prompts = traces.links(ctx.tx, "trace_prompt", "prompt", list(numbers))
    return {
        info.trace_id: ImportedTrace(
            info=info, run_ids=tuple(runs.get(info.trace_id, ())), prompts=tuple(prompts.get(info.trace_id, ()))
        )
        for info in traces.load(ctx, list(numbers.values()))
    }


def _add(ctx: Context, given: ImportedTrace) -> None:
    info = given.info
    check_trace_id(info.trace_id)
    number = tracking.experiment_no(info.experiment_id)
    get_experiment(ctx, GetExperiment(experiment_id=info.experiment_id))
    trace = (traces.add(ctx.tx, msgspec.structs.replace(info, assessments=()), number), number)
    traces.set_texts(ctx, "trace_tag", trace, info.tags)
    traces.set_texts(ctx, "trace_metadata", trace, info.metadata)
    for each in info.assessments:
        if not assessments.add(ctx.tx, trace, each):
            raise AlreadyExists(f"Another trace has an assessment with the ID '{each.assessment_id[:200]}'.")
    for run_id in given.run_ids:
        traces.link_run(ctx.tx, (info.trace_id,), run_id)
    traces.link_prompts(ctx.tx, info.trace_id, given.prompts)


OPERATIONS: tuple[AnyOperation, ...] = (import_traces, import_spans, compare_traces, tally_traces)
