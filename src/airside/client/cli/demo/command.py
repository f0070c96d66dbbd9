"""`airside demo`: tells the story on a home, and leaves the server up with the result to look at."""

import sys
from pathlib import Path

import click
import msgspec

from airside.client.cli.demo.telling import Teller
from airside.core.errors import AirsideError, Invalid
from airside.core.plugin import load

DEFAULT_HOME = "~/.airside-demo"


@click.command(help="Run the whole loop on real data, from the first data version to the retraining that drift starts.")
@click.option("--home", default=DEFAULT_HOME, show_default=True, help="The home to play on; a second start goes on.")
@click.option("--port", default=5000, show_default=True, help="Port of the server; 0 takes a free one.")
@click.option("--table", type=click.Path(path_type=Path), help="Another Parquet table of the same kind.")
@click.option("--exit", "is_short", is_flag=True, help="End when the story is told.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="Write every figure of the story to this file.")
def demo(home: str, port: int, table: Path | None, is_short: bool, target: Path | None) -> None:
    """Tell it."""
    teller = Teller()
    stage_class, plot_class = load("airside.client.cli.demo.stage:Stage"), _plot()
    stage = stage_class(Path(home).expanduser().resolve(), port, teller)
    status = 0
    try:
        plot = plot_class(stage, table) if table is not None else plot_class(stage)
        for step in load("airside.client.cli.demo.story:STEPS"):
            step(plot)
        _addresses(teller, stage.url)
    except AirsideError as error:
        teller.failed(error.message)
        status = 1
    finally:
        if target is not None:
            target.write_bytes(msgspec.json.format(msgspec.json.encode(stage.journal.figures())))
        if is_short or status:
            stage.close()
    if not is_short and not status:
        teller.plain("\nThe server goes on until Ctrl-C.")
        try:
            stage.stay()
        except KeyboardInterrupt:
            stage.close()
    sys.exit(status)


def _plot() -> "type":
    try:
        found: type = load("airside.client.cli.demo.plot:Plot")
        load("sklearn:__version__")
    except ModuleNotFoundError as missing:
        raise Invalid(
            f"The demo needs the package {missing.name!r}. Install it with: pip install 'airside[demo]'"
        ) from missing
    return found


def _addresses(teller: Teller, url: str) -> None:
    teller.plain()
    for what, path in (
        ("Control Tower", "/"),
        ("the model", "/models/employment"),
        ("what drifts", "/models/employment?tab=monitoring"),
        ("MLflow clients", ""),
    ):
        teller.plain(f"  {what:<16}{url}{path}")
