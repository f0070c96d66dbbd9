"""The nouns of the trash."""

from typing import Literal

from airside.core.record import Record

TrashKind = Literal["experiment", "run", "logged_model"]


class Trash(Record):
    """A deleted thing that can be restored still.

    Attributes:
        id: of the run, logged model or experiment.
        deleted_ms: since when.
        kept_for: the registered version that needs it; empty if none does.
    """

    kind: TrashKind
    id: str
    deleted_ms: int
    kept_for: str = ""


class TrashPage(Record):
    """Deleted things, those longest in the trash first; `next_after` names the place behind the last of them."""

    items: tuple[Trash, ...]
    next_after: str = ""


class Removed(Record):
    """How many things were removed for good."""

    count: int


class Removal(Record):
    """Something that was removed for good, and is not gone yet.

    Attributes:
        id: of the removal.
        name: the id of the run, logged model or experiment.
        number: the number of its rows.
        artifact_uri: where its files lie; empty when there are none of its own.
        is_swept: whether its rows are gone.
    """

    id: int
    kind: TrashKind
    name: str
    number: int
    artifact_uri: str
    is_swept: bool


class SweptRemovals(Record):
    """What a step of sweeping did.

    Attributes:
        rows: how many it deleted.
        left: how many removals wait still; 0 when all is gone.
        untouched: places that the server does not touch, whose files stay.
    """

    rows: int
    left: int
    untouched: tuple[str, ...] = ()
