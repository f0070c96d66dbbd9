"""Experiments: names, life cycle, tags, searching."""

import pytest

from airside.core.errors import AirsideError, AlreadyExists, Invalid, NotFound
from airside.core.ids import ExperimentId
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.tracking.operations.experiments import (
    CreateExperiment,
    DeleteExperiment,
    DeleteExperimentTag,
    GetExperiment,
    GetExperimentByName,
    RenameExperiment,
    RestoreExperiment,
    SearchExperiments,
    SetExperimentTag,
)
from airside.tracking.operations.runs import CreateRun, DeleteRun, GetRun, RestoreRun
from airside.tracking.records import Tag


def made(platform: Platform, name: str) -> ExperimentId:
    return platform.call(LOCAL, CreateExperiment(name=name)).experiment_id


def test_a_fresh_store_has_exactly_the_experiment_zero(platform: Platform) -> None:
    page = platform.call(LOCAL, SearchExperiments())
    assert [(one.experiment_id, one.name, one.artifact_location) for one in page.items] == [
        ("0", "Default", "mlflow-artifacts:/0")
    ]


def test_ids_count_up_and_locations_follow_them(platform: Platform) -> None:
    first, second = made(platform, "a"), made(platform, "b")
    assert (first, second) == ("1", "2")
    assert platform.call(LOCAL, GetExperiment(experiment_id=second)).artifact_location == "mlflow-artifacts:/2"


def test_a_name_is_unique_also_against_deleted_experiments(platform: Platform) -> None:
    platform.call(LOCAL, DeleteExperiment(experiment_id=made(platform, "a")))
    with pytest.raises(AlreadyExists, match=r"Experiment\(name=a\) already exists"):
        made(platform, "a")


def test_of_two_tags_with_one_key_the_last_wins(platform: Platform) -> None:
    platform.call(LOCAL, CreateExperiment(name="a", tags=(Tag(key="k", value="1"), Tag(key="k", value="2"))))
    assert platform.call(LOCAL, GetExperimentByName(name="a")).tags == (Tag(key="k", value="2"),)


@pytest.mark.parametrize("location", ["http://h/x", "s3://b/x#f", "runs:/x", "s3://b?x=..", "mlflow-artifacts://h/x"])
def test_a_place_that_names_a_host_or_climbs_is_refused(platform: Platform, location: str) -> None:
    with pytest.raises(Invalid):
        platform.call(LOCAL, CreateExperiment(name="a", artifact_location=location))


def test_deleting_an_experiment_deletes_its_runs_and_restoring_brings_all_back(platform: Platform) -> None:
    experiment_id = made(platform, "a")
    kept = platform.call(LOCAL, CreateRun(experiment_id=experiment_id)).info.run_id
    single = platform.call(LOCAL, CreateRun(experiment_id=experiment_id)).info.run_id
    platform.call(LOCAL, DeleteRun(run_id=single))
    platform.call(LOCAL, DeleteExperiment(experiment_id=experiment_id))
    assert platform.call(LOCAL, GetRun(run_id=kept)).info.lifecycle_stage == "deleted"
    platform.call(LOCAL, RestoreExperiment(experiment_id=experiment_id))
    stages = [platform.call(LOCAL, GetRun(run_id=run_id)).info.lifecycle_stage for run_id in (kept, single)]
    assert stages == ["active", "active"]


def test_a_run_can_be_restored_while_its_experiment_stays_deleted(platform: Platform) -> None:
    experiment_id = made(platform, "a")
    run_id = platform.call(LOCAL, CreateRun(experiment_id=experiment_id)).info.run_id
    platform.call(LOCAL, DeleteExperiment(experiment_id=experiment_id))
    platform.call(LOCAL, RestoreRun(run_id=run_id))
    assert platform.call(LOCAL, GetRun(run_id=run_id)).info.lifecycle_stage == "active"


def test_a_deleted_experiment_takes_no_runs_tags_or_names(platform: Platform) -> None:
    experiment_id = made(platform, "a")
    platform.call(LOCAL, DeleteExperiment(experiment_id=experiment_id))
    for ask in (CreateRun(experiment_id=experiment_id), SetExperimentTag(experiment_id=experiment_id, key="k")):
        with pytest.raises(Invalid, match=r"must be in the 'active' state\. Current state is deleted\."):
            platform.call(LOCAL, ask)
    with pytest.raises(AirsideError, match=r"Cannot rename a non-active experiment\.") as caught:
        platform.call(LOCAL, RenameExperiment(experiment_id=experiment_id, new_name="b"))
    assert caught.value.code == "INVALID_STATE"
    with pytest.raises(NotFound):
        platform.call(LOCAL, DeleteExperiment(experiment_id=experiment_id))


def test_renaming_to_a_taken_name_is_refused_and_to_the_own_name_is_not(platform: Platform) -> None:
    first = made(platform, "a")
    made(platform, "b")
    with pytest.raises(AlreadyExists):
        platform.call(LOCAL, RenameExperiment(experiment_id=first, new_name="b"))
    platform.call(LOCAL, RenameExperiment(experiment_id=first, new_name="a"))
    platform.call(LOCAL, RenameExperiment(experiment_id=first, new_name="c"))
    assert platform.call(LOCAL, GetExperiment(experiment_id=first)).name == "c"


def test_a_tag_is_set_again_and_removed_once(platform: Platform) -> None:
    for value in ("1", "2"):
        platform.call(LOCAL, SetExperimentTag(experiment_id=ExperimentId("0"), key="k", value=value))
    assert platform.call(LOCAL, GetExperiment(experiment_id=ExperimentId("0"))).tags == (Tag(key="k", value="2"),)
    platform.call(LOCAL, DeleteExperimentTag(experiment_id=ExperimentId("0"), key="k"))
    with pytest.raises(NotFound, match="No tag with name: k in experiment with id 0"):
        platform.call(LOCAL, DeleteExperimentTag(experiment_id=ExperimentId("0"), key="k"))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("name LIKE 'B%'", ["B2"]),
        ("name ILIKE 'B%'", ["B2", "b1"]),
        ("name != 'b1'", ["Default", "B2"]),
        ("tags.kind = 'x'", ["b1"]),
        ("tag.kind IS NULL AND experiment_id != '0'", ["B2"]),
        ("experiment_id IN ('0', '2')", ["Default", "B2"]),
        ("attribute.creation_time > 0 AND name = 'Default'", ["Default"]),
    ],
)
def test_filters_find_experiments(platform: Platform, text: str, names: list[str]) -> None:
    platform.call(LOCAL, CreateExperiment(name="b1", tags=(Tag(key="kind", value="x"),)))
    made(platform, "B2")
    found = platform.call(LOCAL, SearchExperiments(filter=text, order_by=("experiment_id",)))
    assert sorted(one.name for one in found.items) == sorted(names)


def test_pages_walk_all_experiments_in_order(platform: Platform) -> None:
    for name in "edcba":
        made(platform, name)
    for size in (1, 2, 4, 100):
        names, token = list[str](), ""
        while True:
            page = platform.call(LOCAL, SearchExperiments(order_by=("name DESC",), max_results=size, page_token=token))
            names += [one.name for one in page.items]
            token = page.next_page_token
            if not token:
                break
        assert names == ["e", "d", "c", "b", "a", "Default"]
