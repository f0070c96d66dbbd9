"""A version that an MLflow client registered gets what ours have: its files as blobs, each with its digest."""

import msgspec

from airside.core.errors import Invalid
from airside.core.ids import BlobId, ModelName
from airside.core.operation import SERVICE
from airside.core.plugin import load
from airside.inference.model_dir.signature import signature_texts
from airside.platform.reacting import Reaction
from airside.platform.wiring import Platform
from airside.registry.events import VersionRegistered
from airside.registry.operations.versions import CompleteVersion, GetDownloadUri, GetVersion
from airside.store.artifacts.port import ArtifactStore, FileStat
from airside.store.names import safe_parts

READ_MLMODEL = "airside.inference.model_dir.mlmodel:read_mlmodel"
"""Imported when the first version is completed: the YAML library costs the server's start 20 ms."""

MAX_FILES = 10_000
MAX_MLMODEL_BYTES = 1 << 20


def complete_version(platform: Platform, event: VersionRegistered, seq: int) -> None:
    """Copy the files of a version from the artifact store into the blob store; nothing when they lie elsewhere."""
    name = ModelName(event.name)
    version = platform.call(SERVICE, GetVersion(name=name, version=event.version))
    uri = platform.call(SERVICE, GetDownloadUri(name=name, version=event.version)).artifact_uri
    if version.files:
        return
    try:
        place = platform.roots.at(uri)
    except Invalid:  # the clients' own place
        return
    root = "/".join(safe_parts(place.path, or_root=True))
    files = {found.path: found for found in files_below(place.store, root)}
    top = len(root) + 1 if root else 0
    if not any(path[top:] == "MLmodel" for path in files):
        return
    blobs: dict[str, BlobId] = {}
    for path in files:
        with place.store.open(path) as file:
            blobs[path[top:]] = platform.blobs.put(file.pieces())
    ask = CompleteVersion(
        name=name, version=event.version, files=blobs, signature=signature_of(place.store, f"{root}/MLmodel")
    )
    platform.call(SERVICE, ask, idempotency_key=f"complete_version:{seq}")


def files_below(store: ArtifactStore, folder: str) -> list[FileStat]:
    """Every file below a folder.

    Raises:
        Invalid: there are more than a model has.
    """
    found: list[FileStat] = []
    folders = [folder]
    while folders:
        for each in store.list(folders.pop()):
            if each.is_dir:
                folders.append(each.path)
            else:
                found.append(each)
        if len(found) > MAX_FILES:
            raise Invalid(f"The version has more than {MAX_FILES} files. Register a folder that holds a model alone.")
    return found


def signature_of(store: ArtifactStore, path: str) -> str:
    """The signature that a model's description has, as JSON; empty when it has none that can be read."""
    with store.open(path) as file:
        text = b"".join(file.pieces(0, MAX_MLMODEL_BYTES + 1))
    try:
        signature = load(READ_MLMODEL)(text).signature
    except Invalid:
        return ""
    if signature is None:
        return ""
    texts = {key: msgspec.Raw((value or "null").encode()) for key, value in signature_texts(signature).items()}
    return msgspec.json.encode(texts).decode()


REACTIONS: tuple[Reaction, ...] = (Reaction(name="complete_version", event=VersionRegistered, handle=complete_version),)
