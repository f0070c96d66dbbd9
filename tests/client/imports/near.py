"""A client of a platform in this process, whichever its database; and stores of MLflow's to take over."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from airside.client.imports.job import Options
from airside.client.imports.opening import open_store
from airside.client.transport import Client
from airside.core.ids import BlobId
from airside.core.operation import LOCAL
from airside.core.record import Ask
from airside.platform.wiring import Platform
from airside.tracking.imports.records import Import

DUMPS = Path(__file__).parent / "dumps"
NAMES = ("mlflow-2.22", "mlflow-3.17")


class Near:
    """A transport to a platform that somebody else closes."""

    url = ""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.asked: list[Ask[Any]] = []

    def call(self, ask: Ask[Any], *, idempotency_key: str) -> Any:
        self.asked.append(ask)
        return self.platform.call(LOCAL, ask, idempotency_key=idempotency_key)

    def put_blob(self, pieces: Iterable[bytes]) -> BlobId:
        return self.platform.blobs.put(pieces)

    def get_blob(self, blob: BlobId) -> Iterator[bytes]:
        return self.platform.blobs.open(blob)

    def put_artifact(self, path: str, pieces: Iterable[bytes]) -> None:
        self.platform.artifacts.write(path, pieces)

    def get_artifact(self, path: str) -> Iterator[bytes]:
        with self.platform.artifacts.open(path) as file:
            yield from file.pieces()

    def close(self) -> None:
        """Nothing of its own."""


def client_of(platform: Platform) -> Client:
    return Client(Near(platform))


class Quiet:
    """Hears how it goes, and counts."""

    def __init__(self) -> None:
        self.parts: dict[str, list[int]] = {}

    def begin(self, what: str, total: int, done: int = 0) -> None:
        self.parts[what] = [done, total]

    def advance(self, what: str, by: int) -> None:
        self.parts[what][0] += by


def make_database(folder: Path, name: str) -> Path:
    """A database that MLflow of that release wrote, and its files as they lay beside it."""
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / "mlflow.db"
    with closing(sqlite3.connect(path)) as db:
        dump = (DUMPS / f"{name}.sql").read_text("utf-8").replace("ROOT", str(folder))
        db.executescript(f"BEGIN; {dump} COMMIT;")  # a thousand transactions would take seconds
        for run_id, uri in db.execute("SELECT run_uuid, artifact_uri FROM runs").fetchall():
            place = Path(uri) / "notes" / "deep"
            place.mkdir(parents=True)
            (place / "hello.txt").write_text(f"hello {run_id}")
    return path


def bring(client: Client, address: object, *, copy_from: tuple[Path, ...] = (), **options: Any) -> Import:
    with open_store(str(address), copy_from) as store:
        return store.bring(client, Options(**options), Quiet())
