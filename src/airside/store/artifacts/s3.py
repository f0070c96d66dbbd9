"""Artifacts in an object store, through boto3: `s3://BUCKET/PREFIX`.

Bytes move in parts; nothing is whole in memory. What was not completed leaves nothing that can be seen. Clients may
also move large files themselves, by addresses that are signed here and hold for a quarter of an hour.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from airside.core.errors import Invalid, NotFound, Unavailable, WrongUse
from airside.store.artifacts.port import FileStat, SignedPart
from airside.store.files import PIECE
from airside.store.names import safe_parts

PART_BYTES = 8 << 20
GROW_EVERY = 2000
"""After so many parts they double, so that their number stays below the 10,000 that S3 takes."""
MAX_PARTS = 10_000
DELETED_AT_ONCE = 1000
KNOWN_FOLDERS = 10_000
SIGNED_S = 900
_ABSENT = {"404", "NoSuchKey", "NotFound"}


class S3File:
    """An open object: its first reading has begun, so it is what it was when it was opened."""

    def __init__(self, store: "S3Artifacts", path: str, answer: dict[str, Any]) -> None:
        self._store, self._body = store, answer["Body"]
        self._etag: str = answer["ETag"]
        self.stat = _stat(path, answer["ContentLength"], answer)

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes of a range."""
        end = self.stat.size_bytes if stop is None else min(stop, self.stat.size_bytes)
        if start >= end:
            return
        body = self._body
        if start or end < self.stat.size_bytes or body is None:
            body = self._store.part_of(self.stat.path, start, end, self._etag)
        else:
            self._body = None
        with _our_errors(self.stat.path):
            try:
                while piece := body.read(PIECE):
                    yield piece
            finally:
                body.close()

    def close(self) -> None:
        """Give it back."""
        if self._body is not None:
            self._body.close()
            self._body = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class S3Artifacts:
    """An `ArtifactStore` in a bucket, below a prefix.

    Args:
        address: `s3://BUCKET/PREFIX`.
        endpoint_url: of another object store than Amazon's.
        checks_tls: whether its certificate must be good.

    Raises:
        WrongUse: the address names no bucket, or the client cannot be made.
    """

    def __init__(self, address: str, *, endpoint_url: str = "", checks_tls: bool = True) -> None:
        parts = urlsplit(address)
        if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
            raise WrongUse(f"'{address[:200]}' names no bucket. One looks like s3://BUCKET/PREFIX.")
        self._bucket = parts.netloc
        self._prefix = "".join(f"{part}/" for part in parts.path.split("/") if part)
        self._folders: set[str] = set()
        config = Config(
            signature_version="s3v4",
            retries={"mode": "standard", "max_attempts": 4},
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=32,
            s3={"addressing_style": "path"} if endpoint_url else None,
        )
        try:
            self._s3: Any = boto3.client("s3", endpoint_url=endpoint_url or None, verify=checks_tls, config=config)
        except (BotoCoreError, ValueError) as error:
            raise WrongUse(f"The object store of '{address[:200]}' cannot be used: {error}.") from error

    # --- the port ---

    def write(self, path: str, pieces: Iterable[bytes], *, size_bytes: int | None = None) -> FileStat:
        """One request for a small file, parts for a large one."""
        del size_bytes
        plain = self._plain(path)
        self._refuse_shape(plain)
        parts = _parts(pieces)
        first, second = next(parts, b""), next(parts, None)
        with _our_errors(plain):
            if second is None:
                self._s3.put_object(Bucket=self._bucket, Key=self._prefix + plain, Body=first)
            else:
                self._write_parts(plain, first, second, parts)
        self._learn(plain)
        found = self.stat(plain)
        if found is None:
            raise Unavailable("The file was written, and is gone already: somebody deletes there.")
        return found

    def open(self, path: str) -> S3File:
        """Open an object."""
        plain = self._plain(path)
        try:
            with _our_errors(plain):
                return S3File(self, plain, self._s3.get_object(Bucket=self._bucket, Key=self._prefix + plain))
        except NotFound:
            if self._is_folder(plain):
                raise Invalid(f"'{plain}' is a folder. List it, or ask for a file below it.") from None
            raise

    def part_of(self, path: str, start: int, stop: int, etag: str) -> Any:
        """The stream of a range of an object, if it is still the same."""
        with _our_errors(path):
            span = f"bytes={start}-{stop - 1}"
            key = self._prefix + path
            return self._s3.get_object(Bucket=self._bucket, Key=key, Range=span, IfMatch=etag)["Body"]

    def stat(self, path: str) -> FileStat | None:
        """What a path is."""
        plain = self._plain(path, or_root=True)
        if not plain:
            return FileStat(path="", is_dir=True)
        with suppress(NotFound), _our_errors(plain):
            head = self._s3.head_object(Bucket=self._bucket, Key=self._prefix + plain)
            return _stat(plain, head["ContentLength"], head)
        return FileStat(path=plain, is_dir=True) if self._is_folder(plain) else None

    def list(self, path: str = "") -> tuple[FileStat, ...]:
        """What lies in a folder."""
        plain = self._plain(path, or_root=True)
        start = f"{self._prefix}{plain}/" if plain else self._prefix
        found: list[FileStat] = []
        with _our_errors(plain):
            for page in self._pages(Prefix=start, Delimiter="/"):
                for each in page.get("CommonPrefixes", ()):
                    name = each["Prefix"].removeprefix(self._prefix).rstrip("/")
                    found.append(FileStat(path=name, is_dir=True))
                found += [
                    _stat(each["Key"].removeprefix(self._prefix), each["Size"], each)
                    for each in page.get("Contents", ())
                    if each["Key"] != start
                ]
        return tuple(sorted(found, key=lambda each: each.path))

    def delete(self, path: str) -> None:
        """Remove an object, and everything below its name."""
        plain = self._plain(path)
        with _our_errors(plain):
            self._s3.delete_object(Bucket=self._bucket, Key=self._prefix + plain)
            for page in self._pages(Prefix=f"{self._prefix}{plain}/", PaginationConfig={"PageSize": DELETED_AT_ONCE}):
                keys = [{"Key": each["Key"]} for each in page.get("Contents", ())]
                if keys:
                    self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True})
        self._folders.clear()
        with suppress(ClientError):  # who may not list uploads leaves them to a rule of the bucket
            self._drop_uploads(f"{self._prefix}{plain}/")

    # --- addresses for clients that move large files themselves ---

    def signed_get(self, path: str) -> tuple[str, int]:
        """An address to read an object from, and its size."""
        found = self.stat(path)
        if found is None or found.is_dir:
            raise NotFound(f"No such artifact: '{self._plain(path)}'")
        return self._signed("get_object", found.path), found.size_bytes

    def signed_put(self, path: str) -> str:
        """An address to write an object to."""
        plain = self._plain(path)
        self._refuse_shape(plain)
        return self._signed("put_object", plain)

    def begin_parts(self, path: str, count: int) -> tuple[str, tuple[SignedPart, ...]]:
        """Begin a file that comes in parts: its upload's id, and where each part goes."""
        if not 1 <= count <= MAX_PARTS:
            raise Invalid(f"num_parts is {count}; it is 1 to {MAX_PARTS}.")
        plain = self._plain(path)
        self._refuse_shape(plain)
        with _our_errors(plain):
            upload = self._s3.create_multipart_upload(Bucket=self._bucket, Key=self._prefix + plain)["UploadId"]
        return upload, tuple(
            SignedPart(number, self._signed("upload_part", plain, UploadId=upload, PartNumber=number))
            for number in range(1, count + 1)
        )

    def end_parts(self, path: str, upload: str, parts: Iterable[tuple[int, str]]) -> None:
        """Complete it: the number and the tag of each part."""
        plain = self._plain(path)
        listed = [{"PartNumber": number, "ETag": tag} for number, tag in sorted(parts)]
        with _our_errors(plain):
            self._s3.complete_multipart_upload(
                Bucket=self._bucket, Key=self._prefix + plain, UploadId=upload, MultipartUpload={"Parts": listed}
            )

    def drop_parts(self, path: str, upload: str) -> None:
        """Give it up; nothing of it stays."""
        plain = self._plain(path)
        with _our_errors(plain):
            self._s3.abort_multipart_upload(Bucket=self._bucket, Key=self._prefix + plain, UploadId=upload)

    def _signed(self, method: str, plain: str, **more: Any) -> str:
        target = {"Bucket": self._bucket, "Key": self._prefix + plain, **more}
        url: str = self._s3.generate_presigned_url(method, Params=target, ExpiresIn=SIGNED_S)
        return url

    # --- inside ---

    def _plain(self, path: str, *, or_root: bool = False) -> str:
        return "/".join(safe_parts(path, or_root=or_root))

    def _pages(self, **options: Any) -> Iterator[dict[str, Any]]:
        pages: Iterator[dict[str, Any]] = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, **options
        )
        return pages

    def _is_folder(self, plain: str) -> bool:
        with _our_errors(plain):
            found = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=f"{self._prefix}{plain}/", MaxKeys=1)
            return bool(found.get("KeyCount"))

    def _drop_uploads(self, start: str) -> None:
        """Give up what was begun below a folder and never completed: nobody sees it, and it is paid for."""
        for page in self._s3.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=start):
            for each in page.get("Uploads", ()):
                self._s3.abort_multipart_upload(Bucket=self._bucket, Key=each["Key"], UploadId=each["UploadId"])

    def _learn(self, plain: str) -> None:
        if len(self._folders) > KNOWN_FOLDERS:
            self._folders.clear()
        folder = plain.rpartition("/")[0]
        while folder:
            self._folders.add(folder)
            folder = folder.rpartition("/")[0]

    def _refuse_shape(self, plain: str) -> None:
        """A file cannot be where a folder is, nor below a file; an object store itself would not mind."""
        folder = plain.rpartition("/")[0]
        while folder and folder not in self._folders:
            with suppress(NotFound), _our_errors(folder):
                self._s3.head_object(Bucket=self._bucket, Key=self._prefix + folder)
                raise Invalid(f"'{folder}' is a file, so '{plain}' cannot be written. Choose another path.")
            folder = folder.rpartition("/")[0]
        if plain in self._folders or self._is_folder(plain):
            raise Invalid(f"'{plain}' is a folder, so '{plain}' cannot be written. Choose another path.")

    def _write_parts(self, plain: str, first: bytes, second: bytes, rest: Iterator[bytes]) -> None:
        target = {"Bucket": self._bucket, "Key": self._prefix + plain}
        upload = self._s3.create_multipart_upload(**target)["UploadId"]
        done: list[dict[str, Any]] = []
        try:
            for part in _chained(first, second, rest):
                number = len(done) + 1
                sent = self._s3.upload_part(**target, UploadId=upload, PartNumber=number, Body=part)
                done.append({"PartNumber": number, "ETag": sent["ETag"]})
            self._s3.complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": done})
        except BaseException:
            with suppress(BotoCoreError, ClientError):
                self._s3.abort_multipart_upload(**target, UploadId=upload)
            raise


