"""Triggers: create, list, enable; told of events, of time; fired by hand."""

from typing import Any, Literal

from airside.core.ids import DatasetName, ModelName, MonitorName, PipelineName
from airside.core.operation import AnyOperation, Context, operation
from airside.core.record import Ask, Record
from airside.pipelines.records import Trigger, TriggerFire, TriggerKind


class CreateTrigger(Ask[Trigger]):
    """A trigger of a pipeline. The fields are those of `Trigger`."""

    name: str
    pipeline: PipelineName
    on: TriggerKind
    monitor: MonitorName = MonitorName("")
    dataset: DatasetName = DatasetName("")
    model: ModelName = ModelName("")
    cron: str = ""
    time_zone: str = "UTC"
    wait_for_dataset: DatasetName = DatasetName("")
    parameters: dict[str, Any] = {}


class TriggerPage(Record):
    """Some triggers."""

    items: tuple[Trigger, ...]
    next_page_token: str = ""


class ListTriggers(Ask[TriggerPage]):
    """The triggers of a pipeline, or all."""

    pipeline: PipelineName = PipelineName("")
    limit: int = 100
    page_token: str = ""


class EnableTrigger(Ask[Trigger]):
    """Switch a trigger on or off."""

    trigger_id: str
    enabled: bool


class Fired(Record):
    """What a thing that happened did to the triggers."""

    fires: tuple[TriggerFire, ...] = ()


class NoteEvent(Ask[Fired]):
    """Something happened of which triggers may want to know.

    Attributes:
        kind: what happened.
        event: its id: an alert's, a dataset version's, `name@version` of a model. The same id is the same event.
        monitor, dataset, model: what it is about.
        dataset_version: its number, for `dataset`.
        model_version: the promoted one, for `promotion`.
        text: one line for people.
    """

    kind: Literal["alert", "dataset", "promotion"]
    event: str
    monitor: MonitorName = MonitorName("")
    dataset: DatasetName = DatasetName("")
    dataset_version: int = 0
    model: ModelName = ModelName("")
    model_version: int = 0
    text: str = ""


class FireTrigger(Ask[TriggerFire]):
    """Fire a trigger by hand, of whatever kind it is. The same `key` fires once; empty is always a new one."""

    trigger_id: str
    key: str = ""
    parameters: dict[str, Any] = {}


class TickTriggers(Ask[Fired]):
    """Time has passed: fire what the calendar asks for."""


class TriggerFirePage(Record):
    """Some fires, the newest first."""

    items: tuple[TriggerFire, ...]
    next_page_token: str = ""


class ListFires(Ask[TriggerFirePage]):
    """The fires of a trigger, or all."""

    trigger: str = ""
    limit: int = 100
    page_token: str = ""


OPERATIONS: tuple[AnyOperation, ...] = ()
