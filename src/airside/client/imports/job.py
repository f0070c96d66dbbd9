"""What every part of an import works with."""

from pathlib import Path
from typing import Literal, Protocol

from airside.client.imports.locations import Locations, Mode
from airside.client.imports.mlflow.schema import MlflowTables
from airside.client.transport import Client
from airside.core.ids import ImportId
from airside.core.record import Record


class Options(Record):
    """How an import goes about.

    Attributes:
        ids: `keep`: experiments keep their ids; `new`: those whose id is taken get another.
        skip_existing: leave what is here already with other content as it is.
        mode: whether files are copied; None: when there is a way to them.
        artifacts: the folder in which the old server kept its files.
        samples: how many runs are compared point by point at the end.
    """

    ids: Literal["keep", "new"] = "keep"
    skip_existing: bool = False
    mode: Mode | None = None
    artifacts: Path | None = None
    samples: int = 50


class Telling(Protocol):
    """Who hears how it goes."""

    def begin(self, what: str, total: int, done: int = 0) -> None:
        """A part begins, of which so much is done already."""

    def advance(self, what: str, by: int) -> None:
        """So much more of it is done."""


class Job:
    """One import: the source, the platform, and where things of the source are here.

    Attributes:
        placed: the id of an experiment in the source -> the one that it has here.
        merged: experiments of the source that are an existing one here, which keeps its own facts.
    """

    def __init__(
        self, client: Client, tables: MlflowTables, import_id: ImportId, options: Options, locations: Locations
    ) -> None:
        self.client = client
        self.tables = tables
        self.import_id = import_id
        self.options = options
        self.locations = locations
        self.placed: dict[str, str] = {}
        self.merged: set[str] = set()

    def experiment(self, experiment_id: str) -> str:
        """The id that an experiment of the source has here."""
        return self.placed.get(experiment_id, experiment_id)
