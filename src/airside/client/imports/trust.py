"""Which files of this machine an import may read: what a source names is a stranger's word, not the user's."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

MOST_TOLD = 200
BESIDE = ("mlruns", "mlartifacts")
"""The folders in which MLflow keeps files when nobody says where: beside its database."""


class Trust:
    """The folders below which files may be read, and what was passed over.

    Args:
        roots: folders that the user named, links and all: where they lead is trusted.
        beside: folders that nobody named: a link in their place leads out of them.
        base: the folder that the source lies in: the old server was started there, if not here.

    Attributes:
        passed: what was not read, and why; the first of them.
        n_passed: how many that were.
    """

    def __init__(self, roots: Iterable[Path], beside: Iterable[Path] = (), base: Path = Path()) -> None:
        self.base = base
        named = [os.path.realpath(root) for root in roots]
        found = [str(Path(os.path.realpath(root.parent), root.name)) for root in beside]
        self._roots = tuple(root.rstrip("/") for root in (*named, *found))
        self.passed: dict[str, str] = {}
        self.n_passed = 0

    def add(self, root: Path) -> None:
        """Trust another folder that the user named."""
        self._roots = (*self._roots, os.path.realpath(root).rstrip("/"))

    def holds(self, path: Path) -> bool:
        """Whether a path leads to a place below one of the roots, all links followed."""
        try:
            real = os.path.realpath(path)
        except (OSError, ValueError):  # a NUL in the name, say
            return False
        return any(real == root or real.startswith(f"{root}/") for root in self._roots)

    def is_folder(self, path: Path) -> bool:
        """Whether there is a folder that may be read; one that leads elsewhere is told."""
        return self._is(path, stat.S_ISDIR)

    def is_file(self, path: Path) -> bool:
        """Whether there is a file that may be read; a pipe, a device and what leads elsewhere are told."""
        return self._is(path, stat.S_ISREG)

    def folders(self, folder: Path) -> list[Path]:
        """The folders in a folder, by name; none when there is no such folder."""
        if not self.is_folder(folder):
            return []
        return [path for path in sorted(folder.iterdir()) if path.is_dir() and self.is_folder(path)]

    def files(self, folder: Path) -> Iterator[Path]:
        """Every file below a folder, in the order of their names; a link to a folder is not followed."""
        if not self.is_folder(folder):
            return
        for top, folders, names in os.walk(
            folder, onerror=lambda error: self.tell(error.filename, str(error.strerror))
        ):
            folders.sort()
            for name in folders:
                if (path := Path(top, name)).is_symlink():
                    self.tell(path, "a link to a folder")
            for name in sorted(names):
                if not name.startswith(".nfs") and self.is_file(path := Path(top, name)):
                    yield path

    def tell(self, path: object, why: str) -> None:
        """Note that something was passed over; the same once."""
        if str(path) in self.passed:
            return
        self.n_passed += 1
        if len(self.passed) < MOST_TOLD:
            self.passed[str(path)] = why

    def _is(self, path: Path, is_wanted: Callable[[int], bool]) -> bool:
        try:
            mode = path.stat().st_mode
            is_link = path.is_symlink()
        except (FileNotFoundError, NotADirectoryError):
            if path.is_symlink():
                self.tell(path, "a link that leads nowhere")
            return False
        except PermissionError:
            raise
        except (OSError, ValueError) as error:  # links in a circle, a name that is too long, a NUL in it
            self.tell(path, str(error))
            return False
        if is_link and not self.holds(path):
            self.tell(path, f"a link that leads out of the folder, to {os.path.realpath(path)}")
            return False
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            self.tell(path, "neither a file nor a folder")
        return is_wanted(mode)
