"""The ASGI application of the serving process: MLflow's protocol, Open Inference V2, KServe V1, health, metrics."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple, TypeVar
from urllib.parse import unquote

import msgspec

from airside.core.clock import Clock, RandomBytes, system_random
from airside.core.errors import AirsideError, Internal, Invalid, NotFound, Unavailable
from airside.core.hosts import HostCheck
from airside.core.ids import new_hex, new_id
from airside.core.version import VERSION
from airside.inference.protocol import invocations, v2
from airside.inference.protocol.faults import error_body, v2_error_body
from airside.inference.records import Signature, V2Request
from airside.serving.process import guard
from airside.serving.process.batching import Columns
from airside.serving.process.door import LOOK, PREDICT, Door
from airside.serving.process.guard import Headers, Receive, Scope, Send
from airside.serving.process.meters import Meters
from airside.serving.process.scoring import Caller, Rows, Scorer
from airside.serving.process.spool import Spool
from airside.serving.process.table import LiveArm, LiveRoute, Table

LARGE_BODY = 256 << 10
"""Bodies above this are read on a thread, so that the event loop goes on."""

PROBES = frozenset({"/health", "/ping", "/v2/health/live", "/v2/health/ready"})
"""What tells no more than whether the process is ready: asked without a token."""
MAX_WAYS = 1_000
"""Addresses whose route is remembered."""

_JSON = (b"content-type", b"application/json")
_FIXED = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
_NAME = rb"[^/]+"
_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_log = logging.getLogger("airside.serving")


class NotAllowed(AirsideError):
    """This address does not take this method."""

    code, status = "METHOD_NOT_ALLOWED", 405


class Reply(NamedTuple):
    """What goes back. `after` is done when it is on its way."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = (_JSON,)
    after: Callable[[], None] | None = None


class Call(NamedTuple):
    """A request whose head is in order."""

    headers: Headers
    receive: Receive
    args: tuple[str, ...]
    started: float

    def header(self, name: bytes) -> str:
        """A header's text; empty when it did not come."""
        return self.headers.get(name, b"").decode("latin-1")

    async def body(self) -> bytes:
        """The whole body, within the limit."""
        return await guard.read_body(self.headers, self.receive)


Handler = Callable[[Call], Awaitable[Reply]]
Tell = Callable[[AirsideError], bytes]


def plain_error(error: AirsideError) -> bytes:
    """Our own form of an error."""
    return msgspec.json.encode(error.body())


class BufferedRandom:
    """The system's chance, drawn in larger pieces: a system call for each id would cost more than the id.

    >>> draw = BufferedRandom()
    >>> len(draw(10)), draw(10) != draw(10)
    (10, True)
    """

    def __init__(self) -> None:
        self._pool = b""
        self._at = 0

    def __call__(self, size: int) -> bytes:
        """Some random bytes."""
        if self._at + size > len(self._pool):
            self._pool, self._at = system_random(max(4_096, size)), 0
        piece = self._pool[self._at : self._at + size]
        self._at += size
        return piece


