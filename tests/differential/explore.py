"""Asks a real `mlflow server` and ours new sessions, and prints each difference that docs/deviations.md does not name.

python -m tests.differential.explore [SESSIONS [SEED]]
"""

import sys
import tempfile
from pathlib import Path

from tests.conftest import RunningServer
from tests.differential.known import differences
from tests.differential.peers import MlflowServer, Wire
from tests.differential.record import made
from tests.differential.symbols import Side


def main(count: int, chance: int) -> int:
    """Compare; the exit code is 1 where something differs."""
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        theirs = MlflowServer(Path(folder) / "theirs")
        ours = RunningServer(Path(folder) / "ours")
        wires = theirs.wire(), Wire(ours.port, Path.cwd())
        for number, steps in enumerate(made(count, chance)):
            left, right = (Side(wire) for wire in wires)
            for text in differences((step, left.ask(step), right.ask(step)) for step in steps):
                found += 1
                sys.stdout.write(f"session {number}: {text}\n\n")
        for wire in wires:
            wire.close()
        ours.stop()
        theirs.stop()
    sys.stdout.write(f"{count} sessions of seed {chance}: {found} differences\n")
    return 1 if found else 0


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    sys.exit(main(*(numbers + [100, 1][len(numbers) :])))
