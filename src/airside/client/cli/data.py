"""`airside data`: add files as a dataset version, take a version's files, check its bytes."""

from pathlib import Path

import click

from airside.client.cli.options import DEFAULT_HOME, client_of
from airside.client.cli.output import echo, show
from airside.core.plugin import load

_SDK = "airside.client.sdk.data"


@click.group(help="Add files as dataset versions, and take them back.")
def data() -> None:
    """The group."""


@data.command(help="Add FILES (or a folder) as the next version of the dataset NAME.")
@click.argument("name")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--label", multiple=True, help="A column that is the label.")
@click.option("--key", multiple=True, help="A column that names an entity, such as a household.")
@click.option("--ignore", multiple=True, help="A column that is neither.")
@click.option("--code", multiple=True, help="A column that holds codes, not quantities; guessed when none is named.")
@click.option("--sensitive", multiple=True, help="A column that says something about people that must not decide.")
@click.option("--owner", default="", help="Who owns a new dataset.")
@click.option("--description", default="", help="What a new dataset is.")
@click.option("--note", default="", help="What is special about this version.")
@click.option("--url", default="", help="The server to ask; else $AIRSIDE_URL, else the home's own.")
@click.option("--token", default="", help="The access token; else $AIRSIDE_TOKEN.")
@click.option("--home", default="", help=f"The home to open when no server is named ({DEFAULT_HOME}).")
@click.option("--json", "as_json", is_flag=True, help="Tell the answer as JSON.")
def add(
    name: str,
    files: tuple[Path, ...],
    label: tuple[str, ...],
    key: tuple[str, ...],
    ignore: tuple[str, ...],
    code: tuple[str, ...],
    sensitive: tuple[str, ...],
    owner: str,
    description: str,
    note: str,
    url: str,
    token: str,
    home: str,
    as_json: bool,
) -> None:
    """Read, check, upload, commit."""
    roles = {
        **dict.fromkeys(label, "label"),
        **dict.fromkeys(key, "key"),
        **dict.fromkeys(ignore, "ignored"),
    }
    with client_of({"platform_url": url, "platform_token": token, "platform_home": home}) as client:
        version = load(f"{_SDK}:add_dataset")(
            client,
            name,
            files[0] if len(files) == 1 else files,
            roles=roles,
            categorical=code or None,
            sensitive=sensitive or None,
            owner=owner,
            description=description,
            note=note,
        )
    if as_json:
        show(version, as_json=True)
        return
    echo(f"{version.name}@{version.version}  {version.rows} rows, {len(version.columns)} columns, {version.digest}")
    for finding in version.findings:
        echo(f"  {finding.text}")


@data.command(help="Write the files of a version, such as people@3 or people@latest, below the folder TO.")
@click.argument("reference")
@click.argument("to", type=click.Path(path_type=Path))
@click.option("--url", default="", help="The server to ask; else $AIRSIDE_URL, else the home's own.")
@click.option("--token", default="", help="The access token; else $AIRSIDE_TOKEN.")
@click.option("--home", default="", help=f"The home to open when no server is named ({DEFAULT_HOME}).")
def download(reference: str, to: Path, url: str, token: str, home: str) -> None:
    """Take, check, write."""
    with client_of({"platform_url": url, "platform_token": token, "platform_home": home}) as client:
        for path in load(f"{_SDK}:download_dataset")(client, reference, to):
            echo(str(path))
