"""Where the files of a version come from, and what the source says about its run and logged model.

The server never opens a source: it is text of the client's. What is checked is that a source which the server
could be asked to serve (its own artifact store, a local path) lies within the run or model that the version names.
The texts are those of MLflow's wire.
"""

import posixpath
import re
from pathlib import PurePosixPath
from typing import NoReturn
from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit

from airside.core.errors import Invalid, NotFound
from airside.core.ids import LoggedModelId, ModelName, RunId
from airside.core.operation import Context
from airside.core.record import Record
from airside.registry import queries, rules
from airside.store.artifacts.addresses import is_served
from airside.tracking.logged_models.operations import GetLoggedModel, get_logged_model
from airside.tracking.operations.runs import GetRun, get_run
from airside.tracking.rules import check_host, limits_of

PROMPT_SOURCES = frozenset({"dummy-source", "prompt-template"})
"""What MLflow's prompt registry writes where a model has its source; it stands for no place."""

MAX_ROUNDS = 10


class Lineage(Record):
    """What a source stands for.

    Attributes:
        source: the source, with an alias or stage in it resolved to a version.
        storage: where the files lie.
    """

    source: str
    storage: str
    run_id: RunId = RunId("")
    model_id: LoggedModelId = LoggedModelId("")


class ModelUri(Record):
    """A parsed `models:/…` address: either a logged model, or a version, stage, alias or the latest of a name."""

    model_id: str = ""
    name: str = ""
    version: int = 0
    stage: str = ""
    alias: str = ""


def resolve(
    ctx: Context, source: str, run_id: RunId | None, model_id: LoggedModelId | None, *, is_prompt: bool
) -> Lineage:
    """Check a source and find its run, its logged model and where its files lie.

    Raises:
        Invalid: the source is not allowed, or the run or model that was told does not contain it.
        NotFound: a `models:/name/…` source names a version that is not there.
    """
    pattern: str = ctx.memory.get("version_source_pattern", "")
    if pattern and not re.search(pattern, source):
        raise Invalid(f"Invalid model version source: '{source}'.")
    if is_prompt:
        if source not in PROMPT_SOURCES:
            raise Invalid(f"Invalid prompt source: '{source}'. Prompt sources must use an MLflow placeholder.")
        return Lineage(source=source, storage=source, run_id=run_id or RunId(""))
    parts = _parsed(source)
    check_host("source", source, limits_of(ctx.memory))
    if parts.scheme == "models":
        uri = model_uri(source)
        if not uri.model_id:
            return _of_version(ctx, source, uri, run_id, model_id)
        if uri.model_id != model_id:
            _contained_nowhere(source, "model_id")
    return _of_place(ctx, source, parts, run_id or RunId(""), model_id or LoggedModelId(""))


def _parsed(source: str) -> SplitResult:
    try:
        return urlsplit(source)
    except ValueError:
        raise Invalid(f"Invalid model version source: '{source}'. It is no address.") from None


def _of_place(ctx: Context, source: str, parts: SplitResult, run_id: RunId, model_id: LoggedModelId) -> Lineage:
    """The lineage of a source that is not another version."""
    holder = "model_id" if model_id else "run_id"
    if not _is_local(parts):
        _check_absolute(source)
    root, source_run = _root(ctx, source, run_id, model_id) if run_id or model_id else ("", RunId(""))
    storage = root if parts.scheme == "models" else source
    if _is_local(parts):
        storage = _checked_local(source, parts, root, holder)
    if parts.scheme == "runs" and (holder == "model_id" or parts.netloc or not _is_of_run(parts, run_id)):
        _contained_nowhere(source, holder)
    if is_served(parts) and not (root and is_within(source, root)):
        _contained_nowhere(source, holder)
    return Lineage(source=source, storage=storage, run_id=run_id or source_run, model_id=model_id)


def _root(ctx: Context, source: str, run_id: RunId, model_id: LoggedModelId) -> tuple[str, RunId]:
    """Where the files of the model or run lie, and the run behind it."""
    if model_id:
        try:
            model = get_logged_model(ctx, GetLoggedModel(model_id=model_id))
        except NotFound:
            if not _needs_holder(source):
                raise
            _contained_nowhere(source, "model_id")
        return model.artifact_uri, model.source_run_id
    if not _needs_holder(source):
        return "", run_id
    try:
        return get_run(ctx, GetRun(run_id=run_id)).info.artifact_uri, run_id
    except NotFound:
        _contained_nowhere(source, "run_id")


def _needs_holder(source: str) -> bool:
    """Whether the source must lie in its run or model: a place in a cloud may be named by any."""
    parts = urlsplit(source)
    return _is_local(parts) or is_served(parts)


