"""Queries that compare what is here with a source: before an import, and behind it."""

from blake3 import blake3

from airside.core.ids import LoggedModelId, RunId
from airside.core.operation import AnyOperation, Context, Services, operation
from airside.core.record import Ask
from airside.store.names import safe_parts
from airside.tracking.imports import queries, rules
from airside.tracking.imports.operations import LOGGED_MODELS, RUNS, known_models, known_runs, place_of
from airside.tracking.imports.records import (
    Compared,
    Difference,
    FileDigest,
    FileDigests,
    ImportTallies,
    ImportTally,
    RunTallies,
)
from airside.tracking.imports.taking import compare, together
from airside.tracking.logged_models.records import LoggedModel
from airside.tracking.queries import runs
from airside.tracking.records import Experiment, Run

MAX_FILES = 200


class CompareImport(Ask[Compared]):
    """Things of a source; metrics are not looked at."""

    experiments: tuple[Experiment, ...] = ()
    runs: tuple[Run, ...] = ()
    logged_models: tuple[LoggedModel, ...] = ()


@operation("imports.compare", needs="imports:read")
def compare_import(ctx: Context, ask: CompareImport) -> Compared:
    """Which of some things are here, and which of them differ from what they are in the source.

    Raises:
        Invalid: too many at once.
    """
    rules.check_size((*ask.experiments, *ask.runs, *ask.logged_models))
    return together(
        (
            _experiments(ctx, ask.experiments),
            compare(RUNS, ask.runs, known_runs(ctx, ask.runs)),
            compare(LOGGED_MODELS, ask.logged_models, known_models(ctx, ask.logged_models)),
        )
    )


def _experiments(ctx: Context, given: tuple[Experiment, ...]) -> Compared:
    places = {each.experiment_id: place_of(ctx, each) for each in given}
    missing = tuple(number for number, (place, _, _) in places.items() if place in ("add", "adopt"))
    differing = tuple(Difference(id=number, what=what) for number, (_, _, what) in places.items() if what)
    return Compared(same=len(places) - len(missing) - len(differing), missing=missing, differing=differing)


class TallyRuns(Ask[RunTallies]):
    """Runs whose contents shall be counted."""

    run_ids: tuple[RunId, ...]


@operation("imports.tally_runs", needs="imports:read")
def tally_runs(ctx: Context, ask: TallyRuns) -> RunTallies:
    """How many parameters, tags, metrics, points, inputs and outputs runs hold.

    Raises:
        Invalid: too many at once.
    """
    rules.check_size(ask.run_ids)
    found = {run_id: runs.numbers(ctx, run_id) for run_id in ask.run_ids}
    return RunTallies(items=queries.tallies(ctx.tx, {each[0]: run_id for run_id, each in found.items() if each}))


class TallyModels(Ask[ImportTallies]):
    """Logged models whose points shall be counted."""

    model_ids: tuple[LoggedModelId, ...]


@operation("imports.tally_models", needs="imports:read")
def tally_models(ctx: Context, ask: TallyModels) -> ImportTallies:
    """How many points of metrics logged models hold.

    Raises:
        Invalid: too many at once.
    """
    rules.check_size(ask.model_ids)
    counts = queries.model_points(ctx.tx, ask.model_ids)
    return ImportTallies(items=tuple(ImportTally(id=model_id, number=count) for model_id, count in counts.items()))


class DigestFiles(Ask[FileDigests]):
    """Files below the root of the proxied artifacts."""

    paths: tuple[str, ...]


def _digested(services: Services, ask: DigestFiles) -> FileDigests:
    rules.check_size(ask.paths, MAX_FILES)
    found = []
    for path in ask.paths:
        known = services.artifacts.stat("/".join(safe_parts(path)))
        if known is None or known.is_dir:
            continue
        digest = blake3()
        with services.artifacts.open(path) as file:
            for piece in file.pieces():
                digest.update(piece)
        found.append(FileDigest(path=path, size_bytes=known.size_bytes, digest=f"b3:{digest.hexdigest()}"))
    return FileDigests(items=tuple(found))


@operation("imports.digest_files", needs="imports:read", prepare=_digested)
def digest_files(ctx: Context, _ask: DigestFiles) -> FileDigests:
    """The sizes and digests of files of the artifact store.

    Raises:
        Invalid: a path is none, or there are too many.
    """
    answer: FileDigests = ctx.prepared
    return answer


OPERATIONS: tuple[AnyOperation, ...] = (compare_import, tally_runs, tally_models, digest_files)
