"""Traces, with their spans, their assessments and their files."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from airside.client.imports.files import patiently
from airside.client.imports.job import Job
from airside.client.imports.locations import Root
from airside.client.imports.mlflow import traces
from airside.client.imports.parts.port import Batch, Plain, counted
from airside.core.ids import ExperimentId
from airside.core.record import Ask
from airside.tracking.imports.records import Compared, Imported, ImportedTrace
from airside.tracking.imports.traces import CompareTraces, ImportSpans, ImportTraces, TallyTraces
from airside.tracking.traces.operations.reading import GetTrace
from airside.tracking.traces.records import Span
from airside.tracking.traces.sketch import told


class Traces(Plain):
    """Traces."""

    name = "traces"

    def total(self, job: Job) -> int:
        """How many the source has."""
        return traces.count(job.tables)

    def read(self, job: Job, after: str) -> Iterator[Batch]:
        """All of them behind a key."""
        for key, items in traces.read(job.tables, after):
            yield key, tuple(_here(job, each) for each in items)

    def id_of(self, item: ImportedTrace) -> str:
        """Its id."""
        return item.info.trace_id

    def put(self, job: Job, items: Sequence[ImportedTrace]) -> Ask[Imported]:
        """The ask that takes them over."""
        return ImportTraces(import_id=job.import_id, items=tuple(items), skip_existing=job.options.skip_existing)

    def compare(self, items: Sequence[ImportedTrace]) -> Ask[Compared]:
        """The ask that compares them."""
        return CompareTraces(items=tuple(items))

    def behind(self, job: Job, items: Sequence[ImportedTrace]) -> Iterator[Ask[Any]]:
        """Their spans."""
        for some in traces.read_spans(job.tables, [each.info.trace_id for each in items]):
            yield ImportSpans(import_id=job.import_id, items=some)

    def without(self, ask: Ask[Any], left: frozenset[str]) -> Ask[Any] | None:
        """The spans of other traces."""
        if not left or not isinstance(ask, ImportSpans):
            return ask
        kept = tuple(each for each in ask.items if each.trace_id not in left)
        return ImportSpans(import_id=ask.import_id, items=kept) if kept else None

    def roots(self, job: Job, items: Sequence[ImportedTrace]) -> Iterable[Root]:
        """Where their files are: as the source addresses them."""
        places = traces.locations(job.tables, [each.info.trace_id for each in items])
        for each in items:
            info = each.info
            if info.trace_id in places:
                canonical = f"{info.experiment_id}/traces/{info.trace_id}/artifacts"
                yield job.locations.root(info.trace_id, places[info.trace_id], canonical)

    def amounts(self, job: Job, items: Sequence[ImportedTrace]) -> Iterator[str]:
        """In how far they have more or fewer spans here."""
        ids = tuple(each.info.trace_id for each in items)
        answer = patiently(lambda: job.client.call(TallyTraces(trace_ids=ids)))
        yield from counted("trace", "spans", traces.span_counts(job.tables, ids), answer, ids)

    def sampled(self, job: Job, item: ImportedTrace) -> Iterator[str]:
        """In how far its spans differ."""
        trace_id = item.info.trace_id
        there: dict[str, Span] = {}
        for some in traces.read_spans(job.tables, [trace_id]):
            there |= {span.span_id: told(span, trace_id) for each in some for span in each.spans}
        if not there:
            return
        found = patiently(lambda: job.client.call(GetTrace(trace_id=trace_id, allow_partial=True)))
        here = {span.span_id: span for span in found.spans}
        for span_id, span in there.items():
            if here.get(span_id) != msgspec.json.decode(msgspec.json.encode(span), type=Span):
                yield f"trace {trace_id}: the span {span_id} is not that of the source"


def _here(job: Job, given: ImportedTrace) -> ImportedTrace:
    """A trace of the source as it shall be here."""
    placed = ExperimentId(job.experiment(given.info.experiment_id))
    info = msgspec.structs.replace(given.info, experiment_id=placed)
    return job.locations.trace(msgspec.structs.replace(given, info=info))
