"""What a run logs: metrics, parameters, tags, inputs and outputs. The hot paths: a few fixed statements each."""

import json
from typing import Any

import msgspec

from airside.core.errors import Invalid, NotFound
from airside.core.ids import LoggedModelId, RunId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.record import DONE, Ask, Done
from airside.tracking import rules
from airside.tracking.logged_models import points as model_points
from airside.tracking.operations.runs import active
from airside.tracking.queries import runs as run_queries
from airside.tracking.queries import values
from airside.tracking.records import DatasetInput, LoggedMetric, ModelOutput, Param, Tag

MODEL_HISTORY_TAG = "mlflow.log-model.history"
MODEL_FIELDS = ("artifact_path", "flavors", "utc_time_created", "run_id")
KEPT_FIELDS = ("run_id", "artifact_path", "utc_time_created", "model_uuid")


class LogMetric(Ask[Done]):
    """Ask to log one point of a metric. A value of null is "not a number"."""

    run_id: RunId
    key: str
    value: float | None
    timestamp_ms: int
    step: int = 0
    model_id: LoggedModelId = LoggedModelId("")
    dataset_name: str = ""
    dataset_digest: str = ""


@operation("runs.log_metric", needs="run:write", audit="measure")
def log_metric(ctx: Context, ask: LogMetric) -> Done:
    """Log one point of a metric of an active run. The same point again changes nothing."""
    value, is_nan = rules.checked_value(ask.key, ask.value, ask.timestamp_ms)
    run = active(ctx, ask.run_id)
    values.add_point(ctx, run, ask.key, (ask.timestamp_ms, ask.step, value, is_nan))
    if ask.model_id:
        metric = LoggedMetric(
            key=ask.key,
            value=ask.value,
            timestamp_ms=ask.timestamp_ms,
            step=ask.step,
            model_id=ask.model_id,
            dataset_name=ask.dataset_name,
            dataset_digest=ask.dataset_digest,
        )
        model_points.keep(ctx, ask.run_id, (metric,))
    return DONE


class LogParam(Ask[Done]):
    """Ask to log a parameter."""

    run_id: RunId
    key: str
    value: str = ""


@operation("runs.log_param", needs="run:write", audit="measure")
def log_param(ctx: Context, ask: LogParam) -> Done:
    """Log a parameter of an active run: written once; the same value again changes nothing."""
    param = rules.checked_param(Param(key=ask.key, value=ask.value), truncates=rules.limits_of(ctx.memory).truncates)
    run = active(ctx, ask.run_id)
    other = values.add_param(ctx, run, param)
    if other is not None:
        raise Invalid(
            f"Changing param values is not allowed. Param with key='{param.key}' was already logged with "
            f"value='{other}' for run ID='{ask.run_id}'. Attempted logging new value '{param.value}'."
        )
    return DONE


class SetRunTag(Ask[Done]):
    """Ask to set a tag of a run."""

    run_id: RunId
    key: str
    value: str = ""


@operation("runs.set_tag", needs="run:write", audit="measure")
def set_tag(ctx: Context, ask: SetRunTag) -> Done:
    """Set a tag of an active run; the tag `mlflow.runName` also renames it."""
    tag = rules.checked_tag(Tag(key=ask.key, value=ask.value), truncates=rules.limits_of(ctx.memory).truncates)
    run = active(ctx, ask.run_id)
    _set_tags(ctx, run, (tag,))
    return DONE


class DeleteRunTag(Ask[Done]):
    """Ask to remove a tag of a run."""

    run_id: RunId
    key: str


@operation("runs.delete_tag", needs="run:write", audit="measure")
def delete_tag(ctx: Context, ask: DeleteRunTag) -> Done:
    """Remove a tag of an active run."""
    run = active(ctx, ask.run_id)
    if not values.drop_tag(ctx, run[0], ask.key):
        raise NotFound(f"No tag with name: {ask.key} in run with id {ask.run_id}")
    return DONE


class LogBatch(Ask[Done]):
    """Ask to log metrics, parameters and tags together: all of it or nothing."""

    run_id: RunId
    metrics: tuple[LoggedMetric, ...] = ()
    params: tuple[Param, ...] = ()
    tags: tuple[Tag, ...] = ()


@operation("runs.log_batch", needs="run:write", audit="measure")
def log_batch(ctx: Context, ask: LogBatch) -> Done:
    """Log up to 1,000 metrics, parameters and tags of an active run: whole or absent."""
    points = rules.checked_points(ask.metrics)
    cuts = rules.limits_of(ctx.memory).truncates
    params = [rules.checked_param(param, f"params[{index}].", truncates=cuts) for index, param in enumerate(ask.params)]
    tags = [rules.checked_tag(tag, f"tags[{index}].", truncates=cuts) for index, tag in enumerate(ask.tags)]
    rules.check_batch_size(len(ask.metrics), len(params), len(tags))
    rules.check_distinct(params)
    rules.check_run_id(ask.run_id)
    run = active(ctx, ask.run_id)
    _add_params(ctx, run, ask.run_id, params)
    if points:
        values.add_points(ctx, run, points)
        model_points.keep(ctx, ask.run_id, ask.metrics)
    if tags:
        _set_tags(ctx, run, rules.last_wins(tags))
    return DONE