class ServingApp:
    """Answers requests by the table of the moment. One for each serving process; used on its event loop.

    Attributes:
        table: swapped as one reference by the follower.
        draining: answers close their connections, and the process says that it is not ready.
    """

    def __init__(
        self,
        spool: Spool,
        *,
        allowed_hosts: Iterable[str] = (),
        door: Door | None = None,
        clock: Clock | None = None,
        random: RandomBytes | None = None,
    ) -> None:
        self.table = Table()
        self.draining = False
        self.in_flight = 0
        self._clock = clock or Clock()
        self._random = random or BufferedRandom()
        self._spool = spool
        self._meters = Meters()
        self._is_ours = HostCheck(allowed_hosts)
        self._door = door
        self.scorer = Scorer(spool, self._meters, lambda ms: new_id("prediction", ms, self._random))
        self._ways: dict[tuple[str, bytes], tuple[Handler, Tell, tuple[str, ...]]] = {}
        self._fixed: dict[tuple[str, str], tuple[Handler, Tell]] = {
            ("POST", "/invocations"): (self._invocations, error_body),
            ("GET", "/ping"): (self._ping, plain_error),
            ("GET", "/health"): (self._health, plain_error),
            ("GET", "/version"): (self._version, plain_error),
            ("GET", "/metrics"): (self._metrics, plain_error),
            ("GET", "/v2"): (self._v2_server, v2_error_body),
            ("GET", "/v2/health/live"): (self._v2_live, v2_error_body),
            ("GET", "/v2/health/ready"): (self._v2_ready, v2_error_body),
            ("POST", "/v2/repository/index"): (self._v2_index, v2_error_body),
            ("GET", "/v1/models"): (self._v1_models, plain_error),
        }
        named: tuple[tuple[str, bytes, Handler, Tell], ...] = (
            ("POST", rb"/endpoints/(%s)/invocations", self._invocations, error_body),
            ("POST", rb"/v2/models/(%s)/infer", self._v2_infer, v2_error_body),
            ("POST", rb"/v2/models/(%s)/versions/(%s)/infer", self._v2_infer, v2_error_body),
            ("GET", rb"/v2/models/(%s)", self._v2_model, v2_error_body),
            ("GET", rb"/v2/models/(%s)/versions/(%s)", self._v2_model, v2_error_body),
            ("GET", rb"/v2/models/(%s)/ready", self._v2_model_ready, v2_error_body),
            ("GET", rb"/v2/models/(%s)/versions/(%s)/ready", self._v2_model_ready, v2_error_body),
            ("GET", rb"/v2/models/(%s)/config", self._v2_config, v2_error_body),
            ("GET", rb"/v2/models/(%s)/stats", self._v2_stats, v2_error_body),
            ("POST", rb"/v1/models/([^/:]+):predict", self._invocations, plain_error),
            ("GET", rb"/v1/models/([^/:]+)", self._v1_model, plain_error),
        )
        self._named = [
            (method, re.compile(pattern.replace(b"%s", _NAME) + rb"\Z"), handler, tell)
            for method, pattern, handler, tell in named
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        self.in_flight += 1
        try:
            reply = await self._reply(scope, receive)
            await self._send(reply, scope["method"] == "HEAD", send)
            if reply.after is not None:
                reply.after()
        finally:
            self.in_flight -= 1

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        started = time.perf_counter()
        method: str = scope["method"]
        tell: Tell = plain_error
        try:
            headers = dict(scope["headers"])
            guard.check(headers, method, scope["path"], self._is_ours)
            if self._door is not None and scope["path"] not in PROBES:
                shown = headers.get(b"authorization", b"").decode("latin-1")
                self._door.check(shown, self._clock.now_ms(), LOOK if method in guard.SAFE_METHODS else PREDICT)
            handler, tell, args = self._find(method, scope)
            return await handler(Call(headers, receive, args, started))
        except AirsideError as error:
            self._meters.refused[error.status] += 1
            return _error_reply(error, tell)
        except Exception:  # noqa: BLE001 -- the edge: the caller gets our JSON, the log gets the rest
            _log.exception("request.failed method=%s path=%s", method, scope["path"])
            self._meters.refused[500] += 1
            return _error_reply(Internal(), tell)

    def _find(self, method: str, scope: Scope) -> tuple[Handler, Tell, tuple[str, ...]]:
        path: str = scope["path"]
        wanted = "GET" if method == "HEAD" else method
        found = self._fixed.get((wanted, path))
        if found is not None:
            return (*found, ())
        raw: bytes = scope.get("raw_path") or path.encode()
        known_way = self._ways.get((wanted, raw))
        if known_way is not None:
            return known_way
        others = any(known == path for _, known in self._fixed)
        for known, pattern, handler, tell in self._named:
            match = pattern.match(raw)
            if match and known == wanted:
                way = (handler, tell, tuple(unquote(part.decode("latin-1")) for part in match.groups()))
                if len(self._ways) < MAX_WAYS:
                    self._ways[wanted, raw] = way
                return way
            others = others or match is not None
        if others:
            raise NotAllowed(f"{path[:200]} does not take {method[:20]}.")
        raise NotFound(f"Nothing is served at {path[:200]}. Predictions: POST /endpoints/NAME/invocations")

    async def _send(self, reply: Reply, is_head: bool, send: Send) -> None:  # noqa: FBT001 -- called once
        headers = [*reply.headers, *_FIXED, (b"content-length", str(len(reply.body)).encode())]
        if self.draining:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if is_head else reply.body})

    async def _invocations(self, call: Call) -> Reply:
        live = self.table.route(call.args[0] if call.args else "")
        caller = self._caller(call)
        arm = live.pick(caller.key)
        body, content_type = await call.body(), call.header(b"content-type")
        signature = arm.model.predictor.signature
        asked = await _read(body, lambda: invocations.decode(body, content_type, signature))

        def again(other: Signature) -> tuple[Columns, int]:
            decoded = invocations.decode(body, content_type, other)
            return decoded.columns, decoded.rows

        rows = Rows(asked.columns, asked.rows, signature, again)
        answered = await self.scorer.score(live, arm, caller, rows)
        content = invocations.encode(answered.prediction, asked.method)
        return Reply(
            200,
            content,
            _answer_headers(caller, arm, answered.prediction_id),
            lambda: self.scorer.shadow(live, caller, rows, answered.prediction_id),
        )

    async def _v2_infer(self, call: Call) -> Reply:
        live = self.table.route(call.args[0])
        caller = self._caller(call)
        arm = _arm_of(live, call.args, caller)
        body, announced = await call.body(), call.header(b"inference-header-content-length")
        if announced and not (announced.isascii() and announced.isdigit() and len(announced) < 12):
            raise Invalid("Inference-Header-Content-Length is not a number.")
        length = int(announced) if announced else None
        signature = arm.model.predictor.signature
        asked = await _read(body, lambda: v2.decode(body, signature, json_length=length))
        if not asked.id:
            asked = msgspec.structs.replace(asked, id=caller.request_id)

        def again(other: Signature) -> tuple[Columns, int]:
            decoded: V2Request = v2.decode(body, other, json_length=length)
            return decoded.columns, decoded.rows

        rows = Rows(asked.columns, asked.rows, signature, again)
        is_counted = len(call.args) == 1
        answered = await self.scorer.score(live, arm, caller, rows, is_counted=is_counted)
        version = str(arm.arm.version)
        content, json_length = v2.encode(
            answered.prediction, asked, model_name=live.route.endpoint, model_version=version
        )
        headers = _answer_headers(caller, arm, answered.prediction_id)
        if json_length is not None:
            binary = (b"content-type", b"application/octet-stream")
            size = (b"inference-header-content-length", str(json_length).encode())
            headers = (binary, size, *headers[1:])
        after = (lambda: self.scorer.shadow(live, caller, rows, answered.prediction_id)) if is_counted else None
        return Reply(200, content, headers, after)

    def _caller(self, call: Call) -> Caller:
        now_ms = self._clock.now_ms()
        given = call.headers.get(b"x-airside-request-id") or call.headers.get(b"x-request-id") or b""
        request_id = given.decode() if _ID.fullmatch(given) else new_hex(now_ms, self._random)
        delivery = unquote(call.header(b"x-airside-delivery"))
        if len(delivery) > 250 or not delivery.isprintable():
            raise Invalid("X-Airside-Delivery is a printable name of up to 250 characters.")
        return Caller(request_id, call.header(b"x-airside-key") or request_id, delivery, now_ms, call.started)

    async def _ping(self, _call: Call) -> Reply:
        self._must_be_ready()
        return Reply(200, b"\n")

    async def _health(self, _call: Call) -> Reply:
        faults = {name: live.fault for name, live in self.table.routes.items() if live.fault}
        state = "draining" if self.draining else "ready" if self.table.is_ready else "starting"
        told = {"state": state, "revision": self.table.revision}
        content = msgspec.json.encode({**told, "faults": faults} if self._door is None else told)
        return Reply(200 if state == "ready" else 503, content)

    async def _version(self, _call: Call) -> Reply:
        return Reply(200, VERSION.encode())

    async def _metrics(self, _call: Call) -> Reply:
        models = {live.model.key: live.model for route in self.table.routes.values() for live in route.arms}
        gauges = {
            "airside_serving_routing_revision": self.table.revision,
            "airside_serving_requests_in_flight": self.in_flight,
            "airside_serving_rows_waiting": sum(model.batcher.waiting_rows for model in models.values()),
            "airside_serving_spool_bytes": self._spool.waiting,
            "airside_serving_log_rejected": self._spool.rejected,
        }
        content = self._meters.text(gauges).encode()
        return Reply(200, content, ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),))

    async def _v2_server(self, _call: Call) -> Reply:
        return _json({"name": "airside", "version": VERSION, "extensions": ["binary_tensor_data"]})

    async def _v2_live(self, _call: Call) -> Reply:
        return _json({"live": True})

    async def _v2_ready(self, _call: Call) -> Reply:
        self._must_be_ready()
        return _json({"ready": True})

    async def _v2_index(self, call: Call) -> Reply:
        await call.body()
        found = [
            {"name": name, "version": str(version), "state": "READY", "reason": ""}
            for name, live in sorted(self.table.routes.items())
            for version in sorted(live.by_version)
        ]
        return _json(found)

    async def _v2_model(self, call: Call) -> Reply:
        live, arm = self._described(call)
        content = v2.metadata(
            arm.model.predictor.signature,
            name=live.route.endpoint,
            versions=tuple(str(version) for version in sorted(live.by_version)),
        )
        return Reply(200, content)

    async def _v2_model_ready(self, call: Call) -> Reply:
        live, _ = self._described(call)
        return _json({"name": live.route.endpoint, "ready": True})

    async def _v2_config(self, call: Call) -> Reply:
        live, _ = self._described(call)
        return _json({"name": live.route.endpoint, "platform": "airside", "backend": "airside", "max_batch_size": 0})

    async def _v2_stats(self, call: Call) -> Reply:
        live, arm = self._described(call)
        key = (live.route.endpoint, arm.arm.version, arm.arm.role)
        stats = {
            "name": live.route.endpoint,
            "version": str(arm.arm.version),
            "inference_count": self._meters.rows[key],
            "execution_count": self._meters.rows[key],
        }
        return _json({"model_stats": [stats]})

    async def _v1_models(self, _call: Call) -> Reply:
        return _json({"models": sorted(self.table.routes)})

    async def _v1_model(self, call: Call) -> Reply:
        live, _ = self._described(call)
        return _json({"name": live.route.endpoint, "ready": True})

    def _described(self, call: Call) -> tuple[LiveRoute, LiveArm]:
        live = self.table.route(call.args[0])
        return live, _arm_of(live, call.args, None)

    def _must_be_ready(self) -> None:
        if self.draining:
            raise Unavailable("The serving process is about to end.")
        if not self.table.is_ready:
            raise Unavailable("The serving process is not ready yet: an endpoint has no version to answer with.")


