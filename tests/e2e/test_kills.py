"""kill -9 of the server at random moments of the demo: nothing that was acknowledged is lost, and the loop goes on."""

import json
import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import airside
from airside.data.operations.versions import ListDatasetVersions
from airside.monitoring.operations.windows import ListWindows
from airside.pipelines.operations.runs import ListRuns
from airside.platform.house import VerifyAudit
from airside.registry.operations.versions import SearchVersions
from airside.serving.operations.rollouts import ListRollouts
from airside.tracking.operations.runs import SearchRuns

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

KILLS = 20
PAUSE_S = (1.0, 7.0)


def test_twenty_kills_in_one_run_of_the_loop(tmp_path: Path) -> None:
    home = tmp_path / "home"
    story = tmp_path / "story.json"
    command = [
        sys.executable,
        "-m",
        "airside",
        "demo",
        "--exit",
        "--port",
        "0",
        "--home",
        str(home),
        "--json",
        str(story),
    ]
    with (tmp_path / "told").open("wb") as told:
        demo = subprocess.Popen(command, stdout=told, stderr=subprocess.STDOUT)
        kills = _kill(home, demo, random.Random(7))
        code = demo.wait(timeout=700)
    text = (tmp_path / "told").read_text("utf-8")
    assert code == 0, text[-4000:]
    assert kills == KILLS
    figures = json.loads(story.read_bytes())
    with airside.open(home) as client:
        assert client.call(VerifyAudit()).holds
        assert {run.state for run in client.call(ListRuns(max_results=100)).items} == {"succeeded"}
        versions = [version.version for version in client.call(SearchVersions()).items]
        assert sorted(versions) == list(range(1, len(versions) + 1))
        assert {rollout.state for rollout in client.call(ListRollouts(endpoint="employment")).items} == {
            "promoted",
            "rolled_back",
        }
        tracked = client.call(SearchRuns(experiment_ids=_experiments(client), filter="attributes.status = 'RUNNING'"))
        assert tracked.items == ()
        # Every record that the story was told of is there.
        known = {version.id for version in client.call(ListDatasetVersions(name="people")).items}
        known |= {
            window.window_id for window in client.call(ListWindows(monitor="employment-inputs", max_results=200)).items
        }
        named = {one["id"] for one in figures if one["kind"] in ("dataset_version", "window")}
        assert named <= known


def _kill(home: Path, demo: "subprocess.Popen[bytes]", chance: random.Random) -> int:
    """Kill the server, again and again, at moments that chance chooses; how often it was hit."""
    hit = 0
    while hit < KILLS and demo.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            demo.wait(chance.uniform(*PAUSE_S))
            break
        with suppress(OSError, ValueError, ProcessLookupError):
            pid = json.loads((home / "run" / "server.json").read_text("utf-8"))["pid"]
            os.kill(pid, signal.SIGKILL)
            hit += 1
            (home / "run" / "server.json").unlink()  # the next one writes it anew: never kill the same twice
    return hit


def _experiments(client: airside.Client) -> tuple[str, ...]:
    from airside.tracking.operations.experiments import SearchExperiments

    return tuple(item.experiment_id for item in client.call(SearchExperiments(max_results=100)).items)
