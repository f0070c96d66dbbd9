"""`airside report`: two files side by side, without a server."""

from pathlib import Path

import click

from airside.client.cli.output import show
from airside.core.plugin import load

_REPORT = "airside.quality.report"


@click.command(help="Compare the table CURRENT with the table REFERENCE (Parquet or CSV): what changed, how surely.")
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("current", type=click.Path(path_type=Path))
@click.option("--html", type=click.Path(path_type=Path), help="Write the report as one HTML file.")
@click.option("--json", "as_json", is_flag=True, help="Tell the report as JSON.")
def report(reference: Path, current: Path, html: Path | None, as_json: bool) -> None:
    """Compare, tell, write."""
    found = load(f"{_REPORT}:compare")(reference, current)
    if html is not None:
        load(f"{_REPORT}:save")(found, html)
    if as_json:
        show(found, as_json=True)
        return
    verdict, chance = load(f"{_REPORT}:verdict"), load(f"{_REPORT}:chance_text")
    for one in found.columns:
        new = f"  {'; '.join(one.findings)}" if one.findings else ""
        click.echo(
            f"{one.column:<24} {verdict(one):<20} {one.statistic.upper()} {one.effect:.3f}"
            f"  p {chance(one.p_adjusted)}{new}"
        )
    click.echo(f"With these rows a distance of {found.smallest_effect:.3f} and more would be certain.")
