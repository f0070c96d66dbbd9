"""Schemathesis reads our OpenAPI and asks every operation what it may be asked, some thousands of times."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import RunningServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(importlib.util.find_spec("schemathesis") is None, reason="schemathesis is not installed"),
]
EXAMPLES = 20
"""For each of some two hundred operations."""
NOT_YET = "/api/v1/deliveries.complete"
"""It answers 503 on purpose while rows of the delivery are under way."""


def test_no_request_that_the_schema_allows_makes_the_server_fail(tmp_path: Path) -> None:
    server = RunningServer(tmp_path / "home")
    command = ["-m", "schemathesis.cli", "run", f"{server.url}/api/openapi.json", "--checks", "not_a_server_error"]
    how = ["--phases", "fuzzing", "--max-examples", str(EXAMPLES), "--exclude-path", NOT_YET, "--no-color"]
    try:
        done = subprocess.run(
            [sys.executable, *command, *how], cwd=tmp_path, capture_output=True, text=True, timeout=2900, check=False
        )
    finally:
        server.stop()

    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]
