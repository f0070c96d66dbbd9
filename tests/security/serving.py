"""A real serving process beside a control plane."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import urllib3


class RunningServing:
    """`airside serve` on a socket of the test's; ended by `close`."""

    def __init__(self, spool: Path, control_url: str, *flags: str, token: str = "") -> None:
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(128)
        self.port: int = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        descriptor = self.socket.fileno()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "airside", "serve", "--spool", str(spool), "--descriptor", str(descriptor), *flags],
            pass_fds=(descriptor,),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "AIRSIDE_URL": control_url, "AIRSIDE_TOKEN": token, "OMP_NUM_THREADS": "1"},
        )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        with urllib3.PoolManager(retries=False) as pool:
            while pool.request("GET", f"{self.url}/ping").status not in (200, 503) and time.monotonic() < deadline:
                time.sleep(0.01)

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(15)
        self.socket.close()
