"""Verbs on logged models. Metrics come through `runs.log_metric` and `runs.log_batch`."""

from airside.core.errors import Invalid, NotFound, quoted
from airside.core.ids import ExperimentId, LoggedModelId, ModelName, RunId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.record import DONE, Ask, Done
from airside.tracking.logged_models import queries, rules, search
from airside.tracking.logged_models.events import ModelLogged
from airside.tracking.logged_models.records import (
    DatasetFilter,
    LoggedModel,
    LoggedModelPage,
    LoggedModelStatus,
    ModelOrder,
)
from airside.tracking.names import invented
from airside.tracking.queries import experiments
from airside.tracking.records import Param, Tag
from airside.tracking.rules import experiment_no, joined, last_wins


class CreateLoggedModel(Ask[LoggedModel]):
    """A model that a run is about to log. An empty name is invented."""

    experiment_id: ExperimentId
    name: str = ""
    model_type: str = ""
    source_run_id: RunId = RunId("")
    params: tuple[Param, ...] = ()
    tags: tuple[Tag, ...] = ()


@operation("logged_models.create", needs="run:write")
def create_logged_model(ctx: Context, ask: CreateLoggedModel) -> LoggedModel:
    """Make a logged model, PENDING until its files are there.

    Raises:
        Invalid: the name is not allowed, a parameter is given twice, or the experiment is deleted.
        NotFound: there is no such experiment.
    """
    rules.check_name(ask.name)
    _refuse_twice(ask.params)
    number = experiment_no(ask.experiment_id)
    stage = experiments.stage(ctx.tx, number)
    if stage is None:
        raise NotFound(f"No Experiment with id={ask.experiment_id} exists")
    is_deleted, location = stage
    if is_deleted:
        raise Invalid(f"The experiment {ask.experiment_id} must be in the 'active' state. Current state is deleted.")
    model_id = LoggedModelId(ctx.new_id("logged_model"))
    now_ms = ctx.now_ms()
    model = LoggedModel(
        model_id=model_id,
        experiment_id=ExperimentId(str(number)),
        name=ask.name or invented(ctx.random(4)),
        artifact_uri=joined(location, "models", model_id, "artifacts"),
        model_type=ask.model_type,
        source_run_id=ask.source_run_id,
        params=ask.params,
        tags=last_wins(ask.tags),
        created_ms=now_ms,
        updated_ms=now_ms,
    )
    queries.insert(ctx.tx, model)
    return model


class GetLoggedModel(Ask[LoggedModel]):
    """A logged model by its id."""

    model_id: LoggedModelId
    allow_deleted: bool = False


@operation("logged_models.get", needs="run:read")
def get_logged_model(ctx: Context, ask: GetLoggedModel) -> LoggedModel:
    """A logged model with its parameters, tags and every point of its metrics.

    Raises:
        NotFound: there is none of that id, or it is deleted.
    """
    model = queries.one(ctx.tx, ask.model_id, allow_deleted=ask.allow_deleted)
    if model is None:
        raise NotFound(rules.not_found(ask.model_id))
    return model


class SearchLoggedModels(Ask[LoggedModelPage]):
    """Logged models of some experiments that match a filter, e.g. `metrics.auc > 0.8 AND params.lr = '0.1'`.

    Attributes:
        datasets: restrict metrics to those measured on one of these.
    """

    experiment_ids: tuple[ExperimentId, ...]
    filter: str = ""
    datasets: tuple[DatasetFilter, ...] = ()
    max_results: int = 100
    order_by: tuple[ModelOrder, ...] = ()
    page_token: str = ""


@operation("logged_models.search", needs="run:read")
def search_logged_models(ctx: Context, ask: SearchLoggedModels) -> LoggedModelPage:
    """Search logged models; deleted ones never appear.

    Raises:
        Invalid: the filter, the order or the page token cannot be read.
    """
    return search.page(ctx.tx, ask)


class SetLoggedModelStatus(Ask[LoggedModel]):
    """A new status of a logged model."""

    model_id: LoggedModelId
    status: LoggedModelStatus
    status_message: str = ""


@operation("logged_models.set_status", needs="run:write")
def set_logged_model_status(ctx: Context, ask: SetLoggedModelStatus) -> LoggedModel:
    """Change the status; every change is allowed.

    Raises:
        NotFound: there is no such model.
    """
    model = _any(ctx, ask.model_id)
    queries.set_status(ctx.tx, ask.model_id, ask.status, ask.status_message, ctx.now_ms())
    if ask.status == "READY" and model.status != "READY":
        ctx.announce(
            ModelLogged(model_id=model.model_id, experiment_id=model.experiment_id, source_run_id=model.source_run_id)
        )
    return _any(ctx, ask.model_id)


