"""The nouns of tracking: experiments, runs, and what runs log."""

from typing import Literal

from airside.core.ids import ExperimentId, LoggedModelId, RunId
from airside.core.record import Record

RunStatus = Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
LifecycleStage = Literal["active", "deleted"]
View = Literal["active", "deleted", "all"]
"""Which records a search shows, by their life-cycle stage."""


class Tag(Record):
    """A label: a key and a text."""

    key: str
    value: str = ""


class Param(Record):
    """A parameter of a run: written once."""

    key: str
    value: str = ""


class Metric(Record):
    """One point of a metric.

    Attributes:
        value: the figure; None stands for "not a number", which JSON has no word for. Infinities are kept as the
            greatest finite double of their sign.
        timestamp_ms: when it was measured.
        step: the position in the training; may be negative.
    """

    key: str
    value: float | None
    timestamp_ms: int
    step: int = 0


class LoggedMetric(Metric):
    """A point to be logged, which may also belong to a logged model and to a dataset."""

    model_id: LoggedModelId = LoggedModelId("")
    dataset_name: str = ""
    dataset_digest: str = ""


class RunMetric(Record):
    """A point of a metric together with its run."""

    run_id: RunId
    key: str
    value: float | None
    timestamp_ms: int
    step: int = 0


class Dataset(Record):
    """A dataset as a run saw it: identified within an experiment by its name and digest."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str | None = None
    profile: str | None = None


class DatasetInput(Record):
    """A dataset that a run read; the tag `mlflow.data.context` says for what."""

    dataset: Dataset
    tags: tuple[Tag, ...] = ()


class ModelOutput(Record):
    """A logged model that a run made, at a step."""

    model_id: LoggedModelId
    step: int = 0


class RunInfo(Record):
    """The head of a run.

    Attributes:
        user_id: who ran it; empty when not told.
        start_time_ms: 0 when not told.
        end_time_ms: None until it ended.
        artifact_uri: where its files are.
    """

    run_id: RunId
    experiment_id: ExperimentId
    name: str
    user_id: str
    status: RunStatus
    start_time_ms: int
    end_time_ms: int | None
    artifact_uri: str
    lifecycle_stage: LifecycleStage


class Run(Record, dict=True):
    """A run with all that it logged; of each metric the latest point (greatest step, then time, then value).

    It has a `__dict__` beside its fields, for forms of it that are dear to make: they live as long as it does.

    Attributes:
        revision: counts every change, so that a run that was loaded can be kept.
    """

    info: RunInfo
    metrics: tuple[Metric, ...] = ()
    params: tuple[Param, ...] = ()
    tags: tuple[Tag, ...] = ()
    dataset_inputs: tuple[DatasetInput, ...] = ()
    model_inputs: tuple[LoggedModelId, ...] = ()
    model_outputs: tuple[ModelOutput, ...] = ()
    revision: int = 0


class RunPage(Record):
    """A page of runs."""

    items: tuple[Run, ...]
    next_page_token: str = ""


class Experiment(Record):
    """A named group of runs."""

    experiment_id: ExperimentId
    name: str
    artifact_location: str
    lifecycle_stage: LifecycleStage
    created_ms: int
    updated_ms: int
    tags: tuple[Tag, ...] = ()


class ExperimentPage(Record):
    """A page of experiments."""

    items: tuple[Experiment, ...]
    next_page_token: str = ""


class Swept(Record):
    """How far the runs of an experiment have come to its own stage."""

    is_unfinished: bool


class MetricPage(Record):
    """A page of a metric's history, by time, then step, then value."""

    items: tuple[Metric, ...]
    next_page_token: str = ""


class MetricPoints(Record):
    """Points of a metric as columns of one length, by time, then step, then value; None is "not a number"."""

    key: str
    timestamps_ms: tuple[int, ...]
    steps: tuple[int, ...]
    values: tuple[float | None, ...]
    next_page_token: str = ""


class RunMetrics(Record):
    """Points of several runs."""

    items: tuple[RunMetric, ...]


class Curve(Record):
    """A metric of a run, drawn within so many pixels: every extreme is kept.

    Attributes:
        n_points: the points in the asked range; `n_sent`, those that are here; `exact`, whether these are all.
        x, y: the points, in order of x (the step, seconds since the run's first point, or milliseconds since 1970).
        smooth: the smoothed values at the same places, when smoothing was asked for.
        not_finite_x: where values are that are no numbers.
    """

    run_id: RunId
    key: str
    n_points: int
    n_sent: int
    exact: bool
    x: tuple[float, ...]
    y: tuple[float, ...]
    smooth: tuple[float, ...] = ()
    not_finite_x: tuple[float, ...] = ()


class Curves(Record):
    """The curves of one chart."""

    items: tuple[Curve, ...]


class DatasetSummary(Record):
    """A dataset that runs of an experiment used, and for what."""

    experiment_id: ExperimentId
    name: str
    digest: str
    context: str | None = None


class DatasetSummaries(Record):
    """The datasets of some experiments."""

    items: tuple[DatasetSummary, ...]


class Names(Record):
    """Some names or values, and whether there are more."""

    items: tuple[str, ...]
    is_cut: bool = False
