"""Queries that compare what is here with a source: before an import, and behind it."""

from airside.core.ids import LoggedModelId, RunId
from airside.core.operation import AnyOperation, Context, Services, operation
from airside.core.record import Ask
from airside.store.blobs.identity import blob_of
from airside.store.names import safe_parts
from airside.tracking.imports import queries, rules
from airside.tracking.imports.operations import known_runs, place_of
from airside.tracking.imports.records import (
    Compared,
    Difference,
    FileDigest,
    FileDigests,
    ModelTallies,
    ModelTally,
    RunTallies,
)
from airside.tracking.logged_models import queries as model_queries
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
    same = 0
    missing: list[str] = []
    differing: list[Difference] = []

    def judge(thing_id: str, *, is_here: bool, difference: str) -> None:
        nonlocal same
        if not is_here:
            missing.append(thing_id)
        elif difference:
            differing.append(Difference(id=thing_id, what=difference))
        else:
            same += 1

    for experiment in ask.experiments:
        place, _, difference = place_of(ctx, experiment)
        judge(experiment.experiment_id, is_here=place not in ("add", "adopt"), difference=difference)
    here = known_runs(ctx, ask.runs)
    for run in ask.runs:
        found = here.get(run.info.run_id)
        judge(run.info.run_id, is_here=found is not None, difference=rules.run_difference(found, run) if found else "")
    models = {one.model_id: one for one in model_queries.some(ctx.tx, [one.model_id for one in ask.logged_models])}
    for model in ask.logged_models:
        known = models.get(model.model_id)
        is_here = known is not None
        judge(model.model_id, is_here=is_here, difference=rules.model_difference(known, model) if known else "")
    return Compared(same=same, missing=tuple(missing), differing=tuple(differing))


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


class TallyModels(Ask[ModelTallies]):
    """Logged models whose points shall be counted."""

    model_ids: tuple[LoggedModelId, ...]


@operation("imports.tally_models", needs="imports:read")
def tally_models(ctx: Context, ask: TallyModels) -> ModelTallies:
    """How many points of metrics logged models hold.

    Raises:
        Invalid: too many at once.
    """
    rules.check_size(ask.model_ids)
    counts = queries.model_points(ctx.tx, ask.model_ids)
    return ModelTallies(
        items=tuple(ModelTally(model_id=LoggedModelId(model_id), points=count) for model_id, count in counts.items())
    )


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
        with services.artifacts.open(path) as file:
            digest = blob_of(file.pieces())
        found.append(FileDigest(path=path, size_bytes=known.size_bytes, digest=digest))
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
