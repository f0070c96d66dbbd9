"""What follows for monitors: deliveries are analysed, labels complete their windows, references follow the champion.

The analysis runs here, on the reaction's own thread; what it found is recorded by an operation of milliseconds.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from airside.core.errors import Conflict, NotFound
from airside.core.ids import BlobId, EndpointName
from airside.core.operation import SERVICE
from airside.core.plugin import load
from airside.monitoring.operations.monitors import ListMonitors, SetReference
from airside.monitoring.operations.windows import ListWindows, RecordWindow
from airside.monitoring.records import Figure, Monitor, Window
from airside.platform.reacting import Reaction
from airside.platform.wiring import Platform
from airside.quality.operations.gates import ListGates
from airside.quality.profiles import Reference
from airside.registry.events import VersionPromoted
from airside.registry.operations.versions import GetVersion
from airside.serving.events import DeliveryCompleted, LabelsArrived
from airside.serving.log import read_each
from airside.serving.operations.predictions import GetTruths, ListBatches
from airside.serving.records import Label, LoggedColumns, PredictionBatch

MOST = 1_000
TRUTHS_AT_ONCE = 5_000
BASELINE = ("accuracy", "auc", "log_loss", "calibration")
"""What the gate measured on the reference's hold-out, shown beside each window."""


def analyse_delivery(platform: Platform, event: DeliveryCompleted, seq: int) -> None:
    """A delivery is complete: every monitor of its endpoint that watches deliveries looks at it."""
    for monitor in monitors_of(platform, event.endpoint):
        if monitor.is_enabled and monitor.window.by == "delivery":
            look(platform, monitor, event.delivery, f"analyse_delivery:{seq}:{monitor.name}")


def complete_windows(platform: Platform, event: LabelsArrived, seq: int) -> None:
    """Labels arrived: the windows of their deliveries are told anew, with the quality that was realised."""
    for monitor in monitors_of(platform, event.endpoint):
        for delivery in event.deliveries:
            ask = ListWindows(monitor=monitor.name, delivery=delivery)
            for window in platform.call(SERVICE, ask).items:
                look(platform, monitor, delivery, f"complete_windows:{seq}:{monitor.name}:{delivery}", window)


def follow_champion(platform: Platform, event: VersionPromoted, seq: int) -> None:
    """Another version is champion: its training profile is the reference from now on, if it has one."""
    for monitor in platform.call(SERVICE, ListMonitors(model=event.name, max_results=MOST)).items:
        try:
            platform.call(
                SERVICE,
                SetReference(name=monitor.name, version=event.version),
                idempotency_key=f"follow_champion:{seq}:{monitor.name}",
            )
        except (Conflict, NotFound):
            continue  # a version without a profile, or gone since: the monitor keeps the reference that it has


def monitors_of(platform: Platform, endpoint: str) -> tuple[Monitor, ...]:
    """The monitors of an endpoint."""
    return platform.call(SERVICE, ListMonitors(endpoint=endpoint, max_results=MOST)).items


def look(platform: Platform, monitor: Monitor, delivery: str, key: str, before: Window | None = None) -> Window | None:
    """Analyse a delivery and record what was found; None when it holds no answer.

    Args:
        platform: the open platform.
        monitor: whose reference and rule to use.
        delivery: the delivery's name.
        key: the idempotency key of the recording.
        before: the window as it was recorded before; it is compared with the reference of its own time again.
    """
    batches = answered(platform, monitor.endpoint, delivery)
    if not batches:
        return None
    version = most_rows(batches)
    reference_version = monitor.reference_version if before is None else before.reference_version
    blob = monitor.reference
    if reference_version != monitor.reference_version:
        blob = platform.call(SERVICE, GetVersion(name=monitor.model, version=reference_version)).reference
    result = analysed(platform, monitor, reference_of(platform, blob), batches, reference_version)
    return platform.call(
        SERVICE,
        RecordWindow(
            monitor=monitor.name,
            delivery=delivery,
            from_at=batches[0].received_at,
            to_at=batches[-1].received_at,
            version=version,
            reference_version=reference_version,
            result=result,
        ),
        idempotency_key=key,
    )


