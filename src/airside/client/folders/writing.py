"""A folder in the making: files beside its place, then one rename."""

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from blake3 import blake3

from airside.client.folders.layout import FORMAT, MANIFEST, VERSION, FileFacts, Kind, Manifest
from airside.core.errors import Conflict
from airside.core.version import VERSION as RELEASE
from airside.store.files import sync


class Writing:
    """Writes a folder: whole at its place when `done` was called, else gone.

    Raises:
        Conflict: there is something at its place already.
    """

    def __init__(self, folder: Path) -> None:
        self._target = folder
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Conflict(f"{folder} is there already. Name another folder, or remove it.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._folder = folder.with_name(f".{folder.name}.{os.getpid()}.new")
        self._folder.mkdir()
        self._files: dict[str, FileFacts] = {}
        self._notes: dict[str, None] = {}

    def json(self, name: str, record: Any) -> None:
        """Write a record, indented."""
        text = msgspec.json.format(msgspec.json.encode(record, order="deterministic"), indent=2)
        self.bytes(name, (text, b"\n"))

    def lines(self, name: str, records: Iterator[Any]) -> None:
        """Write records, one to a line; no file when there are none."""
        encode = msgspec.json.Encoder().encode
        first = next(records, None)
        if first is not None:
            self.bytes(name, (piece for record in _chained(first, records) for piece in (encode(record), b"\n")))

    def bytes(self, name: str, pieces: Iterable[bytes]) -> FileFacts:
        """Write a file."""
        path = self._folder.joinpath(*name.split("/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        digest, size = blake3(), 0
        with path.open("xb") as file:
            for piece in pieces:
                digest.update(piece)
                size += file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        facts = self._files[name] = FileFacts(size_bytes=size, digest=f"b3:{digest.hexdigest()}")
        return facts

    def note(self, text: str) -> None:
        """Say what does not come along."""
        self._notes[text] = None

    def done(self, kind: Kind, what: str) -> Manifest:
        """Put the folder into its place."""
        manifest = Manifest(
            format=FORMAT,
            format_version=VERSION,
            kind=kind,
            id=what,
            made_by=f"airside {RELEASE}",
            made_ms=time.time_ns() // 1_000_000,
            notes=tuple(self._notes),
            files=dict(sorted(self._files.items())),
        )
        with (self._folder / MANIFEST).open("xb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        for top, _, _ in os.walk(self._folder):
            sync(Path(top))
        self._folder.rename(self._target)
        sync(self._target.parent)
        return manifest

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _chained(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest
