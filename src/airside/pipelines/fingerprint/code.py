"""What a fingerprint is made of."""

from airside.core.record import Record


class Code(Record):
    """What a step's code is made of.

    Attributes:
        parts: name → short digest, or version: `code:project.helpers.clean`, `value:project.settings.DEPTH`,
            `library:numpy`, `python`.
        opaque: what was reached and could not be seen into.
    """

    parts: dict[str, str]
    opaque: tuple[str, ...] = ()
