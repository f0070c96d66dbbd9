"""`airside`: the command line."""

import sys
from pathlib import Path

import click

from airside.core.errors import AirsideError
from airside.core.plugin import load


@click.group()
def cli() -> None:
    """Airside."""


@cli.command()
@click.option("--home", default="~/.airside")
@click.option("--host")
@click.option("--port", type=int)
@click.option("--database")
@click.option("--blobs")
def server(home: str, **flags: object) -> None:
    """Run the server."""
    load("airside.server.run:serve")(Path(home), flags, lambda text: print(text, flush=True))


def main() -> None:
    """Run a command."""
    try:
        cli()
    except AirsideError as error:
        print(error.message, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
