"""MLflow's artifact calls (contract, section 8): bytes in motion, and the listings of runs and models."""

import asyncio
from collections.abc import Callable
from typing import Any

from airside.core.errors import Invalid, TooLarge
from airside.core.ids import LoggedModelId, ModelName, RunId
from airside.core.operation import Context
from airside.platform.access.rights import authorise
from airside.platform.wiring import Platform
from airside.registry.operations.versions import GetDownloadUri, download_uri
from airside.server.app import Route
from airside.server.blobs import pour
from airside.server.files import download
from airside.server.message import Answer, Handler, Request
from airside.server.mlflow.mount import told
from airside.server.mlflow.signed import Signed, Step
from airside.server.mlflow.wire import (
    WireRequest,
    WireRoute,
    message,
    present,
    read,
    string,
    write,
)
from airside.store.artifacts.port import FileStat
from airside.store.names import safe_parts
from airside.tracking.artifacts import ArtifactList, ListArtifacts, root_of

MAX_UI_UPLOAD = 10 << 20
STEPS: tuple[Step, ...] = ("create", "complete", "abort")


def _name_and_size(found: FileStat) -> dict[str, Any]:
    return present(path=found.path.rpartition("/")[2], is_dir=found.is_dir, file_size=found.size_bytes or None)


# --- the proxy's calls ---------------------------------------------------------------------------------------------


class Proxy:
    """The handlers of the proxied artifact store.

    Args:
        platform: whose store it is.
    """

    def __init__(self, platform: Platform) -> None:
        self._store = platform.artifacts
        self._platform = platform
        self._is_on: bool = platform.settings["serve_artifacts"]

    def _check(self, request: Request, verb: str) -> Answer | None:
        authorise(request.actor, "artifact", verb)
        if self._is_on:
            return None
        text = b"Endpoint disabled: this server runs with the setting serve_artifacts off."
        return Answer(503, text, ((b"content-type", b"text/plain; charset=utf-8"),))

    async def put(self, request: Request) -> Answer:
        """`PUT artifacts/<path>`: the body becomes the file."""
        if refused := self._check(request, "write"):
            return refused
        path = request.args["path"]
        if path.endswith("/"):
            return Answer(400, write({"detail": "The path of an upload does not end with a slash."}))
        safe_parts(path)
        announced = request.header(b"content-length")
        size = int(announced) if announced.isdigit() else None
        await pour(request.stream(), lambda pieces: self._store.write(path, pieces, size_bytes=size))
        return Answer(200, b"", ())

    async def get(self, request: Request) -> Answer:
        """`GET artifacts/<path>`: the file, or a range of it."""
        if refused := self._check(request, "read"):
            return refused
        return await asyncio.to_thread(download, self._store, request.args["path"], request)

    async def list(self, request: Request) -> Answer:
        """`GET artifacts?path=`: one level of a folder; nothing for a file or what is not there."""
        if refused := self._check(request, "read"):
            return refused
        path = (request.query().get("path") or [""])[0]
        found = await asyncio.to_thread(self._store.list, path)
        return Answer(200, write(present(files=[_name_and_size(each) for each in found])))

    async def delete(self, request: Request) -> Answer:
        """`DELETE artifacts/<path>`: the file or the folder with all below it."""
        if refused := self._check(request, "write"):
            return refused
        await asyncio.to_thread(self._store.delete, request.args["path"])
        return Answer(200, b"{}")

    def served(self, handler: Handler) -> Handler:
        """A handler that answers only while the server moves artifacts."""

        async def handle(request: Request) -> Answer:
            return self._check(request, "read") or await handler(request)

        return handle

    # --- the user interface's calls ---

    def file_of(self, locate: Callable[[Context, dict[str, str]], str], *needed: str, path: str = "path") -> Handler:
        """A file of a run, logged model or version, named by the query; `locate` finds its root."""

        async def handle(request: Request) -> Answer:
            authorise(request.actor, "artifact", "read")
            sent = _arguments(request, (*needed, path))
            below = _below(sent[path])
            uri = await asyncio.to_thread(self._platform.read, lambda ctx: locate(ctx, sent))
            place = self._platform.roots.at(uri, below)
            return await asyncio.to_thread(download, place.store, place.path, request)

        return handle

    async def upload(self, request: Request) -> Answer:
        """`POST upload-artifact?run_id=&path=`: a small file into a run."""
        authorise(request.actor, "artifact", "write")
        sent = _arguments(request, ())
        for name, word in (("run_id", "run_uuid"), ("path", "path")):
            if not sent.get(name):
                raise Invalid(f"Request must specify {word}.")
        below = _below(sent["path"])
        try:
            body = await request.body(limit=MAX_UI_UPLOAD)
        except TooLarge:
            raise Invalid("Artifact size is too large. Max size is 10MB.") from None
        if not body:
            raise Invalid("Request must specify data.")
        uri = await asyncio.to_thread(self._platform.read, lambda ctx: _of_run(ctx, sent))
        place = self._platform.roots.at(uri, below)
        await asyncio.to_thread(place.store.write, place.path, [body], size_bytes=len(body))
        return Answer(200, b"{}")


