"""What lies where in an exported folder. docs/how-to/export-and-import.md shows it.

MANIFEST.json                          what this is, and every other file with its size and digest
experiments/ID.json
runs/ID/run.json                       what it is, without its points
runs/ID/metrics.jsonl                  every point of every metric, one to a line
runs/ID/artifacts/…
logged_models/ID/model.json, metrics.jsonl, artifacts/…
models/NAME/model.json
models/NAME/versions/N/version.json    what it is
models/NAME/versions/N/files/…         its files, when the registry itself keeps them
models/NAME/versions/N/reference       the profile of its training data
"""

import re
import stat
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec

from airside.core.errors import Invalid, NotFound
from airside.core.record import Record
from airside.store.blobs.identity import blob_of_file
from airside.store.names import safe_parts

Kind = Literal["run", "experiment", "model"]
MANIFEST = "MANIFEST.json"
FORMAT = "airside-folder"
VERSION = 1
MAX_MANIFEST_BYTES = 1 << 30
_DIGEST = re.compile(r"b3:[0-9a-f]{64}\Z")


class FileFacts(Record):
    """A file of a folder: its size and the `b3:` digest of its bytes."""

    size_bytes: int
    digest: str


class Manifest(Record):
    """What a folder holds.

    Attributes:
        format, format_version: of the layout; a reader refuses one that it does not know.
        kind, id: what was exported.
        notes: what did not come along, in words.
        files: path below the folder -> the file's facts.
    """

    format: str
    format_version: int
    kind: Kind
    id: str
    made_by: str
    made_ms: int
    notes: tuple[str, ...] = ()
    files: dict[str, FileFacts] = {}


def as_name(text: str) -> str:
    """Any text as the name of one folder.

    >>> as_name("churn model"), as_name(".."), as_name("a/b")
    ('churn=20model', '=2E=2E', 'a=2Fb')
    """
    name = quote(text, safe="").replace("%", "=")  # a percent sign in a path would be decoded on the way
    return name.replace(".", "=2E") if set(name) <= {"."} else name


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder.

    Raises:
        NotFound: there is no such folder. Invalid: it is no exported folder, or its manifest is damaged.
    """
    path = folder / MANIFEST
    if not folder.is_dir():
        raise NotFound(f"There is no folder {folder}.")
    if not path.is_file():
        raise Invalid(f"{folder} is not an exported folder: it has no {MANIFEST}. Make one with: airside export")
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise Invalid(f"{path} is larger than {MAX_MANIFEST_BYTES >> 20} MiB: no manifest is.")
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"{path} is damaged: {error}. Export again, or restore it from a copy.") from error
    if manifest.format != FORMAT or manifest.format_version > VERSION:
        raise Invalid(
            f"{path} says format {manifest.format!r}, version {manifest.format_version}; this release reads "
            f"{FORMAT!r} up to version {VERSION}. Bring it back with a newer release."
        )
    for name, facts in manifest.files.items():
        parts = safe_parts(name)
        if "/".join(parts) != name or not _DIGEST.match(facts.digest):
            raise Invalid(f"{path} names the file {name[:200]!r}, which is no path below the folder.")
    return manifest


def check(folder: Path, manifest: Manifest) -> None:
    """Refuse a folder of which a file is missing or changed.

    Raises:
        Invalid: names the file.
    """
    for name, facts in manifest.files.items():
        path = place_of(folder, name)
        size, digest = path.stat().st_size, blob_of_file(path)
        if size != facts.size_bytes or digest != facts.digest:
            found = f"{size} bytes" if size != facts.size_bytes else "other bytes"
            raise Invalid(
                f"{path} is damaged: {found} where the manifest has {facts.size_bytes}, {facts.digest[:15]}…. Nothing "
                "was brought back. Export again, or restore the file from a copy."
            )


def place_of(folder: Path, name: str) -> Path:
    """A file that the manifest names, if it is one: no link on the way leads out of the folder.

    Raises:
        Invalid: it is missing, or no plain file.
    """
    path = folder.joinpath(*safe_parts(name))
    try:
        for step in (*reversed(path.relative_to(folder).parents), path.relative_to(folder)):
            mode = (folder / step).lstat().st_mode if str(step) != "." else folder.stat().st_mode
            if stat.S_ISLNK(mode):
                raise Invalid(f"{folder / step} is a link; an exported folder has none.")
    except (FileNotFoundError, NotADirectoryError):
        raise Invalid(f"{path} is missing. Export again, or restore it from a copy.") from None
    if not stat.S_ISREG(path.lstat().st_mode):
        raise Invalid(f"{path} is no file.")
    return path
