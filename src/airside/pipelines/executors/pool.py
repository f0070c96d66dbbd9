"""Bodies in worker processes: warm ones that take one attempt after another, or a fresh one for each."""

import math
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any, BinaryIO

import msgspec

from airside.core.errors import Invalid, Unavailable
from airside.pipelines.executors import child
from airside.pipelines.executors.output import Output
from airside.pipelines.executors.port import Ended, Job, Lost, Site
from airside.pipelines.fingerprint.code import Code

RUN_VARIABLE = "AIRSIDE_PIPELINE_RUN"
PARENT_VARIABLE = "AIRSIDE_PARENT_RUN"
"""The tracked run: a run that a step starts becomes its child."""
WORKER_VARIABLES = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Of worker processes, unless the runner's own environment says otherwise."""


class _Worker:
    """One worker process and the attempt that it runs."""

    def __init__(self, site: Site) -> None:
        asked, ask = os.pipe()
        answer, answered = os.pipe()
        lifeline, self._lifeline = os.pipe()
        said, saying = os.pipe()
        environment = os.environ | {
            "PYTHONHASHSEED": "0",
            "PYTHONUNBUFFERED": "1",
            RUN_VARIABLE: site.run,
            PARENT_VARIABLE: site.tracking_run,
            "AIRSIDE_URL": site.url,
            "AIRSIDE_TOKEN": site.token,
        }
        for name, value in WORKER_VARIABLES.items():
            environment.setdefault(name, value)
        told = msgspec.json.encode(msgspec.structs.replace(site, token="")).decode()  # arguments can be read by others
        handles = [str(handle) for handle in (asked, answered, lifeline)]
        self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
            [sys.executable, "-m", "airside.pipelines.executors.child", str(os.getpid()), *handles, told],
            stdin=subprocess.DEVNULL,
            stdout=saying,
            stderr=saying,
            pass_fds=(asked, answered, lifeline),
            env=environment,
            start_new_session=True,
        )
        for handle in (asked, answered, lifeline, saying):
            os.close(handle)
        self._asks: BinaryIO = os.fdopen(ask, "wb")
        self.replies: Any = os.fdopen(answer, "rb", buffering=0)
        self.said = said
        self.output = Output(said)
        self._code: int | None = None
        self.is_gone = False
        self.job: Job | None = None
        self.until = math.inf
        """When its attempt has had its time."""
        self._is_late = False

    def ask(self, question: child.Question) -> None:
        with suppress(BrokenPipeError):  # its death is seen where replies are read
            child.write(self._asks, question)

    def begin(self, job: Job) -> None:
        self.job, self.until = job, math.inf
        self.output.begin()
        self.ask(child.Body(job=job))

    def take(self) -> Ended | None:
        """The end of its attempt, now that its pipe has something to say; None if that is another thing."""
        reply = child.read_reply(self.replies)
        if isinstance(reply, child.Begun):
            if self.job is not None and self.job.timeout_s is not None:
                self.until = time.monotonic() + self.job.timeout_s
            return None
        job, self.job, self.until = self.job, None, math.inf
        self.is_gone = reply is None
        if job is None:
            return None
        if isinstance(reply, child.Done):
            self.output.pump()
            return msgspec.structs.replace(reply.ended, log=self.output.tail())
        return self._lost(job)

    def _lost(self, job: Job) -> Ended:
        code = self.end()
        self.output.pump()
        lost: Lost = "timeout" if self._is_late else "worker"
        if lost == "timeout":
            error = "The body took longer than its time-out and was killed."
        else:
            error = f"The worker process died ({_reason(code)})."
        step = msgspec.structs.replace(job.step, state="failed", error=error, infrastructure=lost == "worker")
        return Ended(step=step, parts=job.parts, log=self.output.tail(), lost=lost)

    def end_if_late(self, now: float) -> None:
        """Kill it when its attempt has had its time; its end is then seen where replies are read."""
        if now >= self.until:
            self.until, self._is_late = math.inf, True
            self.end()

    def end(self) -> int:
        """Kill it with all that it has started."""
        if self._code is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._code = self._process.wait()
        return self._code

    def close(self) -> None:
        self.end()
        self.output.pump()
        with suppress(BrokenPipeError):
            self._asks.close()
        self.replies.close()
        os.close(self.said)
        os.close(self._lifeline)


