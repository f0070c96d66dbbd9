"""How answers about models, versions, approvals and webhooks are told: what people look for first, in one line each."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from airside.client.cli.output import words
from airside.core.clock import from_ms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airside.registry.records import (
        ApprovalPage,
        ChangePage,
        MadeFromDataset,
        Rollback,
        VersionLineage,
        VersionPage,
    )

MAX_CELL = 60
STATES = {
    "waiting": "yellow",
    "approved": "green",
    "delivered": "green",
    "refused": "red",
    "revoked": "red",
    "dead": "red",
}


def history(page: "ChangePage") -> None:
    """Who changed what, from what to what."""
    rows = (
        (
            _time(line.at),
            line.actor,
            "" if line.version is None else f"v{line.version}",
            line.what,
            line.key,
            _change(line.before, line.after),
        )
        for line in page.items
    )
    _table(("when", "who", "version", "what", "of", "from → to"), rows, page.next_page_token)


def _change(before: str, after: str) -> str:
    """From what to what.

    >>> _change("2", "3"), _change("", "3"), _change("2", "")
    ('2 → 3', '3', '2 → –')
    """
    if not before:
        return _cut(after)
    return f"{_cut(before)} → {_cut(after) or '–'}"


def rollback(moved: "Rollback") -> None:
    """What a rollback did, in words."""
    Console().print(words(moved.text))


def approvals(page: "ApprovalPage") -> None:
    """What waits for whom, and what was decided."""
    rows = (
        (
            each.id,
            each.subject,
            words(each.state, style=STATES.get(each.state, "")),
            ", ".join(each.approvers) or "anyone",
            f"{each.asked_by}, {_time(each.asked_at)}",
            f"{each.decided_by}, {_time(each.decided_at)}" if each.decided_at else "",
            _cut(each.comment or each.question),
        )
        for each in page.items
    )
    _table(("id", "about", "state", "of whom", "asked", "decided", "words"), rows, page.next_page_token)


def lineage(found: "VersionLineage") -> None:
    """Where a version comes from, as a tree."""
    tree = Tree(words(f"{found.name}@{found.version}", style="bold"))
    tree.add(words(f"source  {found.source}"))
    if found.model_id:
        tree.add(words(f"logged model  {found.logged_model or 'gone'} ({found.model_id})"))
    if found.run is not None:
        run = found.run
        by = f" by {run.user}" if run.user else ""
        started = f", {_time(run.started_at)}" if run.started_at else ""
        tree.add(words(f"run  {run.name} ({run.run_id}), {run.status}{by}{started}"))
    elif found.run_id:
        tree.add(words(f"run  {found.run_id}, which is not here"))
    code = found.code
    if code.commit or code.source:
        dirty = {True: ", with uncommitted changes", False: "", None: ""}[code.is_dirty]
        where = " ".join(part for part in (code.repository, code.branch, code.source) if part)
        tree.add(words(f"code  {code.commit or 'no commit'}{dirty}{f' ({where})' if where else ''}"))
    if found.datasets:
        branch = tree.add(words("data"))
        for each in found.datasets:
            branch.add(words(_dataset(each)))
    for copy in found.copies:
        tree.add(words(f"copied to  {copy}"))
    Console().print(tree)


def _dataset(read: "MadeFromDataset") -> str:
    what = read.reference or f"{read.name}, digest {read.digest}"
    return f"{what}, for {read.context}" if read.context else what


def versions(page: "VersionPage") -> None:
    """Versions, one line each."""
    rows = (
        (
            f"{each.name}@{each.version}",
            ", ".join(each.aliases),
            "" if each.stage == "None" else each.stage,
            each.run_id or "",
            f"{each.created_by}, {_time(from_ms(each.created_ms))}",
            _cut(each.description or ""),
        )
        for each in page.items
    )
    _table(("version", "aliases", "stage", "run", "registered", "description"), rows, page.next_page_token)


def webhooks(page: Any) -> None:
    """Webhooks, one line each."""
    rows = (
        (each.id, each.name, each.status, "yes" if each.has_secret else "no", each.url, ", ".join(each.events))
        for each in page.items
    )
    _table(("id", "name", "status", "signed", "url", "events"), rows, page.next_page_token)


def deliveries(page: Any) -> None:
    """What webhooks were told, and what waits."""
    rows = (
        (
            each.id,
            each.event + (" (trial)" if each.is_test else ""),
            words(each.state, style=STATES.get(each.state, "")),
            str(each.attempts),
            str(each.status or ""),
            _time(each.created_at),
            _time(each.due_at),
            _cut(each.error),
        )
        for each in page.items
    )
    heads = ("id", "event", "state", "attempts", "answer", "happened", "next", "trouble")
    _table(heads, rows, page.next_page_token)


def _table(heads: tuple[str, ...], rows: "Iterable[tuple[str | Text, ...]]", more: str) -> None:
    """A table without the columns that nothing has."""
    console, every = Console(), list(rows)
    if not every:
        console.print("None.")
        return
    shown = [index for index in range(len(heads)) if any(str(row[index]) for row in every)]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for index in shown:
        table.add_column(heads[index], overflow="fold", no_wrap=heads[index] in {"when", "version"})
    for row in every:
        table.add_row(*(cell if isinstance(cell := row[index], Text) else words(cell) for index in shown))
    console.print(table)
    if more:
        console.print(f"There are more: --page-token {more}", style="dim", soft_wrap=True)


def _time(at: datetime | None) -> str:
    return "" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _cut(text: str) -> str:
    r"""A text in one short line.

    >>> _cut("a\nb")
    'a b'
    """
    line = " ".join(text.split())
    return line if len(line) <= MAX_CELL else line[: MAX_CELL - 1] + "…"