T = TypeVar("T")


async def _read(body: bytes, read: Callable[[], T]) -> T:
    return await asyncio.to_thread(read) if len(body) > LARGE_BODY else read()


def _arm_of(live: LiveRoute, args: tuple[str, ...], caller: Caller | None) -> LiveArm:
    if len(args) == 1:
        return live.pick(caller.key if caller else "")
    found = live.by_version.get(int(args[1])) if args[1].isascii() and args[1].isdigit() and len(args[1]) < 10 else None
    if found is None:
        there = ", ".join(str(version) for version in sorted(live.by_version)) or "none"
        raise NotFound(f"The endpoint '{live.route.endpoint}' has no version '{args[1][:20]}' loaded. It has: {there}.")
    return found


def _answer_headers(caller: Caller, arm: LiveArm, prediction_id: str) -> tuple[tuple[bytes, bytes], ...]:
    return (
        _JSON,
        (b"x-airside-request-id", caller.request_id.encode()),
        (b"x-airside-version", str(arm.arm.version).encode()),
        (b"x-airside-role", arm.arm.role.encode()),
        (b"x-airside-prediction-id", prediction_id.encode()),
    )


def _json(value: object) -> Reply:
    return Reply(200, msgspec.json.encode(value))


def _error_reply(error: AirsideError, tell: Tell) -> Reply:
    headers: tuple[tuple[bytes, bytes], ...] = (_JSON,)
    if error.retry_after_s is not None:
        headers = (*headers, (b"retry-after", str(error.retry_after_s).encode()))
    if error.status == 401:
        headers = (*headers, (b"www-authenticate", b'Basic realm="airside"'))
    return Reply(error.status, tell(error), headers)
