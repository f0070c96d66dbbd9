"""An unmodified `mlflow` client logs, registers, aliases and loads a model through a real server."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import RunningServer

import airside
from airside.core.ids import ModelName
from airside.registry.operations.models import RequireOfModel
from airside.registry.operations.versions import GetVersion

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="mlflow is not installed"),
]

SCRIPT = """
import json, sys
import mlflow
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression

mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient()
x, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
model = LogisticRegression().fit(x, y)
told = {}
with mlflow.start_run() as run:
    mlflow.log_metric("auc", 0.9)
    mlflow.log_text("hello", "notes/a.txt")
    logged = mlflow.sklearn.log_model(model, name="model", registered_model_name="churn", pip_requirements=[])
client.set_registered_model_alias("churn", "champion", "1")
uris = ("models:/churn@champion", "models:/churn/1", logged.model_uri, f"runs:/{run.info.run_id}/model")
told["predicted"] = [mlflow.pyfunc.load_model(uri).predict(x).tolist() for uri in uris]
told["text"] = mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/notes/a.txt")
told["metrics"] = [m.value for m in client.get_logged_model(logged.model_id).metrics]
told["outputs"] = [o.model_id == logged.model_id for o in client.get_run(run.info.run_id).outputs.model_outputs]
told["found"] = [v.version for v in client.search_model_versions("name = 'churn'")]
client.transition_model_version_stage("churn", "1", "Production", archive_existing_versions=True)
told["stages"] = [v.current_stage for v in client.get_latest_versions("churn")]
prompt = mlflow.genai.register_prompt("greeting", "Hello {{name}}")
told["prompt"] = mlflow.genai.load_prompt(f"prompts:/greeting/{prompt.version}").template
told["models"] = [m.name for m in client.search_registered_models()]
print("TOLD" + json.dumps(told))
"""

REFUSED = """
import sys
import mlflow
from mlflow import MlflowClient

mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient()
version = client.create_model_version("churn", "s3://bucket/model").version
try:
    client.set_registered_model_alias("churn", "champion", version)
except mlflow.exceptions.RestException as refused:
    print("TOLD" + '{"refused": "%s"}' % str(refused).replace('"', "'"))
"""


def run(script: str, url: str, folder: Path) -> Any:
    """What a script of a client tells, run in an empty folder."""
    quiet = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "OMP_NUM_THREADS": "1", "GIT_PYTHON_REFRESH": "quiet"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, url],
        cwd=folder,
        env={**os.environ, **quiet},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.partition("TOLD")[2].splitlines()[0])


def test_a_client_logs_registers_aliases_and_loads(tmp_path: Path) -> None:
    running = RunningServer(tmp_path / "home")
    try:
        told = run(SCRIPT, running.url, tmp_path)
        with airside.connect(running.url) as client:
            name = ModelName("churn")
            assert told == {
                "predicted": [[0, 0, 1, 1]] * 4,
                "text": "hello",
                "metrics": [0.9],
                "outputs": [True],
                "found": ["1"],
                "stages": ["Production"],
                "prompt": "Hello {{name}}",
                "models": ["churn"],
            }
            deadline = time.monotonic() + 20  # the files are copied by a reaction, after the answer
            while not (files := client.call(GetVersion(name=name, version=1)).files) and time.monotonic() < deadline:
                pass
            assert "MLmodel" in files
            client.call(RequireOfModel(name=name, gates=("quality",)))
        refused = run(REFUSED, running.url, tmp_path)["refused"]
        assert refused.startswith("RESOURCE_CONFLICT: The alias 'champion' cannot move to 'churn@2'.")
        assert "the verdict of the gate 'quality'" in refused
    finally:
        running.stop()
