"""Verbs on model versions."""

from airside.core.errors import Invalid, NotFound
from airside.core.ids import BlobId, LoggedModelId, ModelName, RunId
from airside.core.operation import Context, operation
from airside.core.record import DONE, Ask, Done
from airside.registry import history, promotion, queries, rules, search, sources
from airside.registry.events import StageMoved, VersionDeleted, VersionRegistered, VersionTagged
from airside.registry.operations.models import GetModel, get_model
from airside.registry.records import DownloadUri, ModelVersion, Requirement, Stage, VersionList, VersionPage
from airside.tracking.logged_models.operations import TellRegistration, tell_registration


class CreateVersion(Ask[ModelVersion]):
    """A version to register.

    Attributes:
        source: where the client says that the files lie: `models:/m-…`, `runs:/R/…`, `s3://…`.
        run_id, model_id: None when not told; then they follow from the source where it names them.
        files: path in the model directory -> digest, when they are in the blob store.
        reference: the blob of the training profile.
        golden: the verdict of the comparison on golden rows.
        signature: the model's signature, as JSON.
    """

    name: ModelName
    source: str
    run_id: RunId | None = None
    model_id: LoggedModelId | None = None
    description: str = ""
    run_link: str = ""
    tags: dict[str, str] = {}
    files: dict[str, BlobId] = {}
    reference: BlobId = BlobId("")
    golden: str = ""
    signature: str = ""


@operation("versions.create", needs="model:write")
def create_version(ctx: Context, ask: CreateVersion) -> ModelVersion:
    """Register a version. Its number is the highest ever used, plus one.

    Raises:
        Invalid: the source, a tag or a file's digest is not allowed.
        NotFound: no model has that name.
    """
    lineage = sources.resolve(ctx, ask.source, ask.run_id, ask.model_id, is_prompt=rules.is_prompt(ask.tags))
    rules.check_model_name(ask.name)
    for key, value in ask.tags.items():
        rules.check_tag(key, value)
    rules.check_files(ask.files, ask.reference)
    number = queries.next_version(ctx.tx, ask.name, ctx.now_ms())
    if number is None:
        raise NotFound(f"Registered Model with name={ask.name} not found")
    version = ModelVersion(
        name=ask.name,
        version=number,
        source=lineage.source,
        run_id=lineage.run_id,
        model_id=lineage.model_id,
        description=ask.description,
        run_link=ask.run_link,
        tags=ask.tags,
        files=ask.files,
        reference=ask.reference,
        golden=ask.golden,
        signature=ask.signature,
        created_by=ctx.actor.name,
        created_ms=ctx.now_ms(),
        updated_ms=ctx.now_ms(),
    )
    queries.insert_version(ctx.tx, version, lineage.storage)
    queries.put_version_tags(ctx.tx, ask.name, number, ask.tags)
    if version.model_id:
        tell_registration(ctx, TellRegistration(model_id=version.model_id, name=ask.name, version=number))
    history.record(ctx, ask.name, number, what="created", after=version.source)
    history.record_first(ctx, ask.name, number, ask.description, ask.tags)
    ctx.announce(
        VersionRegistered(
            name=ask.name,
            version=number,
            run_id=version.run_id,
            model_id=version.model_id,
            source=version.source,
            description=ask.description,
            tags=ask.tags,
        )
    )
    return version


class GetVersion(Ask[ModelVersion]):
    """A model version by name and number."""

    name: ModelName
    version: int


@operation("versions.get", needs="model:read")
def get_version(ctx: Context, ask: GetVersion) -> ModelVersion:
    """A version with its tags, aliases, files and verdicts.

    Raises:
        NotFound: there is no such version.
    """
    version = queries.version(ctx.tx, ask.name, ask.version)
    if version is None:
        raise NotFound(f"Model Version (name={ask.name}, version={ask.version}) not found")
    return version


class SearchVersions(Ask[VersionPage]):
    """Versions that match a filter in MLflow's grammar, e.g. `name = 'churn' AND version_number > 3`."""

    filter: str = ""
    max_results: int = 1000
    order_by: tuple[str, ...] = ()
    page_token: str = ""


@operation("versions.search", needs="model:read")
def search_versions(ctx: Context, ask: SearchVersions) -> VersionPage:
    """Search versions over all models. Those of prompts are left out unless the filter asks for them.

    Raises:
        Invalid: the filter, the order or the page token cannot be read.
    """
    return search.versions(ctx, ask.filter, ask.max_results, ask.order_by, ask.page_token)


class UpdateVersion(Ask[ModelVersion]):
    """A new description of a version; None takes it away."""

    name: ModelName
    version: int
    description: str | None = None


