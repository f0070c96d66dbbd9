"""`airside find`: records by what they are and by what they hang together with."""

from typing import Any

import click
from rich.console import Console
from rich.table import Table

from airside.client.cli.options import PLATFORM_OPTIONS, client_of
from airside.client.cli.output import show, words
from airside.core.plugin import load

_ASKS = "airside.tower.operations.finding"
MOST_COLUMNS = 8
_LONG = frozenset({"id", "run_id", "model_id", "request_id", "source", "digest"})
"""Ids and addresses: shown when they are named, and in JSON."""
HELP = """Find records of one NOUN (versions, runs, datasets, endpoints, predictions, …) that match a FILTER.

\b
Comparisons are joined by AND. Bare words are the record's own; a noun and a dot follows the chain of records:
  airside find versions "dataset.name = 'people' AND dataset.version = 3 AND metrics.auc > 0.8
                         AND endpoint.state = 'serving'"
  airside find runs "dataset.name = 'people' AND started > '-7d'" --order "metrics.auc DESC"
Without a noun it lists the nouns and what may be asked of each.
"""


def _find(noun: str, text: str, order: str, limit: int, page_token: str, columns: str, **options: Any) -> None:
    as_json = options.pop("as_json")
    with client_of(options) as client:
        if not noun:
            _tell_nouns(client.call(load(f"{_ASKS}:ListSearchable")()), as_json=as_json)
            return
        page = client.call(
            load(f"{_ASKS}:SearchRecords")(
                find=noun, filter=text, order_by=order, max_results=limit, page_token=page_token
            )
        )
    if as_json:
        show(page, as_json=True)
    else:
        _tell(page, tuple(columns.replace(" ", "").split(",")) if columns else ())


def _tell(page: Any, columns: tuple[str, ...]) -> None:
    console = Console()
    if not page.items:
        console.print("None.")
        return
    present = [name for name in page.items[0].values if any(item.values[name] not in {None, ""} for item in page.items)]
    known = page.items[0].values
    for name in columns:
        if name not in known:
            raise click.UsageError(f"No column '{name}'. There are: {', '.join(known)}.")
    own = [name for name in present if "." not in name and name not in _LONG]
    asked = [name for name in present if "." in name]
    heads = columns or (*asked, *own)[:MOST_COLUMNS]
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("id", overflow="fold")
    for head in heads:
        is_number = any(isinstance(item.values[head], int | float) for item in page.items)
        table.add_column(head.replace("_", " "), overflow="fold", justify="right" if is_number else "left")
    for item in page.items:
        table.add_row(words(item.id), *(words(_cell(item.values[head])) for head in heads))
    console.print(table)
    if page.next_page_token:
        console.print(f"There are more: --page-token {page.next_page_token}", style="dim", soft_wrap=True)


def _cell(value: Any) -> str:
    """A value as people read it.

    >>> _cell(0.91234567), _cell(None), _cell("2026-03-01T12:00:00.123+00:00")
    ('0.912346', '', '2026-03-01 12:00:00')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return text[:19].replace("T", " ") if len(text) == 29 and text[10] == "T" and text.endswith("+00:00") else text


def _tell_nouns(nouns: Any, *, as_json: bool) -> None:
    if as_json:
        show(nouns, as_json=True)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for head in ("find", "in a filter", "fields"):
        table.add_column(head, overflow="fold")
    for one in nouns.items:
        fields = ", ".join((*one.fields, *(f"{name}.…" for name in one.keyed)))
        table.add_row(one.find, f"{one.word}.", fields)
    Console().print(table)


find = click.Command(
    "find",
    callback=_find,
    help=HELP,
    short_help="Find records of one noun by what they hang together with.",
    params=[
        click.Argument(["noun"], default=""),
        click.Argument(["text"], default="", metavar="[FILTER]"),
        click.Option(["--order"], default="", help="One field; DESC behind it for the greatest first."),
        click.Option(["--limit"], default=50, show_default=True, help="At most so many records."),
        click.Option(["--page-token"], default="", help="Where the next page begins."),
        click.Option(["--columns"], default="", help="What to show, separated by commas."),
        *(option() for option in PLATFORM_OPTIONS),
    ],
)
