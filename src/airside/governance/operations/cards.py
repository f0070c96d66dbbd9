"""The model card of a version."""

from airside.core.errors import NotFound
from airside.core.ids import DatasetVersionId, ModelName, RunId
from airside.core.operation import Context, operation
from airside.core.record import Ask
from airside.data.operations.versions import GetDatasetVersion, get_dataset_version
from airside.data.records import DatasetVersion
from airside.governance import card, ml_tests, queries
from airside.governance.operations.scores import subject_version
from airside.governance.records import ModelCard
from airside.monitoring.operations.alerts import ListAlerts, list_alerts
from airside.monitoring.operations.monitors import ListMonitors, list_monitors
from airside.monitoring.operations.windows import ListWindows, list_windows
from airside.monitoring.records import Monitor, Window
from airside.quality.operations.gates import ListGates, list_gates
from airside.registry.operations.models import GetModel, get_model
from airside.registry.operations.versions import GetVersion, get_version
from airside.serving.operations.endpoints import ListEndpoints, list_endpoints
from airside.serving.operations.rollouts import ListRollouts, list_rollouts
from airside.serving.records import Endpoint, Rollout
from airside.tracking.operations.runs import GetRun, get_run
from airside.tracking.records import Run

MOST = 100


class GetCard(Ask[ModelCard]):
    """Of which version; 0 is the champion, without one the newest."""

    name: ModelName
    version: int = 0


@operation("cards.get", needs="model:read")
def get_card(ctx: Context, ask: GetCard) -> ModelCard:
    """What the system knows of a version, as markdown and as a record. What nobody recorded is said to be missing.

    Raises:
        NotFound: there is no such model or version.
    """
    model = get_model(ctx, GetModel(name=ask.name))
    version = get_version(ctx, GetVersion(name=ask.name, version=subject_version(model, ask.version)))
    run = _run(ctx, version.run_id)
    gates = list_gates(ctx, ListGates(model=ask.name, version=version.version, max_results=1)).items
    endpoints = list_endpoints(ctx, ListEndpoints(model=ask.name, max_results=MOST)).items
    monitors = list_monitors(ctx, ListMonitors(model=ask.name, max_results=MOST)).items
    alerts = list_alerts(ctx, ListAlerts(model=ask.name, state="active", max_results=MOST)).items
    now = ctx.clock.now()
    return card.build(
        card.CardFacts(
            model=model,
            version=version,
            run=run,
            datasets=_datasets(ctx, run),
            gate=gates[0] if gates else None,
            endpoints=endpoints,
            rollouts=_rollouts(ctx, endpoints),
            monitors=monitors,
            windows=_windows(ctx, monitors, version.version),
            alerts=tuple(one for one in alerts if one.version == version.version),
            score=ml_tests.score(ask.name, version.version, queries.about(ctx.tx, ask.name, version.version), now),
            at=now,
        )
    )


def _run(ctx: Context, run_id: RunId) -> Run | None:
    if not run_id:
        return None
    try:
        return get_run(ctx, GetRun(run_id=run_id))
    except NotFound:
        return None


def _datasets(ctx: Context, run: Run | None) -> tuple[DatasetVersion, ...]:
    """The dataset versions that a run used; an input that is none of ours, or gone, is left out."""
    found = []
    for used in () if run is None else run.dataset_inputs:
        if used.dataset.source_type != "airside":
            continue
        try:
            found.append(get_dataset_version(ctx, GetDatasetVersion(id=DatasetVersionId(used.dataset.source))))
        except NotFound:
            continue
    return tuple(found)


def _rollouts(ctx: Context, endpoints: tuple[Endpoint, ...]) -> tuple[Rollout, ...]:
    return tuple(
        rollout
        for endpoint in endpoints
        for rollout in list_rollouts(ctx, ListRollouts(endpoint=endpoint.name, max_results=MOST)).items
    )


def _windows(ctx: Context, monitors: tuple[Monitor, ...], version: int) -> tuple[Window, ...]:
    """Windows in which the version answered, newest first, of the first monitor that has any."""
    for monitor in monitors:
        page = list_windows(ctx, ListWindows(monitor=monitor.name, max_results=MOST, with_columns=False))
        mine = tuple(window for window in page.items if window.version == version)
        if mine:
            return mine
    return ()
