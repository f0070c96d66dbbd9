"""The links around a version, in both directions."""

import pytest

from airside.core.errors import Invalid, NotFound
from airside.core.ids import DatasetName, ExperimentId, ModelName, RunId
from airside.core.operation import LOCAL
from airside.data.operations.datasets import CreateDataset
from airside.data.operations.versions import CommitDatasetVersion
from airside.data.records import DatasetFile
from airside.platform.wiring import Platform
from airside.registry.operations.lineage import GetVersionLineage, VersionsMadeFrom, code_of
from airside.registry.operations.models import CreateModel
from airside.registry.operations.versions import CreateVersion
from airside.tracking.logged_models.operations import CreateLoggedModel
from airside.tracking.operations.logging import LogInputs, SetRunTag
from airside.tracking.operations.runs import CreateRun
from airside.tracking.records import Dataset, DatasetInput, Tag

CHURN = ModelName("churn")
COMMIT = "4f2a" * 10


@pytest.fixture
def run(platform: Platform) -> RunId:
    """A run of a known commit that read `people@1` and a table of a client's."""
    platform.call(LOCAL, CreateDataset(name=DatasetName("people")))
    blob = platform.blobs.put([b"rows"])
    file = DatasetFile(path="a.parquet", digest=blob, size_bytes=4)
    version = platform.call(LOCAL, CommitDatasetVersion(name=DatasetName("people"), files=(file,), rows=1))
    made = platform.call(LOCAL, CreateRun(experiment_id=ExperimentId("0"), user_id="ana")).info.run_id
    inputs = (
        DatasetInput(
            dataset=Dataset(name="people", digest="d1", source_type="airside", source=version.id),
            tags=(Tag(key="mlflow.data.context", value="training"),),
        ),
        DatasetInput(dataset=Dataset(name="iris", digest="cafe1234", source_type="local", source="iris.csv")),
    )
    platform.call(LOCAL, LogInputs(run_id=made, datasets=inputs))
    for key, value in (("mlflow.source.git.commit", COMMIT), ("mlflow.source.git.branch", "main")):
        platform.call(LOCAL, SetRunTag(run_id=made, key=key, value=value))
    return made


@pytest.fixture
def churn(platform: Platform, run: RunId) -> ModelName:
    """Version 1 of the run, 2 of a logged model of the run, 3 a copy of 1, 4 of nothing known."""
    platform.call(LOCAL, CreateModel(name=CHURN))
    logged = platform.call(
        LOCAL, CreateLoggedModel(experiment_id=ExperimentId("0"), name="net", source_run_id=run)
    ).model_id
    for source, run_id, model_id in (
        ("s3://b/1", run, None),
        (f"models:/{logged}", None, logged),
        ("models:/churn/1", None, None),
        ("s3://b/4", RunId("0" * 32), None),
    ):
        platform.call(LOCAL, CreateVersion(name=CHURN, source=source, run_id=run_id, model_id=model_id))
    return CHURN


def numbers(platform: Platform, ask: VersionsMadeFrom) -> set[int]:
    return {version.version for version in platform.call(LOCAL, ask).items}


def test_a_version_leads_to_its_run_its_data_its_code_and_its_copies(
    platform: Platform, churn: ModelName, run: RunId
) -> None:
    found = platform.call(LOCAL, GetVersionLineage(name=churn, version=1))
    assert found.run is not None
    assert (found.run.run_id, found.run.user, found.copies) == (run, "ana", ("churn@3",))
    assert (found.code.commit, found.code.branch) == (COMMIT, "main")
    assert {(each.name, each.context, each.reference) for each in found.datasets} == {
        ("people", "training", "people@1"),
        ("iris", "", ""),
    }


def test_a_version_of_a_logged_model_leads_to_it_and_to_the_run_behind_it(
    platform: Platform, churn: ModelName, run: RunId
) -> None:
    found = platform.call(LOCAL, GetVersionLineage(name=churn, version=2))
    assert (found.logged_model, found.run_id) == ("net", run)
    assert found.code.commit == COMMIT


def test_what_is_not_known_is_left_out(platform: Platform, churn: ModelName) -> None:
    found = platform.call(LOCAL, GetVersionLineage(name=churn, version=4))
    assert (found.run, found.datasets, found.logged_model, found.copies) == (None, (), "", ())
    with pytest.raises(NotFound):
        platform.call(LOCAL, GetVersionLineage(name=churn, version=9))


def test_versions_are_found_by_what_they_came_of(platform: Platform, churn: ModelName, run: RunId) -> None:
    logged = platform.call(LOCAL, GetVersionLineage(name=churn, version=2)).model_id
    of_run = {1, 2, 3}
    expected = {
        VersionsMadeFrom(dataset="people@1"): of_run,
        VersionsMadeFrom(dataset="people@latest"): of_run,
        VersionsMadeFrom(dataset="iris"): of_run,
        VersionsMadeFrom(digest="cafe"): of_run,
        VersionsMadeFrom(dataset="people", digest="cafe"): set[int](),
        VersionsMadeFrom(run_id=run): of_run,
        VersionsMadeFrom(model_id=logged): {2},
        VersionsMadeFrom(commit=COMMIT[:8]): of_run,
        VersionsMadeFrom(commit="0000"): set[int](),
        VersionsMadeFrom(commit=COMMIT, model_id=logged): {2},
    }
    assert {ask: numbers(platform, ask) for ask in expected} == expected


def test_pages_of_what_was_found_are_whole(platform: Platform, churn: ModelName, run: RunId) -> None:
    first = platform.call(LOCAL, VersionsMadeFrom(run_id=run, max_results=2))
    second = platform.call(LOCAL, VersionsMadeFrom(run_id=run, max_results=2, page_token=first.next_page_token))
    assert sorted(each.version for each in (*first.items, *second.items)) == [1, 2, 3]
    assert second.next_page_token == ""


def test_a_question_that_names_nothing_is_refused(platform: Platform, churn: ModelName) -> None:
    for ask, why in (
        (VersionsMadeFrom(), "Say what the versions came of"),
        (VersionsMadeFrom(commit="4f"), "too short"),
        (VersionsMadeFrom(digest="c"), "too short"),
        (VersionsMadeFrom(dataset="people@x"), "names no version of a dataset"),
        (VersionsMadeFrom(dataset="people", max_results=0), "max_results"),
    ):
        with pytest.raises(Invalid, match=why):
            platform.call(LOCAL, ask)
    with pytest.raises(NotFound, match="No dataset version 'people@7'"):
        platform.call(LOCAL, VersionsMadeFrom(dataset="people@7"))


def test_code_is_read_off_the_tags() -> None:
    assert code_of({}).is_dirty is None
    assert code_of({"mlflow.source.git.dirty": "false"}).is_dirty is False
