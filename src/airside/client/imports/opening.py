"""From the address of an MLflow store to something that can be brought over."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from airside.client.imports.folder import staged
from airside.client.imports.importer import Importer
from airside.client.imports.job import Options, Telling
from airside.client.imports.mlflow.schema import MlflowTables
from airside.client.imports.sources.opening import file_of, folder_of, open_database
from airside.client.imports.trust import BESIDE, Trust
from airside.client.transport import Client
from airside.core.errors import Invalid
from airside.tracking.imports.records import Import

DAMAGE = (
    TypeError,
    ValueError,
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
    msgspec.MsgspecError,
)
"""What reading a value of a wrong type ends with."""


class Store:
    """An opened store of MLflow's: a database, or a folder that is read as one."""

    def __init__(self, address: str, copy_from: Sequence[Path] = ()) -> None:
        folder = folder_of(address)
        database = file_of(address)
        own = () if folder is None else (folder,)
        beside = () if database is None else tuple(database.parent / name for name in BESIDE)
        self.trust = Trust((*own, *copy_from), beside, base=(folder or database or Path()).parent)
        self.folder = folder
        self.kind = "mlflow-database" if folder is None else "mlflow-folder"
        self._source = open_database(address) if folder is None else staged(folder, self.trust)
        try:
            self.tables = MlflowTables(self._source)
        except BaseException:
            self._source.close()
            raise

    def bring(self, client: Client, options: Options, telling: Telling) -> Import:
        """Take it over."""
        if self.folder is not None and options.artifacts is None:
            options = msgspec.structs.replace(options, artifacts=self.folder)
        if options.artifacts is not None:
            self.trust.add(options.artifacts)
        try:
            return Importer(client, self.tables, self.kind, options, telling, self.trust).run()
        except DAMAGE as error:
            raise Invalid(
                f"{self.tables.label} holds a value that MLflow's tables do not: {error}. Mend it, and start again: it "
                "goes on."
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._source.close()


def open_store(address: str, copy_from: Sequence[Path] = ()) -> Store:
    """Open a store.

    Args:
        address: of the store.
        copy_from: folders whose files may be copied, besides those of the source.

    Raises:
        NotFound, Invalid, Denied, Unavailable: it cannot be read; says why.
    """
    for folder in copy_from:
        if not folder.is_dir():
            raise Invalid(f"There is no folder {folder}. Name with --copy-from one that files of the source are in.")
    return Store(address, copy_from)
