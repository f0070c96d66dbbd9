"""Fills a tracking store through MLflow's own client, with some of everything. Runs under MLflow 2.22 and 3.x alike.

    python make_store.py URI [N_RUNS]

The dumps beside this file were made so, with `sqlite3 FILE .dump`: of the tables that an import reads.
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

sys.path.insert(0, str(Path(__file__).parents[3]))

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from tests.client.imports import make_traces

START = 1_700_000_000_000


def fill(uri: str, n_runs: int = 9) -> None:
    """Fill the store."""
    client = MlflowClient(uri, uri)
    experiments = ["0", client.create_experiment("churn", tags={"team": "fraud"}), client.create_experiment("ünï/cödé")]
    dead = client.create_experiment("dead")
    client.create_run(dead, run_name="buried")
    client.delete_experiment(dead)
    runs = [_run(client, experiments[number % 3], number) for number in range(n_runs)]
    if hasattr(client, "create_logged_model"):
        _logged_models(client, experiments[1], runs)
    _registry(client, runs, is_folder=uri.startswith("file:"))
    make_traces.fill(uri, experiments[1], runs[1])
    client.delete_run(runs[3])
    client.create_run("0", run_name="still running")


def _run(client: Any, experiment: str, number: int) -> str:
    run = client.create_run(experiment, start_time=START + number, tags={"nr": str(number)}, run_name=f"run {number}")
    run_id: str = run.info.run_id
    points = [Metric("loss", 1 / (step + 1), START + step, step) for step in range(20)]
    odd = [("bad", float("nan"), 1, 3), ("bad", 5.0, 1, 2), ("inf", float("inf"), 1, -1), ("sub/acc", 0.1 + 0.2, 2, 7)]
    points += [Metric(key, value, START + at, step) for key, value, at, step in odd]
    params = {"lr": f"{number / 10}", "long": "x" * 300, "lines": "a\nb", "quotes": 'it\'s "q"', "empty": ""}
    tags = [RunTag("a/b", "c"), RunTag("mlflow.user", "ana"), RunTag("note", "é" * 10)]
    client.log_batch(run_id, points, [Param(key, value) for key, value in params.items()], tags)
    if number % 2 == 0:
        data = Dataset("people", f"d{number % 4}", "local", '{"uri": "x.csv"}', '{"a": 1}', '{"rows": 4}')
        inputs = [DatasetInput(data, [InputTag("mlflow.data.context", "training"), InputTag("k", "v")])]
        client.log_inputs(run_id, inputs)
    with TemporaryDirectory() as folder:
        for name, text in (("hello.txt", f"hello {number}"), ("MLmodel", "flavors: {}\n")):
            Path(folder, name).write_text(text)
        client.log_artifacts(run_id, folder, "model" if number == 1 else "notes/deep")
    status = ("FINISHED", "FAILED", "KILLED")[number % 3]
    client.set_terminated(run_id, status, START + 1000 + number)
    return run_id


def _logged_models(client: Any, experiment: str, runs: list[str]) -> None:
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    for number in range(3):
        model = client.create_logged_model(
            experiment, f"model{number}", runs[1], {"t": "1"}, {"depth": str(number)}, "classifier"
        )
        client.log_outputs(runs[1], [LoggedModelOutput(model.model_id, number)])
        client.log_metric(
            runs[1], "auc", 0.5 + number / 10, START, number, model_id=model.model_id, dataset_name="people",
            dataset_digest="d0",
        )  # fmt: skip
        status = (LoggedModelStatus.READY, LoggedModelStatus.PENDING, LoggedModelStatus.FAILED)[number]
        if number != 1:
            client.finalize_logged_model(model.model_id, status)
    client.delete_logged_model(model.model_id)


def _registry(client: Any, runs: list[str], *, is_folder: bool) -> None:
    source = client.get_run(runs[1]).info.artifact_uri + "/model"
    client.create_registered_model("churn model", {"owner": "ana"}, "A **model**")
    for number in range(4):
        client.create_model_version("churn model", source, runs[1], {"n": str(number)}, description=f"v{number}")
    client.transition_model_version_stage("churn model", "1", "Production")
    client.transition_model_version_stage("churn model", "2", "Archived")
    client.set_registered_model_alias("churn model", "champion", "1")
    client.set_registered_model_alias("churn model", "best", "1")
    client.delete_model_version("churn model", "4")
    client.create_registered_model("empty")
    if not is_folder:
        client.register_prompt("hello", "Say hi to {{name}}", commit_message="first")
        client.register_prompt("hello", "Say hello to {{name}}")


if __name__ == "__main__":
    fill(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 9)
