"""The registry and logged models on MLflow's wire, against a real server process."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import urllib3
from tests.conftest import RunningServer

M, V, L = "registered-models/", "model-versions/", "logged-models"


class Wire:
    """Calls a server as MLflow's clients do."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pool = urllib3.PoolManager(retries=False)
        self.names: dict[str, str] = {}

    def __call__(self, method: str, path: str, sent: Any = None) -> tuple[int, Any]:
        path = f"{self.url}/api/2.0/mlflow/{path.format_map(self.names)}"
        if method == "GET":
            answer = self.pool.request(method, path, fields=sent)
        else:
            body = None if sent is None else msgspec.json.encode(self._filled(sent))
            headers = {} if sent is None else {"Content-Type": "application/json"}
            answer = self.pool.request(method, path, body=body, headers=headers)
        return answer.status, answer.json()

    def _filled(self, sent: Any) -> Any:
        if isinstance(sent, str):
            return self.names.get(sent.strip("{}"), sent) if sent.startswith("{") else sent
        if isinstance(sent, dict):
            return {key: self._filled(value) for key, value in sent.items()}
        return [self._filled(each) for each in sent] if isinstance(sent, list) else sent


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """A server with the model `m` of two versions, the prompt `p`, a run and a logged model."""
    running = RunningServer(tmp_path_factory.mktemp("wire") / "home")
    call = Wire(running.url)
    call("POST", f"{M}create", {"name": "m", "description": "d", "tags": [{"key": "k", "value": "v"}]})
    call("POST", f"{M}create", {"name": "p", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]})
    call("POST", f"{M}create", {"name": "empty"})
    call("POST", f"{V}create", {"name": "m", "source": "s3://b/1", "run_id": "zz"})
    call("POST", f"{V}create", {"name": "m", "source": "s3://b/2"})
    call("POST", f"{V}transition-stage", {"name": "m", "version": "1", "stage": "staging"})
    call("POST", f"{M}alias", {"name": "m", "alias": "Blue-1", "version": "2"})
    run = call("POST", "runs/create", {"experiment_id": "0"})[1]["run"]
    call.names["run"] = run["info"]["run_id"]
    model = {"experiment_id": "0", "name": "lm", "params": [{"key": "lr", "value": "0.1"}]}
    call.names["lm"] = call("POST", L, model)[1]["model"]["info"]["model_id"]
    yield call
    call.pool.clear()
    running.stop()


MISSING = "Missing value for required parameter"
SEE = "See the API docs for more information about request parameters."

