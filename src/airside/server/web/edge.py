"""The pages and the static files as routes of the server."""

import asyncio
import gzip
import re
from functools import partial
from urllib.parse import parse_qsl

import msgspec

from airside.core.clock import Clock
from airside.core.errors import AirsideError, Invalid
from airside.platform.wiring import Platform
from airside.server.app import Route
from airside.server.message import Answer, Handler, Header, Request
from airside.server.web.artifact_view import artifact_view
from airside.server.web.page import Page, PageQuery
from airside.server.web.routes import MAX_FIELDS, PAGE_ROUTES, WebRequest, respond
from airside.server.web.security import SECURITY_HEADERS, STATIC_HEADERS
from airside.server.web.static import static_file, static_paths
from airside.server.web.templating import render_error

TWINS = ("json", "csv")
_ADDRESS = re.compile(rb'(\s(?:href|src|action|formaction|hx-[a-z\-]+|data-[a-z\-]+)=")/(?!/)')
_LEADS = {"location", "hx-redirect", "hx-location", "hx-push-url"}
FORM_LIMIT_BYTES = 64 << 10
GZIP_FROM_BYTES = 1024
SENT_BY_THE_EDGE = {"x-content-type-options", "cache-control"}
"""Headers that the server writes on every answer anyway."""


def web_routes(platform: Platform) -> list[Route]:
    """The routes of the Control Tower: each page with its twins, and every static file."""
    page = page_handler(platform)
    paths = dict.fromkeys(
        (route.method, path) for route in PAGE_ROUTES for path in _with_twins(route.method, route.path)
    )
    return [
        *(Route("GET", path, send_static, is_public=True) for path in static_paths()),
        Route("GET", "/artifact-view", artifact_view(platform), on_error=error_page),
        *(Route(method, path, page, on_error=error_page) for method, path in paths),
    ]


def _with_twins(method: str, path: str) -> list[str]:
    """A page's own path; a twin of a path that ends in a name is that name with an ending, and needs no route."""
    if method != "GET" or path == "/" or path.endswith("}"):
        return [path]
    return [path, *(f"{path}.{twin}" for twin in TWINS)]


def page_handler(platform: Platform) -> Handler:
    """Answers every page: on a worker thread, because templates and the store may take milliseconds."""
    host, auth = platform.settings["host"], platform.settings["auth"]
    is_open = auth == "off" and host not in {"127.0.0.1", "localhost", "::1"}
    prefix: str = platform.settings["static_prefix"]

    async def handle(request: Request) -> Answer:
        asked = WebRequest(
            method="GET" if request.method == "HEAD" else request.method,
            raw_path=request.scope["raw_path"].decode("latin-1").partition("?")[0],
            query_string=request.scope["query_string"].decode("latin-1"),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers.items()},
            form=await _form(request) if request.method == "POST" else (),
            actor=request.actor,
            origin=f"{request.scope.get('scheme', 'http')}://{request.header(b'host')}{prefix}",
            open_to_all=is_open,
            now=platform.clock.now(),
        )
        made = await asyncio.to_thread(respond, partial(platform.call, request.actor), asked)
        made = below(made, prefix) if prefix else made
        return answer_of(made, accepts_gzip=b"gzip" in request.headers.get(b"accept-encoding", b""))

    return handle


def below(page: Page, prefix: str) -> Page:
    """A page whose addresses begin with a prefix. Only attributes of ours can match: text is escaped.

    >>> below(Page(body=b'<a href="/models">'), "/tower").body
    b'<a href="/tower/models">'
    """
    headers = tuple(
        (name, prefix + value if name.lower() in _LEADS and value.startswith("/") else value)
        for name, value in page.headers
    )
    if not page.content_type.startswith("text/html"):
        return msgspec.structs.replace(page, headers=headers)
    return msgspec.structs.replace(
        page, headers=headers, body=_ADDRESS.sub(rb"\1" + prefix.encode() + rb"/", page.body)
    )


async def _form(request: Request) -> tuple[tuple[str, str], ...]:
    """The fields of a posted form.

    Raises:
        Invalid: it is none of ours.
    """
    body = await request.body(limit=FORM_LIMIT_BYTES)
    try:
        return tuple(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS))
    except ValueError as wrong:
        raise Invalid("The form could not be read. Load the page again, and send it from there.") from wrong


def answer_of(page: Page, *, accepts_gzip: bool) -> Answer:
    """A page as the edge sends it, compressed from 1 KiB on."""
    headers: list[Header] = [(b"content-type", page.content_type.encode())]
    for name, value in (*SECURITY_HEADERS, *page.headers):
        if name.lower() not in SENT_BY_THE_EDGE:
            headers.append((name.lower().encode(), value.encode("latin-1")))
    body = page.body
    if accepts_gzip and len(body) >= GZIP_FROM_BYTES:
        body = gzip.compress(body, compresslevel=5)
        headers.append((b"content-encoding", b"gzip"))
    return Answer(page.status, body, tuple(headers))


async def send_static(request: Request) -> Answer:
    """A static file; its address holds its digest, so a browser keeps it for ever."""
    found = static_file(request.path)
    if found is None:  # the routes are the files
        raise Invalid(f"No static file at {request.path[:200]}. Load the page again.")
    headers: list[Header] = [
        (b"content-type", found.content_type.encode()),
        (b"cache-control", found.cache_control.encode()),
        *(
            (name.lower().encode(), value.encode())
            for name, value in STATIC_HEADERS
            if name.lower() not in SENT_BY_THE_EDGE
        ),
    ]
    body = found.body
    if found.gzipped is not None and b"gzip" in request.headers.get(b"accept-encoding", b""):
        body = found.gzipped
        headers.append((b"content-encoding", b"gzip"))
    if found.gzipped is not None:
        headers.append((b"vary", b"Accept-Encoding"))
    return Answer(200, body, tuple(headers), cacheable=True)


def error_page(error: AirsideError) -> Answer:
    """An error before the page was reached (no token, a refused origin), as a page."""
    made = answer_of(render_error(error, PageQuery(now=Clock().now())), accepts_gzip=False)
    if error.status == 401:
        return made._replace(headers=(*made.headers, (b"www-authenticate", b'Basic realm="airside"')))
    return made
