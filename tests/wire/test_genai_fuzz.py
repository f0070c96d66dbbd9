"""Any body whatever sent to a GenAI call gets an answer of ours: never a 5xx, never something that is not JSON."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airside.core.errors import AirsideError
from airside.core.ids import ExperimentId
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.server.mlflow.calls import GENAI
from airside.server.mlflow.traces import REPEATED, WAITED
from airside.server.mlflow.wire import WireRequest, WireRoute, error_answer
from airside.tracking.evaluation.operations.datasets import CreateEvaluationDataset
from airside.tracking.traces.operations.writing import LogSpans
from airside.tracking.traces.records import Span

ROUTES: tuple[WireRoute, ...] = (*GENAI, WAITED, *REPEATED)
TRACE = "tr-" + "1" * 32
HERE = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
INFO = {"trace_id": TRACE, "trace_location": HERE, "request_time": "2024-01-01T00:00:00Z", "state": "OK"}
WHOLE: dict[str, Any] = {
    "trace": {"trace_info": INFO},
    "trace_id": TRACE,
    "trace_ids": [TRACE],
    "experiment_id": "0",
    "experiment_ids": ["0"],
    "locations": [HERE],
    "filter": "status = 'OK'",
    "filter_string": "name = 'a'",
    "order_by": ["timestamp_ms"],
    "max_results": 5,
    "page_token": "",
    "key": "k",
    "value": "v",
    "run_id": "r",
    "prompt_versions": [{"name": "p", "version": "1"}],
    "assessment": {"assessment_name": "a", "source": {"source_type": "HUMAN"}, "feedback": {"value": 1}},
    "update_mask": "feedback",
    "max_timestamp_millis": 1,
    "max_traces": 1,
    "timestamp_ms": 5,
    "status": "OK",
    "request_metadata": [{"key": "a", "value": "b"}],
    "name": "n",
    "records": '[{"inputs": {"a": 1}}]',
    "dataset_record_ids": ["dr-0"],
    "serialized_scorer": "{}",
    "version": 1,
    "allow_partial": "true",
}
FILTERS = (
    "tags.a RLIKE '('", "span.attributes.a = 'x'", "feedback.a > 1e400", "name IN ()", "tags.`\x00` = 'x'",
    "expectation.a = '\ud800'", "text ILIKE '%%%'", "run_id = 'r'", "end_time < 1e308",
    "span.content LIKE '" + "%" * 900,
)  # fmt: skip
odd = st.sampled_from(
    ["", "0", "x", "\x00", "\ud800", "é" * 300, "[]", "{}", "null", "[1]", '{"a": NaN}', "1e400", *FILTERS]
)
numbers = st.sampled_from([0, 1, -1, 2**63, -(2**63), 2**63 - 1, 1e308, 1.5, 501, 10**30, float("nan")])
leaves = odd | numbers | st.none() | st.booleans() | st.text(max_size=5)
inner = st.lists(leaves, max_size=2) | st.dictionaries(
    st.sampled_from(["a", "key", "value", "name"]), leaves, max_size=2
)
values = leaves | inner


@pytest.fixture
def asked(platform: Platform) -> tuple[Platform, dict[str, str]]:
    span = Span(trace_id="1" * 32, span_id="1" * 16, name="s", start_ns=1)
    platform.call(LOCAL, LogSpans(experiment_id=ExperimentId("0"), spans=(span,)))
    dataset = platform.call(LOCAL, CreateEvaluationDataset(name="d"))
    return platform, {"trace_id": TRACE, "assessment_id": "a-0", "dataset_id": dataset.dataset_id, "key": "k"}


def answered(platform: Platform, route: WireRoute, fields: dict[str, Any], names: dict[str, str]) -> tuple[int, bytes]:
    is_read = route.method == "GET"
    query = {
        name: [str(item) for item in value] if isinstance(value, list) else [str(value)]
        for name, value in fields.items()
    }
    request = WireRequest(
        method=route.method,
        query=query if is_read else {},
        body=b"" if is_read else json.dumps(fields).encode(),
        headers={b"content-type": b"application/json"},
        path_args=names,
    )
    try:
        body = route.encode(platform.call(LOCAL, route.decode(request)))
        return 200, body if isinstance(body, bytes) else b"".join(body)
    except AirsideError as error:
        return error_answer(error)


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_makes_the_server_fail(asked: tuple[Platform, dict[str, str]], data: st.DataObject) -> None:
    platform, names = asked
    fields = {**WHOLE, **data.draw(st.dictionaries(st.sampled_from(sorted(WHOLE)), values, max_size=4))}
    for name in data.draw(st.lists(st.sampled_from(sorted(WHOLE)), max_size=2)):
        fields.pop(name, None)
    for route in ROUTES:
        status, body = answered(platform, route, fields, names)
        assert status in {200, 400, 404, 409, 413}, (route.path, fields, body)
        assert isinstance(json.loads(body), dict)


@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_part_of_a_trace_or_assessment_makes_the_server_fail(
    asked: tuple[Platform, dict[str, str]], data: st.DataObject
) -> None:
    platform, names = asked
    info = {**INFO, **data.draw(st.dictionaries(st.sampled_from(INFO_PARTS), values, max_size=3))}
    assessment = {**WHOLE["assessment"], **data.draw(st.dictionaries(st.sampled_from(PARTS), values, max_size=3))}
    mask = ",".join(data.draw(st.lists(st.sampled_from(PARTS), min_size=1, max_size=3)))
    whole = {**info, "assessments": [assessment]} if data.draw(st.booleans()) else info
    fields = {**WHOLE, "trace": {"trace_info": whole}, "assessment": assessment, "update_mask": mask}
    for route in ROUTES:
        status, body = answered(platform, route, fields, names)
        assert status in {200, 400, 404, 409, 413}, (route.path, fields, body)
        assert isinstance(json.loads(body), dict)


INFO_PARTS = (
    "trace_id", "client_request_id", "trace_location", "request_preview", "response_preview", "request_time",
    "execution_duration", "state", "trace_metadata", "tags", "assessments",
)  # fmt: skip
PARTS = (
    "assessment_id", "assessment_name", "span_id", "source", "create_time", "last_update_time", "feedback",
    "expectation", "issue", "rationale", "metadata", "overrides", "valid",
)  # fmt: skip
