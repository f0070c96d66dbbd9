"""The files of the prediction log: written once, whole, read by offset.

A file holds the bodies of many requests, one after the other. A body is a MessagePack map of columns, so NaN, infinity
and every bit of a float survive; zlib packs it where that is worth its time. The database knows which file, offset and
size a batch has.
"""

import os
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from airside.core.errors import Invalid, NotFound
from airside.serving.records import LoggedColumns, PredictionBatch
from airside.store import private
from airside.store.files import sync

FOLDER = "predictions"
MAX_BODY = 256 << 20
"""A body that would unpack to more is refused."""

WORTH_PACKING = 1_024
"""Bytes. Below it zlib takes longer (16 µs) than all else that is done for a request's log."""

_ZLIB = b"x"
"""How zlib's bytes begin; a MessagePack map begins otherwise."""
_PACK = msgspec.msgpack.Encoder()
_UNPACK = msgspec.msgpack.Decoder(LoggedColumns)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


class Place(msgspec.Struct, frozen=True):
    """Where a body lies."""

    file: str
    offset: int
    size_bytes: int


def encode_body(columns: LoggedColumns) -> bytes:
    """The bytes of a request's columns.

    >>> decode_body(encode_body(LoggedColumns(inputs={"x": [1.5, None]}, labels=[0, 1]))).inputs
    {'x': [1.5, None]}
    """
    plain = _PACK.encode(columns)
    return zlib.compress(plain, 1) if len(plain) > WORTH_PACKING else plain


def decode_body(body: bytes) -> LoggedColumns:
    """The columns of a body.

    Raises:
        Invalid: the bytes are no body.
    """
    if not body:
        return LoggedColumns(inputs={})
    try:
        if body[:1] != _ZLIB:
            return _UNPACK.decode(body)
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(body, MAX_BODY)
        if not unpacker.eof:
            raise Invalid("A body of the prediction log is cut short, or larger than allowed.")
        return _UNPACK.decode(plain)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise Invalid("A body of the prediction log cannot be read; it was changed or cut.") from error


def write_bodies(home: Path, endpoint: str, day: str, bodies: Sequence[bytes]) -> list[Place]:
    """Write the bodies as one new file of an endpoint's day: whole and on the disk, or not there.

    The file is named by its content, so to write the same again changes nothing.
    """
    folder = Path(FOLDER) / f"{_UNSAFE.sub('_', endpoint)[:100]}-{_digest(endpoint.encode())[:8]}" / day
    content = b"".join(bodies)
    name = folder / f"{_digest(content)}.log"
    target = home / name
    if not target.exists():
        private.folder(target.parent)
        _write_whole(target, content)
    places, offset = [], 0
    for body in bodies:
        places.append(Place(str(name.relative_to(FOLDER)), offset, len(body)))
        offset += len(body)
    return places


def read_body(home: Path, batch: PredictionBatch) -> LoggedColumns:
    """Inputs and outputs of one logged request.

    Raises:
        NotFound: its file is gone.
    """
    return next(iter(read_each(home, [batch])))


def read_each(home: Path, batches: Iterable[PredictionBatch]) -> Iterable[LoggedColumns]:
    """Inputs and outputs of logged requests, one after the other; a file is opened once for neighbours.

    Raises:
        NotFound: a file is gone.
    """
    content, name = b"", ""
    for batch in batches:
        if not batch.file:
            yield LoggedColumns(inputs={})
            continue
        if batch.file != name:
            name, content = batch.file, _read(home, batch)
        yield decode_body(content[batch.offset : batch.offset + batch.size_bytes])


def read_batches(home: Path, batches: Iterable[PredictionBatch]) -> LoggedColumns:
    """The rows of many requests as one table: the columns that every one of them has, in the order of the batches.

    Requests that failed have no labels and are left out.

    Raises:
        NotFound: a file is gone.
    """
    answered = [batch for batch in batches if not batch.error]
    parts = list(read_each(home, answered))
    return LoggedColumns(
        inputs=_stack([part.inputs for part in parts]),
        labels=[label for part in parts for label in part.labels],
        probabilities=[row for part in parts for row in part.probabilities],
        outputs=_stack([part.outputs for part in parts]),
    )


def pick_row(columns: LoggedColumns, row: int) -> LoggedColumns:
    """One row of a request, as a table of one row.

    >>> pick_row(LoggedColumns(inputs={"x": [1, 2]}, labels=[0, 1]), 1)
    LoggedColumns(inputs={'x': [2]}, labels=[1], probabilities=[], outputs={})
    """
    return LoggedColumns(
        inputs={name: values[row : row + 1] for name, values in columns.inputs.items()},
        labels=columns.labels[row : row + 1],
        probabilities=columns.probabilities[row : row + 1],
        outputs={name: values[row : row + 1] for name, values in columns.outputs.items()},
    )


def _stack(parts: Sequence[Mapping[str, list[Any]]]) -> dict[str, list[Any]]:
    shared = [name for name in parts[0] if all(name in part for part in parts)] if parts else []
    return {name: [value for part in parts for value in part[name]] for name in shared}


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()


def _read(home: Path, batch: PredictionBatch) -> bytes:
    try:
        return (home / FOLDER / batch.file).read_bytes()
    except FileNotFoundError:
        raise NotFound(f"The rows of prediction {batch.id} are gone: its file of the log was removed.") from None


def _write_whole(target: Path, content: bytes) -> None:
    part = target.with_name(f".{uuid4().hex}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
        sync(target.parent)
    finally:
        part.unlink(missing_ok=True)
