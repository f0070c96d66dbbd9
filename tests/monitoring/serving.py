"""A small world for tests: a model with a training profile, an endpoint that answers, a monitor that watches."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from tests.monitoring.making import START, training_reference

from airside.core.clock import FixedClock
from airside.core.ids import BlobId, EndpointName, ModelName, MonitorName, PredictionId
from airside.core.operation import LOCAL, SERVICE
from airside.monitoring.operations.monitors import CreateMonitor
from airside.monitoring.operations.windows import RecordWindow
from airside.monitoring.records import ColumnFinding, Figure, Monitor, Window, WindowPlan, WindowResult
from airside.platform.wiring import Platform
from airside.quality.profiles import Reference
from airside.registry.operations.aliases import SetAlias
from airside.registry.operations.models import CreateModel
from airside.registry.operations.versions import CreateVersion
from airside.serving.log import encode_body
from airside.serving.operations.deliveries import CompleteDelivery
from airside.serving.operations.endpoints import CreateEndpoint
from airside.serving.operations.predictions import AppendPredictions, LabelPredictions, LabelsOfRequest
from airside.serving.records import LoggedColumns, NewBatch

MODEL = ModelName("employment")
ENDPOINT = EndpointName("employment")
MONITOR = MonitorName("inputs")
SMALL = Reference(digest="b3:" + "0" * 64, rows=0)


def put(platform: Platform, reference: Reference) -> BlobId:
    return platform.blobs.put([msgspec.json.encode(reference)])


def version(platform: Platform, reference: Reference | None = SMALL) -> int:
    blob = BlobId("") if reference is None else put(platform, reference)
    return platform.call(LOCAL, CreateVersion(name=MODEL, source="s3://bucket/model", reference=blob)).version


def promote(platform: Platform, number: int) -> None:
    platform.call(LOCAL, SetAlias(name=MODEL, alias="champion", version=number))


def world(
    platform: Platform,
    reference: Reference = SMALL,
    plan: WindowPlan | None = None,
    segments: tuple[str, ...] = (),
) -> Monitor:
    """A model whose first version is champion, its endpoint and its monitor."""
    platform.call(LOCAL, CreateModel(name=MODEL))
    promote(platform, version(platform, reference))
    platform.call(LOCAL, CreateEndpoint(name=ENDPOINT, model=MODEL))
    return platform.call(
        LOCAL,
        CreateMonitor(
            name=MONITOR,
            endpoint=ENDPOINT,
            window=plan or WindowPlan(),
            segments=segments,
            policy="retrain all the same",
        ),
    )


def real_world(platform: Platform, **options: Any) -> Monitor:
    return world(platform, training_reference(), **options)


def record(
    platform: Platform,
    delivery: str,
    *found: ColumnFinding,
    figures: tuple[Figure, ...] = (),
    reference: int = 1,
    labelled: int = 0,
) -> Window:
    assert isinstance(platform.clock, FixedClock)
    platform.clock.advance(seconds=1)
    result = WindowResult(rows=4000, labelled=labelled, columns=found, figures=figures)
    return platform.call(
        SERVICE,
        RecordWindow(
            monitor=MONITOR,
            delivery=delivery,
            from_at=START,
            to_at=START,
            version=1,
            reference_version=reference,
            result=result,
        ),
    )


def serve(
    platform: Platform,
    delivery: str,
    inputs: Mapping[str, Any],
    *,
    size: int = 500,
    at: datetime = START,
    role: Any = "champion",
    prefix: str = "",
    number: int = 1,
) -> list[tuple[str, int]]:
    """Log answers to a delivery in requests of `size` rows; the ids of the requests and their rows."""
    rows = len(next(iter(inputs.values())))
    asked, batches = [], []
    for start in range(0, rows, size):
        part = {name: [int(value) for value in values[start : start + size]] for name, values in inputs.items()}
        count = len(next(iter(part.values())))
        request = f"{prefix}{delivery or 'free'}-{start}-{at.timestamp()}"
        scores = np.linspace(0.3, 0.9, count)
        columns = LoggedColumns(
            inputs=part,
            labels=[int(score > 0.5) for score in scores],
            probabilities=[[1 - score, score] for score in scores.tolist()],
        )
        asked.append((request, count))
        batches.append(
            NewBatch(
                id=PredictionId(f"p-{role}-{request}"),
                request_id=request,
                endpoint=ENDPOINT,
                model=MODEL,
                version=number,
                role=role,
                delivery=delivery,
                received_at=at,
                rows=count,
                labels=tuple(columns.labels),
                latency_ms=5.0,
                body=encode_body(columns),
            )
        )
    platform.call(SERVICE, AppendPredictions(batches=tuple(batches)))
    return asked


def complete(platform: Platform, delivery: str) -> None:
    platform.call(LOCAL, CompleteDelivery(endpoint=ENDPOINT, name=delivery))


def label(platform: Platform, asked: Sequence[tuple[str, int]], value: int = 1) -> None:
    items = tuple(LabelsOfRequest(request_id=request, labels=(value,) * rows) for request, rows in asked)
    platform.call(LOCAL, LabelPredictions(endpoint=ENDPOINT, items=items))


def events(platform: Platform) -> list[str]:
    """The names of all events so far, oldest first."""
    return [row[0] for row in platform.read(lambda ctx: ctx.tx.all("SELECT name FROM event ORDER BY seq"))]
