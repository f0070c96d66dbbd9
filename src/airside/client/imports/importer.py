"""An import from beginning to end: look for what could go wrong, take the parts over, compare."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from airside.client.imports import comparison
from airside.client.imports.ahead import read_ahead
from airside.client.imports.files import LocalFile, copy, files_below, patiently
from airside.client.imports.job import Job, Options, Telling
from airside.client.imports.locations import Locations, Root, check_reachable
from airside.client.imports.mlflow import experiments
from airside.client.imports.mlflow.accounts import not_taken
from airside.client.imports.mlflow.schema import MlflowTables
from airside.client.imports.parts import PARTS, Part
from airside.client.imports.trust import Trust
from airside.client.transport import Client
from airside.core.ids import RunId
from airside.core.record import Ask, Record
from airside.tracking.imports.comparing import CompareImport, TallyRuns
from airside.tracking.imports.journal import BeginImport, FinishImport, MarkImport
from airside.tracking.imports.operations import ImportExperiments
from airside.tracking.imports.records import Compared, Import, ImportPart, ImportReport
from airside.tracking.imports.rules import OUT_OF_THE_WAY, refusal
from airside.tracking.records import Run

T = TypeVar("T")
AHEAD = 8


class Beginning(Record):
    """A batch of things, and where their files are."""

    key: str
    items: tuple[Any, ...]
    roots: tuple[Root, ...]


class Ending(Record):
    """All that belongs to the batch was told."""


class Importer:
    """Takes one MLflow store over.

    Args:
        client: the platform that it goes to.
        tables: the store.
        kind: what the store is: `mlflow-database` or `mlflow-folder`.
        options: how to go about it.
        telling: who hears how it goes.
        trust: the folders of this machine whose files may be read.
    """

    def __init__(
        self,
        client: Client,
        tables: MlflowTables,
        kind: str,
        options: Options,
        telling: Telling,
        trust: Trust,
    ) -> None:
        self._trust = trust
        self._client = client
        self._tables = tables
        self._kind = kind
        self._options = options
        self._telling = telling
        self._lost: list[str] = []
        self._files = self._folders = 0
        self._absent: list[Path] = []
        self._refused: list[Path] = []

    def run(self) -> Import:
        """Do it all; the answer has the report.

        Raises:
            Conflict: something is here already with other content; nothing was written.
            Invalid: the source cannot be taken over so; says what to name.
            Unavailable: the platform, or the source, went away: start it again and it goes on.
        """
        began = time.monotonic()
        locations = self._locations()
        begun = self._ask(
            BeginImport(source=self._tables.label, kind=self._kind, fingerprint=self._tables.fingerprint())
        )
        job = Job(self._client, self._tables, begun.import_id, self._options, locations)
        parts = {part.part: part for part in begun.parts}
        if not parts and not self._options.skip_existing:
            self._look_first(job)
        self._experiments(job)
        for part in PARTS:
            self._take(job, part, parts.get(part.name) or ImportPart(part=part.name))
        counts, differences = comparison.of_everything(job, PARTS, self._telling)
        refused = [f"files of {folder}: not copied, for nobody allowed it" for folder in self._refused]
        differences = [*(f"file {one}" for one in self._lost), *refused, *differences]
        report = ImportReport(
            counts=tuple(counts),
            not_taken=tuple(not_taken(self._tables)),
            differences=tuple(differences[:1000]),
            n_differences=len(differences),
            notes=tuple(self._notes(job)),
            seconds=round(time.monotonic() - began, 3),
        )
        return self._ask(FinishImport(import_id=begun.import_id, report=report))

    def _locations(self) -> Locations:
        rows = self._tables.source.all("SELECT DISTINCT artifact_location FROM experiments")
        mode = check_reachable(
            self._options.mode, self._options.artifacts, sorted(str(row[0]) for row in rows if row[0])
        )
        return Locations(mode, self._options.artifacts, self._trust)

    def _look_first(self, job: Job) -> None:
        """Refuse before anything is written, if something would be refused later."""
        self._telling.begin("looking", sum(part.total(job) for part in PARTS))
        for _, heads in experiments.read(job.tables) if self._options.ids == "keep" else ():
            there = tuple(job.locations.experiment(each) for each in heads)
            if different := self._ask(CompareImport(experiments=there)).differing:
                raise refusal("experiments", different, OUT_OF_THE_WAY)
        for part in PARTS:
            for _, items in part.read(job, ""):
                known = self._known_runs(items) if part.name == "runs" else items
                found = self._ask(part.compare(known)) if known else Compared()
                if found.differing:
                    raise refusal(part.name, found.differing)
                self._telling.advance("looking", len(items))

    def _known_runs(self, items: Sequence[Run]) -> Sequence[Run]:
        """Those of some runs that are here: of most nothing is, and only these are worth comparing."""
        answer = self._ask(TallyRuns(run_ids=tuple(run.info.run_id for run in items)))
        known: set[RunId] = {found.run_id for found in answer.items}
        return [run for run in items if run.info.run_id in known]

    def _experiments(self, job: Job) -> None:
        """All of them, each time: where each is here is needed for what comes behind."""
        self._telling.begin("experiments", experiments.count(job.tables))
        greatest = experiments.greatest(job.tables)
        for _, items in experiments.read(job.tables):
            ask = ImportExperiments(
                import_id=job.import_id,
                items=tuple(job.locations.experiment(each) for each in items),
                ids=self._options.ids,
                above=greatest,
                skip_existing=self._options.skip_existing,
            )
            answer = self._ask(ask)
            job.placed.update(answer.placed)
            job.merged.update(each.id for each in answer.differing)
            self._telling.advance("experiments", len(items))

    def _take(self, job: Job, part: Part, state: ImportPart) -> None:
        total = part.total(job)
        self._telling.begin(part.name, total, min(state.done + state.skipped, total))
        if state.is_complete:
            return
        left: frozenset[str] = frozenset()
        begun: Beginning | None = None
        for message in read_ahead(_messages(job, part, state.after_key), AHEAD):
            if isinstance(message, Beginning):
                begun = message
                answer = self._ask(part.put(job, message.items))
                left = frozenset(each.id for each in answer.differing)
            elif isinstance(message, Ending) and begun is not None:
                self._copy(root for root in begun.roots if root.owner not in left)
                state = _further(state, begun, len(left))
                self._ask(MarkImport(import_id=job.import_id, part=state))
                self._telling.advance(part.name, len(begun.items))
            elif isinstance(message, Ask) and (ask := part.without(message, left)) is not None:
                self._ask(ask)
        self._ask(MarkImport(import_id=job.import_id, part=msgspec.structs.replace(state, is_complete=True)))

    def _copy(self, roots: Iterator[Root]) -> None:
        files: list[LocalFile] = []
        for root in roots:
            if root.folder is not None:
                self._folders += 1
                files += files_below(self._trust, root.folder, root.place)
            elif root.missed is not None:
                (self._refused if root.is_refused else self._absent).append(root.missed)
        if files:
            copied = copy(self._client, files)
            self._files += copied.files
            self._lost += copied.lost

    def _notes(self, job: Job) -> Iterator[str]:
        if self._files:
            yield f"{self._files} files are in the artifact store, each compared by its digest."
        if self._absent:
            total = len(self._absent) + self._folders
            yield (
                f"{len(self._absent)} of {total} folders of files are not there, e.g. {self._absent[0]}: nothing was "
                "logged into them, or they were moved; if so, import again with --artifacts DIR."
            )
        if self._refused:
            yield (
                f"{len(self._refused)} folders of files lie outside the source, e.g. {self._refused[0]}: nothing of "
                "them was copied. If these are files of runs and not other people's: import again with --copy-from "
                "DIR, the folder that they are in."
            )
        for path, why in self._trust.passed.items():
            yield f"Passed over: {path}: {why}."
        if more := self._trust.n_passed - len(self._trust.passed):
            yield f"Passed over: {more} others."
        moved = {before: after for before, after in job.placed.items() if before != after}
        if moved:
            yield "Experiments with another id here: " + ", ".join(f"{a} is {b}" for a, b in sorted(moved.items()))
        if job.merged:
            yield f"Experiments that were here already and keep their own facts: {', '.join(sorted(job.merged))}."
        for part in PARTS:
            yield from part.notes(job)
        places = {
            one.artifact_location
            for _, items in experiments.read(self._tables)
            for one in items
            if not job.locations.is_copied(one.artifact_location)
        }
        for place in sorted(places)[:20]:
            yield f"Files below {place} stayed where they are."

    def _ask(self, ask: Ask[T]) -> T:
        """Ask, as a server would be asked: columns of SQLite hold values of any type, and one would be stored."""
        told = msgspec.convert(msgspec.to_builtins(ask, builtin_types=(bytes,)), type=type(ask))
        return patiently(lambda: self._client.call(told))


def _messages(job: Job, part: Part, after: str) -> Iterator[Any]:
    """What a part tells, in the order in which it is sent; runs in the thread that reads ahead."""
    for key, items in part.read(job, after):
        roots = tuple(part.roots(job, items)) if job.locations.mode == "copy" else ()
        yield Beginning(key=key, items=items, roots=roots)
        yield from part.behind(job, items)
        yield Ending()


def _further(state: ImportPart, begun: Beginning, skipped: int) -> ImportPart:
    return ImportPart(
        part=state.part,
        after_key=begun.key,
        done=state.done + len(begun.items) - skipped,
        skipped=state.skipped + skipped,
    )
