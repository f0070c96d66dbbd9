"""Start and rest of `airside server`: launch to first answers, CPU, memory, end; `import airside`. Medians of five.

    python bench/start.py [--rest SECONDS]

With compiled modules, as `pip install` leaves them: a first start that is not counted writes what is missing.
"""

import argparse
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
from typing import NamedTuple

from load import cpu_s, free_port

REPEATS = 5
COMPILED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


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


class Start(NamedTuple):
    """What one start cost: seconds to /health and to the first answer of the API, CPU-seconds until then, ..."""

    health_s: float
    api_s: float
    api_cpu_s: float
    rest_mb: float
    rest_cpu_percent: float
    end_s: float


def once(home: Path, rest_s: float) -> Start:
    """One start, a rest, the end."""
    port = free_port()
    began = time.perf_counter()
    command = [sys.executable, "-m", "airside", "server", "--home", str(home), "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=COMPILED)
    answered(f"http://127.0.0.1:{port}/health")
    health = time.perf_counter() - began
    answered(f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/get?experiment_id=0")
    api, cpu = time.perf_counter() - began, cpu_s(server.pid)
    time.sleep(1)  # what starts behind the first answer
    before = cpu_s(server.pid)
    time.sleep(rest_s)
    idle = (cpu_s(server.pid) - before) / rest_s
    memory = pss_mb(server.pid)
    began = time.perf_counter()
    server.send_signal(signal.SIGTERM)
    server.wait()
    return Start(health, api, cpu, memory, 100 * idle, time.perf_counter() - began)


def imported(code: str) -> float:
    """CPU seconds of an interpreter that runs a line."""
    before = os.times()
    subprocess.run([sys.executable, "-c", code], check=True, env=COMPILED)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rest", type=float, default=5.0, help="seconds without requests after each start")
    rest_s = parser.parse_args().rest
    with tempfile.TemporaryDirectory() as place:
        once(Path(place) / "h0", 0.1)
        again = [once(Path(place) / "h0", rest_s) for _ in range(REPEATS)]
        fresh = [once(Path(place) / f"h{number + 1}", rest_s) for number in range(REPEATS)]
    for name, runs in (("fresh home", fresh), ("existing home", again)):
        middle = Start(*(statistics.median(column) for column in zip(*runs, strict=True)))
        print(
            f"{name}: /health {middle.health_s:.2f} s, first API answer {middle.api_s:.2f} s after "
            f"{middle.api_cpu_s:.2f} s of CPU, {middle.rest_mb:.0f} MB PSS and {middle.rest_cpu_percent:.1f} % of a "
            f"core at rest, ends in {middle.end_s:.2f} s"
        )
    bare = statistics.median(imported("pass") for _ in range(REPEATS))
    ours = statistics.median(imported("import airside") for _ in range(REPEATS))
    client = statistics.median(imported("import airside; airside.connect") for _ in range(REPEATS))
    print(f"CPU: interpreter {bare:.3f} s, `import airside` {ours:.3f} s, with its client {client:.3f} s")


if __name__ == "__main__":
    main()
