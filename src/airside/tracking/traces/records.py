"""The nouns of traces."""

from typing import Any, Literal

import msgspec

from airside.core.ids import ExperimentId
from airside.core.record import Record

TraceState = Literal["STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"]
SpanStatus = Literal["UNSET", "OK", "ERROR"]
SpanKind = Literal["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
AssessmentKind = Literal["feedback", "expectation", "issue"]
Texts = dict[str, str]


class SpanEvent(Record):
    """Something that happened during a span, e.g. an exception."""

    name: str
    time_ns: int = 0
    attributes: dict[str, Any] = {}


class SpanLink(Record):
    """A span of another trace that this one has to do with. Ids are hexadecimal."""

    trace_id: str
    span_id: str
    attributes: dict[str, Any] = {}


class Span(Record):
    """One step of a trace, as OpenTelemetry has it.

    Attributes:
        trace_id: 32 hexadecimal digits; the trace is named `tr-` and these.
        span_id, parent_id: 16 hexadecimal digits; a root has no parent.
        end_ns: None while it is open.
        attributes: any JSON.
    """

    trace_id: str
    span_id: str
    name: str
    parent_id: str = ""
    kind: SpanKind = "UNSPECIFIED"
    start_ns: int
    end_ns: int | None = None
    status: SpanStatus = "UNSET"
    status_message: str = ""
    attributes: dict[str, Any] = {}
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()


class AssessmentError(Record):
    """Why a judge came to no value."""

    error_code: str = ""
    error_message: str = ""
    stack_trace: str = ""


class Assessment(Record):
    """What a person, a model or a program thinks of a trace or of one of its spans.

    Attributes:
        kind: feedback on what was answered, an expectation of what should be, or a reference to an issue.
        value: any JSON; of an issue its name.
        source_type: HUMAN, LLM_JUDGE or CODE.
        overrides: the assessment that this one puts out of force; empty for none.
    """

    assessment_id: str
    trace_id: str
    name: str
    kind: AssessmentKind
    value: Any = None
    error: AssessmentError | None = None
    source_type: str = "SOURCE_TYPE_UNSPECIFIED"
    source_id: str | None = None
    span_id: str | None = None
    rationale: str | None = None
    metadata: Texts = {}
    overrides: str = ""
    is_valid: bool = True
    created_ms: int = 0
    updated_ms: int = 0


class TraceInfo(Record):
    """The head of a trace.

    Attributes:
        duration_ms: None until it ended.
        client_request_id: the application's own name for the request.
        request_preview, response_preview: the beginnings of what came in and what went out.
        metadata: written with the trace; tags may change later.
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
    assessments: tuple[Assessment, ...] = ()


class Trace(Record):
    """A trace with its spans: roots first, then by their start."""

    info: TraceInfo
    spans: tuple[Span, ...] = ()


class Traces(Record):
    """Some traces."""

    items: tuple[Trace, ...]


class TraceInfos(Record):
    """The heads of some traces."""

    items: tuple[TraceInfo, ...]


class TracePage(Record):
    """A page of the heads of traces."""

    items: tuple[TraceInfo, ...]
    next_page_token: str = ""


class LoggedSpans(Record):
    """How many spans were kept."""

    n_spans: int


class DeletedTraces(Record):
    """How many traces were deleted."""

    n_deleted: int


class PromptRef(Record):
    """A version of a prompt."""

    name: str
    version: str


class NewAssessment(Record):
    """An assessment as it is given: without a trace it belongs to the trace that it comes with.

    Attributes:
        assessment_id: made when it is empty.
        created_ms, updated_ms: now, when they are 0.
    """

    name: str
    kind: AssessmentKind
    value: Any = None
    error: AssessmentError | None = None
    source_type: str = "SOURCE_TYPE_UNSPECIFIED"
    source_id: str | None = None
    span_id: str | None = None
    rationale: str | None = None
    metadata: Texts = {}
    overrides: str = ""
    assessment_id: str = ""
    created_ms: int = 0
    updated_ms: int = 0


class Content(Record, omit_defaults=True):
    """The part of a span that has no column of its own. `attributes` come first: a search reads this text."""

    attributes: dict[str, Any] = msgspec.field(default_factory=dict)
    status_message: str = ""
    kind: SpanKind = "UNSPECIFIED"
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()
