"""Every page, with nothing, with records, with hostile names, as a fragment and as data."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from tests.web.moment import HOSTILE, NOW, RUN
from tests.web.world import PATHS, World, empty, full

from airside.core.errors import Denied
from airside.server.web.page import Page
from airside.server.web.routes import PAGE_ROUTES, WebRequest, find, respond
from airside.tower.operations.catalog import ListRows
from airside.tracking.evaluation.operations.datasets import GetEvaluationDataset
from airside.tracking.operations.runs import SearchRuns


def ask(world: Any, path: str, method: str = "GET", form: dict[str, str] | None = None, **headers: str) -> Page:
    raw, _, query = path.partition("?")
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = WebRequest(
        method=method, raw_path=raw, query_string=query, headers=names, form=tuple((form or {}).items()), now=NOW
    )
    return respond(world, request)


class Reader(HTMLParser):
    """What a browser would make of a page: its tags, attributes and text."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_shows_records(path: str) -> None:
    page = ask(World(full()), path)
    read = Reader(page.body)
    assert page.status == 200
    assert len(read.of("h1")) == 1
    assert "Could not be shown" not in page.body.decode()


@pytest.mark.parametrize("path", [path for path in PATHS if not path.startswith("/lineage")])
def test_a_page_with_nothing_to_show_says_so(path: str) -> None:
    page = ask(World(empty()), path)
    assert page.status == 200
    assert len(Reader(page.body).of("h1")) == 1


@pytest.mark.parametrize("path", PATHS)
def test_hostile_names_are_text(path: str) -> None:
    read = Reader(ask(World(full(HOSTILE, HOSTILE)), path).body)
    for tag, attrs in read.tags:
        assert not any(name.startswith("on") or name == "style" for name in attrs), (tag, attrs)
        assert not (attrs.get("href") or "").lower().startswith(("javascript:", "data:", "http"))
    assert all(
        script.get("type") in {"application/json", "module"} or script.get("src") for script in read.of("script")
    )
    assert all((image.get("src") or "").startswith("/get-artifact?run_uuid=") for image in read.of("img"))


