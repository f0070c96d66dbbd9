"""Files by path in a folder (filled by the registry helper)."""

from pathlib import Path


class LocalArtifacts:
    """Files by path in a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
