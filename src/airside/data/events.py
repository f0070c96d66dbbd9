"""What the room announces."""

from typing import ClassVar

from airside.core.event import Event
from airside.core.ids import DatasetName, DatasetVersionId


class DatasetVersionAdded(Event):
    """A dataset has a new version. Not announced when the same content was committed again."""

    NAME: ClassVar[str] = "DatasetVersionAdded"

    dataset: DatasetName
    version: int
    id: DatasetVersionId

    def topics(self) -> tuple[str, ...]:
        """`datasets`, and the dataset's own."""
        return ("datasets", f"dataset:{self.dataset}")
