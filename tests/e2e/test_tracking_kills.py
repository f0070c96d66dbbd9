"""kill -9 under load, a tenth of `bench/kills.py`: nothing acknowledged is lost, nothing is half there."""

from pathlib import Path

import pytest
from bench.kills import killed
from tests.conftest import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

KILLS = 20


def test_kills_under_load_lose_nothing_and_tear_nothing(tmp_path: Path, database_url: str) -> None:
    wrong, done = killed(tmp_path / "home", free_port(), KILLS, database=database_url, seed=7)

    assert wrong == []
    assert done["batches"] >= KILLS // 2  # every other kill waits for the first answer
