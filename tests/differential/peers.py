"""The two servers that are asked the same: a real `mlflow server` where it is installed, and ours."""

import http.client
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from tests.conftest import free_port

PYTHON = os.environ.get("MLFLOW_PYTHON", sys.executable)
"""The interpreter that has `mlflow`, where it is not this one."""
HAS_MLFLOW = "MLFLOW_PYTHON" in os.environ or importlib.util.find_spec("mlflow") is not None


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request, with symbols (`<run:0>`) where an id of an earlier answer belongs."""

    method: str = "POST"
    path: str
    body: dict[str, Any] | None = None
    query: tuple[tuple[str, str], ...] | None = None
    raw: str | None = None
    content_type: str | None = "application/json"
    prefix: str = "/api/"
    headers: tuple[tuple[str, str], ...] = ()


class Answered(msgspec.Struct, frozen=True):
    """What came back; `body` is None where it is no JSON."""

    status: int
    body: Any
    content_type: str = ""


class Wire:
    """A kept connection to one server, which runs in a folder: a relative location is answered as one below it."""

    def __init__(self, port: int, folder: Path) -> None:
        self.folder = folder
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(self, step: Step) -> Answered:
        """Ask, once more when the server closed the connection meanwhile."""
        try:
            return self._send(step)
        except (http.client.HTTPException, ConnectionError):
            self.close()
            return self._send(step)

    def _send(self, step: Step) -> Answered:
        path = quote(step.prefix + step.path, safe="/%{}") + (f"?{urlencode(step.query)}" if step.query else "")
        body = step.raw.encode("utf-8", "surrogatepass") if step.raw is not None else None
        if step.body is not None:
            body = json.dumps(step.body).encode()
        headers = {} if step.content_type is None or body is None else {"Content-Type": step.content_type}
        self._connection.request(step.method, path, body=body, headers={**headers, **dict(step.headers)})
        answer = self._connection.getresponse()
        data = answer.read()
        try:
            told = json.loads(data)
        except ValueError:
            told = None
        return Answered(answer.status, told, answer.headers.get_content_type())

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()


class MlflowServer:
    """`mlflow server` on an empty SQLite store, as a user starts it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        command = [PYTHON, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        store = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "art")]
        self._log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [*command, *store, "--workers", "1"],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )
        self._wait(folder / "log")

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline and self.process.poll() is None:
            wire = self.wire()
            try:
                if wire.send(Step(method="GET", prefix="/", path="health")).status == 200:
                    return
            except OSError:
                time.sleep(0.1)
            finally:
                wire.close()
        raise AssertionError(log.read_text("utf-8", "replace")[-3000:])

    def wire(self) -> Wire:
        """A connection to it."""
        return Wire(self.port, self.folder)

    def stop(self) -> None:
        """End it."""
        os.killpg(self.process.pid, signal.SIGTERM)  # the group of its own that it was started in
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=30)
        self._log.close()
