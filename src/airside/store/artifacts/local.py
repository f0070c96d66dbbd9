"""Artifacts in a folder of the local file system, opened component by component, without following a link."""

import errno
import os
import shutil
import stat as modes
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from airside.core.errors import DiskFull, Invalid, NotFound
from airside.store.artifacts.port import FileStat
from airside.store.files import PIECE, free_to_write
from airside.store.names import safe_parts

INCOMING = ".airside-incoming"
"""The folder below the root in which uploads stand until they are whole. Not listed, and no name of a client's."""

LEFT_OVER_S = 24 * 3600

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

Parts = tuple[str, ...]


class LocalFile:
    """An open file."""

    def __init__(self, handle: int, path: str) -> None:
        self._handle = handle
        self.stat = _stat_of(path, os.fstat(handle))

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes of a range."""
        at, end = start, self.stat.size_bytes if stop is None else min(stop, self.stat.size_bytes)
        while at < end:
            piece = os.pread(self._handle, min(PIECE, end - at), at)
            if not piece:  # cut short by someone outside
                return
            at += len(piece)
            yield piece

    def close(self) -> None:
        """Give it back."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class LocalArtifacts:
    """An `ArtifactStore` in a folder.

    Args:
        root: the operator's folder; it may itself be a link.
        free_bytes: how much may still be written: an upload that would take more is refused.
        is_private: whether what is written is this user's alone; else the process's umask decides, as for files that
            clients put there themselves.
        is_made: whether the folder is made now, and never again: one that is gone later was moved, and what were
            written in its place would be lost when it comes back. Else with the first file.
    """

    def __init__(
        self,
        root: Path,
        *,
        free_bytes: Callable[[Path], int] | None = None,
        is_private: bool = True,
        is_made: bool = True,
    ) -> None:
        self._modes = (0o700, 0o600) if is_private else (0o777, 0o666)
        if is_made:
            root.mkdir(parents=True, exist_ok=True, mode=self._modes[0])
        self._root = root.resolve()
        self._is_made = is_made
        self._incoming = self._root / INCOMING
        self._free_bytes = free_bytes or free_to_write
        if is_made:
            self._incoming.mkdir(exist_ok=True, mode=0o700)
        if self._incoming.is_dir() and not self._incoming.is_symlink():  # a link's files are not ours to sweep
            self._sweep()

    def _sweep(self) -> None:
        """Remove what a crash interrupted."""
        for left in self._incoming.iterdir():
            with suppress(OSError):
                if left.stat().st_mtime < time.time() - LEFT_OVER_S:
                    left.unlink()

    def write(self, path: str, pieces: Iterable[bytes], *, size_bytes: int | None = None) -> FileStat:
        """Temporary file, fsync, rename, fsync of the folder."""
        parts = _own_parts(path)
        self._refuse_shape(parts)
        with _disk_errors():
            if not self._is_made:
                self._root.mkdir(parents=True, exist_ok=True, mode=self._modes[0])
            self._incoming.mkdir(exist_ok=True, mode=0o700)
        room = self._free_bytes(self._root)
        if (size_bytes or 0) > room:
            raise DiskFull
        name = uuid4().hex
        with _disk_errors(), self._folder((INCOMING,)) as incoming:
            try:
                _spill(name, incoming, pieces, room, self._modes[1])
                with self._folder(parts[:-1], create=True) as folder:
                    os.rename(name, parts[-1], src_dir_fd=incoming, dst_dir_fd=folder)
                    os.fsync(folder)
                    return _stat_of("/".join(parts), os.stat(parts[-1], dir_fd=folder, follow_symlinks=False))
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=incoming)

    def open(self, path: str) -> LocalFile:
        """Open a file."""
        parts = _own_parts(path)
        try:
            with self._folder(parts[:-1]) as folder:
                handle = os.open(parts[-1], _FILE, dir_fd=folder)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}:
                raise NotFound(f"No such artifact: '{'/'.join(parts)}'") from None
            raise
        mode = os.fstat(handle).st_mode
        if modes.S_ISREG(mode):
            return LocalFile(handle, "/".join(parts))
        os.close(handle)
        if modes.S_ISDIR(mode):
            raise Invalid(f"'{'/'.join(parts)}' is a folder. List it, or ask for a file below it.")
        raise NotFound(f"No such artifact: '{'/'.join(parts)}'")

    def stat(self, path: str) -> FileStat | None:
        """What a path is."""
        return self._stat(_own_parts(path, or_root=True))

    def list(self, path: str = "") -> tuple[FileStat, ...]:
        """What lies in a folder."""
        parts = _own_parts(path, or_root=True)
        try:
            with self._folder(parts) as folder, os.scandir(folder) as entries:
                found = [
                    _known("/".join((*parts, entry.name)), entry.stat(follow_symlinks=False))
                    for entry in entries
                    if (parts or entry.name != INCOMING) and _is_text(entry.name)
                ]
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
                return ()
            raise
        return tuple(sorted((each for each in found if each is not None), key=lambda each: each.path))

    def delete(self, path: str) -> None:
        """Remove a file or a folder."""
        parts = _own_parts(path)
        with suppress(FileNotFoundError, NotADirectoryError), self._folder(parts[:-1]) as folder:
            try:
                os.unlink(parts[-1], dir_fd=folder)
            except (IsADirectoryError, PermissionError):  # Linux says the former, POSIX the latter
                shutil.rmtree(parts[-1], dir_fd=folder)
            os.fsync(folder)

    def _stat(self, parts: Parts) -> FileStat | None:
        if not parts:
            return FileStat(path="", is_dir=True)
        try:
            with self._folder(parts[:-1]) as folder:
                return _known("/".join(parts), os.stat(parts[-1], dir_fd=folder, follow_symlinks=False))
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
                return None
            raise

    def _refuse_shape(self, parts: Parts) -> None:
        """Before anything is received: a file cannot be where a folder is, nor below a file."""
        for length in range(1, len(parts) + 1):
            known = self._stat(parts[:length])
            if known is None:
                return
            if known.is_dir != (length < len(parts)):
                shape = "a folder" if known.is_dir else "a file"
                raise Invalid(
                    f"'{known.path}' is {shape}, so '{'/'.join(parts)}' cannot be written. Choose another path."
                )

    @contextmanager
    def _folder(self, parts: Parts, *, create: bool = False) -> Iterator[int]:
        """A descriptor of a folder, reached step by step."""
        handle = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts:
                below = _step(handle, part, create=create, mode=self._modes[0])
                os.close(handle)
                handle = below
            yield handle
        finally:
            os.close(handle)


