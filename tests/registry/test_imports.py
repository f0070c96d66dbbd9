"""Registered models of another store come in with their numbers, times, stages and aliases; nothing is overwritten."""

import msgspec
import pytest

from airside.core.errors import Conflict, Invalid, NotFound
from airside.core.ids import ImportId
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.registry.operations.imports import CompareModels, ImportModels, ImportVersions, ListVersions
from airside.registry.operations.models import GetModel, ModelHistory, SetModelTag
from airside.registry.operations.versions import CreateVersion, GetDownloadUri, GetVersion
from airside.registry.records import ImportedModel, ImportedVersion, ModelVersion, RegisteredModel, Requirement
from airside.tracking.imports.journal import BeginImport

MODEL = ImportedModel(
    model=RegisteredModel(
        name="churn",
        created_by="ana",
        created_ms=5,
        updated_ms=6,
        description="good",
        tags={"a": "b"},
        requires=Requirement(gates=("quality",)),
    ),
    last_version=9,
)
VERSION = ImportedVersion(
    version=ModelVersion(
        name="churn",
        version=7,
        source="runs:/r/model",
        created_by="ana",
        created_ms=7,
        updated_ms=8,
        stage="Production",
        description=None,
        tags={"c": "d"},
        aliases=("best", "champion"),
    ),
    storage_location="s3://bucket/model",
)


@pytest.fixture
def import_id(platform: Platform) -> ImportId:
    return platform.call(LOCAL, BeginImport(source="s", kind="mlflow-database", fingerprint="f")).import_id


def take(platform: Platform, import_id: ImportId) -> tuple[int, int]:
    models = platform.call(LOCAL, ImportModels(import_id=import_id, items=(MODEL,)))
    versions = platform.call(LOCAL, ImportVersions(import_id=import_id, items=(VERSION,)))
    return models.added, versions.added


def test_a_model_comes_with_its_versions_as_they_were(platform: Platform, import_id: ImportId) -> None:
    assert (take(platform, import_id), take(platform, import_id)) == ((1, 1), (0, 0))

    model = platform.call(LOCAL, GetModel(name="churn"))
    version = platform.call(LOCAL, GetVersion(name="churn", version=7))
    assert (model.created_ms, model.requires, model.aliases) == (5, MODEL.model.requires, {"best": 7, "champion": 7})
    assert version == VERSION.version
    assert platform.call(LOCAL, GetDownloadUri(name="churn", version=7)).artifact_uri == "s3://bucket/model"
    assert platform.call(LOCAL, CreateVersion(name="churn", source="s3://bucket/x")).version == 10
    history = platform.call(LOCAL, ModelHistory(name="churn")).items
    assert [change.what for change in reversed(history)] == ["created", "created", "alias", "alias", "created"]


def test_what_is_here_with_other_content_is_refused_or_left(platform: Platform, import_id: ImportId) -> None:
    take(platform, import_id)
    platform.call(LOCAL, SetModelTag(name="churn", key="mine", value="1"))
    other = msgspec.structs.replace(VERSION, version=msgspec.structs.replace(VERSION.version, stage="Archived"))
    models = ImportModels(import_id=import_id, items=(MODEL,))
    versions = ImportVersions(import_id=import_id, items=(other,))

    with pytest.raises(Conflict, match=r"registered models .*churn \(tags"):
        platform.call(LOCAL, models)
    with pytest.raises(Conflict, match=r"churn@7 \(stage: 'Production' here, 'Archived' in the source\)"):
        platform.call(LOCAL, versions)
    left = platform.call(LOCAL, msgspec.structs.replace(versions, skip_existing=True))
    assert [each.id for each in left.differing] == ["churn@7"]
    told = platform.call(LOCAL, CompareModels(models=(MODEL,), versions=(VERSION, other)))
    assert (told.same, [each.id for each in told.differing]) == (1, ["churn", "churn@7"])


def test_what_is_not_here_is_missing(platform: Platform) -> None:
    told = platform.call(LOCAL, CompareModels(models=(MODEL,), versions=(VERSION,)))

    assert told.missing == ("churn", "churn@7")


def test_versions_are_listed_whole_by_number(platform: Platform, import_id: ImportId) -> None:
    take(platform, import_id)

    page = platform.call(LOCAL, ListVersions(name="churn"))

    assert (page.items, page.last_version) == ((VERSION,), 9)
    assert platform.call(LOCAL, ListVersions(name="churn", after=7)).items == ()
    with pytest.raises(NotFound):
        platform.call(LOCAL, ListVersions(name="none"))
    with pytest.raises(Invalid):
        platform.call(LOCAL, ListVersions(name="churn", max_results=0))


def test_a_version_needs_its_model_and_a_number(platform: Platform, import_id: ImportId) -> None:
    with pytest.raises(NotFound, match="Registered Model with name=churn"):
        platform.call(LOCAL, ImportVersions(import_id=import_id, items=(VERSION,)))
    platform.call(LOCAL, ImportModels(import_id=import_id, items=(MODEL,)))
    zero = msgspec.structs.replace(VERSION, version=msgspec.structs.replace(VERSION.version, version=0))
    with pytest.raises(Invalid, match="'0' is not the number of a version"):
        platform.call(LOCAL, ImportVersions(import_id=import_id, items=(zero,)))
