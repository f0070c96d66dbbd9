"""Every address of the server, asked by everyone: nobody passes where the tables do not let him.

The expectation of an operation, of a call of MLflow and of a page is read off its own table; any other address is named
here, so that a new one fails until somebody has decided who may use it.
"""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import pytest

from airside.core.clock import FixedClock
from airside.core.operation import LOCAL
from airside.core.settings import Settings
from airside.platform.access.tokens import CreateToken
from airside.platform.house import ListAudit
from airside.platform.wiring import Platform
from airside.server.api import PREFIX
from airside.server.app import App, Route
from airside.server.guard import Guard
from airside.server.live import Streams
from airside.server.mlflow.calls import CALLS
from airside.server.mlflow.scorers import ONLINE
from airside.server.mlflow.traces import REPEATED, WAITED
from airside.server.mlflow.tracking import fixed_answers
from airside.server.replies import Replies
from airside.server.routes import pages, routes
from airside.server.web.routes import PAGE_ROUTES
from airside.server.web.static import static_paths

JSON = b"application/json"
EXPERIMENT = (b"x-mlflow-experiment-id", b"0")
Need = Literal["public", "read", "write"]
Who = Literal["nobody", "stranger", "viewer", "owner"]

ARTIFACTS = ("/api/2.0/mlflow-artifacts/", "/ajax-api/2.0/mlflow-artifacts/")
BY_HAND: dict[tuple[str, str], Need] = {
    ("GET", "/api/openapi.json"): "public",
    ("GET", "/metrics"): "read",
    ("GET", "/live"): "read",
    ("PUT", f"{PREFIX}blobs"): "write",
    ("GET", f"{PREFIX}blobs/{{blob}}"): "read",
    ("POST", "/v1/traces"): "write",
    ("GET", "/get-artifact"): "read",
    ("GET", "/artifact-view"): "read",
    ("GET", "/model-versions/get-artifact"): "read",
    ("GET", "/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files"): "read",
    ("POST", "/ajax-api/2.0/mlflow/upload-artifact"): "write",
    **{("GET", f"/ajax-api/{major}.0/mlflow/get-trace-artifact"): "read" for major in (2, 3)},
    **{
        ("POST", f"{prefix}/2.0/mlflow/artifacts/presigned-{way}-url"): need
        for prefix in ("/api", "/ajax-api")
        for way, need in (("upload", "write"), ("download", "read"))
    },
    **{("GET", f"{prefix}artifacts"): "read" for prefix in ARTIFACTS},
    **{("GET", f"{prefix}artifacts/{{path:path}}"): "read" for prefix in ARTIFACTS},
    **{("PUT", f"{prefix}artifacts/{{path:path}}"): "write" for prefix in ARTIFACTS},
    **{("DELETE", f"{prefix}artifacts/{{path:path}}"): "write" for prefix in ARTIFACTS},
    **{("GET", f"{prefix}presigned/{{path:path}}"): "read" for prefix in ARTIFACTS},
    **{
        ("POST", f"{prefix}mpu/{step}/{{path:path}}"): "write"
        for prefix in ARTIFACTS
        for step in ("create", "complete", "abort")
    },
}


def expected() -> dict[tuple[str, str], Need]:
    """Who may use what, by the tables."""
    needs = dict(BY_HAND)
    needs |= {("GET", answer.path): "public" for answer in (*fixed_answers(serves_artifacts=True), *ONLINE)}
    needs |= {("GET", path): "public" for path in static_paths()}
    for op in Platform.operations:
        needs["POST", PREFIX + op.name] = "read" if op.is_read else "write"
    for call in (*CALLS, WAITED, *REPEATED):
        for prefix in call.prefixes:
            needs[call.method, prefix + call.path] = "read" if call.operation.is_read else "write"
    for page in PAGE_ROUTES:
        need: Need = "read" if page.needs.endswith(":read") else "write"
        needs |= {(page.method, page.path + twin): need for twin in ("", ".json", ".csv")}
    return needs


class Told(NamedTuple):
    status: int
    body: bytes


