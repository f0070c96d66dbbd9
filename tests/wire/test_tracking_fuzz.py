"""Any body whatever gets an answer of ours: never a 5xx, never something that is not JSON."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airside.core.errors import AirsideError
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.server.mlflow.tracking import ROUTES
from airside.server.mlflow.wire import WireRequest, WireRoute, error_answer
from airside.tracking.operations.runs import CreateRun

FIELDS = (
    "run_id",
    "runId",
    "experiment_id",
    "experiment_ids",
    "name",
    "new_name",
    "key",
    "value",
    "timestamp",
    "step",
    "metrics",
    "params",
    "tags",
    "filter",
    "order_by",
    "page_token",
    "max_results",
    "run_view_type",
    "view_type",
    "status",
    "end_time",
    "datasets",
    "models",
    "model_json",
    "metric_key",
    "run_ids",
    "start_step",
    "end_step",
    "artifact_location",
)
odd = st.sampled_from(
    [
        "",
        "0",
        "RUN",
        "\x00",
        "\ud800",
        "a\x00b",
        "é" * 300,
        "metrics.a > 1",
        "tags.`x` LIKE '%'",
        "start_time",
        "1e400",
        "NaN",
    ]
)
numbers = st.sampled_from([0, 1, -1, 2**63, -(2**63), 2**63 - 1, 1e308, 1.5, 50_000, 10**30])
leaves = odd | numbers | st.none() | st.booleans() | st.text(max_size=5)
pairs = st.fixed_dictionaries({}, optional=dict.fromkeys(("key", "value", "timestamp", "step", "model_id"), leaves))
values = leaves | st.lists(leaves | pairs, max_size=3) | pairs


@pytest.fixture
def sent_to(platform: Platform) -> tuple[Platform, str]:
    return platform, platform.call(LOCAL, CreateRun()).info.run_id


def answered(platform: Platform, route: WireRoute, fields: dict[str, Any]) -> tuple[int, bytes]:
    query = {
        name: [str(item) for item in value] if isinstance(value, list) else [str(value)]
        for name, value in fields.items()
    }
    request = WireRequest(
        method=route.method,
        query=query if route.method == "GET" else {},
        body=b"" if route.method == "GET" else json.dumps(fields).encode(),
        headers={b"content-type": b"application/json"},
    )
    try:
        body = route.encode(platform.call(LOCAL, route.decode(request)))
        return 200, body if isinstance(body, bytes) else b"".join(body)
    except AirsideError as error:
        return error_answer(error)


@given(data=st.data())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_makes_the_server_fail(sent_to: tuple[Platform, str], data: st.DataObject) -> None:
    platform, run_id = sent_to
    fields = data.draw(st.dictionaries(st.sampled_from(FIELDS), values, max_size=8))
    if data.draw(st.booleans()):
        fields["run_id"] = run_id
        fields.setdefault("experiment_id", "0")
    for route in ROUTES:
        status, body = answered(platform, route, fields)
        assert status in {200, 400, 404, 409} or b"INVALID_STATE" in body, (route.path, body)
        assert isinstance(json.loads(body), dict)


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "x" * 100_000])
def test_texts_that_are_none_and_texts_that_are_endless_are_refused_or_stored(
    sent_to: tuple[Platform, str], text: str
) -> None:
    platform, run_id = sent_to
    whole = {"run_id": run_id, "key": "k", "value": "1", "timestamp": 1, "experiment_id": "0", "max_results": 5}
    for route in ROUTES:
        for field in FIELDS:
            status, body = answered(platform, route, {**whole, field: text})
            assert status in {200, 400, 404, 409} or b"INVALID_STATE" in body, (route.path, field, body)
            assert isinstance(json.loads(body), dict)
