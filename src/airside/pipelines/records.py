"""The nouns of the room: pipelines, their graph, runs, steps, values, triggers."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from airside.core.ids import BlobId, DatasetName, ModelName, MonitorName, PipelineName, PipelineRunId, RunId
from airside.core.record import Record
from airside.tracking.capture.records import CodeState

RESULT = "result"
"""The name of a step's output when it declares none."""


class Constant(Record, tag="constant", tag_field="from"):
    """An argument that stands in the pipeline's text. Its value is JSON."""

    value: Any


class FromParameter(Record, tag="parameter", tag_field="from"):
    """An argument that is a parameter of the pipeline."""

    name: str


class FromStep(Record, tag="step", tag_field="from"):
    """An argument that is an output of another step; of a mapped step, the list of the outputs of all its parts."""

    node: str
    output: str = RESULT


class Listed(Record, tag="list", tag_field="from"):
    """An argument that is a list of other arguments, e.g. of several steps' outputs."""

    items: tuple["Constant | FromParameter | FromStep | Listed", ...]


Binding = Constant | FromParameter | FromStep | Listed


class StepOptions(Record):
    """How a step is run.

    Attributes:
        retries: how often a failed body is tried again; lost workers are counted apart.
        retry_delay_s, retry_factor, retry_cap_s: the wait before the n-th retry is `delay * factor ** (n - 1)`, at most
            the cap.
        timeout_s: the body is killed after so long; None is never.
        cache: whether an equal key of an earlier run spares the body.
        env: environment variables that the step reads: their values are part of the key.
        files: files of the project (paths below its root) that the step reads: their content is part of the key.
    """

    retries: int = 0
    retry_delay_s: float = 0.5
    retry_factor: float = 2.0
    retry_cap_s: float = 60.0
    timeout_s: float | None = None
    cache: bool = True
    env: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class Node(Record):
    """A step in a graph.

    Attributes:
        name: unique in the graph.
        function: `module:name`, found from the root of the project. An approval has none: it waits for a person.
        bindings: argument → where its value comes from.
        mapped: the arguments whose value is a list of which each part of the fan-out gets one element.
        after: nodes that must have succeeded, though nothing of them is an argument.
        outputs: the names of what it returns.
    """

    name: str
    function: str
    bindings: dict[str, Binding] = msgspec.field(default_factory=dict)
    mapped: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    outputs: tuple[str, ...] = (RESULT,)
    options: StepOptions = StepOptions()
    summary: str = ""


class Parameter(Record):
    """A parameter of a pipeline.

    Attributes:
        type: `str`, `int`, `float`, `bool`, `list`, `dict` or `any`.
        required: whether a run must give it; else `default` stands in.
    """

    name: str
    type: Literal["str", "int", "float", "bool", "list", "dict", "any"] = "any"
    required: bool = False
    default: Any = None


class Graph(Record):
    """The steps of a pipeline and how they hang together, in an order in which they could run."""

    nodes: tuple[Node, ...]
    result: Binding | None = None


class Pipeline(Record):
    """A version of a pipeline: its graph and the code that its steps run.

    Attributes:
        version: 1, 2, …: a registration that changes anything makes a new one. A run keeps the one it began with.
        entry: `module:name` of the pipeline function.
        code: the blob of a zip of the project's files.
        made_with: where the repository of those files stood at the latest registration; None when it was not captured.
    """

    name: PipelineName
    version: int
    entry: str
    code: BlobId
    graph: Graph
    created_at: datetime
    created_by: str
    parameters: tuple[Parameter, ...] = ()
    description: str = ""
    made_with: CodeState | None = None


RunState = Literal["queued", "running", "waiting", "interrupted", "succeeded", "failed", "cancelled"]
StepState = Literal["running", "waiting", "interrupted", "succeeded", "failed", "skipped", "cancelled"]


class Cause(Record):
    """Why a run was started.

    Attributes:
        kind: by hand, or by what kind of trigger.
        actor: who asked.
        trigger: the trigger's id.
        event: the id of what happened: an alert, a dataset version, `name@version` of a promoted model.
        text: one line for people.
    """

    kind: Literal["manual", "alert", "dataset", "promotion", "cron"] = "manual"
    actor: str = ""
    trigger: str = ""
    event: str = ""
    text: str = ""


