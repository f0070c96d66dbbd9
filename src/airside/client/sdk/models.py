"""Models as people handle them: log a fitted estimator, register it, load a version to predict.

logged = log_model(client, model, run_id=run.run_id, name="churn", example=rows)
version = register(client, "churn", logged)
load_model(client, "churn@champion").predict({"age": [30]})
"""

import contextlib
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from airside.client.sdk.rows import as_columns, thinned
from airside.client.transport import Client
from airside.core.clock import Clock
from airside.core.errors import AlreadyExists, Denied, Invalid
from airside.core.ids import BlobId, LoggedModelId, ModelName, RunId
from airside.core.record import Record
from airside.inference.golden import CompiledModel, load_compiled
from airside.inference.model_dir.digests import digests, verify
from airside.inference.model_dir.signature import signature_texts
from airside.inference.records import Comparison, Signature
from airside.inference.working import original_of
from airside.inference.writing import Draft, Written, write_directory
from airside.registry.operations.models import CreateModel
from airside.registry.operations.versions import CreateVersion, GetVersion, VersionByAlias
from airside.registry.records import ModelVersion
from airside.tracking.logged_models.operations import CreateLoggedModel, SetLoggedModelStatus
from airside.tracking.logged_models.records import LoggedModel
from airside.tracking.operations.runs import GetRun

REFERENCE_FILE = "airside/reference.json"
_PROXIED = "mlflow-artifacts:/"
_UPLOADS = 4
"""Files under way at once: each waits for the server's disk, not for this machine."""
_ROWS = 200
"""Rows of the example that are kept as golden predictions; more are thinned evenly."""


class LoggedModelRef(Record):
    """A logged model whose files are stored.

    Attributes:
        source: `models:/m-…`, what a version is registered from.
        files: path in the model directory → digest.
        comparison: the verdict of compiled against original.
        reference: the blob of the training profile; empty when there is none.
    """

    model_id: LoggedModelId
    name: str
    run_id: RunId
    source: str
    artifact_uri: str
    files: dict[str, BlobId]
    signature: Signature
    comparison: Comparison
    reference: BlobId = BlobId("")


def log_model(  # noqa: PLR0913 -- the people's edge: one call says all that is known of a model
    client: Client,
    model: Any,
    *,
    run_id: RunId,
    name: str,
    example: Any,
    signature: Signature | None = None,
    training_columns: tuple[str, ...] = (),
    reference: bytes | None = None,
    extra_files: Mapping[str, bytes] | None = None,
) -> LoggedModelRef:
    """Store a fitted scikit-learn model as an MLflow model directory, with its compiled form where that is equal.

    Args:
        client: where to.
        model: a fitted estimator or pipeline.
        run_id: the run that made it.
        name: of the logged model.
        example: rows of the training data: lists by column, a data frame, an Arrow table or a two-dimensional array.
            The first ones become the input example; up to 200 become golden predictions.
        signature: inferred from the example when None.
        training_columns: the names of the columns in the order of the fit, for an array or another order.
        reference: the profile of the training data, as JSON.
        extra_files: path below the model directory → bytes.

    Raises:
        Invalid: the model is not fitted, the example does not fit it, or cloudpickle is missing.
    """
    rows = thinned(as_columns(example, training_columns), _ROWS)
    logged = _created(client, name, run_id)
    extra = dict(extra_files or {}) | ({REFERENCE_FILE: reference} if reference is not None else {})
    draft = Draft(
        model=model,
        rows=rows,
        signature=signature,
        model_id=logged.model_id,
        run_id=run_id,
        artifact_path=logged.artifact_uri,
        created_at=Clock().now(),
        extra_files=extra,
    )
    with tempfile.TemporaryDirectory(prefix="airside-model-") as place:
        written, files = _stored(client, logged, draft, Path(place) / "model")
    client.call(SetLoggedModelStatus(model_id=logged.model_id, status="READY"))
    return LoggedModelRef(
        model_id=logged.model_id,
        name=logged.name,
        run_id=run_id,
        source=f"models:/{logged.model_id}",
        artifact_uri=logged.artifact_uri,
        files=files,
        signature=written.signature,
        comparison=written.comparison,
        reference=files.get(REFERENCE_FILE, BlobId("")),
    )


def _stored(client: Client, logged: LoggedModel, draft: Draft, folder: Path) -> tuple[Written, dict[str, BlobId]]:
    """Write the directory and upload it; a logged model that could not be stored says so."""
    try:
        written = write_directory(folder, draft)
        return written, _uploaded(client, logged, folder)
    except BaseException as failed:
        status = SetLoggedModelStatus(model_id=logged.model_id, status="FAILED", status_message=type(failed).__name__)
        client.call(status)
        raise


def _created(client: Client, name: str, run_id: RunId) -> LoggedModel:
    experiment_id = client.call(GetRun(run_id=run_id)).info.experiment_id
    return client.call(
        CreateLoggedModel(experiment_id=experiment_id, name=name, source_run_id=run_id, model_type="sklearn")
    )


