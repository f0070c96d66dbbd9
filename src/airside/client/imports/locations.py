"""Where the files of a source lie on this machine, and what their addresses become here. Pure, but for looking."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec

from airside.client.imports.trust import Trust
from airside.core.errors import Invalid
from airside.core.record import Record
from airside.registry.records import ImportedVersion
from airside.store.artifacts.addresses import PROXIED
from airside.store.names import safe_parts
from airside.tracking.imports.records import ImportedTrace
from airside.tracking.logged_models.records import LoggedModel
from airside.tracking.records import Experiment, Run
from airside.tracking.traces.rules import ARTIFACT_LOCATION

T = TypeVar("T", bound=Record)
Mode = Literal["copy", "reference"]


class Root(Record):
    """The files of one run or logged model: the folder that they are in, and their place in the artifact store.

    Attributes:
        folder: None when they lie where this machine cannot read them, or where the user has not allowed it.
        place: the path below the root of the artifact store; empty when they are not copied.
        missed: a folder that is not there, or that the user has not allowed.
    """

    owner: str
    uri: str
    folder: Path | None
    place: str
    missed: Path | None = None
    is_refused: bool = False


class Locations:
    """Decides for each address of a source: copied and re-addressed, or left as it is.

    Args:
        mode: `copy` brings what lies behind the old server or on this machine's disk into the artifact store.
        folder: where the old server kept what lies behind `mlflow-artifacts:/`.
        trust: the folders whose files may be copied.
    """

    def __init__(self, mode: Mode, folder: Path | None, trust: Trust) -> None:
        self.mode = mode
        self.folder = folder
        self.trust = trust

    def is_copied(self, uri: str) -> bool:
        """Whether the files at an address come along."""
        scheme = urlsplit(uri).scheme
        return self.mode == "copy" and (_is_local(uri) or (scheme == PROXIED and self.folder is not None))

    def experiment(self, given: Experiment) -> Experiment:
        """The experiment with its place here."""
        location = given.artifact_location
        if not location or (self.mode == "copy" and _is_local(location)):
            location = f"{PROXIED}:/{given.experiment_id}"
        return msgspec.structs.replace(given, artifact_location=location)

    def run(self, given: Run) -> Run:
        """The run with its place here."""
        info = given.info
        uri = self._address(info.artifact_uri, f"{info.experiment_id}/{info.run_id}/artifacts")
        return given if uri == info.artifact_uri else msgspec.structs.replace(given, info=_placed(info, uri))

    def model(self, given: LoggedModel) -> LoggedModel:
        """The logged model with its place here."""
        uri = self._address(given.artifact_uri, f"{given.experiment_id}/models/{given.model_id}/artifacts")
        return given if uri == given.artifact_uri else _placed(given, uri)

    def trace(self, given: ImportedTrace) -> ImportedTrace:
        """The trace with its place here."""
        info = given.info
        uri = info.tags.get(ARTIFACT_LOCATION, "")
        moved_to = self._address(uri, f"{info.experiment_id}/traces/{info.trace_id}/artifacts") if uri else ""
        if moved_to == uri:
            return given
        tags = {**info.tags, ARTIFACT_LOCATION: moved_to}
        return msgspec.structs.replace(given, info=msgspec.structs.replace(info, tags=tags))

    def version(self, given: ImportedVersion, roots: Sequence[tuple[str, str]]) -> ImportedVersion:
        """The version with its addresses here.

        Args:
            given: the version.
            roots: addresses of its run and its logged model, before and after.
        """
        source, storage = given.version.source, given.storage_location
        for before, after in roots:
            source, storage = moved(source, before, after), moved(storage, before, after)
        return ImportedVersion(version=msgspec.structs.replace(given.version, source=source), storage_location=storage)

    def root(self, owner: str, uri: str, canonical: str) -> Root:
        """Where the files at an address are found, and where they go."""
        if not self.is_copied(uri):
            return Root(owner=owner, uri=uri, folder=None, place="")
        if not _is_local(uri):
            parts = _parts(uri)
            if owner not in parts:
                self.trust.tell(f"the files of {owner}", f"{uri} is no place of its own, and may be another's")
                return Root(owner=owner, uri=uri, folder=None, place="")
            return self._allowed(owner, uri, ((self.folder or Path()).joinpath(*parts),), "/".join(parts))
        folder = Path(unquote(urlsplit(uri).path)) if uri.startswith("file:") else Path(uri)
        moved_to = () if self.folder is None else (self.folder / canonical,)
        return self._allowed(owner, uri, (folder, self.trust.base / folder, *moved_to), canonical)

    def _allowed(self, owner: str, uri: str, folders: Sequence[Path], place: str) -> Root:
        """The first of some folders that is there and may be read."""
        there = [folder for folder in folders if _is_folder(folder)]
        allowed = next((folder for folder in there if self.trust.holds(folder)), None)
        if allowed is not None:
            return Root(owner=owner, uri=uri, folder=allowed, place=place)
        missed = (*there, folders[-1])[0]
        return Root(owner=owner, uri=uri, folder=None, place=place, missed=missed, is_refused=bool(there))

    def _address(self, uri: str, canonical: str) -> str:
        if not uri or (self.mode == "copy" and _is_local(uri)):
            return f"{PROXIED}:/{canonical}"
        return uri


def moved(uri: str, before: str, after: str) -> str:
    """An address below another one, after that one moved; any other stays.

    >>> moved("/old/1/r/artifacts/model", "/old/1/r/artifacts", "mlflow-artifacts:/1/r/artifacts")
    'mlflow-artifacts:/1/r/artifacts/model'
    >>> moved("file:///old/a", "/old", "mlflow-artifacts:/0")
    'mlflow-artifacts:/0/a'
    >>> moved("s3://bucket/a", "/old", "mlflow-artifacts:/0")
    's3://bucket/a'
    """
    path, root = _plain(uri), _plain(before)
    if before == after or not root or not (path == root or path.startswith(f"{root}/")):
        return uri
    return f"{after.rstrip('/')}{path[len(root) :]}"


def check_reachable(mode: Mode | None, folder: Path | None, uris: Sequence[str]) -> Mode:
    """Whether files are copied, when nobody said: yes, if there is any way to them.

    Raises:
        Invalid: the files are behind the old server, and nobody said in which folder it kept them.
    """
    if folder is not None and not folder.is_dir():
        raise Invalid(f"There is no folder {folder}. Name the one that `--artifacts-destination` named.")
    if mode is not None and (mode == "reference" or folder is not None):
        return mode
    proxied = [uri for uri in uris if urlsplit(uri).scheme == PROXIED]
    if proxied and folder is None:
        raise Invalid(
            f"The files of this source lie behind its server ({proxied[0]}). Name the folder that it kept them in, its "
            "`--artifacts-destination` (./mlartifacts when none was named): --artifacts DIR. Or leave them where they "
            "are, and let the new server keep its artifacts in that folder: --reference-artifacts"
        )
    return "copy"


def _plain(uri: str) -> str:
    parts = urlsplit(uri)
    path = unquote(parts.path) if parts.scheme == "file" else uri
    return path.rstrip("/")


def _parts(uri: str) -> tuple[str, ...]:
    try:
        return tuple(safe_parts(urlsplit(uri).path.strip("/")))
    except Invalid:  # the root itself, or a way out of it
        return ()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long, or a folder that shows nobody what is in it
        return False


def _is_local(uri: str) -> bool:
    return urlsplit(uri).scheme in ("", "file")


def _placed(record: T, uri: str) -> T:
    return msgspec.structs.replace(record, artifact_uri=uri)
