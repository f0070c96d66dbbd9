"""A client that is told to come again, and does: whatever it was that it asked, it asks until it is answered.

Each time that it is sent away it leaves a mark in the file that its second argument names. Before some calls it says
that it is ready, and waits until it may go on: the crowd comes meanwhile.
"""

import logging
import sys
import tempfile
import time
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param

ROUNDS = 8
BEFORE = ("run", "batch", "file", "version")
"""The calls that meet the crowd, one in each second round."""
MARKS = Path(sys.argv[2])


class Marking(logging.Handler):
    """Sees what urllib3 says of each answer."""

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple) and {429, 503} & set(record.args):
            with MARKS.open("a", encoding="utf-8") as file:
                file.write("x")


heard = logging.getLogger("urllib3.connectionpool")
heard.setLevel(logging.DEBUG)
heard.addHandler(Marking())
heard.propagate = False


def ready(number: int, call: str) -> None:
    """Wait for the crowd, where it is this call's turn to meet it."""
    if number % 2 or BEFORE[number // 2] != call:
        return
    MARKS.with_name(f"ready-{call}").touch()
    while not MARKS.with_name(f"go-{call}").exists():
        time.sleep(0.01)


mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient()
made = client.create_experiment("patience")
client.create_registered_model("patient")
runs = []
for number in range(ROUNDS):
    ready(number, "run")
    run = client.create_run(made, run_name=f"run {number}")
    run_id = run.info.run_id
    runs.append(run_id)
    client.log_param(run_id, "number", number)
    ready(number, "batch")
    client.log_batch(
        run_id, metrics=[Metric("loss", step / 7, 1000 + step, step) for step in range(50)], params=[Param("p", "1")]
    )
    client.log_metric(run_id, "auc", number / ROUNDS)
    client.set_tag(run_id, "round", str(number))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "weights.bin").write_bytes(bytes([number]) * 300_000)
        ready(number, "file")
        client.log_artifact(run_id, str(Path(folder, "weights.bin")), "model")
    ready(number, "version")
    client.create_model_version("patient", "s3://bucket/model", run_id)
    client.set_terminated(run_id)

found = client.search_runs([made], order_by=["attributes.start_time ASC"])
assert sorted(run.info.run_id for run in found) == sorted(runs), "a run was lost, or made twice"
versions = client.search_model_versions("name = 'patient'")
assert sorted(int(version.version) for version in versions) == list(range(1, ROUNDS + 1)), versions
assert {version.run_id for version in versions} == set(runs)
for number, run_id in enumerate(runs):
    got = client.get_run(run_id)
    assert (got.info.status, got.data.params) == ("FINISHED", {"number": str(number), "p": "1"})
    assert (got.data.metrics["auc"], got.data.tags["round"]) == (number / ROUNDS, str(number))
    assert [point.step for point in client.get_metric_history(run_id, "loss")] == list(range(50))
    with tempfile.TemporaryDirectory() as folder:
        kept = mlflow.artifacts.download_artifacts(f"runs:/{run_id}/model/weights.bin", dst_path=folder)
        assert Path(kept).read_bytes() == bytes([number]) * 300_000
