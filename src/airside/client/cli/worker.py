"""`airside worker`: one more pipeline runner."""

import sys
from pathlib import Path

import click

from airside.client.cli.child import die_with
from airside.client.cli.options import DEFAULT_HOME
from airside.client.transport import connect
from airside.core.logs import log_to
from airside.core.plugin import load


@click.command(help="Run a pipeline runner: it claims runs of the control plane at --control and drives them.")
@click.option("--control", default="", help="The control plane; else $AIRSIDE_URL.")
@click.option("--token", default="", help="Its access token; else $AIRSIDE_TOKEN.")
@click.option(
    "--home",
    default=DEFAULT_HOME,
    show_default=True,
    help="Folder of runs and locks; the control plane's own, if here.",
)
@click.option("--executor", default="pool", show_default=True, help="pool, process or inline.")
@click.option("--size", default=1, show_default=True, help="How many steps may run at once.")
@click.option("--parent", type=int, default=0, hidden=True)
def worker(control: str, token: str, home: str, executor: str, size: int, parent: int) -> None:
    """Run it until SIGTERM."""
    die_with(parent)
    log_to(sys.stderr)
    runner = "airside.pipelines.runner"
    options = load(f"{runner}:RunnerOptions")(executor=executor, size=size)
    client = connect(control, token)
    load(f"{runner}:main")(client.url, token, home=Path(home), options=options, connect=connect)
