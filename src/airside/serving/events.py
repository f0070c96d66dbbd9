"""What serving announces."""

from typing import ClassVar, Literal

from airside.core.event import Event
from airside.core.ids import EndpointName, ModelName, RolloutId


class EndpointChanged(Event):
    """An endpoint was made, switched to another version, paused, resumed or deleted."""

    NAME: ClassVar[str] = "EndpointChanged"
    endpoint: EndpointName
    model: ModelName
    version: int
    state: Literal["empty", "serving", "paused", "deleted"]
    revision: int

    def topics(self) -> tuple[str, ...]:
        """The endpoint's stream, and that of all."""
        return ("endpoints", f"endpoint:{self.endpoint}")


class RolloutStarted(Event):
    """A version set out to become the champion of an endpoint."""

    NAME: ClassVar[str] = "RolloutStarted"
    rollout_id: RolloutId
    endpoint: EndpointName
    model: ModelName
    from_version: int
    to_version: int
    state: Literal["shadow", "canary"]
    weight: int

    def topics(self) -> tuple[str, ...]:
        """The rollout's stream, the endpoint's, and that of all rollouts."""
        return ("rollouts", f"rollout:{self.rollout_id}", f"endpoint:{self.endpoint}")


class RolloutStepped(Event):
    """A rollout went on to its next step, was paused or resumed."""

    NAME: ClassVar[str] = "RolloutStepped"
    rollout_id: RolloutId
    endpoint: EndpointName
    model: ModelName
    to_version: int
    state: Literal["shadow", "canary", "paused"]
    step: int
    weight: int
    reason: str

    def topics(self) -> tuple[str, ...]:
        """The rollout's stream, the endpoint's, and that of all rollouts."""
        return ("rollouts", f"rollout:{self.rollout_id}", f"endpoint:{self.endpoint}")


class RolloutEnded(Event):
    """A rollout promoted its version, or rolled it back."""

    NAME: ClassVar[str] = "RolloutEnded"
    rollout_id: RolloutId
    endpoint: EndpointName
    model: ModelName
    from_version: int
    to_version: int
    outcome: Literal["promoted", "rolled_back"]
    reason: str

    def topics(self) -> tuple[str, ...]:
        """The rollout's stream, the endpoint's, and that of all rollouts."""
        return ("rollouts", f"rollout:{self.rollout_id}", f"endpoint:{self.endpoint}")


class DeliveryCompleted(Event):
    """All rows of a delivery were served and logged."""

    NAME: ClassVar[str] = "DeliveryCompleted"
    endpoint: EndpointName
    model: ModelName
    delivery: str
    rows: int
    batches: int

    def topics(self) -> tuple[str, ...]:
        """The endpoint's stream."""
        return ("deliveries", f"endpoint:{self.endpoint}")


class LabelsArrived(Event):
    """Ground truth came for answered requests."""

    NAME: ClassVar[str] = "LabelsArrived"
    endpoint: EndpointName
    deliveries: tuple[str, ...]
    requests: int
    rows: int

    def topics(self) -> tuple[str, ...]:
        """The endpoint's stream."""
        return (f"endpoint:{self.endpoint}",)


EVENTS: tuple[type[Event], ...] = (
    EndpointChanged,
    RolloutStarted,
    RolloutStepped,
    RolloutEnded,
    DeliveryCompleted,
    LabelsArrived,
)
