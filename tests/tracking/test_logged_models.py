import math

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from airside.core.errors import Invalid, NotFound
from airside.core.ids import ExperimentId, LoggedModelId, RunId
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.tracking.logged_models.operations import (
    CreateLoggedModel,
    DeleteLoggedModel,
    DeleteLoggedModelTag,
    GetLoggedModel,
    LogLoggedModelParams,
    SearchLoggedModels,
    SetLoggedModelStatus,
    SetLoggedModelTags,
)
from airside.tracking.logged_models.records import DatasetFilter, LoggedModel, ModelOrder
from airside.tracking.logged_models.rules import with_registration
from airside.tracking.operations.experiments import CreateExperiment, DeleteExperiment
from airside.tracking.operations.logging import LogBatch, LogMetric
from airside.tracking.operations.runs import CreateRun
from airside.tracking.records import LoggedMetric, Param, Tag

DEFAULT = ExperimentId("0")


@pytest.fixture
def run_id(platform: Platform) -> RunId:
    return platform.call(LOCAL, CreateRun(experiment_id=DEFAULT)).info.run_id


def make(platform: Platform, name: str = "lm", **params: str) -> LoggedModel:
    given = tuple(Param(key=key, value=value) for key, value in params.items())
    return platform.call(LOCAL, CreateLoggedModel(experiment_id=DEFAULT, name=name, params=given))


def log(platform: Platform, run_id: RunId, model: LoggedModel, *points: tuple[str, float, int, str]) -> None:
    metrics = tuple(
        LoggedMetric(key=key, value=value, timestamp_ms=1, step=step, model_id=model.model_id, dataset_name=dataset)
        for key, value, step, dataset in points
    )
    platform.call(LOCAL, LogBatch(run_id=run_id, metrics=metrics))


def found(
    platform: Platform, text: str = "", *orders: ModelOrder, datasets: tuple[DatasetFilter, ...] = ()
) -> list[str]:
    ask = SearchLoggedModels(experiment_ids=(DEFAULT,), filter=text, order_by=orders, datasets=datasets)
    return [model.name for model in platform.call(LOCAL, ask).items]


def test_a_logged_model_is_read_as_it_was_made(platform: Platform, run_id: RunId) -> None:
    ask = CreateLoggedModel(
        experiment_id=DEFAULT,
        name="lm",
        model_type="agent",
        source_run_id=run_id,
        params=(Param(key="lr", value="0.1"),),
        tags=(Tag(key="a", value="1"), Tag(key="a", value="2")),
    )
    made = platform.call(LOCAL, ask)
    assert made == platform.call(LOCAL, GetLoggedModel(model_id=made.model_id))
    assert (made.status, made.tags) == ("PENDING", (Tag(key="a", value="2"),))
    assert made.artifact_uri == f"mlflow-artifacts:/0/models/{made.model_id}/artifacts"


def test_a_model_without_a_name_gets_one(platform: Platform) -> None:
    assert make(platform, "").name.count("-") == 2


def test_a_deleted_experiment_takes_no_models(platform: Platform) -> None:
    made = platform.call(LOCAL, CreateExperiment(name="e")).experiment_id
    platform.call(LOCAL, DeleteExperiment(experiment_id=made))
    with pytest.raises(Invalid, match="must be in the 'active' state"):
        platform.call(LOCAL, CreateLoggedModel(experiment_id=made))


def test_a_parameter_is_written_once(platform: Platform) -> None:
    model = make(platform, lr="0.1")
    platform.call(LOCAL, LogLoggedModelParams(model_id=model.model_id, params=(Param(key="p", value="1"),)))
    with pytest.raises(Invalid, match="written once"):
        platform.call(LOCAL, LogLoggedModelParams(model_id=model.model_id, params=(Param(key="lr", value="2"),)))
    kept = platform.call(LOCAL, GetLoggedModel(model_id=model.model_id)).params
    assert kept == (Param(key="lr", value="0.1"), Param(key="p", value="1"))


def test_tags_are_set_and_go(platform: Platform) -> None:
    model_id = make(platform).model_id
    platform.call(LOCAL, SetLoggedModelTags(model_id=model_id, tags=(Tag(key="a/b", value="1"),)))
    platform.call(LOCAL, DeleteLoggedModelTag(model_id=model_id, key="a/b"))
    with pytest.raises(NotFound, match="No tag with key 'a/b' found for model with ID"):
        platform.call(LOCAL, DeleteLoggedModelTag(model_id=model_id, key="a/b"))


def test_a_deleted_model_is_hidden_and_may_still_change(platform: Platform) -> None:
    model_id = make(platform).model_id
    for _ in range(2):
        platform.call(LOCAL, DeleteLoggedModel(model_id=model_id))
    with pytest.raises(NotFound, match="Logged model with ID"):
        platform.call(LOCAL, GetLoggedModel(model_id=model_id))
    changed = platform.call(LOCAL, SetLoggedModelStatus(model_id=model_id, status="READY"))
    assert (changed.lifecycle_stage, changed.status, found(platform)) == ("deleted", "READY", [])


def test_statuses_are_ordered_as_they_follow_each_other(platform: Platform) -> None:
    failed, ready, pending = (make(platform, name) for name in ("a", "b", "c"))
    platform.call(LOCAL, SetLoggedModelStatus(model_id=failed.model_id, status="FAILED"))
    platform.call(LOCAL, SetLoggedModelStatus(model_id=ready.model_id, status="READY"))
    names = [pending.name, ready.name, failed.name]
    assert found(platform, "", ModelOrder(field_name="status")) == names


