"""A crowd of clients, a tenth of `bench/crowd.py`: no error, and afterwards every acknowledged value is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.crowd import stormed, written
from tests.conftest import RunningServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def running(tmp_path: Path, database_url: str) -> Iterator[RunningServer]:
    flags = ("--database", database_url) if database_url else ()
    server = RunningServer(tmp_path / "home", *flags)
    yield server
    server.stop()


def test_many_write_while_some_search(running: RunningServer) -> None:
    errors, told = written(running.port, seconds=6, writers=32, searchers=4)

    assert errors == []
    assert told["runs/log-metric 200"] > 0
    assert told["runs/search 200"] > 0


def test_five_hundred_clients_at_once(running: RunningServer) -> None:
    assert stormed(running.port, 500)[0] == []
