"""The home: the one folder that everything of the embedded default lives in, owned by one process at a time."""

import fcntl
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from airside.core.errors import Conflict, Unavailable

FOLDERS = ("blobs", "artifacts", "predictions", "spool", "logs", "run")


class Home:
    """A home that this process owns.

    Raises:
        Conflict: another process owns it; says where its server answers.
        Unavailable: the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name in FOLDERS:
                _closed_folder(path / name)
            self._lock = os.open(path / "run" / "home.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(
                f"The home {path} cannot be written: {error.strerror}. Name another folder with --home, or mend its "
                "rights or its disk."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            where = server_of(path)
            raise Conflict(
                f"The home {path} is in use by another process"
                + (f", which answers at {where['url']}" if where else "")
                + ". Talk to that one, stop it, or name another folder with --home."
            ) from None

    def announce(self, **facts: Any) -> None:
        """Tell other processes on this machine where this home's server answers."""
        place = self.path / "run" / "server.json"
        temporary = place.with_suffix(".new")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump({"pid": os.getpid(), **facts}, file)
        temporary.replace(place)

    def close(self) -> None:
        """Give the home up. A second time does nothing."""
        if self._lock < 0:
            return
        with suppress(FileNotFoundError):
            (self.path / "run" / "server.json").unlink()
        os.close(self._lock)
        self._lock = -1


def _closed_folder(folder: Path) -> None:
    """Make a folder of this user's alone; one that others may enter is closed to them."""
    folder.mkdir(exist_ok=True, mode=0o700)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def server_of(path: Path) -> dict[str, Any] | None:
    """Where the server of a home answers (`url`, `pid`, `token`), if one says so."""
    try:
        facts = json.loads((path / "run" / "server.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def is_owned(path: Path) -> bool:
    """Whether a process owns the home now."""
    try:
        handle = os.open(path / "run" / "home.lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)


def ready_server_of(path: Path, *, patience_s: float = 10.0) -> dict[str, Any] | None:
    """The facts of the server that owns a home, waiting while it starts: only then does it say its token."""
    until = time.monotonic() + patience_s
    while True:
        facts = server_of(path) if is_owned(path) else None
        if facts is None or not facts.get("is_starting") or time.monotonic() > until:
            return facts
        time.sleep(0.02)
