"""The spool: answered requests on the disk of the serving process, until the control plane has them.

Requests are taken from the event loop without waiting, written and flushed to the disk by one thread in groups, and
handed over by another. A segment is removed when all of it was acknowledged. After a crash whatever segments are left
are handed over again; the id of a request is its idempotency key, so nothing is stored twice.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from airside.core.errors import AirsideError
from airside.serving.records import NewBatch
from airside.store.frames import frame, frames

SEGMENT_BYTES = 4 << 20
GROUP_BYTES, GROUP_BATCHES = 2 << 20, 200
FLUSH_EVERY_S = 0.05
IDLE_ROUNDS = 20
MAX_FAILURES = 10
PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
MAX_WAITING_ROWS = 200_000
"""Rows answered and not on the disk yet. Beyond it new requests are refused (429), because each must be logged."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(NewBatch)
_log = logging.getLogger("airside.serving.spool")

Deliver = Callable[[tuple[NewBatch, ...]], None]
"""Hands requests to the control plane; raises when it did not take them."""


class Entry(Protocol):
    """An answered request as the event loop leaves it; the rest is done on the spool's thread."""

    @property
    def rows(self) -> int:
        """How many rows it has."""

    def to_batch(self) -> NewBatch:
        """The record that is kept."""


class Segment:
    """One file of the spool.

    Attributes:
        durable: bytes that are safe on the disk; only those are handed over.
        sent: bytes that were acknowledged.
        is_closed: nothing more will be written to it.
    """

    __slots__ = ("durable", "is_closed", "path", "sent")

    def __init__(self, path: Path, *, durable: int = 0, is_closed: bool = False) -> None:
        self.path = path
        self.durable = durable
        self.sent = 0
        self.is_closed = is_closed


