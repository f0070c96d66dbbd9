"""`airside settings`: each setting, its value, and where it came from."""

import re
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from airside.client.cli.options import DEFAULT_HOME
from airside.core.settings import Settings

_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*(?=@)")


def _shown(value: Any) -> Any:
    """A value without the password of an address.

    >>> _shown("postgresql://me:secret@host/x")
    'postgresql://me:…@host/x'
    """
    return _PASSWORD.sub(r"\1:…", value) if isinstance(value, str) else value


@click.command(help="Show each setting, its value and where it came from.")
@click.option("--home", default=DEFAULT_HOME, show_default=True, help="The home whose airside.toml is read.")
@click.option("--json", "as_json", is_flag=True, help="Tell the answer as JSON.")
def settings(home: str, as_json: bool) -> None:
    """Show the settings."""
    values = Settings.load(Path(home).expanduser()).values()
    if as_json:
        click.echo(msgspec.json.encode([msgspec.structs.replace(one, value=_shown(one.value)) for one in values]))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for head in ("setting", "value", "from", "what it is"):
        table.add_column(head)
    for value in values:
        shown = ", ".join(value.value) if isinstance(value.value, tuple) else str(_shown(value.value))
        table.add_row(value.setting.name, shown or "—", value.origin, value.setting.help)
    Console().print(table)
