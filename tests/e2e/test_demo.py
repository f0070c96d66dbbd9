"""The whole loop, by the real command: every link works, its figures agree with what was measured on these data."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MEASURED = {
    # step, figure: value measured beforehand, how far a run may be from it (two standard errors, both runs)
    (2, "auc.tree"): (0.773, 0.012),
    (2, "auc.logistic"): (0.846, 0.012),
    (2, "auc.forest"): (0.854, 0.012),
    (2, "auc.boosting"): (0.855, 0.012),
    (2, "accuracy.boosting"): (0.789, 0.012),
    (2, "log_loss.boosting"): (0.454, 0.012),
    (5, "accuracy.2016-05"): (0.791, 0.02),
    (7, "gate.calibration"): (-0.062, 0.015),
    (7, "gate.log_loss.champion"): (0.023, 0.010),
    (9, "accuracy.2018-04-injected"): (0.785, 0.02),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, str], dict[str, object]]:
    """The figures of one telling, by step and name."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "airside", "demo", "--exit", "--port", "0", "--home", str(folder / "home")]
    done = subprocess.run(
        [*command, "--json", str(folder / "story.json")], capture_output=True, text=True, timeout=800, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "injected:" in done.stdout
    figures = json.loads((folder / "story.json").read_bytes())
    return {(one["step"], one["name"]): one for one in figures}


@pytest.mark.parametrize(("key", "expected"), MEASURED.items())
def test_a_figure_agrees_with_what_was_measured(
    told: dict[tuple[int, str], dict[str, float]], key: tuple[int, str], expected: tuple[float, float]
) -> None:
    assert told[key]["value"] == pytest.approx(expected[0], abs=expected[1])
    assert told[key]["id"]


def test_the_windows_flag_what_really_drifts(told: dict[tuple[int, str], dict[str, str]]) -> None:
    flagged = {name: figure["value"] for (_, name), figure in told.items() if name.startswith("flagged.")}
    assert flagged["flagged.2016-02"] == flagged["flagged.2016-04"] == flagged["flagged.2016-05"] == "ANC"
    assert flagged["flagged.2016-03"] == ""
    assert told[(6, "flagged_batches")]["value"] == "2: ANC; 7: ANC; 12: ANC"


def test_every_rollout_and_gate_ended_as_it_must(told: dict[tuple[int, str], dict[str, str]]) -> None:
    ends = {(step, name): figure["value"] for (step, name), figure in told.items() if name in ("gate", "rollout")}
    assert ends == {
        (3, "gate"): "pass",
        (4, "rollout"): "promoted",
        (6, "gate"): "pass",
        (6, "rollout"): "promoted",
        (7, "gate"): "fail",
        (8, "gate"): "pass",
        (8, "rollout"): "rolled_back",
    }


def test_a_table_of_another_kind_is_refused_in_words(tmp_path: Path) -> None:
    table = tmp_path / "other.csv"
    table.write_text("a,b\n1,2\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "airside",
            "demo",
            "--exit",
            "--port",
            "0",
            "--home",
            str(tmp_path / "h"),
            "--table",
            str(table),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot be read as Parquet" in " ".join((done.stdout + done.stderr).split())
