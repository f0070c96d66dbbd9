"""Where artifacts lie, by the settings: the store behind `mlflow-artifacts:/`, and the roots beside it."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from airside.core.errors import Invalid, Unavailable, WrongUse
from airside.core.plugin import load
from airside.core.settings import Settings
from airside.store.artifacts.addresses import PROXIED, own_root
from airside.store.artifacts.local import LocalArtifacts
from airside.store.artifacts.port import ArtifactStore
from airside.store.artifacts.roots import Roots, local_folder

S3 = "airside.store.artifacts.s3:S3Artifacts"


class Places(NamedTuple):
    """The stores of a platform's artifacts.

    Attributes:
        proxied: what lies behind `mlflow-artifacts:/`.
        roots: that, and what the operator allows beside it.
        default_root: where the artifacts of new experiments go.
    """

    proxied: ArtifactStore
    roots: Roots
    default_root: str


def places_of(settings: Settings, home: Path) -> Places:
    """Open the stores that the settings name.

    Raises:
        WrongUse: a setting names a store that cannot be used, or two of them contradict each other.
        Unavailable: a folder cannot be made.
    """
    try:
        return _opened(settings, home)
    except OSError as error:
        raise Unavailable(
            f"The artifact store cannot be opened: {error.strerror}. Mend the rights of the folder, or name another "
            "one with --artifacts-destination."
        ) from error


def _opened(settings: Settings, home: Path) -> Places:
    destination: str = settings["artifacts_destination"]
    if destination:
        folder = local_folder(destination)
        proxied = LocalArtifacts(folder, is_private=False) if folder else _s3(destination, settings)
    else:
        destination = str(home / "artifacts")
        proxied = LocalArtifacts(home / "artifacts")
    if settings["artifacts_presigned_only"] and not destination.startswith("s3:"):
        raise WrongUse(
            "artifacts_presigned_only needs an object store: name one with --artifacts-destination s3://BUCKET/PREFIX."
        )
    default_root = _default_root(settings, destination)
    allowed = [destination, *settings["artifact_roots"]]
    opened: dict[str, ArtifactStore] = {destination: proxied}

    def store_of(address: str) -> ArtifactStore:
        if address not in opened:
            folder = local_folder(address)
            opened[address] = (
                LocalArtifacts(folder, is_private=False, is_made=False) if folder else _s3(address, settings)
            )
        return opened[address]

    own = own_root(default_root)
    if own and settings["serve_artifacts"]:
        opened[own] = proxied
        allowed.append(own)
    if not own and not default_root.startswith(f"{PROXIED}:"):
        with suppress(Invalid):  # clients write there themselves; who asks the server to read it is told
            store_of(default_root)
            allowed.append(default_root)
    return Places(proxied, Roots(proxied, allowed, store_of), default_root)


def _default_root(settings: Settings, destination: str) -> str:
    given: str = settings["default_artifact_root"]
    if not given:
        if settings["serve_artifacts"]:
            return f"{PROXIED}:/"
        folder = local_folder(destination)
        return str(folder) if folder else destination
    if given.startswith(f"{PROXIED}:") and not own_root(given) and not settings["serve_artifacts"]:
        raise WrongUse(
            f"The default artifact root '{given}' goes through the server, which serves no artifacts "
            "(--no-serve-artifacts). Name a path or an s3:// address, or serve artifacts."
        )
    parts = urlsplit(given)
    if parts.scheme == "file" and not parts.path.startswith("/"):  # clients stand in other folders than the server
        return Path(unquote(parts.path)).absolute().as_uri()
    return given if parts.scheme else str(Path(given).expanduser().absolute())


def _s3(address: str, settings: Settings) -> ArtifactStore:
    if not address.startswith("s3://"):
        raise WrongUse(
            f"Artifacts cannot lie under '{address[:200]}': this server keeps them in a folder (a path, file:) or in "
            "an object store (s3://BUCKET/PREFIX)."
        )
    try:
        made: ArtifactStore = load(S3)(
            address, endpoint_url=settings["s3_endpoint_url"], checks_tls=not settings["s3_ignore_tls"]
        )
    except ModuleNotFoundError as missing:
        raise WrongUse(
            f"'{address[:200]}' needs the object store's client. Install it with: pip install 'airside[s3]'"
        ) from missing
    return made
