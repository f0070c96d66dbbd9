"""Reading ahead: the source is read in one thread while what was read before is sent in another."""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")
WAIT_S = 0.1


class _Reader(Generic[T]):
    """Puts items into a bounded queue: each in a list, then an empty list, or the error that ended them."""

    def __init__(self, items: Iterable[T], most: int) -> None:
        self.held: queue.Queue[tuple[list[T], BaseException | None]] = queue.Queue(most)
        self.stop = threading.Event()
        self._items = items

    def __call__(self) -> None:
        try:
            for item in self._items:
                self._put([item])
                if self.stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 -- whoever takes the items gets it
            self._put([], error)
        else:
            self._put([])

    def _put(self, found: list[T], error: BaseException | None = None) -> None:
        while not self.stop.is_set():
            try:
                self.held.put((found, error), timeout=WAIT_S)
            except queue.Full:
                continue
            return


def read_ahead(items: Iterable[T], most: int) -> Generator[T, None, None]:
    """The same items in the same order, at most so many of them in hand; an error comes where it happened.

    >>> list(read_ahead(range(3), 1))
    [0, 1, 2]
    """
    reader = _Reader(items, most)
    thread = threading.Thread(target=reader, name="airside-read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            found, mistake = reader.held.get()
            if mistake is not None:
                raise mistake
            if not found:
                return
            yield found[0]
    finally:
        reader.stop.set()
        thread.join()
