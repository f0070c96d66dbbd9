"""What the room announces."""

from typing import ClassVar

from airside.core.event import Event
from airside.core.ids import PipelineName, PipelineRunId
from airside.pipelines.records import RunState, StepState


class PipelineRunStarted(Event):
    """A run was put in the queue, or a driver claimed it."""

    NAME: ClassVar[str] = "PipelineRunStarted"
    run: PipelineRunId
    pipeline: PipelineName
    state: RunState
    trigger: str = ""
    cause_event: str = ""
    """The alert, dataset version or model version that started it."""

    def topics(self) -> tuple[str, ...]:
        """The live topics of the event."""
        return ("pipelines", f"pipeline:{self.pipeline}", f"pipeline_run:{self.run}")


class PipelineRunFinished(Event):
    """A run ended, or waits for a person."""

    NAME: ClassVar[str] = "PipelineRunFinished"
    run: PipelineRunId
    pipeline: PipelineName
    state: RunState
    error: str = ""
    trigger: str = ""
    cause_event: str = ""

    def topics(self) -> tuple[str, ...]:
        """The live topics of the event."""
        return ("pipelines", f"pipeline:{self.pipeline}", f"pipeline_run:{self.run}")


class StepFinished(Event):
    """An attempt of a step ended."""

    NAME: ClassVar[str] = "StepFinished"
    run: PipelineRunId
    step: str
    attempt: int
    state: StepState
    cached: bool = False

    def topics(self) -> tuple[str, ...]:
        """The live topics of the event."""
        return (f"pipeline_run:{self.run}",)
