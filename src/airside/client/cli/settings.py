"""`airside settings`: each setting, its value, and where it came from."""

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from airside.client.cli.options import DEFAULT_HOME
from airside.core.settings import Settings


@click.command(help="Show each setting, its value and where it came from.")
@click.option("--home", default=DEFAULT_HOME, show_default=True, help="The home whose airside.toml is read.")
@click.option("--json", "as_json", is_flag=True, help="Tell the answer as JSON.")
def settings(home: str, as_json: bool) -> None:
    """Show the settings."""
    values = Settings.load(Path(home).expanduser()).values()
    if as_json:
        click.echo(msgspec.json.encode(values).decode())
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for head in ("setting", "value", "from", "what it is"):
        table.add_column(head)
    for value in values:
        shown = ", ".join(value.value) if isinstance(value.value, tuple) else str(value.value)
        table.add_row(value.setting.name, shown or "—", value.origin, value.setting.help)
    Console().print(table)