# method, path, what is sent, status, what the answer must contain
SCENARIOS: list[tuple[str, str, Any, int, str]] = [
    ("POST", f"{M}create", {}, 400, f"{MISSING} 'name'. {SEE}"),
    ("POST", f"{M}create", {"name": ""}, 400, f"{MISSING} 'name'. {SEE}"),
    ("POST", f"{M}create", {"name": "  "}, 400, f"{MISSING} 'name'."),
    ("POST", f"{M}create", {"name": 5}, 400, f"supplied:  Hint: Value was of type 'int'. {SEE}"),
    ("POST", f"{M}create", {"name": "a/b"}, 400, "Invalid model name 'a/b'. Names cannot contain '/' or ':'."),
    ("POST", f"{M}create", {"name": ".."}, 400, "This name would resolve to '..'"),
    ("POST", f"{M}create", {"name": "x", "tags": [{"key": "a$", "value": ""}]}, 400, "Names may only contain alphanum"),
    ("POST", f"{M}create", {"name": "x", "tags": [{"key": "k" * 251}]}, 400, "'key' exceeds the maximum length of 250"),
    ("POST", f"{M}create", {"name": "m"}, 400, "Registered Model (name=m) already exists."),
    ("POST", f"{M}create", {"name": "p"}, 400, "Tried to create a registered model with name 'p'"),
    ("GET", f"{M}get", {"name": "nope"}, 404, "Registered Model with name=nope not found"),
    ("GET", f"{M}get", None, 400, f"{MISSING} 'name'. {SEE}"),
    ("PATCH", f"{M}update", {"name": "nope"}, 404, "RESOURCE_DOES_NOT_EXIST"),
    ("POST", f"{M}rename", {"name": "m"}, 400, f"{MISSING} 'new_name'. {SEE}"),
    ("POST", f"{M}rename", {"name": "empty", "new_name": "m"}, 400, "already exists. Error: "),
    ("DELETE", f"{M}delete-tag", {"name": "m", "key": "nope"}, 200, ""),
    ("GET", f"{M}get-latest-versions", {"name": "m", "stages": "bogus"}, 400, "Invalid Model Version stage: bogus."),
    ("POST", f"{M}get-latest-versions", {"name": "nope"}, 404, "RESOURCE_DOES_NOT_EXIST"),
    (
        "POST",
        f"{M}alias",
        {"name": "m", "alias": "LATEST", "version": "1"},
        400,
        "alias name (case insensitive) is res",
    ),
    ("POST", f"{M}alias", {"name": "m", "alias": "v1", "version": "1"}, 400, "Version alias name 'v1' is reserved."),
    ("POST", f"{M}alias", {"name": "m", "alias": "a", "version": "9"}, 404, "(name=m, version=9) not found"),
    ("GET", f"{M}alias", {"name": "m", "alias": "zz"}, 400, "Registered model alias zz not found."),
    ("GET", f"{M}alias", {"name": "nope", "alias": "zz"}, 404, "Registered Model with name=nope not found"),
    ("GET", f"{M}alias", {"name": "empty", "alias": "latest"}, 404, "Latest version not found for model empty."),
    ("DELETE", f"{M}alias", {"name": "m", "alias": "zz"}, 200, ""),
    ("GET", f"{M}search", {"max_results": "0"}, 400, "INVALID_PARAMETER_VALUE"),
    ("GET", f"{M}search", {"max_results": "1001"}, 400, "Invalid value \"1001\" for parameter 'max_results' supplied:"),
    ("GET", f"{M}search", {"filter": "tags.k IS NULL"}, 400, "is not supported for registered model search."),
    ("GET", f"{M}search", {"page_token": "e30="}, 400, "Invalid page token, parsed value={}"),
    ("POST", f"{V}create", {"name": "m"}, 400, f"{MISSING} 'source'. {SEE}"),
    (
        "POST",
        f"{V}create",
        {"name": "m", "source": "/etc"},
        400,
        "Invalid model version source: '/etc'. To use a local",
    ),
    (
        "POST",
        f"{V}create",
        {"name": "m", "source": "mlflow-artifacts:/0"},
        400,
        "The run_id request parameter must ide",
    ),
    ("POST", f"{V}create", {"name": "m", "source": "models:/m@zz"}, 400, "Registered model alias zz not found."),
    ("POST", f"{V}create", {"name": "m", "source": "models:/p/1"}, 400, "Prompt versions cannot be used"),
    ("GET", f"{V}get", {"name": "m", "version": "abc"}, 400, "Parameter 'version' must be an integer, got 'abc'."),
    ("GET", f"{V}get", {"name": "nope", "version": "1"}, 404, "Model Version (name=nope, version=1) not found"),
    ("PATCH", f"{V}update", {"name": "m", "version": 1}, 400, "Value was of type 'int'"),
    (
        "POST",
        f"{V}transition-stage",
        {"name": "m", "version": "1", "stage": "x"},
        400,
        "None, Staging, Production, Arc",
    ),
    ("DELETE", f"{V}delete", {"name": "m", "version": "9"}, 404, "RESOURCE_DOES_NOT_EXIST"),
    ("GET", f"{V}search", {"max_results": "0"}, 400, "It must be a positive integer, but got 0"),
    ("GET", f"{V}search", {"filter": "current_stage = 'None'"}, 400, "Invalid attribute key 'current_stage' specified"),
    ("POST", L, {}, 400, f"{MISSING} 'experiment_id'. {SEE}"),
    ("POST", L, {"experiment_id": "999"}, 404, "No Experiment with id=999 exists"),
    ("POST", L, {"experiment_id": "abc"}, 400, "Invalid experiment ID 'abc'."),
    ("POST", L, {"experiment_id": "0", "name": "a.b"}, 400, "Invalid model name ('a.b') provided."),
    ("GET", f"{L}/m-x", None, 404, "Logged model with ID 'm-x' not found."),
    ("PATCH", f"{L}/{{lm}}", {"status": 2}, 400, f"{MISSING} 'model_id'. {SEE}"),
    ("PATCH", f"{L}/m-x/tags", {"tags": []}, 404, "Logged model with ID 'm-x' not found."),
    ("DELETE", f"{L}/{{lm}}/tags/nope/x", None, 404, "No tag with key 'nope/x' found for model with ID"),
    ("DELETE", f"{L}/m-x", None, 404, "Logged model with ID 'm-x' not found."),
    ("POST", f"{L}/{{lm}}/params", {"model_id": "{lm}", "params": [{"key": "lr", "value": "2"}]}, 400, "BAD_REQUEST"),
    ("POST", f"{L}/search", {}, 400, f"{MISSING} 'experiment_ids'. {SEE}"),
    ("POST", f"{L}/search", {"experiment_ids": []}, 200, ""),
    (
        "POST",
        f"{L}/search",
        {"experiment_ids": ["0"], "filter": "status = 'ready'"},
        400,
        "Unknown model status in fil",
    ),
    ("POST", f"{L}/search", {"experiment_ids": ["0"], "filter": "foo = 'x'"}, 400, "Invalid attribute key 'foo'"),
    ("POST", f"{L}/search", {"experiment_ids": ["0"], "page_token": "zz"}, 400, "Invalid page token"),
    (
        "POST",
        f"{L}/search",
        {"experiment_ids": ["0"], "order_by": [{"field_name": "params.lr"}]},
        400,
        "Invalid order by field name: params.lr. Only metrics are supported.",
    ),
    (
        "POST",
        "runs/log-metric",
        {"run_id": "{run}", "key": "a", "value": 1, "timestamp": 1, "model_id": "m-x"},
        404,
        "",
    ),
]


