"""The pages over HTTP, on a real platform: headers, compression, twins, forms, what a stranger gets."""

import asyncio
import gzip
import json
from typing import Any

import pytest

from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.registry.operations.models import CreateModel
from airside.server.app import App
from airside.server.guard import Guard
from airside.server.web.edge import web_routes
from airside.server.web.static import static_url
from airside.tower.operations.catalog import RefreshRow

Got = tuple[int, dict[str, str], bytes]


def get(platform: Platform, path: str, *, method: str = "GET", token: bool = False, **headers: str) -> Got:
    """What the server answers to one request."""
    raw, _, query = path.partition("?")
    fields = [
        (name.replace("_", "-").encode(), value.encode()) for name, value in {"host": "localhost", **headers}.items()
    ]
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": raw,
        "raw_path": raw.encode(),
        "query_string": query.encode(),
        "headers": fields,
        "scheme": "http",
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def run() -> None:
        app = App(platform.settings, Guard("127.0.0.1", (), ()), needs_token=token)
        app.open(platform, web_routes(platform))
        await app(scope, receive, send)

    asyncio.run(run())
    named = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], named, b"".join(message["body"] for message in sent[1:])


def test_an_address_with_too_many_fields_is_refused(platform: Platform) -> None:
    status, _, body = get(platform, "/experiments?" + "a=1&" * 301)
    assert (status, b"more than 300 fields" in body) == (400, True)


@pytest.fixture
def stocked(platform: Platform) -> Platform:
    platform.call(LOCAL, CreateModel(name="a b#c?d"))
    platform.call(LOCAL, RefreshRow(name="a b#c?d"))
    return platform


def test_the_catalog_is_served_with_its_policy(stocked: Platform) -> None:
    status, headers, body = get(stocked, "/")
    assert status == 200
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"
    assert b"a b#c?d" in body


def test_a_name_with_marks_of_an_address_has_a_page(stocked: Platform) -> None:
    assert get(stocked, "/models/a%20b%23c%3Fd")[0] == 200


def test_pages_are_compressed_for_who_can_read_it(stocked: Platform) -> None:
    _, headers, body = get(stocked, "/", accept_encoding="gzip")
    assert headers["content-encoding"] == "gzip"
    assert b"<!doctype html>" in gzip.decompress(body)


def test_static_files_are_kept_for_ever_and_need_no_token(stocked: Platform) -> None:
    status, headers, body = get(stocked, static_url("css/tokens.css"), token=True, accept_encoding="gzip")
    assert status == 200
    assert "immutable" in headers["cache-control"]
    assert b"--ground" in gzip.decompress(body)


def test_a_page_without_a_token_asks_for_one(stocked: Platform) -> None:
    status, headers, body = get(stocked, "/", token=True)
    assert status == 401
    assert headers["www-authenticate"].startswith("Basic")
    assert b"a b#c?d" not in body


@pytest.mark.parametrize("path", ["/models.json", "/models/a%20b%23c%3Fd.json", "/experiments.json", "/alerts.json"])
def test_twins_are_json(stocked: Platform, path: str) -> None:
    status, headers, body = get(stocked, path)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/experiments",
        "/datasets",
        "/pipelines",
        "/endpoints",
        "/approvals",
        "/monitors",
        "/alerts",
        "/search?q=a",
        "/find/versions",
    ],
)
def test_every_place_of_an_empty_house_has_a_page(platform: Platform, path: str) -> None:
    assert get(platform, path)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/models/none",
        "/runs/none",
        "/datasets/none",
        "/pipelines/none",
        "/endpoints/none",
        "/monitors/none",
        "/alerts/none",
    ],
)
def test_what_is_not_there_is_told_by_a_page(platform: Platform, path: str) -> None:
    status, headers, body = get(platform, path)
    assert (status, headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert b"Not found" in body


def test_a_write_from_another_site_is_refused(stocked: Platform) -> None:
    status, _, _ = get(stocked, "/alerts/al-1", method="POST", origin="http://elsewhere", sec_fetch_site="cross-site")
    assert status == 403
