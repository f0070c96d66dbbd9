"""What a worker process writes: read without waiting, cut into bounded lines, its end kept."""

import os
from collections import deque

LINE_BYTES = 64 * 1024
TAIL_BYTES = 64 * 1024
_PIECE = 64 * 1024


class Output:
    """The captured output of the attempt that a worker process runs now."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        os.set_blocking(handle, False)
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._open = b""
        self.is_open = True

    def begin(self) -> None:
        """A new attempt: what was written before belongs to the last one."""
        self.pump()
        self._lines.clear()
        self._size, self._open = 0, b""

    def pump(self) -> None:
        """Take what is there."""
        while self.is_open:
            try:
                piece = os.read(self._handle, _PIECE)
            except BlockingIOError:
                return
            except OSError:
                piece = b""
            if not piece:
                self.is_open = False
                return
            self._take(piece)

    def tail(self) -> str:
        """The end of it."""
        return (b"".join(self._lines) + self._open[:LINE_BYTES]).decode("utf-8", "replace").replace("\0", "\ufffd")

    def _take(self, piece: bytes) -> None:
        *lines, last = (self._open + piece).split(b"\n")
        for line in lines:
            kept = line[:LINE_BYTES] + b"\n"
            self._lines.append(kept)
            self._size += len(kept)
        self._open = last[: LINE_BYTES + 1]
        while self._size > TAIL_BYTES and len(self._lines) > 1:
            self._size -= len(self._lines.popleft())
