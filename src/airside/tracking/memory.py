"""What the room remembers between operations: the numbers behind names and run ids, and loaded runs. All bounded.

Only what never changes is kept by name (the number of a key or of a run); a run's content is kept with its revision.
Thread safety: the writer and the readers share it; each step is one dictionary operation.
"""

from airside.core.operation import Context
from airside.tracking.records import Run

MAX_NUMBERS = 200_000
MAX_VALUES = 150_000
"""Metrics, parameters and tags in the loaded runs that are kept, all together: about 25 MB."""


class Memory:
    """The room's part of `ctx.memory`."""

    __slots__ = ("_held", "key_names", "key_numbers", "run_numbers", "runs")

    def __init__(self) -> None:
        self.key_numbers: dict[str, int] = {}
        self.key_names: dict[int, str] = {}
        self.run_numbers: dict[str, tuple[int, int]] = {}
        self.runs: dict[int, Run] = {}
        self._held = 0

    def learn_key(self, name: str, number: int) -> None:
        """Remember the number of a committed key."""
        if len(self.key_numbers) >= MAX_NUMBERS:
            self.key_numbers.clear()
            self.key_names.clear()
        self.key_numbers[name] = number
        self.key_names[number] = name

    def learn_run(self, run_id: str, number: int, experiment_no: int) -> None:
        """Remember the numbers of a committed run."""
        if len(self.run_numbers) >= MAX_NUMBERS:
            self.run_numbers.clear()
        self.run_numbers[run_id] = (number, experiment_no)

    def forget_run(self, run_id: str, number: int) -> None:
        """Forget a run that was removed for good."""
        self.run_numbers.pop(run_id, None)
        self.runs.pop(number, None)

    def keep(self, number: int, run: Run) -> None:
        """Keep a loaded run, in place of an older revision of it."""
        size = 10 + len(run.metrics) + len(run.params) + len(run.tags)
        if self._held + size > MAX_VALUES:
            self.runs.clear()
            self._held = 0
        self._held += size
        self.runs[number] = run


def memory_of(ctx: Context) -> Memory:
    """The room's memory in this platform."""
    found = ctx.memory.get("tracking")
    if found is None:
        found = ctx.memory.setdefault("tracking", Memory())
    memory: Memory = found
    return memory
