"""Traces, assessments, evaluation datasets and scorers: what an application's maker does with the client."""

# mypy: disable-error-code="untyped-decorator"

import contextlib
import sys
import time
from typing import Any

import mlflow
from mlflow.entities import AssessmentSource, Feedback, SpanEvent
from mlflow.genai.datasets import create_dataset, delete_dataset, get_dataset, search_datasets
from mlflow.genai.scorers import Guidelines, delete_scorer, get_scorer, list_scorers, scorer

mlflow.set_tracking_uri(sys.argv[1])
EXPERIMENT = mlflow.set_experiment("traces").experiment_id
ANN = AssessmentSource("HUMAN", "ann")


@mlflow.trace(span_type="RETRIEVER")
def retrieve(q: str) -> list[str]:
    with mlflow.start_span("inner", span_type="TOOL") as span:
        span.set_inputs({"q": q})
        span.set_attribute("k", [1, 2.5, "x", None, {"a": True}])
        span.add_event(SpanEvent("found", attributes={"n": 2}))
        span.set_outputs(["d1"])
    return ["d1"]


@mlflow.trace(name="chain")
def chain(q: str) -> dict[str, Any]:
    mlflow.update_current_trace(
        tags={"team": "core"}, metadata={"mlflow.trace.session": "s1"}, client_request_id=f"c-{q}"
    )
    return {"answer": q.upper(), "docs": retrieve(q)}


@mlflow.trace
def broken() -> None:
    raise ValueError("boom")


def found(text: str = "", **more: Any) -> list[str | None]:
    traces = mlflow.search_traces(experiment_ids=[EXPERIMENT], filter_string=text, return_type="list", **more)
    return [trace.info.tags.get("mlflow.traceName") for trace in traces]


def traced() -> str:
    chain("hi")
    trace_id = mlflow.get_last_active_trace_id()
    with contextlib.suppress(ValueError):
        broken()
    mlflow.flush_trace_async_logging()
    trace = mlflow.get_trace(trace_id)
    assert [(span.name, span.span_type, span.parent_id is None) for span in trace.data.spans] == [
        ("chain", "UNKNOWN", True),
        ("retrieve", "RETRIEVER", False),
        ("inner", "TOOL", False),
    ]
    inner = trace.data.spans[2]
    assert (inner.inputs, inner.outputs, inner.attributes["k"]) == (
        {"q": "hi"},
        ["d1"],
        [1, 2.5, "x", None, {"a": True}],
    )
    assert [(event.name, dict(event.attributes)) for event in inner.events] == [("found", {"n": 2})]
    assert (str(trace.info.state), trace.info.client_request_id) == ("OK", "c-hi")
    assert trace.info.response_preview == '{"answer": "HI", "docs": ["d1"]}'
    return str(trace_id)


def searched() -> None:
    assert sorted(map(str, found())) == ["broken", "chain"]
    assert found("status = 'ERROR'") == found("span.content LIKE '%boom%'") == ["broken"]
    for text in ("tags.team = 'core'", "trace.name = 'chain'", "span.type = 'TOOL'", "client_request_id = 'c-hi'"):
        assert found(text) == ["chain"], text
    assert found("metadata.`mlflow.trace.session` = 's1' AND span.attributes.k LIKE '%2.5%'") == ["chain"]
    assert {"trace_id", "spans", "assessments"} <= set(mlflow.search_traces(experiment_ids=[EXPERIMENT]).columns)


