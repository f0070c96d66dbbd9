"""Heads that come again: a client sends the same one with each request, but for the length of its body.

What the parser made of a head is kept beside its bytes, and taken when the very same bytes come: the parser and its
calls back into Python are a third of what the edge costs a small write (docs/decisions/0020). Nothing is guessed: only
a head that the parser took as it stands, line for line, is kept, and only the digits of its one Content-Length may
differ.
"""

from typing import NamedTuple

from airside.server.message import Header, Scope

MAX_HEADS = 8
MAX_HEAD_BYTES = 2048
MAX_BODY_BYTES = 64 << 10
_MAX_DIGITS = 5

_LENGTH = b"ength: "
_LINE = b"\r\ncontent-length: "
"""Clients spell it with capitals or without; the end of it is what can be looked for."""
_NEVER = frozenset({b"expect", b"upgrade", b"transfer-encoding", b"trailer"})
"""Fields whose meaning lies beyond the head."""


class Found(NamedTuple):
    """A request whose head came before.

    Attributes:
        scope: what the parser would make of it.
        start: where its body begins.
        end: where it ends.
    """

    scope: Scope
    start: int
    end: int


class Heads:
    """The heads of one connection's last requests; bounded."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Scope, int]] = {}

    def find(self, data: bytes) -> Found | None:
        """The request that some bytes begin with, if its head came before."""
        if not self._known:
            return None
        cut = _cut(data)
        if cut is None:
            return None
        key, digits, start = cut
        known = self._known.get(key)
        if known is None:
            return None
        scope, place = known
        headers: list[Header] = scope["headers"].copy()
        headers[place] = (b"content-length", digits)
        return Found({**scope, "headers": headers}, start, start + int(digits))

    def learn(self, data: bytes, scope: Scope) -> None:
        """Keep what the parser made of the head that some bytes begin with, if nothing else can be made of it.

        Args:
            data: what the parser was given from the beginning of the request.
            scope: what it made of it; the connection is kept after it.
        """
        cut = _cut(data)
        if cut is None:
            return
        key, digits, start = cut
        head, headers = data[:start], scope["headers"]
        names = [name for name, _ in headers]
        lines = len(headers) + 2
        is_plain = head.count(b"\r\n") == head.count(b"\n") == head.count(b"\r") == lines
        if not is_plain or head.count(_LENGTH) != 1 or (b"content-length", digits) not in headers:
            return
        if names.count(b"content-length") != 1 or not _NEVER.isdisjoint(names):
            return
        if len(self._known) >= MAX_HEADS:
            self._known.clear()
        self._known[key] = ({**scope, "headers": headers.copy()}, names.index(b"content-length"))


def _cut(data: bytes) -> tuple[bytes, bytes, int] | None:
    """The head without the digits of its length, the digits, and where the body begins; None for any other."""
    first = data.find(_LENGTH, 0, MAX_HEAD_BYTES) + len(_LENGTH)
    if first < len(_LENGTH):
        return None
    last = data.find(b"\r\n", first, MAX_HEAD_BYTES)
    end = data.find(b"\r\n\r\n", first, MAX_HEAD_BYTES)
    if data[first - len(_LINE) : first].lower() != _LINE:  # `Strength: 5` beside a `Content-Length:5`
        return None
    digits = data[first:last]
    if end < 0 or len(digits) > _MAX_DIGITS or not digits.isdigit() or int(digits) > MAX_BODY_BYTES:
        return None
    return data[:first] + data[last : end + 4], digits, end + 4
