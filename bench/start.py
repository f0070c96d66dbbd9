"""Start and rest of `airside server`: launch to first answers, memory, end; `import airside`. Medians of five.

python bench/start.py
"""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from load import free_port

REPEATS = 5
REST_S = 2.0


def answered(url: str) -> None:
    """Wait until something answers."""
    while True:
        try:
            urllib.request.urlopen(url, timeout=10).read()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.003)
        else:
            return


def pss_mb(pid: int) -> float:
    """Proportional memory of a process and its children, in MB."""
    pids = [pid]
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if parent == pid:
                pids.append(int(folder.name))
    return sum(int(Path(f"/proc/{one}/smaps_rollup").read_text().split("Pss:")[1].split()[0]) for one in pids) / 1000


def once(home: Path) -> tuple[float, float, float, float]:
    """Seconds to /health, seconds to the first answer of the API, MB at rest, seconds to end."""
    port = free_port()
    began = time.perf_counter()
    command = [sys.executable, "-m", "airside", "server", "--home", str(home), "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    answered(f"http://127.0.0.1:{port}/health")
    health = time.perf_counter() - began
    answered(f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/get?experiment_id=0")
    api = time.perf_counter() - began
    time.sleep(REST_S)
    memory = pss_mb(server.pid)
    began = time.perf_counter()
    server.send_signal(signal.SIGTERM)
    server.wait()
    return health, api, memory, time.perf_counter() - began


def imported(code: str) -> float:
    """CPU seconds of an interpreter that runs a line."""
    before = os.times()
    subprocess.run([sys.executable, "-c", code], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as place:
        fresh = [once(Path(place) / f"h{number}") for number in range(REPEATS)]
        again = [once(Path(place) / "h0") for _ in range(REPEATS)]
    for name, runs in (("fresh home", fresh), ("existing home", again)):
        health, api, memory, end = (statistics.median(column) for column in zip(*runs, strict=True))
        print(
            f"{name}: /health {health:.2f} s, first API answer {api:.2f} s, {memory:.0f} MB PSS at rest, "
            f"ends in {end:.2f} s"
        )
    bare = statistics.median(imported("pass") for _ in range(REPEATS))
    ours = statistics.median(imported("import airside") for _ in range(REPEATS))
    client = statistics.median(imported("import airside; airside.connect") for _ in range(REPEATS))
    print(f"CPU: interpreter {bare:.3f} s, `import airside` {ours:.3f} s, with its client {client:.3f} s")


if __name__ == "__main__":
    main()
