"""The driver of one claimed run: unfolds the plan, decides by keys what must run, hands bodies to an executor."""

import heapq
import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from airside.core.errors import AirsideError, Conflict, Invalid
from airside.core.ids import BlobId
from airside.core.record import Record
from airside.pipelines import rules
from airside.pipelines.control import Control
from airside.pipelines.executors.port import Ended, Executor, Job
from airside.pipelines.fingerprint.code import Code
from airside.pipelines.journal import Journal, Stopped, patiently, repeated
from airside.pipelines.keys import Keys
from airside.pipelines.operations.runs import Claimed, FinishRun
from airside.pipelines.operations.steps import Attempt, Kept, LookUpLastRun, LookUpSteps
from airside.pipelines.plan import Plan, Task
from airside.pipelines.records import PipelineRun, StepRun, StepState, Value
from airside.pipelines.values import blobs_of

MAX_LOST = 3
"""How often a step may lose its worker process before it counts as failed."""
LOOK_UP = 500
MAX_ERROR = 2000
_PAUSE_S = 0.2
_TELL_EVERY_S = 1.0
_log = logging.getLogger("airside.pipelines")


class _Ready:
    """A task whose key is known and whose body must run."""

    def __init__(self, task: Task, key: str, parts: dict[str, str], code: Code, reason: str) -> None:
        self.task = task
        self.key = key
        self.parts = parts
        self.code = code
        self.reason = reason
        self.failures = 0
        self.lost = 0


class _Running:
    """An attempt whose body runs."""

    def __init__(self, ready: _Ready, job: Job) -> None:
        self.ready = ready
        self.job = job
        self.tail = ""
        self.told = time.monotonic()


class Outcome(Record):
    """How a run ended."""

    state: Literal["succeeded", "failed", "waiting"]
    error: str = ""
    result: object = None


