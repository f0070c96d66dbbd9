"""Files by path below one root of the operator's, as MLflow's contract asks: plain files under their names."""

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import NamedTuple, Protocol, Self, runtime_checkable

from airside.core.record import Record


class FileStat(Record):
    """What is known of a file or folder.

    Attributes:
        path: below the root, with `/`; of a listing's items too.
        size_bytes: 0 for a folder.
        etag: changes with the content; empty for a folder.
    """

    path: str
    is_dir: bool
    size_bytes: int = 0
    modified_ms: int = 0
    etag: str = ""


class OpenFile(Protocol):
    """An open file: what it was when it was opened, even if it is replaced meanwhile. Owned by one thread at a time."""

    stat: FileStat

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to, not including, `stop`."""

    def close(self) -> None:
        """Give it back."""

    def __enter__(self) -> Self:
        """Itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""


class ArtifactStore(Protocol):
    """A place for files by path. Paths are a client's text: every method puts them through `store.names`.

    Thread safety: every method from any thread, and from several processes on one place at once.
    Durability: what `write` returned is there after a crash; what a crash interrupts is whole or absent.
    Ordering: the last `write` of a path to end wins. Links are never followed: what one stands for is not there.
    Errors: `Invalid` ("Invalid path", or a folder where a file is meant and the other way round), `NotFound`,
    `DiskFull`. Cost: one pass over the bytes.
    """

    def write(self, path: str, pieces: Iterable[bytes], *, size_bytes: int | None = None) -> FileStat:
        """Write a file, over an older one, making its folders. `size_bytes` is how much is announced, if known."""

    def open(self, path: str) -> OpenFile:
        """Open a file to read."""

    def stat(self, path: str) -> FileStat | None:
        """What a path is; None when nothing is there."""

    def list(self, path: str = "") -> tuple[FileStat, ...]:
        """What lies directly in a folder, by name; nothing when there is no such folder. An empty path is the root."""

    def delete(self, path: str) -> None:
        """Remove a file, or a folder with all below it; nothing happens when there is none."""


class SignedPart(NamedTuple):
    """Where a client puts a part of a large file."""

    number: int
    url: str


@runtime_checkable
class SignsAddresses(Protocol):
    """What an object store can do beside: clients move large files themselves, by signed addresses.

    An address is for one object and one method, and holds for a quarter of an hour.
    """

    def signed_get(self, path: str) -> tuple[str, int]:
        """An address to read an object from, and its size."""

    def signed_put(self, path: str) -> str:
        """An address to write an object to."""

    def begin_parts(self, path: str, count: int) -> tuple[str, tuple[SignedPart, ...]]:
        """Begin a file that comes in parts: its upload's id, and where each part goes."""

    def end_parts(self, path: str, upload: str, parts: Iterable[tuple[int, str]]) -> None:
        """Complete it: the number and the tag of each part."""

    def drop_parts(self, path: str, upload: str) -> None:
        """Give it up; nothing of it stays."""
