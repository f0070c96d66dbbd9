"""Traces in a folder of MLflow's, in the form of release 2 or of release 3; their spans are among their files."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from airside.client.imports.folder_files import Put, facts_of, texts
from airside.client.imports.trust import Trust
from airside.core.clock import to_ms
from airside.core.errors import Invalid

INFO = "trace_info.yaml"
_NANOS = re.compile(r"(\.\d{6})\d+")


def stage_traces(trust: Trust, folder: Path, experiment: int, put: Put) -> None:
    """Write the traces of an experiment.

    Raises:
        Invalid: a file is damaged.
    """
    for path in trust.folders(folder):
        if trust.is_file(path / INFO):
            _trace(trust, path, experiment, put)


def _trace(trust: Trust, folder: Path, experiment: int, put: Put) -> None:
    facts = facts_of(trust, folder / INFO)
    trace_id = str(facts.get("trace_id") or facts.get("request_id") or folder.name)
    request_ms = facts.get("timestamp_ms")
    row = (
        trace_id,
        experiment,
        _millis(facts.get("request_time"), folder / INFO) if request_ms is None else request_ms,
        facts.get("execution_duration_ms", facts.get("execution_time_ms")),
        facts.get("state") or facts.get("status"),
        facts.get("client_request_id"),
        facts.get("request_preview"),
        facts.get("response_preview"),
    )
    put("trace_info", row)
    for key, value in texts(trust, folder / "tags"):
        put("trace_tags", (key, value, trace_id))
    for key, value in texts(trust, folder / "request_metadata"):
        put("trace_request_metadata", (key, value, trace_id))
    assessments = folder / "assessments"
    for path in trust.files(assessments):
        if path.suffix == ".yaml":
            _assessment(trust, path, trace_id, put)


def _assessment(trust: Trust, path: Path, trace_id: str, put: Put) -> None:
    facts = facts_of(trust, path)
    kind = next((kind for kind in ("feedback", "expectation", "issue") if kind in facts), "feedback")
    given = facts.get(kind) or {}
    serialized = given.get("serialized_value")
    value = serialized.get("value") if serialized else json.dumps(given if kind == "issue" else given.get("value"))
    source = facts.get("source") or {}
    row = (
        str(facts.get("assessment_id") or path.stem),
        trace_id,
        facts.get("assessment_name"),
        kind,
        value,
        _text(given.get("error")),
        _millis(facts.get("create_time"), path),
        _millis(facts.get("last_update_time"), path),
        source.get("source_type"),
        source.get("source_id"),
        facts.get("span_id"),
        facts.get("rationale"),
        facts.get("overrides"),
        facts.get("valid", True),
        _text(facts.get("metadata")),
    )
    put("assessments", row)


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _millis(value: Any, path: Path) -> int:
    """Milliseconds since 1970 of a time in protobuf's JSON; YAML may have read it already."""
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(_NANOS.sub(r"\1", str(value)))
        return to_ms(instant)
    except ValueError:
        raise Invalid(f"{path}: '{str(value)[:80]}' is not a time.") from None