def _own_parts(path: str, *, or_root: bool = False) -> Parts:
    parts = safe_parts(path, or_root=or_root)
    if parts and parts[0] == INCOMING:
        raise Invalid("Invalid path")
    return parts


def _step(handle: int, part: str, *, create: bool, mode: int) -> int:
    try:
        return os.open(part, _FOLDER, dir_fd=handle)
    except FileNotFoundError:
        if not create:
            raise
    with suppress(FileExistsError):
        os.mkdir(part, mode, dir_fd=handle)
        os.fsync(handle)
    return os.open(part, _FOLDER, dir_fd=handle)


def _spill(name: str, folder: int, pieces: Iterable[bytes], room: int, mode: int) -> None:
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode, dir_fd=folder)
    with os.fdopen(handle, "wb", buffering=0):
        written = 0
        for piece in pieces:
            written += len(piece)
            if written > room:
                raise DiskFull
            _write_all(handle, piece)
        os.fsync(handle)


def _write_all(handle: int, piece: bytes) -> None:
    left = memoryview(piece)
    while left:
        left = left[os.write(handle, left) :]


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull from error
        if error.errno in {errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.EEXIST, errno.ENOTEMPTY}:
            raise Invalid("Invalid path") from None
        raise


def _known(path: str, found: os.stat_result) -> FileStat | None:
    return _stat_of(path, found) if modes.S_ISREG(found.st_mode) or modes.S_ISDIR(found.st_mode) else None


def _stat_of(path: str, found: os.stat_result) -> FileStat:
    modified_ms = found.st_mtime_ns // 1_000_000
    if modes.S_ISDIR(found.st_mode):
        return FileStat(path=path, is_dir=True, modified_ms=modified_ms)
    etag = f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}"
    return FileStat(path=path, is_dir=False, size_bytes=found.st_size, modified_ms=modified_ms, etag=etag)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that someone outside put there
        return False
    return True
