"""What the search of traces understands (wire contract, section 12.1)."""

from airside.core.search import NUMERIC, Field, Grammar, Operator

MATCHED: tuple[Operator, ...] = ("=", "!=", "LIKE", "ILIKE", "RLIKE")
LISTED: tuple[Operator, ...] = (*MATCHED, "IN", "NOT IN")
NULLABLE: tuple[Operator, ...] = (*MATCHED, "IS NULL", "IS NOT NULL")
_TEXT = Field(operators=LISTED)
_TAG = Field(operators=NULLABLE)
_TAG_LISTED = Field(operators=(*NULLABLE, "IN", "NOT IN"))
_NUMBER = Field(kind="number", operators=NUMERIC)
_CONTENT = Field(operators=("LIKE", "ILIKE"))
_JUDGED = Field(kind="either", operators=(*NUMERIC, "LIKE", "ILIKE", "RLIKE", "IS NULL", "IS NOT NULL"))
_WORDS = {
    "tag": ("tags",),
    "attribute": ("attributes", "trace"),
    "request_metadata": ("metadata",),
    "span": (),
    "feedback": (),
    "expectation": (),
    "issue": (),
}

_NO_PROMPT = (
    "Invalid comparator '{operator}' for prompts filter. Only '=' is supported with format: prompt = \"name/version\""
)
_NO_SPAN = "Invalid span attribute '{key}'. Supported attributes: name, status, type, attributes.<attribute_name>."


def _of_span(key: str, field: Field) -> Field:
    """The field, with what is said of a wrong operator."""
    words = f"span.{key} comparator '{{operator}}' not one of '{{{{{{operators}}}}}}'"
    return Field(kind=field.kind, operators=field.operators, refusal=words)


TRACES = Grammar(
    no_key={"span": _NO_SPAN},
    entities={word: entity for entity, words in _WORDS.items() for word in (entity, *words)},
    fields={
        "tag": _TAG,
        "request_metadata": _TAG,
        "attribute": {
            "request_id": _TEXT,
            "client_request_id": _TEXT,
            "status": _TEXT,
            "name": _TAG_LISTED,
            "run_id": _TAG_LISTED,
            "prompt": Field(operators=("=",), refusal=_NO_PROMPT),
            "text": _CONTENT,
            "timestamp_ms": _NUMBER,
            "execution_time_ms": _NUMBER,
            "end_time_ms": _NUMBER,
        },
        "span": {
            "name": _of_span("name", _TEXT),
            "type": _of_span("type", _TEXT),
            "status": _of_span("status", _TEXT),
            "content": _of_span("content", _CONTENT),
            "attributes.*": _TEXT,
        },
        "feedback": _JUDGED,
        "expectation": _JUDGED,
        "issue": {"id": Field(operators=("=",))},
    },
    aliases={"timestamp": "timestamp_ms", "execution_time": "execution_time_ms", "end_time": "end_time_ms"},
    orderable=(
        "experiment_id",
        "timestamp",
        "timestamp_ms",
        "execution_time",
        "execution_time_ms",
        "end_time",
        "end_time_ms",
        "status",
        "request_id",
        "name",
        "run_id",
    ),
    ordered=("tag", "request_metadata"),
)