def _uploaded(client: Client, logged: LoggedModel, folder: Path) -> dict[str, BlobId]:
    """The files under the logged model's artifacts, for MLflow's clients, and as blobs, for versions and serving."""
    if not logged.artifact_uri.startswith(_PROXIED):
        raise Invalid(
            f"The logged model's files belong to {logged.artifact_uri[:200]!r}, which this client does not write to. "
            "Log the run in an experiment whose artifacts the server stores."
        )
    root = logged.artifact_uri.removeprefix(_PROXIED).strip("/")
    files = digests(folder)

    def send(path: str) -> None:
        client.upload_artifact(f"{root}/{path}", folder / path)
        if client.put_blob(folder / path) != files[path]:
            raise Invalid(f"The file {path!r} changed while it was uploaded. Log the model again.")

    with ThreadPoolExecutor(_UPLOADS) as pool:
        list(pool.map(send, files))
    return files


def register(
    client: Client,
    name: str,
    logged: LoggedModelRef,
    *,
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> ModelVersion:
    """Register a logged model as the next version of a name; the name is made when it is new.

    Raises:
        Invalid: the name or a tag is not allowed.
    """
    with contextlib.suppress(AlreadyExists):
        client.call(CreateModel(name=ModelName(name)))
    return client.call(
        CreateVersion(
            name=ModelName(name),
            source=logged.source,
            run_id=logged.run_id,
            model_id=logged.model_id,
            description=description,
            tags=dict(tags or {}),
            files=logged.files,
            reference=logged.reference,
            golden=verdict_text(logged.comparison),
            signature=_signature_text(logged.signature),
        )
    )


def verdict_text(comparison: Comparison) -> str:
    """The verdict of compiled against original as one line.

    >>> verdict_text(Comparison(agreement="bit-equal", rows=96))
    'bit-equal on 96 golden rows'
    """
    if comparison.agreement == "refused":
        return f"not compiled: {comparison.reason}"
    if comparison.agreement == "bit-equal":
        return f"bit-equal on {comparison.rows} golden rows"
    return f"labels equal on {comparison.rows} golden rows, scores within {comparison.bound:.1e}"


def _signature_text(signature: Signature) -> str:
    parts = [f'"{name}": {text or "null"}' for name, text in signature_texts(signature).items()]
    return "{" + ", ".join(parts) + "}"


def version_of(client: Client, what: str) -> ModelVersion:
    """The version that `name@alias` or `name@3` names; a bare name means its champion.

    Raises:
        Invalid: the text has another form, or the model has no such alias.
        NotFound: there is no such model or version.
    """
    name, _, which = what.partition("@")
    if not name:
        raise Invalid(f"{what[:200]!r} names no model. Give it as name@alias or name@3.")
    if which.isdecimal():
        return client.call(GetVersion(name=ModelName(name), version=int(which)))
    return client.call(VersionByAlias(name=ModelName(name), alias=which or "champion"))


def fetch_files(client: Client, version: ModelVersion, folder: Path, *, compiled_only: bool = False) -> None:
    """Bring a version's model directory to a folder, every file verified by its digest.

    Args:
        client: where from.
        version: registered with files.
        folder: made when it is new; files that are there already are kept when their digest is right.
        compiled_only: leave out what only the original needs, the pickle above all.

    Raises:
        Invalid: the version was registered without files, or a file was changed.
    """
    wanted = {
        path: blob
        for path, blob in version.files.items()
        if not compiled_only or path == "MLmodel" or path.startswith("airside/")
    }
    if not wanted:
        raise Invalid(
            f"The version {version.name}@{version.version} was registered without files, from "
            f"{version.source[:200]!r}. Load it with mlflow, or log it again with log_model."
        )
    for path, blob in wanted.items():
        target = (folder / path).resolve()
        if not target.is_relative_to(folder.resolve()):
            raise Invalid(f"The file {path[:200]!r} of the version would lie outside the folder.")
        client.save_blob(blob, target)
    verify(folder, wanted)


def load_model(client: Client, what: str, *, folder: Path | None = None) -> CompiledModel:
    """The compiled form of a version, verified by digests and golden predictions. Nothing is unpickled.

    Args:
        client: where from.
        what: `name@alias` or `name@3`.
        folder: where the files stay; they are not kept when None.

    Raises:
        Invalid: the version has no compiled form (then `load_original`), or a golden prediction differs.
    """
    version = version_of(client, what)
    if folder is not None:
        return _load_into(client, version, folder)
    # What is mapped into memory stays readable after its file is gone; where it does not (Windows), the folder stays.
    with tempfile.TemporaryDirectory(prefix="airside-model-", ignore_cleanup_errors=True) as place:
        return _load_into(client, version, Path(place))


def _load_into(client: Client, version: ModelVersion, folder: Path) -> CompiledModel:
    fetch_files(client, version, folder, compiled_only=True)
    return load_compiled(folder, files=version.files)


def load_original(client: Client, what: str, *, folder: Path, allow_pickle: bool = False) -> Any:
    """The fitted estimator itself. This unpickles it, which runs whatever code the file holds.

    Args:
        client: where from.
        what: `name@alias` or `name@3`.
        folder: where the files go.
        allow_pickle: say True only for a model whose maker you trust.

    Raises:
        Denied: `allow_pickle` was not said.
    """
    if not allow_pickle:
        raise Denied("Loading the original unpickles it, which runs whatever it holds. Say allow_pickle=True to do so.")
    fetch_files(client, version_of(client, what), folder)
    found = original_of(folder)
    return found.model
