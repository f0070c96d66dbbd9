"""What the serving process refuses before it parses: hostile hosts and pages, smuggled and oversized bodies."""

import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from airside.core.errors import Denied, Invalid, TooLarge

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Mapping[bytes, bytes]

BODY_LIMIT = 16 << 20


class HostCheck:
    """Decides whether a request names this host. Rebinding needs a name, so literal private addresses pass.

    >>> HostCheck(["models.example"])(b"127.0.0.1:5001"), HostCheck([])(b"evil.example")
    (True, False)
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(host.lower() for host in allowed)
        self._known: dict[bytes, bool] = {}

    def __call__(self, host: bytes) -> bool:
        """Whether a Host header names this host."""
        known = self._known.get(host)
        if known is None:
            known = self._decide(host.decode("latin-1"))
            if len(self._known) < 1000:
                self._known[host] = known
        return known

    def _decide(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        if name == "localhost" or name in self._allowed or host.lower() in self._allowed:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or address.is_private


def check(headers: Headers, method: str, path: str, is_ours: HostCheck) -> None:
    """Let a request pass, or raise.

    Raises:
        Denied: the Host is not ours, or another site's page sent it.
        Invalid: it tells its length in two ways.
    """
    if b"content-length" in headers and b"transfer-encoding" in headers:
        raise Invalid("The request has both Content-Length and Transfer-Encoding. Send one.")
    host = headers.get(b"host", b"")
    if path != "/health" and not is_ours(host):
        raise Denied("This Host is not served here. The operator can allow it with --allowed-hosts.")
    if method in {"GET", "HEAD", "OPTIONS"}:
        return
    origin = headers.get(b"origin")
    if origin is not None and urlsplit(origin.decode("latin-1")).netloc.encode("latin-1") != host:
        raise Denied("A page of another site sent this request. Send it from a program, or from this address.")
    if headers.get(b"sec-fetch-site", b"none") not in {b"none", b"same-origin"}:
        raise Denied("A page of another site sent this request. Send it from a program, or from this address.")


async def read_body(headers: Headers, receive: Receive, limit: int = BODY_LIMIT) -> bytes:
    """The whole body.

    Raises:
        TooLarge: from the announced length before anything is read, else as soon as the count passes the limit.
    """
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body") and len(body) <= limit:
        return body
    pieces, size = [body], len(body)
    while message.get("more_body"):
        if size > limit:
            raise _too_large(limit)
        message = await receive()
        piece: bytes = message.get("body", b"")
        size += len(piece)
        pieces.append(piece)
    if size > limit:
        raise _too_large(limit)
    return b"".join(pieces)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit >> 20} MiB, the limit of a prediction. Send fewer rows at once.")
