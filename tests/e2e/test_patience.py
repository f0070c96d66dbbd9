"""Unmodified clients of a server that has too much to do: they come again by themselves, and nothing is lost."""

import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.conftest import RunningServer

from airside.server.app import MAX_WORKING

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FLOW = Path(__file__).parent / "flows" / "patience.py"
HALF = (
    b"POST /api/2.0/mlflow/runs/search HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
)
"""A request whose body does not come: the server has it in hand."""
QUIET = {
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "OMP_NUM_THREADS": "1",
    "TQDM_DISABLE": "1",
}
CALLS = ("run", "batch", "file", "version")
STAYS_S = 15
"""Shorter than the server waits for the rest of a body."""


def marks(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def crowd(running: RunningServer, client: subprocess.Popen[str], file: Path, call: str) -> None:
    """Be as many as the server takes when the client makes a call, until it was sent away."""
    while client.poll() is None and not file.with_name(f"ready-{call}").exists():
        time.sleep(0.01)
    with ExitStack() as open_sockets:
        for _ in range(MAX_WORKING):
            one = open_sockets.enter_context(socket.create_connection(("127.0.0.1", running.port)))
            one.sendall(HALF)
        before, until = marks(file), time.monotonic() + STAYS_S
        file.with_name(f"go-{call}").touch()
        while client.poll() is None and marks(file) == before and time.monotonic() < until:
            time.sleep(0.01)


@pytest.mark.parametrize("python", [sys.executable, os.environ.get("MLFLOW_2_PYTHON", "")], ids=["here", "2.22"])
def test_a_client_that_is_sent_away_comes_again_and_loses_nothing(python: str, tmp_path: Path) -> None:
    if not python:
        pytest.skip("MLFLOW_2_PYTHON names no interpreter with the client 2.22")
    pytest.importorskip("mlflow")
    running = RunningServer(tmp_path / "home")
    file, said = tmp_path / "marks", tmp_path / "said"
    command = [python, "-W", "ignore", str(FLOW), running.url, str(file)]
    try:
        with (
            said.open("w") as out,
            subprocess.Popen(
                command, cwd=tmp_path, env=os.environ | QUIET, stdout=out, stderr=out, text=True
            ) as client,
        ):
            for call in CALLS:
                crowd(running, client, file, call)
    finally:
        running.stop()
    assert client.returncode == 0, said.read_text()[-3000:]
    assert marks(file) >= 1
