"""An unmodified `mlflow` client keeps prompts and makes webhooks; a real receiver hears what happens."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import RunningServer
from tests.e2e.test_mlflow_registry import run
from tests.outbound.receiver import CERTIFICATE, receiving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="mlflow is not installed"),
]

PROMPTS = """
import json, sys
import mlflow
from mlflow import MlflowClient

mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient()
genai = mlflow.genai
told = {}
first = genai.register_prompt("greet", "Hello {{name}}", commit_message="first", tags={"a": "1"})
genai.register_prompt("greet", "Hi {{name}}", model_config={"model_name": "m", "temperature": 0.5})
chat = [{"role": "system", "content": "You are {{who}}"}, {"role": "user", "content": "{{q}}"}]
genai.register_prompt("chat", chat, response_format={"type": "object"})
genai.set_prompt_alias("greet", "prod", 1)
told["versions"] = [genai.load_prompt(uri).version for uri in ("prompts:/greet/1", "prompts:/greet@prod", "greet")]
told["formatted"] = genai.load_prompt("prompts:/greet@prod").format(name="Ana")
told["chat"] = genai.load_prompt("chat", version=1).format(who="brief", q="why?")
told["response"] = genai.load_prompt("chat", version=1).response_format
told["config"] = genai.load_prompt("greet", version=2).model_config
told["missing"] = genai.load_prompt("nothing", allow_missing=True)
told["texts"] = [first.commit_message, first.tags, client.get_prompt("greet").tags["a"]]
client.set_prompt_tag("greet", "team", "crm")
client.set_prompt_version_tag("greet", "1", "reviewed", "yes")
told["tags"] = [client.get_prompt("greet").tags["team"], client.get_prompt_version("greet", 1).tags["reviewed"]]
client.delete_prompt_tag("greet", "team")
client.delete_prompt_version_tag("greet", "1", "reviewed")
told["found"] = [prompt.name for prompt in genai.search_prompts()]
told["filtered"] = [prompt.name for prompt in genai.search_prompts(filter_string="name LIKE 'gr%'")]
told["models"] = [model.name for model in client.search_registered_models()]
for make in (lambda: client.create_registered_model("greet"), lambda: client.create_prompt("greet")):
    try:
        make()
    except mlflow.exceptions.MlflowException as taken:
        told.setdefault("taken", []).append(taken.message.split(":", 1)[-1].strip()[:50])
genai.delete_prompt_alias("greet", "prod")
for version in ("1", "2"):
    client.delete_prompt_version("greet", version)
client.delete_prompt("greet")
told["left"] = [prompt.name for prompt in genai.search_prompts()]
print("TOLD" + json.dumps(told))
"""

WEBHOOKS = """
import json, sys
import mlflow
from mlflow import MlflowClient

mlflow.set_tracking_uri(sys.argv[1].split("|")[0])
client = MlflowClient()
told = {}
url = sys.argv[1].split("|")[1]
events = ["registered_model.created", "model_version_alias.created", "prompt_version.created"]
hook = client.create_webhook("ci", url, events, description="d", secret="s3cret")
told["made"] = [hook.name, str(hook.status), hook.description, hook.secret, sorted(map(str, hook.events))]
tried = client.test_webhook(hook.webhook_id, "prompt_version.created")
told["tried"] = [tried.success, tried.response_status, tried.response_body]
client.create_registered_model("churn")
client.create_model_version("churn", "s3://bucket/churn", await_creation_for=0)
client.set_registered_model_alias("churn", "live", "1")
mlflow.genai.register_prompt("greet", "Hello {{name}}")
changed = client.update_webhook(hook.webhook_id, name="ci-2", events=["prompt.created"])
told["changed"] = [changed.name, [str(event) for event in changed.events]]
told["listed"] = [each.name for each in client.list_webhooks(max_results=1)]
for broken in (lambda: client.create_webhook("ci", "https://127.0.0.1.nip/", events), lambda: client.get_webhook("no")):
    try:
        broken()
    except mlflow.exceptions.MlflowException as refused:
        told.setdefault("refused", []).append(refused.error_code)
print("TOLD" + json.dumps(told))
"""


def test_prompts_are_registered_loaded_searched_and_deleted(tmp_path: Path) -> None:
    server = RunningServer(tmp_path / "home")
    told = run(PROMPTS, server.url, tmp_path)
    server.stop()
    expected: dict[str, Any] = {
        "versions": [1, 1, 2],
        "formatted": "Hello Ana",
        "chat": [{"role": "system", "content": "You are brief"}, {"role": "user", "content": "why?"}],
        "response": {"type": "object"},
        "config": {"model_name": "m", "temperature": 0.5},
        "missing": None,
        "texts": ["first", {"a": "1"}, "1"],
        "tags": ["crm", "yes"],
        "found": ["chat", "greet"],
        "filtered": ["greet"],
        "models": [],
        "taken": ["Tried to create a registered model with name 'gree", "Prompt (name=greet) already exists."],
        "left": ["chat"],
    }
    assert told == expected


def test_a_webhook_is_made_tried_changed_and_told_over_tls(tmp_path: Path) -> None:
    with receiving(tls=True) as receiver:
        allow = receiver.url.removeprefix("https://")
        server = RunningServer(tmp_path / "home", "--outbound-allow", allow, "--outbound-ca-file", str(CERTIFICATE))
        told = run(WEBHOOKS, f"{server.url}|{receiver.url}/in", tmp_path)
        receiver.wait(4)
        server.stop()
    events = ["model_version_alias.created", "prompt_version.created", "registered_model.created"]
    assert told == {
        "made": ["ci", "ACTIVE", "d", None, events],
        "tried": [True, 200, "ok"],
        "changed": ["ci-2", ["prompt.created"]],
        "listed": ["ci-2"],
        "refused": ["INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"],
    }
    bodies = [json.loads(body) for _, _, body in receiver.got]
    heard = sorted((body["entity"], body["data"]["name"]) for body in bodies)
    assert heard == [
        ("model_version_alias", "churn"),
        ("prompt_version", "example_prompt"),
        ("prompt_version", "greet"),
        ("registered_model", "churn"),
    ]
