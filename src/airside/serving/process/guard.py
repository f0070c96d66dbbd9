"""What the serving process refuses before it parses: hostile hosts and pages, smuggled and oversized bodies."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from airside.core.errors import Denied, Invalid, TooLarge
from airside.core.hosts import HostCheck, is_own_page

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Mapping[bytes, bytes]

BODY_LIMIT = 16 << 20
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


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
    if method in SAFE_METHODS:
        return
    origin = headers.get(b"origin")
    if origin is not None and not is_own_page(origin, host):
        raise Denied("A page of another site sent this request. Send it from a program, or from this address.")
    if headers.get(b"sec-fetch-site", b"none") not in {b"none", b"same-origin"}:
        raise Denied("A page of another site sent this request. Send it from a program, or from this address.")


async def read_body(headers: Headers, receive: Receive, limit: int = BODY_LIMIT) -> bytes:
    """The whole body.

    Raises:
        Invalid: the client went away before its end.
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
        if message["type"] == "http.disconnect":
            raise Invalid("The client went away before the end of the body.")
        piece: bytes = message.get("body", b"")
        size += len(piece)
        pieces.append(piece)
    if size > limit:
        raise _too_large(limit)
    return b"".join(pieces)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit >> 20} MiB, the limit of a prediction. Send fewer rows at once.")
