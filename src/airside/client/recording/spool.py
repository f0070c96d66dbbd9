"""The spool: what could not be sent, on the disk of the machine that logs, until a server takes it.

    SPOOL/127.0.0.1-5000-1f3a9c02/address          the server's address
    SPOOL/127.0.0.1-5000-1f3a9c02/PARCEL/lock      held (flock) while the process that owns the parcel lives
    SPOOL/127.0.0.1-5000-1f3a9c02/PARCEL/000001.spool, 000002.spool …   frames: length, CRC-32, an entry
    SPOOL/127.0.0.1-5000-1f3a9c02/PARCEL/*.bytes   files on their way

A parcel belongs to one process. Frames are appended and flushed to the disk (fsync) once for each group, before a
`flush` of the run returns. Whoever can take the lock of a parcel may send it: its owner is dead. Entries carry their
idempotency keys, so a parcel that was sent in part is sent again from its beginning without harm.
"""

import fcntl
import os
import re
import shutil
import tempfile
import time
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit, urlunsplit

import msgspec

from airside.client.recording.entries import Entry, Written, entry_of, size_of
from airside.core.errors import Invalid
from airside.core.record import Record
from airside.store.files import sync
from airside.store.frames import HEAD_BYTES, frame, frames

SEGMENT_BYTES = 8 << 20
LIMIT_BYTES = 1 << 30
"""Of all parcels together, unless `AIRSIDE_SPOOL_LIMIT_MIB` says otherwise."""
SPARE_BYTES = 200 << 20
"""What is left free on the disk."""
EMBEDDED = "embedded:"
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Written)


class ParcelState(Record):
    """What waits in a parcel.

    Attributes:
        address: the server that it is for.
        is_owned: whether the process that made it still lives: it sends it itself.
    """

    address: str
    parcel: str
    entries: int
    bytes: int
    is_owned: bool
    since_ms: int


def spool_root() -> Path:
    """`$AIRSIDE_SPOOL`, else `spool/runs` in the home, else a folder among the temporary files."""
    named = os.environ.get("AIRSIDE_SPOOL", "")
    if named:
        return Path(named).expanduser()
    place = Path(os.environ.get("AIRSIDE_HOME", "") or "~/.airside").expanduser() / "spool" / "runs"
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        place = Path(tempfile.gettempdir()) / f"airside-spool-{os.getuid()}"
        place.mkdir(exist_ok=True, mode=0o700)
        if place.is_symlink() or place.stat().st_uid != os.getuid():
            raise PermissionError(f"{place} belongs to somebody else; name a folder in AIRSIDE_SPOOL") from None
    return place


def plain_address(address: str) -> str:
    """An address without user and password.

    >>> plain_address("https://me:secret@host:5000/x")
    'https://host:5000/x'
    """
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else address


def shelf_of(address: str, root: Path | None = None) -> Path:
    """The folder of the parcels for one server."""
    plain = plain_address(address).rstrip("/")
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", plain.partition("://")[2] or plain).strip("-")[:80]
    return (root or spool_root()) / f"{readable}-{zlib.crc32(plain.encode()):08x}"


def limit_bytes() -> int:
    """How large the spool may become."""
    with suppress(ValueError):
        return int(os.environ.get("AIRSIDE_SPOOL_LIMIT_MIB", "")) << 20
    return LIMIT_BYTES


