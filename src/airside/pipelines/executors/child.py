"""A worker process: `python -m airside.pipelines.executors.child`. Takes jobs from a pipe until the pipe ends.

It ends with its driver: the kernel kills it when the driver's thread dies, and a thread of its own watches the pipe
that only the driver holds open, for systems without that signal.
"""

import ctypes
import os
import signal
import sys
import threading
import traceback
from typing import Any, BinaryIO

import msgspec

from airside.core.errors import AirsideError
from airside.core.record import Record
from airside.pipelines.executors.body import Bodies
from airside.pipelines.executors.port import Ended, Job, Site
from airside.pipelines.fingerprint.code import Code

PR_SET_PDEATHSIG = 1
_HEAD = 4


class Fingerprints(Record, tag=True):
    """Asks for the fingerprints of functions."""

    functions: tuple[str, ...]


class Body(Record, tag=True):
    """Asks for an attempt."""

    job: Job


class Fingerprinted(Record, tag=True):
    """Answers `Fingerprints`; `error` says why a function cannot be imported."""

    codes: dict[str, Code] = msgspec.field(default_factory=dict)
    error: str = ""


class Begun(Record, tag=True):
    """Says that the body begins now: its function is imported, its time is counted from here."""


class Done(Record, tag=True):
    """Answers `Body`."""

    ended: Ended


Question = Fingerprints | Body
Reply = Fingerprinted | Begun | Done
_questions = msgspec.msgpack.Decoder(Question)
_replies = msgspec.msgpack.Decoder(Reply)


def write(pipe: BinaryIO, message: Question | Reply) -> None:
    """Send a message: its length, then MessagePack."""
    data = msgspec.msgpack.encode(message)
    pipe.write(len(data).to_bytes(_HEAD, "big") + data)
    pipe.flush()


def read_question(pipe: BinaryIO) -> Question | None:
    """The next question; None when the driver is gone."""
    data = _read(pipe)
    return None if data is None else _questions.decode(data)


def read_reply(pipe: BinaryIO) -> Reply | None:
    """The next reply; None when the worker process is gone."""
    data = _read(pipe)
    return None if data is None else _replies.decode(data)


def _read(pipe: BinaryIO) -> bytes | None:
    """A whole message. The pipe is not buffered: what waits in it must stay visible to `select`."""
    head = _exactly(pipe, _HEAD)
    return None if head is None else _exactly(pipe, int.from_bytes(head, "big"))


def _exactly(pipe: BinaryIO, size: int) -> bytes | None:
    pieces = []
    while size:
        piece = pipe.read(size)
        if not piece:
            return None
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def die_with_parent(parent: int, lifeline: int) -> None:
    """Let the kernel end this process with its driver, and watch the lifeline beside it."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel was told
        os._exit(1)
    threading.Thread(target=_watch, args=(lifeline,), name="airside-lifeline", daemon=True).start()


def _watch(lifeline: int) -> None:
    os.read(lifeline, 1)  # nobody ever writes: it ends when the driver does
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Serve one driver. Arguments: its process id, the two ends of the pipe and the lifeline; the site as JSON."""
    parent, asking, answering, lifeline = map(int, sys.argv[1:5])
    die_with_parent(parent, lifeline)
    for handle in (asking, answering, lifeline):
        os.set_inheritable(handle, False)
    site = msgspec.json.decode(sys.argv[5], type=Site)
    site = msgspec.structs.replace(site, token=os.environ.get("AIRSIDE_TOKEN", ""))
    sys.path.insert(0, site.code)
    os.chdir(site.code)
    bodies = Bodies(site)
    questions: Any = os.fdopen(asking, "rb", buffering=0)
    replies = os.fdopen(answering, "wb")
    while (question := read_question(questions)) is not None:
        if isinstance(question, Body):
            bodies.import_function(question.job.function)
            write(replies, Begun())
        reply = _answer(bodies, question)
        sys.stdout.flush()
        sys.stderr.flush()
        write(replies, reply)


def _answer(bodies: Bodies, question: Question) -> Reply:
    if isinstance(question, Body):
        return Done(ended=bodies.run(question.job))
    try:
        return Fingerprinted(codes=bodies.fingerprint(question.functions))
    except AirsideError as error:
        traceback.print_exc()
        return Fingerprinted(error=error.message)


if __name__ == "__main__":
    main()