def assessed(trace_id: str) -> None:
    one = mlflow.log_feedback(trace_id=trace_id, name="good", value=True, rationale="r", source=ANN)
    mlflow.log_expectation(trace_id=trace_id, name="answer", value={"x": [1, 2]}, source=ANN)
    mlflow.log_feedback(trace_id=trace_id, name="failed", error=ValueError("no"))
    changed = mlflow.update_assessment(
        trace_id=trace_id, assessment_id=one.assessment_id, assessment=Feedback(name="good", value=False)
    )
    assert (changed.value, changed.rationale) == (False, "r")
    other = mlflow.override_feedback(trace_id=trace_id, assessment_id=one.assessment_id, value=0.5, source=ANN)
    assert mlflow.get_assessment(trace_id, one.assessment_id).valid is False
    assert found("feedback.good > 0.4") == ["chain"]
    assert found("feedback.good = 'false'") == []
    mlflow.delete_assessment(trace_id=trace_id, assessment_id=other.assessment_id)
    assert mlflow.get_assessment(trace_id, one.assessment_id).valid is True
    names = [assessment.name for assessment in mlflow.get_trace(trace_id).info.assessments]
    assert names == ["good", "answer", "failed"]


def linked(trace_id: str) -> None:
    client = mlflow.MlflowClient()
    with mlflow.start_run() as run:
        chain("run")
    mlflow.flush_trace_async_logging()
    assert len(found(run_id=run.info.run_id)) == 1
    client.link_traces_to_run([trace_id], run.info.run_id)
    assert len(found(run_id=run.info.run_id)) == 2
    prompt = mlflow.genai.register_prompt(name="greet", template="Hello {{name}}")
    client.link_prompt_versions_to_trace([prompt], trace_id)
    assert found("prompt = 'greet/1'") == ["chain"]
    client.set_trace_tag(trace_id, "colour", "red")
    assert found("tags.colour = 'red'") == ["chain"]
    client.delete_trace_tag(trace_id, "colour")
    assert found("tags.colour = 'red'") == []


def evaluated() -> None:
    data = [
        {"inputs": {"q": "a"}, "expectations": {"expected_response": "A"}},
        {"inputs": {"q": "b"}, "expectations": {"expected_response": "x"}},
    ]
    dataset = create_dataset(name="set", experiment_id=[EXPERIMENT])
    dataset.merge_records(data)
    dataset.merge_records([{"inputs": {"q": "a"}, "expectations": {"more": 1}}])
    kept = get_dataset(dataset_id=dataset.dataset_id)
    assert [each.name for each in search_datasets(experiment_ids=[EXPERIMENT], filter_string="name = 'set'")] == ["set"]
    assert sorted(map(str, kept.to_df()["expectations"])) == [
        "{'expected_response': 'A', 'more': 1}",
        "{'expected_response': 'x'}",
    ]
    result = mlflow.genai.evaluate(data=kept, predict_fn=shout, scorers=[exact])
    assert result.metrics["exact/mean"] == 0.5
    assert len(mlflow.search_traces(run_id=result.run_id, return_type="list")) == 2
    delete_dataset(dataset_id=dataset.dataset_id)


@mlflow.trace
def shout(q: str) -> str:
    return q.upper()


@scorer
def exact(outputs: str, expectations: dict[str, Any]) -> bool:
    return bool(outputs == expectations["expected_response"])


def scored() -> None:
    for words in ("be polite", "be very polite"):
        Guidelines(name="polite", guidelines=words).register(name="polite", experiment_id=EXPERIMENT)
    assert [each.name for each in list_scorers(experiment_id=EXPERIMENT)] == ["polite"]
    assert get_scorer(name="polite", experiment_id=EXPERIMENT).guidelines == "be very polite"
    assert get_scorer(name="polite", experiment_id=EXPERIMENT, version=1).guidelines == "be polite"
    delete_scorer(name="polite", experiment_id=EXPERIMENT, version="all")
    assert list_scorers(experiment_id=EXPERIMENT) == []


def deleted(trace_id: str) -> None:
    client = mlflow.MlflowClient()
    assert client.delete_traces(experiment_id=EXPERIMENT, trace_ids=[trace_id]) == 1
    until = int(time.time() * 1000) + 60_000
    left = len(found())
    assert client.delete_traces(experiment_id=EXPERIMENT, max_timestamp_millis=until) == left
    assert found() == []


if __name__ == "__main__":
    first = traced()
    searched()
    assessed(first)
    linked(first)
    evaluated()
    scored()
    deleted(first)
