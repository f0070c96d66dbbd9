"""Pages of other sites: whose origin may call, and what a browser is told about it (CORS)."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from airside.core.errors import Denied
from airside.server.message import Answer, Header

METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
MAX_ASKED_BYTES = 1024
KEPT_S = b"600"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Origins:
    """The origins that may call.

    Args:
        listed: by the operator; `*` is every one, and then no credentials are sent along.
        allows_loopback: whether pages of this machine's own servers may call: when only this machine can call at all.
    """

    def __init__(self, listed: Iterable[str], *, allows_loopback: bool) -> None:
        self._listed = frozenset(origin.rstrip("/").lower() for origin in listed)
        self._allows_loopback = allows_loopback

    @property
    def allows_all(self) -> bool:
        """Whether every site may call."""
        return "*" in self._listed

    def allows(self, origin: str) -> bool:
        """Whether pages of an origin may call.

        >>> Origins(["https://a.example"], allows_loopback=False).allows("https://a.example")
        True
        >>> Origins([], allows_loopback=True).allows("http://localhost.evil.example:3000")
        False
        """
        if not origin or origin == "null":
            return False
        if self.allows_all or origin.lower() in self._listed:
            return True
        return self._allows_loopback and _is_loopback(origin)

    def headers(self, origin: str) -> tuple[Header, ...]:
        """What an answer tells a browser; nothing when the origin is not allowed."""
        if not self.allows(origin):
            return ()
        if self.allows_all:
            return ((b"access-control-allow-origin", b"*"),)
        return (
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
        )

    def preflight(self, headers: Mapping[bytes, bytes]) -> Answer:
        """The answer to `OPTIONS`.

        Raises:
            Denied: it asks for a page of another site.
        """
        origin = headers.get(b"origin", b"").decode("latin-1")
        if not origin:
            return Answer(204, b"", ((b"allow", METHODS),))
        if not self.allows(origin):
            raise Denied("Cross-origin request blocked. The operator can allow an origin with --cors-allowed-origins.")
        asked = headers.get(b"access-control-request-headers", b"")[:MAX_ASKED_BYTES]
        allowed: tuple[Header, ...] = ((b"access-control-allow-headers", asked),) if asked else ()
        return Answer(
            204, b"", ((b"access-control-allow-methods", METHODS), (b"access-control-max-age", KEPT_S), *allowed)
        )


def _is_loopback(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and (parts.hostname or "") in _LOOPBACK
    except ValueError:
        return False
