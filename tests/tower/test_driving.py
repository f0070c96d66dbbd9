"""However runs are found across rooms, the answer is the same."""

import pytest

from airside.core.ids import ExperimentId
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.tower.operations.finding import SearchRecords
from airside.tower.queries import driving
from airside.tracking.operations.experiments import CreateExperiment
from airside.tracking.operations.logging import LogBatch
from airside.tracking.operations.runs import CreateRun
from airside.tracking.records import LoggedMetric, Param, Tag

FILTERS = (
    "",
    "metrics.auc > 0.3",
    "metrics.auc <= 0.2 AND params.model = 'xgb'",
    "metrics.auc != 0.2",
    "metrics.auc IS NULL",
    "metrics.nobody > 1",
    "params.model LIKE 'x%'",
    "params.model LIKE '%g%' AND tags.team = 'a'",
    f"tags.long = '{'y' * 250}1'",
    "experiment = 'second' AND metrics.auc > 0",
    "experiment = 'nobody'",
)
ORDERS = ("", "metrics.auc", "metrics.auc DESC", "metrics.nobody", "params.model", "started")
PLANS = {"all looked at": (0, 0), "along indexes": (0, 200), "gathered": (1000, 200)}


@pytest.fixture
def filled(platform: Platform) -> Platform:
    """Two dozen runs in three experiments; some lack the metric, many have the same."""
    experiments = [ExperimentId("0")]
    experiments += [platform.call(LOCAL, CreateExperiment(name=name)).experiment_id for name in ("second", "third")]
    for number in range(24):
        made = CreateRun(experiment_id=experiments[number % 3], name=f"run {number}", start_time_ms=number)
        metrics = (LoggedMetric(key="auc", value=number % 5 / 10, timestamp_ms=1),) if number % 7 else ()
        logged = LogBatch(
            run_id=platform.call(LOCAL, made).info.run_id,
            metrics=metrics,
            params=(Param(key="model", value=("xgb", "lgbm")[number % 2]),),
            tags=(Tag(key="team", value="ab"[number % 4 // 2]), Tag(key="long", value="y" * 250 + str(number % 3))),
        )
        platform.call(LOCAL, logged)
    return platform


def found(platform: Platform, text: str, order_by: str) -> list[str]:
    names, token = list[str](), ""
    while True:
        page = platform.call(
            LOCAL, SearchRecords(find="runs", filter=text, order_by=order_by, max_results=5, page_token=token)
        )
        names += [str(match.values["name"]) for match in page.items]
        token = page.next_page_token
        if not token:
            return names


def test_every_plan_finds_the_same_runs_in_the_same_order(filled: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []
    for few, most in PLANS.values():
        monkeypatch.setattr(driving, "FEW", few)
        monkeypatch.setattr(driving, "MOST_EXPERIMENTS", most)
        answers.append({(text, order): found(filled, text, order) for text in FILTERS for order in ORDERS})
    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0]["", "metrics.auc"]) == 24
    assert answers[0]["metrics.auc > 0.3", "metrics.auc DESC"] != []
