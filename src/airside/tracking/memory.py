"""What the room remembers between operations: the numbers behind names and run ids, and loaded runs. All bounded.

Only what never changes is kept by name (the number of a key or of a run); a run's content is kept with its revision.
Thread safety: the writer and the readers share it; each step is one dictionary operation, or holds the lock.
"""

import threading

from airside.core.operation import Context
from airside.tracking.records import Run

MAX_NUMBERS = 200_000
MAX_SEEN = 1000
DEFAULT_BYTES = 64 << 20
BYTES_OF_RUN = 2600
BYTES_OF_VALUE = 250
BYTES_OF_CHARACTER = 3


class Memory:
    """The room's part of `ctx.memory`.

    Args:
        limit_bytes: how much the kept runs may take, with the form in which they were sent.

    Attributes:
        runs: by their numbers, each as it was at its revision. Whoever takes one asks the database for the present
            revision first, in the transaction that it answers from.
        held_bytes: how much the kept runs take, by `bytes_of`.
    """

    __slots__ = ("_limit", "_lock", "_seen", "held_bytes", "key_names", "key_numbers", "run_numbers", "runs")

    def __init__(self, limit_bytes: int = DEFAULT_BYTES) -> None:
        self.key_numbers: dict[str, int] = {}
        self.key_names: dict[int, str] = {}
        self.run_numbers: dict[str, tuple[int, int]] = {}
        self.runs: dict[int, Run] = {}
        self.held_bytes = 0
        self._seen: dict[object, None] = {}
        self._limit = limit_bytes
        self._lock = threading.Lock()

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
        with self._lock:
            self._drop(number)

    def keep(self, number: int, run: Run) -> None:
        """Keep a loaded run in place of an older revision of it; those that were kept first make room."""
        size = bytes_of(run)
        with self._lock:
            self._drop(number)
            if size > self._limit:
                return
            while self.held_bytes + size > self._limit:
                self._drop(next(iter(self.runs)))
            self.runs[number] = run
            self.held_bytes += size

    def _drop(self, number: int) -> None:
        dropped = self.runs.pop(number, None)
        if dropped is not None:
            self.held_bytes -= bytes_of(dropped)

    def clear(self) -> None:
        """Forget all runs."""
        with self._lock:
            self.runs.clear()
            self.held_bytes = 0

    def note(self, ask: object) -> None:
        """Note that a query was answered of late: what it read is in the memory of the machine, too."""
        if len(self._seen) >= MAX_SEEN:
            self._seen.clear()
        self._seen[ask] = None

    def has_noted(self, ask: object) -> bool:
        """Whether it was."""
        return ask in self._seen


def bytes_of(run: Run) -> int:
    """How much a run takes in memory, with the form in which it is sent; rather too much than too little.

    >>> from airside.core.ids import ExperimentId, RunId
    >>> from airside.tracking.records import RunInfo
    >>> info = RunInfo(
    ...     run_id=RunId("r"), experiment_id=ExperimentId("0"), name="", user_id="", status="RUNNING",
    ...     start_time_ms=0, end_time_ms=None, artifact_uri="", lifecycle_stage="active")
    >>> bytes_of(Run(info=info))
    2600
    """
    values = len(run.metrics) + len(run.params) + len(run.tags) + len(run.model_inputs) + len(run.model_outputs)
    characters = sum([len(param.value) for param in run.params]) + sum([len(tag.value) for tag in run.tags])
    for given in run.dataset_inputs:
        data = given.dataset
        values += 4 + len(given.tags)
        characters += len(data.source) + len(data.schema or "") + len(data.profile or "")
        characters += sum([len(tag.value) for tag in given.tags])
    return BYTES_OF_RUN + BYTES_OF_VALUE * values + BYTES_OF_CHARACTER * characters


def memory_of(ctx: Context) -> Memory:
    """The room's memory in this platform."""
    found = ctx.memory.get("tracking")
    if found is None:
        found = ctx.memory.setdefault("tracking", Memory(ctx.memory.get("run_memory_bytes", DEFAULT_BYTES)))
    memory: Memory = found
    return memory
