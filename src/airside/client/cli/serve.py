"""`airside serve`: one more serving process, which follows a control plane."""

import logging
import os
import socket
import sys
from pathlib import Path

import click

from airside.client.cli.child import die_with
from airside.client.transport import connect
from airside.core.plugin import load


@click.command(help="Run a serving process that follows the control plane at --control and answers predictions.")
@click.option("--control", default="", help="The control plane; else $AIRSIDE_URL.")
@click.option("--token", default="", help="Its access token; else $AIRSIDE_TOKEN.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=5001, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--spool", default="~/.airside-serving", show_default=True, help="Folder for models and unsent logs.")
@click.option("--allow-pickle", is_flag=True, help="Run models that are not compiled in worker processes.")
@click.option("--descriptor", type=int, hidden=True)
@click.option("--parent", type=int, default=0, hidden=True)
def serve(
    control: str, token: str, host: str, port: int, spool: str, allow_pickle: bool, descriptor: int | None, parent: int
) -> None:
    """Run it until SIGTERM."""
    die_with(parent)
    logging.basicConfig(stream=sys.stderr, level="INFO", format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main = "airside.serving.process.main"
    listening = load(f"{main}:listen")(host, port) if descriptor is None else socket.socket(fileno=descriptor)
    with listening, connect(control, token) as client:
        load(f"{main}:serve")(
            client,
            listening,
            Path(spool).expanduser(),
            allow_pickle=allow_pickle,
            allowed_hosts=tuple(filter(None, os.environ.get("AIRSIDE_ALLOWED_HOSTS", "").split(","))),
            say=lambda text: click.echo(text),
        )
