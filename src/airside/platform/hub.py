"""Who wants to hear of events in this process: reactions and live streams. Told after the commit."""

import threading
from collections.abc import Callable

from airside.core.event import Event

Listener = Callable[[tuple[Event, ...]], None]
"""Called on the writer's thread: it only passes on."""


class Hub:
    """Passes events on to listeners. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Hear of events from now on; the answer ends it."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def stop() -> None:
            with self._lock:
                self._listeners = tuple(known for known in self._listeners if known is not listener)

        return stop

    def tell(self, events: tuple[Event, ...]) -> None:
        """Pass on."""
        for listener in self._listeners:
            listener(events)
