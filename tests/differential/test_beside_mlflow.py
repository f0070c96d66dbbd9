"""The same requests to a real `mlflow server` and to ours: every difference is one that docs/deviations.md names."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import RunningServer
from tests.differential.known import differences
from tests.differential.listed import LISTED
from tests.differential.peers import HAS_MLFLOW, MlflowServer, Step, Wire
from tests.differential.record import read
from tests.differential.symbols import Side

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not HAS_MLFLOW, reason="needs mlflow for its server: pip install 'airside[mlflow]'"),
]
GENERATED = {name: [exchange.step for exchange in told] for name, told in read().items() if name not in LISTED}
_numbers = itertools.count()


@pytest.fixture(scope="module")
def wires(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Wire, Wire]]:
    theirs = MlflowServer(tmp_path_factory.mktemp("mlflow"))
    ours = RunningServer(tmp_path_factory.mktemp("airside"))
    opened = theirs.wire(), Wire(ours.port, Path.cwd())
    yield opened
    for wire in opened:
        wire.close()
    ours.stop()
    theirs.stop()


def compared(wires: tuple[Wire, Wire], steps: list[Step]) -> list[str]:
    theirs, ours = (Side(wire) for wire in wires)
    return differences((step, theirs.ask(step), ours.ask(step)) for step in steps)


@pytest.mark.parametrize("name", LISTED)
def test_listed_sessions_are_answered_alike(name: str, wires: tuple[Wire, Wire]) -> None:
    assert compared(wires, LISTED[name](f"{name}{next(_numbers)}")) == []


@pytest.mark.parametrize("name", GENERATED)
def test_generated_sessions_are_answered_alike(name: str, wires: tuple[Wire, Wire]) -> None:
    assert compared(wires, GENERATED[name]) == []
