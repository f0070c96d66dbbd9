"""A home that cannot be written, and a disk that is full: told clearly, nothing lost, and over when there is room."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tests.conftest import RunningServer

import airside
from airside.core.errors import DiskFull
from airside.platform.access.tokens import CreateToken, ListTokens
from airside.platform.house import VerifyAudit
from airside.tracking.operations.experiments import GetExperimentByName

FILL = b"\0" * 65536


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 24 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder = Path(tempfile.mkdtemp(prefix="airside-disk-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], check=False)
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


def fill(path: Path) -> None:
    """Take all the room that is left."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(FILL):
            pass
    with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
        while file.write(b"\0"):
            pass


def post(pool: urllib3.PoolManager, url: str, ask: dict[str, Any]) -> tuple[int, Any]:
    answer = pool.request("POST", url, body=json.dumps(ask).encode(), headers={"Content-Type": "application/json"})
    return answer.status, json.loads(answer.data)


def refused(pool: urllib3.PoolManager, url: str, name: str) -> tuple[int, Any]:
    """Ask until the last room in the log of writes is used up."""
    for number in range(10_000):
        answer = post(pool, url, {"name": f"{name}{number}" + "x" * 200})
        if answer[0] != 200:
            return answer
    raise AssertionError("the disk was never full")


def test_a_full_disk_refuses_writes_answers_reads_and_writing_goes_on_when_there_is_room(small_disk: Path) -> None:
    running = RunningServer(small_disk / "home")
    pool = urllib3.PoolManager(retries=False)
    try:
        with airside.connect(running.url) as client:
            client.call(CreateToken(name="before"))
            fill(small_disk / "fill")
            status, told = refused(pool, running.url + "/api/v1/tokens.create", "t")
            assert (status, told["error_code"]) == (507, "INSUFFICIENT_STORAGE")
            assert "Free some room" in told["message"]
            status, told = refused(pool, running.url + "/api/2.0/mlflow/experiments/create", "e")
            assert status == 503
            with pytest.raises(DiskFull):
                client.put_blob(b"x" * 100_000)
            assert client.call(GetExperimentByName(name="Default")).experiment_id == "0"
            (small_disk / "fill").unlink()
            client.call(CreateToken(name="after"))
            names = [token.name for token in client.call(ListTokens()).items]
            assert (names[0], names[-1]) == ("before", "after")
            assert client.get_blob(client.put_blob(b"x" * 100_000)) == b"x" * 100_000
            assert client.call(VerifyAudit()).holds
        assert running.stop() == 0
    finally:
        pool.clear()
        running.stop()


def test_mlflow_clients_are_told_of_a_full_disk_and_nothing_is_half_there(small_disk: Path) -> None:
    running = RunningServer(small_disk / "home")
    pool = urllib3.PoolManager(retries=False)
    api = running.url + "/api/2.0/mlflow/runs/"
    try:
        run = post(pool, api + "create", {"experiment_id": "0"})[1]["run"]["info"]["run_id"]
        fill(small_disk / "fill")
        acknowledged, refusal = batches(pool, api, run)
        files = f"{running.url}/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/"
        upload = pool.request("PUT", files + "big.bin", body=b"x" * 3_000_000)
        data = json.loads(pool.request("GET", f"{api}get?run_id={run}").data)["run"]["data"]
        listed = json.loads(pool.request("GET", f"{running.url}/api/2.0/mlflow/artifacts/list?run_id={run}").data)
        (small_disk / "fill").unlink()
        resumed = post(pool, api + "log-batch", batch(run, 10_000))[0]
        stored = pool.request("PUT", files + "big.bin", body=b"x" * 3_000_000).status

        assert (resumed, stored) == (200, 200)
        assert (refusal[0], refusal[1]["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
        assert "SQL" not in refusal[1]["message"].upper()
        assert len(data.get("params", ())) == len(data.get("metrics", ())) == len(data["tags"]) - 1 == acknowledged
        assert (upload.status, "files" in listed) == (503, False)
        assert resumed == 200
    finally:
        pool.clear()
        running.stop()


def batch(run: str, number: int) -> dict[str, Any]:
    name = f"{number}" + "x" * 200
    pairs = [{"key": name, "value": "y" * 1000}]
    return {"run_id": run, "metrics": [{"key": name, "value": 1, "timestamp": 1}], "params": pairs, "tags": pairs}


def batches(pool: urllib3.PoolManager, api: str, run: str) -> tuple[int, tuple[int, Any]]:
    """Log batches until one is refused: how many were acknowledged, and the refusal."""
    for number in range(10_000):
        answer = post(pool, api + "log-batch", batch(run, number))
        if answer[0] != 200:
            return number, answer
    raise AssertionError("the disk was never full")


def as_nobody(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as a user without rights: rights do not bind root."""
    if os.geteuid() != 0:
        prefix: list[str] = []
    elif shutil.which("setpriv"):
        prefix = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]
    else:
        pytest.skip("needs setpriv to run as another user")
    command = [*prefix, sys.executable, "-m", "airside", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "Permission denied" in done.stderr and sys.executable in done.stderr:
        pytest.skip("another user may not run this interpreter")
    return done


@pytest.fixture
def locked_home() -> Iterator[Path]:
    """A home that exists, and that nobody may write."""
    folder = Path(tempfile.mkdtemp(prefix="airside-locked-"))
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


@pytest.mark.parametrize("command", [("server", "--port", "0"), ("tokens", "list"), ("doctor",)])
def test_a_home_that_cannot_be_written_is_told(locked_home: Path, command: tuple[str, ...]) -> None:
    done = as_nobody(*command, "--home", str(locked_home))
    assert done.returncode == 1, done.stderr
    assert "cannot be written" in (done.stderr + done.stdout).replace("\n", " ").replace("  ", " ")
    assert "Traceback" not in done.stderr
