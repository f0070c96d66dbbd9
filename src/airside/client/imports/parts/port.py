"""What one kind of thing is asked for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from airside.client.imports.job import Job
from airside.client.imports.locations import Root
from airside.core.record import Ask
from airside.tracking.imports.records import Compared, Imported, ImportTallies, RunTallies

Batch = tuple[str, tuple[Any, ...]]
"""The key behind which the next batch begins, and things as they shall be here."""


class Part(Protocol):
    """One kind of thing of a source.

    Thread safety: used by one thread at a time; `read`, `behind` and `roots` by the one that reads ahead.
    """

    name: str
    """What they are called, in the plural: it names the part in the journal too."""

    def total(self, job: Job) -> int:
        """How many the source has."""

    def read(self, job: Job, after: str) -> Iterator[Batch]:
        """All of them behind a key, in batches."""

    def id_of(self, item: Any) -> str:
        """What an item is called."""

    def put(self, job: Job, items: Sequence[Any]) -> Ask[Imported]:
        """The ask that takes them over."""

    def compare(self, items: Sequence[Any]) -> Ask[Compared]:
        """The ask that tells whether they are here as they are there."""

    def behind(self, job: Job, items: Sequence[Any]) -> Iterator[Ask[Any]]:
        """What comes behind them: points of metrics, say."""

    def without(self, ask: Ask[Any], left: frozenset[str]) -> Ask[Any] | None:
        """What of such an ask does not belong to items that are left alone; None: nothing."""

    def roots(self, job: Job, items: Sequence[Any]) -> Iterable[Root]:
        """Where their files are."""

    def amounts(self, job: Job, items: Sequence[Any]) -> Iterator[str]:
        """In how far they hold more or less here than there."""

    def sampled(self, job: Job, item: Any) -> Iterator[str]:
        """In how far one differs, point by point."""

    def notes(self, job: Job) -> Iterator[str]:
        """What the report's reader should know of them."""


def counted(
    kind: str, what: str, there: Mapping[str, int], here: ImportTallies | RunTallies, ids: Sequence[str]
) -> Iterator[str]:
    """In how far things hold more or fewer of something here than there."""
    known: dict[str, int] = (
        {each.run_id: each.points for each in here.items}
        if isinstance(here, RunTallies)
        else {each.id: each.number for each in here.items}
    )
    for each in ids:
        found, expected = known.get(each, 0), there.get(each, 0)
        if found != expected:
            yield f"{kind} {each}: {found} {what} here, {expected} in the source"


class Plain:
    """The parts of a kind of thing that has neither points nor files."""

    def behind(self, job: Job, items: Sequence[Any]) -> Iterator[Ask[Any]]:
        """Nothing."""
        del job, items
        return iter(())

    def without(self, ask: Ask[Any], left: frozenset[str]) -> Ask[Any] | None:
        """All of it."""
        del left
        return ask

    def roots(self, job: Job, items: Sequence[Any]) -> Iterable[Root]:
        """None."""
        del job, items
        return ()

    def amounts(self, job: Job, items: Sequence[Any]) -> Iterator[str]:
        """In nothing."""
        del job, items
        return iter(())

    def sampled(self, job: Job, item: Any) -> Iterator[str]:
        """In nothing."""
        del job, item
        return iter(())

    def notes(self, job: Job) -> Iterator[str]:
        """Nothing."""
        del job
        return iter(())
