"""Things of one kind taken over, or compared: the one way in which every room does it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from airside.tracking.imports import rules
from airside.tracking.imports.records import Compared, Difference, Imported

T = TypeVar("T")


class Kind(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """What is taken over.

    Attributes:
        name: in the plural, for people.
        id_of: what a thing is called.
        difference: where what is here differs from what the source has, in words; empty when it does not.
    """

    name: str
    id_of: Callable[[T], str]
    difference: Callable[[Any, T], str]


def take(
    kind: Kind[T], items: Sequence[T], here: Mapping[str, Any], add: Callable[[T], None], *, skip_existing: bool
) -> Imported:
    """Add what is not here; what is here stays as it is.

    Args:
        kind: what they are.
        items: as they shall be here.
        here: those of them that are here, by what they are called.
        add: writes one.
        skip_existing: leave those that differ, instead of refusing all.

    Raises:
        Conflict: one is here with other content.
    """
    added = 0
    differing: list[Difference] = []
    for item in items:
        name = kind.id_of(item)
        if name not in here:
            add(item)
            added += 1
        elif difference := kind.difference(here[name], item):
            differing.append(Difference(id=name, what=difference))
    if differing and not skip_existing:
        raise rules.refusal(kind.name, differing)
    return Imported(added=added, same=len(items) - added - len(differing), differing=tuple(differing))


def compare(kind: Kind[T], items: Sequence[T], here: Mapping[str, Any]) -> Compared:
    """How some things of a source stand here."""
    missing: list[str] = []
    differing: list[Difference] = []
    for item in items:
        name = kind.id_of(item)
        if name not in here:
            missing.append(name)
        elif difference := kind.difference(here[name], item):
            differing.append(Difference(id=name, what=difference))
    same = len(items) - len(missing) - len(differing)
    return Compared(same=same, missing=tuple(missing), differing=tuple(differing))


def together(parts: Iterable[Compared]) -> Compared:
    """Several comparisons as one."""
    every = tuple(parts)
    return Compared(
        same=sum(part.same for part in every),
        missing=tuple(each for part in every for each in part.missing),
        differing=tuple(each for part in every for each in part.differing),
    )
