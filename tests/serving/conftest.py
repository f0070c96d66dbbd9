"""A model with versions, an endpoint, and requests as a serving process hands them over."""

import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

import pytest

from airside.core.clock import FixedClock
from airside.core.ids import BlobId, EndpointName, ModelName, PredictionId
from airside.core.operation import LOCAL
from airside.core.record import Ask
from airside.platform.wiring import Platform
from airside.registry.operations.aliases import SetAlias
from airside.registry.operations.models import CreateModel
from airside.registry.operations.versions import CreateVersion
from airside.serving import log
from airside.serving.operations.endpoints import CreateEndpoint
from airside.serving.operations.predictions import Appended, AppendPredictions
from airside.serving.records import Label, LoggedColumns, NewBatch, Phase, Role

T = TypeVar("T")
NAME, MODEL = EndpointName("jobs"), ModelName("people")


class House:
    """What the tests of serving do again and again."""

    def __init__(self, platform: Platform, clock: FixedClock) -> None:
        self.platform = platform
        self.clock = clock
        self._ids = itertools.count(1)

    def ask(self, ask: Ask[T]) -> T:
        return self.platform.call(LOCAL, ask)

    def model(self, versions: int = 2, champion: int = 1) -> None:
        self.ask(CreateModel(name=MODEL))
        for number in range(1, versions + 1):
            digest = BlobId("b3:" + f"{number:064x}")
            self.ask(CreateVersion(name=MODEL, source=f"s3://models/people/{number}", files={"MLmodel": digest}))
        if champion:
            self.ask(SetAlias(name=MODEL, alias="champion", version=champion))

    def endpoint(self) -> None:
        self.ask(CreateEndpoint(name=NAME, model=MODEL))

    def batch(
        self,
        labels: Sequence[Label],
        *,
        role: Role = "champion",
        version: int = 1,
        rollout: str = "",
        phase: Phase = "",
        request: str = "",
        error: str = "",
        paired: str = "",
        delivery: str = "",
        latency_ms: float = 1.0,
        rows: int = 0,
    ) -> NewBatch:
        number = next(self._ids)
        count = rows or len(labels)
        columns = LoggedColumns(inputs={"x": [float(i) for i in range(count)]}, labels=list(labels))
        return NewBatch(
            id=PredictionId(f"p-{number:032x}"),
            request_id=request or f"r{number}",
            endpoint=NAME,
            model=MODEL,
            version=version,
            role=role,
            rollout_id=rollout,
            phase=phase,
            delivery=delivery,
            received_at=self.clock.now() + timedelta(milliseconds=number),
            rows=count,
            labels=tuple(labels),
            latency_ms=latency_ms,
            error=error,
            paired_id=paired,
            body=log.encode_body(columns),
        )

    def append(self, *batches: NewBatch) -> Appended:
        return self.ask(AppendPredictions(batches=batches))


@pytest.fixture
def house(platform: Platform, clock: FixedClock) -> House:
    return House(platform, clock)
