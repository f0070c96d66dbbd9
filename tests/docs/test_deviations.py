"""Each deviation that the page names is one that a running server shows."""

import base64
import json
from typing import Any

import pytest
from tests.conftest import RunningServer
from tests.docs import model_searches
from tests.docs.asking import API, BAD, Asking
from tests.docs.model_searches import logged_model
from tests.docs.pages import ROOT
from tests.outbound.receiver import answering, receiving

from airside.outbound.client import post
from airside.outbound.records import Rules

PAGE = (ROOT / "docs" / "deviations.md").read_text("utf-8")


def wrong_types(ask: Asking) -> None:
    run = ask.run()
    point = {"run_id": run, "key": "loss", "value": 1.0, "timestamp": 1, "step": 0}
    for field, value in (("timestamp", 1000.5), ("value", "x"), ("value", True)):
        assert ask.code("POST", "runs/log-metric", **{**point, field: value}) == BAD
    assert ask("GET", "runs/get", run_id=run)[1]["run"]["data"].get("metrics", []) == []


def unknown_enum(ask: Asking) -> None:
    assert ask.code("POST", "runs/search", experiment_ids=["0"], run_view_type="BOGUS") == BAD
    assert ask.code("POST", "runs/update", run_id=ask.run(), status="BOGUS") == BAD


def worded_booleans(ask: Asking) -> None:
    ask.made("registered-models/create", name="m")
    ask.made("model-versions/create", name="m", source="s3://bucket/m")
    stage = {"name": "m", "version": "1", "stage": "Staging"}
    ask.made("model-versions/transition-stage", **stage, archive_existing_versions="FALSE")
    assert ask.code("POST", "model-versions/transition-stage", **stage, archive_existing_versions="perhaps") == BAD


def array_body(ask: Asking) -> None:
    assert ask.raw("POST", f"{API}/runs/create", b"[1, 2]").status == 400


def bare_nan(ask: Asking) -> None:
    run = ask.run()
    body = b'{"run_id": "%s", "key": "loss", "value": NaN, "timestamp": 7, "step": 0}' % run.encode()
    assert ask.raw("POST", f"{API}/runs/log-metric", body).status == 200
    (metric,) = ask("GET", "runs/get", run_id=run)[1]["run"]["data"]["metrics"]
    assert (str(metric["value"]).lower(), int(metric["timestamp"])) == ("nan", 7)


def order_twice(ask: Asking) -> None:
    order = ["metrics.loss", "metrics.loss DESC"]
    assert ask.code("POST", "runs/search", experiment_ids=["0"], order_by=order) == BAD