def _arguments(request: Request, needed: tuple[str, ...]) -> dict[str, str]:
    query = request.query()
    if "run_id" not in query and "run_uuid" in query:
        query["run_id"] = query["run_uuid"]
    sent = {name: values[0] for name, values in query.items()} | request.args
    for name in needed:
        if not sent.get(name):
            raise Invalid(f"Request must specify the query parameter '{name}'.", code="BAD_REQUEST")
    return sent


def _below(path: str) -> str:
    return "/".join(safe_parts(path))


def _of_run(ctx: Context, sent: dict[str, str]) -> str:
    return root_of(ctx, RunId(sent["run_id"]), LoggedModelId(""))


def _of_logged_model(ctx: Context, sent: dict[str, str]) -> str:
    return root_of(ctx, RunId(""), LoggedModelId(sent["model_id"]))


def _of_version(ctx: Context, sent: dict[str, str]) -> str:
    if not (sent["version"].isascii() and sent["version"].isdigit()):
        raise Invalid(f"Parameter 'version' must be an integer, got '{sent['version'][:200]}'.")
    return download_uri(ctx, GetDownloadUri(name=ModelName(sent["name"]), version=int(sent["version"]))).artifact_uri


def byte_routes(platform: Platform) -> list[Route]:
    """The routes that move bytes."""
    proxy, signed = Proxy(platform), Signed(platform)
    calls: list[tuple[str, str, Handler]] = []
    for prefix in ("/api/2.0/mlflow-artifacts/", "/ajax-api/2.0/mlflow-artifacts/"):
        calls += [
            ("GET", f"{prefix}artifacts", proxy.list),
            ("PUT", f"{prefix}artifacts/{{path:path}}", proxy.put),
            ("GET", f"{prefix}artifacts/{{path:path}}", proxy.get),
            ("DELETE", f"{prefix}artifacts/{{path:path}}", proxy.delete),
            ("GET", f"{prefix}presigned/{{path:path}}", proxy.served(signed.download)),
        ]
        calls += [("POST", f"{prefix}mpu/{step}/{{path:path}}", proxy.served(signed.upload(step))) for step in STEPS]
    for prefix in ("/api/2.0/mlflow/artifacts/", "/ajax-api/2.0/mlflow/artifacts/"):
        calls += [
            ("POST", f"{prefix}presigned-upload-url", signed.direct_upload),
            ("POST", f"{prefix}presigned-download-url", signed.direct_download),
        ]
    models = "/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files"
    calls += [
        ("GET", "/get-artifact", proxy.file_of(_of_run, "run_id")),
        ("GET", "/model-versions/get-artifact", proxy.file_of(_of_version, "name", "version")),
        ("GET", models, proxy.file_of(_of_logged_model, "model_id", path="artifact_file_path")),
        ("POST", "/ajax-api/2.0/mlflow/upload-artifact", proxy.upload),
    ]
    return [Route(method, path, handler, on_error=told) for method, path, handler in calls]


# --- the listings --------------------------------------------------------------------------------------------------


def _listed(answer: ArtifactList) -> bytes:
    files = [present(path=each.path, is_dir=each.is_dir, file_size=each.size_bytes or None) for each in answer.items]
    return write(present(root_uri=answer.root_uri, files=files))


_OF_RUN = message(required=("run_id",), run_id=string, path=string)


def _list_of_run(request: WireRequest) -> ListArtifacts:
    sent = read(request, _OF_RUN)
    return ListArtifacts(run_id=RunId(sent["run_id"]), path=sent.get("path", ""))


def _list_of_model(request: WireRequest) -> ListArtifacts:
    path = (request.query.get("artifact_directory_path") or [""])[0]
    return ListArtifacts(model_id=LoggedModelId(request.path_args["model_id"]), path=path)


ROUTES: tuple[WireRoute, ...] = (
    WireRoute("GET", "2.0/mlflow/artifacts/list", _list_of_run, _listed, ListArtifacts),
    WireRoute(
        "GET", "2.0/mlflow/logged-models/{model_id}/artifacts/directories", _list_of_model, _listed, ListArtifacts
    ),
)
