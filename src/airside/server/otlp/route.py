"""`POST /v1/traces`: the address that every OpenTelemetry exporter knows."""

import asyncio

from airside.core.errors import Invalid, Unprocessable
from airside.core.ids import ExperimentId, RunId
from airside.server.app import Route
from airside.server.message import JSON_TYPE, Answer, Header, Request
from airside.server.mlflow.mount import told
from airside.server.otlp import jsonform, protobuf
from airside.server.otlp.body import unfolded
from airside.server.replies import Replies
from airside.tracking.traces.operations.writing import LogSpans

PATH = "/v1/traces"
PROTOBUF, JSON = "application/x-protobuf", "application/json"
THREAD_BYTES = 16 << 10
"""A body above this size, or a compressed one, is read on another thread, so that the event loop goes on."""
_PROTOBUF_TYPE: Header = (b"content-type", PROTOBUF.encode())


def otlp_routes(replies: Replies) -> list[Route]:
    """The routes of the protocol."""

    async def export(request: Request) -> Answer:
        experiment = request.header(b"x-mlflow-experiment-id")
        if not experiment:
            raise Unprocessable(
                "The header x-mlflow-experiment-id is missing: it says where the traces go. Set it with "
                "OTEL_EXPORTER_OTLP_HEADERS=x-mlflow-experiment-id=0",
                code="INVALID_PARAMETER_VALUE",
            )
        media = request.header(b"content-type").partition(";")[0].strip().lower()
        if media not in {PROTOBUF, JSON}:
            raise Invalid(f"Invalid Content-Type: {media[:100] or None}. Expected: {PROTOBUF} or {JSON}")
        body, encoding = await request.body(), request.header(b"content-encoding")
        run = request.header(b"x-mlflow-run-id")
        if encoding or len(body) > THREAD_BYTES:
            ask = await asyncio.to_thread(read, body, encoding, media, experiment, run)
        else:
            ask = read(body, encoding, media, experiment, run)
        await replies.ask(request.actor, ask)
        return Answer(200, b"{}", (JSON_TYPE,)) if media == JSON else Answer(200, b"", (_PROTOBUF_TYPE,))

    return [Route("POST", PATH, export, on_error=told)]


def read(body: bytes, encoding: str, media: str, experiment: str, run: str) -> LogSpans:
    """The request as an ask.

    Raises:
        Invalid: it cannot be read. TooLarge: it unfolds to too much. Unprocessable: a span has no id.
    """
    plain = unfolded(body, encoding)
    export = jsonform.read_export(plain) if media == JSON else protobuf.read_export(plain)
    if not export.spans:
        raise Invalid("Invalid OpenTelemetry format - no spans found")
    return LogSpans(
        experiment_id=ExperimentId(experiment),
        spans=tuple(export.spans),
        resources=export.resources,
        run_id=RunId(run),
    )
