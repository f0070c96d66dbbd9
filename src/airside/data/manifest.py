"""The identity of a version: BLAKE3 of its canonical manifest."""

import re
from collections.abc import Iterable

import msgspec

from airside.core.errors import Invalid, quoted
from airside.core.ids import BlobId, is_blob_id
from airside.data.records import DatasetFile
from airside.store.blobs.identity import blob_of

MAX_FILES = 10_000
MAX_PATH = 1_000
_BAD_PATH = re.compile(r"[\x00-\x1f\\]|(^|/)\.{0,2}(/|$)")


def canonical(files: Iterable[DatasetFile]) -> bytes:
    """The manifest as bytes: one JSON array of `[path, size, digest]`, paths sorted bytewise; no times, no host.

    >>> a = DatasetFile(path="a", size_bytes=1, digest=BlobId("b3:" + "0" * 64))
    >>> canonical([a])[:8]
    b'[["a",1,'
    """
    rows = sorted((file.path.encode(), file.size_bytes, file.digest) for file in files)
    return msgspec.json.encode([(path.decode(), size, digest) for path, size, digest in rows])


def digest_of(files: Iterable[DatasetFile]) -> BlobId:
    """The content's id: equal for equal files at equal paths, in whatever order they are listed.

    >>> a = DatasetFile(path="a", size_bytes=1, digest=BlobId("b3:" + "0" * 64))
    >>> b = DatasetFile(path="b", size_bytes=1, digest=BlobId("b3:" + "1" * 64))
    >>> digest_of([a, b]) == digest_of([b, a]), digest_of([a]) == digest_of([b])
    (True, False)
    """
    return blob_of([canonical(files)])


def checked(files: tuple[DatasetFile, ...]) -> tuple[DatasetFile, ...]:
    """The files, sorted by path, once they are known to form a manifest.

    Raises:
        Invalid: there is no file, a path is not a clean relative one or stands twice, a digest is none.
    """
    if not files:
        raise Invalid("The version has no file. Give at least one file.")
    if len(files) > MAX_FILES:
        raise Invalid(f"The version has {len(files)} files; the limit is {MAX_FILES}. Put small files into Parquet.")
    paths = [file.path for file in files]
    bad = [path for path in paths if not path or len(path) > MAX_PATH or _BAD_PATH.search(path)]
    if bad:
        raise Invalid(f"Not a relative path with forward slashes: {quoted(bad)}. Write it like 'part/0.parquet'.")
    twice = sorted({path for path in paths if paths.count(path) > 1}) if len(set(paths)) < len(paths) else []
    if twice:
        raise Invalid(f"The path stands twice in the manifest: {quoted(twice)}. Name each file once.")
    wrong = [file.digest for file in files if not is_blob_id(file.digest) or file.size_bytes < 0]
    if wrong:
        raise Invalid(f"Not the id of a blob: {quoted(wrong)}. It is 'b3:' and 64 hexadecimal digits.")
    return tuple(sorted(files, key=lambda file: file.path.encode()))
