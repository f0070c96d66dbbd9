"""Experiments, runs and histories on MLflow's wire: what clients send, and what they get."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from airside.core.errors import AirsideError
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.server.mlflow.run_answers import encoded, run_of
from airside.server.mlflow.tracking import ROUTES, fixed_answers
from airside.server.mlflow.wire import WireRequest, error_answer
from airside.tracking.operations.runs import CreateRun, GetRun

JSON = {b"content-type": b"application/json"}
Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def ask(platform: Platform) -> Ask:
    """Sends a call through its route: `ask("POST", "runs/create", experiment_id="0")`."""
    routes = {(str(route.method), route.path.removeprefix("2.0/mlflow/")): route for route in ROUTES}

    def send(method: str, path: str, **fields: Any) -> tuple[int, Any]:
        query = {k: [str(i) for i in v] if isinstance(v, list) else [str(v)] for k, v in fields.items()}
        request = WireRequest(
            method=method,
            query=query if method == "GET" else {},
            body=b"" if method == "GET" else json.dumps(fields).encode(),
            headers=JSON,
        )
        route = routes[method, path]
        try:
            encoded = route.encode(platform.call(LOCAL, route.decode(request)))
            return 200, json.loads(encoded if isinstance(encoded, bytes) else b"".join(encoded))
        except AirsideError as error:
            status, body = error_answer(error)
            return status, json.loads(body)

    return send


@pytest.fixture
def run_id(ask: Ask) -> str:
    made: str = ask("POST", "runs/create", experiment_id="0", run_name="r", start_time=7, user_id="u")[1]["run"][
        "info"
    ]["run_id"]
    return made


def test_a_new_run_is_answered_with_info_data_and_empty_inputs(ask: Ask) -> None:
    status, answer = ask("POST", "runs/create", experiment_id="0", run_name="r", start_time="1.7e+12")
    info = answer["run"]["info"]
    assert status == 200
    assert info == {
        "run_id": info["run_id"],
        "run_uuid": info["run_id"],
        "run_name": "r",
        "experiment_id": "0",
        "user_id": "",
        "status": "RUNNING",
        "start_time": 1_700_000_000_000,
        "artifact_uri": f"mlflow-artifacts:/0/{info['run_id']}/artifacts",
        "lifecycle_stage": "active",
    }
    assert answer["run"]["data"] == {"tags": [{"key": "mlflow.runName", "value": "r"}]}
    assert answer["run"]["inputs"] == {}


def test_empty_lists_are_absent_and_set_values_are_present(ask: Ask, run_id: str) -> None:
    run = ask("GET", "runs/get", run_id=run_id)[1]["run"]
    assert set(run) == {"info", "data", "inputs", "outputs"}
    assert set(run["data"]) == {"tags"}
    assert "end_time" not in run["info"]
    assert ask("POST", "runs/search", experiment_ids=["0"], filter="run_name = 'zz'")[1] == {}
    assert ask("POST", "runs/search")[1] == {}


def test_a_metric_goes_in_by_the_short_way_and_the_long_way_alike(ask: Ask, run_id: str) -> None:
    ask("POST", "runs/log-metric", run_id=run_id, run_uuid=run_id, key="a", value=1, timestamp=2, step=3)
    ask("POST", "runs/log-metric", run_id=run_id, key="b", value="1.0", timestamp="2", step="3", odd=1)
    ask("POST", "runs/log-batch", run_id=run_id, metrics=[{"key": "c", "value": 1.0, "timestamp": 2, "step": 3}])
    ask("POST", "runs/log-batch", run_id=run_id, metrics=[{"key": "d", "value": "1", "timestamp": 2, "step": "3"}])
    metrics = ask("GET", "runs/get", run_id=run_id)[1]["run"]["data"]["metrics"]
    assert sorted(metric["key"] for metric in metrics) == ["a", "b", "c", "d"]
    assert {(metric["value"], metric["timestamp"], metric["step"]) for metric in metrics} == {(1.0, 2, 3)}


def test_not_a_number_comes_back_as_a_word(ask: Ask, run_id: str) -> None:
    ask("POST", "runs/log-metric", run_id=run_id, key="n", value="NaN", timestamp=0)
    ask("POST", "runs/log-metric", run_id=run_id, key="i", value="-Infinity", timestamp=0)
    assert ask("GET", "metrics/get-history", run_id=run_id, metric_key="n")[1] == {
        "metrics": [{"key": "n", "value": "NaN", "timestamp": 0, "step": 0}]
    }
    assert (
        ask("GET", "metrics/get-history", run_id=run_id, metric_key="i")[1]["metrics"][0]["value"]
        == -1.7976931348623157e308
    )
    bulk = ask("GET", "metrics/get-history-bulk", run_id=[run_id], metric_key="n")[1]["metrics"]
    assert bulk[0]["value"] != bulk[0]["value"]


@pytest.mark.parametrize(
    ("method", "path", "fields", "status", "text"),
    [
        (
            "GET",
            "experiments/get",
            {"experiment_id": "abc"},
            400,
            "Invalid experiment ID 'abc'. Experiment ID must be a valid integer.",
        ),
        ("GET", "experiments/get", {"experiment_id": "9"}, 404, "No Experiment with id=9 exists"),
        ("GET", "experiments/get-by-name", {"experiment_name": "x"}, 404, "Could not find experiment with name 'x'"),
        ("POST", "experiments/create", {"name": "Default"}, 400, "Experiment(name=Default) already exists."),
        ("POST", "experiments/create", {"name": "x" * 501}, 400, "'name' exceeds the maximum length of 500 characters"),
        (
            "POST",
            "experiments/search",
            {},
            400,
            "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer",
        ),
        ("POST", "runs/create", {"experiment_id": 1}, 400, "Hint: Value was of type 'int'."),
        ("GET", "runs/get", {"run_id": "nope"}, 404, "Run with id=nope not found"),
        (
            "POST",
            "runs/log-metric",
            {"run_id": "R", "key": "m", "value": 1},
            400,
            "Missing value for required parameter 'timestamp'.",
        ),
        (
            "POST",
            "runs/log-metric",
            {"run_id": "R", "key": "a//b", "value": 1, "timestamp": 1},
            400,
            "This name would resolve to 'a/b'",
        ),
        (
            "POST",
            "runs/log-metric",
            {"run_id": "R", "key": "m", "value": "x", "timestamp": 1},
            400,
            "Invalid value \"x\" for parameter 'value'",
        ),
        (
            "POST",
            "runs/log-parameter",
            {"run_id": "R", "key": "k" * 251},
            400,
            "'Param key' exceeds the maximum length of 250",
        ),
        ("POST", "runs/log-batch", {"run_id": "a b"}, 400, "Invalid value \"a b\" for parameter 'run_id' supplied."),
        (
            "POST",
            "runs/log-batch",
            {"run_id": "R", "metrics": [{"key": "m", "value": 1}]},
            400,
            "parameter 'metrics[0].timestamp'.",
        ),
        (
            "POST",
            "runs/update",
            {"run_id": "R", "status": "BOGUS"},
            400,
            "Invalid value \"BOGUS\" for parameter 'status'",
        ),
        ("POST", "runs/outputs", {"run_id": "R"}, 400, "Missing value for required parameter 'models'."),
        (
            "POST",
            "runs/log-model",
            {"run_id": "R", "model_json": "{}"},
            400,
            "Model json is missing mandatory fields: {",
        ),
        (
            "POST",
            "runs/log-model",
            {"run_id": "R", "model_json": "x"},
            400,
            "Malformed model info. \n x \n is not a valid JSON.",
        ),
        ("POST", "runs/log-model", {"run_id": "R", "model_json": "[" * 10_000}, 400, "Malformed model info. "),
        (
            "POST",
            "runs/search",
            {"experiment_ids": ["0"], "max_results": 50001},
            400,
            "Invalid value 50001 for parameter 'max_results' supplied:  Hint:",
        ),
        (
            "POST",
            "runs/search",
            {"experiment_ids": ["0"], "max_results": "50001"},
            400,
            "Invalid value \"50001\" for parameter 'max_results' supplied:  Hint: Value was of type 'str'.",
        ),
        ("POST", "runs/search", {"experiment_ids": ["0"], "max_results": " 1"}, 400, "Value was of type 'str'."),
        ("POST", "runs/search", {"experiment_ids": ["0"], "filter": "run_id = ('x')"}, 400, "Expected a quoted string"),
        ("POST", "runs/update", {"run_id": "R", "status": 77}, 400, "Hint: Value was of type 'int'."),
        ("POST", "runs/search", {"experiment_ids": ["x"]}, 400, "Invalid experiment ID 'x'."),
        (
            "GET",
            "metrics/get-history",
            {"run_id": "R", "metric_key": "m", "max_results": 0},
            400,
            "It must be a positive integer.",
        ),
        (
            "GET",
            "metrics/get-history-bulk-interval",
            {"run_ids": ["R"], "metric_key": "m", "start_step": 1},
            400,
            "both must be specified.",
        ),
        ("GET", "metrics/get-history-bulk", {"metric_key": "m"}, 400, "must specify at least one run_id."),
    ],
)
def test_mistakes_are_told_in_mlflows_words(
    ask: Ask, run_id: str, method: str, path: str, fields: dict[str, Any], status: int, text: str
) -> None:
    found, answer = ask(method, path, **{key: run_id if value == "R" else value for key, value in fields.items()})
    assert found == status
    assert text in answer["message"]


def test_renaming_a_deleted_experiment_is_an_invalid_state(ask: Ask) -> None:
    experiment_id = ask("POST", "experiments/create", name="a")[1]["experiment_id"]
    assert ask("POST", "experiments/delete", experiment_id=experiment_id) == (200, {})
    status, answer = ask("POST", "experiments/update", experiment_id=experiment_id, new_name="b")
    assert (status, answer["error_code"]) == (500, "INVALID_STATE")


def test_searches_page_with_tokens_until_there_is_none(ask: Ask) -> None:
    for index in range(5):
        ask("POST", "runs/create", experiment_id="0", start_time=index)
    found, token = list[int](), ""
    while True:
        answer = ask("POST", "runs/search", experiment_ids=["0"], max_results="2", page_token=token)[1]
        found += [run["info"]["start_time"] for run in answer["runs"]]
        token = answer.get("next_page_token", "")
        if not token:
            break
    assert found == [4, 3, 2, 1, 0]


def test_inputs_and_outputs_have_mlflows_shape(ask: Ask, run_id: str) -> None:
    dataset = {"name": "d", "digest": "x", "source_type": "local", "source": "s"}
    tags = [{"key": "mlflow.data.context", "value": "train"}]
    ask(
        "POST",
        "runs/log-inputs",
        run_id=run_id,
        datasets=[{"dataset": dataset, "tags": tags}],
        models=[{"model_id": "m-1"}],
    )
    ask("POST", "runs/outputs", run_id=run_id, models=[{"model_id": "m-2", "step": 4}])
    run = ask("GET", "runs/get", run_id=run_id)[1]["run"]
    assert run["inputs"] == {
        "dataset_inputs": [{"tags": tags, "dataset": dataset}],
        "model_inputs": [{"model_id": "m-1"}],
    }
    assert run["outputs"] == {"model_outputs": [{"model_id": "m-2", "step": 4}]}
    found = ask("POST", "runs/search", experiment_ids=["0"])[1]["runs"][0]
    assert found["inputs"] == {"dataset_inputs": [{"tags": tags, "dataset": dataset}]}
    assert ask("POST", "experiments/search-datasets", experiment_ids=["0"])[1] == {
        "dataset_summaries": [{"experiment_id": "0", "name": "d", "digest": "x", "context": "train"}]
    }


def test_a_model_of_the_old_clients_joins_the_history_tag(ask: Ask, run_id: str) -> None:
    model = {"artifact_path": "m", "flavors": {"f": {"config": 1, "v": 2}}, "utc_time_created": "t", "run_id": "r"}
    for _ in range(2):
        assert ask("POST", "runs/log-model", run_id=run_id, model_json=json.dumps({**model, "more": 1}))[0] == 200
    tags = {tag["key"]: tag["value"] for tag in ask("GET", "runs/get", run_id=run_id)[1]["run"]["data"]["tags"]}
    assert json.loads(tags["mlflow.log-model.history"]) == 2 * [{**model, "flavors": {"f": {"v": 2}}}]
    ask("POST", "runs/set-tag", run_id=run_id, key="mlflow.log-model.history", value="mine")
    status, told = ask("POST", "runs/log-model", run_id=run_id, model_json=json.dumps(model))
    assert (status, "no JSON list" in told["message"]) == (400, True)


def test_a_run_is_encoded_once_for_as_long_as_it_is_kept(platform: Platform) -> None:
    run_id = platform.call(LOCAL, CreateRun()).info.run_id
    run = platform.call(LOCAL, GetRun(run_id=run_id))
    assert json.loads(encoded(run)) == json.loads(json.dumps(run_of(run)))
    assert encoded(platform.call(LOCAL, GetRun(run_id=run_id))) is encoded(run)


def test_the_version_is_one_that_clients_can_parse() -> None:
    answers = {answer.path: answer.body for answer in fixed_answers(serves_artifacts=False)}
    assert answers["/version"] == b"3.18.0"
    assert json.loads(answers["/api/3.0/mlflow/server-info"])["artifact_serving_enabled"] is False
