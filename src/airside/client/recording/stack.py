"""The runs that are active in this process, and what happens to them when it ends.

At a normal end a run that nobody ended is FINISHED, after an uncaught exception FAILED, after SIGTERM KILLED. A forked
child begins with no active runs of its own; those of its parent can be logged to, and are the parent's to end.
"""

import atexit
import os
import signal
import sys
import threading
from contextvars import ContextVar
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from airside.tracking.records import RunStatus

if TYPE_CHECKING:
    from airside.client.recording.run import Run

_HERE: ContextVar["tuple[Run, ...]"] = ContextVar("airside_runs", default=())
_all: "list[Run]" = []
_state: dict[str, Any] = {"watching": False, "uncaught": None, "owner": 0}


class Terminated(SystemExit):
    """SIGTERM came: the stack is unwound, so that every `with` is left."""


def ended_as(error: BaseException | None) -> RunStatus:
    """How a run ends that is left by an exception.

    >>> ended_as(KeyboardInterrupt()), ended_as(ValueError()), ended_as(SystemExit(0)), ended_as(SystemExit(2))
    ('KILLED', 'FAILED', 'FINISHED', 'FAILED')
    """
    if isinstance(error, KeyboardInterrupt | Terminated):
        return "KILLED"
    if isinstance(error, SystemExit):
        return "FINISHED" if error.code in {None, 0} else "FAILED"
    return "FAILED"


def add(run: "Run") -> None:
    """A run begins."""
    _HERE.set((*_HERE.get(), run))
    _all.append(run)
    _watch()


def remove(run: "Run") -> None:
    """A run has ended."""
    _HERE.set(tuple(one for one in _HERE.get() if one is not run))
    if run in _all:
        _all.remove(run)
    if not _all:
        _unwatch_signal()


def active_run() -> "Run | None":
    """The run that was started last in this thread, else in this process, and has not ended."""
    here = [run for run in _HERE.get() if run in _all]
    if here:
        return here[-1]
    return _all[-1] if _all else None


def active_here() -> "Run | None":
    """The run that was started last in this thread, or in what it was copied from, and has not ended."""
    here = [run for run in _HERE.get() if run in _all]
    return here[-1] if here else None


def all_active() -> "tuple[Run, ...]":
    """Every run of this process that has not ended."""
    return tuple(_all)


def _watch() -> None:
    if not _state["watching"]:
        _state["watching"] = True
        previous = sys.excepthook

        def note(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
            _state["uncaught"] = error
            previous(kind, error, trace)

        sys.excepthook = note
    atexit.unregister(_leave)  # registered anew, so that it runs before the outboxes and platforms of now are closed
    atexit.register(_leave)
    _watch_signal()


def _watch_signal() -> None:
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)
        _state["owner"] = os.getpid()


def _unwatch_signal() -> None:
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is _terminate:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, frame: FrameType | None) -> None:
    del frame
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second one ends at once
    if _state["owner"] != os.getpid():  # a forked child dies as it would without us
        os.kill(os.getpid(), number)
        return
    _state["uncaught"] = Terminated(128 + number)
    raise Terminated(128 + number)


def _leave() -> None:
    """The interpreter ends: end what nobody ended."""
    error: BaseException | None = _state["uncaught"]
    for run in reversed(list(_all)):
        run.finish("FINISHED" if error is None else ended_as(error), error=error)
