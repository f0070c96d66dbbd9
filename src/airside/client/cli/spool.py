"""`airside spool`: what was logged while a server was away, and sending it."""

import sys

import click

from airside.client.cli.output import echo, show
from airside.core.plugin import load


@click.group(help="What runs have logged while their server was away: see it, send it.")
def spool() -> None:
    """The group."""


@spool.command(help="Tell what waits, for which server, and whether the process that logged it still lives.")
@click.option("--json", "as_json", is_flag=True, help="Tell the answer as JSON.")
def status(as_json: bool) -> None:
    """Look."""
    states = load("airside.client.recording.spool:state_of")()
    if as_json:
        show(states, as_json=True)
        return
    echo(f"{load('airside.client.recording.spool:spool_root')()}")
    for state in states:
        whose = "a living process sends it" if state.is_owned else "airside spool send"
        echo(f"  {state.address}: {state.entries} entries, {state.bytes:,} bytes ({whose})")
    if not states:
        echo("  Nothing waits.")


@spool.command(help="Send what dead processes have left, to all servers or to the one named. Nothing is sent twice.")
@click.option("--url", default="", help="Only what is for this server.")
@click.option("--token", default="", help="The access token; else $AIRSIDE_TOKEN.")
@click.option("--json", "as_json", is_flag=True, help="Tell the answer as JSON.")
def send(url: str, token: str, as_json: bool) -> None:
    """Send; the exit status is 1 when something is left."""
    done = load("airside.client.recording.sending:send_left_over")(url, token)
    if as_json:
        show(done, as_json=True)
    for one in () if as_json else done:
        echo(f"{one.address}: {one.sent} values, files and changes sent{'' if not one.trouble else '; the rest waits'}")
        for text in (*one.refused, *([one.trouble] if one.trouble else [])):
            echo(f"  {text}")
    if not done and not as_json:
        echo("Nothing waits.")
    if any(one.trouble or one.refused for one in done):
        sys.exit(1)
