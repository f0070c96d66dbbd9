"""Taking what is captured, kind by kind; what cannot be found out is left empty."""

from typing import Any, Generic, NamedTuple, TypeVar

from airside.core.ids import BlobId
from airside.core.plugin import load
from airside.tracking.capture.records import Fact

T = TypeVar("T")
_HOW = {
    "code": "airside.tracking.capture.code:taken",
    "command": "airside.tracking.capture.command:taken",
    "environment": "airside.tracking.capture.environment:taken",
    "machine": "airside.tracking.capture.machine:taken",
}


class Taken(NamedTuple, Generic[T]):
    """A part of a capture, and the blob that belongs to it.

    Attributes:
        content: the bytes of the blob; empty without one.
    """

    fact: T
    blob: BlobId = BlobId("")
    content: bytes = b""


TAKEN = tuple(_HOW)
"""The kinds that are taken once, as they do not change while a process runs."""


def take(kind: str) -> Taken[Any]:
    """Take one kind of `TAKEN`."""
    found = load(_HOW[kind])()
    return found if isinstance(found, Taken) else Taken(found)


def threads_and_seeds(kinds: frozenset[str]) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
    """The settings of thread pools, and the states of random generators, as they are now. Takes microseconds."""
    threads: tuple[Fact, ...] = load("airside.tracking.capture.seeds:threads")() if "threads" in kinds else ()
    seeds: tuple[Fact, ...] = load("airside.tracking.capture.seeds:seeds")() if "seeds" in kinds else ()
    return threads, seeds
