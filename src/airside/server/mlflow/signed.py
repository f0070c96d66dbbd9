"""MLflow's calls for large files that clients move themselves (contract, section 8.2): an object store has them."""

import asyncio
from typing import Any, Literal

from airside.core.errors import AirsideError, Invalid
from airside.core.ids import LoggedModelId, RunId
from airside.platform.access.rights import authorise
from airside.platform.wiring import Platform
from airside.server.message import Answer, Handler, Request
from airside.server.mlflow.wire import WireRequest, int64, message, present, read, repeated, string, write
from airside.store.artifacts.port import SignsAddresses
from airside.store.names import safe_parts
from airside.tracking.artifacts import root_of

NO_UPLOAD = "Multipart upload is not supported for the current artifact repository"
NO_DOWNLOAD = "Multipart download is not supported for the current artifact repository"

_PART = message(required=("part_number", "etag"), part_number=int64, etag=string, url=string)
_CREATE = message(required=("path", "num_parts"), path=string, num_parts=int64)
_COMPLETE = message(required=("path", "upload_id"), path=string, upload_id=string, parts=repeated(_PART))
_ABORT = message(required=("path", "upload_id"), path=string, upload_id=string)
_DIRECT_UPLOAD = message(required=("path",), run_id=string, model_id=string, path=string, expiration=int64)
_DIRECT_DOWNLOAD = message(required=("run_id", "path"), run_id=string, path=string, expiration=int64)
_SENT = {"create": _CREATE, "complete": _COMPLETE, "abort": _ABORT}

Step = Literal["create", "complete", "abort"]


class Signed:
    """The handlers of signed addresses.

    Args:
        platform: whose artifact store it is.
    """

    def __init__(self, platform: Platform) -> None:
        self._store = platform.artifacts
        self._platform = platform

    async def direct_upload(self, request: Request) -> Answer:
        """`POST artifacts/presigned-upload-url`: where a file of a run or model in an object store is written to."""
        authorise(request.actor, "artifact", "write")
        sent = read(WireRequest(body=await request.body(), headers=request.headers), _DIRECT_UPLOAD)
        if bool(sent.get("run_id")) == bool(sent.get("model_id")):
            raise Invalid("Name exactly one of run_id and model_id.")
        store, path = await asyncio.to_thread(self._direct, sent, NO_UPLOAD)
        url = await asyncio.to_thread(store.signed_put, path)
        return Answer(200, write({"presigned_url": url}))

    async def direct_download(self, request: Request) -> Answer:
        """`POST artifacts/presigned-download-url`: where a file of a run in an object store is read from."""
        authorise(request.actor, "artifact", "read")
        sent = read(WireRequest(body=await request.body(), headers=request.headers), _DIRECT_DOWNLOAD)
        store, path = await asyncio.to_thread(self._direct, sent, NO_DOWNLOAD)
        url, size = await asyncio.to_thread(store.signed_get, path)
        return Answer(200, write({"presigned_url": url, "file_size": size}))

    def _direct(self, sent: dict[str, Any], otherwise: str) -> tuple[SignsAddresses, str]:
        """The store of a run's or a model's own root, and the path of a file below it."""
        below = "/".join(safe_parts(sent["path"]))
        run, model = RunId(sent.get("run_id", "")), LoggedModelId(sent.get("model_id", ""))
        uri = self._platform.read(lambda ctx: root_of(ctx, run, model))
        if uri.startswith("mlflow-artifacts:"):
            raise Invalid(f"The files under '{uri}' go through this server: there is no address to sign for them.")
        place = self._platform.roots.at(uri, below)
        if not isinstance(place.store, SignsAddresses):
            raise AirsideError(otherwise, code="NOT_IMPLEMENTED")
        return place.store, place.path

    def _signing(self, otherwise: str) -> SignsAddresses:
        if not isinstance(self._store, SignsAddresses):
            raise AirsideError(otherwise, code="NOT_IMPLEMENTED")
        return self._store

    async def download(self, request: Request) -> Answer:
        """`GET presigned/<path>`: where the file can be read from."""
        authorise(request.actor, "artifact", "read")
        safe_parts(request.args["path"])
        store = self._signing(NO_DOWNLOAD)
        url, size = await asyncio.to_thread(store.signed_get, request.args["path"])
        return Answer(200, write({"url": url, "headers": {}, "file_size": size}))

    def upload(self, step: Step) -> Handler:
        """`POST mpu/<step>/<folder>`."""

        async def handle(request: Request) -> Answer:
            authorise(request.actor, "artifact", "write")
            safe_parts(request.args["path"], or_root=True)
            sent = read(WireRequest(body=await request.body(), headers=request.headers), _SENT[step])
            store = self._signing(NO_UPLOAD)
            return Answer(200, write(await asyncio.to_thread(_done, store, step, request.args["path"], sent)))

        return handle


def _done(store: SignsAddresses, step: Step, folder: str, sent: dict[str, Any]) -> dict[str, Any]:
    if step == "create":
        upload, parts = store.begin_parts(_path(folder, sent["path"]), sent["num_parts"])
        credentials = [{"url": part.url, "part_number": part.number, "headers": {}} for part in parts]
        return present(upload_id=upload, credentials=credentials)
    if step == "complete":
        tags = [(part["part_number"], part["etag"]) for part in sent.get("parts", [])]
        store.end_parts(_path(folder, sent["path"]), sent["upload_id"], tags)
        return {}
    store.drop_parts(_path(folder, sent["path"]), sent["upload_id"])
    return {}


def _path(folder: str, path: str) -> str:
    r"""The file's path: older clients send a path of their own disk, of which the last name counts.

    >>> _path("1/R/artifacts", "/home/ana/big.bin"), _path("", "C:\\x\\big.bin")
    ('1/R/artifacts/big.bin', 'big.bin')
    """
    name = path.replace("\\", "/").rpartition("/")[2]
    if not name:
        raise Invalid("Invalid path")
    return f"{folder}/{name}" if folder else name
