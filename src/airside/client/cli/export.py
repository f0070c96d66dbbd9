"""`airside export`: a run, an experiment or a model as a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from airside.client.cli.imports import platform_options
from airside.client.cli.options import client_of
from airside.client.cli.output import echo, show
from airside.core.errors import Unavailable
from airside.core.plugin import load

_EXPORT = "airside.client.folders.export"


@click.group(help="Write a run, an experiment or a model as a folder that people can read, and other servers too.")
def export() -> None:
    """The group."""


def _command(name: str, argument: str, text: str) -> click.Command:
    def write(thing: str, path: Path, url: str, token: str, home: str, as_json: bool) -> None:
        try:
            with client_of({"platform_url": url, "platform_token": token, "platform_home": home}) as client:
                manifest = load(f"{_EXPORT}:export_{name}")(client, thing, path)
        except OSError as error:
            raise Unavailable(f"{path} cannot be written: {error}. Nothing of it was left behind.") from error
        _tell(manifest, path, as_json=as_json)

    command: Callable[..., None] = platform_options(write)
    command = click.argument("path", type=click.Path(path_type=Path))(command)
    command = click.argument("thing", metavar=argument)(command)
    return click.command(name, help=text)(command)


def _tell(manifest: Any, path: Path, *, as_json: bool) -> None:
    if as_json:
        show(manifest, as_json=True)
        return
    size = sum(facts.size_bytes for facts in manifest.files.values())
    echo(f"{path}: {manifest.kind} {manifest.id}, {len(manifest.files)} files, {size:,} bytes")
    for note in manifest.notes:
        echo(f"  {note}")


export.add_command(
    _command("run", "RUN_ID", "Write a run, with its points, files and logged models, to the folder PATH.")
)
export.add_command(
    _command(
        "experiment", "EXPERIMENT_ID", "Write an experiment with all its runs and logged models to the folder PATH."
    )
)
export.add_command(
    _command(
        "model", "NAME", "Write a registered model with its versions, and what they came from, to the folder PATH."
    )
)