def taken_name(ask: Asking) -> None:
    first = ask.made("experiments/create", name="a")["experiment_id"]
    ask.made("experiments/create", name="b")
    status, answer = ask("POST", "experiments/update", experiment_id=first, new_name="b")
    assert (status, answer["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")
    assert "SQL" not in answer["message"].upper()


def duplicate_tags(ask: Asking) -> None:
    tags = [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]
    made = ask.made("experiments/create", name="tagged", tags=tags)["experiment_id"]
    assert ask("GET", "experiments/get", experiment_id=made)[1]["experiment"]["tags"] == [tags[1]]


def outputs_again(ask: Asking) -> None:
    run = ask.run()
    model = ask.made("logged-models", experiment_id="0", name="m", source_run_id=run)["model"]["info"]["model_id"]
    for step in ("1", "2"):
        ask.made("runs/outputs", run_id=run, models=[{"model_id": model, "step": step}])
    (output,) = ask("GET", "runs/get", run_id=run)[1]["run"]["outputs"]["model_outputs"]
    assert int(output["step"]) == 2


def run_without_experiment(ask: Asking) -> None:
    assert ask.made("runs/create")["run"]["info"]["experiment_id"] == "0"


def unknown_model(ask: Asking) -> None:
    run = ask.run()
    point = {"run_id": run, "key": "loss", "value": 1.0, "timestamp": 1, "step": 0, "model_id": "m-" + "0" * 32}
    assert ask.code("POST", "runs/log-metric", **point)[0] == 404
    assert ask("GET", "runs/get", run_id=run)[1]["run"]["data"].get("metrics", []) == []


def whole_batch(ask: Asking) -> None:
    run = ask.run()
    ask.made("runs/log-parameter", run_id=run, key="p", value="1")
    metrics = [{"key": "loss", "value": 1.0, "timestamp": 1, "step": 0}]
    assert ask("POST", "runs/log-batch", run_id=run, metrics=metrics, params=[{"key": "p", "value": "2"}])[0] == 400
    assert ask("GET", "runs/get", run_id=run)[1]["run"]["data"].get("metrics", []) == []


def half_a_pair(ask: Asking) -> None:
    body = b'{"run_id": "%s", "key": "k", "value": "\\ud800"}' % ask.run().encode()
    assert ask.raw("POST", f"{API}/runs/set-tag", body).status == 400


def unknown_paths(ask: Asking) -> None:
    answer = ask.raw("GET", f"{API}/nothing")
    assert (answer.status, json.loads(answer.data)["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
    answer = ask.raw("DELETE", f"{API}/runs/create")
    assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (405, "text/plain")


def foreign_location(ask: Asking) -> None:
    for place in ("http://example.org/x", "ftp://example.org/x"):
        assert ask.code("POST", "experiments/create", name=place[:4], artifact_location=place) == BAD


def page_tokens(ask: Asking) -> None:
    own = ask.made("experiments/create", name="pages")["experiment_id"]
    for _ in range(3):
        ask.made("runs/create", experiment_id=own)
    first = ask.made("runs/search", experiment_ids=[own], max_results=2)
    second = ask.made("runs/search", experiment_ids=[own], max_results=2, page_token=first["next_page_token"])
    known = {one["info"]["run_id"] for one in first["runs"]}
    assert len(second["runs"]) == 1
    assert second["runs"][0]["info"]["run_id"] not in known
    offset = base64.urlsafe_b64encode(b'{"offset": 2}').decode()
    third = ask.made("runs/search", experiment_ids=[own], max_results=2, page_token=offset)
    assert third["runs"] == second["runs"]


def passive_stage(ask: Asking) -> None:
    ask.made("registered-models/create", name="p")
    ask.made("model-versions/create", name="p", source="s3://bucket/p")
    move = {"name": "p", "version": "1", "stage": "Archived", "archive_existing_versions": True}
    assert ask.code("POST", "model-versions/transition-stage", **move) == BAD


def models_by_post(ask: Asking) -> None:
    ask.made("registered-models/create", name="q")
    assert "q" in [one["name"] for one in ask.made("registered-models/search")["registered_models"]]


def filled_aliases(ask: Asking) -> None:
    ask.made("registered-models/create", name="r")
    ask.made("model-versions/create", name="r", source="s3://bucket/r")
    ask.made("registered-models/alias", name="r", alias="champion", version="1")
    versions = ask("GET", "model-versions/search")[1]["model_versions"]
    assert versions[0]["aliases"] == ["champion"]


def slashed_key(ask: Asking) -> None:
    place = f"logged-models/{logged_model(ask)}/tags"
    assert ask("PATCH", place, tags=[{"key": "a/b", "value": "1"}])[0] == 200
    assert ask.raw("DELETE", f"{API}/{place}/a%2Fb").status == 200


def foreign_page(ask: Asking) -> None:
    body = json.dumps({"name": "x"}).encode()
    answer = ask.raw("POST", f"{API}/experiments/create", body, Origin="https://example.org")
    assert (answer.status, json.loads(answer.data)["error_code"]) == (403, "PERMISSION_DENIED")
    answer = ask.raw("GET", f"{API}/experiments/get?experiment_id=0", Host="example.org")
    assert (answer.status, json.loads(answer.data)["error_code"]) == (403, "PERMISSION_DENIED")


def patched(ask: Asking) -> None:
    first, second = logged_model(ask), logged_model(ask)
    body = {"model_id": second, "status": "LOGGED_MODEL_READY"}
    assert ask("PATCH", f"logged-models/{first}", **body)[1]["model"]["info"]["model_id"] == first


def not_500(ask: Asking) -> None:
    point = {"run_id": ask.run(), "key": "m", "value": [1], "timestamp": 1}
    assert ask.code("POST", "runs/log-metric", **point) == BAD
    assert ask.code("GET", "model-versions/search", filter="tags.a%20IS%20NULL") == BAD


def no_sql(ask: Asking) -> None:
    ask.made("experiments/create", name="once")
    status, answer = ask("POST", "experiments/create", name="once")
    assert (status, answer["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")
    assert "SQL" not in answer["message"].upper()


def no_path(ask: Asking) -> None:
    ask.made("registered-models/create", name="s")
    status, answer = ask("POST", "model-versions/create", name="s", source="relative/path")
    assert (status, answer["message"].partition(". ")[0]) == (400, "Invalid model version source: 'relative/path'")


def capitals(ask: Asking) -> None:
    assert ask.raw("POST", f"{API}/runs/search", b"{}", Content_Type="APPLICATION/JSON").status == 200


def white_name(ask: Asking) -> None:
    assert ask.code("POST", "experiments/create", name="\n") == BAD


def plural_prefix(ask: Asking) -> None:
    status, found = ask(
        "POST", "experiments/search", max_results=5, filter="attributes.name = 'Default'", order_by=["attributes.name"]
    )
    assert (status, [one["name"] for one in found["experiments"]]) == (200, ["Default"])


def quoted_name(ask: Asking) -> None:
    assert ask("GET", "registered-models/search", filter="%60name%60%20=%20'nobody'")[0] == 200


def kept_name(ask: Asking) -> None:
    place = "/api/2.0/mlflow-artifacts/artifacts"
    assert ask.raw("PUT", f"{place}/odd/a%25e5%2517.bin", b"x").status == 200
    assert json.loads(ask.raw("GET", f"{place}?path=odd").data)["files"][0]["path"] == "a%e5%17.bin"
    assert ask.raw("GET", f"{place}/odd/a%25e5%2517.bin").data == b"x"


def empty_key(ask: Asking) -> None:
    assert ask.code("POST", "runs/search", experiment_ids=["0"], filter="metrics. > 1") == BAD
    assert ask.code("POST", "runs/search", experiment_ids=["0"], order_by=["metrics."]) == BAD


def stage_and_version(ask: Asking) -> None:
    move = {"name": "nobody", "version": "1.0", "stage": "bogus"}
    assert "'version' must be an integer" in ask("POST", "model-versions/transition-stage", **move)[1]["message"]


def filter_words(ask: Asking) -> None:
    for path in ("registered-models/search", "model-versions/search"):
        status, answer = ask("GET", path, filter="foo.a%20=%20'x'")
        assert (status, answer["message"]) == (400, "Invalid entity type 'foo'. Valid values are ['attribute', 'tag']")


def deep_name(ask: Asking) -> None:
    place = "/api/2.0/mlflow-artifacts/artifacts/" + "a/" * 100 + "x"
    assert ask.raw("PUT", place, b"x").status == 400


HOOK: dict[str, Any] = {
    "name": "ci",
    "url": "https://93.184.216.34/hook",
    "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}],
}


def unusual_ports(ask: Asking) -> None:
    for url in ("https://93.184.216.34:8443/", "https://me:secret@93.184.216.34/"):
        assert ask.code("POST", "webhooks", **{**HOOK, "url": url}) == BAD


def secrets_of_hosts(ask: Asking) -> None:
    made = ask.made("webhooks", **HOOK, secret="s")["webhook"]["webhook_id"]
    elsewhere = "https://8.8.8.8/hook"
    assert ask.code("PATCH", f"webhooks/{made}", url=elsewhere) == BAD
    assert ask("PATCH", f"webhooks/{made}", url=elsewhere, secret="another")[0] == 200


def redirects(_ask: Asking) -> None:
    with receiving() as receiver:
        receiver.responses = [answering(302, b"", Location=receiver.url)]
        assert post(receiver.url, b"", {}, Rules(schemes=("http",), allow=("*",))).status == 302
    assert len(receiver.got) == 1


def nothing_happened(ask: Asking) -> None:
    """The event that a webhook would be told of is not announced."""
    ask.made("registered-models/create", name="still")
    ask.made("model-versions/create", name="still", source="s3://bucket/m")
    alias = {"name": "still", "alias": "live"}
    ask.made("registered-models/alias", **alias, version="1")
    before = ask.events()
    ask.made("registered-models/alias", **alias, version="1")
    assert ask("DELETE", "registered-models/alias", name="still", alias="none")[0] == 200
    assert ask("DELETE", "model-versions/delete-tag", name="still", version="1", key="none")[0] == 200
    assert ask.events() == before


def events_twice(ask: Asking) -> None:
    made = ask.made("webhooks", **{**HOOK, "events": HOOK["events"] * 2})["webhook"]
    assert made["events"] == HOOK["events"]


def trace(ask: Asking) -> str:
    return str(ask.made("traces", experiment_id="0", timestamp_ms=1)["trace_info"]["request_id"])


def traces_twice(ask: Asking) -> None:
    ask.made("traces/link-to-run", trace_ids=[trace(ask)] * 2, run_id=ask.run())


def unknown_records(ask: Asking) -> None:
    assert ask.raw("GET", "/api/3.0/mlflow/datasets/d-0/records").status == 404


def strange_experiment(ask: Asking) -> None:
    body = json.dumps({"name": "d", "experiment_ids": ["x"]}).encode()
    assert ask.raw("POST", "/api/3.0/mlflow/datasets/create", body).status == 400


def no_location(ask: Asking) -> None:
    body = json.dumps({"locations": [], "filter": "feedback.grade feedback.grade"}).encode()
    assert ask.raw("POST", "/api/3.0/mlflow/traces/search", body).status == 400


def no_spans(ask: Asking) -> None:
    answer = ask.raw("GET", f"/api/3.0/mlflow/traces/batchGet?trace_ids={trace(ask)}")
    assert (answer.status, json.loads(answer.data)) == (200, {})


def managed_tag(ask: Asking) -> None:
    assert ask.code("PATCH", f"traces/{trace(ask)}/tags", key="mlflow.artifactLocation", value="x") == BAD


def kept_rationale(ask: Asking) -> None:
    given = {"assessment_name": "a", "source": {"source_type": "HUMAN"}, "expectation": {"value": 1}, "rationale": "r"}
    body = json.dumps({"assessment": given}).encode()
    answer = ask.raw("POST", f"/api/3.0/mlflow/traces/{trace(ask)}/assessments", body)
    assert json.loads(answer.data)["assessment"]["rationale"] == "r"


def odd_keys(ask: Asking) -> None:
    for text in ("metrics.2 > 1", "params.in = '1'", "params.p IS NOT  NULL"):
        assert ask("POST", "runs/search", experiment_ids=["0"], filter=text)[0] == 200
    assert ask("POST", "runs/search", experiment_ids=["0"], order_by=["metrics.2"])[0] == 200


def prompt_in_another_case(ask: Asking) -> None:
    ask.made("registered-models/create", name="said", tags=[{"key": "mlflow.prompt.is_prompt", "value": "True"}])
    assert ask("GET", "registered-models/search", filter="name='said'")[1] == {}


def nul_in_a_filter(ask: Asking) -> None:
    ask.made("runs/create", run_name="a\0b")
    assert ask.made("runs/search", experiment_ids=["0"], filter="run_name = 'a\0b'") == {}


def answer_to_spans(ask: Asking) -> None:
    span = {"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "name": "s", "startTimeUnixNano": "1"}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    answer = ask.raw("POST", "/v1/traces", body, x_mlflow_experiment_id="0")
    assert (answer.status, answer.headers["content-type"], answer.data) == (200, "application/json", b"{}")
    answer = ask.raw("POST", "/v1/traces", body)
    assert (answer.status, "error_code" in json.loads(answer.data)) == (422, True)


def cut_text(asking: Asking) -> None:
    status, answer = asking("POST", "runs/search", experiment_ids=["0"], filter=f"attributes.{'x' * 9000} = 'a'")

    assert status == 400
    assert len(answer["message"]) <= 4096
    assert answer["message"].endswith(" … (cut)")


CHECKS = {
    "the text of an error with more than 4,096 characters": cut_text,
    "duplicate traces of `link-to-run`": traces_twice,
    "records of an unknown evaluation dataset": unknown_records,
    "an experiment of an evaluation dataset that is not there": strange_experiment,
    "`traces/search` without a location, with a wrong filter": no_location,
    "`traces/batchGet` of a trace that has no spans": no_spans,
    "the tag `mlflow.artifactLocation` of a trace": managed_tag,
    "a `max_results` below one in `logged-models/search`": model_searches.page_below_one,
    "the rationale of an expectation": kept_rationale,
    "a metric of a logged model that is not a number": model_searches.model_nan,
    "an artifact whose name has an escape that is no text": kept_name,
    "a status in a filter of `logged-models/search`": model_searches.known_status,
    "a metric in a filter of `logged-models/search`": model_searches.latest_point,
    "texts in double quotes, and keys in quotes, in `logged-models/search`": model_searches.double_quotes,
    "a number for a text in a filter of `logged-models/search`": model_searches.number_for_text,
    "a key that is a number or a word of SQL in a filter or an order": odd_keys,
    "the tag `mlflow.prompt.is_prompt` in another case": prompt_in_another_case,
    "a NUL in a text of a filter": nul_in_a_filter,
    "the answer of `/v1/traces`": answer_to_spans,
    "back-quotes around an attribute in searches of the registry": quoted_name,
    "an unknown status in a filter of logged models": model_searches.unknown_status,
    "more than 100 folders in folders in the name of an artifact": deep_name,
    "a PATCH of a logged model whose body names another": patched,
    "a mistake that MLflow answers with 500": not_500,
    "SQL in the text of an error": no_sql,
    "a path of the server in the text of an error": no_path,
    "a content type in capitals": capitals,
    "an experiment named by white space": white_name,
    "`status LIKE` in `logged-models/search`": model_searches.status_like,
    "an empty key in a filter or an order": empty_key,
    "`attributes.` in searches of experiments": plural_prefix,
    "a stage move with a wrong stage and a wrong version": stage_and_version,
    "the words in which a filter or an order is refused": filter_words,
    "a value of the wrong type": wrong_types,
    "an unknown name of an enum": unknown_enum,
    "booleans as words": worded_booleans,
    "a JSON array as body": array_body,
    "the bare word `NaN`": bare_nan,
    "the same field twice in `order_by`": order_twice,
    "renaming an experiment to a taken name": taken_name,
    "duplicate tag keys in creates": duplicate_tags,
    "the same model twice in `runs/outputs`": outputs_again,
    "`runs/create` without an experiment": run_without_experiment,
    "an unknown model in `log-metric`": unknown_model,
    "a `log-batch` with a mistake in it": whole_batch,
    "texts with half a surrogate pair": half_a_pair,
    "unknown paths, wrong methods": unknown_paths,
    "a host-addressed artifact location": foreign_location,
    "page tokens": page_tokens,
    "`archive_existing_versions` with a passive stage": passive_stage,
    "POST on `registered-models/search`": models_by_post,
    "an unknown attribute in `logged-models/search`": model_searches.unknown_attribute,
    "aliases in answers": filled_aliases,
    "a slash in the key of a logged model's tag": slashed_key,
    "a dataset without its digest in `logged-models/search`": model_searches.dataset_alone,
    "a foreign `Host`, or a write from another site's page": foreign_page,
    "a webhook's url with a port other than its scheme's": unusual_ports,
    "a webhook whose secret would move to another host": secrets_of_hosts,
    "a webhook's receiver that redirects": redirects,
    "an alias set to the version it names already": nothing_happened,
    "duplicate events of a webhook": events_twice,
}


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Any:
    running = RunningServer(tmp_path_factory.mktemp("deviations"))
    yield Asking(running.url)
    running.stop()


@pytest.mark.parametrize("what", CHECKS)
def test_the_server_deviates_as_the_page_says(what: str, asking: Asking) -> None:
    assert f"| {what}" in PAGE
    CHECKS[what](asking)


def test_the_page_names_no_deviation_that_nobody_checks() -> None:
    rows = [line[2:].partition(" |")[0] for line in PAGE.splitlines() if line.startswith("| ")]
    unchecked = [row for row in rows[1:] if not any(row.startswith(what) for what in CHECKS)]

    assert unchecked == []
