"""Asking a server over HTTP."""

import os
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
import urllib3

from airside.core.errors import AirsideError, ErrorBody, Invalid, NotFound, Unavailable, from_wire
from airside.core.ids import BlobId
from airside.core.operation import operation_of
from airside.core.record import Ask
from airside.store.files import PIECE
from airside.store.names import safe_parts

T = TypeVar("T")
CONNECT_S, READ_S, IMPATIENT_READ_S = 5.0, 120.0, 20.0
RETRIES = 5
_PATIENT = {429, 503}
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"


class HttpTransport:
    """Over HTTP, on kept connections; what may be repeated is repeated when the server is busy or away."""

    home: Path | None = None

    def __init__(
        self, url: str, token: str = "", *, retries: int = RETRIES, read_s: float = READ_S, fingerprint: str = ""
    ) -> None:
        self.url = url.rstrip("/")
        self._retries = retries
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout = urllib3.Timeout(connect=CONNECT_S, read=read_s)
        self._fingerprint = fingerprint
        self._pool, self._process = self._new_pool(), os.getpid()

    def _new_pool(self) -> urllib3.PoolManager:
        # A certificate that is known by its digest needs no signature: it is that one or none.
        pinned: dict[str, Any] = (
            {"cert_reqs": "CERT_NONE", "assert_fingerprint": self._fingerprint} if self._fingerprint else {}
        )
        return urllib3.PoolManager(maxsize=8, retries=False, timeout=self._timeout, headers=self._headers, **pinned)

    def impatient(self) -> "HttpTransport":
        """One to the same server that tries once, and waits for an answer no longer than some seconds."""
        other = HttpTransport(self.url, retries=0, read_s=IMPATIENT_READ_S, fingerprint=self._fingerprint)
        other._headers = self._headers
        return other

    def call(self, ask: Ask[T], *, idempotency_key: str) -> T:
        """Ask; every try carries the same key, so that it acts once."""
        operation = operation_of(type(ask))
        headers = {**self._headers, "Content-Type": "application/json"}
        if not operation.is_read and (idempotency_key or operation.is_keyed):
            headers["Idempotency-Key"] = idempotency_key or secrets.token_hex(16)
        response = self._send(
            "POST", f"/api/v1/{operation.name}", body=_encoded(ask), headers=headers, is_repeatable=True
        )
        try:
            answer: T = msgspec.json.decode(response.data, type=operation.answer_type)
        except msgspec.DecodeError as error:
            raise self._strange(error) from error
        return answer

    def put_blob(self, pieces: Iterable[bytes]) -> BlobId:
        """Store bytes by content."""
        response = self._put("/api/v1/blobs", pieces)
        return BlobId(msgspec.json.decode(response.data)["blob"])

    def get_blob(self, blob: BlobId) -> Iterator[bytes]:
        """Bytes by content."""
        return self._get(f"/api/v1/blobs/{blob}")

    def has_blob(self, blob: BlobId) -> bool:
        """Whether the server has such bytes."""
        try:
            self._send("HEAD", f"/api/v1/blobs/{blob}", body=None, headers=self._headers, is_repeatable=True)
        except NotFound:
            return False
        return True

    def put_artifact(self, path: str, pieces: Iterable[bytes]) -> None:
        """Store a file."""
        self._put(_artifact(path), pieces)

    def get_artifact(self, path: str) -> Iterator[bytes]:
        """A file."""
        return self._get(_artifact(path))

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _strange(self, error: Exception) -> Unavailable:
        return Unavailable(
            f"What answers at {self.url} is not a server of Airside, or one of another release ({error}). "
            "Name the right address with --url or $AIRSIDE_URL."
        )

    def _put(self, path: str, pieces: Iterable[bytes]) -> urllib3.BaseHTTPResponse:
        source = _Source(pieces)
        try:
            return self._send("PUT", path, body=source, headers=self._headers)
        except Unavailable:
            if source.mistake is not None:  # urllib3 takes the caller's unreadable file for a broken connection
                raise source.mistake from None
            raise

    def _get(self, path: str) -> Iterator[bytes]:
        response = self._send("GET", path, body=None, headers=self._headers, is_repeatable=True, preload=False)
        try:
            yield from response.stream(PIECE)
        finally:
            response.release_conn()

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: Any,
        headers: dict[str, str],
        is_repeatable: bool = False,
        preload: bool = True,
    ) -> urllib3.BaseHTTPResponse:
        if self._process != os.getpid():  # after a fork: the connections are the parent's
            self._pool, self._process = self._new_pool(), os.getpid()
        for attempt in range(self._retries + 1):
            is_last = attempt == self._retries or not is_repeatable
            try:
                response = self._pool.request(
                    method, self.url + path, body=body, headers=headers, preload_content=preload
                )
            except urllib3.exceptions.HTTPError as error:
                if is_last:
                    raise Unavailable(
                        f"No server answers at {self.url} ({type(error).__name__}). Start one with: airside server"
                    ) from error
            else:
                if response.status < 300:
                    return response
                if is_last or response.status not in _PATIENT:
                    raise _error(response)
                response.release_conn()
            time.sleep(0.1 * 2**attempt)
        raise AssertionError  # the last try returns or raises


class _Source:
    """Pieces of a body, and what went wrong in reading them."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.mistake: OSError | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._pieces
        except OSError as error:
            self.mistake = error
            raise


def _encoded(ask: Ask[Any]) -> bytes:
    try:
        return msgspec.json.encode(ask)
    except UnicodeEncodeError:  # an argument of a command line that is not UTF-8, say
        raise Invalid("A text in what is asked is not valid Unicode. Write it in UTF-8.") from None


def _artifact(path: str) -> str:
    """The address of a file; an HTTP client would quietly take `..` for the folder above."""
    safe_parts(path)
    return ARTIFACTS + quote(path)


def _error(response: urllib3.BaseHTTPResponse) -> AirsideError:
    data = response.data or response.read()
    try:
        told = msgspec.json.decode(data, type=ErrorBody)
    except msgspec.DecodeError:
        return from_wire(
            response.status, "", f"The server answered {response.status}: {data[:300].decode(errors='replace')}"
        )
    return from_wire(response.status, told.error_code, told.message)
