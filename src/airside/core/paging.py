"""Long lists, a page at a time: how many at once, and what the next page begins behind."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

import msgspec

from airside.core.errors import Invalid
from airside.core.record import Ask

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
MAX_PAGE = 1000


class Page(Protocol[T_co]):
    """The answer of an operation that lists: its ask has a `page_token`."""

    @property
    def items(self) -> Sequence[T_co]:
        """What is on it."""

    @property
    def next_page_token(self) -> str:
        """Where the next one begins; empty on the last."""


def every(call: Callable[[Ask[Page[T]]], Page[T]], ask: Ask[Page[T]]) -> Iterator[T]:
    """Every item of a list, asked for page by page: `every(client.call, SearchRuns(experiment_ids=("0",)))`."""
    while True:
        page = call(ask)
        yield from page.items
        if not page.next_page_token:
            return
        ask = msgspec.structs.replace(ask, page_token=page.next_page_token)


def page_size(asked: int, most: int = MAX_PAGE) -> int:
    """The size of a page, once it is known to be one; the text is MLflow's.

    Raises:
        Invalid: it is less than 1 or more than `most`.
    """
    if not 1 <= asked <= most:
        raise Invalid(f"max_results must be between 1 and {most}.")
    return asked


def cut(found: Sequence[T], size: int, token: Callable[[T], object]) -> tuple[tuple[T, ...], str]:
    """A page, and the token of the next one: of its last item, where there is one item more than it holds.

    >>> cut(["a", "b", "c"], 2, str.upper), cut(["a", "b"], 2, str.upper)
    ((('a', 'b'), 'B'), (('a', 'b'), ''))
    """
    items = tuple(found[:size])
    return items, str(token(items[-1])) if len(found) > size else ""


def number_in(token: str, first: int) -> int:
    """The number that a page's token names; `first` where the list begins.

    Raises:
        Invalid: the token is none of a list that goes by numbers.
    """
    if not token:
        return first
    if not (token.isascii() and token.isdigit() and len(token) < 19):
        raise Invalid(f"'{token[:40]}' is no page token. Send the next_page_token of the page before, or none.")
    return int(token)
