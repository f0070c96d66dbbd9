"""`airside doctor`: what is installed, what is missing, is the home healthy."""

import importlib.util
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from airside.client.cli.options import DEFAULT_HOME
from airside.core.errors import AirsideError
from airside.core.record import Record
from airside.core.settings import Settings
from airside.core.version import VERSION
from airside.platform.home import is_owned, server_of
from airside.store.sql.database import database_of
from airside.store.sql.ddl import HEAD

EXTRAS = {
    "scikit-learn": ("sklearn", "demo"),
    "cloudpickle": ("cloudpickle", "sklearn"),
    "mlflow": ("mlflow", "mlflow"),
    "psycopg": ("psycopg", "postgres"),
}
"""Package → (its module, the extra that brings it)."""
ENOUGH_BYTES = 1 << 30


class Finding(Record):
    """One thing that was looked at."""

    what: str
    found: str
    is_fine: bool = True
    todo: str = ""


@click.command(help="Say what is installed, what is missing, and whether the home is healthy. Status 1 if it is not.")
@click.option("--home", default=DEFAULT_HOME, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Tell the answer as JSON.")
def doctor(home: str, as_json: bool) -> None:
    """Look."""
    found = [*_machine(), *_extras(), *_home(Path(home).expanduser())]
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        table = Table(box=None, show_header=False, pad_edge=False)
        for one in found:
            mark = "[green]ok[/]" if one.is_fine else "[red]bad[/]"
            table.add_row(mark, one.what, one.found, one.todo)
        Console().print(table)
    if not all(one.is_fine for one in found):
        sys.exit(1)


def _machine() -> list[Finding]:
    sqlite = sqlite3.sqlite_version
    return [
        Finding(what="airside", found=VERSION),
        Finding(what="python", found=sys.version.split()[0], is_fine=sys.version_info >= (3, 11)),
        Finding(
            what="sqlite",
            found=sqlite,
            is_fine=sqlite3.sqlite_version_info >= (3, 35, 0),
            todo="" if sqlite3.sqlite_version_info >= (3, 35, 0) else "Airside needs SQLite 3.35 or newer.",
        ),
        Finding(what="cores", found=str(os.cpu_count())),
    ]


def _extras() -> list[Finding]:
    findings = []
    for package, (module, extra) in EXTRAS.items():
        if importlib.util.find_spec(module) is None:
            findings.append(Finding(what=package, found="not installed", todo=f"pip install 'airside[{extra}]'"))
            continue
        try:
            found = version(package)
        except PackageNotFoundError:
            found = "installed"
        findings.append(Finding(what=package, found=found))
    return findings


def _home(home: Path) -> list[Finding]:
    if not home.exists():
        return [Finding(what="home", found=f"{home} is not there yet", todo="airside server makes it.")]
    usable = os.access(home, os.W_OK)
    free = shutil.disk_usage(home).free
    facts = server_of(home) if is_owned(home) else None
    return [
        Finding(what="home", found=str(home), is_fine=usable, todo="" if usable else "It cannot be written."),
        Finding(
            what="disk",
            found=f"{free / 2**30:.1f} GiB free",
            is_fine=free > ENOUGH_BYTES,
            todo="" if free > ENOUGH_BYTES else "Free some room: writes are refused when the disk is full.",
        ),
        Finding(what="server", found=facts["url"] if facts else "not running"),
        *_named_database(home),
    ]


def _database(path: Path) -> list[Finding]:
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            check = db.execute("PRAGMA quick_check").fetchone()[0]
            (revision,) = db.execute("SELECT revision FROM schema_version").fetchone() or ("none",)
    except sqlite3.DatabaseError as error:
        return [Finding(what="database", found=str(error), is_fine=False, todo="Restore it from a backup.")]
    return [
        Finding(what="database", found=check, is_fine=check == "ok", todo="" if check == "ok" else "Restore a backup."),
        _schema(revision),
    ]


def _schema(revision: str) -> Finding:
    is_fine = revision <= HEAD
    todo = "" if is_fine else "Start it with the release that wrote it, or restore a backup."
    return Finding(what="schema", found=f"{revision} (this release: {HEAD})", is_fine=is_fine, todo=todo)


def _named_database(home: Path) -> list[Finding]:
    """The database that the settings name, if it is not the home's own file."""
    try:
        url = Settings.load(home)["database"]
        if not url:
            return _database(home / "airside.db")
        database = database_of(url, home)
        database.open(readonly=True).close()
    except AirsideError as error:
        return [Finding(what="database", found=error.message, is_fine=False, todo="Mend it, or the settings.")]
    return [Finding(what="database", found=f"{database.label} answers")]