class LogHistory(Ask[Done]):
    """Ask to log many points of one metric, as columns of one length. A value of null is "not a number"."""

    run_id: RunId
    key: str
    timestamps_ms: tuple[int, ...]
    steps: tuple[int, ...]
    values: tuple[float | None, ...]


@operation("runs.log_history", needs="run:write", audit="measure")
def log_history(ctx: Context, ask: LogHistory) -> Done:
    """Log up to 10,000 points of one metric of an active run, in any order; those that are there stay as they are.

    The way in for whole histories, an import's above all: what is long is packed without ever being rows.
    """
    points = rules.checked_history(ask.key, ask.timestamps_ms, ask.steps, ask.values)
    run = active(ctx, ask.run_id)
    if points:
        values.add_points(ctx, run, {ask.key: points})
    return DONE


class LogInputs(Ask[Done]):
    """Ask to note the datasets and logged models that a run read."""

    run_id: RunId
    datasets: tuple[DatasetInput, ...] = ()
    model_ids: tuple[LoggedModelId, ...] = ()


@operation("runs.log_inputs", needs="run:write", audit="measure")
def log_inputs(ctx: Context, ask: LogInputs) -> Done:
    """Note what an active run read. What is known already stays as it is."""
    rules.check_run_id(ask.run_id)
    for given in ask.datasets:
        rules.check_dataset(given)
    run = active(ctx, ask.run_id)
    values.add_dataset_inputs(ctx.tx, run, ask.datasets, rules.CONTEXT_TAG)
    values.add_model_inputs(ctx.tx, run[0], ask.model_ids)
    return DONE


class LogOutputs(Ask[Done]):
    """Ask to note the logged models that a run made."""

    run_id: RunId
    models: tuple[ModelOutput, ...] = ()


@operation("runs.log_outputs", needs="run:write", audit="measure")
def log_outputs(ctx: Context, ask: LogOutputs) -> Done:
    """Note what an active run made; of the same model the last step counts."""
    run = active(ctx, ask.run_id)
    values.set_model_outputs(ctx.tx, run[0], ask.models)
    return DONE


class LogModelLegacy(Ask[Done]):
    """Ask to note a model in the way of MLflow 2: its description as JSON."""

    run_id: RunId
    model_json: str


@operation("runs.log_model_legacy", needs="run:write")
def log_model_legacy(ctx: Context, ask: LogModelLegacy) -> Done:
    """Append the description of a model to the run's tag `mlflow.log-model.history`."""
    described = _described_model(ask.model_json)
    run = active(ctx, ask.run_id)
    known = values.tag_value(ctx, run[0], MODEL_HISTORY_TAG)
    history = _history_of(known)
    history.append(described)
    values.set_tags(ctx, run, (Tag(key=MODEL_HISTORY_TAG, value=json.dumps(history)),))
    return DONE


def _history_of(known: str | None) -> list[Any]:
    try:
        return msgspec.json.decode(known, type=list[Any]) if known else []
    except (msgspec.DecodeError, RecursionError):
        raise Invalid(f"The run's tag '{MODEL_HISTORY_TAG}' holds no JSON list. Remove it, then log again.") from None


def _described_model(model_json: str) -> dict[str, Any]:
    try:
        model = msgspec.json.decode(model_json)
    except (msgspec.DecodeError, RecursionError):
        raise Invalid(f"Malformed model info. \n {model_json[:1000]} \n is not a valid JSON.") from None
    if not isinstance(model, dict):
        raise Invalid(f"Malformed model info. \n {model_json[:1000]} \n is not a JSON object.")
    missing = {name for name in MODEL_FIELDS if name not in model}
    if missing:
        raise Invalid(f"Model json is missing mandatory fields: {missing}")
    kept = {name: model[name] for name in KEPT_FIELDS if name in model}
    flavors = model["flavors"] if isinstance(model["flavors"], dict) else {}
    kept["flavors"] = {
        name: {key: value for key, value in (flavor.items() if isinstance(flavor, dict) else ()) if key != "config"}
        for name, flavor in flavors.items()
    }
    return kept


def _add_params(ctx: Context, run: tuple[int, int], run_id: str, params: list[Param]) -> None:
    conflicts = []
    for param in params:
        other = values.add_param(ctx, run, param)
        if other is not None:
            conflicts.append({"key": param.key, "old_value": other, "new_value": param.value})
    if conflicts:
        raise Invalid(
            f"Changing param values is not allowed. Params were already logged='{conflicts}' for run ID='{run_id}'."
        )


def _set_tags(ctx: Context, run: tuple[int, int], tags: tuple[Tag, ...]) -> None:
    values.set_tags(ctx, run, tags)
    for tag in tags:
        if tag.key == rules.RUN_NAME_TAG and tag.value:
            run_queries.rename(ctx.tx, run[0], tag.value)


OPERATIONS: tuple[AnyOperation, ...] = (
    log_metric,
    log_param,
    set_tag,
    delete_tag,
    log_batch,
    log_history,
    log_inputs,
    log_outputs,
    log_model_legacy,
)
