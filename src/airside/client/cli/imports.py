"""`airside import`: take a store of MLflow's over, or bring an exported folder back."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import click

from airside.client.cli.options import DEFAULT_HOME, client_of
from airside.client.cli.output import show
from airside.core.errors import Unavailable
from airside.core.plugin import load

_IMPORTS, _FOLDERS = "airside.client.imports", "airside.client.folders"
Command = Callable[..., None]


def platform_options(command: Command) -> Command:
    """The options that say which platform to talk to."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Tell the report as JSON."),
        click.option("--home", default="", help=f"The home to open when no server is named ({DEFAULT_HOME})."),
        click.option("--token", default="", help="The access token; else $AIRSIDE_TOKEN."),
        click.option("--url", "--server", default="", help="The server to ask; else $AIRSIDE_URL, else the home's."),
    ):
        command = option(command)
    return command


@click.group("import", help="Take a store of MLflow's over, or bring an exported folder back.")
def import_group() -> None:
    """The group."""


@import_group.command()
@click.argument("source")
@click.option(
    "--artifacts",
    type=click.Path(path_type=Path),
    help="The folder in which the old server kept its files: its --artifacts-destination.",
)
@click.option(
    "--copy-from",
    "copy_from",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder outside the source whose files may be copied, too. May be given again.",
)
@click.option(
    "--copy-artifacts/--reference-artifacts",
    "copies",
    default=None,
    help="Copy the files, or leave them where they are. Default: copy, if there is a way to them.",
)
@click.option(
    "--experiment-ids",
    type=click.Choice(["keep", "new"]),
    default="keep",
    show_default=True,
    help="new: an experiment whose name is here already is merged into it; one whose id is taken gets another.",
)
@click.option("--skip-existing", is_flag=True, help="Leave what is here already with other content as it is.")
@click.option("--samples", default=50, show_default=True, help="Runs that are compared point by point at the end.")
@platform_options
def mlflow(
    source: str,
    artifacts: Path | None,
    copy_from: tuple[Path, ...],
    copies: bool | None,
    experiment_ids: Literal["keep", "new"],
    skip_existing: bool,
    samples: int,
    url: str,
    token: str,
    home: str,
    as_json: bool,
) -> None:
    """Take over all of SOURCE, with its ids: sqlite:///mlflow.db, postgresql://…, mysql+pymysql://… or a folder mlruns.

    The source is only read. Interrupted, the same command goes on. At the end everything is compared with the source:
    status 1 if anything differs.
    """
    options = load(f"{_IMPORTS}.job:Options")(
        ids=experiment_ids,
        skip_existing=skip_existing,
        mode=None if copies is None else "copy" if copies else "reference",
        artifacts=artifacts,
        samples=samples,
    )
    platform = {"platform_url": url, "platform_token": token, "platform_home": home}
    with load(f"{_IMPORTS}.opening:open_store")(source, copy_from) as store, client_of(platform) as client:
        report = _told(lambda telling: store.bring(client, options, telling))
    _tell(report, as_json=as_json)


@import_group.command()
@click.argument("path", type=click.Path(path_type=Path, file_okay=False))
@click.option("--new-ids", is_flag=True, help="Give runs and logged models new ids; experiments join those of a name.")
@click.option("--name", default="", help="Another name for the experiment or model that was exported.")
@click.option("--skip-existing", is_flag=True, help="Leave what is here already with other content as it is.")
@platform_options
def folder(
    path: Path,
    new_ids: bool,
    name: str,
    skip_existing: bool,
    url: str,
    token: str,
    home: str,
    as_json: bool,
) -> None:
    """Bring back the folder PATH that `airside export` wrote. Each file is checked before anything is taken."""
    bringing = f"{_FOLDERS}.bringing"
    how = load(f"{bringing}:Bringing")(new_ids=new_ids, name=name, skip_existing=skip_existing)
    with client_of({"platform_url": url, "platform_token": token, "platform_home": home}) as client:
        report = _told(lambda telling: load(f"{bringing}:bring")(client, path, how, telling))
    _tell(report, as_json=as_json)


def _told(act: Callable[[Any], Any]) -> Any:
    try:
        with load("airside.client.cli.progress:Progressing")() as telling:
            return act(telling)
    except OSError as error:
        raise Unavailable(f"A file cannot be read: {error}. Mend it, and start again: it goes on.") from error


def _tell(done: Any, *, as_json: bool) -> None:
    if as_json:
        show(done, as_json=True)
    else:
        load("airside.client.cli.progress:show_report")(done)
    if done.report.n_differences:
        sys.exit(1)
