"""The catalog's rows from what the rooms know; the chain; search."""

from datetime import timedelta

import pytest
from tests.monitoring.making import figure, finding, flagged
from tests.monitoring.serving import MODEL, complete, label, record, serve, version, world

from airside.core.clock import FixedClock
from airside.core.errors import Invalid, NotFound
from airside.core.ids import ModelName
from airside.core.operation import LOCAL
from airside.governance.operations.evidence import RecordEvidence
from airside.monitoring.operations.alerts import ListAlerts
from airside.platform.reactions import cataloguing
from airside.platform.wiring import Platform
from airside.registry.operations.models import CreateModel, DeleteModel, RenameModel
from airside.tower.operations.catalog import GetRow, ListRows, RefreshRow, SummariseCatalog
from airside.tower.operations.chain import Find, GetNeighbourhood


def row(platform: Platform):  # type: ignore[no-untyped-def]
    return platform.call(LOCAL, RefreshRow(name=MODEL))


def test_a_served_and_watched_model_is_healthy_and_its_traffic_is_counted(platform: Platform) -> None:
    world(platform)
    serve(platform, "a", {"SEX": [1, 2] * 300}, at=platform.clock.now())
    serve(platform, "a", {"SEX": [1] * 50}, at=platform.clock.now(), role="shadow", prefix="s")

    found = row(platform)

    assert (found.state, found.word, found.champion, found.endpoints) == ("ok", "Healthy", 1, ("employment",))
    assert (found.predictions_24h, found.errors_24h, found.p95_ms) == (600, 0, 5.0)


def test_traffic_older_than_a_day_is_not_counted(platform: Platform, clock: FixedClock) -> None:
    world(platform)
    serve(platform, "a", {"SEX": [1, 2]}, at=clock.now() - timedelta(hours=25))

    assert (row(platform).predictions_24h, row(platform).reasons[0].text) == (0, "no prediction in 24 h")


def test_drift_quality_and_alerts_of_the_newest_window_stand_in_the_row(platform: Platform) -> None:
    world(platform)
    serve(platform, "a", {"SEX": [1, 2]}, at=platform.clock.now())
    for number, name in enumerate("abc"):
        figures = (figure("accuracy", "realised", 0.79 + number / 100), figure("accuracy", "reference", 0.79))
        record(platform, name, flagged("ANC", effect=0.04), finding("SEX", effect=0.01), figures=figures)

    found = row(platform)

    assert (found.state, found.reasons[0].text, found.open_alerts) == ("warn", "ANC drifts", 1)
    assert found.reasons[0].link == f"/alerts/{platform.call(LOCAL, ListAlerts()).items[0].alert_id}"
    assert found.drift is not None
    assert (found.drift.column, found.drift.value, found.drift.threshold) == ("ANC", 0.04, 0.03)
    assert (found.spark_of, found.spark, found.spark_reference) == ("accuracy", (0.79, 0.8, 0.81), 0.79)
    assert found.quality is not None
    assert (found.metric, found.quality_basis, found.quality.value) == ("accuracy", "realised", 0.81)


def test_without_labels_the_spark_line_is_drift_over_its_threshold(platform: Platform) -> None:
    world(platform)
    for name, effect in (("a", 0.015), ("b", 0.06)):
        record(platform, name, finding("ANC", effect=effect))

    assert (row(platform).spark_of, row(platform).spark) == ("drift", (0.5, 2.0))


def test_the_catalog_lists_what_needs_action_first_page_by_page(platform: Platform) -> None:
    world(platform)
    serve(platform, "a", {"SEX": [1, 2]}, at=platform.clock.now())
    found = finding("RELP", unseen_rows=4000, p_unseen=0.0, importance=flagged(importance=0.05).importance)
    record(platform, "a", found)
    for name in ("b", "a"):
        platform.call(LOCAL, CreateModel(name=ModelName(name)))
    cataloguing.refresh_all(platform)

    first = platform.call(LOCAL, ListRows(max_results=2))
    second = platform.call(LOCAL, ListRows(max_results=2, page_token=first.next_page_token))

    assert [(one.name, one.state) for one in (*first.items, *second.items)] == [
        (MODEL, "bad"),
        ("a", "idle"),
        ("b", "idle"),
    ]
    assert [one.name for one in platform.call(LOCAL, ListRows(state="bad")).items] == [MODEL]
    assert [one.name for one in platform.call(LOCAL, ListRows(text="EMPL")).items] == [MODEL]
    assert platform.call(LOCAL, ListRows(text="_")).items == ()
    summary = platform.call(LOCAL, SummariseCatalog())
    assert (summary.models, summary.bad, summary.idle) == (3, 1, 2)
    with pytest.raises(Invalid):
        platform.call(LOCAL, ListRows(page_token="nonsense"))


