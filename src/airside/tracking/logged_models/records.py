"""The nouns of logged models."""

from typing import Literal

from airside.core.ids import ExperimentId, LoggedModelId, RunId
from airside.core.record import Record
from airside.tracking.records import LifecycleStage, LoggedMetric, Param, Tag

LoggedModelStatus = Literal["PENDING", "READY", "FAILED"]
"""FAILED: the upload of its files failed."""


class ModelMetric(LoggedMetric):
    """A point of a metric that belongs to a logged model, with the run that logged it."""

    run_id: RunId = RunId("")


class LoggedModel(Record):
    """A model that a run logged.

    Attributes:
        model_type, source_run_id: empty when not told.
        metrics: every point, not the latest alone.
    """

    model_id: LoggedModelId
    experiment_id: ExperimentId
    name: str
    artifact_uri: str
    created_ms: int
    updated_ms: int
    status: LoggedModelStatus = "PENDING"
    status_message: str = ""
    model_type: str = ""
    source_run_id: RunId = RunId("")
    lifecycle_stage: LifecycleStage = "active"
    params: tuple[Param, ...] = ()
    tags: tuple[Tag, ...] = ()
    metrics: tuple[ModelMetric, ...] = ()


class LoggedModelPage(Record):
    """A page of logged models."""

    items: tuple[LoggedModel, ...]
    next_page_token: str = ""


class DatasetFilter(Record):
    """A dataset on which a metric was measured; without a digest every version of it."""

    dataset_name: str
    dataset_digest: str = ""


class ModelOrder(Record):
    """One field to order logged models by: an attribute, or `metrics.K`, perhaps on one dataset."""

    field_name: str
    ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""
