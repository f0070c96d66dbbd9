"""What follows for monitors: deliveries are analysed, labels complete their windows, references follow the champion.

The analysis runs here, on the reaction's own thread; what it found is recorded by an operation of milliseconds.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial
from itertools import groupby

import msgspec

from airside.core.clock import to_ms
from airside.core.errors import Conflict, NotFound
from airside.core.estimate import Estimate
from airside.core.ids import BlobId, EndpointName, ModelName
from airside.core.operation import SERVICE
from airside.core.paging import every
from airside.core.plugin import load
from airside.monitoring.operations.monitors import ListMonitors, SetReference
from airside.monitoring.operations.windows import ListWindows, RecordWindow
from airside.monitoring.records import Figure, Monitor, Window, WindowResult
from airside.platform.reacting import Reaction
from airside.platform.wiring import Platform
from airside.quality.operations.gates import ListGates
from airside.quality.profiles import Reference
from airside.registry.events import VersionPromoted
from airside.registry.operations.versions import GetVersion
from airside.serving.events import DeliveryCompleted, LabelsArrived
from airside.serving.log import read_batches
from airside.serving.operations.predictions import GetTruths, ListBatches
from airside.serving.records import Label, PredictionBatch
from airside.tracking.operations.runs import GetRun

ANALYSE = "airside.monitoring.analyse:analyse"
MOST = 1_000
RECENT = 10
TICK = timedelta(milliseconds=1)
SETTLED = timedelta(seconds=5)
"""A window of time is looked at so long after its end: the log is durable within a second."""
TRUTHS_AT_ONCE = 5_000
BASELINE = ("accuracy", "auc", "log_loss", "calibration")
"""What was measured on the reference's hold-out, shown beside each window."""


def analyse_delivery(platform: Platform, event: DeliveryCompleted, _seq: int) -> None:
    """A delivery is complete: every monitor of its endpoint that watches deliveries looks at it.

    To record a window again changes it, so no idempotency key is needed: labels may have come in between.
    """
    for monitor in monitors_of(platform, event.endpoint):
        if monitor.is_enabled and monitor.window.by == "delivery":
            batches = answered(platform, monitor.endpoint, delivery=event.delivery)
            look(platform, monitor, batches, delivery=event.delivery)


def complete_windows(platform: Platform, event: LabelsArrived, _seq: int) -> None:
    """Labels arrived: the windows that hold their rows are told anew, with the quality that was realised."""
    for monitor in monitors_of(platform, event.endpoint):
        for window in _incomplete(platform, monitor, event.deliveries):
            if window.delivery:
                batches = answered(platform, monitor.endpoint, delivery=window.delivery)
            else:
                batches = answered(platform, monitor.endpoint, span=(window.from_at, window.to_at + TICK))
            if sum(batch.labelled_rows for batch in batches) == window.labelled:
                continue  # an earlier event's look has seen these labels already
            look(platform, monitor, batches, delivery=window.delivery, before=window)


def _incomplete(platform: Platform, monitor: Monitor, deliveries: Sequence[str]) -> list[Window]:
    """The windows of some deliveries; of a monitor by rows or time, the newest that lack labels."""
    if monitor.window.by != "delivery":
        page = platform.call(SERVICE, ListWindows(monitor=monitor.name, max_results=RECENT, with_columns=False))
        return [window for window in page.items if window.labelled < window.rows]
    asks = [ListWindows(monitor=monitor.name, delivery=delivery) for delivery in deliveries]
    return [window for ask in asks for window in platform.call(SERVICE, ask).items]


def follow_champion(platform: Platform, event: VersionPromoted, seq: int) -> None:
    """Another version is champion: its training profile is the reference from now on, if it has one."""
    for monitor in platform.call(SERVICE, ListMonitors(model=event.name, max_results=MOST)).items:
        try:
            platform.call(
                SERVICE,
                SetReference(name=monitor.name, version=event.version),
                idempotency_key=f"move_references:{seq}:{monitor.name}",
            )
        except (Conflict, NotFound):
            continue  # a version without a profile, or gone since: the monitor keeps the reference that it has


def monitors_of(platform: Platform, endpoint: str) -> tuple[Monitor, ...]:
    """The monitors of an endpoint."""
    return platform.call(SERVICE, ListMonitors(endpoint=endpoint, max_results=MOST)).items


def look(
    platform: Platform,
    monitor: Monitor,
    batches: Sequence[PredictionBatch],
    *,
    delivery: str = "",
    before: Window | None = None,
) -> Window | None:
    """Analyse answered requests and record what was found; None when there are none.

    Args:
        platform: the open platform.
        monitor: whose reference and rule to use.
        batches: the requests, by time.
        delivery: their delivery's name; empty for a window of rows or time.
        before: the window as it was recorded before: it is compared with the reference of its own time again.
    """
    if not batches:
        return None
    reference_version = monitor.reference_version if before is None else before.reference_version
    blob = monitor.reference
    if reference_version != monitor.reference_version:
        blob = platform.call(SERVICE, GetVersion(name=monitor.model, version=reference_version)).reference
    result = analysed(platform, monitor, reference_of(platform, blob), batches, reference_version)
    ask = RecordWindow(
        monitor=monitor.name,
        delivery=delivery,
        from_at=batches[0].received_at if before is None else before.from_at,
        to_at=batches[-1].received_at if before is None else before.to_at,
        version=most_rows(batches),
        reference_version=reference_version,
        result=result,
    )
    return platform.call(SERVICE, ask)