@pytest.mark.parametrize(("method", "path", "sent", "status", "contains"), SCENARIOS)
def test_every_call_answers_as_mlflow_does(
    wire: Wire, method: str, path: str, sent: Any, status: int, contains: str
) -> None:
    answered, answer = wire(method, path, sent)
    assert (answered, contains in answer.get("message", "") + answer.get("error_code", "")) == (status, True), answer


def test_a_model_shows_what_was_set_and_nothing_else(wire: Wire) -> None:
    model = wire("GET", f"{M}get", {"name": "m"})[1]["registered_model"]
    assert {"name", "description", "tags", "aliases", "latest_versions"} < set(model)
    assert model["aliases"] == [{"alias": "Blue-1", "version": "2"}]
    assert [each["current_stage"] for each in model["latest_versions"]] == ["Staging", "None"]
    empty = wire("GET", f"{M}get", {"name": "empty"})[1]["registered_model"]
    assert set(empty) == {"name", "creation_timestamp", "last_updated_timestamp"}


def test_a_version_is_text_and_shows_its_empty_fields(wire: Wire) -> None:
    version = wire("GET", f"{V}get", {"name": "m", "version": "2"})[1]["model_version"]
    del version["creation_timestamp"], version["last_updated_timestamp"]
    assert version == {
        "name": "m",
        "version": "2",
        "current_stage": "None",
        "description": "",
        "source": "s3://b/2",
        "run_id": "",
        "status": "READY",
        "run_link": "",
        "aliases": ["Blue-1"],
    }


def test_what_r_sends_as_words_is_understood(wire: Wire) -> None:
    sent = {"name": "m", "version": "1", "stage": "Staging", "archive_existing_versions": "FALSE"}
    assert wire("POST", f"{V}transition-stage", sent)[0] == 200
    assert wire("POST", f"{M}search", {"filter": "name = 'm'"})[1]["registered_models"][0]["name"] == "m"


