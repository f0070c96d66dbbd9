"""From the address of an MLflow store to something that can be brought over."""

from types import TracebackType
from typing import Self

import msgspec

from airside.client.imports.folder import staged
from airside.client.imports.importer import Importer
from airside.client.imports.job import Options, Telling
from airside.client.imports.mlflow.schema import MlflowTables
from airside.client.imports.sources.opening import folder_of, open_database
from airside.client.transport import Client
from airside.tracking.imports.records import Import


class Store:
    """An opened store of MLflow's: a database, or a folder that is read as one."""

    def __init__(self, address: str) -> None:
        folder = folder_of(address)
        self.folder = folder
        self.kind = "mlflow-database" if folder is None else "mlflow-folder"
        self._source = open_database(address) if folder is None else staged(folder)
        try:
            self.tables = MlflowTables(self._source)
        except BaseException:
            self._source.close()
            raise

    def bring(self, client: Client, options: Options, telling: Telling) -> Import:
        """Take it over."""
        if self.folder is not None and options.artifacts is None:
            options = msgspec.structs.replace(options, artifacts=self.folder)
        return Importer(client, self.tables, self.kind, options, telling).run()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._source.close()


def open_store(address: str) -> Store:
    """Open a store.

    Raises:
        NotFound, Invalid, Denied, Unavailable: it cannot be read; says why.
    """
    return Store(address)
