"""A closed loop of clients on kept connections, and the CPU that a server's processes used meanwhile."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class Client(asyncio.Protocol):
    """Sends the next request when the answer to the last one is whole.

    A quick client acknowledges what comes at once, so that a server that sends head and body apart is not measured by
    the time of a delayed acknowledgement.
    """

    def __init__(
        self,
        make: Callable[[int], bytes],
        until: float,
        took: list[float],
        done: "asyncio.Future[None]",
        *,
        is_quick: bool = False,
    ) -> None:
        self.make, self.until, self.took, self.done, self.is_quick = make, until, took, done, is_quick
        self.pieces: list[bytes] = []
        self.wanted: int | None = None
        self.head = b""
        self.errors = 0
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.socket = transport.get_extra_info("socket")
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.send()

    def send(self) -> None:
        if self.is_quick:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self.sent_at = time.perf_counter()
        self.transport.write(self.make(len(self.took)))

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        if self.wanted is None:
            self.pieces = [b"".join(self.pieces)]
            head, split, _ = self.pieces[0].partition(b"\r\n\r\n")
            if not split:
                return
            told = head.lower().partition(b"content-length:")[2]
            self.head = head
            self.wanted = len(head) + 4 + int(told.split(b"\r\n", 1)[0]) if told else -1
        if self.wanted == -1:  # chunked: the end tells it
            if not b"".join(self.pieces[-2:]).endswith(b"0\r\n\r\n"):
                return
        elif sum(map(len, self.pieces)) < self.wanted:
            return
        head = self.head
        now = time.perf_counter()
        self.took.append(now - self.sent_at)
        if not head.startswith(b"HTTP/1.1 200"):
            self.errors += 1
        self.pieces, self.wanted = [], None
        if now < self.until:
            self.send()
        else:
            self.transport.close()
            self.done.set_result(None)


async def _closed_loop(
    port: int, clients: int, seconds: float, make: Callable[[int], bytes], *, is_quick: bool
) -> tuple[list[float], int]:
    loop = asyncio.get_running_loop()
    took: list[float] = []
    until = time.perf_counter() + seconds
    pairs = []
    for _ in range(clients):
        done = loop.create_future()
        _, client = await loop.create_connection(
            lambda done=done: Client(make, until, took, done, is_quick=is_quick),
            "127.0.0.1",
            port,  # type: ignore[misc]
        )
        pairs.append((client, done))
    await asyncio.gather(*(done for _, done in pairs))
    return took, sum(client.errors for client, _ in pairs)


def request(path: str, body: bytes, port: int, method: str = "POST") -> bytes:
    """A request as bytes."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def cpu_s(pid: int) -> float:
    """User and system time of a process and of those it started, in seconds."""
    total = 0.0
    for process in (pid, *_children(pid)):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_children(int(child))]
    return found


def measured(
    pid: int, port: int, clients: int, seconds: float, make: Callable[[int], bytes], *, is_quick: bool = False
) -> dict[str, float]:
    """One closed loop: rate, quantiles in milliseconds, CPU of the server per request in milliseconds."""
    before = cpu_s(pid)
    started = time.perf_counter()
    took, errors = asyncio.run(_closed_loop(port, clients, seconds, make, is_quick=is_quick))
    passed = time.perf_counter() - started
    took.sort()

    def quantile(share: float) -> float:
        return took[min(len(took) - 1, int(share * len(took)))] * 1000

    return {
        "clients": clients,
        "per_s": len(took) / passed,
        "p50_ms": quantile(0.5),
        "p95_ms": quantile(0.95),
        "p99_ms": quantile(0.99),
        "cpu_ms": (cpu_s(pid) - before) * 1000 / len(took),
        "errors": errors,
    }


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def started(command: list[str], port: int, path: str = "/") -> subprocess.Popen[bytes]:
    """A server process that answers."""
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                break
        except OSError:
            time.sleep(0.02)
    if path != "/":
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10).read()
    return process
