"""A server answers as MLflow's did when its answers were written down (tests/differential/record.py)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import RunningServer
from tests.differential.known import KNOWN, differences
from tests.differential.peers import Wire
from tests.differential.record import Exchange, read
from tests.differential.symbols import Side
from tests.docs.pages import ROOT

RECORDED = read()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[str]]]:
    """What differs, session by session, asked in the order in which they were written down: they share a server."""
    running = RunningServer(tmp_path_factory.mktemp("recorded"))
    wire = Wire(running.port, Path.cwd())
    yield {name: _differing(exchanges, Side(wire)) for name, exchanges in RECORDED.items()}
    wire.close()
    running.stop()


def _differing(exchanges: list[Exchange], ours: Side) -> list[str]:
    return differences((exchange.step, exchange.theirs, ours.ask(exchange.step)) for exchange in exchanges)


@pytest.mark.parametrize("name", RECORDED)
def test_the_answers_are_mlflows(name: str, found: dict[str, list[str]]) -> None:
    assert found[name] == []


def test_a_difference_that_is_meant_stands_on_the_page() -> None:
    page = (ROOT / "docs" / "deviations.md").read_text("utf-8")

    assert [row for row, _ in KNOWN if f"| {row}" not in page] == []
