"""A pipeline run is a tracked run too, in the experiment of the pipeline's name."""

from collections.abc import Mapping
from typing import Any

import msgspec

from airside.core.errors import AirsideError, NotFound
from airside.core.ids import ExperimentId, PipelineRunId, RunId
from airside.core.operation import Context
from airside.pipelines.records import Cause, Pipeline, PipelineRun
from airside.tracking.operations.experiments import (
    CreateExperiment,
    GetExperimentByName,
    RestoreExperiment,
    create_experiment,
    get_experiment_by_name,
    restore_experiment,
)
from airside.tracking.operations.logging import LogBatch, log_batch
from airside.tracking.operations.runs import CreateRun, UpdateRun, create_run, update_run
from airside.tracking.records import Param, RunStatus, Tag

RUN_TAG = "airside.pipelineRun"
PARAM_LENGTH = 6000

_STATUS: dict[str, RunStatus] = {"succeeded": "FINISHED", "failed": "FAILED", "cancelled": "KILLED"}


def begin(
    ctx: Context, pipeline: Pipeline, run_id: PipelineRunId, parameters: Mapping[str, Any], cause: Cause
) -> RunId:
    """Make the tracked run, with the parameters and what it is a run of."""
    tags = {
        RUN_TAG: run_id,
        "airside.pipeline": f"{pipeline.name}@{pipeline.version}",
        "mlflow.source.name": pipeline.entry,
        "mlflow.source.type": "PROJECT",
        "airside.cause": cause.kind,
        "airside.trigger": cause.trigger,
        "airside.event": cause.event,
    }
    run = create_run(
        ctx,
        CreateRun(
            experiment_id=_experiment(ctx, pipeline.name),
            user_id=ctx.actor.name,
            start_time_ms=ctx.now_ms(),
            tags=tuple(Tag(key=key, value=value) for key, value in tags.items() if value),
        ),
    )
    if parameters:
        params = tuple(Param(key=name, value=_text(value)) for name, value in parameters.items())
        log_batch(ctx, LogBatch(run_id=run.info.run_id, params=params))
    return run.info.run_id


def end(ctx: Context, run: PipelineRun) -> None:
    """End the tracked run as the pipeline run ended. One that a person has deleted is left alone."""
    try:
        update_run(ctx, UpdateRun(run_id=run.tracking_run, status=_STATUS[run.state], end_time_ms=ctx.now_ms()))
    except AirsideError:
        return


def _experiment(ctx: Context, name: str) -> ExperimentId:
    try:
        found = get_experiment_by_name(ctx, GetExperimentByName(name=name))
    except NotFound:
        return create_experiment(ctx, CreateExperiment(name=name)).experiment_id
    if found.lifecycle_stage == "deleted":
        restore_experiment(ctx, RestoreExperiment(experiment_id=found.experiment_id))
    return found.experiment_id


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text[:PARAM_LENGTH]