def _of_version(
    ctx: Context, source: str, uri: ModelUri, run_id: RunId | None, model_id: LoggedModelId | None
) -> Lineage:
    """The lineage of another version, copied."""
    name = ModelName(uri.name)
    model = queries.model(ctx.tx, name)
    if model is None:
        raise NotFound(f"Registered Model with name={name} not found")
    if rules.is_prompt(model.tags):
        raise Invalid(
            f"Invalid model version source: '{source}'. Prompt versions cannot be used as model version sources."
        )
    stage = rules.stage_of(uri.stage) if uri.stage else ""
    if uri.alias and uri.alias not in model.aliases:
        raise Invalid(f"Registered model alias {uri.alias} not found.")
    number = uri.version or model.aliases.get(uri.alias, 0)
    if not uri.version and not uri.alias:
        number = max((v.version for v in model.latest_versions if v.stage == stage or not stage), default=0)
    version = queries.version(ctx.tx, name, number)
    storage = queries.storage_location(ctx.tx, name, number)
    if version is None or storage is None:
        raise NotFound(f"Model Version (name={name}, version={number or uri.stage or 'latest'}) not found")
    if (run_id is not None and run_id != version.run_id) or (model_id is not None and model_id != version.model_id):
        raise Invalid(
            f"Invalid model version source: '{source}'. The run_id and model_id request parameters must match the "
            "referenced model version."
        )
    return Lineage(source=f"models:/{name}/{number}", storage=storage, run_id=version.run_id, model_id=version.model_id)


def model_uri(text: str) -> ModelUri:
    """A `models:/…` address, parsed.

    >>> model_uri("models:/churn/3").version, model_uri("models:/churn@champion").alias
    (3, 'champion')
    >>> model_uri("models:/m-0123").model_id
    'm-0123'

    Raises:
        Invalid: it has another form.
    """
    if urlsplit(text).netloc:
        raise Invalid(
            f"Invalid model version source: '{text}'. Registered model sources must use the active model registry."
        )
    match = re.fullmatch(r"models:/+([^/]+)(?:/([^/]+))?", text)
    if not match or not match[1].strip():
        _contained_nowhere(text, "model_id")
    name, suffix = match[1], match[2]
    if suffix is None:
        head, at, alias = name.rpartition("@")
        return ModelUri(name=head, alias=alias) if at and head and alias else ModelUri(model_id=name)
    if suffix.isascii() and suffix.isdigit():
        return ModelUri(name=name, version=int(suffix))
    return ModelUri(name=name) if suffix.lower() == "latest" else ModelUri(name=name, stage=suffix)


def is_within(uri: str, root: str) -> bool:
    """Whether an address lies at or below another one, compared segment by segment after decoding.

    >>> is_within("mlflow-artifacts:/3/R/artifacts/m", "mlflow-artifacts:/3/R/artifacts")
    True
    >>> is_within("mlflow-artifacts:/3/R2", "mlflow-artifacts:/3/R")
    False
    """
    inner, outer = urlsplit(uri), urlsplit(root)
    below, above = _segments(inner.path), _segments(outer.path)
    return (
        (inner.scheme, inner.netloc) == (outer.scheme, outer.netloc)
        and bool(above)
        and ".." not in below
        and below[: len(above)] == above
    )


def _segments(path: str) -> list[str]:
    for _ in range(MAX_ROUNDS):
        plain = unquote(path)
        if plain == path:
            break
        path = plain
    return [segment for segment in path.split("/") if segment not in ("", ".")]


def _is_local(parts: SplitResult) -> bool:
    return parts.scheme in ("", "file")


def _is_of_run(parts: SplitResult, run_id: RunId) -> bool:
    return bool(run_id) and parts.path.split("/")[1:2] == [run_id]


def _checked_local(source: str, parts: SplitResult, root: str, holder: str) -> str:
    """Where a local source lies, allowed only inside the local folder of its run or model; `..` is taken out of it.

    No file is touched to find out.
    """
    outer = urlsplit(root)
    path = unquote(parts.path)
    climbs = ".." in path.split("/")
    plain = PurePosixPath(posixpath.normpath(path) if climbs else path)
    inside = (
        bool(root)
        and _is_local(outer)
        and parts.netloc in ("", "localhost")
        and parts.path.startswith("/")
        and is_within(plain.as_uri(), PurePosixPath(unquote(outer.path)).as_uri())
    )
    if not inside:
        raise Invalid(
            f"Invalid model version source: '{source}'. To use a local path as a model version source, the {holder} "
            "request parameter has to be specified and the local path has to be contained within the artifact "
            f"directory of the run specified by the {holder}."
        )
    if not climbs:
        return source
    return plain.as_uri() if parts.scheme else str(plain)


def _check_absolute(source: str) -> None:
    plain = source
    for _ in range(MAX_ROUNDS):
        decoded = unquote_plus(plain)
        if decoded == plain:
            break
        plain = decoded
    path = re.sub(r"/+", "/", urlsplit(plain.replace("\x00", "%00")).path.rstrip("/"))
    climbs = "\x00" in plain or ".." in plain.split("/")
    if climbs or not path.startswith("/") or posixpath.normpath(path) != path:
        raise Invalid(
            f"Invalid model version source: '{source}'. If supplying a source as an http, https, local file path, ftp, "
            "objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references "
            "present. Please provide an absolute path."
        )


def _contained_nowhere(source: str, holder: str) -> NoReturn:
    raise Invalid(
        f"Invalid model version source: '{source}'. The {holder} request parameter must identify the resource that "
        "contains the source."
    )
