"""What SQLite plans for searches: an index leads, and nothing is sorted but what few conditions leave."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from airside.core.ids import ExperimentId
from airside.core.operation import LOCAL, Row
from airside.core.record import Ask
from airside.platform.wiring import Platform
from airside.store.sql.sqlite import SqliteSession
from airside.tower.operations.finding import SearchRecords
from airside.tower.queries import driving
from airside.tracking.operations.logging import LogBatch
from airside.tracking.operations.runs import CreateRun, SearchRuns
from airside.tracking.queries import run_search
from airside.tracking.records import LoggedMetric, Param, Tag
from airside.tracking.traces.operations.reading import SearchTraces

ZERO = ExperimentId("0")
SORTS = "USE TEMP B-TREE FOR ORDER BY"


class Plans:
    """The plan of each statement that an operation asked of the database."""

    def __init__(self, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
        self._platform, self._seen = platform, list[tuple[str, Sequence[Any]]]()
        every = SqliteSession.all

        def watched(session: SqliteSession, sql: str, args: Sequence[Any] = ()) -> list[Row]:
            self._seen.append((sql, args))
            return every(session, sql, args)

        monkeypatch.setattr(SqliteSession, "all", watched)

    def of(self, ask: Ask[Any], begin: str) -> list[str]:
        """The steps of the statement that begins so."""
        self._seen.clear()
        self._platform.call(LOCAL, ask)
        sql, args = next((sql, args) for sql, args in self._seen if sql.startswith(begin))
        return [row[3] for row in self._platform.read(lambda ctx: ctx.tx.all(f"EXPLAIN QUERY PLAN {sql}", args))]


@pytest.fixture
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plans]:
    """A store on SQLite with a run; a condition that leaves none is rare, any other is not."""
    with_one = Platform.open(tmp_path / "home")
    run_id = with_one.call(LOCAL, CreateRun(name="one")).info.run_id
    logged = LogBatch(
        run_id=run_id,
        metrics=(LoggedMetric(key="auc", value=0.5, timestamp_ms=1),),
        params=(Param(key="model", value="xgb"),),
        tags=(Tag(key="team", value="core"),),
    )
    with_one.call(LOCAL, logged)
    monkeypatch.setattr(run_search, "RARE", 0)
    monkeypatch.setattr(run_search, "FEW", 0)
    monkeypatch.setattr(run_search, "MOST", 0)
    monkeypatch.setattr(driving, "FEW", 0)
    yield Plans(with_one, monkeypatch)
    with_one.close()


@pytest.mark.parametrize(
    ("text", "order", "leads"),
    [
        ("", (), "SEARCH r USING COVERING INDEX run_newest (experiment_no=? AND is_deleted=?)"),
        ("params.model LIKE '%g%'", (), "SEARCH r USING COVERING INDEX run_newest (experiment_no=? AND is_deleted=?)"),
        ("tags.team = 'core'", (), "SEARCH r USING COVERING INDEX run_newest (experiment_no=? AND is_deleted=?)"),
        ("", ("start_time ASC",), "SEARCH r USING COVERING INDEX run_newest (experiment_no=? AND is_deleted=?)"),
        ("", ("metrics.auc DESC",), "SEARCH o USING COVERING INDEX metric_latest_value"),
        ("metrics.auc > 0.1", ("metrics.auc DESC",), "SEARCH o USING COVERING INDEX metric_latest_value"),
        ("", ("params.model",), "SEARCH o USING INDEX run_param_value"),
        ("", ("tags.team DESC",), "SEARCH o USING INDEX run_tag_value"),
    ],
)
def test_a_page_is_met_along_an_index(plans: Plans, text: str, order: tuple[str, ...], leads: str) -> None:
    steps = plans.of(SearchRuns(experiment_ids=(ZERO,), filter=text, order_by=order), "SELECT r.id")
    assert steps[0].startswith(leads)
    assert SORTS not in steps


@pytest.mark.parametrize(
    ("text", "leads"),
    [
        ("tags.team = 'other'", "SEARCH c USING INDEX run_tag_value (experiment_no=? AND key_no=? AND <expr>=?)"),
        ("run_name = 'other'", "SEARCH c USING INDEX run_tag_value (experiment_no=? AND key_no=? AND <expr>=?)"),
        ("params.model LIKE 'l%'", "SEARCH c USING INDEX run_param_value (experiment_no=? AND key_no=? AND <expr>>?"),
        ("metrics.auc > 0.9", "SEARCH c USING COVERING INDEX metric_latest_value (experiment_no=? AND key_no=? AND"),
    ],
)
@pytest.mark.parametrize("order", [(), ("metrics.auc",), ("status",)])
def test_rare_matches_are_gathered_by_their_index_and_then_looked_up(
    plans: Plans, text: str, order: tuple[str, ...], leads: str
) -> None:
    steps = plans.of(SearchRuns(experiment_ids=(ZERO,), filter=text, order_by=order), "WITH few")
    assert any(step.startswith(leads) for step in steps)
    assert "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)" in steps


def test_the_way_to_nearby_matches_ends_where_nearby_ends(plans: Plans, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_search, "STROLL", 0)
    monkeypatch.setattr(run_search, "WALK", 0)
    steps = plans.of(SearchRuns(experiment_ids=(ZERO,), filter="tags.team = 'core'"), "SELECT r.id")
    assert steps[0] == "SEARCH r USING COVERING INDEX run_newest (experiment_no=? AND is_deleted=? AND start_ms>?)"


@pytest.mark.parametrize(
    ("order", "leads"),
    [
        ((), "SEARCH t USING COVERING INDEX trace_newest (experiment_no=?)"),
        (("end_time DESC",), "SEARCH t USING INDEX trace_ended (experiment_no=?)"),
        (("execution_time",), "SEARCH t USING INDEX trace_duration (experiment_no=?"),
        (("status",), "SEARCH t USING COVERING INDEX trace_state (experiment_no=?)"),
        (("tags.team",), "SEARCH x USING INDEX trace_tag_value (experiment_no=? AND key_no=?)"),
        (("metadata.team DESC",), "SEARCH x USING INDEX trace_metadata_value (experiment_no=? AND key_no=?)"),
    ],
)
def test_traces_are_met_along_an_index_too(plans: Plans, order: tuple[str, ...], leads: str) -> None:
    steps = plans.of(SearchTraces(experiment_ids=(ZERO,), order_by=order), "SELECT t.id")
    assert steps[0].startswith(leads)
    assert SORTS not in steps


@pytest.mark.parametrize(
    ("text", "begin", "leads"),
    [
        ("metrics.auc > 0.9", "WITH few", "SEARCH m USING COVERING INDEX metric_latest_value (experiment_no=? AND"),
        ("tags.team = 'other'", "WITH few", "SEARCH t USING INDEX run_tag_value (experiment_no=? AND key_no=? AND <"),
        ("params.model LIKE 'l%'", "WITH few", "SEARCH p USING INDEX run_param_value (experiment_no=? AND key_no=?"),
    ],
)
def test_rare_runs_are_found_across_rooms_by_the_index_of_their_values(
    plans: Plans, text: str, begin: str, leads: str
) -> None:
    steps = plans.of(SearchRecords(find="runs", filter=text), begin)
    assert any(step.startswith(leads) for step in steps)
    assert "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)" in steps


def test_runs_are_found_across_rooms_in_the_order_of_a_metric_along_its_index(plans: Plans) -> None:
    ask = SearchRecords(find="runs", filter="metrics.auc > 0.1", order_by="metrics.auc DESC")
    steps = plans.of(ask, "SELECT f.value")
    assert steps[0].startswith("SEARCH m USING COVERING INDEX metric_latest_value (experiment_no=? AND key_no=? AND is")
    assert SORTS not in steps
