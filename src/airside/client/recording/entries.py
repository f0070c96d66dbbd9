"""What is sent: asks with their idempotency keys, and files. The same in memory and in the spool."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from airside.client.transport import Client
from airside.core.errors import Invalid
from airside.core.ids import BlobId, RunId
from airside.core.operation import operation_of
from airside.core.record import Ask, Record
from airside.tracking.capture.operations import KeepCapture
from airside.tracking.operations.logging import LogBatch, LogInputs
from airside.tracking.operations.runs import GetRun, StartRun, UpdateRun

ASKS: Mapping[str, type[Ask[Any]]] = {
    operation_of(kind).name: kind for kind in (StartRun, UpdateRun, LogBatch, LogInputs, KeepCapture)
}
"""What may wait in a spool."""
NO_RUN, NO_BLOB = RunId(""), BlobId("")
PROXIED = "mlflow-artifacts:/"
_ENCODER = msgspec.json.Encoder()


class Written(Record):
    """An entry as it stands in the spool.

    Attributes:
        operation: of an ask; empty for a file.
        key: the idempotency key, the same at each try.
        ask: as JSON.
        run_id, path: of an artifact; both empty for a blob.
        file: the name of the file beside the segments.
    """

    operation: str = ""
    key: str = ""
    ask: bytes = b""
    run_id: RunId = RunId("")
    path: str = ""
    file: str = ""
    blob: BlobId = BlobId("")


class Question:
    """An ask that waits."""

    __slots__ = ("ask", "key", "n_values")

    def __init__(self, ask: Ask[Any], key: str = "") -> None:
        self.ask = ask
        self.key = key or os.urandom(16).hex()
        self.n_values = len(ask.metrics) + len(ask.params) + len(ask.tags) if isinstance(ask, LogBatch) else 1

    def send(self, client: Client, roots: "Roots") -> None:
        """Ask it."""
        del roots
        client.call(self.ask, idempotency_key=self.key)

    def written(self, files: Path) -> Written:
        """The entry for the spool."""
        del files
        return Written(operation=operation_of(type(self.ask)).name, key=self.key, ask=_ENCODER.encode(self.ask))

    def size_bytes(self) -> int:
        """What it takes beside its frame."""
        return 0

    def forget(self) -> None:
        """It has arrived, or never will."""


class Upload:
    """A file that waits: an artifact of a run, or a blob.

    Args:
        content: the bytes; or a file of our own, which is removed when it has arrived.
        run_id, path: of an artifact; without them it is a blob.
        blob: the blob's id, so that one that the platform has is not sent again.
    """

    __slots__ = ("blob", "content", "n_values", "path", "run_id")

    def __init__(
        self, content: bytes | Path, *, run_id: RunId = NO_RUN, path: str = "", blob: BlobId = NO_BLOB
    ) -> None:
        self.content = content
        self.blob = blob
        self.run_id = run_id
        self.path = path
        self.n_values = 1

    def send(self, client: Client, roots: "Roots") -> None:
        """Upload it."""
        if self.run_id:
            client.upload_artifact(f"{roots.of(client, self.run_id)}/{self.path}", self.content)
        elif not self.blob or not client.has_blob(self.blob):
            client.put_blob(self.content)

    def written(self, files: Path) -> Written:
        """The entry for the spool; the bytes go into a file of their own there."""
        name = f"{os.urandom(8).hex()}.bytes"
        if isinstance(self.content, bytes):
            (files / name).write_bytes(self.content)
        elif self.content.parent == files:
            name = self.content.name
        else:
            shutil.move(self.content, files / name)
        return Written(run_id=self.run_id, path=self.path, file=name, blob=self.blob)

    def size_bytes(self) -> int:
        """What it takes beside its frame."""
        return len(self.content) if isinstance(self.content, bytes) else size_of([self.content])

    def forget(self) -> None:
        """It has arrived, or never will: remove the file."""
        if isinstance(self.content, Path):
            self.content.unlink(missing_ok=True)


Entry = Question | Upload


def entry_of(written: Written, files: Path) -> Entry:
    """The entry that stands in a spool.

    Raises:
        Invalid: it is none that this release knows.
    """
    if written.file:
        name = Path(written.file).name
        return Upload(files / name, run_id=written.run_id, path=written.path, blob=written.blob)
    kind = ASKS.get(written.operation)
    if kind is None:
        raise Invalid(f"The spool holds '{written.operation[:80]}', which this release does not send.")
    try:
        return Question(msgspec.json.decode(written.ask, type=kind), written.key)
    except msgspec.DecodeError as error:
        raise Invalid(f"The spool holds a request that this release does not understand: {error}") from error


class Roots:
    """Where the artifacts of runs lie, asked once for each run."""

    def __init__(self) -> None:
        self._known: dict[RunId, str] = {}

    def of(self, client: Client, run_id: RunId) -> str:
        """The path below the proxied root.

        Raises:
            Invalid: its files belong to a place that this client does not write to.
        """
        if run_id not in self._known:
            self.learn(run_id, client.call(GetRun(run_id=run_id)).info.artifact_uri)
        return self._known[run_id]

    def learn(self, run_id: RunId, uri: str) -> None:
        """Note where the artifacts of a run lie."""
        if not uri.startswith(PROXIED):
            raise Invalid(
                f"The artifacts of run {run_id} belong to {uri[:200]!r}, which this client does not write to. Log in "
                "an experiment whose artifacts the server keeps (mlflow-artifacts:/)."
            )
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[run_id] = uri.removeprefix(PROXIED).strip("/")


def size_of(files: Iterable[Path]) -> int:
    """The bytes of some files; those that are gone count nothing."""
    total = 0
    for path in files:
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total
