"""Asking a platform: over HTTP, or in this process. One client, typed by what is asked.

client = airside.connect("http://127.0.0.1:5000")
run = client.call(CreateRun(experiment_id="0"))
"""

import atexit
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol, Self, TypeVar

from airside.core.errors import Invalid, Unavailable
from airside.core.ids import BlobId
from airside.core.operation import LOCAL
from airside.core.plugin import load
from airside.core.record import Ask
from airside.store.files import pieces_of

T = TypeVar("T")
HTTP = "airside.client.http:HttpTransport"
"""Imported when there is a server to talk to: its library costs half of what `import airside.start_run` may."""


class Transport(Protocol):
    """How asks and bytes reach a platform. Thread-safe."""

    url: str
    home: Path | None

    def call(self, ask: Ask[T], *, idempotency_key: str) -> T:
        """Ask, and wait for the answer."""

    def put_blob(self, pieces: Iterable[bytes]) -> BlobId:
        """Store bytes by content."""

    def get_blob(self, blob: BlobId) -> Iterator[bytes]:
        """Bytes by content."""

    def has_blob(self, blob: BlobId) -> bool:
        """Whether there are such bytes."""

    def put_artifact(self, path: str, pieces: Iterable[bytes]) -> None:
        """Store a file below the proxied root."""

    def get_artifact(self, path: str) -> Iterator[bytes]:
        """A file below the proxied root."""

    def impatient(self) -> "Transport":
        """One to the same platform that says at once that nobody answers, instead of trying for seconds."""

    def close(self) -> None:
        """End it."""


