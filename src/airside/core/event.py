"""What happened, told in the transaction that made it happen, handled after the commit."""

from typing import ClassVar

from airside.core.record import Record


class Event(Record):
    """A fact, named in the past tense. Stored in the outbox, handled at least once.

    `topics` names the live streams that tell of it: `"runs"`, `"run:ID"`, `"alerts"`.
    """

    NAME: ClassVar[str] = ""

    def topics(self) -> tuple[str, ...]:
        """The live topics of the event."""
        return ()
