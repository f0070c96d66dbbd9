"""What the registry announces."""

from typing import ClassVar

from airside.core.event import Event
from airside.core.ids import LoggedModelId, ModelName, RunId


class _OfModel(Event):
    """Something happened to a registered model."""

    name: ModelName

    def topics(self) -> tuple[str, ...]:
        """Its live topics."""
        return ("models", f"model:{self.name}")


class ModelCreated(_OfModel):
    """A registered model was created, or a prompt, as its tags say."""

    NAME: ClassVar[str] = "ModelCreated"
    description: str | None = None
    tags: dict[str, str] = {}


class ModelRenamed(_OfModel):
    """A registered model has a new name; versions, tags and aliases moved along."""

    NAME: ClassVar[str] = "ModelRenamed"
    old_name: ModelName


class ModelDeleted(_OfModel):
    """A registered model was deleted with all its versions."""

    NAME: ClassVar[str] = "ModelDeleted"


class ModelTagged(_OfModel):
    """A tag of a registered model was set; `value` is None when it was taken away."""

    NAME: ClassVar[str] = "ModelTagged"
    key: str
    value: str | None
    is_prompt: bool = False


class VersionRegistered(_OfModel):
    """A version was registered."""

    NAME: ClassVar[str] = "VersionRegistered"
    version: int
    run_id: RunId
    model_id: LoggedModelId
    source: str
    description: str = ""
    tags: dict[str, str] = {}


class VersionTagged(_OfModel):
    """A tag of a version was set; `value` is None when it was taken away."""

    NAME: ClassVar[str] = "VersionTagged"
    version: int
    key: str
    value: str | None
    is_prompt: bool = False


class VersionDeleted(_OfModel):
    """A version was deleted; its number is never used again."""

    NAME: ClassVar[str] = "VersionDeleted"
    version: int


class StageMoved(_OfModel):
    """A version is in another stage."""

    NAME: ClassVar[str] = "StageMoved"
    version: int
    stage: str
    previous: str


class AliasMoved(_OfModel):
    """An alias names another version; `version` is None when it was taken away."""

    NAME: ClassVar[str] = "AliasMoved"
    alias: str
    version: int | None
    previous: int | None
    is_prompt: bool = False


class VersionPromoted(_OfModel):
    """The alias `champion` names another version. Told besides `AliasMoved`."""

    NAME: ClassVar[str] = "VersionPromoted"
    version: int
    previous: int | None
    is_rollback: bool = False


class VerdictLeft(_OfModel):
    """A gate left its verdict on a version."""

    NAME: ClassVar[str] = "VerdictLeft"
    version: int
    gate: str
    passed: bool
    decision_id: str


class ApprovalAsked(Event):
    """People were asked to approve something."""

    NAME: ClassVar[str] = "ApprovalAsked"
    approval_id: str
    subject_kind: str
    subject: str
    approvers: tuple[str, ...]

    def topics(self) -> tuple[str, ...]:
        """Its live topics."""
        return ("approvals",)


class ApprovalDecided(Event):
    """Someone approved, refused, or took an approval back."""

    NAME: ClassVar[str] = "ApprovalDecided"
    approval_id: str
    subject_kind: str
    subject: str
    approved: bool
    decided_by: str
    is_revoked: bool = False

    def topics(self) -> tuple[str, ...]:
        """Its live topics."""
        return ("approvals",)


EVENTS: tuple[type[Event], ...] = (
    ModelCreated,
    ModelRenamed,
    ModelDeleted,
    ModelTagged,
    VersionRegistered,
    VersionTagged,
    VersionDeleted,
    StageMoved,
    AliasMoved,
    VersionPromoted,
    VerdictLeft,
    ApprovalAsked,
    ApprovalDecided,
)
