"""Requests as bytes, and what comes back: for what no HTTP client would send."""

import re
import socket
from typing import NamedTuple

SEARCH = b"/api/2.0/mlflow/experiments/search"
GET_PATH = b"/api/2.0/mlflow/experiments/get?experiment_id=0"
HOST = b"Host: 127.0.0.1\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Told(NamedTuple):
    """What came back.

    Attributes:
        statuses: of every answer, in their order.
        is_closed: the server ended the connection.
        text: all of it.
    """

    statuses: tuple[int, ...]
    is_closed: bool
    text: bytes


def sent(port: int, *pieces: bytes, answers: int = 1, patience_s: float = 20.0) -> Told:
    """Send pieces; what comes back until the server closes, or `answers` whole ones have come with nothing behind."""
    told, is_closed = b"", False
    with socket.create_connection(("127.0.0.1", port), timeout=patience_s) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            while True:
                got = connection.recv(65536)
                is_closed = not got
                told += got
                if is_closed or _whole(told) >= answers:
                    break
            if not is_closed:
                is_closed, more = _is_ended(connection)
                told += more
        except (ConnectionResetError, BrokenPipeError):
            is_closed = True
    return Told(tuple(int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3}) ", told)), is_closed, told)


def _is_ended(connection: socket.socket) -> tuple[bool, bytes]:
    """Whether the server has closed behind its answer: asked for with one more request, so that nobody has to wait."""
    try:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        more = connection.recv(65536)
    except (ConnectionResetError, BrokenPipeError):
        return True, b""
    return (not more), (b"" if more.startswith(b"HTTP/1.1 200 OK") and more.endswith(b"OK") else more)


def _whole(told: bytes) -> int:
    """How many answers are whole."""
    number = 0
    while True:
        head, split, rest = told.partition(b"\r\n\r\n")
        if not split:
            return number
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            return number
        number += not head.startswith(b"HTTP/1.1 100")
        told = rest[size:]


def get(more: bytes = b"", *, path: bytes = GET_PATH, version: bytes = b"1.1", host: bytes = HOST) -> bytes:
    """A request without a body."""
    return b"GET " + path + b" HTTP/" + version + b"\r\n" + host + more + b"\r\n"


def post(more: bytes, body: bytes = b"", *, path: bytes = SEARCH, version: bytes = b"1.1") -> bytes:
    """A request with a body whose length is told in `more`."""
    head = b"POST " + path + b" HTTP/" + version + b"\r\n" + HOST + b"Content-Type: application/json\r\n"
    return head + more + b"\r\n" + body
