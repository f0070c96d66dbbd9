"""A small receiver on loopback, with TLS or without: remembers what it gets, answers what a test wants."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CERTIFICATE = HERE / "localhost.pem"
"""Of `localhost` and 127.0.0.1, signed by itself, from 2020 until 2120."""
KEY = HERE / "localhost.key"

Respond = Callable[[Any], None]


def answering(status: int, body: bytes = b"ok", **headers: str) -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return respond


class Receiver:
    """What came in, and what is answered: the responses in turn, the last one again and again."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.responses: list[Respond] = [answering(200)]
        self.url = ""
        self._news = threading.Condition()

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        with self._news:
            respond = self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]
            self.got.append((handler.path, dict(handler.headers), body))
            self._news.notify_all()
        respond(handler)

    def wait(self, count: int) -> list[tuple[str, dict[str, str], bytes]]:
        with self._news:
            assert self._news.wait_for(lambda: len(self.got) >= count, timeout=60), self.got
        return self.got


@contextmanager
def receiving(*, tls: bool = False) -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.take(self)

        def log_message(self, *_args: Any) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_args: Any) -> None:
            """A sender that goes away is what tests want."""

    server = Quiet(("127.0.0.1", 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, KEY)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
