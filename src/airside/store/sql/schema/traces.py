"""The tables of traces: what an application did for one request, span by span, and what was thought of it.

As for runs: a trace is a number inside, names of tags and metadata are the numbers of `key_name`, and the experiment
stands beside each value, so that a value index serves a search of one experiment. Long values are indexed by their
first 200 characters.
"""

from sqlalchemy import Column, Index, Table
from sqlalchemy import text as sql

from airside.store.sql.schema.base import METADATA, flag, json_text, millis, number, ordered, serial, text, whole

PREFIX = "substr(value, 1, 200)"

TRACE = Table(
    "trace",
    METADATA,
    serial(),
    ordered("trace_id", unique=True),
    whole("experiment_no"),
    millis("request_ms"),
    whole("duration_ms", nullable=True),
    ordered("state"),
    ordered("client_request_id", nullable=True),
    text("request_preview", nullable=True),
    text("response_preview", nullable=True),
    Index("trace_newest", "experiment_no", sql("request_ms DESC"), "trace_id"),
    Index("trace_state", "experiment_no", "state", sql("request_ms DESC"), "trace_id"),
    Index("trace_duration", "experiment_no", "duration_ms"),
    Index("trace_ended", "experiment_no", sql("(request_ms + COALESCE(duration_ms, 0))")),
    Index("trace_client_request", "experiment_no", "client_request_id"),
)


def _values(name: str) -> Table:
    """Texts of a trace by the number of their key."""
    return Table(
        name,
        METADATA,
        whole("trace_no", primary_key=True, autoincrement=False),
        whole("key_no", primary_key=True, autoincrement=False),
        whole("experiment_no"),
        ordered("value"),
        Index(f"{name}_value", "experiment_no", "key_no", sql(PREFIX), "trace_no"),
        sqlite_with_rowid=False,
    )


TRACE_TAG = _values("trace_tag")
TRACE_METADATA = _values("trace_metadata")

SPAN = Table(
    "span",
    METADATA,
    whole("trace_no", primary_key=True, autoincrement=False),
    ordered("span_id", primary_key=True),
    whole("experiment_no"),
    ordered("parent_id"),
    ordered("name"),
    ordered("span_type"),
    ordered("status"),
    whole("start_ns"),
    whole("end_ns", nullable=True),
    json_text("usage", nullable=True),
    json_text("cost", nullable=True),
    json_text("content"),
    Index("span_name", "experiment_no", sql("substr(name, 1, 200)"), "trace_no"),
    Index("span_type", "experiment_no", "span_type", "trace_no"),
)


def _link(name: str, target: "Column[str]") -> Table:
    """What a trace is linked to; the trace may not be there yet."""
    return Table(
        name,
        METADATA,
        target,
        ordered("trace_id", primary_key=True),
        Index(f"{name}_trace", "trace_id"),
        sqlite_with_rowid=False,
    )


TRACE_RUN = _link("trace_run", ordered("run_id", primary_key=True))
TRACE_PROMPT = _link("trace_prompt", ordered("prompt", primary_key=True))

ASSESSMENT = Table(
    "assessment",
    METADATA,
    serial(),
    ordered("assessment_id", unique=True),
    whole("trace_no"),
    whole("experiment_no"),
    ordered("kind"),
    ordered("name"),
    ordered("value"),
    number("figure", nullable=True),
    json_text("error", nullable=True),
    ordered("source_type"),
    text("source_id", nullable=True),
    text("span_id", nullable=True),
    text("rationale", nullable=True),
    json_text("metadata"),
    flag("is_of_session"),
    text("overrides", nullable=True),
    flag("is_valid"),
    millis("created_ms"),
    millis("updated_ms"),
    Index("assessment_trace", "trace_no", "id"),
    Index("assessment_name", "experiment_no", "kind", "name", "trace_no"),
)
