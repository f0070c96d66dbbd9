"""`airside runs restore-code`: the exact tree of a run again. Stands beside the commands made from the operations."""

from pathlib import Path

import click

from airside.client.cli.options import DEFAULT_HOME, client_of
from airside.client.cli.output import echo, show
from airside.core.plugin import load


@click.command("restore-code", short_help="Write the tree that a run was made with into a new folder.")
@click.argument("run_id")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--repository", default="", help="A folder or address that has the run's commit; found if not given.")
@click.option("--source", default="", help="Which of the run's processes, as `airside runs captures` tells them.")
@click.option("--url", "platform_url", default="", help="The server to ask; else $AIRSIDE_URL, else the home's own.")
@click.option("--token", "platform_token", default="", help="The access token; else $AIRSIDE_TOKEN.")
@click.option("--home", "platform_home", default="", help=f"The home to open when no server is named ({DEFAULT_HOME}).")
@click.option("--json", "as_json", is_flag=True, help="Tell the answer as JSON.")
def restore_code(run_id: str, folder: Path, repository: str, source: str, as_json: bool, **platform: str) -> None:
    """Write the tree that a run was made with into FOLDER, which must be new or empty."""
    with client_of(dict(platform)) as client:
        restored = load("airside.client.sdk.code:restore_code")(
            client, run_id, folder, repository=repository, source=source
        )
    if as_json:
        show(restored, as_json=True)
        return
    of = f" of commit {restored.commit[:12]} from {restored.source}" if restored.source else ""
    echo(f"{restored.files} files{of} in {restored.folder}")
    for missing in restored.missing:
        echo(f"  not captured: {missing}")
