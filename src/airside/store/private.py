"""Files and folders of this user's alone, whatever the process's umask."""

import os
from pathlib import Path

MODE = 0o600


def opener(path: str, flags: int) -> int:
    """For `open(…, opener=opener)`: a file that is made belongs to this user alone."""
    return os.open(path, flags | os.O_CLOEXEC, MODE)


def make(path: Path) -> None:
    """Make an empty file, unless there is one."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE))


def folder(path: Path) -> None:
    """Make a folder, and those above it that are missing: `mkdir(parents=True)` leaves these to the umask."""
    missing = [path]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
