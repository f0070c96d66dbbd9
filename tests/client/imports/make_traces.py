"""Traces with assessments, evaluation datasets, scorers and webhooks, made by MLflow's own client, 2.22 or 3.x."""

from typing import Any

import mlflow
from mlflow import MlflowClient


def fill(uri: str, experiment: str, run_id: str) -> None:
    """Fill a store that has an experiment and a run."""
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    mlflow.set_experiment(experiment_id=experiment)
    traces = [_trace(number) for number in range(4)]
    mlflow.flush_trace_async_logging()
    client = MlflowClient(uri, uri)
    for trace_id in traces:
        client.set_trace_tag(trace_id, "team", "fraud")
    if mlflow.__version__.startswith("2."):  # its own stores keep neither assessments nor what follows
        return
    _assessments(traces)
    if uri.startswith("file:"):
        return
    client.link_traces_to_run(traces[:2], run_id)
    _evaluation(experiment)
    _webhooks(client)


def _trace(number: int) -> str:
    """One trace with two steps below its root."""
    with mlflow.start_span(f"answer {number}", span_type="AGENT") as root:
        root.set_inputs({"messages": [{"role": "user", "content": f"hëllo {number}"}], "n": 1.5})
        with mlflow.start_span(
            "retrieve", span_type="RETRIEVER", attributes={"k": 3, "deep": {"a": [1, None]}}
        ) as span:
            span.set_outputs([{"page_content": "text", "metadata": {"doc": "x"}}])
        with mlflow.start_span("model", span_type="CHAT_MODEL") as span:
            span.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12})
            span.set_outputs("fine")
            if number == 1:
                span.add_event(mlflow.entities.SpanEvent("looked", attributes={"at": "x"}))
        if number == 2:
            root.set_status("ERROR")
        root.set_outputs({"answer": ["yes", "no"][number % 2]})
        mlflow.update_current_trace(tags={"nr": str(number)})
    return str(getattr(root, "trace_id", None) or root.request_id)


def _assessments(traces: list[str]) -> None:
    from mlflow.entities import AssessmentError, AssessmentSource

    judge = AssessmentSource("LLM_JUDGE", "gpt")
    first = mlflow.log_feedback(
        trace_id=traces[0], name="relevant", value=True, source=judge, rationale="because", metadata={"a": "b"}
    )
    mlflow.log_feedback(trace_id=traces[0], name="score", value=0.25)
    mlflow.log_feedback(trace_id=traces[1], name="broken", error=AssessmentError("LIMIT", "too many", "a stack"))
    mlflow.log_expectation(trace_id=traces[1], name="answer", value={"facts": ["a", "b"]})
    mlflow.log_expectation(trace_id=traces[1], name="plain", value="yes")
    if hasattr(mlflow, "override_feedback"):
        mlflow.override_feedback(trace_id=traces[0], assessment_id=first.assessment_id, value=False)


def _evaluation(experiment: str) -> None:
    from mlflow.genai.datasets import create_dataset
    from mlflow.genai.judges import make_judge

    for number in range(2):
        data = create_dataset(f"asked {number}", experiment_id=[experiment, "0"], tags={"t": "1", "mlflow.user": "ana"})
        records: list[dict[str, Any]] = [
            {"inputs": {"q": f"what {each}?", "deep": {"n": [1, 2.5]}}, "expectations": {"answer": "é"}}
            for each in range(3)
        ]
        records[0]["tags"] = {"hard": "yes"}
        records[1]["outputs"] = "plain"
        data.merge_records(records)
    create_dataset("empty", experiment_id=experiment)
    for text in ("Is {{ outputs }} right?", "Is {{ outputs }} really right?"):
        make_judge("right", text, model="openai:/gpt-4").register(experiment_id=experiment)
    make_judge("kind", "Is {{ outputs }} kind?", model="openai:/gpt-4").register(experiment_id=experiment)


def _webhooks(client: MlflowClient) -> None:
    hook = client.create_webhook(
        "ci", "https://93.184.216.34/ci", ["model_version.created", "registered_model.created"], "tells", "hush"
    )
    client.create_webhook("open", "https://93.184.216.34/open", ["model_version_alias.created"], status="DISABLED")
    client.update_webhook(hook.webhook_id, description="tells all")
    gone = client.create_webhook("gone", "https://93.184.216.34/gone", ["model_version.created"])
    client.delete_webhook(gone.webhook_id)
