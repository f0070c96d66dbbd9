"""A server answers as MLflow's did when its answers were written down (tests/differential/record.py)."""

from collections.abc import Iterator

import pytest
from tests.conftest import RunningServer
from tests.differential.known import KNOWN, differences
from tests.differential.peers import Wire
from tests.differential.record import read
from tests.differential.symbols import Side
from tests.docs.pages import ROOT

RECORDED = read()


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    running = RunningServer(tmp_path_factory.mktemp("recorded"))
    opened = Wire(running.port)
    yield opened
    opened.close()
    running.stop()


@pytest.mark.parametrize("name", RECORDED)
def test_the_answers_are_mlflows(name: str, wire: Wire) -> None:
    ours = Side(wire)

    found = differences((exchange.step, exchange.theirs, ours.ask(exchange.step)) for exchange in RECORDED[name])

    assert found == []


def test_a_difference_that_is_meant_stands_on_the_page() -> None:
    page = (ROOT / "docs" / "deviations.md").read_text("utf-8")

    assert [row for row, _ in KNOWN if f"| {row}" not in page] == []
