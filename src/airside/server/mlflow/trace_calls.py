"""The two calls of traces that are more than one ask: waiting for spans, and deleting piece by piece."""

import asyncio

import msgspec

from airside.core.errors import NotFound
from airside.server.app import Route
from airside.server.message import Answer, Handler, Request
from airside.server.mlflow.mount import told
from airside.server.mlflow.traces import REPEATED, WAITED, get
from airside.server.mlflow.wire import WireRequest, WireRoute
from airside.server.replies import Replies
from airside.tracking.traces.operations.writing import DeleteTraces
from airside.tracking.traces.records import DeletedTraces

WAITS_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.45)
"""A client that asks at once comes before its own exporter: MLflow's server waits three seconds for it, too."""


def trace_routes(replies: Replies) -> list[Route]:
    """The routes of both calls."""
    waiting = [Route("GET", prefix + WAITED.path, _waiting(replies), on_error=told) for prefix in WAITED.prefixes]
    return waiting + [
        Route(route.method, prefix + route.path, _piecewise(route, replies), on_error=told)
        for route in REPEATED
        for prefix in route.prefixes
    ]


def _waiting(replies: Replies) -> Handler:
    async def handle(request: Request) -> Answer:
        query = request.query()
        body = b"" if query else await request.body()
        ask = get(WireRequest(method="GET", query=query, body=body, headers=request.headers))
        for wait_s in WAITS_S:
            try:
                return Answer(200, WAITED.encode(await replies.ask(request.actor, ask)))
            except NotFound as error:
                if "not fully exported" not in error.message:
                    raise
                await asyncio.sleep(wait_s)
        return Answer(200, WAITED.encode(await replies.ask(request.actor, ask)))

    return handle


def _piecewise(route: WireRoute, replies: Replies) -> Handler:
    async def handle(request: Request) -> Answer:
        sent = WireRequest(method=route.method, body=await request.body(), headers=request.headers)
        ask = route.decode(sent)
        n_deleted = 0
        while isinstance(ask, DeleteTraces):
            answer: DeletedTraces = await replies.ask(request.actor, ask)
            n_deleted += answer.n_deleted
            left = None if ask.max_traces is None else ask.max_traces - answer.n_deleted
            if not answer.n_deleted or left == 0:
                break
            ask = msgspec.structs.replace(ask, max_traces=left)
        return Answer(200, route.encode(DeletedTraces(n_deleted=n_deleted)))

    return handle
