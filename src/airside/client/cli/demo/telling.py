"""How the story is told: on the screen as it happens, and as figures with the records behind them."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from airside.core.estimate import Estimate
from airside.core.record import Record


class Figure(Record):
    """A figure of the story, and where it can be looked up.

    Attributes:
        step: of the story, 1 to 10.
        name: what it is, e.g. `auc.boosting`.
        kind, id: the record that it comes from: `run`, `model_version`, `window`, …
    """

    step: int
    name: str
    value: float | str
    unit: str = "1"
    low: float | None = None
    high: float | None = None
    n: int = 0
    kind: str
    id: str


class Journal:
    """What was done and found so far, in one file of the demo's home: a second start goes on from there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Any] = {"results": {}, "figures": []}
        if path.exists():
            self._known = msgspec.json.decode(path.read_bytes())

    def result(self, key: str) -> Any:
        """What a part of the story came to; None if it has not been told."""
        return self._known["results"].get(key)

    def keep(self, key: str, value: Any) -> None:
        """Remember what a part came to."""
        self._known["results"][key] = msgspec.to_builtins(value)
        self._save()

    def figure(self, figure: Figure) -> None:
        """Remember a figure; one of the same step and name is replaced."""
        others = [one for one in self._known["figures"] if (one["step"], one["name"]) != (figure.step, figure.name)]
        self._known["figures"] = [*others, msgspec.to_builtins(figure)]
        self._save()

    def figures(self) -> list[Figure]:
        """Every figure, in the order of the story."""
        return sorted(msgspec.convert(self._known["figures"], list[Figure]), key=lambda one: one.step)

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".new")
        with temporary.open("wb") as file:
            file.write(msgspec.json.encode(self._known))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)


class Teller:
    """Tells the story to a person."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._started = time.monotonic()

    def chapter(self, number: int, title: str, why: str) -> None:
        """A step of the story begins."""
        elapsed = time.monotonic() - self._started
        self._console.print()
        self._console.print(Rule(Text(f"{number} · {title}", style="bold"), align="left", style="dim"))
        self._console.print(Text(f"{why}  ({elapsed:.0f} s)", style="dim"))

    def done(self, text: str) -> None:
        """Something was done."""
        self._line("✓", "green", text)

    def found(self, text: str) -> None:
        """Something was found."""
        self._line("→", "cyan", text)

    def warned(self, text: str) -> None:
        """Something needs attention."""
        self._line("!", "yellow", text)

    def injected(self, text: str) -> None:
        """What is about to be made up, before it is."""
        self._line("injected:", "bold magenta", text)

    def failed(self, text: str) -> None:
        """A link of the loop failed."""
        self._line("✗", "bold red", text)

    def table(self, heads: list[str], rows: list[list[str]]) -> None:
        """A small table."""
        table = Table(box=None, header_style="dim", pad_edge=False)
        for index, head in enumerate(heads):
            table.add_column(head, justify="left" if index == 0 else "right")
        for row in rows:
            table.add_row(*row)
        self._console.print(Padding(table, (0, 0, 0, 2)))

    def plain(self, text: str = "") -> None:
        """A line as it is."""
        self._console.print(text)

    @contextmanager
    def progress(self, what: str, total: int) -> "Iterator[Any]":
        """A bar that is gone when the work is done; call what it gives with the number done so far."""
        columns = (TextColumn("  {task.description}"), BarColumn(30), TextColumn("{task.completed}/{task.total}"))
        with Progress(*columns, TimeElapsedColumn(), console=self._console, transient=True) as bar:
            task = bar.add_task(what, total=total)

            def show(done: int, description: str = "") -> None:
                bar.update(task, completed=done, description=description or what)

            yield show

    def _line(self, mark: str, style: str, text: str) -> None:
        self._console.print(Padding(Text.assemble((mark, style), " ", text), (0, 0, 0, 2)))


def told(estimate: Estimate, *, digits: int = 3, scale: float = 1.0) -> str:
    """A figure with its interval.

    >>> told(Estimate(value=0.789, low=0.781, high=0.797))
    '0.789 [0.781, 0.797]'
    """
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value * scale:.{digits}f}"
    return (
        f"{estimate.value * scale:.{digits}f} [{estimate.low * scale:.{digits}f}, {estimate.high * scale:.{digits}f}]"
    )
