"""Writes down what a real `mlflow server` answers, for the part of the comparison that needs none.

python -m tests.differential.record [SESSIONS]
"""

import gzip
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from tests.differential.listed import LISTED
from tests.differential.making import sessions
from tests.differential.peers import Answered, MlflowServer, Step
from tests.differential.symbols import Side

RECORDED = Path(__file__).parent / "recorded.json.gz"


class Exchange(msgspec.Struct, frozen=True):
    """A request with symbols, and MLflow's answer with symbols."""

    step: Step
    theirs: Answered


def made(count: int, chance: int) -> list[list[Step]]:
    """So many sessions, drawn with this seed.

    What is drawn also hangs on Hypothesis's version and on what is imported: sessions that must stay are written down.
    """
    every: list[list[Step]] = []

    @seed(chance)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def collect(data: Any) -> None:
        every.append(data.draw(sessions(f"g{len(every)}")))

    collect()
    return every[:count]


def read() -> dict[str, list[Exchange]]:
    """The sessions that were written down, by name: the listed ones, and those that chance made (`g0`, `g1`, …)."""
    return msgspec.json.decode(gzip.decompress(RECORDED.read_bytes()), type=dict[str, list[Exchange]])


def main(count: int) -> None:
    """Ask a real server all sessions, and write its answers down."""
    wanted = {name: make(name) for name, make in LISTED.items()}
    wanted |= {f"g{number}": steps for number, steps in enumerate(made(count, 0))}
    with tempfile.TemporaryDirectory() as folder:
        server = MlflowServer(Path(folder))
        try:
            wire = server.wire()
            told: dict[str, list[Exchange]] = {}
            for name, steps in wanted.items():
                side = Side(wire)
                told[name] = [Exchange(step, side.ask(step)) for step in steps]
            wire.close()
        finally:
            server.stop()
    RECORDED.write_bytes(gzip.compress(msgspec.json.encode(told), mtime=0))
    sys.stdout.write(f"{sum(map(len, told.values()))} answers, {RECORDED.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 120)