class Driver:
    """Drives one claim to its end. One thread: the one that made the executor."""

    def __init__(  # noqa: PLR0913 -- its collaborators
        self,
        claimed: Claimed,
        control: Control,
        executor: Executor,
        journal: Journal,
        keys: Keys,
        *,
        values: Path,
        stop: threading.Event,
    ) -> None:
        self._run = claimed.run
        self._graph = claimed.pipeline.graph
        self._control = control
        self._executor = executor
        self._journal = journal
        self._keys = keys
        self._values = values
        self._stop = stop
        self._plan = Plan(claimed.pipeline.graph, claimed.run.parameters)
        self._attempts = dict(claimed.attempts)
        self._finished: dict[str, list[StepRun]] = {}
        self._codes: dict[str, Code] = {}
        self._last: dict[str, Kept] = {}
        self._queue: deque[_Ready] = deque()
        self._later: list[tuple[float, int, _Ready]] = []
        self._running: dict[str, _Running] = {}
        self._told_failures: set[str] = set()
        self._waiting: set[str] = set()
        for step in claimed.finished:
            self._remember(step)

    def recover(self, receipts: Sequence[Ended]) -> None:
        """Commit what attempts of a dead driver had finished without being told of."""
        for ended in receipts:
            step = ended.step
            known = [one.attempt for one in self._finished.get(step.step, [])]
            if step.attempt not in known and step.run == self._run.id:
                self._remember(step)
                self._attempts[step.step] = max(step.attempt, self._attempts.get(step.step, 0))
                self._journal.put(Attempt(step=step, parts=ended.parts, log=ended.log, keep=True))

    def drive(self) -> Outcome:
        """Run everything that can run.

        Raises:
            Stopped: the run is not ours any more, or the process is told to end.
        """
        functions = tuple(sorted({node.function for node in self._graph.nodes} - {""}))
        last = patiently(self._control, LookUpLastRun(run_id=self._run.id), self._stop)
        self._last = {kept.key: kept for kept in last.items}
        try:
            self._codes = self._executor.fingerprint(functions)
        except Invalid as wrong:
            return Outcome(state="failed", error=wrong.message)
        while not self._is_done():
            self._check()
            tasks = self._plan.ready()
            self._tell_unstarted()
            if tasks:
                self._journal.steps_total = self._plan.tasks_total
                self._decide(tasks)
                continue
            self._start()
            for ended in self._executor.wait(self._pause()):
                self._settle(ended)
            self._tell_tails()
        self._tell_unstarted()
        return self._outcome()

    # Deciding ------------------------------------------------------------------------------------------------------

    def _decide(self, tasks: Sequence[Task]) -> None:
        """Keep what an earlier driver finished, take what an equal key had, queue the rest."""
        ready = [one for one in map(self._keyed, tasks) if one is not None and not self._keep_finished(one)]
        ready = [one for one in ready if one.task.node.function or self._ask_person(one)]
        known = {one.key: self._last[one.key] for one in ready if one.key in self._last}
        wanted = [one.key for one in ready if one.key not in known and one.task.node.options.cache]
        for begin in range(0, len(wanted), LOOK_UP):
            found = patiently(self._control, LookUpSteps(keys=tuple(wanted[begin : begin + LOOK_UP])), self._stop)
            known |= {kept.key: kept for kept in found.items}
        for one in ready:
            kept = known.get(one.key)
            if kept is None or not one.task.node.options.cache:
                self._queue.append(one)
                continue
            now = datetime.now(UTC)
            step = msgspec.structs.replace(
                self._attempt(one, "succeeded"),
                cached=True,
                cached_from=kept.run,
                outputs=kept.outputs,
                reason="",
                started_at=now,
                ended_at=now,
            )
            self._note_blobs(kept.outputs)
            self._journal.put(Attempt(step=step, parts=one.parts))
            self._plan.succeed(one.task.name, kept.outputs)

    def _keyed(self, task: Task) -> _Ready | None:
        code = self._codes.get(task.node.function, Code(parts={}))
        try:
            key, parts = self._keys.key(task.node, code, task.arguments)
        except Invalid as wrong:
            self._give_up(_Ready(task, "", {}, code, ""), wrong.message)
            return None
        reason = "nothing is kept under this key" if task.node.options.cache else "the cache is off for this step"
        return _Ready(task, key, parts, code, reason)

    def _ask_person(self, ready: _Ready) -> bool:
        """Let an approval wait; False, so that nothing else is done with it."""
        name = ready.task.name
        number = self._attempts.setdefault(name, 1)
        step = msgspec.structs.replace(
            self._attempt(ready, "waiting"), attempt=number, reason="", started_at=datetime.now(UTC)
        )
        self._attempts[name] = number
        self._journal.put(Attempt(step=step, parts=ready.parts))
        self._waiting.add(name)
        return False

    def _keep_finished(self, ready: _Ready) -> bool:
        """Whether an earlier driver of this run brought the task to its end, with the same key."""
        before = [step for step in self._finished.get(ready.task.name, []) if step.key == ready.key]
        for step in before:
            if step.state == "succeeded":
                self._note_blobs(step.outputs)
                self._plan.succeed(ready.task.name, step.outputs)
                return True
        ready.failures = sum(1 for step in before if not step.infrastructure)
        if ready.failures > ready.task.node.options.retries:
            self._plan.fail(ready.task.name, before[-1].error)
            self._told_failures.add(ready.task.node.name)
            return True
        if ready.task.name in self._attempts:
            ready.reason = (
                "it was interrupted" if before or not self._finished.get(ready.task.name) else "its key changed"
            )
        return False

    # Running -------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            self._queue.append(heapq.heappop(self._later)[2])
        while self._queue and len(self._running) < self._executor.slots:
            ready = self._queue.popleft()
            try:
                self._bring(ready.task.arguments.values())
            except AirsideError as gone:
                self._give_up(ready, f"An argument could not be brought from the store: {gone.message}")
                continue
            step = msgspec.structs.replace(self._attempt(ready, "running"), started_at=datetime.now(UTC))
            node = ready.task.node
            job = Job(
                step=step,
                function=node.function,
                arguments=ready.task.arguments,
                outputs=node.outputs,
                parts=ready.parts,
                timeout_s=node.options.timeout_s,
            )
            self._journal.put(Attempt(step=step, parts=ready.parts))
            self._running[ready.task.name] = _Running(ready, job)
            self._executor.start(job)

    def _settle(self, ended: Ended) -> None:
        """An attempt has ended."""
        running = self._running.pop(ended.step.step)
        ready, step = running.ready, ended.step
        if ended.lost is not None:
            began = step.started_at or datetime.now(UTC)
            now = datetime.now(UTC)
            step = msgspec.structs.replace(step, ended_at=now, seconds=(now - began).total_seconds())
        options = ready.task.node.options
        if step.state == "succeeded":
            self._journal.put(Attempt(step=step, parts=ended.parts, log=ended.log, keep=options.cache))
            self._plan.succeed(ready.task.name, step.outputs)
            return
        self._journal.put(Attempt(step=step, parts=ended.parts, log=ended.log))
        delay = self._delay_s(ready, step)
        if delay is None:
            self._told_failures.add(ready.task.node.name)
            self._plan.fail(ready.task.name, step.error)
            return
        ready.reason = f"again, after: {step.error[:200]}"
        heapq.heappush(self._later, (time.monotonic() + delay, step.attempt, ready))

    def _delay_s(self, ready: _Ready, step: StepRun) -> float | None:
        if step.infrastructure:
            ready.lost += 1
            return None if ready.lost > MAX_LOST else 0.1 * 2**ready.lost
        ready.failures += 1
        return rules.retry_delay_s(ready.task.node.options, ready.failures)

    def _tell_tails(self) -> None:
        """Tell what the bodies say meanwhile."""
        now = time.monotonic()
        for running in self._running.values():
            if now - running.told > _TELL_EVERY_S:
                running.told = now
                tail = self._executor.tail(running.job)
                if tail != running.tail:
                    running.tail = tail
                    self._journal.put(Attempt(step=running.job.step, parts=running.ready.parts, log=tail))

    def _pause(self) -> float:
        return max(0.0, min(_PAUSE_S, self._later[0][0] - time.monotonic())) if self._later else _PAUSE_S

    # Keeping count -------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        self._journal.check()
        if self._stop.is_set():
            raise Stopped("The runner was told to stop.")

    def _is_done(self) -> bool:
        if self._running or self._queue or self._later:
            return False
        return self._plan.is_done or self._plan.waits_for(self._waiting)

    def _attempt(self, ready: _Ready, state: StepState) -> StepRun:
        name = ready.task.name
        number = self._attempts[name] = self._attempts.get(name, 0) + 1
        return StepRun(
            run=self._run.id,
            step=name,
            node=ready.task.node.name,
            label=ready.task.label,
            attempt=number,
            state=state,
            key=ready.key,
            reason=ready.reason,
            opaque=ready.code.opaque,
        )

    def _remember(self, step: StepRun) -> None:
        self._finished.setdefault(step.step, []).append(step)

    def _note_blobs(self, outputs: dict[str, Value]) -> None:
        for value in outputs.values():
            for blob in blobs_of(value):
                self._journal.known(blob)

    def _bring(self, values: Iterable[Value]) -> None:
        """Have the files of some values at hand."""
        for blob in {blob for value in values for blob in blobs_of(value)}:
            path = self._values / blob.removeprefix("b3:")
            if not path.exists():
                repeated(partial(self._control.save_blob, BlobId(blob), path), self._stop)

    def _give_up(self, ready: _Ready, error: str) -> None:
        now = datetime.now(UTC)
        step = msgspec.structs.replace(self._attempt(ready, "failed"), error=error[:500], started_at=now, ended_at=now)
        self._journal.put(Attempt(step=step, parts=ready.parts))
        self._told_failures.add(ready.task.node.name)
        self._plan.fail(ready.task.name, error)

    def _tell_unstarted(self) -> None:
        """A record for each node that failed or was skipped before it had an attempt."""
        if not self._plan.errors:
            return
        now = datetime.now(UTC)
        for name, state in self._plan.states.items():
            if state not in {"failed", "skipped"} or name in self._told_failures:
                continue
            self._told_failures.add(name)
            number = self._attempts[name] = self._attempts.get(name, 0) + 1
            step = StepRun(
                run=self._run.id,
                step=name,
                node=name,
                attempt=number,
                state="failed" if state == "failed" else "skipped",
                error=self._plan.errors.get(name, ""),
                ended_at=now,
            )
            self._journal.put(Attempt(step=step))

    def _outcome(self) -> Outcome:
        if self._waiting:
            return Outcome(state="waiting")
        if not self._plan.errors:
            result = self._plan.result()
            return Outcome(state="succeeded", result=None if result is None else _shown(result))
        name, error = next(iter(self._plan.errors.items()))
        more = len(self._plan.errors) - 1
        return Outcome(state="failed", error=f"{name}: {error}{f' (and {more} more steps failed)' if more else ''}")


def _shown(value: Value) -> object:
    """A result as it stands in the run's record: a large one only as what it is."""
    return value.json if value.kind == "json" else value.summary


def finish(control: Control, claimed: Claimed, outcome: Outcome, stop: threading.Event) -> PipelineRun:
    """Tell how a run ended.

    Raises:
        Stopped: it is not ours any more, or the process is told to end while nobody listens.
    """
    ask = FinishRun(
        run_id=claimed.run.id,
        token=claimed.token,
        state=outcome.state,
        error=outcome.error[:MAX_ERROR],
        result=outcome.result,
    )
    try:
        return patiently(control, ask, stop)
    except Conflict as error:
        raise Stopped(error.message) from error
