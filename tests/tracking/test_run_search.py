"""Searching runs: every answer is compared with one worked out in Python from the runs themselves."""

import fnmatch
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from airside.core.errors import Invalid
from airside.core.ids import ExperimentId, RunId
from airside.core.operation import LOCAL
from airside.core.search import PageToken, write_token
from airside.platform.wiring import Platform
from airside.tracking.operations.experiments import CreateExperiment
from airside.tracking.operations.logging import LogBatch, LogInputs
from airside.tracking.operations.runs import CreateRun, DeleteRun, SearchRuns, UpdateRun
from airside.tracking.queries import run_search
from airside.tracking.records import Dataset, DatasetInput, LoggedMetric, Param, Tag

ZERO, ONE = ExperimentId("0"), ExperimentId("1")
LONG = "x" * 250


@dataclass
class Known:
    """A run as the test knows it."""

    run_id: RunId
    start: int
    name: str
    metrics: dict[str, float] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    status: str = "RUNNING"
    end: int | None = None


def make(platform: Platform, index: int) -> Known:
    metrics: dict[str, float] = {}
    if index % 3:
        metrics["auc"] = math.nan if index % 7 == 1 else (index * 37 % 11) / 10
    if index % 4 == 0:
        metrics["loss"] = -float(index)
    params = {"model": ("xgb", "lgbm", "rf")[index % 3]} if index % 5 else {}
    params["text"] = LONG + str(index % 4)
    tags = {"team": f"T{index % 4}", "näme x": "ü" if index % 2 else "U"}
    start = 1000 + (index // 2) * 10
    run = platform.call(
        LOCAL, CreateRun(experiment_id=ONE if index % 2 else ZERO, name=f"run-{index % 6}", start_time_ms=start)
    )
    known = Known(run.info.run_id, start, f"run-{index % 6}", metrics, params, tags)
    platform.call(
        LOCAL,
        LogBatch(
            run_id=known.run_id,
            metrics=tuple(LoggedMetric(key=key, value=value, timestamp_ms=0) for key, value in metrics.items()),
            params=tuple(Param(key=key, value=value) for key, value in params.items()),
            tags=tuple(Tag(key=key, value=value) for key, value in tags.items()),
        ),
    )
    if index % 3 == 0:
        known.status, known.end = "FINISHED", 5000 - index
        platform.call(LOCAL, UpdateRun(run_id=known.run_id, status="FINISHED", end_time_ms=known.end))
    return known


@pytest.fixture
def known(platform: Platform) -> list[Known]:
    platform.call(LOCAL, CreateExperiment(name="one"))
    return [make(platform, index) for index in range(40)]


def like(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    glob = fnmatch.translate(pattern.replace("[", "[[]").replace("%", "*").replace("_", "?"))
    return re.match(glob, text, re.IGNORECASE if ignore_case else 0) is not None


FILTERS: dict[str, Callable[[Known], bool]] = {
    "": lambda run: True,
    "metrics.auc > 0.5": lambda run: run.metrics.get("auc", math.nan) > 0.5,
    "metrics.auc != 0.5": lambda run: "auc" in run.metrics and run.metrics["auc"] != 0.5,
    "metric.auc <= 1 AND metrics.loss < -8": lambda run: (
        run.metrics.get("auc", math.nan) <= 1 and run.metrics.get("loss", math.nan) < -8
    ),
    "metrics.nothing != 1": lambda run: False,
    "params.model = 'xgb'": lambda run: run.params.get("model") == "xgb",
    "param.model != 'xgb'": lambda run: run.params.get("model", "xgb") != "xgb",
    "params.model LIKE '%b%'": lambda run: "b" in run.params.get("model", ""),
    "params.model LIKE 'X%'": lambda run: False,
    "params.model ILIKE 'X_b'": lambda run: like("X_b", run.params.get("model", ""), ignore_case=True),
    "params.model IS NULL": lambda run: "model" not in run.params,
    "params.model IS NOT NULL AND params.zz IS NULL": lambda run: "model" in run.params,
    f"params.text = '{LONG}2'": lambda run: run.params["text"] == LONG + "2",
    f"params.text = '{LONG[:200]}'": lambda run: False,
    "params.text LIKE 'xx%3'": lambda run: run.params["text"].endswith("3"),
    "tags.team = 'T1'": lambda run: run.tags["team"] == "T1",
    "tags.team LIKE 't%'": lambda run: False,
    "tags.`näme x` = 'ü'": lambda run: run.tags["näme x"] == "ü",
    "run_name = 'run-3'": lambda run: run.name == "run-3",
    "attributes.`run name` LIKE 'run-_' AND status = 'FINISHED'": lambda run: run.status == "FINISHED",
    "start_time >= 1100 AND end_time != 4994": lambda run: run.start >= 1100 and run.end not in {None, 4994},
    "created < 1100.5": lambda run: run.start < 1100.5,
}
ORDERS: dict[tuple[str, ...], Callable[[Known], tuple[object, ...]]] = {
    (): lambda run: (-run.start,),
    ("start_time ASC",): lambda run: (run.start,),
    ("metrics.auc",): lambda run: (*ranked(run.metrics.get("auc"), 1), -run.start),
    ("metrics.auc DESC",): lambda run: (*ranked(run.metrics.get("auc"), -1), -run.start),
    ("metrics.loss DESC", "start_time"): lambda run: (*ranked(run.metrics.get("loss"), -1), run.start),
    ("metrics.nothing",): lambda run: (-run.start,),
    ("params.model",): lambda run: ("model" not in run.params, run.params.get("model", ""), -run.start),
    ("params.text", "metrics.auc DESC"): lambda run: (
        run.params["text"],
        *ranked(run.metrics.get("auc"), -1),
        -run.start,
    ),
    ("end_time",): lambda run: (*ranked(run.end, 1), -run.start),
    ("end_time DESC",): lambda run: (*ranked(run.end, -1), -run.start),
    ("run_name", "metrics.auc"): lambda run: (run.name, *ranked(run.metrics.get("auc"), 1), -run.start),
}


def ranked(value: float | None, sign: int) -> tuple[int, float]:
    if value is None:
        return 2, 0.0
    return (1, 0.0) if math.isnan(value) else (0, sign * value)


def walked(platform: Platform, text: str, orders: tuple[str, ...], size: int) -> list[RunId]:
    found, token = list[RunId](), ""
    while True:
        page = platform.call(
            LOCAL,
            SearchRuns(experiment_ids=(ZERO, ONE), filter=text, order_by=orders, max_results=size, page_token=token),
        )
        assert len(page.items) <= size
        found += [run.info.run_id for run in page.items]
        token = page.next_page_token
        if not token:
            return found


def planned(monkeypatch: pytest.MonkeyPatch, few: int, most: int, walk: int) -> None:
    """Let the constants of the plan be so small that a small store meets them."""
    constants = {"RARE": few // 2, "STROLL": min(1, walk), "FEW": few, "WALK": walk, "MOST": most}
    for name, value in constants.items():
        monkeypatch.setattr(run_search, name, value)


@pytest.mark.parametrize(
    ("few", "most", "walk"),
    [(0, 0, 50_000), (1000, 1000, 50_000), (0, 1000, 3), (0, 0, 3)],
    ids=["by walking", "by a selective condition", "nearby, then by a condition", "nearby, then by walking"],
)
def test_every_filter_in_every_order_answers_as_python_does(
    platform: Platform, known: list[Known], monkeypatch: pytest.MonkeyPatch, few: int, most: int, walk: int
) -> None:
    planned(monkeypatch, few, most, walk)
    for text, matches in FILTERS.items():
        for orders, key in ORDERS.items():
            expected = [run.run_id for run in sorted(known, key=lambda run: (*key(run), run.run_id)) if matches(run)]
            assert expected == walked(platform, text, orders, 1000), (text, orders)


def test_a_filter_may_have_more_conditions_than_sqlite_joins_tables(platform: Platform, known: list[Known]) -> None:
    text = " AND ".join(["params.model = 'xgb'", *(f"params.text != 'no {number}'" for number in range(80))])
    orders = tuple(f"metrics.auc{number} DESC" for number in range(30))
    expected = {run.run_id for run in known if run.params.get("model") == "xgb"}
    assert expected == set(walked(platform, text, orders, 1000))


@pytest.mark.parametrize("size", [1, 3, 7, 39, 40])
def test_pages_of_any_size_walk_the_whole_store_in_order(platform: Platform, known: list[Known], size: int) -> None:
    for orders, key in ORDERS.items():
        expected = [run.run_id for run in sorted(known, key=lambda run: (*key(run), run.run_id))]
        assert expected == walked(platform, "", orders, size), orders


@pytest.mark.parametrize("most", [0, 1000], ids=["by walking on", "by a condition"])
@pytest.mark.parametrize("size", [1, 2, 7])
def test_pages_of_matches_join_when_few_of_them_are_nearby(
    platform: Platform, known: list[Known], monkeypatch: pytest.MonkeyPatch, size: int, most: int
) -> None:
    planned(monkeypatch, 0, most, 3)
    for orders in ((), ("start_time ASC",)):
        expected = [
            run.run_id
            for run in sorted(known, key=lambda run: (*ORDERS[orders](run), run.run_id))
            if FILTERS["params.model = 'xgb'"](run)
        ]
        assert expected == walked(platform, "params.model = 'xgb'", orders, size)


def test_a_token_of_mlflows_servers_is_understood(platform: Platform, known: list[Known]) -> None:
    every = walked(platform, "", (), 1000)
    page = platform.call(
        LOCAL,
        SearchRuns(experiment_ids=(ZERO, ONE), max_results=5, page_token=write_token(PageToken(offset=10))),
    )
    assert [run.info.run_id for run in page.items] == every[10:15]


def test_a_token_of_another_search_is_refused(platform: Platform, known: list[Known]) -> None:
    page = platform.call(LOCAL, SearchRuns(experiment_ids=(ZERO,), max_results=1))
    with pytest.raises(Invalid, match="Invalid page token"):
        platform.call(
            LOCAL,
            SearchRuns(
                experiment_ids=(ZERO,), order_by=("metrics.auc",), max_results=1, page_token=page.next_page_token
            ),
        )


def test_deleted_runs_leave_the_view_at_once(platform: Platform, known: list[Known]) -> None:
    gone = known[3].run_id
    platform.call(LOCAL, DeleteRun(run_id=gone))
    counts = {
        view: len(platform.call(LOCAL, SearchRuns(experiment_ids=(ZERO, ONE), view=view)).items)
        for view in ("active", "deleted", "all")
    }
    assert counts == {"active": 39, "deleted": 1, "all": 40}
    assert gone not in walked(platform, "", (), 7)


def test_datasets_are_searched_by_name_digest_and_context(platform: Platform, known: list[Known]) -> None:
    platform.call(
        LOCAL,
        LogInputs(
            run_id=known[0].run_id,
            datasets=(
                DatasetInput(
                    dataset=Dataset(name="people", digest="d1"), tags=(Tag(key="mlflow.data.context", value="train"),)
                ),
            ),
        ),
    )
    for text in ("dataset.name = 'people'", "datasets.digest IN ('d1', 'd2')", "dataset.context LIKE 'tr%'"):
        assert walked(platform, text, (), 10) == [known[0].run_id]
    assert walked(platform, "dataset.name NOT IN ('people')", (), 10) == []


@pytest.mark.parametrize("text", ["run_id = 'ID'", "run_id IN ('ID', 'x')", "attribute.run_id LIKE 'ID'"])
def test_runs_are_found_by_id(platform: Platform, known: list[Known], text: str) -> None:
    assert walked(platform, text.replace("ID", known[5].run_id), (), 10) == [known[5].run_id]


@pytest.mark.parametrize(("wanted", "text"), [(0, "must be a positive integer"), (50_001, "must be at most 50000")])
def test_a_page_of_no_rows_or_too_many_is_refused(platform: Platform, wanted: int, text: str) -> None:
    with pytest.raises(Invalid, match=text):
        platform.call(LOCAL, SearchRuns(experiment_ids=(ZERO,), max_results=wanted))
