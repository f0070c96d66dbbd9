"""Where versions come from, and which came of something: both directions of the links around a version."""

from collections.abc import Mapping

from airside.core.clock import from_ms
from airside.core.errors import Invalid, NotFound
from airside.core.ids import DatasetName, DatasetVersionId, LoggedModelId, ModelName, RunId
from airside.core.operation import Context, operation
from airside.core.paging import cut, page_size
from airside.core.record import Ask
from airside.core.search import PageToken, read_token, write_token
from airside.data.operations.versions import GetDatasetVersion, get_dataset_version
from airside.registry import queries
from airside.registry.operations.versions import GetVersion, get_version
from airside.registry.queries.origins import Wanted
from airside.registry.records import (
    MadeByRun,
    MadeFromDataset,
    MadeWithCode,
    VersionLineage,
    VersionPage,
)
from airside.tracking.logged_models.operations import GetLoggedModel, get_logged_model
from airside.tracking.operations.runs import GetRun, get_run
from airside.tracking.records import DatasetInput, Run

OURS = "airside"
"""The source type of datasets that are versions of the data room."""
MAX_COPIES = 100
MIN_DIGITS = 4
"""A shorter beginning of a commit or a digest names nothing."""


class GetVersionLineage(Ask[VersionLineage]):
    """A version whose origin is asked for."""

    name: ModelName
    version: int


@operation("versions.lineage", needs="model:read")
def version_lineage(ctx: Context, ask: GetVersionLineage) -> VersionLineage:
    """The run, the logged model, the datasets and the code that a version was made from, and its copies.

    Raises:
        NotFound: there is no such version.
    """
    version = get_version(ctx, GetVersion(name=ask.name, version=ask.version))
    run = _run(ctx, version.run_id)
    copies = queries.copies_of(ctx.tx, ask.name, ask.version, MAX_COPIES)
    return VersionLineage(
        name=ask.name,
        version=ask.version,
        source=version.source,
        run_id=version.run_id,
        model_id=version.model_id,
        run=None if run is None else _made_by(run),
        logged_model=_logged_model(ctx, version.model_id),
        datasets=() if run is None else tuple(_dataset(ctx, each) for each in run.dataset_inputs),
        code=MadeWithCode() if run is None else code_of({tag.key: tag.value for tag in run.tags}),
        copies=tuple(f"{name}@{number}" for name, number in copies),
    )


def _run(ctx: Context, run_id: RunId) -> Run | None:
    try:
        return get_run(ctx, GetRun(run_id=run_id)) if run_id else None
    except NotFound:  # a source in a cloud may name any run
        return None


def _logged_model(ctx: Context, model_id: LoggedModelId) -> str:
    try:
        return get_logged_model(ctx, GetLoggedModel(model_id=model_id, allow_deleted=True)).name if model_id else ""
    except NotFound:
        return ""


def _made_by(run: Run) -> MadeByRun:
    info = run.info
    return MadeByRun(
        run_id=info.run_id,
        name=info.name,
        experiment_id=info.experiment_id,
        status=info.status,
        user=info.user_id,
        started_at=from_ms(info.start_time_ms) if info.start_time_ms else None,
    )


def _dataset(ctx: Context, read: DatasetInput) -> MadeFromDataset:
    dataset = read.dataset
    reference = ""
    if dataset.source_type == OURS:
        try:
            found = get_dataset_version(ctx, GetDatasetVersion(id=DatasetVersionId(dataset.source)))
            reference = f"{found.name}@{found.version}"
        except NotFound:
            reference = ""
    return MadeFromDataset(
        name=dataset.name,
        digest=dataset.digest,
        context=next((tag.value for tag in read.tags if tag.key == "mlflow.data.context"), ""),
        source_type=dataset.source_type,
        source=dataset.source,
        reference=reference,
    )


def code_of(tags: Mapping[str, str]) -> MadeWithCode:
    """The code of a run, as its tags tell it.

    >>> code_of({"mlflow.source.git.commit": "abc", "mlflow.source.git.dirty": "true"}).is_dirty
    True
    """
    dirty = tags.get("mlflow.source.git.dirty", "")
    return MadeWithCode(
        commit=tags.get("mlflow.source.git.commit", ""),
        branch=tags.get("mlflow.source.git.branch", ""),
        repository=tags.get("mlflow.source.git.repoURL", ""),
        source=tags.get("mlflow.source.name", ""),
        bundle=tags.get("airside.code", ""),
        is_dirty=dirty == "true" if dirty else None,
    )


class VersionsMadeFrom(Ask[VersionPage]):
    """What the versions shall have come of; all that is named must hold.

    Attributes:
        dataset: `people@3` is a version of the data room, `people@latest` its newest; a bare name is any of that name.
        digest: of the dataset, or its beginning: what MLflow's clients log.
        run_id, model_id: the run, the logged model.
        commit: of the code, or its beginning.
    """

    dataset: str = ""
    digest: str = ""
    run_id: RunId = RunId("")
    model_id: LoggedModelId = LoggedModelId("")
    commit: str = ""
    max_results: int = 100
    page_token: str = ""


@operation("versions.made_from", needs="model:read")
def versions_made_from(ctx: Context, ask: VersionsMadeFrom) -> VersionPage:
    """The versions that came of a dataset, a run, a logged model or a commit, newest first.

    Raises:
        Invalid: nothing is named, a beginning is too short, or the page is none.
        NotFound: there is no such version of the dataset.
    """
    if not (ask.dataset or ask.digest or ask.run_id or ask.model_id or ask.commit):
        raise Invalid("Say what the versions came of: a dataset, a digest, a run_id, a model_id or a commit.")
    for what, text in (("digest", ask.digest), ("commit", ask.commit)):
        if text and len(text) < MIN_DIGITS:
            raise Invalid(f"The {what} '{text}' is too short: give at least {MIN_DIGITS} characters of it.")
    size = page_size(ask.max_results)
    name, dataset_id = _dataset_of(ctx, ask.dataset)
    wanted = Wanted(ask.run_id, ask.model_id, name, dataset_id, ask.digest, ask.commit)
    offset = read_token(ask.page_token).offset
    found = queries.versions_made_from(ctx.tx, wanted, offset, size + 1)
    keys, following = cut(found, size, lambda _last: write_token(PageToken(offset=offset + size)))
    return VersionPage(items=queries.versions_of(ctx.tx, keys), next_page_token=following)


def _dataset_of(ctx: Context, text: str) -> tuple[str, str]:
    """The name that a dataset is logged under, and the id of its version if one is named."""
    name, at, number = text.rpartition("@")
    if not at:
        return text, ""
    if number != "latest" and not (number.isascii() and number.isdigit() and len(number) < 10):
        raise Invalid(f"'{text[:100]}' names no version of a dataset. Write it as NAME@NUMBER, e.g. people@3.")
    asked = GetDatasetVersion(name=DatasetName(name), version=0 if number == "latest" else int(number))
    return "", get_dataset_version(ctx, asked).id
