"""Scorers: judges of traces, in versions."""

import uuid

from airside.core.errors import Internal, Invalid, NotFound
from airside.core.ids import ExperimentId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.record import DONE, Ask, Done
from airside.tracking.evaluation import queries, rules
from airside.tracking.evaluation.records import ScorerVersion, ScorerVersions
from airside.tracking.operations.experiments import writable
from airside.tracking.rules import experiment_no


class RegisterScorer(Ask[ScorerVersion]):
    """A scorer, as the text that its maker's library reads."""

    experiment_id: ExperimentId
    name: str
    serialized: str


@operation("scorers.register", needs="evaluation:write")
def register_scorer(ctx: Context, ask: RegisterScorer) -> ScorerVersion:
    """Keep a scorer as the next version of its name in an experiment.

    Raises:
        NotFound: there is no such experiment.
        Invalid: the experiment is deleted, the text is no JSON, or it holds code.
    """
    rules.check_scorer(ask.name, ask.serialized)
    number = writable(ctx, ask.experiment_id)[0]
    known = queries.scorer_id(ctx.tx, number, ask.name)
    if known is None:
        known = str(uuid.UUID(bytes=ctx.random(16), version=4))
        queries.add_scorer(ctx.tx, known, number, ask.name)
    queries.add_scorer_version(ctx.tx, known, ask.serialized, ctx.now_ms())
    made = queries.scorer(ctx.tx, known, None)
    if made is None:
        raise Internal
    return made


class ListScorers(Ask[ScorerVersions]):
    """Ask for the scorers of experiments.

    Attributes:
        experiment_ids: None for all that are not deleted.
    """

    experiment_ids: tuple[ExperimentId, ...] | None = None


@operation("scorers.list", needs="evaluation:read")
def list_scorers(ctx: Context, ask: ListScorers) -> ScorerVersions:
    """The newest version of each scorer, by experiment and name.

    Raises:
        Invalid: too many experiments are named.
    """
    if ask.experiment_ids is None:
        return ScorerVersions(items=queries.newest_scorers(ctx.tx, None))
    numbers = list(dict.fromkeys(experiment_no(each) for each in ask.experiment_ids))
    if len(numbers) > rules.MAX_EXPERIMENTS:
        raise Invalid(f"At most {rules.MAX_EXPERIMENTS} experiments can be named at once, got {len(numbers)}.")
    return ScorerVersions(items=queries.newest_scorers(ctx.tx, numbers) if numbers else ())


class ListScorersOf(Ask[ScorerVersions]):
    """Ask for the scorers of one experiment."""

    experiment_id: ExperimentId


@operation("scorers.of_experiment", needs="evaluation:read")
def list_scorers_of(ctx: Context, ask: ListScorersOf) -> ScorerVersions:
    """The newest version of each scorer of an active experiment, by name.

    Raises:
        NotFound: there is no such experiment. Invalid: it is deleted.
    """
    return ScorerVersions(items=queries.newest_scorers(ctx.tx, [writable(ctx, ask.experiment_id)[0]]))


class ListScorerVersions(Ask[ScorerVersions]):
    """Ask for every version of a scorer."""

    experiment_id: ExperimentId
    name: str


@operation("scorers.versions", needs="evaluation:read")
def list_scorer_versions(ctx: Context, ask: ListScorerVersions) -> ScorerVersions:
    """Every version of a scorer, oldest first.

    Raises:
        NotFound: there is no such experiment, or no such scorer in it.
    """
    return ScorerVersions(items=queries.scorer_versions(ctx.tx, _known(ctx, ask.experiment_id, ask.name)))


class GetScorer(Ask[ScorerVersion]):
    """Ask for a version of a scorer; the newest when none is named."""

    experiment_id: ExperimentId
    name: str
    version: int | None = None


@operation("scorers.get", needs="evaluation:read")
def get_scorer(ctx: Context, ask: GetScorer) -> ScorerVersion:
    """A version of a scorer.

    Raises:
        NotFound: there is no such experiment, scorer or version.
    """
    found = queries.scorer(ctx.tx, _known(ctx, ask.experiment_id, ask.name), ask.version)
    if found is None:
        raise _absent(ask.experiment_id, ask.name, ask.version)
    return found


class DeleteScorer(Ask[Done]):
    """Ask to delete a version of a scorer; all of them when none is named."""

    experiment_id: ExperimentId
    name: str
    version: int | None = None


@operation("scorers.delete", needs="evaluation:write")
def delete_scorer(ctx: Context, ask: DeleteScorer) -> Done:
    """Delete a scorer, or one version of it.

    Raises:
        NotFound: there is no such experiment, scorer or version.
    """
    if not queries.delete_scorer(ctx.tx, _known(ctx, ask.experiment_id, ask.name), ask.version):
        raise _absent(ask.experiment_id, ask.name, ask.version)
    return DONE


def _known(ctx: Context, experiment_id: ExperimentId, name: str) -> str:
    known = queries.scorer_id(ctx.tx, writable(ctx, experiment_id)[0], name)
    if known is None:
        raise _absent(experiment_id, name, None)
    return known


def _absent(experiment_id: ExperimentId, name: str, version: int | None) -> NotFound:
    which = "" if version is None else f" and version {version}"
    return NotFound(f"Scorer with name '{name[: rules.MAX_NAME]}'{which} not found for experiment {experiment_id}.")


OPERATIONS: tuple[AnyOperation, ...] = (
    register_scorer,
    list_scorers,
    list_scorers_of,
    list_scorer_versions,
    get_scorer,
    delete_scorer,
)
