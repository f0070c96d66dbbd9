"""`airside gc`: remove for good what is in the stage `deleted`. It takes the options of `mlflow gc`."""

from collections.abc import Callable, Iterator
from typing import Any

import click
import msgspec

from airside.client.cli.options import PLATFORM_OPTIONS, client_of
from airside.client.cli.output import echo
from airside.client.transport import Client
from airside.core.errors import AirsideError, Conflict, NotFound, WrongUse
from airside.core.ids import ExperimentId
from airside.tracking.trash.operations import NAMES, ListTrash, RemoveTrash, SweepTrash
from airside.tracking.trash.records import Trash, TrashKind
from airside.tracking.trash.rules import age_ms

NOUNS = {kind: noun if kind != "logged_model" else "Logged model" for kind, noun in NAMES.items()}
Say = Callable[[str], None]


class _Work:
    """One call of the command."""

    def __init__(self, client: Client, older_than: str, say: Say, warn: Say, *, is_dry: bool) -> None:
        self._client, self._older_than, self._is_dry = client, older_than, is_dry
        self._say, self._warn = say, warn
        self.counts: dict[str, int] = dict.fromkeys(NAMES, 0)
        self.kept = 0

    def named(self, kind: TrashKind, ids: tuple[str, ...]) -> None:
        """Remove what was named; a mistake in it ends the command before anything of its hundred is removed."""
        for start in range(0, len(ids), 100):
            chunk = ids[start : start + 100]
            if not self._is_dry:
                self._client.call(RemoveTrash(kind=kind, ids=chunk, older_than=self._older_than))
            self._tell(kind, chunk)

    def experiments(self, ids: tuple[str, ...]) -> None:
        """Remove deleted experiments with their deleted runs and all their logged models."""
        for name in ids:
            of_none = RemoveTrash(kind="run", ids=(), experiment_id=ExperimentId(name), older_than=self._older_than)
            self._client.call(of_none)  # whether the experiment itself may go
            try:
                self._experiment(name)
            except Conflict as conflict:
                self._keep(f"Experiment {name} is kept: {conflict.message}")

    def _experiment(self, name: str) -> None:
        kinds: tuple[TrashKind, ...] = ("run", "logged_model")
        for kind in kinds:
            while items := self._parts(kind, name):
                if kept := [item for item in items if item.kept_for]:
                    raise Conflict(f"{NOUNS[kind]} {kept[0].id} of it is needed by {kept[0].kept_for}.")
                chunk = tuple(item.id for item in items)
                if not self._is_dry:
                    self._client.call(RemoveTrash(kind=kind, ids=chunk, experiment_id=ExperimentId(name)))
                self._tell(kind, chunk)
                if self._is_dry:
                    break
        if not self._is_dry:
            self._client.call(RemoveTrash(kind="experiment", ids=(name,)))
        self._tell("experiment", (name,))

    def _parts(self, kind: TrashKind, name: str) -> tuple[Trash, ...]:
        return self._client.call(ListTrash(kind=kind, experiment_id=ExperimentId(name))).items

    def all_of(self, kind: TrashKind) -> None:
        """Remove everything of a kind that is deleted and old enough; what is needed stays."""
        for page in self._listed(kind):
            for item in page:
                if item.kept_for:
                    self._keep(f"{NOUNS[kind]} {item.id} is kept: {item.kept_for} needs it.")
            ids = tuple(item.id for item in page if not item.kept_for)
            if kind == "experiment":
                self.experiments(ids)
            elif ids:
                self._remove(kind, ids)

    def _remove(self, kind: TrashKind, ids: tuple[str, ...]) -> None:
        if not self._is_dry:
            try:
                self._client.call(RemoveTrash(kind=kind, ids=ids, older_than=self._older_than))
            except NotFound:  # another one removes too
                if len(ids) > 1:
                    for name in ids:
                        self._remove(kind, (name,))
                return
        self._tell(kind, ids)

    def _listed(self, kind: TrashKind) -> Iterator[tuple[Trash, ...]]:
        after = ""
        while True:
            page = self._client.call(ListTrash(kind=kind, older_than=self._older_than, after=after))
            yield page.items
            after = page.next_after
            if not after:
                return

    def sweep(self) -> None:
        """Finish: rows and files of what was removed, now or by one that was interrupted."""
        if self._is_dry:
            return
        while True:
            swept = self._client.call(SweepTrash())
            for place in swept.untouched:
                self._warn(f"The files under {place} stay: this server does not touch that place. Delete them there.")
            if not swept.left:
                return

    def _tell(self, kind: TrashKind, ids: tuple[str, ...]) -> None:
        self.counts[kind] += len(ids)
        verb = "would be" if self._is_dry else "has been"
        for name in ids:
            self._say(f"{NOUNS[kind]} with ID {name} {verb} permanently deleted.")

    def _keep(self, text: str) -> None:
        self.kept += 1
        self._warn(text)


def _ids(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())


def _run(
    older_than: str | None,
    run_ids: str | None,
    experiment_ids: str | None,
    logged_model_ids: str | None,
    dry_run: bool,
    as_json: bool,
    **where: Any,
) -> None:
    age_ms(older_than or "")
    named: dict[TrashKind, tuple[str, ...] | None] = {"run": _ids(run_ids), "logged_model": _ids(logged_model_ids)}
    experiments = _ids(experiment_ids)
    with client_of(where) as client:
        say: Say = (lambda _text: None) if as_json else echo
        work = _Work(client, older_than or "", say, lambda text: echo(text, err=True), is_dry=dry_run)
        is_all = experiments is None and not any(ids is not None for ids in named.values())
        try:
            if is_all:
                work.all_of("experiment")
            work.experiments(experiments or ())
            for kind, ids in named.items():
                if ids is not None:
                    work.named(kind, ids)
                elif is_all:
                    work.all_of(kind)
        except AirsideError:
            work.sweep()
            raise
        work.sweep()
    if as_json:
        click.echo(msgspec.json.encode({"removed": work.counts, "kept": work.kept, "is_dry_run": dry_run}).decode())
    elif not any(work.counts.values()):
        echo("Nothing to remove.")


def _option(option: click.Option) -> click.Option:
    """An option of every command; the server's address also has the name that it has in `mlflow gc`."""
    if option.name == "platform_url":
        option.opts.append("--tracking-uri")
    return option


def _refuse(_ctx: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is not None:
        raise WrongUse(
            f"{option.opts[0]} is not needed: Airside's trash is emptied through the server that owns the store. Name "
            "the server with --url, or the home that is to be opened with --home."
        )


gc = click.Command(
    "gc",
    callback=_run,
    help="Remove for good what is in the stage `deleted`: runs, logged models and experiments with their artifacts. "
    "Without ids: all that is deleted; with ids: only those. What a registered version needs is kept.",
    params=[
        click.Option(["--older-than"], help="Only what is deleted for longer than this: 1d2h3m4s."),
        click.Option(["--run-ids"], help="Runs, with commas between them."),
        click.Option(["--experiment-ids"], help="Experiments, with commas; their runs and logged models go too."),
        click.Option(["--logged-model-ids"], help="Logged models, with commas between them."),
        click.Option(["--dry-run"], is_flag=True, help="Only tell what would be removed."),
        *(_option(make()) for make in PLATFORM_OPTIONS),
        *(
            click.Option([flag], callback=_refuse, expose_value=False, hidden=True)
            for flag in ("--backend-store-uri", "--artifacts-destination")
        ),
    ],
)
