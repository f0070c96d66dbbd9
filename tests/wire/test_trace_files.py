"""The file of a trace, as pages of MLflow's fetch it, against a real server process."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from tests.conftest import RunningServer

TRACE = f"{7:032x}"
SPAN = {
    "traceId": TRACE,
    "spanId": f"{1:016x}",
    "name": "answer",
    "kind": 1,
    "startTimeUnixNano": "1700000000000000000",
    "endTimeUnixNano": "1700000000500000000",
    "attributes": [
        {"key": "fruit", "value": {"stringValue": "öpple"}},
        {"key": "n", "value": {"intValue": "3"}},
    ],
    "events": [{"name": "seen", "timeUnixNano": "99", "attributes": [{"key": "a", "value": {"stringValue": "b"}}]}],
    "links": [{"traceId": f"{8:032x}", "spanId": f"{2:016x}"}],
    "status": {"code": 1},
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    server = RunningServer(tmp_path_factory.mktemp("trace-files") / "home")
    spans = {"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]}
    headers = {"Content-Type": "application/json", "x-mlflow-experiment-id": "0"}
    answer = ask(server, "POST", "/v1/traces", body=json.dumps(spans).encode(), headers=headers)
    assert answer.status == 200, answer.data
    yield server
    server.stop()


def ask(server: RunningServer, method: str, path: str, **sent: Any) -> urllib3.BaseHTTPResponse:
    with urllib3.PoolManager(retries=False) as pool:
        return pool.request(method, server.url + path, **sent)


def file_of(server: RunningServer, major: int = 2, **sent: str) -> urllib3.BaseHTTPResponse:
    return ask(server, "GET", f"/ajax-api/{major}.0/mlflow/get-trace-artifact", fields=sent)


@pytest.mark.parametrize("major", [2, 3])
def test_the_spans_come_as_a_file(running: RunningServer, major: int) -> None:
    answer = file_of(running, major, request_id=f"tr-{TRACE}")
    assert answer.headers["content-disposition"] == "attachment; filename=traces.json"
    (span,) = answer.json()["spans"]
    attributes = span.pop("attributes")
    assert (attributes["fruit"], attributes["n"]) == ('"öpple"', "3")
    assert span == {
        "trace_id": "AAAAAAAAAAAAAAAAAAAABw==",
        "span_id": "AAAAAAAAAAE=",
        "parent_span_id": None,
        "name": "answer",
        "start_time_unix_nano": 1_700_000_000_000_000_000,
        "end_time_unix_nano": 1_700_000_000_500_000_000,
        "events": [{"name": "seen", "time_unix_nano": 99, "attributes": {"a": "b"}}],
        "status": {"code": "STATUS_CODE_OK", "message": ""},
        "links": [{"trace_id": f"tr-{8:032x}", "span_id": f"{2:016x}", "attributes": {}}],
    }


def test_what_was_attached_comes_as_it_is(running: RunningServer) -> None:
    place = f"/api/2.0/mlflow-artifacts/artifacts/0/traces/tr-{TRACE}/artifacts/attachments/a.png"
    assert ask(running, "PUT", place, body=b"png").status == 200
    answer = file_of(running, request_id=f"tr-{TRACE}", path="a.png")
    assert (answer.data, answer.headers["content-type"]) == (b"png", "image/png")


@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        ({}, 400, 'Request must include the "request_id" query parameter.'),
        ({"request_id": "tr-0"}, 404, "Trace with ID tr-0 is not found."),
        ({"request_id": f"tr-{TRACE}", "path": "../traces.json"}, 400, "Invalid path"),
        ({"request_id": f"tr-{TRACE}", "path": "b.png"}, 404, "No such artifact"),
    ],
)
def test_a_file_that_is_not_there_is_told(
    running: RunningServer, sent: dict[str, str], status: int, message: str
) -> None:
    answer = file_of(running, **sent)
    assert (answer.status, message in answer.json()["message"]) == (status, True), answer.data
