"""How an import goes, on the terminal: a bar for each part, and the report."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from airside.client.cli.output import words
from airside.tracking.imports.records import Import

SHOWN = 20


class Progressing:
    """A bar for each part, on standard error; without a terminal nothing is drawn."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def begin(self, what: str, total: int, done: int = 0) -> None:
        """A bar."""
        self._bars[what] = self._progress.add_task(what, total=total, completed=done)

    def advance(self, what: str, by: int) -> None:
        """Further."""
        self._progress.advance(self._bars[what], by)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()


def show_report(done: Import) -> None:
    """The report of an import, for people."""
    console = Console()
    report = done.report
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("", "in the source", "here, equal", "left alone"):
        table.add_column(name, justify="left" if not name else "right")
    for count in report.counts:
        table.add_row(count.kind, f"{count.source:,}", f"{count.here:,}", f"{count.skipped:,}" if count.skipped else "")
    console.print(table)
    for left in report.not_taken:
        console.print(
            words(
                f"{left.rows:,} {'row' if left.rows == 1 else 'rows'} of {left.table} not taken: {left.why}.",
                style="yellow",
            )
        )
    for note in report.notes:
        console.print(words(note, style="dim"))
    if report.n_differences:
        console.print(words(f"{report.n_differences} differences:", style="bold red"))
        for difference in report.differences[:SHOWN]:
            console.print(words(f"  {difference}"))
        if report.n_differences > SHOWN:
            console.print(words(f"  … all of them: airside imports get {done.import_id} --json", style="dim"))
    else:
        console.print(words(f"{done.source} is here, equal, after {report.seconds:.1f} s.", style="green"))
