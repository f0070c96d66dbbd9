"""Files by path below a root (filled by the registry helper)."""

from typing import Protocol


class ArtifactStore(Protocol):
    """Files by path."""
