"""`airside server`: the control plane."""

from pathlib import Path
from typing import Any

import click

from airside.client.cli.options import DEFAULT_HOME
from airside.core.plugin import load
from airside.core.settings import SETTINGS, Setting

_TYPES = {"whole": click.INT, "number": click.FLOAT, "switch": click.BOOL}


def _option(setting: Setting) -> click.Option:
    flag = f"--{setting.name.replace('_', '-')}"
    declaration = [f"{flag}/--no-{flag[2:]}"] if setting.kind == "switch" else [flag]
    return click.Option(
        declaration,
        type=None if setting.kind == "switch" else _TYPES.get(setting.kind, click.STRING),
        default=None,
        help=setting.help,
    )


def _run(home: str, **flags: Any) -> None:
    load("airside.server.run:serve")(Path(home), flags, lambda text: click.echo(text))


server = click.Command(
    "server",
    callback=_run,
    help="Run the control plane: tracking, registry, pipelines, endpoints, monitors and the Control Tower.",
    params=[
        click.Option(["--home"], default=DEFAULT_HOME, show_default=True, help="The folder that everything lives in."),
        *(_option(setting) for setting in SETTINGS),
    ],
)