def _chained(first: bytes, second: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield second
    yield from rest


def _parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pieces of any size as parts of a size that an object store takes; they grow with their number."""
    waiting, number = bytearray(), 0
    for piece in pieces:
        waiting += piece
        while len(waiting) >= (size := PART_BYTES << (number // GROW_EVERY)):
            yield bytes(waiting[:size])
            del waiting[:size]
            number += 1
    if waiting:
        yield bytes(waiting)


def _stat(path: str, size: int, facts: dict[str, Any]) -> FileStat:
    modified = facts.get("LastModified")
    return FileStat(
        path=path,
        is_dir=False,
        size_bytes=size,
        modified_ms=round(modified.timestamp() * 1000) if modified else 0,
        etag=str(facts.get("ETag", "")).strip('"'),
    )


@contextmanager
def _our_errors(path: str) -> Iterator[None]:
    """Errors of the object store as ours; its own text may hold addresses, and stays in the log."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _ABSENT:
            raise NotFound(f"No such artifact: '{path}'") from None
        if code in {"PreconditionFailed", "412"}:
            raise Unavailable("The file was replaced while it was read. Ask again.") from error
        if code in {"NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall"}:
            raise Invalid(f"The upload in parts is not one, or a part of it is wrong ({code}).") from error
        raise Unavailable(
            f"The object store refused ({code or 'no reason'}). Its bucket, credentials and rights are the operator's."
        ) from error
    except BotoCoreError as error:
        raise Unavailable(f"The object store does not answer ({type(error).__name__}).") from error
