"""Verbs that take registered models and their versions over from another store."""

from collections.abc import Sequence
from typing import Any

from airside.core.errors import Invalid, NotFound
from airside.core.ids import ImportId, ModelName
from airside.core.operation import Context, operation
from airside.core.paging import page_size
from airside.core.record import Ask
from airside.registry import history, queries, rules
from airside.registry.events import ModelCreated, VersionRegistered
from airside.registry.queries import imports
from airside.registry.records import ImportedModel, ImportedVersion, ImportedVersions, ModelVersion, RegisteredModel
from airside.tracking.imports.journal import check_known
from airside.tracking.imports.records import Compared, Imported
from airside.tracking.imports.rules import MAX_ITEMS, check_size, first_difference
from airside.tracking.imports.taking import Kind, compare, take, together

MODEL_FACTS = ("description", "tags", "created_ms", "updated_ms")
VERSION_FACTS = (
    "source",
    "run_id",
    "model_id",
    "status",
    "stage",
    "description",
    "run_link",
    "tags",
    "aliases",
    "created_ms",
    "updated_ms",
)


class ImportModels(Ask[Imported]):
    """Registered models of another store, without their versions."""

    import_id: ImportId
    items: tuple[ImportedModel, ...]
    skip_existing: bool = False


@operation("imports.models", needs="imports:write", audit="measure")
def import_models(ctx: Context, ask: ImportModels) -> Imported:
    """Take registered models over under their names, prompts included.

    Raises:
        Conflict: one is here already with other content. Invalid: a name is none. NotFound: there is no such import.
    """
    check_known(ctx, ask.import_id)
    check_size(ask.items)
    here = _models(ctx, [each.model.name for each in ask.items])
    taken = take(
        MODELS, ask.items, here, lambda each: _add_model(ctx, each, ask.import_id), skip_existing=ask.skip_existing
    )
    left = {each.id for each in taken.differing}
    for each in ask.items:
        if each.model.name not in left:
            imports.raise_last_version(ctx.tx, each.model.name, each.last_version)
    return taken


class ImportVersions(Ask[Imported]):
    """Model versions of another store, with their tags and aliases."""

    import_id: ImportId
    items: tuple[ImportedVersion, ...]
    skip_existing: bool = False


@operation("imports.versions", needs="imports:write", audit="measure")
def import_versions(ctx: Context, ask: ImportVersions) -> Imported:
    """Take versions over under their numbers. Aliases and stages come as they are, without the model's requirements.

    Raises:
        Conflict: one is here already with other content. NotFound: the import or a model is not here.
    """
    check_known(ctx, ask.import_id)
    check_size(ask.items)
    models = _models(ctx, [each.version.name for each in ask.items])
    absent = next((each.version.name for each in ask.items if each.version.name not in models), None)
    if absent is not None:
        raise NotFound(f"Registered Model with name={absent} not found")
    here = _versions(ctx, [each.version for each in ask.items])
    return take(VERSIONS, ask.items, here, lambda each: _add_version(ctx, each), skip_existing=ask.skip_existing)


class CompareModels(Ask[Compared]):
    """Registered models and versions of a source."""

    models: tuple[ImportedModel, ...] = ()
    versions: tuple[ImportedVersion, ...] = ()


@operation("imports.compare_models", needs="imports:read")
def compare_models(ctx: Context, ask: CompareModels) -> Compared:
    """Which of some models and versions are here, and which of them differ from what they are in the source.

    Raises:
        Invalid: too many at once.
    """
    check_size((*ask.models, *ask.versions))
    models = _models(ctx, [each.model.name for each in ask.models])
    versions = _versions(ctx, [each.version for each in ask.versions])
    return together((compare(MODELS, ask.models, models), compare(VERSIONS, ask.versions, versions)))


class ListVersions(Ask[ImportedVersions]):
    """Versions of a model behind a number."""

    name: ModelName
    after: int = 0
    max_results: int = 100


@operation("imports.list_versions", needs="imports:read")
def list_versions(ctx: Context, ask: ListVersions) -> ImportedVersions:
    """The versions of a model by number, whole: with where their files lie.

    Raises:
        NotFound: no model has that name. Invalid: the page size is not one.
    """
    size = page_size(ask.max_results, MAX_ITEMS)
    last = imports.last_version(ctx.tx, ask.name)
    if last is None:
        raise NotFound(f"Registered Model with name={ask.name} not found")
    found = imports.versions_behind(ctx.tx, ask.name, ask.after, size)
    versions = queries.versions_of(ctx.tx, [(ask.name, number) for number in found])
    return ImportedVersions(
        items=tuple(ImportedVersion(version=each, storage_location=found[each.version]) for each in versions),
        last_version=last,
    )


def name_of(version: ModelVersion) -> str:
    """A version's name: `churn@7`."""
    return f"{version.name}@{version.version}"


def model_difference(found: RegisteredModel, given: RegisteredModel) -> str:
    """Where two forms of a model differ first; empty when they are one."""
    return first_difference(_facts(found, MODEL_FACTS), _facts(given, MODEL_FACTS))


def version_difference(found: ModelVersion, given: ModelVersion) -> str:
    """Where two forms of a version differ first; empty when they are one. What only Airside knows is not looked at."""
    return first_difference(_facts(found, VERSION_FACTS), _facts(given, VERSION_FACTS))


MODELS = Kind[ImportedModel](
    name="registered models",
    id_of=lambda each: each.model.name,
    difference=lambda found, each: model_difference(found, each.model),
)
VERSIONS = Kind[ImportedVersion](
    name="model versions",
    id_of=lambda each: name_of(each.version),
    difference=lambda found, each: version_difference(found, each.version),
)


def _facts(record: Any, names: Sequence[str]) -> dict[str, Any]:
    facts = {name: getattr(record, name) for name in names}
    if "aliases" in facts:
        facts["aliases"] = sorted(facts["aliases"])
    return facts


def _models(ctx: Context, names: Sequence[ModelName]) -> dict[str, RegisteredModel]:
    return {model.name: model for model in queries.models_of(ctx.tx, list(dict.fromkeys(names)))}


def _versions(ctx: Context, versions: Sequence[ModelVersion]) -> dict[str, ModelVersion]:
    keys = [(version.name, version.version) for version in versions]
    return {name_of(version): version for version in queries.versions_of(ctx.tx, keys)}


def _add_model(ctx: Context, each: ImportedModel, import_id: ImportId) -> None:
    rules.check_model_name(each.model.name)
    imports.add_model(ctx.tx, each.model, each.last_version, ctx.actor.name)
    queries.put_model_tags(ctx.tx, each.model.name, each.model.tags)
    history.record(ctx, each.model.name, what="created", after=f"import {import_id}")
    ctx.announce(ModelCreated(name=each.model.name))


def _add_version(ctx: Context, each: ImportedVersion) -> None:
    given = each.version
    if given.version < 1:
        raise Invalid(f"'{given.version}' is not the number of a version: 1 or more.")
    queries.insert_version(ctx.tx, given, each.storage_location or given.source)
    queries.put_version_tags(ctx.tx, given.name, given.version, given.tags)
    imports.raise_last_version(ctx.tx, given.name, given.version)
    history.record(ctx, given.name, given.version, what="created", after=given.source)
    for alias in given.aliases:
        imports.add_alias(ctx.tx, given.name, alias, given.version)
        history.record(ctx, given.name, given.version, what="alias", key=alias, after=str(given.version))
    ctx.announce(
        VersionRegistered(
            name=given.name,
            version=given.version,
            run_id=given.run_id,
            model_id=given.model_id,
            source=given.source,
        )
    )