class DeleteLoggedModel(Ask[Done]):
    """A logged model that shall go out of sight."""

    model_id: LoggedModelId


@operation("logged_models.delete", needs="run:write")
def delete_logged_model(ctx: Context, ask: DeleteLoggedModel) -> Done:
    """Mark a model as deleted; a second time changes nothing.

    Raises:
        NotFound: there never was such a model.
    """
    _any(ctx, ask.model_id)
    queries.delete(ctx.tx, ask.model_id, ctx.now_ms())
    return DONE


class SetLoggedModelTags(Ask[Done]):
    """Tags of a logged model; the last of each key counts."""

    model_id: LoggedModelId
    tags: tuple[Tag, ...]


@operation("logged_models.set_tags", needs="run:write")
def set_logged_model_tags(ctx: Context, ask: SetLoggedModelTags) -> Done:
    """Set tags, or overwrite them.

    Raises:
        NotFound: there is no such model.
    """
    _any(ctx, ask.model_id)
    queries.put_tags(ctx.tx, ask.model_id, last_wins(ask.tags))
    queries.touch(ctx.tx, ask.model_id, ctx.now_ms())
    return DONE


class DeleteLoggedModelTag(Ask[Done]):
    """A tag of a logged model that shall go."""

    model_id: LoggedModelId
    key: str


@operation("logged_models.delete_tag", needs="run:write")
def delete_logged_model_tag(ctx: Context, ask: DeleteLoggedModelTag) -> Done:
    """Take a tag away.

    Raises:
        NotFound: there is no such model, or it has no such tag.
    """
    _any(ctx, ask.model_id)
    if not queries.delete_tag(ctx.tx, ask.model_id, ask.key):
        raise NotFound(f"No tag with key '{ask.key}' found for model with ID '{ask.model_id}'.")
    queries.touch(ctx.tx, ask.model_id, ctx.now_ms())
    return DONE


class LogLoggedModelParams(Ask[Done]):
    """Parameters of a logged model; each key once."""

    model_id: LoggedModelId
    params: tuple[Param, ...]


@operation("logged_models.log_params", needs="run:write", audit="measure")
def log_logged_model_params(ctx: Context, ask: LogLoggedModelParams) -> Done:
    """Write parameters.

    Raises:
        NotFound: there is no such model.
        Invalid: a key was written before, or is given twice.
    """
    model = _any(ctx, ask.model_id)
    _refuse_twice((*model.params, *ask.params))
    queries.insert_params(ctx.tx, ask.model_id, ask.params)
    return DONE


class TellRegistration(Ask[Done]):
    """A version that was registered from a logged model."""

    model_id: LoggedModelId
    name: ModelName
    version: int


@operation("logged_models.tell_registration", needs="model:write")
def tell_registration(ctx: Context, ask: TellRegistration) -> Done:
    """Note a registration in the tag that MLflow's clients read.

    Raises:
        NotFound: there is no such model.
    """
    model = _any(ctx, ask.model_id)
    known = next((tag.value for tag in model.tags if tag.key == rules.VERSIONS_TAG), "")
    value = rules.with_registration(known, ask.name, ask.version)
    queries.put_tags(ctx.tx, ask.model_id, (Tag(key=rules.VERSIONS_TAG, value=value),))
    return DONE


def _any(ctx: Context, model_id: LoggedModelId) -> LoggedModel:
    """A model, deleted or not: its tags and status may still change."""
    return get_logged_model(ctx, GetLoggedModel(model_id=model_id, allow_deleted=True))


def _refuse_twice(params: tuple[Param, ...]) -> None:
    keys = [param.key for param in params]
    twice = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    if twice:
        raise Invalid(
            f"Parameters of a logged model are written once. Written before, or given twice: {quoted(twice)}.",
            code="BAD_REQUEST",
        )


OPERATIONS: tuple[AnyOperation, ...] = (
    create_logged_model,
    get_logged_model,
    search_logged_models,
    set_logged_model_status,
    delete_logged_model,
    set_logged_model_tags,
    delete_logged_model_tag,
    log_logged_model_params,
    tell_registration,
)
