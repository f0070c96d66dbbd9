"""`airside serve`: one more serving process, which follows a control plane."""

import os
import socket
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from airside.client.cli.child import die_with
from airside.client.transport import Client, connect
from airside.core.hosts import is_loopback, needs_authentication
from airside.core.logs import log_to
from airside.core.plugin import load
from airside.platform.access.tokens import ListAdmitted

if TYPE_CHECKING:
    from airside.core.credentials import Admitted

MAIN = "airside.serving.process.main"
COUNT = click.IntRange(min=1)


@click.command(help="Run a serving process that follows the control plane at --control and answers predictions.")
@click.option("--control", default="", help="The control plane; else $AIRSIDE_URL.")
@click.option("--token", default="", help="Its access token; else $AIRSIDE_TOKEN.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=5001, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--spool", default="~/.airside-serving", show_default=True, help="Folder for models and unsent logs.")
@click.option("--allow-pickle", is_flag=True, help="Run models that are not compiled in worker processes.")
@click.option(
    "--auth",
    type=click.Choice(["auto", "on", "off"]),
    default="auto",
    show_default=True,
    help="Whether callers need a token of the control plane; auto: on unless the address is loopback.",
)
@click.option("--ssl-certfile", default="", help="Certificate chain (PEM): with it, predictions are served by https.")
@click.option("--ssl-keyfile", default="", help="Key of the certificate (PEM, without a passphrase).")
@click.option("--connections", type=COUNT, default=2000, show_default=True, help="How many connections may be open.")
@click.option("--head-seconds", type=COUNT, default=10, show_default=True, help="How long a request's head may take.")
@click.option("--stall-seconds", type=COUNT, default=20, show_default=True, help="How long a body may crawl.")
@click.option("--descriptor", type=int, hidden=True)
@click.option("--parent", type=int, default=0, hidden=True)
def serve(descriptor: int | None, parent: int, control: str, token: str, spool: str, **options: Any) -> None:
    """Run it until SIGTERM."""
    die_with(parent)
    os.umask(0o077)  # the spool has what callers sent
    log_to(sys.stderr)
    host, port = options["host"], options.pop("port")
    listening = load(f"{MAIN}:listen")(host, port) if descriptor is None else socket.socket(fileno=descriptor)
    with listening, connect(control, token) as client:
        say = click.echo
        load(f"{MAIN}:serve")(client, listening, Path(spool).expanduser(), _how(client, **options), say=say)


def _how(
    client: Client, *, host: str, auth: str, allow_pickle: bool, ssl_certfile: str, ssl_keyfile: str, **given: Any
) -> Any:
    """Whom it answers, and how: by the control plane's own listener."""

    def admitted() -> "tuple[Admitted, ...]":
        return client.call(ListAdmitted()).items

    settings = {"ssl_certfile": ssl_certfile, "ssl_keyfile": ssl_keyfile}
    tls = load("airside.server.settled:tls_of")(settings)
    asks = needs_authentication(auth, host)
    if not asks and not is_loopback(host):
        click.echo("WARNING: whoever reaches this address may ask for predictions: authentication is off.", err=True)
    limits = load("airside.server.connection:Limits")(
        connections=given["connections"], head_s=given["head_seconds"], stall_s=given["stall_seconds"]
    )
    return load(f"{MAIN}:Serving")(
        listener=partial(load("airside.server.listener:Listener"), limits=limits),
        allow_pickle=allow_pickle,
        allowed_hosts=tuple(filter(None, os.environ.get("AIRSIDE_ALLOWED_HOSTS", "").split(","))),
        admitted=admitted if asks else None,
        tls=tls.context if tls else None,
    )
