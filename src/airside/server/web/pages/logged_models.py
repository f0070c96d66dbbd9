"""A model that a run logged, before anybody registered it."""

from airside.core.ids import LoggedModelId
from airside.server.web.completing import quoted
from airside.server.web.page import Call, Crumb, PageQuery, Table, View, address, attempt
from airside.tower.operations.finding import SearchRecords
from airside.tracking.logged_models.operations import GetLoggedModel
from airside.tracking.logged_models.records import LoggedModel, ModelMetric
from airside.tracking.operations.experiments import GetExperiment

HEADS = ("key", "value", "step", "timestamp_ms", "dataset_name", "dataset_digest", "run_id")
MAX_SHOWN = 200


def logged_model(call: Call, query: PageQuery) -> View:
    """One logged model: where it comes from, what it was measured at, its files."""
    found = call(GetLoggedModel(model_id=LoggedModelId(query.names["model"])))
    experiment = call(GetExperiment(experiment_id=found.experiment_id))
    newest = latest(found)
    return View(
        template="logged_model.html",
        title=found.name or found.model_id,
        place="Experiments",
        crumbs=(
            Crumb(text="Experiments", href="/experiments"),
            Crumb(text=experiment.name, href=address("/experiments/{}/runs", experiment.experiment_id)),
            Crumb(text=found.name or found.model_id),
        ),
        shows={
            "model": found,
            "experiment": experiment,
            "metrics": newest[:MAX_SHOWN],
            "registered": attempt(call, SearchRecords(find="versions", filter=f"model_id = {quoted(found.model_id)}")),
            "n_hidden": max(len(newest) - MAX_SHOWN, 0),
        },
        data=found,
        table=Table(heads=HEADS, rows=tuple(tuple(getattr(one, head) for head in HEADS) for one in found.metrics)),
        modules=("files",),
    )


def latest(found: LoggedModel) -> tuple[ModelMetric, ...]:
    """The newest point of each metric on each dataset."""
    points = sorted(found.metrics, key=lambda one: (one.step, one.timestamp_ms))
    by_name = {(one.key, one.dataset_name, one.dataset_digest): one for one in points}
    return tuple(by_name[name] for name in sorted(by_name))
