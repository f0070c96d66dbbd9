"""The servers that are measured beside each other: Airside, `mlflow server`, FastTrackML at its default and durable.

The peers live in environments of their own: folders named by `--mlflow`, `--fasttrackml` (or `BENCH_MLFLOW`,
`BENCH_FASTTRACKML`), else made in a temporary folder with `python -m venv` and pip.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from load import cpu_s, free_port

PACKAGES = {"mlflow": "mlflow==3.17.2", "fasttrackml": "fasttrackml==0.6.0"}
API = "/api/2.0/mlflow/"
START_S = 300.0


def environment(name: str, given: Path | None, place: Path) -> Path:
    """The folder of a virtual environment that holds a peer; made when none is given."""
    if given is None and (told := os.environ.get(f"BENCH_{name.upper()}")):
        given = Path(told)
    if given is not None:
        return given
    folder = place / f"env-{name}"
    print(f"installing {PACKAGES[name]} …", flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([folder / "bin" / "pip", "install", "-q", PACKAGES[name]], check=True)
    return folder


class Peer:
    """A server: how it is started, and while it runs its process and port.

    Attributes:
        name: what it is called in the tables.
        folder: everything that it stores.
        port: where it listens.
    """

    def __init__(self, name: str, folder: Path, command: list[str]) -> None:
        self.name = name
        self.folder = folder
        self.port = free_port()
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> tuple[float, float]:
        """Start it and wait for its first answer: seconds, and CPU-seconds until then."""
        self.folder.mkdir(parents=True, exist_ok=True)
        environment_of = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment_of |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
        if paths := os.environ.get("PYTHONPATH"):  # the server works in its own folder
            environment_of["PYTHONPATH"] = os.pathsep.join(
                str(Path(path).resolve()) for path in paths.split(os.pathsep)
            )
        command = [part.format(port=self.port, folder=self.folder) for part in self._command]
        began = time.perf_counter()
        with (self.folder / "bench.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=environment_of, stdout=log, stderr=log, start_new_session=True
            )
        while time.perf_counter() - began < START_S and self._process.poll() is None:
            try:
                self.get("experiments/get?experiment_id=0")
            except (OSError, ValueError):
                time.sleep(0.003)
            else:
                return time.perf_counter() - began, cpu_s(self.pid)
        told = (self.folder / "bench.log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{self.name} did not answer in {START_S:.0f} s, or ended: {told}")

    def stop(self) -> None:
        """End it with all that it started."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self._process = None

    @property
    def pid(self) -> int:
        """The process that was started."""
        if self._process is None:
            raise RuntimeError(f"{self.name} does not run.")
        return self._process.pid

    def get(self, path: str) -> dict[str, Any]:
        """Ask by GET."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{API}{path}", timeout=300) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def post(self, path: str, **fields: Any) -> dict[str, Any]:
        """Ask by POST."""
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{API}{path}",
            data=json.dumps(fields).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=300) as answer:
            made: dict[str, Any] = json.loads(answer.read() or b"{}")
        return made


def servers(place: Path, mlflow: Path | None, fasttrackml: Path | None, *, without: set[str]) -> list[Peer]:
    """The servers of a run, Airside first; none of them is started."""
    airside = [sys.executable, "-m", "airside", "server", "--home", "{folder}/home", "--port", "{port}"]
    found = [Peer("airside", place / "airside", airside)]
    if "mlflow" not in without:
        tool = str(environment("mlflow", mlflow, place) / "bin" / "mlflow")
        command = [tool, "server", "--host", "127.0.0.1", "--port", "{port}"]
        found.append(
            Peer("mlflow", place / "mlflow", [*command, "--backend-store-uri", "sqlite:///{folder}/mlflow.db"])
        )
    if "fasttrackml" not in without:
        tool = str(environment("fasttrackml", fasttrackml, place) / "bin" / "fml")
        for name, options in (("fml", ""), ("fml FULL", "?_synchronous=FULL")):
            uri = "sqlite://{folder}/fml.db" + options
            command = [tool, "server", "--listen-address", "127.0.0.1:{port}", "--database-uri", uri]
            found.append(Peer(name, place / name.replace(" ", "-"), command))
    return found


def memory_mb(pid: int) -> float:
    """Proportional memory of a process and of all below it."""
    total = 0.0
    waiting = [pid]
    while waiting:
        process = waiting.pop()
        try:
            total += int(Path(f"/proc/{process}/smaps_rollup").read_text().split("Pss:")[1].split()[0]) / 1024
            for task in Path(f"/proc/{process}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return total
