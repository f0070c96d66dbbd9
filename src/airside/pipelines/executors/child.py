"""A worker process: `python -m airside.pipelines.executors.child`. Takes jobs from a pipe until the pipe ends.

It ends with its driver: the kernel kills it when the driver's thread dies, and a thread of its own watches the pipe
that only the driver holds open, for systems without that signal.
"""

import ctypes
import os
import signal
import sys
import threading
from typing import BinaryIO

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

    codes: dict[str, Code] = {}
    error: str = ""


class Done(Record, tag=True):
    """Answers `Body`."""

    ended: Ended


Question = Fingerprints | Body
Reply = Fingerprinted | Done
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
    head = pipe.read(_HEAD)
    if len(head) < _HEAD:
        return None
    size = int.from_bytes(head, "big")
    data = pipe.read(size)
    return data if len(data) == size else None


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
    questions, replies = os.fdopen(asking, "rb"), os.fdopen(answering, "wb")
    while (question := read_question(questions)) is not None:
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
        return Fingerprinted(error=error.message)


if __name__ == "__main__":
    main()
