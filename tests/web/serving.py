"""A server for the pages alone, in a thread: for browser tests, and for looking at pages while they are made."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from tests.web.moment import NOW

from airside.server.web.artifact_view import POLICY
from airside.server.web.page import Call
from airside.server.web.routes import WebRequest, respond
from airside.server.web.security import SECURITY_HEADERS, STATIC_HEADERS
from airside.server.web.static import static_file

PICTURE = bytes.fromhex("47494638396101000100800000000000ffffff2c00000000010001000002024401003b")
ARTIFACTS = {"a.html": b"<script>alert('artifact')</script>", "t.csv": b'a,"b, c"\n1,<b>2</b>\n'}


class _Edge(BaseHTTPRequestHandler):
    call: Call
    ended: threading.Event

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        found = static_file(path)
        if found is not None:
            headers = (*STATIC_HEADERS, ("Cache-Control", found.cache_control))
            self._send(200, found.content_type, found.body, headers)
        elif path == "/live":
            self._stream()
        elif path.startswith("/ajax-api/"):
            self._send(
                200,
                "application/json",
                b'{"files":[{"path":"model","is_dir":true},{"path":"a.html","is_dir":false,"file_size":"33"}'
                b',{"path":"t.csv","is_dir":false,"file_size":"20"}]}',
                (),
            )
        elif path == "/get-artifact":
            held = ARTIFACTS.get(query.rpartition("path=")[2])
            self._send(200, "image/gif" if held is None else "application/octet-stream", held or PICTURE, ())
        elif path == "/artifact-view":
            self._send(200, "text/html", ARTIFACTS["a.html"], (("Content-Security-Policy", POLICY),))
        else:
            self._page("GET", path, query, ())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        path, _, query = self.path.partition("?")
        self._page("POST", path, query, tuple(parse_qsl(body, keep_blank_values=True)))

    def _page(self, method: str, path: str, query: str, form: tuple[tuple[str, str], ...]) -> None:
        headers = {key.lower(): value for key, value in self.headers.items()}
        request = WebRequest(
            method=method,
            raw_path=path,
            query_string=query,
            headers=headers,
            form=form,
            now=NOW,
            origin=f"http://{headers.get('host', '')}",
        )
        page = respond(self.call, request)
        self._send(page.status, page.content_type, page.body, (*SECURITY_HEADERS, *page.headers))

    def _stream(self) -> None:
        """A live stream in which nothing happens until the server ends."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b": open\n\n")
        self.wfile.flush()
        self.ended.wait()

    def _send(self, status: int, kind: str, body: bytes, headers: tuple[tuple[str, str], ...]) -> None:
        self.send_response(status)
        for key, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *headers):
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class names it so
        """Quiet."""


@contextlib.contextmanager
def served(call: Call) -> Iterator[str]:
    """The address of a server that answers with these records."""
    edge = type("Edge", (_Edge,), {"call": staticmethod(call), "ended": (ended := threading.Event())})
    server = ThreadingHTTPServer(("127.0.0.1", 0), edge)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
