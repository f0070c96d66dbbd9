"""What the room announces. Measurements are not announced: they are too many."""

from typing import ClassVar

from airside.core.event import Event
from airside.core.ids import ExperimentId, RunId
from airside.tracking.records import RunStatus


class ExperimentCreated(Event):
    """An experiment was made."""

    NAME: ClassVar[str] = "ExperimentCreated"

    experiment_id: ExperimentId
    name: str

    def topics(self) -> tuple[str, ...]:
        """Its live topics."""
        return ("experiments",)


class RunEnded(Event):
    """A run left the state RUNNING or SCHEDULED."""

    NAME: ClassVar[str] = "RunEnded"

    run_id: RunId
    experiment_id: ExperimentId
    status: RunStatus

    def topics(self) -> tuple[str, ...]:
        """Its live topics."""
        return ("runs", f"run:{self.run_id}")
