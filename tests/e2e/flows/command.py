"""The `mlflow` command line, where it speaks REST."""

import os
import subprocess
import sys
from pathlib import Path

import mlflow

uri = sys.argv[1]
mlflow.set_tracking_uri(uri)


def command(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "mlflow", *arguments],
        env={**os.environ, "MLFLOW_TRACKING_URI": uri},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (arguments, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


command("experiments", "create", "--experiment-name", "by command")
made = mlflow.get_experiment_by_name("by command").experiment_id
assert "by command" in command("experiments", "search", "--view", "all")
command("experiments", "rename", "--experiment-id", made, "--new-name", "renamed")
with mlflow.start_run(experiment_id=made, run_name="one") as run:
    mlflow.log_metric("m", 1.0)
run_id = run.info.run_id
Path("a.txt").write_text("hello", "utf-8")
command("artifacts", "log-artifact", "--local-file", "a.txt", "--run-id", run_id, "--artifact-path", "in")
assert "in/a.txt" in command("artifacts", "list", "--run-id", run_id, "--artifact-path", "in")
command("artifacts", "download", "--run-id", run_id, "--artifact-path", "in", "--dst-path", "got")
assert Path("got/in/a.txt").read_text("utf-8") == "hello"
assert run_id in command("runs", "list", "--experiment-id", made)
assert '"m"' in command("runs", "describe", "--run-id", run_id)
command("runs", "delete", "--run-id", run_id)
command("runs", "restore", "--run-id", run_id)
command("experiments", "csv", "--experiment-id", made, "--filename", "runs.csv")
assert run_id in Path("runs.csv").read_text("utf-8")
command("experiments", "delete", "--experiment-id", made)
command("experiments", "restore", "--experiment-id", made)