@operation("versions.update", needs="model:write")
def update_version(ctx: Context, ask: UpdateVersion) -> ModelVersion:
    """Set or take away the description.

    Raises:
        NotFound: there is no such version.
    """
    before = get_version(ctx, GetVersion(name=ask.name, version=ask.version))
    queries.set_version_description(ctx.tx, ask.name, ask.version, ask.description, ctx.now_ms())
    history.record(
        ctx,
        ask.name,
        ask.version,
        what="description",
        before=before.description or "",
        after=ask.description or "",
    )
    return get_version(ctx, GetVersion(name=ask.name, version=ask.version))


class DeleteVersion(Ask[Done]):
    """A version that shall go."""

    name: ModelName
    version: int


@operation("versions.delete", needs="model:delete")
def delete_version(ctx: Context, ask: DeleteVersion) -> Done:
    """Delete a version and the aliases that name it. The number is never used again.

    Raises:
        NotFound: there is no such version.
    """
    version = get_version(ctx, GetVersion(name=ask.name, version=ask.version))
    for alias in version.aliases:
        promotion.drop_alias(ctx, ask.name, alias)
    queries.delete_version(ctx.tx, ask.name, ask.version, ctx.now_ms())
    history.record(ctx, ask.name, ask.version, what="deleted")
    ctx.announce(VersionDeleted(name=ask.name, version=ask.version))
    return DONE


class SetVersionTag(Ask[Done]):
    """A tag of a version."""

    name: ModelName
    version: int
    key: str
    value: str = ""


@operation("versions.set_tag", needs="model:write")
def set_version_tag(ctx: Context, ask: SetVersionTag) -> Done:
    """Set a tag, or overwrite it.

    Raises:
        Invalid: the key or the value is not allowed.
        NotFound: there is no such version.
    """
    rules.check_tag(ask.key, ask.value)
    version = get_version(ctx, GetVersion(name=ask.name, version=ask.version))
    queries.put_version_tags(ctx.tx, ask.name, ask.version, {ask.key: ask.value})
    before = version.tags.get(ask.key, "")
    history.record(ctx, ask.name, ask.version, what="tag", key=ask.key, before=before, after=ask.value)
    _tagged(ctx, ask.name, ask.version, ask.key, ask.value)
    return DONE


class DeleteVersionTag(Ask[Done]):
    """A tag of a version that shall go."""

    name: ModelName
    version: int
    key: str


@operation("versions.delete_tag", needs="model:write")
def delete_version_tag(ctx: Context, ask: DeleteVersionTag) -> Done:
    """Take a tag away; one that is not there is no error.

    Raises:
        NotFound: there is no such version.
    """
    rules.check_tag(ask.key, "")
    version = get_version(ctx, GetVersion(name=ask.name, version=ask.version))
    if ask.key in version.tags:
        queries.delete_version_tag(ctx.tx, ask.name, ask.version, ask.key)
        history.record(ctx, ask.name, ask.version, what="tag", key=ask.key, before=version.tags[ask.key])
        _tagged(ctx, ask.name, ask.version, ask.key, None)
    return DONE


def _tagged(ctx: Context, name: ModelName, version: int, key: str, value: str | None) -> None:
    is_prompt = rules.is_prompt(queries.model_tags(ctx.tx, name) or {})
    ctx.announce(VersionTagged(name=name, version=version, key=key, value=value, is_prompt=is_prompt))


class SetStage(Ask[ModelVersion]):
    """A stage for a version; `archive_existing` moves the stage's other versions to `Archived`."""

    name: ModelName
    version: int
    stage: str
    archive_existing: bool = False


@operation("versions.set_stage", needs="model:promote")
def set_stage(ctx: Context, ask: SetStage) -> ModelVersion:
    """Move a version to another stage.

    Raises:
        Invalid: no stage has that name, or it has no active versions to archive.
        NotFound: there is no such version.
        Conflict: `Production` needs verdicts or approvals that the version lacks.
    """
    stage = rules.stage_of(ask.stage)
    rules.check_archiving(stage, archive_existing=ask.archive_existing)
    version = get_version(ctx, GetVersion(name=ask.name, version=ask.version))
    if stage == "Production" and version.stage != stage:
        promotion.require(ctx, version, f"stage {stage}")
    others = queries.versions_in_stage(ctx.tx, ask.name, stage) if ask.archive_existing else ()
    now_ms = ctx.now_ms()
    moves: list[tuple[int, Stage, Stage]] = [(other, stage, "Archived") for other in others if other != ask.version]
    for number, before, after in (*moves, (ask.version, version.stage, stage)):
        queries.set_stage(ctx.tx, ask.name, number, after, now_ms)
        _told(ctx, ask.name, number, before, after)
    return get_version(ctx, GetVersion(name=ask.name, version=ask.version))


