"""The code of a run: have its exact tree again.

restored = restore_code(client, run_id, "again")
"""

from pathlib import Path

from airside.client.transport import Client
from airside.core.errors import Internal, NotFound
from airside.core.ids import RunId
from airside.store.blobs.identity import blob_of
from airside.tracking.capture.operations import GetCaptures
from airside.tracking.capture.records import Capture
from airside.tracking.capture.restore import Restored, restore


def restore_code(
    client: Client, run_id: str, folder: str | Path, *, repository: str = "", source: str = ""
) -> Restored:
    """Write the tree that a run was made with into a new folder.

    Args:
        client: the platform.
        run_id: the run.
        folder: where to; it must be empty or not exist.
        repository: a folder or address that has the commit; found when it is not given.
        source: which of the run's processes; the first that captured code when it is not given.

    Raises:
        NotFound: there is no such run, no code was captured, or nobody has the commit.
        Conflict: the folder holds something. Internal: the bundle is damaged in the store.
    """
    captures = client.call(GetCaptures(run_id=RunId(run_id))).items
    capture = _chosen(captures, run_id, source)
    code = capture.code
    if code is None:  # pragma: no cover -- `_chosen` takes none without
        raise NotFound
    bundle = client.get_blob(code.bundle) if code.bundle else b""
    if bundle and blob_of([bundle]) != code.bundle:
        raise Internal(f"The bundle {code.bundle} is damaged in the store: its bytes are not those that were captured.")
    return restore(code, bundle, Path(folder), repository=repository)


def _chosen(captures: tuple[Capture, ...], run_id: str, source: str) -> Capture:
    with_code = [one for one in captures if one.code is not None and source in {"", one.source}]
    if not with_code:
        known = ", ".join(one.source for one in captures) or "none"
        raise NotFound(f"No code was captured of run {run_id}{f' by {source}' if source else ''}. Captures: {known}.")
    return with_code[0]
