"""Files copied into the artifact store: what is there already, by its digest, is not sent again; all is checked."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from airside.client.imports.trust import Trust
from airside.client.transport import Client
from airside.core.errors import AirsideError, Invalid, Overloaded, Unavailable
from airside.core.record import Record
from airside.store.blobs.identity import blob_of_file
from airside.store.names import safe_parts
from airside.tracking.imports.comparing import DigestFiles

T = TypeVar("T")
AT_ONCE = 100
THREADS = 4
TRIES = 6


class LocalFile(Record):
    """A file to be copied, and its place in the artifact store."""

    path: Path
    place: str


class Copied(Record):
    """What became of some files. `lost` are those whose bytes here are not those there."""

    files: int = 0
    size_bytes: int = 0
    lost: tuple[str, ...] = ()


def files_below(trust: Trust, folder: Path, place: str) -> Iterator[LocalFile]:
    """Every file below a folder that may be read, in the order of their names."""
    for path in trust.files(folder):
        yield LocalFile(path=path, place=f"{place}/{path.relative_to(folder).as_posix()}")


def copy(client: Client, files: list[LocalFile]) -> Copied:
    """Bring files into the artifact store; each is whole there, or not at all."""
    total = Copied()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="airside-copy") as pool:
        for start in range(0, len(files), AT_ONCE):
            total = _added(total, _copy_some(client, pool, files[start : start + AT_ONCE]))
    return total


def _copy_some(client: Client, pool: ThreadPoolExecutor, files: list[LocalFile]) -> Copied:
    strange = [file for file in files if not _is_storable(file.place)]
    files = [file for file in files if file not in strange]
    digests = dict(
        zip((file.place for file in files), pool.map(blob_of_file, (file.path for file in files)), strict=True)
    )
    there = _digests(client, [file.place for file in files])
    sent = [file for file in files if there.get(file.place) != digests[file.place]]
    mistakes = dict(zip((file.place for file in sent), pool.map(lambda file: _send(client, file), sent), strict=True))
    now = _digests(client, [file.place for file in sent if not mistakes[file.place]])
    lost = [f"{file.place}: the artifact store takes no file of this name" for file in strange]
    lost += [f"{file.place}: {mistakes[file.place]}" for file in sent if mistakes[file.place]]
    lost += [file.place for file in sent if not mistakes[file.place] and now.get(file.place) != digests[file.place]]
    return Copied(files=len(files), size_bytes=sum(file.path.stat().st_size for file in files), lost=tuple(lost))


def _is_storable(place: str) -> bool:
    try:
        safe_parts(place)
    except Invalid:
        return False
    return True


def _digests(client: Client, places: list[str]) -> dict[str, str]:
    if not places:
        return {}
    answer = patiently(lambda: client.call(DigestFiles(paths=tuple(places))))
    return {found.path: found.digest for found in answer.items}


def _send(client: Client, file: LocalFile) -> str:
    """Store one file; what was wrong with it, or nothing."""
    try:
        patiently(lambda: client.upload_artifact(file.place, file.path))
    except (Unavailable, Overloaded):
        raise
    except AirsideError as error:  # a name that no server takes, say: the rest goes on
        return error.message
    return ""


def patiently(act: Callable[[], T]) -> T:
    """Do it, again and later when the server is busy or away for a moment.

    Raises:
        Unavailable: it stays away.
    """
    for attempt in range(TRIES):
        try:
            return act()
        except (Unavailable, Overloaded):
            if attempt == TRIES - 1:
                raise
            time.sleep(0.2 * 2**attempt)
    raise AssertionError  # the last try returns or raises


def _added(total: Copied, more: Copied) -> Copied:
    return Copied(
        files=total.files + more.files,
        size_bytes=total.size_bytes + more.size_bytes,
        lost=(*total.lost, *more.lost),
    )
