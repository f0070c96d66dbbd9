"""The bundle: files of a tree as one zip that is the same for the same files, whenever and wherever it is made.

    files/…          the files by their paths; links as links, the right to execute kept
    capture.json     what it is: `changes` of a commit with what was deleted, or a whole `snapshot`
    changes.diff     for people: the difference from the commit

Nothing is compressed, because compressors of different releases do not agree; names are sorted, times are fixed.
"""

import errno
import io
import os
import stat
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from airside.core.errors import Invalid
from airside.core.record import Record

MAX_FILES = 5_000
MAX_BYTES = 32 << 20
MANIFEST, DIFF, FILES = "capture.json", "changes.diff", "files/"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_LEADS_OUT = "a link that leads out of the tree"
_PLAIN, _EXECUTABLE, _LINK = stat.S_IFREG | 0o644, stat.S_IFREG | 0o755, stat.S_IFLNK | 0o777


class Member(Record):
    """A file of a bundle: its bytes, or where a link points to."""

    path: str
    content: bytes
    kind: Literal["plain", "executable", "link"] = "plain"


class Manifest(Record):
    """What a bundle is.

    Attributes:
        commit: that the changes apply to; empty for a snapshot.
        deleted: the paths that the commit has and the tree had not.
    """

    kind: Literal["changes", "snapshot"]
    commit: str = ""
    deleted: tuple[str, ...] = ()


def read_member(root: Path, path: str) -> Member | None:
    """A file as it lies in a folder; None when it is neither a file nor a link.

    Raises:
        OSError: it cannot be read.
    """
    place = root / path
    found = place.lstat()
    if stat.S_ISLNK(found.st_mode):
        return Member(path=path, content=os.fsencode(place.readlink()), kind="link")
    if not stat.S_ISREG(found.st_mode):
        return None
    return Member(path=path, content=place.read_bytes(), kind="executable" if found.st_mode & 0o100 else "plain")


def packed(manifest: Manifest, members: Iterable[Member], diff: bytes = b"") -> bytes:
    """A bundle.

    >>> once = packed(Manifest(kind="snapshot"), [Member(path="b", content=b"2"), Member(path="a", content=b"1")])
    >>> once == packed(Manifest(kind="snapshot"), [Member(path="a", content=b"1"), Member(path="b", content=b"2")])
    True
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, MANIFEST, msgspec.json.encode(manifest), _PLAIN)
        if diff:
            _add(archive, DIFF, diff, _PLAIN)
        modes = {"plain": _PLAIN, "executable": _EXECUTABLE, "link": _LINK}
        for member in sorted(members, key=lambda one: one.path):
            _add(archive, FILES + member.path, member.content, modes[member.kind])
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes, mode: int) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system, entry.external_attr = _UNIX, mode << 16
    archive.writestr(entry, content)


def unpacked(bundle: bytes) -> tuple[Manifest, tuple[Member, ...], bytes]:
    """What a bundle holds: its manifest, its files, its diff.

    Raises:
        Invalid: it is none, or a path in it leaves the tree.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
            infos = archive.infolist()
            if len(infos) > MAX_FILES + 2 or any(info.compress_type != zipfile.ZIP_STORED for info in infos):
                raise Invalid("The bundle has more files than one may have, or compressed ones; it is not one of ours.")
            if sum(info.file_size for info in infos) > len(bundle):  # members that share their bytes: a bomb
                raise Invalid("The files of the bundle are larger than the bundle itself; it is not one of ours.")
            contents: Mapping[str, bytes] = {info.filename: archive.read(info) for info in infos}
        manifest = msgspec.json.decode(contents[MANIFEST], type=Manifest)
    except (zipfile.BadZipFile, KeyError, msgspec.DecodeError, NotImplementedError, RuntimeError, ValueError) as error:
        raise Invalid(f"The bundle cannot be read: {error}. Is it one of a run's code?") from error
    members = []
    for info in infos:
        if info.filename.startswith(FILES):
            mode = info.external_attr >> 16
            kind: Literal["plain", "executable", "link"] = "executable" if mode & 0o100 else "plain"
            path = checked_path(info.filename.removeprefix(FILES))
            kind = "link" if stat.S_ISLNK(mode) else kind
            members.append(Member(path=path, content=contents[info.filename], kind=kind))
    for path in manifest.deleted:
        checked_path(path)
    return manifest, tuple(members), contents.get(DIFF, b"")


def checked_path(path: str) -> str:
    """A path that stays in its tree and out of git's own folder.

    >>> checked_path("src/a b.py")
    'src/a b.py'

    Raises:
        Invalid: it does not.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or "\0" in path or "\\" in path:
        raise Invalid(f"The bundle holds the path {path[:80]!r}, which is not one in a tree.")
    if any(part == ".." or part.lower() == ".git" for part in parts):
        raise Invalid(f"The bundle holds the path {path[:80]!r}, which leaves its tree.")
    return path


def lay_out(target: Path, manifest: Manifest, members: Iterable[Member]) -> list[str]:
    """Write the files of a bundle into a folder, and remove what was deleted; the paths that were passed over.

    Nothing is written through a link, and a link that leads out of the folder is not made.

    Raises:
        Invalid: a path runs through a link, or cannot be one of a file.
    """
    try:
        return _laid_out(target, manifest, members)
    except (FileExistsError, NotADirectoryError, IsADirectoryError, ValueError) as error:
        raise Invalid(f"The bundle holds paths that no tree has: {error}.") from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise Invalid(f"The bundle holds a name that is too long: {(error.filename or '')[-80:]}.") from error


def _laid_out(target: Path, manifest: Manifest, members: Iterable[Member]) -> list[str]:
    passed = []
    links = []
    for path in manifest.deleted:
        place = _inside(target, path)
        if place.is_symlink() or place.is_file():
            place.unlink()
            _drop_empty(place.parent, target)
    for member in sorted(members, key=lambda one: one.kind == "link"):
        place = _inside(target, member.path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_symlink() or place.is_file():
            place.unlink()
        if member.kind != "link":
            place.write_bytes(member.content)
            if member.kind == "executable":
                place.chmod(place.stat().st_mode | 0o111)
        elif _stays(target, place, os.fsdecode(member.content)):
            place.symlink_to(os.fsdecode(member.content))
            links.append((place, member.path))
        else:
            passed.append(f"{member.path}: {_LEADS_OUT}")
    while out := [one for one in links if not Path(os.path.realpath(one[0])).is_relative_to(target.resolve())]:
        for place, path in out:  # by way of another link, which stays in the tree by itself
            place.unlink()
            passed.append(f"{path}: {_LEADS_OUT}")
        links = [one for one in links if one not in out]
    return passed


def _inside(target: Path, path: str) -> Path:
    place = target
    *above, name = PurePosixPath(checked_path(path)).parts
    for part in above:
        place = place / part
        if place.is_symlink():
            raise Invalid(f"The bundle's path {path[:80]!r} runs through a link; nothing is written there.")
    return place / name


def _stays(target: Path, place: Path, to: str) -> bool:
    return not to.startswith("/") and Path(os.path.normpath(place.parent / to)).is_relative_to(target)


def _drop_empty(folder: Path, top: Path) -> None:
    """Git knows no empty folders."""
    while folder != top and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