def test_prompts_are_hidden(wire: Wire) -> None:
    names = [
        [m["name"] for m in wire("GET", f"{M}search", {"filter": text})[1]["registered_models"]]
        for text in ("", "tags.`mlflow.prompt.is_prompt` = 'true'")
    ]
    assert names == [["empty", "m"], ["p"]]


def test_a_logged_model_is_registered_and_knows_it(wire: Wire) -> None:
    refused = wire("POST", f"{V}create", {"name": "empty", "source": f"models:/{wire.names['lm']}"})
    sent = {"name": "empty", "source": f"models:/{wire.names['lm']}", "model_id": "{lm}"}
    version = wire("POST", f"{V}create", sent)[1]["model_version"]["version"]
    uri = wire("GET", f"{V}get-download-uri", {"name": "empty", "version": version})[1]["artifact_uri"]
    tags = wire("GET", f"{L}/{{lm}}")[1]["model"]["info"]["tags"]
    assert (refused[0], uri) == (400, f"mlflow-artifacts:/0/models/{wire.names['lm']}/artifacts")
    assert tags == [{"key": "mlflow.modelVersions", "value": f'[{{"name": "empty", "version": {version}}}]'}]
    wire("DELETE", f"{V}delete", {"name": "empty", "version": version})


@pytest.mark.parametrize(
    ("below", "status", "storage"),
    [
        ("", 200, ""),
        ("/model/..", 200, ""),
        ("/a/%2e%2e/b", 200, "/b"),
        ("/.", 200, "/."),
        ("/a/../..", 400, ""),
        ("/../artifacts2", 400, ""),
        ("/%252e%252e/x", 400, ""),
    ],
)
def test_a_local_source_may_climb_within_its_run(wire: Wire, below: str, status: int, storage: str) -> None:
    place = {"name": f"local {below}", "artifact_location": "file:///srv/files"}
    made = wire("POST", "experiments/create", place)[1]["experiment_id"]
    run = wire("POST", "runs/create", {"experiment_id": made})[1]["run"]["info"]
    sent = {"name": "empty", "source": run["artifact_uri"] + below, "run_id": run["run_id"]}
    answered, answer = wire("POST", f"{V}create", sent)
    assert answered == status, answer
    if status == 200:
        version = answer["model_version"]
        named = {"name": "empty", "version": version["version"]}
        uri = wire("GET", f"{V}get-download-uri", named)[1]["artifact_uri"]
        assert (version["source"], uri) == (run["artifact_uri"] + below, run["artifact_uri"] + storage)
        wire("DELETE", f"{V}delete", named)


DATASET = {"dataset_name": "d", "dataset_digest": "1"}


def test_the_metrics_of_a_logged_model_are_all_its_points(wire: Wire) -> None:
    point = {"key": "auc", "value": 0.5, "timestamp": 1, "model_id": "{lm}"}
    later = {"key": "auc", "value": "NaN", "timestamp": 2, "step": 1, "model_id": "{lm}"} | DATASET
    for _ in range(2):
        assert wire("POST", "runs/log-batch", {"run_id": "{run}", "metrics": [point, later]})[0] == 200
    metrics = wire("GET", f"{L}/{{lm}}")[1]["model"]["data"]["metrics"]
    assert [(each["step"], each["value"], each.get("dataset_name")) for each in metrics] == [
        (0, 0.5, None),
        (1, "NaN", "d"),
    ]


def test_a_logged_model_changes_its_state_and_goes(wire: Wire) -> None:
    made = wire("POST", L, {"experiment_id": "0"})[1]["model"]["info"]
    path = f"{L}/{made['model_id']}"
    ready = wire("PATCH", path, {"model_id": made["model_id"], "status": 2})[1]["model"]["info"]
    gone = [wire("DELETE", path)[0] for _ in range(2)]
    hidden, shown = wire("GET", path)[0], wire("GET", path, {"allow_deleted": "true"})[0]
    assert (made["status"], ready["status"]) == ("LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY")
    assert (made["model_type"], bool(made["name"]), gone, hidden, shown) == ("", True, [200, 200], 404, 200)