def _reason(code: int) -> str:
    """Why a process ended.

    >>> _reason(-9), _reason(3)
    ('signal SIGKILL; out of memory?', 'exit status 3')
    """
    if code >= 0:
        return f"exit status {code}"
    name = signal.Signals(-code).name
    return f"signal {name}{'; out of memory?' if name == 'SIGKILL' else ''}"


class PoolExecutor:
    """An `Executor` of warm worker processes; each starts when it is first needed."""

    is_fresh = False
    """Whether each attempt has a process of its own."""

    def __init__(self, site: Site, *, size: int = 1) -> None:
        self.slots = max(1, size)
        self._site = site
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()

    def fingerprint(self, functions: tuple[str, ...]) -> dict[str, Code]:
        """The fingerprints of functions, taken by a worker process."""
        worker = self._idle()
        worker.ask(child.Fingerprints(functions=functions))
        reply = child.read_reply(worker.replies)
        worker.output.pump()
        if not isinstance(reply, child.Fingerprinted):
            tail = worker.output.tail()[-2000:]
            self._drop(worker)
            raise Unavailable(f"The worker process died while it imported the project's code. It wrote:\n{tail}")
        if reply.error:
            raise Invalid(f"{reply.error}\n{worker.output.tail()[-2000:]}".strip())
        return reply.codes

    def start(self, job: Job) -> None:
        """Hand an attempt to an idle worker process."""
        self._idle().begin(job)

    def wait(self, timeout_s: float) -> list[Ended]:
        """Attempts that ended."""
        until = time.monotonic() + timeout_s
        ended: list[Ended] = []
        while not ended:
            now = time.monotonic()
            for worker in self._workers:
                worker.end_if_late(now)
            nearest = min([until, *(worker.until for worker in self._workers)])
            for key, _ in self._selector.select(max(0.0, nearest - now)):
                ended += self._heard(key)
            if now >= until:
                break
        return ended

    def _heard(self, key: selectors.SelectorKey) -> list[Ended]:
        kind, worker = key.data
        if worker not in self._workers:  # it went with an event before this one
            return []
        if kind == "reply":
            return self._taken(worker)
        worker.output.pump()
        if not worker.output.is_open:
            self._selector.unregister(key.fd)
        return []

    def tail(self, job: Job) -> str:
        """The end of what a running attempt has written."""
        for worker in self._workers:
            if worker.job is not None and worker.job.step == job.step:
                worker.output.pump()
                return worker.output.tail()
        return ""

    def close(self) -> None:
        """End all worker processes."""
        for worker in list(self._workers):
            self._drop(worker)
        self._selector.close()

    def _taken(self, worker: _Worker) -> list[Ended]:
        ended = worker.take()
        if worker.is_gone or (self.is_fresh and ended is not None):
            self._drop(worker)
        return [] if ended is None else [ended]

    def _idle(self) -> _Worker:
        for worker in self._workers:
            if worker.job is None:
                return worker
        worker = _Worker(self._site)
        self._workers.append(worker)
        self._selector.register(worker.replies, selectors.EVENT_READ, ("reply", worker))
        self._selector.register(worker.said, selectors.EVENT_READ, ("output", worker))
        return worker

    def _drop(self, worker: _Worker) -> None:
        if worker in self._workers:
            self._workers.remove(worker)
            self._selector.unregister(worker.replies)
            if worker.said in self._selector.get_map():
                self._selector.unregister(worker.said)
            worker.close()


class ProcessExecutor(PoolExecutor):
    """An `Executor` with a fresh interpreter for each attempt."""

    is_fresh = True
