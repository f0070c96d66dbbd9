"""The serving app without a socket: a table of fake models, a spool that remembers, and a caller."""

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from airside.core.errors import Invalid
from airside.inference.records import ColumnSpec, Prediction, Signature
from airside.serving.process.app import ServingApp
from airside.serving.process.batching import Batcher
from airside.serving.process.scoring import Line
from airside.serving.process.table import LiveArm, LiveModel, LiveRoute, Table
from airside.serving.records import Arm, NewBatch, Role, Route, ServingTransform

SIGNATURE = Signature(inputs=(ColumnSpec(name="x", type="double"),))


class FakeModel:
    """Labels a row by its sign, plus what it is told to add; fails on 666."""

    form = "compiled"

    def __init__(self, add: int = 0, signature: Signature = SIGNATURE) -> None:
        self.add = add
        self.signature = signature
        self.names: list[list[str]] = []
        self.calls: list[int] = []

    def predict(self, columns: dict[str, list[Any]]) -> Prediction:
        values = columns["x"]
        self.names.append(sorted(columns))
        self.calls.append(len(values))
        if -404 in values:
            raise Invalid("x is not known to the model")
        if 666 in values:
            raise RuntimeError("secret /path/of/model.py")
        return Prediction(
            labels=[int(value > 0) + self.add for value in values],
            probabilities=[[0.25, 0.75]] * len(values),
            scores=list(values),
            classes=(0, 1),
        )


class MemorySpool:
    """A spool that only remembers."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.is_full = False
        self.waiting = 0
        self.rejected = 0

    def put(self, line: Line) -> None:
        self.lines.append(line)

    @property
    def batches(self) -> list[NewBatch]:
        return [line.to_batch() for line in self.lines]


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def arm(
    model: FakeModel,
    version: int,
    role: Role = "champion",
    weight: int = 10_000,
    transform: ServingTransform | None = None,
    *,
    batches: bool = False,
) -> LiveArm:
    record = Arm(version=version, role=role, weight=weight, source="", files={}, transform=transform)
    batcher = Batcher(model.predict, ThreadPoolExecutor(1))
    if batches:
        batcher._batch_s = 0.001  # it is known to take a while, so requests are brought together
    return LiveArm(record, LiveModel(str(version), model, batcher))


def table(
    *arms: LiveArm,
    shadow: LiveArm | None = None,
    name: str = "jobs",
    state: str = "serving",
    rollout: str = "",
    phase: str = "",
) -> Table:
    route = Route(
        endpoint=name,  # type: ignore[arg-type]
        model="people",  # type: ignore[arg-type]
        state=state,  # type: ignore[arg-type]
        salt="salt",
        revision=1,
        rollout_id=rollout,
        phase=phase,  # type: ignore[arg-type]
        latency_objective_ms=100,
        arms=tuple(live.arm for live in arms),
    )
    live = LiveRoute(route, arms, shadow, by_version={each.arm.version: each for each in arms})
    return Table(revision=1, routes={name: live})


class Caller:
    """Calls the app as uvicorn does."""

    def __init__(self, app: ServingApp) -> None:
        self.app = app

    async def __call__(
        self, method: str, path: str, body: object = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {"host": "127.0.0.1:5001", "content-length": str(len(content)), **(headers or {})}
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in fields.items() if value],
        }
        await self.app(scope, receive, send)
        start = sent[0]
        answered = {name.decode(): value.decode() for name, value in start["headers"]}
        return Reply(start["status"], answered, b"".join(part.get("body", b"") for part in sent[1:]))


def play(scene: Callable[[ServingApp, Caller, MemorySpool], Any]) -> Any:
    """Run a scene on an event loop of its own, and wait for its shadows."""
    spool = MemorySpool()
    app = ServingApp(spool)  # type: ignore[arg-type]

    async def run() -> Any:
        result = await scene(app, Caller(app), spool)
        await app.scorer.finish()
        return result

    return asyncio.run(run())
