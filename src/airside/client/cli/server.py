"""`airside server`: the control plane. It takes the flags and variables of `mlflow server` too (`core.aliases`)."""

from pathlib import Path
from typing import Any

import click

from airside.client.cli.options import DEFAULT_HOME
from airside.core.aliases import ALIASES, Alias
from airside.core.plugin import load
from airside.core.settings import SETTINGS, Setting

_TYPES = {"whole": click.INT, "number": click.FLOAT, "switch": click.BOOL}
_SHORT = {alias.sets: alias.short for alias in ALIASES if alias.short and alias.sets}
_OWN = {f"--{setting.name.replace('_', '-')}" for setting in SETTINGS}
_FOREIGN = tuple(alias for alias in ALIASES if alias.flag and alias.flag not in _OWN)


def _option(setting: Setting) -> click.Option:
    flag = f"--{setting.name.replace('_', '-')}"
    declaration = [f"{flag}/--no-{flag[2:]}"] if setting.kind == "switch" else [flag]
    if short := _SHORT.get(setting.name):
        declaration.append(short)
    return click.Option(
        declaration,
        type=None if setting.kind == "switch" else _TYPES.get(setting.kind, click.STRING),
        default=None,
        help=setting.help,
    )


def _foreign(alias: Alias) -> click.Option:
    """A flag of `mlflow server` that no setting of ours is called."""
    declaration = [f"{alias.flag}/{alias.off}" if alias.off else alias.flag, *filter(None, [alias.short])]
    return click.Option(
        declaration,
        type=None if alias.is_switch else click.STRING,
        is_flag=alias.is_switch,
        default=None,
        help=f"As in `mlflow server`: {alias.does.replace('`', '')}.",
    )


def _run(home: str, **given: Any) -> None:
    aliases = {alias.name: given.pop(alias.name) for alias in _FOREIGN}
    load("airside.server.run:serve")(
        Path(home),
        given,
        lambda text: click.echo(text),
        aliases=aliases,
        warn=lambda text: click.echo(text, err=True),
    )


server = click.Command(
    "server",
    callback=_run,
    help="Run the control plane: tracking, registry, pipelines, endpoints, monitors and the Control Tower. "
    "Takes the flags and variables of `mlflow server` too.",
    params=[
        click.Option(["--home"], default=DEFAULT_HOME, show_default=True, help="The folder that everything lives in."),
        *(_option(setting) for setting in SETTINGS),
        *(_foreign(alias) for alias in _FOREIGN),
    ],
)