def test_a_deleted_model_still_takes_points(platform: Platform, run_id: RunId) -> None:
    model_id = make(platform).model_id
    platform.call(LOCAL, DeleteLoggedModel(model_id=model_id))
    platform.call(LOCAL, LogMetric(run_id=run_id, key="auc", value=0.9, timestamp_ms=1, model_id=model_id))
    kept = platform.call(LOCAL, GetLoggedModel(model_id=model_id, allow_deleted=True))
    assert [point.key for point in kept.metrics] == ["auc"]


def test_every_point_is_kept_and_an_identical_one_once(platform: Platform, run_id: RunId) -> None:
    model = make(platform)
    for _ in range(2):
        log(platform, run_id, model, ("auc", 0.5, 0, ""), ("auc", math.nan, 1, "d"), ("auc", math.inf, 2, ""))
    points = platform.call(LOCAL, GetLoggedModel(model_id=model.model_id)).metrics
    assert [(p.step, p.value, p.dataset_name, p.run_id) for p in points] == [
        (0, 0.5, "", run_id),
        (1, None, "d", run_id),
        (2, 1.7976931348623157e308, "", run_id),
    ]


def test_a_point_of_an_unknown_model_is_refused_whole(platform: Platform, run_id: RunId) -> None:
    ask = LogMetric(run_id=run_id, key="a", value=1.0, timestamp_ms=1, model_id=LoggedModelId("m-x"))
    with pytest.raises(NotFound, match="Logged model with ID 'm-x' not found"):
        platform.call(LOCAL, ask)


def test_models_are_found_by_what_they_are(platform: Platform) -> None:
    first, _ = make(platform, "first", lr="0.1"), make(platform, "second", lr="0.2")
    platform.call(LOCAL, SetLoggedModelStatus(model_id=first.model_id, status="READY"))
    assert found(platform, "name LIKE 'f%'") == ["first"]
    assert found(platform, "attributes.status = 'READY' AND params.lr = '0.1'") == ["first"]
    assert found(platform, "params.lr IN ('0.2', '0.3')") == ["second"]
    assert found(platform, "experiment_id = '0' AND creation_time > 0", ModelOrder(field_name="name")) == [
        "first",
        "second",
    ]


def test_a_metric_condition_looks_at_the_latest_point(platform: Platform, run_id: RunId) -> None:
    better, worse = make(platform, "better"), make(platform, "worse")
    log(platform, run_id, better, ("auc", 0.5, 0, "d"), ("auc", 0.9, 1, "e"))
    log(platform, run_id, worse, ("auc", 0.9, 0, "d"), ("auc", 0.6, 1, "e"))
    assert found(platform, "metrics.auc > 0.8") == ["better"]
    assert found(platform, "metrics.auc > 0.8", datasets=(DatasetFilter(dataset_name="d"),)) == ["worse"]
    assert found(platform, datasets=(DatasetFilter(dataset_name="zz"),)) == []
    assert found(platform, "", ModelOrder(field_name="metrics.auc")) == ["worse", "better"]
    assert found(platform, "", ModelOrder(field_name="metrics.auc", dataset_name="d")) == ["better", "worse"]


def test_what_is_not_a_number_matches_only_unequal_and_comes_last(platform: Platform, run_id: RunId) -> None:
    nan, one = make(platform, "nan"), make(platform, "one")
    log(platform, run_id, nan, ("auc", math.nan, 0, ""))
    log(platform, run_id, one, ("auc", 1.0, 0, ""))
    assert (found(platform, "metrics.auc >= 0"), sorted(found(platform, "metrics.auc != 5"))) == (
        ["one"],
        ["nan", "one"],
    )
    for ascending in (True, False):
        assert found(platform, "", ModelOrder(field_name="metrics.auc", ascending=ascending)) == ["one", "nan"]


def test_a_page_token_belongs_to_its_search(platform: Platform) -> None:
    for name in ("a", "b", "c"):
        make(platform, name)
    ask = SearchLoggedModels(experiment_ids=(DEFAULT,), max_results=2, order_by=(ModelOrder(field_name="name"),))
    first = platform.call(LOCAL, ask)
    order = (ModelOrder(field_name="name"),)
    rest = SearchLoggedModels(experiment_ids=(DEFAULT,), order_by=order, page_token=first.next_page_token)
    assert [m.name for m in (*first.items, *platform.call(LOCAL, rest).items)] == ["a", "b", "c"]
    other = SearchLoggedModels(experiment_ids=(DEFAULT,), filter="name='a'", page_token=first.next_page_token)
    with pytest.raises(Invalid, match="Filter string in the page token does not match"):
        platform.call(LOCAL, other)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("status = 'ready'", "Unknown model status in filter: 'ready'"),
        ("foo = 'x'", "Invalid attribute key 'foo'"),
        ("metric.auc > 1", "Invalid entity type 'metric'"),
        ("params.lr IS NULL", "IS NULL"),
        ("metrics.auc > 'x'", "Expected numeric value"),
        (" AND ".join(["name = 'x'"] * 101), "at most 100 comparisons"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(platform: Platform, text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        found(platform, text)


@given(st.lists(st.tuples(st.text(max_size=5), st.integers(1, 9)), max_size=6))
@hypothesis_settings(max_examples=50)
def test_a_registration_is_noted_once(registrations: list[tuple[str, int]]) -> None:
    value = ""
    for name, version in [*registrations, *registrations]:
        value = with_registration(value, name, version)
    assert value.count('"version"') == len(set(registrations))
