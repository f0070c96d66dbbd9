"""MLflow's artifact calls (contract, section 8): bytes in motion, and the listings of runs and models."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from email.utils import formatdate
from mimetypes import MimeTypes
from typing import Any
from urllib.parse import quote

from airside.core.errors import AirsideError, Invalid
from airside.core.ids import LoggedModelId, ModelName, RunId
from airside.core.operation import Context
from airside.platform.access.rights import authorise
from airside.platform.wiring import Platform
from airside.registry.operations.versions import GetDownloadUri, download_uri
from airside.server.app import Route
from airside.server.blobs import drawn, pour
from airside.server.message import Answer, Handler, Header, Request
from airside.server.mlflow.mount import told
from airside.server.mlflow.wire import (
    WireRequest,
    WireRoute,
    message,
    present,
    read,
    string,
    write,
)
from airside.store.artifacts.addresses import path_of
from airside.store.artifacts.port import PIECE, ArtifactStore, FileStat, OpenFile
from airside.store.names import safe_parts
from airside.tracking.artifacts import ArtifactList, ListArtifacts, root_of

MAX_UI_UPLOAD = 10 << 20
TEXT_SUFFIXES = frozenset(
    (
        "txt",
        "log",
        "err",
        "cfg",
        "conf",
        "cnf",
        "cf",
        "ini",
        "properties",
        "prop",
        "hocon",
        "toml",
        "yaml",
        "yml",
        "xml",
        "json",
        "js",
        "py",
        "py3",
        "csv",
        "tsv",
        "md",
        "rst",
        "ipynb",
    )
)
TEXT_NAMES = frozenset({"MLmodel", "MLproject"})
NO_UPLOAD_IN_PARTS = "Multipart upload is not supported for the current artifact repository"
NO_DOWNLOAD_IN_PARTS = "Multipart download is not supported for the current artifact repository"

_TYPES = MimeTypes(filenames=())
_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z", re.ASCII)


# --- one file ------------------------------------------------------------------------------------------------------


def content_type(path: str) -> str:
    """The type that a file is sent as: by its name alone, never by what the upload said.

    >>> content_type("a/metrics.json"), content_type("page.html"), content_type("model.pkl")
    ('text/plain', 'text/html', 'application/octet-stream')
    """
    name = path.rpartition("/")[2]
    if name in TEXT_NAMES or name.rpartition(".")[2] in TEXT_SUFFIXES:
        return "text/plain"
    return _TYPES.guess_type(name, strict=True)[0] or "application/octet-stream"


def disposition(path: str) -> str:
    r"""The header that makes a browser save the file and not show it.

    >>> disposition("a/b.txt")
    'attachment; filename=b.txt'
    >>> disposition("ä.txt")
    'attachment; filename="_.txt"; filename*=UTF-8\'\'%C3%A4.txt'
    """
    name = path.rpartition("/")[2]
    plain = re.sub(r'[^\x20-\x7e]|["\\]', "_", name)
    if re.fullmatch(r"[A-Za-z0-9!#$&+.^_`|~\-]+", name):
        return f"attachment; filename={name}"
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{extended}'


def span(header: str, size: int) -> tuple[int, int] | None:
    """The first byte and the end of the one range that was asked for; None: the whole file.

    >>> span("bytes=2-4", 10), span("bytes=-3", 10), span("bytes=8-", 10), span("bytes=1-2,4-5", 10)
    ((2, 5), (7, 10), (8, 10), None)

    Raises:
        IndexError: it begins behind the end.
    """
    match = _RANGE.match(header.replace(" ", ""))
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:
        start, stop = max(0, size - int(match[2])), size
    else:
        start, stop = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
    if match[2] and match[1] and int(match[2]) < start:
        return None
    if start >= size or start >= stop:
        raise IndexError
    return start, stop


def _download(store: ArtifactStore, path: str, request: Request) -> Answer:
    """A file, or the range of it that is asked for. Called on a thread."""
    file = store.open(path)
    try:
        return _opened(file, request)
    except BaseException:
        file.close()
        raise


def _opened(file: OpenFile, request: Request) -> Answer:
    size, etag = file.stat.size_bytes, f'"{file.stat.etag}"'
    headers: tuple[Header, ...] = (
        (b"content-type", content_type(file.stat.path).encode()),
        (b"content-disposition", disposition(file.stat.path).encode("latin-1")),
        (b"etag", etag.encode()),
        (b"last-modified", formatdate(file.stat.modified_ms / 1000, usegmt=True).encode()),
        (b"accept-ranges", b"bytes"),
    )
    asked = request.header(b"range")
    if_range = request.header(b"if-range")
    try:
        part = span(asked, size) if asked and if_range in ("", etag) else None
    except IndexError:
        file.close()
        return Answer(416, b"", (*headers[4:], (b"content-range", f"bytes */{size}".encode())))
    start, stop = part or (0, size)
    status = 200
    if part:
        status, headers = 206, (*headers, (b"content-range", f"bytes {start}-{stop - 1}/{size}".encode()))
    if stop - start <= PIECE and request.method != "HEAD":
        with file:
            return Answer(status, b"".join(file.pieces(start, stop)), headers)
    headers = (*headers, (b"content-length", str(stop - start).encode()))
    if request.method == "HEAD":
        file.close()
        return Answer(status, _no_pieces(), headers)
    return Answer(status, drawn(_pieces(file, start, stop)), headers)


def _pieces(file: OpenFile, start: int, stop: int) -> Iterator[bytes]:
    with file:
        yield from file.pieces(start, stop)


async def _no_pieces() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for piece in nothing:
        yield piece


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
        return await asyncio.to_thread(_download, self._store, request.args["path"], request)

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

    def refuse(self, text: str, verb: str) -> Handler:
        """A call that needs an object store: the client falls back to a plain transfer."""

        async def handle(request: Request) -> Answer:
            if refused := self._check(request, verb):
                return refused
            safe_parts(request.args["path"], or_root=True)
            raise AirsideError(text, code="NOT_IMPLEMENTED")

        return handle

    # --- the user interface's calls ---

    def file_of(self, locate: Callable[[Context, dict[str, str]], str], *needed: str, path: str = "path") -> Handler:
        """A file of a run, logged model or version, named by the query; `locate` finds its root."""

        async def handle(request: Request) -> Answer:
            authorise(request.actor, "artifact", "read")
            sent = _arguments(request, (*needed, path))
            uri = await asyncio.to_thread(self._platform.read, lambda ctx: locate(ctx, sent))
            return await asyncio.to_thread(_download, self._store, path_of(uri, _below(sent[path])), request)

        return handle

    async def upload(self, request: Request) -> Answer:
        """`POST upload-artifact?run_id=&path=`: a small file into a run."""
        authorise(request.actor, "artifact", "write")
        sent = _arguments(request, ("run_id", "path"))
        body = await request.body(limit=MAX_UI_UPLOAD)
        uri = await asyncio.to_thread(self._platform.read, lambda ctx: _of_run(ctx, sent))
        place = path_of(uri, _below(sent["path"]))
        await asyncio.to_thread(self._store.write, place, [body], size_bytes=len(body))
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
    proxy = Proxy(platform)
    calls: list[tuple[str, str, Handler]] = []
    for prefix in ("/api/2.0/mlflow-artifacts/", "/ajax-api/2.0/mlflow-artifacts/"):
        calls += [
            ("GET", f"{prefix}artifacts", proxy.list),
            ("PUT", f"{prefix}artifacts/{{path:path}}", proxy.put),
            ("GET", f"{prefix}artifacts/{{path:path}}", proxy.get),
            ("DELETE", f"{prefix}artifacts/{{path:path}}", proxy.delete),
            ("GET", f"{prefix}presigned/{{path:path}}", proxy.refuse(NO_DOWNLOAD_IN_PARTS, "read")),
        ]
        calls += [
            ("POST", f"{prefix}mpu/{step}/{{path:path}}", proxy.refuse(NO_UPLOAD_IN_PARTS, "write"))
            for step in ("create", "complete", "abort")
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
    WireRoute(method="GET", path="2.0/mlflow/artifacts/list", decode=_list_of_run, encode=_listed, ask=ListArtifacts),
    WireRoute(
        method="GET",
        path="2.0/mlflow/logged-models/{model_id}/artifacts/directories",
        decode=_list_of_model,
        encode=_listed,
        ask=ListArtifacts,
    ),
)
