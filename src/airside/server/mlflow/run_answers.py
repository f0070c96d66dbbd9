"""Runs as MLflow's JSON. What was encoded once stays with the run: a page of a search is a concatenation."""

from typing import Any

from airside.server.message import Pieces
from airside.server.mlflow.wire import key_values, number, present, write
from airside.tracking.records import DatasetInput, Metric, Run, RunInfo, RunMetric, RunPage


def info_of(info: RunInfo) -> dict[str, Any]:
    """The head of a run as MLflow's `RunInfo`."""
    return present(
        run_id=info.run_id,
        run_uuid=info.run_id,
        run_name=info.name,
        experiment_id=info.experiment_id,
        user_id=info.user_id,
        status=info.status,
        start_time=info.start_time_ms,
        end_time=info.end_time_ms,
        artifact_uri=info.artifact_uri,
        lifecycle_stage=info.lifecycle_stage,
    )


def metric_of(metric: Metric | RunMetric) -> dict[str, Any]:
    """A point as MLflow's `Metric`."""
    return {
        "key": metric.key,
        "value": number(metric.value),
        "timestamp": metric.timestamp_ms,
        "step": metric.step,
    }


def run_of(run: Run) -> dict[str, Any]:
    """A run as MLflow's `Run`, without its model inputs."""
    return {
        "info": info_of(run.info),
        "data": _data_of(run),
        "inputs": present(dataset_inputs=[_input_of(given) for given in run.dataset_inputs]),
        "outputs": present(
            model_outputs=[{"model_id": output.model_id, "step": output.step} for output in run.model_outputs]
        ),
    }


def _data_of(run: Run) -> dict[str, Any]:
    return present(
        metrics=[metric_of(metric) for metric in run.metrics],
        params=key_values(run.params),
        tags=key_values(run.tags),
    )


def _input_of(given: DatasetInput) -> dict[str, Any]:
    data = given.dataset
    return present(
        tags=key_values(given.tags),
        dataset=present(
            name=data.name,
            digest=data.digest,
            source_type=data.source_type,
            source=data.source,
            schema=data.schema,
            profile=data.profile,
        ),
    )


def encoded(run: Run) -> bytes:
    """The JSON of a run. It is made once, and stays with the record as long as that is kept."""
    held: bytes | None = run.__dict__.get("mlflow")
    if held is None:
        held = run.__dict__["mlflow"] = write(run_of(run))
    return held


def created(run: Run) -> bytes:
    """The answer of `runs/create`: info, data and empty inputs, no outputs."""
    return write({"run": {"info": info_of(run.info), "data": _data_of(run), "inputs": {}}})


def got(run: Run) -> bytes:
    """The answer of `runs/get`: the only one with model inputs."""
    if run.model_inputs:
        whole = run_of(run)
        whole["inputs"]["model_inputs"] = [{"model_id": model_id} for model_id in run.model_inputs]
        return write({"run": whole})
    return b'{"run":' + encoded(run) + b"}"


def updated(info: RunInfo) -> bytes:
    """The answer of `runs/update`."""
    return write({"run_info": info_of(info)})


def searched(page: RunPage) -> Pieces:
    """The answer of `runs/search`: encoded runs, which are not copied before they are sent."""
    if not page.items:
        return (b"{}",)
    runs = [piece for run in page.items for piece in (b",", encoded(run))]
    end = b'],"next_page_token":' + write(page.next_page_token) + b"}" if page.next_page_token else b"]}"
    return (b'{"runs":[', *runs[1:], end)
