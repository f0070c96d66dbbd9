"""Hostile input, a tenth of what `bench/fuzz.py` sends: no 5xx, no hang, MLflow's JSON, nothing told of the inside."""

from pathlib import Path

import pytest
from bench.fuzz import fuzz
from tests.conftest import RunningServer


@pytest.mark.timeout(300)
def test_whatever_is_sent_is_answered_with_words(tmp_path: Path) -> None:
    server = RunningServer(tmp_path / "home")
    try:
        failures, statuses = fuzz(server.port, requests=500, seed=1)
    finally:
        server.stop()

    assert failures == []
    assert statuses["200"] > 20  # it was not all refused at the door
