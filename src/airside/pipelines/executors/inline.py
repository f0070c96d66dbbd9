"""Bodies in the driver's own process: for tests, notebooks and tiny steps. No time-outs, no captured output."""

from collections.abc import Callable, Mapping
from typing import Any

from airside.pipelines.executors.body import Bodies
from airside.pipelines.executors.port import Ended, Job, Site
from airside.pipelines.fingerprint.code import Code


class InlineExecutor:
    """An `Executor` that is a function call."""

    slots = 1

    def __init__(self, site: Site, *, size: int = 1, functions: Mapping[str, Callable[..., Any]] | None = None) -> None:
        self.slots = min(size, 1)
        self._bodies = Bodies(site, functions)
        self._ended: list[Ended] = []

    def fingerprint(self, functions: tuple[str, ...]) -> dict[str, Code]:
        """The fingerprints of functions."""
        return self._bodies.fingerprint(functions)

    def start(self, job: Job) -> None:
        """Run the body."""
        self._ended.append(self._bodies.run(job))

    def wait(self, timeout_s: float) -> list[Ended]:  # noqa: ARG002 -- nothing to wait for
        """What ended."""
        ended, self._ended = self._ended, []
        return ended

    def tail(self, job: Job) -> str:  # noqa: ARG002 -- its output goes where the driver's goes
        """Nothing is captured."""
        return ""

    def close(self) -> None:
        """Nothing to end."""
