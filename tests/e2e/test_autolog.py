"""The unmodified `mlflow` inside a run of ours: autologging and fluent calls log into the same run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import RunningServer

import airside
from airside.core.ids import RunId
from airside.tracking.operations.runs import GetRun, SearchRuns
from airside.tracking.records import Run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SCRIPT = """
import airside
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

x, y = load_iris(return_X_y=True)
with airside.start_run("sklearn") as run:
    import mlflow  # joins when it is imported
    mlflow.autolog(silent=True, log_models=False)
    run.log(mine=1.0)
    LogisticRegression(max_iter=300).fit(x, y)
    mlflow.log_metric("fluent", 3.0)
    with airside.start_run("xgboost", nested=True) as child:
        import xgboost
        xgboost.XGBClassifier(n_estimators=3, max_depth=2).fit(x, y)
    mlflow.log_param("after the child", "mine")
    assert mlflow.active_run().info.run_id == run.run_id
assert mlflow.active_run() is None
try:
    with airside.start_run("failed") as failed:  # joins at once
        mlflow.log_metric("fluent", 1.0)
        raise ValueError("on purpose")
except ValueError:
    pass
mlflow.set_tracking_uri("sqlite:///elsewhere.db")
with airside.start_run("elsewhere") as elsewhere:
    assert mlflow.active_run() is None
print(run.run_id, child.run_id, failed.run_id, elsewhere.run_id)
"""


def test_mlflow_logs_into_our_run_and_leaves_its_end_to_us(server: RunningServer, tmp_path: Path) -> None:
    for package in ("mlflow", "sklearn", "xgboost"):
        pytest.importorskip(package)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRSIDE_", "MLFLOW_"))}
    ours = {"AIRSIDE_URL": server.url, "AIRSIDE_HOME": str(tmp_path / "client"), "AIRSIDE_EXPERIMENT": "autologged"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        cwd=tmp_path,
        env={**kept, **ours, "PYTHONPATH": str(Path(airside.__file__).parents[1]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    client = airside.connect(server.url)
    runs: list[Run] = [client.call(GetRun(run_id=RunId(one))) for one in done.stdout.split()]
    above, child, failed, elsewhere = runs
    assert {param.key for param in above.params} >= {"C", "max_iter", "after the child"}
    assert {metric.key for metric in above.metrics} >= {"mine", "fluent", "training_score"}
    assert {param.key for param in child.params} >= {"max_depth", "objective"}
    assert [run.info.status for run in runs] == ["FINISHED", "FINISHED", "FAILED", "FINISHED"]
    assert [metric.key for metric in failed.metrics] == ["fluent"]
    found = client.call(SearchRuns(experiment_ids=(above.info.experiment_id,))).items
    assert {run.info.run_id for run in found} == {run.info.run_id for run in runs}
    assert elsewhere.info.name == "elsewhere"
    assert done.stderr.count("mlflow's own calls go to sqlite:///elsewhere.db") == 1