def analysed(  # noqa: PLR0913
    platform: Platform,
    monitor: Monitor,
    reference: Reference,
    batches: Sequence[PredictionBatch],
    reference_version: int,
) -> Any:
    """The result of the analysis; its module is heavy, so it is imported now."""
    analyse, served_of = load("airside.monitoring.analyse:analyse"), load("airside.monitoring.analyse:served_of")
    columns, truth = rows_of(platform, batches)
    served = served_of(columns.inputs, columns.labels, columns.probabilities, truth)
    return analyse(
        reference,
        served,
        monitor.rule,
        baseline=baseline(platform, monitor, reference_version),
        by_segment=monitor.segments,
    )


def answered(platform: Platform, endpoint: EndpointName, delivery: str) -> list[PredictionBatch]:
    """What callers were answered in a delivery, by time: champion and canary, without shadows and failures."""
    found: list[PredictionBatch] = []
    token = ""
    while True:
        page = platform.call(
            SERVICE, ListBatches(endpoint=endpoint, delivery=delivery, max_results=MOST, page_token=token)
        )
        found += [batch for batch in page.items if batch.role != "shadow" and not batch.error]
        token = page.next_page_token
        if not token:
            return found


def most_rows(batches: Sequence[PredictionBatch]) -> int:
    """The version that answered most of the rows."""
    rows: dict[int, int] = {}
    for batch in batches:
        rows[batch.version] = rows.get(batch.version, 0) + batch.rows
    return max(rows, key=lambda version: (rows[version], version))


def rows_of(platform: Platform, batches: Sequence[PredictionBatch]) -> tuple[LoggedColumns, list[Label] | None]:
    """The rows of the batches as one table, and what was true for each; None for rows without a label."""
    truths: dict[str, tuple[Label, ...]] = {}
    for start in range(0, len(batches), TRUTHS_AT_ONCE):
        ids = tuple(batch.request_id for batch in batches[start : start + TRUTHS_AT_ONCE])
        truths |= {one.request_id: one.labels for one in platform.call(SERVICE, GetTruths(request_ids=ids)).items}
    parts = list(read_each(platform.home, batches))
    names = [name for name in parts[0].inputs if all(name in part.inputs for part in parts)]
    columns = LoggedColumns(
        inputs={name: [value for part in parts for value in part.inputs[name]] for name in names},
        labels=[label for part in parts for label in part.labels],
        probabilities=[row for part in parts for row in part.probabilities],
    )
    if not truths:
        return columns, None
    known = [truths.get(batch.request_id, ()) or (None,) * batch.rows for batch in batches]
    return columns, [label for one in known for label in one]


@lru_cache(maxsize=8)
def _decoded(text: bytes) -> Reference:
    return msgspec.json.decode(text, type=Reference)


def reference_of(platform: Platform, blob: BlobId) -> Reference:
    """The training profile in a blob.

    Raises:
        NotFound: the blob is gone.
        Conflict: it is no profile.
    """
    try:
        return _decoded(b"".join(platform.blobs.open(blob)))
    except msgspec.DecodeError as error:
        raise Conflict(f"The blob '{blob}' is no profile of training data: {error}") from error


def baseline(platform: Platform, monitor: Monitor, version: int) -> tuple[Figure, ...]:
    """What the newest gate decision measured on the version's hold-out."""
    page = platform.call(SERVICE, ListGates(model=monitor.model, version=version, max_results=1))
    return tuple(
        Figure(measure=one.measure, basis="reference", estimate=one.estimate)
        for gate in page.items
        for one in gate.results
        if one.estimate is not None and one.measure in BASELINE and not (one.segment or one.against)
    )


REACTIONS = (
    Reaction(name="analyse_delivery", event=DeliveryCompleted, handle=analyse_delivery),
    Reaction(name="complete_windows", event=LabelsArrived, handle=complete_windows),
    Reaction(name="move_references", event=VersionPromoted, handle=follow_champion),
)
"""What follows for monitors."""
