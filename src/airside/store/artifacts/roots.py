"""Which place an address stands for: the server's own store, or a root that the operator allows.

A client names a location when it makes an experiment; the server stores it as text. It opens what lies there only
below `artifacts_destination`, `default_artifact_root` and `artifact_roots`: names, never locations (security facts,
section 2, rule 1). The root is chosen by whole segments, and the rest goes through the store of that root, which
follows no link and no `..`.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from airside.core.errors import Invalid
from airside.store.artifacts.addresses import PROXIED, path_of
from airside.store.artifacts.port import ArtifactStore

MAX_QUOTED = 200
Key = tuple[str, ...]


class Place(NamedTuple):
    """A path in a store."""

    store: ArtifactStore
    path: str


class Roots:
    """The roots of a server.

    Thread safety: every method from any thread.

    Args:
        proxied: the store behind `mlflow-artifacts:/`.
        allowed: addresses of roots that the operator named (a path, `file:`, `s3://…`).
        store_of: opens the store of such an address.
    """

    def __init__(
        self, proxied: ArtifactStore, allowed: Iterable[str], store_of: Callable[[str], ArtifactStore]
    ) -> None:
        self._proxied = proxied
        self._stores: dict[Key, ArtifactStore] = {}
        for address in allowed:
            store = store_of(address)
            for key in _keys(address):
                self._stores[key] = store

    def at(self, uri: str, below: str = "") -> Place:
        """The place of an address, and of a name below it.

        Raises:
            Invalid: the address lies under no root that the operator allows; says which setting would allow it.
        """
        parts = urlsplit(uri)
        if parts.scheme == PROXIED and not parts.netloc:
            return Place(self._proxied, path_of(uri, below))
        segments = () if parts.query or parts.fragment else _segments(parts)
        for length in range(len(segments), 1, -1):
            store = self._stores.get(segments[:length])
            if store is not None:
                return Place(store, "/".join((*segments[length:], *filter(None, (below,)))))
        kind = parts.scheme or "file"
        raise Invalid(
            f"These files lie under '{uri[:MAX_QUOTED]}', which clients read and write themselves; this server touches "
            f"only what lies under 'mlflow-artifacts:/' and the roots that its operator names. The setting "
            f"artifact_roots (AIRSIDE_ARTIFACT_ROOTS, --artifact-roots) would allow it{_extra(kind)}."
        )


def _extra(kind: str) -> str:
    if kind == "file":
        return ""
    if kind == "s3":
        return ", with the object store's client installed: pip install 'airside[s3]'"
    return f" for a folder or s3://, but not for '{kind}:', which no adapter reads"


def _segments(parts: SplitResult) -> Key:
    """What identifies a place: the kind, the host or bucket, and the folders; empty when it is none of ours."""
    if parts.scheme in ("", "file"):
        path = parts.path if not parts.scheme else unquote(parts.path)
        if not path.startswith("/") or parts.netloc not in ("", "localhost"):
            return ()
        return ("file", "", *_folders(path))
    return (parts.scheme, parts.netloc, *_folders(parts.path))


def _folders(path: str) -> Key:
    return tuple(part for part in path.split("/") if part not in ("", "."))


def _keys(address: str) -> set[Key]:
    """The names of a root: as the operator wrote it, and where that really is."""
    folder = local_folder(address)
    if folder is None:
        return {_segments(urlsplit(address))}
    return {("file", "", *_folders(str(path))) for path in (folder, folder.resolve())}


def local_folder(address: str) -> Path | None:
    """The folder that an operator's address means, relative ones from the working folder; None for an object store.

    >>> local_folder("file:///srv/a%20b"), local_folder("s3://bucket/x")
    (PosixPath('/srv/a b'), None)

    Raises:
        Invalid: it is a `file:` address of another host.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("", "file"):
        return None
    if parts.netloc not in ("", "localhost"):
        raise Invalid(f"'{address[:MAX_QUOTED]}' names another host. A folder of this machine: file:///srv/artifacts")
    return Path(unquote(parts.path) if parts.scheme else address).expanduser().absolute()
