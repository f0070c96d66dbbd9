"""A model worker: the original of a model, in a process of its own behind a pipe.

The process runs foreign code, so it gets a clean environment and no credentials, dies with its parent, and is killed
when it does not answer in time. Whoever calls it batches the rows.
"""

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from airside.core.errors import DeadlineExceeded, Denied, Internal, Invalid, Unavailable
from airside.core.ids import BlobId
from airside.inference.model_dir.digests import verify
from airside.inference.model_dir.mlmodel import read_mlmodel
from airside.inference.records import Prediction, Signature

LENGTH = 4
MAX_FRAME = 2**28
START_S = 60.0
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


class Answer(msgspec.Struct):
    """What the worker process says: a prediction, or why there is none."""

    prediction: Prediction | None = None
    refused: str = ""
    failed: str = ""


class ModelWorker:
    """The original of a model directory, in a process. Thread-safe: one request at a time.

    A process that died or was killed is started again by the next request.
    """

    form = "original"

    def __init__(
        self,
        folder: Path,
        *,
        allow_pickle: bool,
        files: Mapping[str, BlobId] | None = None,
        limit_s: float = 60.0,
    ) -> None:
        """Start it.

        Args:
            folder: the model directory.
            allow_pickle: whether the operator lets models run code when they are loaded.
            files: path → digest, as registered; verified before anything is loaded.
            limit_s: how long one answer may take.

        Raises:
            Denied: the operator does not allow it.
            Invalid: the directory cannot be read, or a file was changed.
        """
        if not allow_pickle:
            raise Denied(
                "This model can only be loaded from a pickle, which may run any code. The operator has not allowed "
                "that: set allow_pickle, or register a model that is compiled."
            )
        if files is not None:
            verify(folder, dict(files))
        described = read_mlmodel((folder / "MLmodel").read_bytes())
        self.signature = described.signature or Signature()
        self._folder = folder
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def predict(self, columns: dict[str, list[Any]]) -> Prediction:
        """The answers for rows.

        Raises:
            Invalid: the model refuses the rows.
            Internal: the model failed.
            DeadlineExceeded: it took longer than the limit; the process was killed.
            Unavailable: the process ended.
        """
        with self._lock:
            process, limit_s = self._started()
            try:
                found = _exchange(process, msgspec.msgpack.encode(columns), limit_s)
            except (DeadlineExceeded, Unavailable):
                self._kill()
                raise
        answer = msgspec.msgpack.decode(found, type=Answer)
        if answer.prediction is not None:
            return answer.prediction
        if answer.refused:
            raise Invalid(answer.refused, code="BAD_REQUEST")
        raise Internal(f"The model failed ({answer.failed}). The worker's log has the details.")

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._kill()

    def _started(self) -> tuple[subprocess.Popen[bytes], float]:
        if self._process is not None and self._process.poll() is None:
            return self._process, self._limit_s
        self._kill()
        self._process = subprocess.Popen(  # noqa: S603 -- a list of arguments, no shell
            [sys.executable, "-m", "airside.inference.working", str(self._folder), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=clean_environment(),
        )
        return self._process, self._limit_s + START_S

    def _kill(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def clean_environment() -> dict[str, str]:
    """What a worker process sees of the environment: where programs are, and nothing secret.

    >>> "AIRSIDE_TOKEN" in clean_environment()
    False
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    package = str(Path(__file__).parents[2])
    return kept | {"PYTHONPATH": package, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _exchange(process: subprocess.Popen[bytes], request: bytes, limit_s: float) -> bytes:
    deadline = time.monotonic() + limit_s
    if process.stdin is None or process.stdout is None:
        raise Unavailable("The model worker has no pipes.")
    try:
        process.stdin.write(len(request).to_bytes(LENGTH, "little") + request)
        process.stdin.flush()
    except BrokenPipeError:
        raise Unavailable("The model worker ended. Its log says why; the next request starts it again.") from None
    size = int.from_bytes(_read(process.stdout.fileno(), LENGTH, deadline), "little")
    if size > MAX_FRAME:
        raise Unavailable("The model worker's answer is too large.")
    return _read(process.stdout.fileno(), size, deadline)


def _read(pipe: int, size: int, deadline: float) -> bytes:
    found = bytearray()
    while len(found) < size:
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise DeadlineExceeded("The model did not answer in time; its worker was stopped.")
        piece = os.read(pipe, size - len(found))
        if not piece:
            raise Unavailable("The model worker ended. Its log says why; the next request starts it again.")
        found += piece
    return bytes(found)
