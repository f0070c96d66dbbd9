"""Unmodified `mlflow` clients, of this environment and of 2.22, in real flows against a running server.

The flows stand in `flows/`, one script each, and judge for themselves.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import RunningServer

FLOWS = Path(__file__).parent / "flows"
OLD = "mlflow==2.22.5"
OLD_NEEDS = (
    OLD,
    "scikit-learn",
    "xgboost",
    "lightgbm",
    "optuna",
    "optuna-integration",
    "matplotlib",
    "psutil",
    "setuptools<81",
)
NEEDS = {
    "runs": ("mlflow", "pandas", "matplotlib"),
    "registry": ("mlflow",),
    "models": ("mlflow", "sklearn", "pandas"),
    "boosting": ("mlflow", "sklearn", "xgboost", "lightgbm", "optuna"),
    "command": ("mlflow",),
    "traces": ("mlflow", "pandas"),
}
NEW = {"traces"}
"""Flows that the client 2.22 has no words for."""
QUIET = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    "OMP_NUM_THREADS": "1",
    "TQDM_DISABLE": "1",
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


def follow(python: str, flow: str, folder: Path) -> None:
    """Follow a flow to its end in an empty folder; what it says when it fails is the test's text."""
    work = folder / "work"
    work.mkdir()
    server = RunningServer(folder / "home")
    try:
        done = subprocess.run(
            [python, "-W", "ignore", str(FLOWS / f"{flow}.py"), server.url],
            cwd=work,
            env={**os.environ, **QUIET},
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )
    finally:
        server.stop()
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-4000:]


@pytest.mark.parametrize("flow", NEEDS)
def test_the_client_of_this_environment_follows_the_flow(flow: str, tmp_path: Path) -> None:
    absent = [name for name in NEEDS[flow] if importlib.util.find_spec(name) is None]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    follow(sys.executable, flow, tmp_path)


@pytest.fixture(scope="module")
def old_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter with the client 2.22: the one that MLFLOW_2_PYTHON names, or one made by pip."""
    if named := os.environ.get("MLFLOW_2_PYTHON"):
        return named
    folder = tmp_path_factory.mktemp("old")
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    made = subprocess.run(
        [str(python), "-m", "pip", "install", "-q", *OLD_NEEDS],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip(f"{OLD} cannot be installed here: {made.stderr[-300:]}")
    return str(python)


@pytest.mark.parametrize("flow", [flow for flow in NEEDS if flow not in NEW])
def test_the_client_of_2_22_follows_the_flow(flow: str, old_python: str, tmp_path: Path) -> None:
    follow(old_python, flow, tmp_path)
