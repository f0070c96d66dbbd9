"""Brings the files of a version here, checks every digest, and loads them."""

import logging
import shutil
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path, PurePosixPath

from airside.core.errors import Conflict, Denied, Invalid, NotFound
from airside.core.ids import BlobId, ModelName
from airside.inference.golden import load_compiled
from airside.inference.predictor import Predictor
from airside.inference.worker import ModelWorker
from airside.registry.operations.versions import GetDownloadUri
from airside.serving.process.control import ControlPlane
from airside.serving.records import Arm
from airside.store.blobs.identity import blob_of_file

PROXIED = "mlflow-artifacts:/"
_log = logging.getLogger("airside.serving.models")


def key_of(model: str, arm: Arm) -> str:
    """What a version's files are, in one word: the same key, the same bytes.

    >>> arm = Arm(version=3, role="champion", weight=0, source="", files={"MLmodel": "b3:00"})
    >>> key_of("churn", arm) == key_of("churn", arm) != key_of("other", arm)
    True
    """
    content = "\n".join([model, str(arm.version), *(f"{path}={digest}" for path, digest in sorted(arm.files.items()))])
    return blake2b(content.encode(), digest_size=16).hexdigest()


class ModelFolders:
    """Model directories on this machine, one folder for each version's bytes.

    Thread safety: used by one thread. Owns the folder.

    Args:
        folder: where they are kept.
        control: where they come from.
        allow_pickle: whether the operator lets models that could not be compiled run, in worker processes.
    """

    def __init__(self, folder: Path, control: ControlPlane, *, allow_pickle: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._control = control
        self._allow_pickle = allow_pickle

    def load(self, model: ModelName, arm: Arm) -> Predictor:
        """The predictor of a version: its compiled form if it answers its golden rows, else the original in a worker.

        Raises:
            Invalid: the version has no files, or its directory cannot be read.
            Conflict: a file is not what was registered.
            Denied: only the original could serve, and the operator does not allow it.
            NotFound: a file is gone. Unavailable: the control plane does not answer.
        """
        if not arm.files:
            raise Invalid(
                f"'{model}@{arm.version}' was registered without the digests of its files, so it cannot be served. "
                "Log and register it with Airside, or complete it with: versions.complete"
            )
        folder = self._folder / key_of(model, arm)
        files = {path: BlobId(digest) for path, digest in arm.files.items()}
        for path, digest in files.items():
            if _is_of_compiled(path):
                self._bring(model, arm, _checked(path), digest, folder)
        try:
            return load_compiled(folder, files=files)
        except Invalid as refused:
            _log.warning("compiled.refused model=%s version=%s reason=%s", model, arm.version, refused.message)
            if not self._allow_pickle:
                raise Denied(
                    f"'{model}@{arm.version}' has no compiled form that may serve: {refused.message} Its original runs "
                    "only where the operator allows models to run code: --allow-pickle"
                ) from refused
        for path, digest in files.items():
            self._bring(model, arm, _checked(path), digest, folder)
        return ModelWorker(folder, allow_pickle=True, files=files)

    def keep_only(self, keys: Iterable[str]) -> None:
        """Remove the folders of versions that nobody serves any more."""
        kept = set(keys)
        for folder in self._folder.iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _bring(self, model: ModelName, arm: Arm, path: PurePosixPath, digest: str, folder: Path) -> None:
        target = folder / path
        if target.exists() and blob_of_file(target) == digest:
            return
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._control.save_blob(BlobId(digest), target)
        except NotFound:
            self._from_artifacts(model, arm, path, target)
        if (found := blob_of_file(target)) != digest:
            target.unlink()
            raise Conflict(
                f"The file '{path}' of '{model}@{arm.version}' is not the one that was registered: "
                f"its digest is {found[:19]}…, registered was {digest[:19]}…. It is not served."
            )

    def _from_artifacts(self, model: ModelName, arm: Arm, path: PurePosixPath, target: Path) -> None:
        uri = self._control.call(GetDownloadUri(name=model, version=arm.version)).artifact_uri
        if not uri.startswith(PROXIED):
            raise NotFound(f"The file '{path}' of '{model}@{arm.version}' is not in the stores of this server.")
        self._control.download_artifact(f"{uri.removeprefix(PROXIED).strip('/')}/{path}", target)


def _is_of_compiled(path: str) -> bool:
    return path == "MLmodel" or path.startswith("airside/")


def _checked(path: str) -> PurePosixPath:
    """A path that stays in its folder.

    >>> _checked("data/model.json")
    PurePosixPath('data/model.json')
    """
    pure = PurePosixPath(path)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or "\0" in path or "\\" in path:
        raise Invalid(f"A version names a file outside its folder: {path[:120]!r}. It is not served.")
    return pure
