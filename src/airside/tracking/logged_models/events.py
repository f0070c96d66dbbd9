"""What logged models announce."""

from typing import ClassVar

from airside.core.event import Event
from airside.core.ids import ExperimentId, LoggedModelId, RunId


class ModelLogged(Event):
    """The files of a logged model are all there: its status became READY."""

    NAME: ClassVar[str] = "ModelLogged"

    model_id: LoggedModelId
    experiment_id: ExperimentId
    source_run_id: RunId

    def topics(self) -> tuple[str, ...]:
        """Its live topics."""
        return ("logged_models", f"run:{self.source_run_id}") if self.source_run_id else ("logged_models",)
