"""How an answer is told: as a table to people, as JSON to programs."""

from datetime import datetime
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from airside.core.clock import from_ms
from airside.core.escapes import harmless
from airside.core.estimate import Estimate
from airside.core.record import Done, Record

MAX_CELL = 80
FIRST_INSTANT_MS = 100_000_000_000
"""What ends in `_ms` is an instant from here on (1973), and a length of time (three years) below."""


def show(answer: Any, *, as_json: bool) -> None:
    """Tell an answer on standard output."""
    if as_json:
        click.echo(msgspec.json.encode(answer).decode())
        return
    console = Console()
    if isinstance(answer, Done):
        console.print("Done.")
    elif isinstance(getattr(answer, "items", None), tuple):
        _show_items(console, answer)
    elif isinstance(answer, Record):
        _show_record(console, answer)
    else:
        console.print(words(str(answer)))


def words(text: str, style: str = "") -> Text:
    """A text as rich shows it; whatever a name of a stranger's holds, it does not steer the terminal."""
    return Text(harmless(text), style=style)


def echo(text: str, *, err: bool = False) -> None:
    """Write a line that quotes names; they do not steer the terminal."""
    click.echo(harmless(text), err=err)


def _show_items(console: Console, page: Any) -> None:
    if not page.items:
        console.print("None.")
        return
    names = [name for name in page.items[0].__struct_fields__ if any(_has(getattr(item, name)) for item in page.items)]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in names[:8]:
        # An id is there to be copied: it is the last to be broken over lines.
        table.add_column(name.replace("_", " "), overflow="fold", no_wrap=name == "id" or name.endswith("_id"))
    for item in page.items:
        table.add_row(*(_cell(name, getattr(item, name)) for name in names[:8]))
    console.print(table)
    if token := getattr(page, "next_page_token", ""):
        console.print(f"There are more: --page-token {token}", style="dim")


def _show_record(console: Console, record: Any) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name in record.__struct_fields__:
        if _has(value := getattr(record, name)):
            table.add_row(name.replace("_", " "), _cell(name, value, most=2000))
    console.print(table)


def _has(value: Any) -> bool:
    return value is not None and value != "" and value not in ((), {}, [])


def _cell(name: str, value: Any, *, most: int = MAX_CELL) -> Text:
    if name.endswith("_ms") and isinstance(value, int) and value >= FIRST_INSTANT_MS:
        value = from_ms(value)
    if isinstance(value, datetime):
        text = value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    elif isinstance(value, Estimate):
        text = told(value)
    elif isinstance(value, Record | dict | tuple | list):
        text = msgspec.json.encode(value).decode()
    else:
        text = str(value)
    return words(text if len(text) <= most else text[: most - 1] + "…")


def told(estimate: Estimate) -> str:
    """A figure with its interval.

    >>> told(Estimate(value=0.7891, low=0.781, high=0.797))
    '0.789 [0.781, 0.797]'
    """
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
