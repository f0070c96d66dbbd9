"""A page token that somebody bent is refused, or names some page: it never makes a search fail."""

import base64
import json
from typing import Any

import pytest

from airside.core.errors import AirsideError
from airside.core.operation import LOCAL
from airside.core.record import Ask
from airside.platform.wiring import Platform
from airside.tracking.operations.experiments import CreateExperiment, SearchExperiments
from airside.tracking.operations.histories import GetMetricHistory
from airside.tracking.operations.logging import LogBatch
from airside.tracking.operations.runs import CreateRun, SearchRuns
from airside.tracking.records import LoggedMetric

BENT: tuple[Any, ...] = ("", "x", "\x00", None, True, -1, 10**30, -(10**30), 1e308, 1.5, [], {}, [1], "\ud800")


def asks(platform: Platform) -> list[Ask[Any]]:
    """Searches with a second page."""
    run_id = ""
    for number in range(3):
        platform.call(LOCAL, CreateExperiment(name=f"e{number}"))
        run_id = platform.call(LOCAL, CreateRun(start_time_ms=number)).info.run_id
    points = tuple(LoggedMetric(key="m", value=float(step), timestamp_ms=step, step=step) for step in range(3))
    platform.call(LOCAL, LogBatch(run_id=run_id, metrics=points))
    orders = ((), ("metrics.m DESC",), ("tags.`mlflow.runName`",), ("end_time",), ("status", "start_time ASC"))
    runs = [SearchRuns(experiment_ids=("0",), order_by=order, max_results=1) for order in orders]
    experiments = [SearchExperiments(max_results=1, order_by=order) for order in ((), ("name DESC",))]
    return [*runs, *experiments, GetMetricHistory(run_id=run_id, key="m", max_results=1)]


def answer(platform: Platform, ask: Any, token: str) -> int:
    try:
        page = platform.call(
            LOCAL, type(ask)(**{**{f: getattr(ask, f) for f in ask.__struct_fields__}, "page_token": token})
        )
    except AirsideError as error:
        return error.status
    return 200 if page is not None else 0


def bent(token: str) -> list[str]:
    """The token with each of its parts replaced, one after another."""
    parts = json.loads(base64.b64decode(token))
    found = [{**parts, name: odd} for name in parts for odd in BENT]
    after = parts.get("after", [])
    found += [{**parts, "after": [*after[:at], odd, *after[at + 1 :]]} for at in range(len(after)) for odd in BENT]
    found += [{**parts, "after": after[:-1]}, {**parts, "after": [*after, 1]}, {"offset": 10**17}, {"offset": 2**52}]
    return [base64.b64encode(json.dumps(each).encode()).decode() for each in found]


@pytest.mark.parametrize("raw", [b'"\xff"', b"\xff\xfe", b"[[[[", b"[" * 5000, b"{}", b"null", b"1"])
def test_what_is_no_token_is_refused(platform: Platform, raw: bytes) -> None:
    for ask in asks(platform):
        assert answer(platform, ask, base64.b64encode(raw).decode()) == 400


def test_a_bent_token_never_makes_a_search_fail(platform: Platform) -> None:
    for ask in asks(platform):
        token = platform.call(LOCAL, ask).next_page_token
        assert {answer(platform, ask, each) for each in bent(token)} <= {200, 400}, ask