@pytest.mark.parametrize("path", PATHS)
def test_ids_are_unique_and_labels_name_a_field(path: str) -> None:
    read = Reader(ask(World(full()), path).body)
    ids = [attrs["id"] for _, attrs in read.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {label["for"] for label in read.of("label") if "for" in label} <= set(ids)  # others hold their field


@pytest.mark.parametrize("path", PATHS)
def test_every_link_leads_to_a_page(path: str) -> None:
    for link in Reader(ask(World(full()), path).body).of("a"):
        target = (link.get("href") or "").partition("?")[0].partition("#")[0]
        is_blob = "download" in link and target.startswith("/api/v1/blobs/b3%3A")
        assert not target or is_blob or target == "/get-artifact" or find("GET", target), target


@pytest.mark.parametrize("path", PATHS)
def test_a_fragment_is_the_block_of_the_page(path: str) -> None:
    whole = ask(World(full()), path).body.decode()
    part = ask(World(full()), path, hx_request="true", hx_target="div#live")
    assert part.status == 200
    assert part.body.decode().strip() in whole
    assert "<html" not in part.body.decode()
    assert ("Vary", "HX-Request, HX-Target, Cookie") in part.headers


@pytest.mark.parametrize("path", PATHS)
def test_the_twin_is_data(path: str) -> None:
    raw, _, query = path.partition("?")
    twin = f"{'/models' if raw == '/' else raw}.json?{query}"
    page = ask(World(full()), twin)
    assert page.content_type == "application/json"
    assert json.loads(page.body) is not None


def test_the_twin_agrees_with_the_page() -> None:
    data = json.loads(ask(World(full()), "/models.json").body)
    shown = ask(World(full()), "/").body.decode()
    for row in data["items"]:
        assert row["name"] in shown
        if row.get("quality"):
            assert f"{row['quality']['value']:.3f}" in shown


def test_the_table_twin_has_units_and_unrounded_values() -> None:
    rows = list(csv.DictReader(io.StringIO(ask(World(full()), "/models.csv").body.decode())))
    assert rows[0]["name"] == "employment"
    assert rows[0]["p95_ms"] == "9.2"
    assert rows[0]["refreshed_at"] == "2026-11-20T14:02:00Z"


def test_a_cell_never_begins_a_formula() -> None:
    body = ask(World(full("=HYPERLINK(1)")), "/models.csv").body.decode()
    assert "'=HYPERLINK(1)" in body


def test_a_name_that_ends_like_a_twin_has_a_page_of_its_own() -> None:
    match = find("GET", "/models/x%2Ejson")
    assert match is not None
    assert (match.names, match.twin) == ({"name": "x.json"}, "html")


def test_a_missing_record_is_a_page_that_says_so() -> None:
    answers = full()
    del answers[ListRows]
    page = ask(World(answers), "/")
    assert page.status == 404
    assert "Nothing answers ListRows." in page.body.decode()


def test_a_block_that_fails_leaves_the_page_standing() -> None:
    world = World(full())

    def call(asked: Any) -> Any:
        if type(asked).__name__ == "ListEndpoints":
            raise Denied("You may not see endpoints.")
        return world(asked)

    page = ask(call, "/models/employment")
    assert page.status == 200
    assert "You may not see endpoints." in page.body.decode()
    assert "Drift, feature × window" in page.body.decode()


def test_an_error_of_a_fragment_is_a_fragment() -> None:
    page = ask(World({}), "/", hx_request="true", hx_target="div#live")
    assert page.status == 404
    assert "<html" not in page.body.decode()


def test_an_unknown_address_is_a_page() -> None:
    page = ask(World(full()), "/nothing-here")
    assert page.status == 404
    assert "There is no page at this address" in page.body.decode()


def test_a_twin_of_an_error_is_json() -> None:
    page = ask(World({}), "/models.json")
    assert (page.status, json.loads(page.body)["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_the_theme_comes_from_the_cookie() -> None:
    assert b'data-theme="dark"' in ask(World(full()), "/", cookie="airside-theme=dark").body
    assert b"data-theme" not in ask(World(full()), "/", cookie='airside-theme="><script>').body


def test_the_state_of_a_list_is_in_its_address() -> None:
    world = World(full())
    ask(world, "/?state=bad&filter=emp&size=25&after=0:x")
    asked = next(one for one in world.asked if isinstance(one, ListRows))
    assert (asked.state, asked.text, asked.max_results, asked.page_token) == ("bad", "emp", 25, "0:x")


def test_a_wrong_number_is_told() -> None:
    page = ask(World(full()), "/?size=many")
    assert page.status == 400
    assert "not a whole number" in page.body.decode()


@pytest.mark.parametrize(
    ("path", "form", "asked"),
    [
        ("/alerts/al-1", {"do": "acknowledge", "note": "mine"}, "AcknowledgeAlert"),
        ("/alerts/al-1", {"do": "close"}, "CloseAlert"),
        ("/approvals/ap-1", {"do": "approve", "comment": "ok"}, "DecideApproval"),
        ("/approvals/ap-1", {"do": "refuse"}, "DecideApproval"),
        ("/models/employment", {"alias": "champion", "to": ""}, "RollbackModel"),
        ("/models/employment/versions/3", {"do": "champion"}, "SetAlias"),
        ("/models/employment/versions/3", {"do": "ask"}, "AskApproval"),
        ("/webhooks/wh-1", {"delivery": "de-1"}, "Redeliver"),
        ("/webhooks/wh-1", {}, "TryWebhook"),
        ("/traces/tr-1", {"name": "helpful", "value": "yes"}, "CreateAssessment"),
        ("/models", {"name": "new", "text": ""}, "CreateModel"),
        ("/models/employment", {"do": "describe", "text": "It."}, "UpdateModel"),
        ("/models/employment", {"do": "tag", "key": "a", "value": "b"}, "SetModelTag"),
        ("/models/employment", {"do": "untag", "key": "a"}, "DeleteModelTag"),
        ("/models/employment", {"do": "alias", "alias": "best", "version": "2"}, "SetAlias"),
        ("/models/employment", {"do": "unalias", "alias": "best"}, "DeleteAlias"),
        ("/models/employment", {"do": "rename", "name": "jobs"}, "RenameModel"),
        ("/models/employment", {"do": "delete", "name": "employment"}, "DeleteModel"),
        ("/models/employment/versions/3", {"do": "alias", "alias": "best"}, "SetAlias"),
        ("/models/employment/versions/3", {"do": "unalias", "alias": "best"}, "DeleteAlias"),
        ("/models/employment/versions/3", {"do": "stage", "stage": "Staging", "archive": "yes"}, "SetStage"),
        ("/models/employment/versions/3", {"do": "describe", "text": ""}, "UpdateVersion"),
        ("/models/employment/versions/3", {"do": "tag", "key": "a", "value": "b"}, "SetVersionTag"),
        ("/models/employment/versions/3", {"do": "untag", "key": "a"}, "DeleteVersionTag"),
        ("/models/employment/versions/3", {"do": "delete", "version": "3"}, "DeleteVersion"),
        ("/webhooks", {"name": "w", "url": "https://a.example/", "event": "prompt.created"}, "CreateWebhook"),
        ("/webhooks/wh-1", {"do": "change", "name": "w", "url": "https://a.example/"}, "UpdateWebhook"),
        ("/webhooks/wh-1", {"do": "pause"}, "UpdateWebhook"),
        ("/webhooks/wh-1", {"do": "resume"}, "UpdateWebhook"),
        ("/webhooks/wh-1", {"do": "delete"}, "DeleteWebhook"),
        ("/experiments/1/evaluation-datasets", {"name": "golden"}, "CreateEvaluationDataset"),
        ("/evaluation-datasets/d-1", {"do": "tag", "key": "a", "value": "b"}, "SetEvaluationDatasetTags"),
        ("/evaluation-datasets/d-1", {"do": "untag", "key": "a"}, "DeleteEvaluationDatasetTag"),
        ("/evaluation-datasets/d-1", {"do": "records", "record": "dr-1"}, "DeleteEvaluationRecords"),
        ("/evaluation-datasets/d-1", {"do": "link", "experiment": "2"}, "AddEvaluationDatasetToExperiments"),
        ("/evaluation-datasets/d-1", {"do": "unlink", "experiment": "2"}, "RemoveEvaluationDatasetFromExperiments"),
        ("/experiments/1/scorers/kind", {"name": "kind", "version": "1"}, "DeleteScorer"),
        ("/experiments", {"name": "new"}, "CreateExperiment"),
        ("/experiments/1", {"do": "rename", "name": "new"}, "RenameExperiment"),
        ("/experiments/1", {"do": "describe", "text": "# It"}, "SetExperimentTag"),
        ("/experiments/1", {"do": "tag", "key": "a", "value": "b"}, "SetExperimentTag"),
        ("/experiments/1", {"do": "untag", "key": "a"}, "DeleteExperimentTag"),
        ("/experiments/1", {"do": "delete"}, "DeleteExperiment"),
        ("/experiments/1", {"do": "restore"}, "RestoreExperiment"),
        ("/experiments/1/runs", {"do": "delete", "run": RUN}, "DeleteRun"),
        ("/experiments/1/runs", {"do": "restore", "run": RUN}, "RestoreRun"),
        (f"/runs/{RUN}", {"do": "rename", "name": "new"}, "UpdateRun"),
        (f"/runs/{RUN}", {"do": "describe", "text": "# It"}, "SetRunTag"),
        (f"/runs/{RUN}", {"do": "tag", "key": "a", "value": "b"}, "SetRunTag"),
        (f"/runs/{RUN}", {"do": "untag", "key": "a"}, "DeleteRunTag"),
        (f"/runs/{RUN}", {"do": "delete"}, "DeleteRun"),
        (f"/runs/{RUN}", {"do": "restore"}, "RestoreRun"),
    ],
)
def test_a_form_asks_an_operation_and_leads_on(path: str, form: dict[str, str], asked: str) -> None:
    world = World(full())
    page = ask(world, path, method="POST", form=form)
    assert page.status == 303
    assert [type(one).__name__ for one in world.asked] == [asked]


@pytest.mark.parametrize("path", ["/models/employment", "/models/employment/versions/3"])
def test_what_cannot_be_undone_asks_for_the_name_and_nothing_else_is_done(path: str) -> None:
    world = World(full())
    assert ask(world, path, method="POST", form={"do": "delete", "name": "emp", "version": "2"}).status == 400
    assert ask(world, path, method="POST", form={"do": "fly"}).status == 400
    assert world.asked == []


@pytest.mark.parametrize("path", ["/experiments/1", "/experiments/1/runs", "/runs/r1", "/evaluation-datasets/d-1"])
@pytest.mark.parametrize("wanted", ["fly", ""])
def test_a_form_that_asks_for_something_else_changes_nothing(path: str, wanted: str) -> None:
    world = World(full())
    form = {"do": wanted, "key": "a", "value": "b", "run": "r1"}
    assert ask(world, path, method="POST", form=form).status == 400
    assert world.asked == []


def test_an_evaluation_dataset_is_deleted_when_its_name_was_typed() -> None:
    world, path = World(full()), "/evaluation-datasets/d-1"
    assert ask(world, path, method="POST", form={"do": "delete", "name": "another"}).status == 400
    assert ask(world, path, method="POST", form={"do": "delete", "name": "calm-finch-42"}).status == 303
    assert [type(one).__name__ for one in world.asked if type(one) is not GetEvaluationDataset] == [
        "DeleteEvaluationDataset"
    ]


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/models/employment", {"to": "²"}),
        ("/models/employment/versions/²", {"do": "champion"}),
        ("/experiments/1/scorers/kind", {"name": "kind", "version": "²"}),
    ],
)
def test_a_version_that_is_no_number_is_refused(path: str, form: dict[str, str]) -> None:
    world = World(full())
    assert ask(world, path, method="POST", form=form).status == 400
    assert world.asked == []


def test_a_rollback_names_the_version_that_was_chosen() -> None:
    world = World(full())
    page = ask(world, "/models/employment", method="POST", form={"alias": "champion", "to": "2", "reason": "worse"})
    asked = world.asked[0]
    assert (asked.name, asked.alias, asked.to, asked.reason) == ("employment", "champion", 2, "worse")
    assert dict(page.headers)["Location"] == "/models/employment?tab=history"


def test_a_logged_model_shows_the_newest_point_of_a_metric() -> None:
    body = ask(World(full()), "/logged-models/m-1").body.decode()
    assert "0.82" in body
    assert "0.81<" not in body


def test_a_filter_of_runs_that_cannot_be_read_is_told_under_the_field() -> None:
    answers = full()
    del answers[SearchRuns]
    page = ask(World(answers), "/experiments/1/runs?filter=boo")
    assert page.status == 200
    assert b"Nothing answers SearchRuns." in page.body
    assert b'aria-describedby="wrong"' in page.body


def test_a_prompt_shows_what_changed_between_two_versions() -> None:
    body = ask(World(full()), "/prompts/greeting?version=3&from=1").body.decode()
    read = Reader(body.encode())
    assert [attrs["class"] for attrs in read.of("li") if attrs.get("class") in {"added", "removed"}] == [
        "removed",
        "added",
    ]
    assert "What changed from v1 to v3" in body
    assert "question" in body


def test_a_model_is_no_prompt() -> None:
    assert ask(World(full()), "/prompts/employment").status == 404


def test_links_change_nothing() -> None:
    for route in PAGE_ROUTES:
        assert (route.method == "POST") == (not route.needs.endswith((":read", ":list")))


def test_a_page_asks_a_fixed_number_of_questions() -> None:
    few, many = World(full()), World(full())
    rows = many.answers[ListRows]
    many.answers[ListRows] = lambda asked: type(rows(asked))(items=rows(asked).items * 10)
    ask(few, "/")
    ask(many, "/")
    assert len(few.asked) == len(many.asked)


def test_time_stands_with_its_machine_form() -> None:
    body = ask(World(full()), "/alerts").body.decode()
    assert re.search(r'<time datetime="2026-11-20T11:48:00\+00:00" title="20 Nov 2026, 11:48 UTC">', body)
