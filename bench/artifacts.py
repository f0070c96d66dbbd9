"""Large and small artifacts beside `mlflow server`: rates up and down, and how much memory the server takes for it.

    python -m bench.artifacts http://127.0.0.1:5000 PID [megabytes]

Point it at one server after the other; PID is the server's process (its children are counted too).
"""

import http.client
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

PIECE = bytes(range(256)) * 4096
SMALL_FILES = 300
BASE = "/api/2.0/mlflow-artifacts/artifacts/bench"


def peak_mib(pid: int) -> float:
    """The most resident memory of a process and its children so far, in MiB."""
    total = 0.0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            facts = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except OSError:
            continue
        if int(facts["Pid"]) == pid or int(facts["PPid"]) == pid:
            total += int(facts.get("VmHWM", "0 kB").split()[0]) / 1024
    return total


def pieces(count: int) -> Iterator[bytes]:
    """So many MiB."""
    for _ in range(count):
        yield PIECE


def main(url: str, pid: int, megabytes: int) -> None:
    """Print the figures of one server."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=600)

    def ask(method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> bytes:
        connection.request(method, parts.path + path, body=body, headers=headers or {})  # type: ignore[arg-type]
        answer = connection.getresponse()
        size, last = 0, b""
        while piece := answer.read(1 << 20):
            size, last = size + len(piece), piece
        if answer.status != 200:
            raise SystemExit(f"{method} {path}: {answer.status} {last[:200]!r}")
        return size.to_bytes(8, "big")

    ask("PUT", f"{BASE}/warm", b"x")
    before = peak_mib(pid)
    started = time.perf_counter()
    ask("PUT", f"{BASE}/big", pieces(megabytes), {"Content-Length": str(megabytes << 20)})
    up = time.perf_counter() - started
    after_up = peak_mib(pid)
    started = time.perf_counter()
    got = int.from_bytes(ask("GET", f"{BASE}/big"), "big")
    down = time.perf_counter() - started
    if got != megabytes << 20:
        raise SystemExit(f"{got} bytes came back, not {megabytes << 20}")
    print(f"up    {megabytes / up:8.0f} MiB/s   memory +{after_up - before:.0f} MiB")
    print(f"down  {megabytes / down:8.0f} MiB/s   memory +{peak_mib(pid) - after_up:.0f} MiB")
    started = time.perf_counter()
    for _ in range(SMALL_FILES):
        ask("GET", f"{BASE}/warm")
    print(f"small {SMALL_FILES / (time.perf_counter() - started):8.0f} downloads/s on one connection")
    ask("DELETE", f"{BASE}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 500)