class Parcel:
    """What one process has in the spool. Not thread-safe: it belongs to the thread that sends.

    Raises:
        OSError: the folder cannot be written, or its lock is held by somebody else.
    """

    def __init__(self, folder: Path, *, room_bytes: int = LIMIT_BYTES) -> None:
        self.folder = folder
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise
        self._room = room_bytes
        self._segments = deque(sorted(folder.glob("*.spool")))
        self._number = int(self._segments[-1].stem) if self._segments else 0
        self._file: BinaryIO | None = None
        self._file_size = 0
        self._read: deque[tuple[int, bytes]] = deque()
        self._read_to = 0
        self.bytes = size_of(folder.iterdir())
        self.entries = 0

    @classmethod
    def opened(cls, address: str) -> "Parcel":
        """A new parcel of this process for a server."""
        shelf = shelf_of(address)
        shelf.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            handle = os.open(shelf / "address", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(plain_address(address))
        used = size_of(path for path in shelf.parent.rglob("*") if path.is_file())
        room = min(limit_bytes() - used, shutil.disk_usage(shelf).free - SPARE_BYTES)
        name = f"{time.time_ns() // 1_000_000:013d}-{os.getpid()}-{os.urandom(3).hex()}"
        (shelf / f".{name}").mkdir(mode=0o700)
        parcel = cls(shelf / f".{name}", room_bytes=max(room, 0))
        parcel.folder = parcel.folder.rename(shelf / name)  # only now, that its lock is held, others may see it
        return parcel

    def add(self, entries: Sequence[Entry]) -> int:
        """Append entries and flush them to the disk; how many had room.

        Raises:
            OSError: the disk refused; none of them counts as kept.
        """
        content = bytearray()
        kept = 0
        for entry in entries:
            size = entry.size_bytes()
            if self.bytes + len(content) + size > self._room:
                break
            written = entry.written(self.folder)
            if written.file:  # before the frame that names it
                sync(self.folder / written.file)
                sync(self.folder)
            content += frame(_ENCODER.encode(written))
            self.bytes += size
            kept += 1
        if not content:
            return 0
        file = self._segment()
        try:
            _write(file, content)
            os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):  # what follows a torn frame could not be read
                os.ftruncate(file.fileno(), self._file_size)
            raise
        self._file_size += len(content)
        self.bytes += len(content)
        self.entries += kept
        return kept

    def first(self) -> Entry | None:
        """The entry that waits longest; None when nothing does.

        Raises:
            Invalid: this release does not know it; `drop` passes it over.
        """
        while not self._read:
            if not self._segments:
                return None
            content = self._segments[0].read_bytes()
            self._read.extend(frames(content, self._read_to))
            if not self._read:
                self._finish_segment(is_damaged=_is_damaged(content, self._read_to))
        return entry_of(_DECODER.decode(self._read[0][1]), self.folder)

    def is_empty(self) -> bool:
        """Whether nothing waits in it."""
        try:
            return self.first() is None
        except Invalid:
            return False

    def drop(self) -> None:
        """The first entry has arrived, or never will."""
        self._read_to, payload = self._read.popleft()
        self.bytes = max(0, self.bytes - len(payload) - HEAD_BYTES)
        self.entries = max(0, self.entries - 1)

    def close(self) -> None:
        """Give it up; removed when nothing waits in it."""
        if self._lock < 0:
            return
        if self._file is not None:
            self._file.close()
            self._file = None
        with suppress(OSError):
            if not self._segments and {path.name for path in self.folder.iterdir()} == {"lock"}:
                shutil.rmtree(self.folder)
        os.close(self._lock)
        self._lock = -1

    def abandon(self) -> None:
        """In a forked child: it is the parent's. Only our copies of its handles are closed."""
        if self._file is not None:
            self._file.close()
            self._file = None
        os.close(self._lock)
        self._lock = -1

    def _segment(self) -> BinaryIO:
        if self._file is None or self._file_size >= SEGMENT_BYTES:
            if self._file is not None:
                self._file.close()
            self._number += 1
            path = self.folder / f"{self._number:06d}.spool"
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab", buffering=0)
            self._file_size = 0
            self._segments.append(path)
            sync(self.folder)
        return self._file

    def _finish_segment(self, *, is_damaged: bool) -> None:
        path = self._segments.popleft()
        self._read_to = 0
        if self._file is not None and not self._segments:
            self._file.close()
            self._file = None
        if is_damaged:
            path.rename(path.with_suffix(".damaged"))
        path.unlink(missing_ok=True)


def _write(file: BinaryIO, content: bytes | bytearray) -> None:
    """Write all of it; the file is not buffered, so that a fork or an error leaves nothing half in memory."""
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]


def _is_damaged(content: bytes, end: int) -> bool:
    """Whether what follows the last whole frame is more than the frame that a crash cut short."""
    rest = content[end:]
    return len(rest) >= HEAD_BYTES and len(rest) >= HEAD_BYTES + int.from_bytes(rest[:4], "little")


def left_over(shelf: Path) -> Iterator[Parcel]:
    """The parcels of processes that are gone, locked for the caller, the oldest first."""
    if not shelf.is_dir():
        return
    for folder in _parcels(shelf):
        try:
            parcel = Parcel(folder)
        except OSError:  # its owner lives, or another process was faster
            continue
        yield parcel


def _parcels(shelf: Path) -> list[Path]:
    return sorted(path for path in shelf.iterdir() if path.is_dir() and not path.name.startswith("."))


def state_of(root: Path | None = None) -> tuple[ParcelState, ...]:
    """What waits in the spool, by server and parcel."""
    place = root or spool_root()
    states = []
    for shelf in sorted(path for path in place.glob("*") if (path / "address").is_file()):
        address = (shelf / "address").read_text("utf-8")
        for folder in _parcels(shelf):
            with suppress(OSError):
                states.append(_state(address, folder))
    return tuple(states)


def _state(address: str, folder: Path) -> ParcelState:
    entries = 0
    for segment in sorted(folder.glob("*.spool")):
        entries += sum(1 for _ in frames(segment.read_bytes()))
    stamp = folder.name.partition("-")[0]
    return ParcelState(
        address=address,
        parcel=folder.name,
        entries=entries,
        bytes=size_of(folder.iterdir()),
        is_owned=_is_locked(folder / "lock"),
        since_ms=int(stamp) if stamp.isdecimal() else 0,
    )


def _is_locked(lock: Path) -> bool:
    handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
