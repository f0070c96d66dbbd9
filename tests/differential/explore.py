"""Asks a real `mlflow server` and ours new sessions, and prints each difference that docs/deviations.md does not name.

python -m tests.differential.explore [SESSIONS [SEED]]   sessions that Hypothesis draws
python -m tests.differential.explore shapes              each field with what it should not be
"""

import sys
import tempfile
from pathlib import Path

from tests.conftest import RunningServer
from tests.differential.known import differences
from tests.differential.peers import MlflowServer, Step, Wire
from tests.differential.record import made
from tests.differential.shapes import session
from tests.differential.symbols import Side


def main(sessions: list[list[Step]], *, alone: bool) -> int:
    """Compare; the exit code is 1 where something differs. Steps `alone` are compared whatever came of others."""
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        theirs = MlflowServer(Path(folder) / "theirs")
        ours = RunningServer(Path(folder) / "ours")
        wires = theirs.wire(), Wire(ours.port, Path.cwd())
        for number, steps in enumerate(sessions):
            left, right = (Side(wire) for wire in wires)
            asked = ((step, left.ask(step), right.ask(step)) for step in steps)
            for part in ([one] for one in asked) if alone else (asked,):
                for text in differences(part):
                    found += 1
                    sys.stdout.write(f"session {number}: {text}\n\n")
        for wire in wires:
            wire.close()
        ours.stop()
        theirs.stop()
    sys.stdout.write(f"{len(sessions)} sessions, {sum(map(len, sessions))} requests: {found} differences\n")
    return 1 if found else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["shapes"]:
        sys.exit(main([session("shapes")], alone=True))
    numbers = [int(text) for text in sys.argv[1:]]
    sys.exit(main(made(*(numbers + [100, 1][len(numbers) :])), alone=False))