def _told(ctx: Context, name: ModelName, version: int, before: Stage, after: Stage) -> None:
    if before != after:
        history.record(ctx, name, version, what="stage", before=before, after=after)
        ctx.announce(StageMoved(name=name, version=version, stage=after, previous=before))


class LatestVersions(Ask[VersionList]):
    """The highest version of each of some stages; no stages: of all that have versions."""

    name: ModelName
    stages: tuple[str, ...] = ()


@operation("versions.latest", needs="model:read")
def latest_versions(ctx: Context, ask: LatestVersions) -> VersionList:
    """The highest version of each stage.

    Raises:
        Invalid: no stage has that name.
        NotFound: no model has that name.
    """
    model = get_model(ctx, GetModel(name=ask.name))
    wanted = {rules.stage_of(stage) for stage in ask.stages}
    return VersionList(items=tuple(v for v in model.latest_versions if not wanted or v.stage in wanted))


class VersionByAlias(Ask[ModelVersion]):
    """The version that an alias names; `latest` is the highest number."""

    name: ModelName
    alias: str


@operation("versions.by_alias", needs="model:read")
def version_by_alias(ctx: Context, ask: VersionByAlias) -> ModelVersion:
    """The version that `name@alias` names.

    Raises:
        NotFound: no model has that name, or it has no versions.
        Invalid: the model has no such alias.
    """
    rules.check_alias(ask.alias)
    model = get_model(ctx, GetModel(name=ask.name))
    if ask.alias.lower() == "latest":
        number = max((version.version for version in model.latest_versions), default=None)
        if number is None:
            raise NotFound(f"Latest version not found for model {ask.name}.")
    else:
        number = model.aliases.get(ask.alias)
        if number is None:
            raise Invalid(f"Registered model alias {ask.alias} not found.")
    return get_version(ctx, GetVersion(name=ask.name, version=number))


class GetDownloadUri(Ask[DownloadUri]):
    """A version whose files someone wants to fetch."""

    name: ModelName
    version: int


@operation("versions.download_uri", needs="model:read")
def download_uri(ctx: Context, ask: GetDownloadUri) -> DownloadUri:
    """Where the files of a version lie: what its source resolved to when it was registered.

    Raises:
        NotFound: there is no such version.
    """
    uri = queries.storage_location(ctx.tx, ask.name, ask.version)
    if uri is None:
        raise NotFound(f"Model Version (name={ask.name}, version={ask.version}) not found")
    return DownloadUri(artifact_uri=uri)


class RequireOfVersion(Ask[ModelVersion]):
    """Who must approve one version, beside those whom its model names, before an alias that waits moves to it."""

    name: ModelName
    version: int
    approvers: tuple[str, ...] = ()


@operation("versions.require", needs="model:promote")
def require_of_version(ctx: Context, ask: RequireOfVersion) -> ModelVersion:
    """Name the people who must approve this version; nobody: only what the model requires.

    Raises:
        NotFound: there is no such version.
    """
    version = get_version(ctx, GetVersion(name=ask.name, version=ask.version))
    approvers = tuple(dict.fromkeys(ask.approvers))
    queries.set_approvers(ctx.tx, ask.name, ask.version, approvers)
    history.record(
        ctx,
        ask.name,
        ask.version,
        what="requirement",
        before=rules.requirement_text(Requirement(approvers=version.approvers)),
        after=rules.requirement_text(Requirement(approvers=approvers)),
    )
    return get_version(ctx, GetVersion(name=ask.name, version=ask.version))


class CompleteVersion(Ask[ModelVersion]):
    """What is known of a version's contents only after it was registered, by an MLflow client say."""

    name: ModelName
    version: int
    files: dict[str, BlobId]
    reference: BlobId = BlobId("")
    golden: str = ""
    signature: str = ""


@operation("versions.complete", needs="model:write")
def complete_version(ctx: Context, ask: CompleteVersion) -> ModelVersion:
    """Tell the contents of a version that has none yet. What is told once does not change.

    Raises:
        NotFound: there is no such version.
        Invalid: a digest is not one, or the version has other contents already.
    """
    rules.check_files(ask.files, ask.reference)
    version = get_version(ctx, GetVersion(name=ask.name, version=ask.version))
    if version.files:
        if version.files != ask.files:
            raise Invalid(
                f"'{ask.name}@{ask.version}' has its files already, and they differ from these. "
                "A version never changes; register a new one."
            )
        return version
    queries.set_contents(ctx.tx, version, ask.files, ask.reference, ask.golden, ask.signature)
    history.record(ctx, ask.name, ask.version, what="contents", after=f"{len(ask.files)} files")
    return get_version(ctx, GetVersion(name=ask.name, version=ask.version))
