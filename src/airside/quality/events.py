"""What the room announces."""

from typing import ClassVar, Literal

from airside.core.event import Event
from airside.core.ids import ModelName


class GateDecided(Event):
    """A gate decided about a model version."""

    NAME: ClassVar[str] = "GateDecided"

    id: str
    model: ModelName
    version: int
    outcome: Literal["pass", "fail"]
    summary: str

    def topics(self) -> tuple[str, ...]:
        """`gates`, and the model's own."""
        return ("gates", f"model:{self.model}")
