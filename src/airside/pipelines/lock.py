"""Whether a driver lives: it holds an exclusive `flock` on its run's file for its whole life.

Who can take the lock knows that the driver is dead: no heartbeat, no time-out. It proves death on one machine and on
local file systems; elsewhere the lease does.
"""

import fcntl
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

from airside.core.ids import PipelineRunId


class RunLock:
    """The lock of a run, held from `take` to `release` or to the end of the process."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle

    @classmethod
    def take(cls, folder: Path, run: PipelineRunId) -> "RunLock | None":
        """The lock; None when a living driver has it."""
        path = folder / f"{run}.lock"
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)  # a child must not inherit it
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(handle)
                return None
            with suppress(FileNotFoundError):
                if path.stat().st_ino == os.fstat(handle).st_ino:
                    return cls(path, handle)
            os.close(handle)  # somebody released it, file and all, between our open and our lock

    def release(self) -> None:
        """Give it up; the file goes too."""
        with suppress(FileNotFoundError):
            self._path.unlink()
        os.close(self._handle)


def host_of(folder: Path) -> str:
    """Names the place on which locks in a folder hold: this machine and this very folder."""
    found = folder.stat()
    return f"{socket.gethostname()}:{found.st_dev}:{found.st_ino}"


def processes_with(variable: str, value: str) -> list[int]:
    """The living processes of this user whose environment says so: what a dead driver's worker has left behind."""
    if sys.platform != "linux":
        return []
    wanted = f"{variable}={value}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found
