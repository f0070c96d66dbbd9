"""What a run keeps as pages show it: pictures by step, documents without power, metrics together."""

import pytest
from tests.web.moment import RUN
from tests.web.test_edge import get
from tests.web.test_pages import Reader, ask
from tests.web.work_records import pictures
from tests.web.world import World, full

from airside.core.ids import ExperimentId
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.server.web.completing import wanted
from airside.server.web.pages.media import series, tables
from airside.tracking.operations.logging import SetRunTag
from airside.tracking.operations.runs import CreateRun, GetRun


def test_a_picture_is_shown_small_and_led_to_whole_in_the_order_of_its_steps() -> None:
    shown = series(pictures("samples"), RUN)
    assert [(one.key, len(one.items), one.n_hidden) for one in shown] == [
        ("Other pictures", 1, 0),
        ("samples/head", 24, 6),
    ]
    assert [one.step for one in shown[1].items] == list(range(24))
    assert "compressed.webp" in shown[1].items[0].small
    assert shown[1].items[0].whole.endswith(".png")
    assert len(series(pictures("samples"), RUN, "samples/head")[0].items) == 30


@pytest.mark.parametrize("told", ["5", "null", "{}", "[1]", '"x"', "[" * 4000, "no JSON"])
def test_a_tag_that_lists_no_tables_is_passed_over(platform: Platform, told: str) -> None:
    run_id = platform.call(LOCAL, CreateRun(experiment_id=ExperimentId("0"))).info.run_id
    platform.call(LOCAL, SetRunTag(run_id=run_id, key="mlflow.loggedArtifacts", value=told))
    assert tables(platform.call(LOCAL, GetRun(run_id=run_id))) == ()


def test_html_is_sent_with_a_policy_that_takes_its_power_away(platform: Platform) -> None:
    run = platform.call(LOCAL, CreateRun(experiment_id=ExperimentId("0"))).info
    place = platform.roots.at(run.artifact_uri, "report.html")
    place.store.write(place.path, [b"<script>1</script><p>x</p>"], size_bytes=26)
    status, headers, body = get(platform, f"/artifact-view?run_id={run.run_id}&path=report.html")
    policy = headers["content-security-policy"]
    assert (status, body) == (200, b"<script>1</script><p>x</p>")
    assert policy.startswith("sandbox; default-src 'none';")
    assert "allow-scripts" not in policy
    assert "script-src" not in policy
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["model.pkl", "logo.svg", "../report.html", ""])
def test_nothing_but_html_is_shown_as_a_document(platform: Platform, path: str) -> None:
    run = platform.call(LOCAL, CreateRun(experiment_id=ExperimentId("0"))).info
    assert get(platform, f"/artifact-view?run_id={run.run_id}&path={path}")[0] == 400


def test_metrics_are_drawn_in_one_chart_and_ticked_ones_lead_there() -> None:
    page = ask(World(full()), f"/runs/{RUN}?tab=metrics&key=accuracy&key=loss")
    assert dict(page.headers)["Location"].endswith("keys=accuracy%2Closs")
    part = ask(World(full()), f"/runs/{RUN}/curve.json?keys=accuracy,loss&x0=10&x1=20&axis=step").body
    assert b'"start": 10.0' in part
    assert part.count(b'"label"') == 2


def test_chosen_columns_stand_in_their_order_and_in_the_csv() -> None:
    path = "/experiments/1/runs?cols=tags.team,user,metrics.accuracy"
    heads = [head for head in Reader(ask(World(full()), path).body).words if head in {"team", "User", "accuracy"}]
    assert heads == ["team", "User", "accuracy"]
    first = ask(World(full()), path.replace("/runs?", "/runs.csv?")).body.decode().splitlines()[0]
    assert first == "run_id,name,status,started_at,duration_s,user,tags.team,metrics.accuracy"


@pytest.mark.parametrize(
    ("text", "what", "word"),
    [
        ("", "key", ""),
        ("metrics.`val lo", "key", "metrics.`val lo"),
        ("params.a LIKE ", "value", ""),
        ("params.a LI", "operator", "LI"),
        ("params.a = 'it''s", "value", "it's"),
        ("params.a IS NOT NULL ", "and", ""),
        ("a IN ('x','y') AN", "and", "AN"),
        ("params.a = 'x' and ", "key", ""),
    ],
)
def test_what_may_stand_next_is_told_from_what_is_written(text: str, what: str, word: str) -> None:
    found = wanted(text)
    assert (found.what, found.word) == (what, word)
