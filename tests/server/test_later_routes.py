"""Routes that take long to import are made when the first of them is asked for, once."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from airside.core.settings import Settings
from airside.server.app import App, Route
from airside.server.guard import Guard
from airside.server.message import Answer, Message, Request


async def hello(_request: Request) -> Answer:
    return Answer(200, b"hello")


async def status_of(app: App, path: str) -> int:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    head = {"type": "http", "method": "GET", "query_string": b"", "headers": [(b"host", b"localhost")]}
    await app({**head, "path": path, "raw_path": path.encode()}, receive, send)
    status: int = sent[0]["status"]
    return status


def test_later_routes_are_made_once_when_nothing_else_matches() -> None:
    made: list[str] = []

    def later() -> list[Route]:
        made.append("pages")
        return [Route("GET", "/page", hello)]

    async def run() -> None:
        app = App(Settings.load(None, environment={}), Guard("127.0.0.1", (), ()), needs_token=False)
        app.open(cast("Any", SimpleNamespace(memory={})), [Route("GET", "/api", hello)], later=later)
        assert await status_of(app, "/api") == 200
        assert made == []
        asked = [status_of(app, path) for path in ("/page", "/page", "/none", "/api")]
        assert await asyncio.gather(*asked) == [200, 200, 404, 200]
        assert made == ["pages"]

    asyncio.run(run())


def test_files_that_cannot_be_reached_are_no_fault_of_the_caller_and_may_be_tried_again() -> None:
    async def unreachable(_request: Request) -> Answer:
        raise PermissionError("/srv/home/airside.db")

    async def run() -> None:
        app = App(Settings.load(None, environment={}), Guard("127.0.0.1", (), ()), needs_token=False)
        app.open(cast("Any", SimpleNamespace(memory={})), [Route("GET", "/api", unreachable)])
        assert await status_of(app, "/api") == 503

    asyncio.run(run())
