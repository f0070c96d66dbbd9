"""GenAI calls on MLflow's wire: each answer beside the one that MLflow 3.17.2 gave to the same request."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import RunningServer
from tests.wire.genai.record import RECORDED
from tests.wire.genai.walk import Walk

SETS = ("Valid keys are", "Valid values are", "not one of")
"""MLflow prints sets in any order, and so nobody can match these texts whole."""
TOLD = ("error_class", "sqlstate")

DIFFERENT: dict[str, tuple[int, str]] = {
    # the answer is whole, not the state before
    "start it again": (200, ""),
    "get it with spans before there are any": (200, ""),
    "its spans": (200, ""),
    # spans keep their kind and links; bytes are base64; an open trace has no duration
    "get it with spans": (200, ""),
    "get the new one with spans": (200, ""),
    "get the open one": (200, ""),
    "get several": (200, ""),
    "get several infos": (200, ""),
    "search all": (200, ""),
    "search execution_time_ms < 1500": (200, ""),
    # errors of OTLP are told in MLflow's JSON, success in the encoding of the request
    "send spans": (200, ""),
    "send spans of a new trace": (200, ""),
    "send an open span": (200, ""),
    "send no spans": (400, "INVALID_PARAMETER_VALUE"),
    "send a span without an id": (422, "INVALID_PARAMETER_VALUE"),
    # no SQL and no failures of the server's for what a client asks
    "set a tag of an unknown trace": (404, "RESOURCE_DOES_NOT_EXIST"),
    "the same id again": (400, "RESOURCE_ALREADY_EXISTS"),
    "search a strange experiment": (400, "INVALID_PARAMETER_VALUE"),
    "order by ['status', 'status']": (400, "INVALID_PARAMETER_VALUE"),
    "order by ['timestamp', 'timestamp_ms']": (400, "INVALID_PARAMETER_VALUE"),
    "order by ['end_time']": (200, ""),
    "add broken records": (400, "INVALID_PARAMETER_VALUE"),
    "add to an unknown one": (404, "RESOURCE_DOES_NOT_EXIST"),
    "records of an unknown one": (404, "RESOURCE_DOES_NOT_EXIST"),
    # records in the order in which they came, not in any
    "the records": (200, ""),
    "the first records": (200, ""),
    # conditions that MLflow documents and does not understand
    "search name IN ('renamed', 'x')": (200, ""),
    "search run_id IN ('{run}')": (200, ""),
    "search text LIKE '%boom%'": (200, ""),
    "search span.type = 'LLM'": (200, ""),
    "search span.type = 'CHAT_MODEL'": (200, ""),
    "search span.attributes.whole = '7'": (200, ""),
    "search issue.name = 'x'": (400, "INVALID_PARAMETER_VALUE"),
    "search timestamp_ms = '1'": (400, "INVALID_PARAMETER_VALUE"),
    # the same refusal in other words
    "search issue.id != 'iss-1'": (400, "INVALID_PARAMETER_VALUE"),
    "search issue.id LIKE 'x'": (400, "INVALID_PARAMETER_VALUE"),
    "search timestamp_ms LIKE '1'": (400, "INVALID_PARAMETER_VALUE"),
    "search tags.team IN ('core')": (400, "INVALID_PARAMETER_VALUE"),
    "search span.attributes. = 'x'": (400, "INVALID_PARAMETER_VALUE"),
    "search feedback.good IN ('a')": (400, "INVALID_PARAMETER_VALUE"),
    "search metadata.user IN ('v')": (400, "INVALID_PARAMETER_VALUE"),
    "search text = 'boom'": (400, "INVALID_PARAMETER_VALUE"),
    "search end_time IN ('1')": (400, "INVALID_PARAMETER_VALUE"),
    "order by ['timestamp UP']": (400, "INVALID_PARAMETER_VALUE"),
    "order by ['feedback.good']": (400, "INVALID_PARAMETER_VALUE"),
    "order by ['span.name']": (400, "INVALID_PARAMETER_VALUE"),
    "order datasets by tags": (400, "INVALID_PARAMETER_VALUE"),
    "search datasets attributes.name = 'set'": (400, "INVALID_PARAMETER_VALUE"),
    "search datasets name NOT IN ('set')": (400, "INVALID_PARAMETER_VALUE"),
    "search datasets tags.a IS NULL": (400, "INVALID_PARAMETER_VALUE"),
    "register code": (400, "INVALID_PARAMETER_VALUE"),
}
"""Where Airside answers otherwise, on purpose: the status and the error's code (docs/deviations.md)."""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[int, Any]]]:
    """What a server of ours answers to every step, from an empty home on."""
    running = RunningServer(tmp_path_factory.mktemp("genai") / "home")
    yield {name: (status, body) for name, status, body in Walk(running.url).answers()}
    running.stop()


def recorded() -> dict[str, tuple[int, Any]]:
    return {name: (status, body) for name, status, body in json.loads(Path(RECORDED).read_text("utf-8"))}


def comparable(answer: tuple[int, Any]) -> tuple[int, Any]:
    status, body = answer
    if isinstance(body, dict) and "error_code" in body:
        body = {key: value for key, value in body.items() if key not in TOLD}
        if any(words in body["message"] for words in SETS):
            body["message"] = body["message"].partition(" not one of")[0].partition("Valid ")[0].partition("'")[0]
    return status, body


@pytest.mark.parametrize("name", recorded())
def test_an_answer_is_the_one_that_mlflow_gave(answers: dict[str, tuple[int, Any]], name: str) -> None:
    ours, theirs = comparable(answers[name]), comparable(recorded()[name])
    if name in DIFFERENT:
        code = ours[1].get("error_code", "") if isinstance(ours[1], dict) else ""
        assert (ours[0], code) == DIFFERENT[name], ours
        assert ours != theirs
    else:
        assert ours == theirs


def test_what_was_asked_of_mlflow_is_what_is_asked_of_us(answers: dict[str, tuple[int, Any]]) -> None:
    assert list(answers) == list(recorded())
    assert set(DIFFERENT) <= set(answers)