class Spool:
    """Requests on their way to the control plane.

    Thread safety: `put`, `is_full`, `waiting` from any thread. Owns its folder and two threads until `close`.
    """

    def __init__(self, folder: Path, deliver: Deliver) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._deliver = deliver
        self._queue: deque[Entry] = deque()
        self._waiting_rows = 0
        self._count = threading.Lock()
        self._written = threading.Condition()
        self._segments: deque[Segment] = deque(self._left_over())
        self._number = self._last_number() + 1
        self._file: BinaryIO | None = None
        self._current: Segment | None = None
        self._closing = threading.Event()
        self._draining = False
        self.rejected = 0
        self._writer = threading.Thread(target=self._write_on, name="airside-spool-writer", daemon=True)
        self._sender = threading.Thread(target=self._send_on, name="airside-spool-sender", daemon=True)
        self._writer.start()
        self._sender.start()

    def put(self, entry: Entry) -> None:
        """Take a request. Never waits."""
        with self._count:
            self._waiting_rows += entry.rows
        self._queue.append(entry)

    @property
    def is_full(self) -> bool:
        """Whether more waits for the disk than may."""
        return self._waiting_rows > MAX_WAITING_ROWS

    @property
    def waiting(self) -> int:
        """Bytes on the disk that the control plane does not have yet."""
        return sum(segment.durable - segment.sent for segment in tuple(self._segments))

    def close(self, *, patience_s: float = 5.0) -> None:
        """Write what waits, try for a while to hand it over, and end. What is left is handed over after a restart."""
        self._closing.set()
        self._writer.join()
        with self._written:
            self._draining = True
            self._written.notify_all()
        self._sender.join(patience_s)

    def _write_on(self) -> None:
        failures = idle = 0
        while failures < MAX_FAILURES:
            is_closing = self._closing.wait(FLUSH_EVERY_S)
            try:
                idle = 0 if self._write_queued() else idle + 1
            except OSError:  # a full disk: keep what came, push back by `is_full`, try again
                _log.exception("spool.write_failed")
                self._close_segment()
                failures += is_closing
                time.sleep(PAUSES_S[0])
            if idle >= IDLE_ROUNDS and self._current is not None and self._current.sent == self._current.durable:
                self._close_segment()
            if is_closing and not self._queue:
                break
        else:
            _log.error("spool.lost rows=%s", self._waiting_rows)
        self._close_segment()

    def _write_queued(self) -> bool:
        """Write what waits and flush it to the disk; whether there was anything."""
        entries = [self._queue.popleft() for _ in range(len(self._queue))]
        if not entries:
            return False
        try:
            content = b"".join(frame(_ENCODER.encode(entry.to_batch())) for entry in entries)
            if self._current is None or self._file is None:
                self._current = self._new_segment()
                self._file = os.fdopen(os.open(self._current.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
            self._file.write(content)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError:
            self._queue.extendleft(reversed(entries))
            raise
        with self._written:
            self._current.durable += len(content)
            self._written.notify_all()
        with self._count:
            self._waiting_rows -= sum(entry.rows for entry in entries)
        if self._current.durable >= SEGMENT_BYTES:
            self._close_segment()
        return True

    def _close_segment(self) -> None:
        with suppress(OSError):  # what was flushed is safe; what was not is still queued
            if self._file is not None:
                self._file.close()
        with self._written:
            if self._current is not None:
                self._current.is_closed = True
            self._written.notify_all()
        self._file = self._current = None

    def _send_on(self) -> None:
        failures = 0
        while True:
            segment = self._next_segment()
            if segment is None:
                return
            try:
                failures = 0 if self._hand_over(segment) else failures
            except (AirsideError, OSError) as error:
                _log.warning("spool.handover_failed error=%s", error)
                failures += 1
                if self._draining and failures > 3:
                    return
                self._closing.wait(PAUSES_S[min(failures, len(PAUSES_S)) - 1])

    def _next_segment(self) -> Segment | None:
        """Wait for a segment with something to hand over; None when all is done and the spool closes."""
        with self._written:
            while True:
                while self._segments and _is_done(self._segments[0]):
                    self._segments.popleft().path.unlink(missing_ok=True)
                if self._segments and self._segments[0].sent < self._segments[0].durable:
                    return self._segments[0]
                if self._draining:
                    return None
                self._written.wait(1.0)

    def _hand_over(self, segment: Segment) -> bool:
        with segment.path.open("rb") as file:
            file.seek(segment.sent)
            content = file.read(min(segment.durable - segment.sent, GROUP_BYTES + SEGMENT_BYTES))
        batches, end = [], 0
        for end, payload in frames(content):
            batches.append(_DECODER.decode(payload))
            if end > GROUP_BYTES or len(batches) >= GROUP_BATCHES:
                break
        if not batches:  # damaged in the middle: what follows cannot be found
            _log.error("spool.damaged segment=%s at=%s", segment.path.name, segment.sent)
            segment.path.rename(segment.path.with_suffix(".damaged"))
            segment.sent, segment.is_closed = segment.durable, True
            return False
        self._deliver_or_split(tuple(batches))
        segment.sent += end
        return True

    def _deliver_or_split(self, batches: Sequence[NewBatch]) -> None:
        """Deliver; one request that is refused for what it is must not hold up the others."""
        try:
            self._deliver(tuple(batches))
        except AirsideError as error:
            if error.status not in {400, 404, 413, 422}:
                raise
            if len(batches) > 1:
                middle = len(batches) // 2
                self._deliver_or_split(batches[:middle])
                self._deliver_or_split(batches[middle:])
                return
            self.rejected += 1
            _log.error("spool.rejected id=%s error=%s", batches[0].id, error.message)
            with (self._folder / "rejected.log").open("ab") as file:
                file.write(frame(_ENCODER.encode(batches[0])))

    def _new_segment(self) -> Segment:
        segment = Segment(self._folder / f"{self._number:012d}.spool")
        self._number += 1
        with self._written:
            self._segments.append(segment)
        return segment

    def _left_over(self) -> Iterator[Segment]:
        for path in sorted(self._folder.glob("*.spool")):
            whole = 0
            for whole, _ in frames(path.read_bytes()):  # noqa: B007 -- the end of the last whole frame is wanted
                pass
            if whole:
                yield Segment(path, durable=whole, is_closed=True)
            else:
                path.unlink()

    def _last_number(self) -> int:
        return max((int(path.stem) for path in self._folder.glob("*.spool")), default=0)


def _is_done(segment: Segment) -> bool:
    return segment.is_closed and segment.sent >= segment.durable