class PipelineRun(Record):
    """One run of a version of a pipeline.

    Attributes:
        tracking_run: the tracked run that stands for it in the experiment of the pipeline's name.
        parameters: those given, with the defaults filled in.
        attempt: how many drivers have claimed it.
        worker: who drives it now, or did last.
        error: why it failed, one line.
        result: what the pipeline function returned, if it is small.
    """

    id: PipelineRunId
    pipeline: PipelineName
    version: int
    state: RunState
    tracking_run: RunId
    created_at: datetime
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    cause: Cause = Cause()
    attempt: int = 0
    worker: str = ""
    error: str = ""
    result: Any = None
    steps_total: int = 0
    steps_done: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None


class Value(Record, omit_defaults=True):
    """What a step returned, by content.

    Attributes:
        kind: `json`: the value stands here; `arrow`: an Arrow IPC file in a blob; `pickle`: protocol 5 in a blob,
            loaded by worker processes only; `list`: a list of values of any kind.
        digest: the identity of the content: equal digests, equal values.
        summary: one line for people, e.g. `table 32,561 x 15`.
    """

    kind: Literal["json", "arrow", "pickle", "list"]
    digest: str
    json: Any = None
    blob: BlobId = BlobId("")
    items: tuple["Value", ...] = ()
    size_bytes: int = 0
    summary: str = ""


class StepRun(Record):
    """One attempt of one step of a run.

    Attributes:
        step: the node's name; a part of a fan-out is `name[3]`.
        label: the element of the fan-out, where it is short.
        key: what its outputs depend on, as one digest; `parts` in its record of the key says of what it is made.
        cached: whether the outputs were taken from an earlier attempt, and then `cached_from` is its run.
        infrastructure: whether it failed because a worker was lost, not because of its body.
        reason: why the body ran: what of the key was new.
        opaque: parts of the code that the key could not see.
    """

    run: PipelineRunId
    step: str
    node: str
    state: StepState
    label: str = ""
    attempt: int = 1
    key: str = ""
    cached: bool = False
    cached_from: str = ""
    infrastructure: bool = False
    outputs: dict[str, Value] = msgspec.field(default_factory=dict)
    error: str = ""
    reason: str = ""
    opaque: tuple[str, ...] = ()
    seconds: float = 0.0
    started_at: datetime | None = None
    ended_at: datetime | None = None


TriggerKind = Literal["alert", "dataset", "promotion", "cron", "manual"]


class Trigger(Record):
    """What starts a pipeline without anybody typing.

    Attributes:
        on: the kind of event; `manual` fires only by `triggers.fire`.
        monitor, dataset, model: which ones; empty is any.
        cron: five fields, read in `time_zone`.
        wait_for_dataset: after the event, fire only once a version of this dataset exists that is newer than the
            newest one at the time of the event.
        parameters: of the run. A value `$alert`, `$monitor`, `$dataset`, `$dataset_version`, `$model` or
            `$model_version` is taken from what happened.
    """

    id: str
    name: str
    pipeline: PipelineName
    on: TriggerKind
    created_at: datetime
    monitor: MonitorName = MonitorName("")
    dataset: DatasetName = DatasetName("")
    model: ModelName = ModelName("")
    cron: str = ""
    time_zone: str = "UTC"
    wait_for_dataset: DatasetName = DatasetName("")
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    enabled: bool = True
    created_by: str = ""


class TriggerFire(Record):
    """A trigger and one thing that happened.

    Attributes:
        key: makes the same event the same fire, however often it is told.
        state: `fired`: started `run`; `waiting`: for a newer dataset version; `joined`: another fire of this trigger
            waits or its run has not ended yet, so that this event starts nothing of its own.
        newer_than: the number of the dataset's newest version when it began to wait.
    """

    trigger: str
    key: str
    state: Literal["fired", "waiting", "joined"]
    noted_at: datetime
    event: str = ""
    text: str = ""
    run: PipelineRunId | None = None
    newer_than: int = 0
    fired_at: datetime | None = None
