"""What the pages tell the reader to do can be done, as it stands there."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from tests.conftest import free_port
from tests.docs.pages import follow

from airside.client.cli.demo.telling import Figure

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]
_OLD_STORE = """
import mlflow
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("churn")
for depth in (2, 4):
    with mlflow.start_run(run_name=f"depth {depth}"):
        mlflow.log_param("depth", depth)
        for step in range(3):
            mlflow.log_metric("loss", 1 / (depth + step), step=step)
"""


def test_the_tutorial_and_its_monitor_can_be_followed_to_their_end(tmp_path: Path) -> None:
    said = follow(["tutorial.md", "how-to/watch-an-endpoint.md"], tmp_path, dict(os.environ), port=free_port())

    assert "labels equal on 212 golden rows" in said
    assert "3 of 3 were right" in said
    assert "computed again: the same bits" in said
    assert "june flagged: ('mean_radius'" in said
    assert "mean_radius 71.4 above the reference's maximum 28.11" in said
    assert "569 rows labelled" in said


def test_a_pipeline_is_written_run_and_triggered_by_data(tmp_path: Path) -> None:
    said = follow(["how-to/write-a-pipeline.md"], tmp_path, dict(os.environ), port=free_port())

    assert "succeeded best depth:" in said
    assert "started by: flowers@2 was added -> succeeded" in said
    assert "load succeeded computed\n" in said
    assert "load, against the first run: ('argument:version',)" in said
    assert "score[2] succeeded from the cache again" in said
    assert "score[3] succeeded computed again" in said


def test_a_token_is_asked_for_and_answered_by_its_role(tmp_path: Path) -> None:
    said = follow(["how-to/put-a-token-in-front.md"], tmp_path, dict(os.environ), port=free_port())

    assert "without a token: A token is needed." in said
    assert "a viewer: This needs the right experiment:write" in said


def test_runs_move_from_a_store_of_mlflow(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _OLD_STORE], cwd=tmp_path, check=True, capture_output=True)

    said = follow(["how-to/move-from-mlflow.md"], tmp_path, dict(os.environ), port=free_port())

    assert "runs: 2 there, 2 here" in said
    assert "is here, equal, after" in said


def test_a_version_is_approved_refused_and_rolled_back(tmp_path: Path) -> None:
    said = follow(["how-to/approve-and-roll-back.md"], tmp_path, dict(os.environ), port=free_port())

    assert "refused: The alias 'champion' cannot move to 'churn@2'. It lacks the approval of 'bo'." in said
    assert "'churn@champion' names version 1 again; it named 2." in said.replace("\n", " ")
    assert "'churn@champion' names version 3; it named 1." in said.replace("\n", " ")
    assert "approved → revoked" in said


def test_a_receiver_hears_what_happens_and_knows_who_says_so(tmp_path: Path) -> None:
    said = follow(["how-to/tell-others-by-webhook.md"], tmp_path, dict(os.environ), port=free_port())

    assert "signed: True model_version created example_model" in said
    assert "the trial: True" in said
    assert "signed: True registered_model created churn" in said
    assert "delivered" in said


def test_the_figures_of_a_story_are_read(tmp_path: Path) -> None:
    figures = [
        Figure(step=2, name="auc.boosting", value=0.789, low=0.781, high=0.797, n=5_000, kind="run", id="r1"),
        Figure(step=5, name="alert.columns", value="ANC", kind="alert", id="al-1"),
    ]
    (tmp_path / "story.json").write_bytes(msgspec.json.encode(figures))

    said = follow(["how-to/read-the-story.md"], tmp_path, dict(os.environ), port=5000)

    assert " 2  auc.boosting             0.789 [0.781, 0.797]  run r1" in said
    assert " 5  alert.columns            ANC  alert al-1" in said