def analysed(
    platform: Platform,
    monitor: Monitor,
    reference: Reference,
    batches: Sequence[PredictionBatch],
    reference_version: int,
) -> WindowResult:
    """The result of the analysis. Its module is heavy, so it is imported now, on this thread."""
    analyse, served_of = load(ANALYSE), load("airside.monitoring.analyse:served_of")
    columns = read_batches(platform.home, batches)
    served = served_of(columns.inputs, columns.labels, columns.probabilities, truth_of(platform, batches))
    result: WindowResult = analyse(
        reference,
        served,
        monitor.rule,
        baseline=baseline(platform, monitor, reference_version),
        by_segment=monitor.segments,
    )
    return result


def answered(
    platform: Platform,
    endpoint: EndpointName,
    *,
    delivery: str | None = None,
    span: tuple[datetime | None, datetime | None] = (None, None),
) -> list[PredictionBatch]:
    """What callers were answered, by time: champion and canary, without shadows and failures."""
    ask = ListBatches(endpoint=endpoint, delivery=delivery, since=span[0], until=span[1], max_results=MOST)
    found = every(partial(platform.call, SERVICE), ask)
    return [batch for batch in found if batch.role != "shadow" and not batch.error]


def most_rows(batches: Sequence[PredictionBatch]) -> int:
    """The version that answered most of the rows."""
    rows: dict[int, int] = {}
    for batch in batches:
        rows[batch.version] = rows.get(batch.version, 0) + batch.rows
    return max(rows, key=lambda version: (rows[version], version))


def truth_of(platform: Platform, batches: Sequence[PredictionBatch]) -> list[Label] | None:
    """What was true for each row of the batches, None for those without a label; None when none has one."""
    truths: dict[str, tuple[Label, ...]] = {}
    for start in range(0, len(batches), TRUTHS_AT_ONCE):
        ids = tuple(batch.request_id for batch in batches[start : start + TRUTHS_AT_ONCE])
        truths |= {one.request_id: one.labels for one in platform.call(SERVICE, GetTruths(request_ids=ids)).items}
    if not truths:
        return None
    known = [truths.get(batch.request_id, (None,) * batch.rows) for batch in batches]
    return [
        label
        for labels, batch in zip(known, batches, strict=True)
        for label in (labels if len(labels) == batch.rows else (None,) * batch.rows)
    ]


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
    """What was measured on the version's hold-out: by the newest gate decision, else by the run that made it."""
    page = platform.call(SERVICE, ListGates(model=monitor.model, version=version, max_results=1))
    found = {
        one.measure: one.estimate
        for gate in page.items
        for one in gate.results
        if one.estimate is not None and one.measure in BASELINE and not (one.segment or one.against)
    }
    for key, value in _run_metrics(platform, monitor.model, version).items():
        found.setdefault(key, Estimate(value=value))
    return tuple(Figure(measure=name, basis="reference", estimate=found[name]) for name in BASELINE if name in found)


def _run_metrics(platform: Platform, model: ModelName, version: int) -> dict[str, float]:
    """The metrics of the run that made a version, by the names of the measures; none when it came from no run."""
    try:
        run_id = platform.call(SERVICE, GetVersion(name=model, version=version)).run_id
        run = platform.call(SERVICE, GetRun(run_id=run_id)) if run_id else None
    except NotFound:
        return {}
    metrics = () if run is None else run.metrics
    return {one.key: one.value for one in metrics if one.key in BASELINE and one.value is not None}


def cut_windows(platform: Platform) -> None:
    """Monitors by rows or time: look at every window that is full by now.

    Where anything is watched, the heavy modules are imported here already, so that the first delivery need not wait.
    """
    watched = [one for one in platform.call(SERVICE, ListMonitors(max_results=MOST)).items if one.is_enabled]
    if watched:
        load(ANALYSE)
    for monitor in watched:
        if monitor.window.by != "delivery":
            for batches in full_windows(platform, monitor):
                look(platform, monitor, batches)


def full_windows(platform: Platform, monitor: Monitor) -> list[list[PredictionBatch]]:
    """The requests since the newest window, cut into full windows; what does not fill one waits."""
    newest = platform.call(SERVICE, ListWindows(monitor=monitor.name, max_results=1, with_columns=False)).items
    since = newest[0].to_at + TICK if newest else monitor.created_at
    batches = answered(platform, monitor.endpoint, span=(since, None))
    if monitor.window.by == "rows":
        return cut_by_rows(batches, monitor.window.size)
    return cut_by_time(batches, monitor.window.size, platform.clock.now() - SETTLED)


def cut_by_rows(batches: Sequence[PredictionBatch], size: int) -> list[list[PredictionBatch]]:
    """Windows of at least so many rows. Requests of one instant stay together, so that none falls between two."""
    found: list[list[PredictionBatch]] = []
    current: list[PredictionBatch] = []
    for _, group in groupby(batches, key=lambda batch: batch.received_at):
        current += group
        if sum(batch.rows for batch in current) >= size:
            found.append(current)
            current = []
    return found


def cut_by_time(batches: Sequence[PredictionBatch], size_s: int, now: datetime) -> list[list[PredictionBatch]]:
    """Windows of so many seconds, on the clock's own marks; the one that is not over yet waits."""

    def mark(instant: datetime) -> int:
        return to_ms(instant) // (size_s * 1000)

    groups = groupby(batches, key=lambda batch: mark(batch.received_at))
    return [list(group) for key, group in groups if key < mark(now)]


REACTIONS: tuple[Reaction, ...] = (
    Reaction(name="analyse_delivery", event=DeliveryCompleted, handle=analyse_delivery),
    Reaction(name="complete_windows", event=LabelsArrived, handle=complete_windows),
    Reaction(name="move_references", event=VersionPromoted, handle=follow_champion),
)
"""What follows for monitors."""
