"""The port: where bodies run."""

from pathlib import Path
from typing import Literal, Protocol

import msgspec

from airside.core.ids import PipelineName, PipelineRunId
from airside.core.record import Record
from airside.pipelines.fingerprint.code import Code
from airside.pipelines.records import StepRun, Value

Lost = Literal["worker", "timeout"]


class Site(Record):
    """Where a run's bodies run.

    Attributes:
        code: the folder with the project's files.
        values: the folder with the values, by content.
        receipts: the folder for receipts; empty in an embedded run.
        scratch: the run's own folder for files that do not outlive it.
        url, token: of the control plane, for the step's own use.
    """

    run: PipelineRunId
    pipeline: PipelineName
    tracking_run: str
    code: str
    values: str
    receipts: str = ""
    scratch: str = ""
    url: str = ""
    token: str = ""


class Job(Record):
    """One attempt of one step's body.

    Attributes:
        step: the attempt as it stands when the body starts.
        parts: of the key, kept beside it in the receipt.
        timeout_s: the executor kills the body after so long, its worker's start and imports not counted.
    """

    step: StepRun
    function: str
    arguments: dict[str, Value]
    outputs: tuple[str, ...]
    parts: dict[str, str] = msgspec.field(default_factory=dict)
    timeout_s: float | None = None


class Ended(Record):
    """What became of an attempt.

    Attributes:
        step: the attempt as it ended.
        parts: of its key.
        log: the end of what it wrote.
        lost: why there is no word from the body itself: its worker process is gone, or was killed for its time.
    """

    step: StepRun
    parts: dict[str, str] = msgspec.field(default_factory=dict)
    log: str = ""
    lost: Lost | None = None


class Executor(Protocol):
    """Runs bodies. Owned by one driver's thread; `start` is called at most `slots` times more than `wait` has answered.

    Errors: what goes wrong inside a body is an `Ended`; `fingerprint` raises `Invalid` when the function cannot be
    imported. Order: none between attempts.
    """

    slots: int

    def fingerprint(self, functions: tuple[str, ...]) -> dict[str, Code]:
        """The fingerprints of functions, before any body has run."""

    def start(self, job: Job) -> None:
        """Begin an attempt."""

    def wait(self, timeout_s: float) -> list[Ended]:
        """Attempts that ended, as soon as there is one; none when the time is over."""

    def tail(self, job: Job) -> str:
        """The end of what a running attempt has written so far."""

    def close(self) -> None:
        """End all worker processes, and what they have started."""


def receipt_path(folder: Path, step: StepRun) -> Path:
    """Where the receipt of an attempt is.

    >>> receipt_path(Path("r"), StepRun(run="pr-1", step="train[3]", node="train", attempt=2, state="running")).name
    'train[3]@2.json'
    """
    return folder / f"{step.step}@{step.attempt}.json"