class Client:
    """A platform, as people's code sees it. Thread-safe; a context manager.

    What each verb is called, takes and answers: the `Ask` records beside the operations, e.g.
    `airside.tracking.operations.CreateRun`.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def url(self) -> str:
        """Where it talks to; empty when the platform is in this process."""
        return self._transport.url

    @property
    def home(self) -> Path | None:
        """The home that is open in this process; None when a server is asked."""
        return self._transport.home

    def impatient(self) -> "Client":
        """A client of the same platform for work behind the scenes: says at once that no server answers."""
        return Client(self._transport.impatient())

    def call(self, ask: Ask[T], *, idempotency_key: str = "") -> T:
        """Ask, and wait for the durable answer.

        Raises:
            AirsideError: the operation's own errors; `Unavailable` when no server answers.
        """
        return self._transport.call(ask, idempotency_key=idempotency_key)

    def put_blob(self, source: Path | bytes) -> BlobId:
        """Store a file's bytes, or bytes, by content; the id is their digest."""
        return self._transport.put_blob(_pieces(source))

    def has_blob(self, blob: BlobId) -> bool:
        """Whether the platform has a blob."""
        return self._transport.has_blob(blob)

    def get_blob(self, blob: BlobId) -> bytes:
        """The bytes of a blob."""
        return b"".join(self._transport.get_blob(blob))

    def blob_pieces(self, blob: BlobId) -> Iterator[bytes]:
        """The bytes of a blob, piece by piece."""
        return self._transport.get_blob(blob)

    def artifact_pieces(self, path: str) -> Iterator[bytes]:
        """The bytes of a file below the proxied root, piece by piece."""
        return self._transport.get_artifact(path)

    def save_blob(self, blob: BlobId, target: Path) -> None:
        """The bytes of a blob into a file, piece by piece, whole or not at all."""
        _save(self._transport.get_blob(blob), target)

    def upload_artifact(self, path: str, source: Path | bytes) -> None:
        """Store a file under a path below the proxied root, e.g. `1/RUN/artifacts/plot.png`."""
        self._transport.put_artifact(path, _pieces(source))

    def download_artifact(self, path: str, target: Path | None = None) -> bytes:
        """The bytes of a file below the proxied root; into `target`, when it is given (then the answer is empty)."""
        pieces = self._transport.get_artifact(path)
        if target is None:
            return b"".join(pieces)
        _save(pieces, target)
        return b""

    def close(self) -> None:
        """End it."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def _pieces(source: Path | bytes) -> Iterable[bytes]:
    if isinstance(source, bytes):
        return (source,)
    return pieces_of(source)


def _save(pieces: Iterator[bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with temporary.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def connect(url: str = "", token: str = "") -> Client:
    """A client of the server at `url`; without one, of the one that the environment names, else of the local home's.

    The environment names a server by `AIRSIDE_URL`, else by `MLFLOW_TRACKING_URI` when that is an address; its token
    is `AIRSIDE_TOKEN`, else `MLFLOW_TRACKING_TOKEN`.

    Raises:
        Invalid: the address is none.
    """
    url = url or os.environ.get("AIRSIDE_URL", "") or os.environ.get("AIRSIDE_TRACKING_URI", "") or _mlflow_url()
    token = token or os.environ.get("AIRSIDE_TOKEN", "") or os.environ.get("MLFLOW_TRACKING_TOKEN", "")
    if not url:
        return open_home(os.environ.get("AIRSIDE_HOME", "~/.airside"))
    if not url.startswith(("http://", "https://")):
        raise Invalid(f"'{url}' is not the address of a server; one looks like http://127.0.0.1:5000")
    fingerprint = os.environ.get("AIRSIDE_FINGERPRINT", "") if url == os.environ.get("AIRSIDE_URL") else ""
    return Client(load(HTTP)(url, token, fingerprint=fingerprint))


def _mlflow_url() -> str:
    url = os.environ.get("MLFLOW_TRACKING_URI", "")
    return url if url.startswith(("http://", "https://")) else ""


def open_home(home: str | Path = "~/.airside") -> Client:
    """A client of a home: of the server that owns it, else of a platform opened in this process.

    Raises:
        Conflict: another process owns the home and is no server. Unavailable: the home cannot be opened.
    """
    path = Path(home).expanduser().resolve()
    facts = load("airside.platform.home:ready_server_of")(path)
    if facts:
        return Client(load(HTTP)(facts["url"], facts.get("token", ""), fingerprint=facts.get("fingerprint", "")))
    client = Client(EmbeddedTransport(path))
    atexit.register(client.close)
    return client


class EmbeddedTransport:
    """A platform in this process, without HTTP; reactions and loops run as in a server."""

    url = ""

    def __init__(self, home: Path) -> None:
        self._platform = load("airside.platform.wiring:Platform").open(home)
        self._process = os.getpid()
        self.home: Path | None = home
        reactions = load("airside.platform.reactions.table:REACTIONS")
        self._background = [
            load("airside.platform.reacting:Reactor")(self._platform, reactions),
            load("airside.platform.loops:Loops")(self._platform),
        ]

    def call(self, ask: Ask[T], *, idempotency_key: str) -> T:
        """Ask."""
        if self._process != os.getpid():
            raise Unavailable(
                "This platform was opened in the process that this one was forked from, and only that one can ask it. "
                "Start a server (airside server) for work in several processes."
            )
        answer: T = self._platform.call(LOCAL, ask, idempotency_key=idempotency_key)
        return answer

    def put_blob(self, pieces: Iterable[bytes]) -> BlobId:
        """Store bytes by content."""
        blob: BlobId = self._platform.blobs.put(pieces)
        return blob

    def get_blob(self, blob: BlobId) -> Iterator[bytes]:
        """Bytes by content."""
        pieces: Iterator[bytes] = self._platform.blobs.open(blob)
        return pieces

    def has_blob(self, blob: BlobId) -> bool:
        """Whether the store has such bytes."""
        return self._platform.blobs.size(blob) is not None

    def put_artifact(self, path: str, pieces: Iterable[bytes]) -> None:
        """Store a file."""
        self._platform.artifacts.write(path, pieces)

    def get_artifact(self, path: str) -> Iterator[bytes]:
        """A file."""
        with self._platform.artifacts.open(path) as file:
            yield from file.pieces()

    def impatient(self) -> "EmbeddedTransport":
        """Itself: there is nobody to wait for."""
        return self

    def close(self) -> None:
        """Close the platform, once."""
        if self._process != os.getpid():
            return
        background, self._background = self._background, []
        for part in reversed(background):
            part.close()
        if background:
            self._platform.close()


class NowhereTransport:
    """To a platform that another process has open and that this one cannot ask: everything is `Unavailable`.

    What is logged through it goes to the spool, from where the platform's own process takes it.
    """

    url = ""

    def __init__(self, home: Path) -> None:
        self.home: Path | None = home

    def call(self, ask: Ask[T], *, idempotency_key: str) -> T:
        """Nobody answers."""
        del ask, idempotency_key
        raise self._absent()

    def put_blob(self, pieces: Iterable[bytes]) -> BlobId:
        """Nobody answers."""
        del pieces
        raise self._absent()

    def get_blob(self, blob: BlobId) -> Iterator[bytes]:
        """Nobody answers."""
        del blob
        raise self._absent()

    def has_blob(self, blob: BlobId) -> bool:
        """Nobody answers."""
        del blob
        raise self._absent()

    def put_artifact(self, path: str, pieces: Iterable[bytes]) -> None:
        """Nobody answers."""
        del path, pieces
        raise self._absent()

    def get_artifact(self, path: str) -> Iterator[bytes]:
        """Nobody answers."""
        del path
        raise self._absent()

    def impatient(self) -> "NowhereTransport":
        """Itself."""
        return self

    def close(self) -> None:
        """There is nothing to end."""

    def _absent(self) -> Unavailable:
        return Unavailable(f"The home {self.home} is open in another process, which is no server.")
