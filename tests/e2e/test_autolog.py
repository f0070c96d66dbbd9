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
import sys
import airside
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

x, y = load_iris(return_X_y=True)
if "before" in sys.argv:
    import mlflow
with airside.start_run("sklearn") as run:
    import mlflow
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
    with airside.start_run("failed") as failed:
        mlflow.log_metric("fluent", 1.0)
        raise ValueError("on purpose")
except ValueError:
    pass
print(run.run_id, child.run_id, failed.run_id)
"""
ELSEWHERE = """
import airside, mlflow
mlflow.set_tracking_uri("sqlite:///elsewhere.db")
with airside.start_run("ours") as run:
    assert mlflow.active_run() is None
print(run.run_id)
"""


def ran(folder: Path, server: RunningServer, code: str, *arguments: str) -> tuple[list[str], str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRSIDE_", "MLFLOW_"))}
    ours = {"AIRSIDE_URL": server.url, "AIRSIDE_HOME": str(folder / "client"), "AIRSIDE_EXPERIMENT": "autologged"}
    (folder / "script.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "script.py", *arguments],
        cwd=folder,
        env={**kept, **ours, "PYTHONPATH": str(Path(airside.__file__).parents[1]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), done.stderr


@pytest.mark.parametrize("order", ["before", "inside"])
def test_autologging_logs_into_our_run_and_leaves_its_end_to_us(
    server: RunningServer, tmp_path: Path, order: str
) -> None:
    for package in ("mlflow", "sklearn", "xgboost"):
        pytest.importorskip(package)
    ids, said = ran(tmp_path, server, SCRIPT, order)
    client = airside.connect(server.url)
    runs: list[Run] = [client.call(GetRun(run_id=RunId(one))) for one in ids]
    above, child, failed = runs
    assert {param.key for param in above.params} >= {"C", "max_iter", "after the child"}
    assert {metric.key for metric in above.metrics} >= {"mine", "fluent", "training_score"}
    assert {param.key for param in child.params} >= {"max_depth", "objective"}
    assert [run.info.status for run in runs] == ["FINISHED", "FINISHED", "FAILED"]
    assert [metric.key for metric in failed.metrics] == ["fluent"]
    found = client.call(SearchRuns(experiment_ids=(above.info.experiment_id,))).items
    assert {run.info.run_id for run in found} == set(ids)
    assert "not logged into" not in said


def test_a_tracking_address_that_somebody_has_set_is_left_alone(server: RunningServer, tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    (run_id,), said = ran(tmp_path, server, ELSEWHERE)
    assert "mlflow's own calls go to sqlite:///elsewhere.db" in said
    assert airside.connect(server.url).call(GetRun(run_id=RunId(run_id))).info.status == "FINISHED"
