"""The files of a trace, for pages: its spans as MLflow's clients would have stored them, and what was attached."""

import asyncio
import json
from typing import Any

from airside.core.errors import Invalid, NotFound
from airside.platform.access.rights import authorise
from airside.platform.wiring import Platform
from airside.server.app import Route
from airside.server.files import disposition, download
from airside.server.message import Answer, Handler, Request
from airside.server.mlflow.mount import told
from airside.server.mlflow.trace_answers import bytes_of
from airside.server.mlflow.wire import write
from airside.server.replies import Replies
from airside.store.names import safe_parts
from airside.tracking.traces.operations.reading import GetTrace
from airside.tracking.traces.records import Span
from airside.tracking.traces.rules import ARTIFACT_LOCATION

FILE = "traces.json"
PATHS = ("/ajax-api/2.0/mlflow/get-trace-artifact", "/ajax-api/3.0/mlflow/get-trace-artifact")


def file_routes(platform: Platform, replies: Replies) -> list[Route]:
    """The routes of both prefixes."""
    return [Route("GET", path, _file(platform, replies), on_error=told) for path in PATHS]


def _file(platform: Platform, replies: Replies) -> Handler:
    async def handle(request: Request) -> Answer:
        """`GET get-trace-artifact?request_id=`: the spans; with `path=`, a file that was attached to one."""
        query = request.query()
        trace_id, attached = (query.get(name, [""])[0] for name in ("request_id", "path"))
        if not trace_id:
            raise Invalid('Request must include the "request_id" query parameter.', code="BAD_REQUEST")
        name = "/".join(("attachments", *safe_parts(attached))) if attached else FILE
        trace = await replies.ask(request.actor, GetTrace(trace_id=trace_id, allow_partial=True))
        if trace.spans and not attached:
            body = write({"spans": [_stored(span) for span in trace.spans]})
            return Answer(200, body, ((b"content-type", b"text/plain"), (b"content-disposition", _SAVED)))
        authorise(request.actor, "artifact", "read")
        root = trace.info.tags.get(ARTIFACT_LOCATION, "")
        if not root:
            raise NotFound(f"The trace {trace_id[:200]} names no place for its files.")
        place = platform.roots.at(root, name)
        return await asyncio.to_thread(download, place.store, place.path, request)

    return handle


_SAVED = disposition(FILE).encode()


def _stored(span: Span) -> dict[str, Any]:
    """A span as the file of a trace has it: every attribute is JSON in a text."""
    return {
        "trace_id": bytes_of(span.trace_id),
        "span_id": bytes_of(span.span_id),
        "parent_span_id": bytes_of(span.parent_id) if span.parent_id else None,
        "name": span.name,
        "start_time_unix_nano": span.start_ns,
        "end_time_unix_nano": span.end_ns,
        "events": [
            {"name": each.name, "time_unix_nano": each.time_ns, "attributes": each.attributes} for each in span.events
        ],
        "status": {"code": f"STATUS_CODE_{span.status}", "message": span.status_message},
        "attributes": {key: json.dumps(value, ensure_ascii=False) for key, value in span.attributes.items()},
        "links": [
            {"trace_id": f"tr-{each.trace_id}", "span_id": each.span_id, "attributes": each.attributes}
            for each in span.links
        ],
    }