def test_a_prompt_has_no_row(platform: Platform) -> None:
    name = ModelName("greeting")
    platform.call(LOCAL, CreateModel(name=name, tags={"mlflow.prompt.is_prompt": "true"}))
    platform.call(LOCAL, RefreshRow(name=name))
    assert name not in {one.name for one in platform.call(LOCAL, ListRows()).items}


def test_the_catalog_follows_events_renames_and_deletions(platform: Platform) -> None:
    world(platform)
    cataloguing.refresh_changed(platform)
    assert platform.call(LOCAL, GetRow(name=MODEL)).champion == 1

    platform.call(LOCAL, RenameModel(name=MODEL, new_name=ModelName("jobs")))
    platform.call(LOCAL, CreateModel(name=ModelName("gone")))
    platform.call(LOCAL, DeleteModel(name=ModelName("gone")))
    cataloguing.refresh_changed(platform)
    cataloguing.refresh_changed(platform)

    assert [one.name for one in platform.call(LOCAL, ListRows()).items] == ["jobs"]
    with pytest.raises(NotFound):
        platform.call(LOCAL, GetRow(name=MODEL))


def test_the_score_of_the_serving_version_stands_in_the_row(platform: Platform) -> None:
    world(platform)
    evidence = RecordEvidence(
        items=("mts:O2",), subject_kind="model_version", subject="employment@1", model=MODEL, version=1, status="pass"
    )
    platform.call(LOCAL, evidence)
    cataloguing.refresh_changed(platform)

    assert platform.call(LOCAL, GetRow(name=MODEL)).score == 0.0


def test_the_chain_leads_from_the_version_to_the_alert_and_back(platform: Platform) -> None:
    world(platform)
    asked = serve(platform, "a", {"SEX": [1, 2]})
    label(platform, asked)
    complete(platform, "a")
    window = record(platform, "a", finding("SEX", missing=400, p_missing=0.0))
    alert = platform.call(LOCAL, ListAlerts()).items[0]

    down = platform.call(LOCAL, GetNeighbourhood(kind="model_version", id="employment@1", hops=3))
    up = platform.call(LOCAL, GetNeighbourhood(kind="alert", id=alert.alert_id, hops=3))

    kinds = {(node.kind, node.id): node.hops for node in down.nodes}
    assert kinds["model_version", "employment@1"] == 0
    assert kinds["delivery", "employment/a"] == 1
    assert kinds["window", window.window_id] == 2
    assert kinds["alert", alert.alert_id] == 3
    assert kinds["ground_truth", asked[0][0]] == 3
    assert ("model_version", "employment@1") in {(node.kind, node.id) for node in up.nodes}
    assert down.is_complete
    ends = {(edge.from_kind, edge.relation, edge.to_kind) for edge in down.edges}
    assert {("delivery", "watched by", "window"), ("window", "opened", "alert")} <= ends


def test_a_crowded_neighbourhood_says_that_it_is_cut(platform: Platform) -> None:
    world(platform)
    serve(platform, "a", {"SEX": [1] * 150}, size=1)

    found = platform.call(LOCAL, GetNeighbourhood(kind="delivery", id="employment/a", hops=1))

    predictions = [node for node in found.nodes if node.kind == "prediction"]
    assert (len(predictions), found.is_complete) == (8, False)
    with pytest.raises(Invalid):
        platform.call(LOCAL, GetNeighbourhood(kind="delivery", id="x", hops=0))


def test_records_are_found_by_a_part_of_their_name_or_the_start_of_their_id(platform: Platform) -> None:
    world(platform)
    version(platform)

    found = platform.call(LOCAL, Find(text="EMPLOY")).items

    assert {(one.kind, one.id) for one in found} == {
        ("registered_model", "employment"),
        ("model_version", "employment@1"),
        ("model_version", "employment@2"),
        ("endpoint", "employment"),
    }
    assert {one.link for one in found if one.kind == "model_version"} == {
        "/models/employment/versions/1",
        "/models/employment/versions/2",
    }
    assert platform.call(LOCAL, Find(text="100%_")).items == ()
    with pytest.raises(Invalid):
        platform.call(LOCAL, Find(text="  "))
