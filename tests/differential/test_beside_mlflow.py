"""The same requests to a real `mlflow server` and to ours: every difference is one that docs/deviations.md names."""

import itertools
from collections.abc import Iterator

import pytest
from tests.conftest import RunningServer
from tests.differential.known import differences
from tests.differential.listed import LISTED
from tests.differential.peers import HAS_MLFLOW, MlflowServer, Step, Wire
from tests.differential.record import made
from tests.differential.symbols import Side

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not HAS_MLFLOW, reason="needs mlflow for its server: pip install 'airside[mlflow]'"),
]
EXAMPLES = 120
_numbers = itertools.count()


@pytest.fixture(scope="module")
def generated() -> list[list[Step]]:
    """Sessions that are the same in every run."""
    return made(EXAMPLES)


@pytest.fixture(scope="module")
def wires(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Wire, Wire]]:
    theirs = MlflowServer(tmp_path_factory.mktemp("mlflow"))
    ours = RunningServer(tmp_path_factory.mktemp("airside"))
    opened = Wire(theirs.port), Wire(ours.port)
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


@pytest.mark.parametrize("number", range(EXAMPLES))
def test_generated_sessions_are_answered_alike(
    number: int, generated: list[list[Step]], wires: tuple[Wire, Wire]
) -> None:
    assert compared(wires, generated[number]) == []
