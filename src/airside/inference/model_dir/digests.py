"""What the files of a directory are: a digest of each."""

from pathlib import Path

from airside.core.errors import Invalid, quoted
from airside.core.ids import BlobId
from airside.store.blobs.identity import blob_of_file


def digests(folder: Path) -> dict[str, BlobId]:
    """Path below the folder (with `/`) → digest, for every file, sorted by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): blob_of_file(path) for path in files}


def verify(folder: Path, expected: dict[str, BlobId]) -> None:
    """Whether the files are what they were.

    Raises:
        Invalid: a file is missing or differs; the text names it.
    """
    missing = [name for name in expected if not (folder / name).is_file()]
    if missing:
        raise Invalid(f"The model directory lacks {quoted(missing)}.")
    changed = [name for name, known in expected.items() if blob_of_file(folder / name) != known]
    if changed:
        raise Invalid(f"The model directory was changed: {quoted(changed)} differ from what was registered.")
