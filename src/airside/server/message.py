"""What comes in and what goes out: a request with its bounded body, an answer with its headers."""

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import msgspec

from airside.core.errors import AirsideError, Invalid, TooLarge
from airside.core.operation import LOCAL, Actor

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON_TYPE: Header = (b"content-type", b"application/json")
FRAME: Header = (b"x-frame-options", b"SAMEORIGIN")
BASE_HEADERS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"Origin"),
    (b"cache-control", b"no-store"),
)
_MARKS = (b"&", b"%", b"+")
"""With one of these a query string has more than one field, or is encoded."""
PIECES_AT_ONCE = 48
"""How many pieces of a body are joined and sent at a time. To join megabytes would cost more than to find them."""
Pieces = tuple[bytes, ...]
"""A body in many small pieces that are all there."""
_ENCODER = msgspec.json.Encoder()


class Answer(NamedTuple):
    """An answer: bytes, some pieces of bytes that are there, or pieces as they come."""

    status: int
    body: bytes | Pieces | AsyncIterator[bytes]
    headers: tuple[Header, ...] = (JSON_TYPE,)
    cacheable: bool = False


class Request:
    """A request whose head has been read and found in order. The body is read when it is asked for, up to a limit."""

    __slots__ = ("actor", "args", "body_limit", "headers", "method", "path", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive, path: str, body_limit: int) -> None:
        self.scope = scope
        self.receive = receive
        self.method: str = scope["method"]
        self.path = path
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.body_limit = body_limit
        self.actor: Actor = LOCAL
        self.args: dict[str, str] = {}

    def header(self, name: bytes) -> str:
        """A header's text; empty when it was not sent."""
        return self.headers.get(name, b"").decode("latin-1")

    def query(self) -> dict[str, list[str]]:
        """The query string, percent-decoded.

        Raises:
            Invalid: it is not UTF-8 or has too many fields.
        """
        sent: bytes = self.scope["query_string"]
        if sent.isascii() and not any(mark in sent for mark in _MARKS):  # the short way, for the most common
            name, _, value = sent.decode("ascii").partition("=")
            return {name: [value]} if sent else {}
        try:
            return parse_qs(
                sent.decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=20_000,
            )
        except ValueError as error:
            raise Invalid("The query string is not UTF-8 in percent-encoding, or has too many fields.") from error

    async def body(self, *, limit: int | None = None) -> bytes:
        """The whole body.

        Raises:
            TooLarge: it is larger than the limit; from its announced length, before any of it is read.
        """
        most = limit or self.body_limit
        announced = self.headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > most:
            raise _too_large(most)
        message = await self.receive()
        first: bytes = message.get("body", b"")
        if not message.get("more_body"):
            if len(first) > most:
                raise _too_large(most)
            return first
        pieces, size = [first], len(first)
        while message.get("more_body"):
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Invalid("The client went away before the end of the body.")
            piece = message.get("body", b"")
            size += len(piece)
            if size > most:
                raise _too_large(most)
            pieces.append(piece)
        return b"".join(pieces)

    async def stream(self) -> AsyncIterator[bytes]:
        """The body, piece by piece, without a limit: for bytes that go to disk.

        Raises:
            Invalid: the client went away before the end.
        """
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Invalid("The client went away before the end of the body.")
            more = bool(message.get("more_body"))
            if piece := message.get("body", b""):
                yield piece


Handler = Callable[[Request], Awaitable[Answer]]


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit / (1 << 20):.0f} MiB, the limit of this call.")


def json_answer(value: Any, *, status: int = 200) -> Answer:
    """A record as JSON."""
    return Answer(status, _ENCODER.encode(value))


def error_answer(error: AirsideError) -> Answer:
    """An error of ours as JSON."""
    headers: tuple[Header, ...] = (JSON_TYPE,)
    if error.retry_after_s is not None:
        headers = (*headers, (b"retry-after", str(error.retry_after_s).encode()))
    if error.status == 401:
        headers = (*headers, (b"www-authenticate", b'Basic realm="mlflow"'))
    return Answer(error.status, _ENCODER.encode(error.body()), headers)


async def send_answer(
    answer: Answer, send: Send, *, is_head: bool = False, more: tuple[Header, ...] = (FRAME,)
) -> None:
    """Write an answer to the connection, with headers that the server adds."""
    headers = [*answer.headers, *(BASE_HEADERS[:2] if answer.cacheable else BASE_HEADERS), *more]
    body = answer.body
    if isinstance(body, bytes):
        body = (body,)
    if isinstance(body, tuple):
        if answer.status != 204:
            headers.append((b"content-length", b"%d" % sum(map(len, body))))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if is_head:
            body = ()
        for first in range(0, max(1, len(body)), PIECES_AT_ONCE):
            some, has_more = b"".join(body[first : first + PIECES_AT_ONCE]), first + PIECES_AT_ONCE < len(body)
            await send({"type": "http.response.body", "body": some, "more_body": has_more})
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    async for piece in body:
        if not is_head:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
