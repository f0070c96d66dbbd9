"""Pipelines for people: register one from a file, start it, wait for it, let events start it, run it right here.

client = airside.connect("http://127.0.0.1:5000")
register_pipeline(client, "project/pipeline.py:training")
run = wait(client, start_run(client, "training", parameters={"dataset": "people"}).id)
"""

import inspect
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from airside.client.transport import Client
from airside.core.errors import DeadlineExceeded
from airside.core.ids import BlobId, DatasetName, ModelName, MonitorName, PipelineName, PipelineRunId
from airside.pipelines.define import PipelineFunction
from airside.pipelines.embedded import drive
from airside.pipelines.operations.pipelines import RegisterPipeline
from airside.pipelines.operations.runs import EmbedRun, GetRun, StartRun
from airside.pipelines.operations.steps import ListSteps
from airside.pipelines.operations.triggers import CreateTrigger
from airside.pipelines.project import load_pipeline, pack, pack_file
from airside.pipelines.records import Pipeline, PipelineRun, StepRun, Trigger, TriggerKind
from airside.pipelines.rules import RUN_ENDS
from airside.tracking.capture.code import taken_of_repository
from airside.tracking.capture.kinds import chosen
from airside.tracking.capture.records import CodeState

_POLL_S = (0.05, 0.5)


def register_pipeline(client: Client, entry: str, *, root: Path | None = None) -> Pipeline:
    """Register the pipeline `path/to/file.py:name` with its project's files.

    Args:
        client: whom to tell.
        entry: the file and the name of the pipeline function.
        root: the project's root, whose files a run gets; the file's folder when it is not given.

    Raises:
        Invalid: no such pipeline, its graph cannot be drawn, or the project is too large.
    """
    function, base = load_pipeline(entry, root)
    return _register(client, function, client.put_blob(pack(base)), _code_state(client, base))


def _code_state(client: Client, base: Path) -> CodeState | None:
    """Where the repository of the project stands; None without one, and when it is not wanted."""
    found = taken_of_repository(base) if "code" in chosen(None) else None
    if found is None:
        return None
    if found.content and not client.has_blob(found.blob):
        client.put_blob(found.content)
    return found.fact


def _register(
    client: Client, function: PipelineFunction[..., Any], code: BlobId, made_with: CodeState | None = None
) -> Pipeline:
    drawn = function.draw()
    return client.call(
        RegisterPipeline(
            name=drawn.name,
            entry=drawn.entry,
            code=code,
            graph=drawn.graph,
            parameters=drawn.parameters,
            description=drawn.description,
            made_with=made_with,
        )
    )


def start_run(
    client: Client, pipeline: str, *, parameters: Mapping[str, Any] | None = None, version: int = 0, text: str = ""
) -> PipelineRun:
    """Put a run of a registered pipeline in the queue.

    Raises:
        NotFound: no such pipeline. Invalid: a parameter is missing, unknown, or not of its type.
    """
    ask = StartRun(pipeline=PipelineName(pipeline), version=version, parameters=dict(parameters or {}), text=text)
    return client.call(ask)


class Progress(NamedTuple):
    """How far a run is: for `wait`'s `on_progress`."""

    run: PipelineRun
    steps: tuple[StepRun, ...]


def wait(
    client: Client,
    run_id: PipelineRunId,
    *,
    timeout_s: float = 600.0,
    on_progress: Callable[[Progress], None] | None = None,
) -> PipelineRun:
    """Wait until a run has ended, however it did: look at `state` and `error`.

    Args:
        client: whom to ask.
        run_id: the run.
        timeout_s: how long at most.
        on_progress: called with the run and its steps whenever one of them has changed.

    Raises:
        DeadlineExceeded: it goes on after `timeout_s`. NotFound: there is no such run.
    """
    until, pause = time.monotonic() + timeout_s, _POLL_S[0]
    seen: Progress | None = None
    while True:
        run = client.call(GetRun(run_id=run_id))
        if on_progress is not None:
            now = Progress(run, client.call(ListSteps(run_id=run_id)).items)
            if now != seen:
                on_progress(now)
                seen, pause = now, _POLL_S[0]
        if run.state in RUN_ENDS:
            return run
        if time.monotonic() > until:
            raise DeadlineExceeded(
                f"The pipeline run '{run_id}' is still {run.state} after {timeout_s:.0f} s. Is a runner there? "
                "Start one with: airside worker"
            )
        time.sleep(pause)
        pause = min(pause * 1.5, _POLL_S[1])


def create_trigger(  # noqa: PLR0913 -- the fields of a trigger
    client: Client,
    name: str,
    *,
    pipeline: str,
    on: TriggerKind,
    monitor: str = "",
    dataset: str = "",
    model: str = "",
    cron: str = "",
    time_zone: str = "UTC",
    wait_for_dataset: str = "",
    parameters: Mapping[str, Any] | None = None,
) -> Trigger:
    """Let something start a pipeline without anybody typing. The arguments are the fields of `Trigger`.

    Raises:
        NotFound: no such pipeline. AlreadyExists: a trigger of that name. Invalid: it would not work.
    """
    return client.call(
        CreateTrigger(
            name=name,
            pipeline=PipelineName(pipeline),
            on=on,
            monitor=MonitorName(monitor),
            dataset=DatasetName(dataset),
            model=ModelName(model),
            cron=cron,
            time_zone=time_zone,
            wait_for_dataset=DatasetName(wait_for_dataset),
            parameters=dict(parameters or {}),
        )
    )


def run_inline(client: Client, pipeline: PipelineFunction[..., Any], **parameters: Any) -> PipelineRun:
    """Run a pipeline function in this process: for notebooks and tests. Cached and recorded as any other run.

    The functions run as they are in this process, even if they are not in a file.

    Returns:
        The ended run: look at `state`, `error` and `result`.
    """
    file = Path(inspect.getsourcefile(pipeline.function) or "")
    registered = _register(client, pipeline, client.put_blob(pack_file(file)))
    ask = EmbedRun(pipeline=registered.name, parameters=parameters, worker=f"inline:{os.getpid()}")
    root = file.parent if file.is_file() else Path.cwd()
    return drive(client, client.call(ask), pipeline.functions(), root)
