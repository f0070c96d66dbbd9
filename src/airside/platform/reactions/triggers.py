"""What follows for pipelines: an alert, a dataset version, a promotion, or the clock starts runs."""

from airside.core.operation import SERVICE
from airside.data.events import DatasetVersionAdded
from airside.monitoring.events import AlertOpened
from airside.monitoring.operations.alerts import GetAlert
from airside.pipelines.operations.triggers import CountDueTriggers, NoteEvent, TickTriggers
from airside.platform.reacting import Reaction
from airside.platform.wiring import Platform
from airside.registry.events import VersionPromoted

TRAINABLE = {"drift", "quality"}
"""The kinds of alert that newer data can mend."""


def note_alert(platform: Platform, event: AlertOpened, _seq: int) -> None:
    """An alert about drift or quality was opened. Its id makes it the same event however often it is told.

    Codes that nobody knew, values out of range and missing values are faults of the data: what would be trained on them
    would learn the fault, so they start nothing.
    """
    if event.kind not in TRAINABLE:
        return
    alert = platform.call(SERVICE, GetAlert(alert_id=event.alert_id))
    ask = NoteEvent(
        kind="alert",
        event=event.alert_id,
        monitor=event.monitor,
        model=event.model,
        happened_at=alert.opened_at,
        text=event.title,
    )
    platform.call(SERVICE, ask)


def note_dataset(platform: Platform, event: DatasetVersionAdded, _seq: int) -> None:
    """A dataset has a new version."""
    ask = NoteEvent(
        kind="dataset",
        event=event.id,
        dataset=event.dataset,
        dataset_version=event.version,
        text=f"{event.dataset}@{event.version} was added",
    )
    platform.call(SERVICE, ask)


def note_promotion(platform: Platform, event: VersionPromoted, seq: int) -> None:
    """A version became the champion: the same version may do so again later, so the event's number tells them apart."""
    ask = NoteEvent(
        kind="promotion",
        event=f"{event.name}@{event.version}#{seq}",
        model=event.name,
        model_version=event.version,
        text=f"{event.name}@{event.version} became the champion",
    )
    platform.call(SERVICE, ask)


def tick(platform: Platform) -> None:
    """Fire what the calendar asks for."""
    if platform.call(SERVICE, CountDueTriggers()).count:
        platform.call(SERVICE, TickTriggers())


REACTIONS: tuple[Reaction, ...] = (
    Reaction(name="trigger-by-alert", event=AlertOpened, handle=note_alert),
    Reaction(name="trigger-by-dataset", event=DatasetVersionAdded, handle=note_dataset),
    Reaction(name="trigger-by-promotion", event=VersionPromoted, handle=note_promotion),
)
