"""Values as files in a folder of the runner's, by content: written by worker processes, uploaded by the driver.

Pickles are made and loaded here, so this is used in worker processes (and embedded runs) only: never by the control
plane.
"""

import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from blake3 import blake3

from airside.core.errors import Invalid
from airside.core.ids import BlobId
from airside.core.plugin import load
from airside.pipelines.records import Value
from airside.pipelines.values import INLINE_BYTES, digest_of, is_plain, json_value, list_value
from airside.store import private

MAX_ITEMS = 10_000


class ValueFolder:
    """Values below one folder. Several processes may use it at once: a file is written beside and renamed."""

    def __init__(self, folder: Path, code_of: Callable[[set[type]], str] = lambda _classes: "") -> None:
        self._folder = folder
        self._code_of = code_of
        private.folder(folder)

    def path(self, blob: str) -> Path:
        """Where a blob is, or would be."""
        return self._folder / blob.removeprefix("b3:")

    def dump(self, value: Any) -> Value:
        """Keep a value.

        Raises:
            Invalid: it cannot be pickled.
        """
        if is_plain(value):
            plain = json_value(value)
            if plain.size_bytes <= INLINE_BYTES:
                return plain
        if _is_table(value):
            return self._arrow(value)
        if type(value) is list and len(value) <= MAX_ITEMS and any(_is_rich(item) for item in value):
            return list_value([self.dump(item) for item in value])
        return self._pickled(value)

    def load(self, value: Value) -> Any:
        """The value again. A plain one is a copy of its own."""
        if value.kind == "json":
            return _copied(value.json)
        if value.kind == "list":
            return [self.load(item) for item in value.items]
        path = self.path(value.blob)
        if value.kind == "arrow":
            return load("airside.pipelines.arrow:read")(path)
        with path.open("rb") as file:
            return pickle.load(file)  # noqa: S301 -- a step's own output, in its own worker process

    def _arrow(self, table: Any) -> Value:
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=".new-")
        os.close(handle)
        load("airside.pipelines.arrow:write")(table, name)
        blob = self._settle(name)
        return Value(
            kind="arrow",
            digest=digest_of("arrow", blob.encode()),
            blob=blob,
            size_bytes=self.path(blob).stat().st_size,
            summary=f"table {table.num_rows:,} x {table.num_columns}",
        )

    def _pickled(self, value: Any) -> Value:
        classes: set[type] = set()
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                _Pickler(file, classes).dump(value)
        except Exception as error:
            Path(name).unlink()
            raise Invalid(f"A step returned {type(value).__name__}, which cannot be kept: {error}") from error
        blob = self._settle(name)
        return Value(
            kind="pickle",
            digest=digest_of("pickle", blob.encode(), self._code_of(classes).encode()),
            blob=blob,
            size_bytes=self.path(blob).stat().st_size,
            summary=type(value).__name__,
        )

    def _settle(self, name: str) -> BlobId:
        """Name a finished file by its content."""
        hasher = blake3()
        hasher.update_mmap(name)
        blob = BlobId(f"b3:{hasher.hexdigest()}")
        Path(name).replace(self.path(blob))
        return blob


class _Pickler(pickle.Pickler):
    """Notes the classes that a value is made of: their code is part of what the value is."""

    def __init__(self, file: Any, classes: set[type]) -> None:
        super().__init__(file, protocol=5)
        self._classes = classes

    def reducer_override(self, obj: Any) -> Any:
        """Only looks on."""
        self._classes.add(obj if isinstance(obj, type) else type(obj))
        return NotImplemented


def _copied(value: Any) -> Any:
    if type(value) is list:
        return [_copied(item) for item in value]
    if type(value) is dict:
        return {key: _copied(item) for key, item in value.items()}
    return value


def _is_table(value: Any) -> bool:
    arrow = sys.modules.get("pyarrow")
    return arrow is not None and isinstance(value, arrow.Table)


def _is_rich(item: Any) -> bool:
    return not is_plain(item)
