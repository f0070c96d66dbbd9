"""The ASGI application: guard, route, answer.

Routing is a dictionary of `(method, path)`; the few paths with names in them stand in a short list behind it.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from airside.core.credentials import credentials_of
from airside.core.errors import AirsideError, Internal, Invalid, NotFound, Overloaded, Unauthenticated, Unavailable
from airside.core.operation import Actor
from airside.core.settings import Settings
from airside.platform.access.tokens import actor_of
from airside.platform.access.tries import remember, remembered
from airside.server.guard import Guard
from airside.server.login import AdminLogin
from airside.server.message import (
    FRAME,
    Answer,
    Handler,
    Header,
    Receive,
    Request,
    Scope,
    Send,
    error_answer,
    send_answer,
)

if TYPE_CHECKING:
    from airside.platform.wiring import Platform

SLOW_S = 1.0
TOKEN_CACHE_S = 1.0
"""How long a token that was good is not looked up again: within this a revocation acts at every server."""
SIGN_IN = (
    "Sign in with a user and a password (MLflow's clients: MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD), or "
    "send a token: Authorization: Bearer TOKEN."
)
MAX_WORKING = 1280
"""Requests in hand at once; a further one is told to come again, before its body is read."""
API_PATHS = ("/api/", "/ajax-api/", "/get-artifact", "/model-versions/", "/version", "/health", "/graphql")
"""What programs and other sites' pages may call; everything else is a page of ours."""
_log = logging.getLogger("airside.server")


class Route:
    """Where a handler hangs.

    Attributes:
        method, path: `{name}` in the path is one segment, `{name:path}` the rest.
        is_public: answered without a token.
        on_error: how its errors are told, where it is not our own JSON.
    """

    __slots__ = ("handler", "is_public", "method", "on_error", "path", "pattern")

    def __init__(
        self,
        method: str,
        path: str,
        handler: Handler,
        *,
        is_public: bool = False,
        on_error: Callable[[AirsideError], Answer] = error_answer,
    ) -> None:
        self.method, self.path, self.handler = method, path, handler
        self.is_public, self.on_error = is_public, on_error
        self.pattern = _compiled(path) if "{" in path else None


def _compiled(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+(?::path)?\})", path)
    text = "".join(
        re.escape(part)
        if not part.startswith("{")
        else f"(?P<{part[1:-6]}>.*)"
        if part.endswith(":path}")
        else f"(?P<{part[1:-1]}>[^/]+)"
        for part in parts
    )
    return re.compile(text + r"\Z", re.DOTALL)


class Router:
    """Finds the route of a method and a path."""

    def __init__(self) -> None:
        self._fixed: dict[tuple[str, str], Route] = {}
        self._patterns: list[Route] = []
        self._paths: set[str] = set()

    def add(self, routes: list[Route]) -> None:
        """Add routes; of two that match, the first wins."""
        for route in routes:
            if route.pattern is not None:
                self._patterns.append(route)
            else:
                self._fixed.setdefault((route.method, route.path), route)
                self._paths.add(route.path)

    def find(self, method: str, path: str, raw: bytes) -> tuple[Route | None, dict[str, str], bool]:
        """The route, its arguments still percent-encoded, and whether the path is known under another method.

        Names in a path are matched before they are decoded, so that an encoded slash belongs to the name.
        """
        route = self._fixed.get((method, path))
        if route is not None:
            return route, {}, True
        if method == "HEAD" and (route := self._fixed.get(("GET", path))) is not None:
            return route, {}, True
        is_known = path in self._paths
        encoded = raw.decode("latin-1")
        for candidate in self._patterns:
            found = candidate.pattern.match(encoded) if candidate.pattern else None
            if found:
                if candidate.method == method or (method == "HEAD" and candidate.method == "GET"):
                    return candidate, found.groupdict(), True
                is_known = True
        return None, {}, is_known


class App:
    """The application: answers `/health` from the first moment, everything else as soon as the platform is open.

    Args:
        settings: of the home.
        guard: decides what may be looked at.
        needs_token: whether a caller must say who it is.
        login: the administrator's password, if one may sign in with it.
    """

    def __init__(self, settings: Settings, guard: Guard, *, needs_token: bool, login: AdminLogin | None = None) -> None:
        self.guard = guard
        self.needs_token = needs_token
        self.prefix: str = settings["static_prefix"]
        self._login = login
        self._frame = settings["x_frame_options"].upper()
        self._working = 0
        self._body_limit = int(settings["body_limit_mib"]) << 20
        self._router = Router()
        self._router.add([Route("GET", "/health", health, is_public=True)])
        self._opened = asyncio.Event()
        self._platform: Platform | None = None
        self._tokens: dict[str, tuple[Actor, float]] = {}
        self._later: Callable[[], list[Route]] | None = None
        self._adding = asyncio.Lock()

    def open(
        self, platform: "Platform", routes: list[Route], *, later: Callable[[], list[Route]] | None = None
    ) -> None:
        """Answer with these routes from now on.

        Args:
            platform: what answers.
            routes: what it answers.
            later: makes the routes that may take long to import; called, on a thread, when a path is none of `routes`.
        """
        self._platform = platform
        self._tokens = platform.memory.setdefault("tokens", {})
        if self._login is not None:
            self._login.tries.update(platform.read(lambda ctx: remembered(ctx.tx, now_ms=ctx.now_ms())))
        self._router.add(routes)
        self._later = later
        self._opened.set()

    async def _add_later(self) -> None:
        async with self._adding:
            if self._later is not None:
                self._router.add(await asyncio.to_thread(self._later))
                self._later = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        path: str = scope["path"]
        if self.prefix and path.startswith(self.prefix + "/"):
            path = path[len(self.prefix) :]
            scope["raw_path"] = scope["raw_path"].removeprefix(self.prefix.encode())
        request = Request(scope, receive, path, self._body_limit)
        if self._working >= MAX_WORKING:
            answer = error_answer(Overloaded())
        else:
            self._working += 1
            try:
                if not self._opened.is_set() and path != "/health":
                    await self._opened.wait()
                answer = await self._answer(request)
            finally:
                self._working -= 1
        try:
            await send_answer(answer, send, is_head=request.method == "HEAD", more=self._added(request))
        except (AirsideError, OSError):  # the head is out: all that can be done is to cut the connection
            _log.warning("request.cut path=%s", path)
            raise
        seconds = time.perf_counter() - started
        if seconds > SLOW_S and answer.status != 200:
            _log.info("request.slow method=%s path=%s status=%s s=%.3f", request.method, path, answer.status, seconds)

    def _added(self, request: Request) -> tuple[Header, ...]:
        """What every answer says to browsers: who may frame it, and which other site's page may read it."""
        is_api = request.path.startswith(API_PATHS)
        added: tuple[Header, ...] = ()
        if self._frame != "NONE" or not is_api:
            added = (FRAME,) if self._frame != "DENY" else ((b"x-frame-options", b"DENY"),)
        if is_api and b"origin" in request.headers:
            added = (*added, *self.guard.origins.headers(request.header(b"origin")))
        return added

    async def _answer(self, request: Request) -> Answer:
        route, args, is_known = self._router.find(request.method, request.path, request.scope["raw_path"])
        if route is None and self._later is not None:
            await self._add_later()
            route, args, is_known = self._router.find(request.method, request.path, request.scope["raw_path"])
        tell = route.on_error if route is not None else error_answer
        try:
            self.guard.check(request.scope, request.headers)
            request.args = {name: _decoded(value) for name, value in args.items()}
            if route is None:
                if request.method == "OPTIONS" and request.path.startswith(API_PATHS):
                    return self.guard.origins.preflight(request.headers)
                return self._merged(request) or _unknown(request, is_known=is_known)
            if self.needs_token and not route.is_public:
                request.actor = await self._actor(request)
            return await route.handler(request)
        except AirsideError as error:
            return tell(error)
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 -- the edge: whatever it was, the caller gets our JSON and the log gets the rest
            _log.exception("request.failed method=%s path=%s", request.method, request.path)
            return tell(Internal())

    def _merged(self, request: Request) -> Answer | None:
        """Where to ask again, for a path that is one of ours but for repeated slashes: as MLflow's server says it."""
        if "//" not in request.path:
            return None
        raw = re.sub(b"/{2,}", b"/", request.scope["raw_path"])
        if self._router.find(request.method, re.sub("/{2,}", "/", request.path), raw)[0] is None:
            return None
        query = request.scope["query_string"]
        location = self.prefix.encode() + raw + (b"?" + query if query else b"")
        return Answer(308, b"", ((b"location", location),))

    async def _actor(self, request: Request) -> Actor:
        """Who calls, by the token that the request carries."""
        sent = request.header(b"authorization")
        if self._login is not None and not sent:
            raise Unauthenticated(SIGN_IN)
        user, text = credentials_of(sent)
        if self._login is not None and not text.startswith("air_"):
            return await self._signed_in(self._login, user, text, (request.scope.get("client") or ("",))[0])
        known = self._tokens.get(text)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        if self._platform is None:
            raise Unavailable("The server is starting.")
        actor: Actor = await asyncio.to_thread(
            self._platform.read, lambda ctx: actor_of(ctx.tx, text, now_ms=ctx.now_ms())
        )
        if len(self._tokens) < 10_000:
            self._tokens[text] = (actor, time.monotonic() + TOKEN_CACHE_S)
        return actor

    async def _signed_in(self, login: AdminLogin, user: str, password: str, source: str) -> Actor:
        """Who signs in; what was wrong is stored before it is told."""
        before = login.tries.get(source)
        try:
            return login.actor(user, password, source)
        finally:
            after = login.tries.get(source)
            if after != before and self._platform is not None:
                note = partial(remember, source=source, tries=after)
                change = partial(self._platform.change, lambda ctx: note(ctx.tx, now_ms=ctx.now_ms()))
                try:
                    await asyncio.to_thread(change)
                except AirsideError:  # a full disk keeps nobody out, and nobody is let in for it
                    _log.warning("tries.not_stored", exc_info=True)


async def health(_request: Request) -> Answer:
    """Ready: the store is open, and whatever is asked is answered."""
    return Answer(200, b"OK", ((b"content-type", b"text/plain; charset=utf-8"),))


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise Invalid("Invalid path: it is not UTF-8.") from None


def _unknown(request: Request, *, is_known: bool) -> Answer:
    if is_known:
        body = f"{request.method} is not allowed here."
        return Answer(405, body.encode(), ((b"content-type", b"text/plain; charset=utf-8"),))
    error = NotFound(
        f"Nothing answers {request.method} at this address. The API: /api/openapi.json", code="ENDPOINT_NOT_FOUND"
    )
    return error_answer(error)