class World:
    """A server that asks for tokens, without a socket."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.loop = asyncio.new_event_loop()
        self.app = App(platform.settings, Guard("127.0.0.1", (), ()), needs_token=True)
        self.routes = self.loop.run_until_complete(self._mounted())
        tokens = {role: platform.call(LOCAL, CreateToken(name=role, role=role)).text for role in ("viewer", "owner")}
        self.headers: dict[Who, list[tuple[bytes, bytes]]] = {
            "nobody": [],
            "stranger": [(b"authorization", b"Bearer air_tk-0_wrong")],
            "viewer": [(b"authorization", f"Bearer {tokens['viewer']}".encode())],
            "owner": [(b"authorization", f"Bearer {tokens['owner']}".encode())],
        }

    async def _mounted(self) -> list[Route]:
        made = [*routes(self.platform, Replies(self.platform), Streams(self.platform.hub)), *pages(self.platform)]
        self.app.open(self.platform, made)
        return made

    def ask(self, who: Who, method: str, path: str, body: bytes, query: bytes = b"") -> Told:
        return self.loop.run_until_complete(self._ask(who, method, path, body, query))

    async def _ask(self, who: Who, method: str, path: str, body: bytes, query: bytes) -> Told:
        sent: list[Any] = []
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": [(b"host", b"localhost"), (b"content-type", JSON), EXPERIMENT, *self.headers[who]],
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        return Told(sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    settings = Settings.load(None, environment={})
    platform = Platform.open(tmp_path_factory.mktemp("walk") / "home", settings=settings, clock=FixedClock())
    made = World(platform)
    yield made
    made.loop.run_until_complete(made.loop.shutdown_default_executor())
    made.loop.close()
    platform.close()


# --- a body that is understood, so that the right is what decides -----------------------------------------------------

HEX = "0" * 32
UNIVERSAL: dict[str, Any] = {
    "experiment_id": "0", "experiment_ids": ["0"], "experiment_name": "x", "run_id": HEX, "run_ids": [HEX],
    "run_uuid": HEX, "key": "k", "value": "1", "timestamp": 1, "metric_key": "m", "metric_keys": ["m"], "name": "x",
    "new_name": "y", "version": "1", "stage": "Staging", "alias": "a", "source": f"runs:/{HEX}/model",
    "model_id": f"m-{HEX}", "max_results": 1, "tags": [], "status": "FINISHED", "tag_key": "k", "params": [],
    "models": [], "datasets": [], "model_json": "{}", "max_timestamp_millis": 1, "path": "a", "query": "x",
    "model_ids": [f"m-{HEX}"], "archive_existing_versions": False, "operation": "x", "artifact_path": "a",
    "trace": {"trace_info": {"trace_id": "x", "trace_location": {"mlflow_experiment": {"experiment_id": "0"}}}},
    "trace_id": "x", "trace_ids": ["x"], "prompt_versions": [], "update_mask": "rationale", "records": "[]",
    "assessment": {"feedback": {"value": 1}}, "serialized_scorer": "{}", "dataset_record_ids": [], "locations": [],
    "resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "1" * 32, "spanId": "1" * 16}]}]}],
    "url": "https://127.0.0.1/", "events": [{"entity": "PROMPT", "action": "CREATED"}],
}  # fmt: skip
QUERY = "&".join(
    f"{name}={value[0] if isinstance(value, list) and value else value}"
    for name, value in UNIVERSAL.items()
    if not isinstance(value, list) or value
)


PLAIN: dict[type[msgspec.inspect.Type], Any] = {
    msgspec.inspect.StrType: "x",
    msgspec.inspect.BoolType: False,
    msgspec.inspect.IntType: 1,
    msgspec.inspect.FloatType: 1,
    msgspec.inspect.DateTimeType: "2026-01-01T00:00:00Z",
    msgspec.inspect.DictType: {},
    msgspec.inspect.BytesType: "",
    msgspec.inspect.AnyType: None,
}


def sample(kind: msgspec.inspect.Type) -> Any:
    """The least value of a type."""
    match kind:
        case msgspec.inspect.LiteralType(values=values):
            return values[0]
        case msgspec.inspect.UnionType(types=types):
            return sample(next(one for one in types if not isinstance(one, msgspec.inspect.NoneType)))
        case msgspec.inspect.StructType(fields=fields):
            return {field.encode_name: sample(field.type) for field in fields if field.required}
        case msgspec.inspect.TupleType(item_types=items):
            return [sample(item) for item in items]
        case _:
            return PLAIN.get(type(kind), [])


FORMS = {
    "/traces/{trace}": b"name=helpful&value=yes",
    "/experiments/{experiment}/runs": b"do=delete&run=x",
    "/experiments/{experiment}/scorers/{scorer}": b"name=x",
}
"""Those that ask for nothing when they are empty, or are refused by what they lack."""


def body_of(route: Route) -> bytes:
    for op in Platform.operations:
        if route.path == PREFIX + op.name:
            return msgspec.json.encode(sample(msgspec.inspect.type_info(op.ask_type)))
    if route.path in FORMS:
        return FORMS[route.path]
    words = {"logged-models": "LOGGED_MODEL_READY", "webhooks": "ACTIVE", "traces": "OK"}
    status = next((word for part, word in words.items() if part in route.path), "FINISHED")
    tags = {"tags": "{}"} if "/datasets/" in route.path else {}
    return msgspec.json.encode({**UNIVERSAL, **tags, "status": status})


def path_of(route: Route) -> str:
    known = {"model_id": f"m-{HEX}", "version": "1"}
    return re.sub(r"\{(\w+?)(:path)?\}", lambda name: known.get(name[1], "x"), route.path)


STATUS: dict[tuple[Who, Need], set[int]] = {
    ("nobody", "read"): {401},
    ("nobody", "write"): {401},
    ("stranger", "read"): {401},
    ("stranger", "write"): {401},
    ("viewer", "write"): {403},
}
ALLOWED = {200, 302, 303, 304, 400, 404, 409, 501}
"""What somebody may get who may: done, or refused for what he asked, never for who he is; and never a 500."""


def test_every_address_has_an_expectation_and_every_expectation_an_address(world: World) -> None:
    served = {(route.method, route.path) for route in world.routes}
    assert len(served) == len(world.routes), "a route is there twice: only the first would answer"
    known = expected()
    assert served - known.keys() == set()
    twins = {address for address in known if address[1].endswith((".json", ".csv"))}
    assert known.keys() - served - twins == set()


def test_whether_it_lives_is_told_to_everyone(world: World) -> None:
    assert world.ask("nobody", "GET", "/health", b"") == (200, b"OK")


@pytest.mark.parametrize("who", ["nobody", "stranger", "viewer", "owner"])
def test_whoever_asks_gets_what_the_tables_allow(world: World, who: Who) -> None:
    needs = expected()
    wrong = []
    for route in world.routes:
        need = needs[route.method, route.path]
        query = QUERY.encode() if route.method == "GET" and route.path != "/live" else b""
        told = world.ask(who, route.method, path_of(route), body_of(route), query)
        if told.status not in STATUS.get((who, need), ALLOWED):
            wrong.append((route.method, route.path, need, told.status, told.body[:200]))
    assert wrong == [], "\n".join(map(str, wrong))


def test_a_viewer_changed_nothing_and_each_attempt_was_written_down(world: World) -> None:
    for route in world.routes:
        if route.path.startswith(PREFIX):
            world.ask("viewer", route.method, path_of(route), body_of(route))
    world.platform.change(lambda _ctx: None)  # behind the last attempt's record
    lines = world.platform.call(LOCAL, ListAudit(max_results=1000)).items
    assert {line.outcome for line in lines if line.actor == "viewer"} == {"denied"}
    denied = {line.operation for line in lines if line.outcome == "denied"}
    assert denied >= {op.name for op in Platform.operations if not op.is_read}


def test_a_token_that_was_revoked_or_has_expired_is_none(tmp_path: Path) -> None:
    from airside.core.errors import Unauthenticated
    from airside.platform.access.tokens import RevokeToken, actor_of

    clock = FixedClock()
    with_clock = Platform.open(tmp_path, settings=Settings.load(None, environment={}), clock=clock)
    made = with_clock.call(LOCAL, CreateToken(name="x", days=1))
    short = with_clock.call(LOCAL, CreateToken(name="y", days=1))

    def known(text: str) -> str:
        return with_clock.read(lambda ctx: actor_of(ctx.tx, text, now_ms=ctx.now_ms()).name)

    assert known(made.text) == "x"
    with_clock.call(LOCAL, RevokeToken(token_id=made.token.id))
    with pytest.raises(Unauthenticated, match="not known"):
        known(made.text)
    clock.advance(seconds=86_400)
    with pytest.raises(Unauthenticated, match="expired"):
        known(short.text)
    for text in ("", "air_", "air_x_y", f"air_{short.token.id}_wrong", short.text + "x", "x" + short.text):
        with pytest.raises(Unauthenticated):
            known(text)
    with_clock.close()
