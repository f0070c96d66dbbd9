"""Hangs the tables of MLflow's calls into the server's router."""

import asyncio
from collections.abc import Iterable
from functools import partial

from airside.core.errors import AirsideError
from airside.server.app import Route
from airside.server.message import JSON_TYPE, Answer, Handler, Header, Request
from airside.server.mlflow.wire import FixedAnswer, WireRequest, WireRoute, error_answer
from airside.server.replies import Replies

THREAD_BYTES = 256 << 10
"""A body above this size is decoded on another thread, so that the event loop goes on."""
NO_QUERY: dict[str, list[str]] = {}


def mounted(routes: Iterable[WireRoute], fixed: Iterable[FixedAnswer], replies: Replies) -> list[Route]:
    """The routes of a server for these calls, each under its prefixes."""
    calls = [
        Route(route.method, prefix + route.path, handler(route, replies), on_error=told)
        for route in routes
        for prefix in route.prefixes
    ]
    answers = [Route("GET", answer.path, _always(answer), is_public=True) for answer in fixed]
    return [*calls, *answers]


def handler(route: WireRoute, replies: Replies) -> Handler:
    """The handler of one call: decode, ask, encode."""
    has_body = route.method != "GET"

    async def handle(request: Request) -> Answer:
        query = NO_QUERY if has_body else request.query()
        body = await request.body() if has_body or not query else b""
        sent = WireRequest(method=route.method, query=query, body=body, headers=request.headers, path_args=request.args)
        if len(body) > THREAD_BYTES:
            ask = await asyncio.to_thread(route.decode, sent)
        else:
            ask = route.decode(sent)
        answer = await replies.ask(request.actor, ask)
        if route.stream is not None:
            pieces = route.stream(ask, answer, partial(replies.ask, request.actor))
            if pieces is not None:
                return Answer(200, pieces)
        return Answer(200, route.encode(answer))

    return handle


def told(error: AirsideError) -> Answer:
    """An error in MLflow's envelope."""
    status, body = error_answer(error)
    headers: tuple[Header, ...] = (JSON_TYPE,)
    if error.retry_after_s is not None and status != 413:
        headers = (*headers, (b"retry-after", str(error.retry_after_s).encode()))
    if status == 401:
        headers = (*headers, (b"www-authenticate", b'Basic realm="mlflow"'))
    return Answer(status, body, headers)


def _always(answer: FixedAnswer) -> Handler:
    made = Answer(200, answer.body, ((b"content-type", answer.content_type.encode()),))

    async def handle(_request: Request) -> Answer:
        return made

    return handle
