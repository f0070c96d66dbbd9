"""MLflow's calls of webhooks, against a real server process and a real receiver behind TLS."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tests.conftest import RunningServer
from tests.outbound.receiver import CERTIFICATE, Receiver, answering, receiving

MISSING = "Missing value for required parameter"
SEE = "See the API docs for more information about request parameters."
CREATED = [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]
GOOD = {"name": "ci", "url": "https://93.184.216.34/hook", "events": CREATED}


class Wire:
    def __init__(self, url: str) -> None:
        self.pool = urllib3.PoolManager(retries=False)
        self._root = f"{url}/api/2.0/mlflow/"

    def __call__(self, method: str, path: str, sent: Any = None) -> tuple[int, Any]:
        body = None if sent is None else json.dumps(sent)
        headers = {} if sent is None else {"Content-Type": "application/json"}
        answer = self.pool.request(method, self._root + path, body=body, headers=headers)
        return answer.status, answer.json()


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    running = RunningServer(tmp_path_factory.mktemp("webhooks") / "home")
    call = Wire(running.url)
    for _ in range(2):
        call("POST", "webhooks", GOOD)
    yield call
    call.pool.clear()
    running.stop()


def pair(entity: Any, action: Any) -> dict[str, Any]:
    return {**GOOD, "events": [{"entity": entity, "action": action}]}


NOT_FOUND = "Webhook with ID nope not found."
# method, path, what is sent, status, what the answer must contain
SCENARIOS: list[tuple[str, str, Any, int, str]] = [
    ("POST", "webhooks", {}, 400, f"{MISSING} 'name'. {SEE}"),
    ("POST", "webhooks", {"name": "n"}, 400, f"{MISSING} 'url'. {SEE}"),
    ("POST", "webhooks", {"name": "n", "url": "https://x"}, 400, f"{MISSING} 'events'. {SEE}"),
    ("POST", "webhooks", {**GOOD, "events": []}, 400, "Webhook events must be a non-empty list of WebhookEvent"),
    ("POST", "webhooks", {**GOOD, "events": "x"}, 400, "Hint: Value was of type 'str'."),
    ("POST", "webhooks", {**GOOD, "name": 5}, 400, "Hint: Value was of type 'int'."),
    ("POST", "webhooks", {**GOOD, "name": "-a"}, 400, "Webhook name '-a' is invalid. It must start and end with"),
    ("POST", "webhooks", {**GOOD, "name": "a" * 64}, 400, "be less than 63 characters long"),
    ("POST", "webhooks", {**GOOD, "url": "  "}, 400, "Webhook URL cannot be empty or just whitespace: '  '"),
    (
        "POST",
        "webhooks",
        {**GOOD, "url": "http://x/"},
        400,
        "Invalid webhook URL scheme: 'http'. Allowed schemes are: h",
    ),
    ("POST", "webhooks", {**GOOD, "url": "https://"}, 400, "Webhook URL must include a hostname: 'https://'"),
    (
        "POST",
        "webhooks",
        {**GOOD, "url": "https://127.1/"},
        400,
        "non-public IP address. '127.1' resolves to 127.0.0.1.",
    ),
    ("POST", "webhooks", {**GOOD, "url": "https://[::1/"}, 400, "Invalid webhook URL 'https://[::1/': ValueError("),
    (
        "POST",
        "webhooks",
        pair("REGISTERED_MODEL", "SET"),
        400,
        "Invalid action 'set' for entity 'registered_model'. Val",
    ),
    ("POST", "webhooks", pair("MODEL_VERSION_TAG", "UPDATED"), 400, "Valid actions are: ['deleted', 'set']"),
    ("POST", "webhooks", pair("RUN", "CREATED"), 400, "parameter 'events[0].entity'"),
    ("POST", "webhooks", {**GOOD, "status": "LATER"}, 400, "Valid values are ACTIVE, DISABLED."),
    (
        "POST",
        "webhooks",
        {**GOOD, "events": CREATED * 2},
        200,
        '"events": [{"entity": "REGISTERED_MODEL", "action": "CR',
    ),
    ("POST", "webhooks", pair(8, 4), 200, '{"entity": "PROMPT_VERSION_TAG", "action": "SET"}'),
    ("POST", "webhooks", {**GOOD, "description": "d", "status": "DISABLED"}, 200, '"status": "DISABLED"'),
    ("GET", "webhooks?max_results=-1", None, 400, "max_results must be between 1 and 1000."),
    ("GET", "webhooks?max_results=1001", None, 400, "max_results must be between 1 and 1000."),
    ("GET", "webhooks?max_results=0", None, 200, "webhooks"),
    ("GET", "webhooks?max_results=1", None, 200, "next_page_token"),
    ("GET", "webhooks?page_token=x", None, 400, "Invalid page token"),
    ("GET", "webhooks/nope", None, 404, NOT_FOUND),
    ("PATCH", "webhooks/nope", {}, 404, NOT_FOUND),
    ("DELETE", "webhooks/nope", None, 404, NOT_FOUND),
    ("POST", "webhooks/nope/test", {}, 404, NOT_FOUND),
    ("POST", "webhooks/nope/test", {"event": {"entity": "PROMPT", "action": "SET"}}, 400, "Invalid action 'set'"),
]


@pytest.mark.parametrize(("method", "path", "sent", "status", "contains"), SCENARIOS)
def test_a_call_is_answered_as_mlflow_does(
    wire: Wire, method: str, path: str, sent: Any, status: int, contains: str
) -> None:
    answered, body = wire(method, path, sent)
    told = body["message"] if "message" in body else json.dumps(body)
    assert (answered, contains in told) == (status, True), told


def test_a_webhook_lives_from_its_creation_to_its_deletion(wire: Wire) -> None:
    made = wire("POST", "webhooks", {**GOOD, "description": "d", "secret": "tell-nobody"})[1]["webhook"]
    one = f"webhooks/{made['webhook_id']}"
    assert sorted(made) == sorted(
        ("webhook_id", "name", "description", "url", "events", "status", "creation_timestamp", "last_updated_timestamp")
    )
    assert wire("GET", one) == (200, {"webhook": made})
    events = [{"entity": "PROMPT", "action": "CREATED"}, {"entity": "MODEL_VERSION", "action": "CREATED"}]
    changed = wire("PATCH", one, {"name": "", "events": events, "status": "DISABLED", "description": ""})[1]["webhook"]
    assert (changed["name"], changed["status"], changed["events"]) == ("ci", "DISABLED", events[::-1])
    assert "description" not in changed
    assert wire("DELETE", one) == (200, {})
    assert wire("DELETE", one)[0] == 404
    assert made["webhook_id"] not in json.dumps(wire("GET", "webhooks")[1])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(tls=True) as receiver:
        yield receiver


def telling(home: Path, receiver: Receiver) -> RunningServer:
    """A server whose operator lets it call the receiver."""
    allow = receiver.url.removeprefix("https://")
    return RunningServer(home, "--outbound-allow", allow, "--outbound-ca-file", str(CERTIFICATE))


def test_a_trial_and_an_event_arrive_over_tls(tmp_path: Path, receiver: Receiver) -> None:
    running = telling(tmp_path / "home", receiver)
    call = Wire(running.url)
    ask = {**GOOD, "url": receiver.url + "/in", "secret": "s"}
    made = call("POST", "webhooks", ask)[1]["webhook"]
    tried = call("POST", f"webhooks/{made['webhook_id']}/test", {})[1]["result"]
    assert tried == {"success": True, "response_status": 200, "response_body": "ok"}
    call("POST", "registered-models/create", {"name": "m", "description": "d"})
    receiver.wait(2)
    running.stop()
    (_, _, example), (path, headers, body) = receiver.got
    assert json.loads(example)["data"]["name"] == "example_model"
    assert (path, json.loads(body)["data"]) == ("/in", {"name": "m", "tags": {}, "description": "d"})
    assert headers["X-MLflow-Signature"].startswith("v1,")


def test_what_a_killed_server_was_telling_is_told_by_the_next(tmp_path: Path, receiver: Receiver) -> None:
    running = telling(tmp_path / "home", receiver)
    call = Wire(running.url)
    call("POST", "webhooks", {**GOOD, "url": receiver.url})
    killed = threading.Event()

    def kill(handler: Any) -> None:
        """The delivery arrived; the server dies before it hears so."""
        running.kill()
        killed.set()
        answering(200)(handler)

    receiver.responses = [kill, answering(200)]
    call("POST", "registered-models/create", {"name": "m"})
    receiver.wait(1)
    assert killed.wait(60)
    running.start()
    receiver.wait(2)
    running.stop()
    ids = {headers["X-MLflow-Delivery-Id"] for _, headers, _ in receiver.got}
    bodies = {body for _, _, body in receiver.got}
    assert (len(receiver.got), len(ids), len(bodies)) == (2, 1, 1)
