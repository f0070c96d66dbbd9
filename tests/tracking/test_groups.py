"""Measurements that share a commit: each whole or absent, each change seen, whoever fails beside them."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest

from airside.core.errors import Invalid, NotFound
from airside.core.ids import RunId
from airside.core.operation import LOCAL, Transaction
from airside.core.record import Ask
from airside.platform.wiring import Platform
from airside.store.sql import writer as writing
from airside.store.sql.writer import into
from airside.tracking.operations.histories import GetMetricHistory
from airside.tracking.operations.logging import LogBatch, LogMetric, LogParam, SetRunTag
from airside.tracking.operations.runs import CreateRun, DeleteRun, GetRun, RestoreRun
from airside.tracking.records import LoggedMetric, Param


def point(run_id: RunId, step: int, key: str = "loss") -> LogMetric:
    return LogMetric(run_id=run_id, key=key, value=step / 2, timestamp_ms=step, step=step)


@contextmanager
def held(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever is asked meanwhile waits, and is one group."""
    monkeypatch.setattr(writing, "GROUP_BUDGET_S", 3600.0)
    begun, go = threading.Event(), threading.Event()

    def hold(_tx: Transaction) -> None:
        begun.set()
        go.wait()

    platform._writer.submit(hold, into(Future()))
    begun.wait()
    yield
    go.set()


def together(platform: Platform, monkeypatch: pytest.MonkeyPatch, *asks: Ask[Any]) -> list[type[BaseException] | None]:
    futures: list[Future[Any]] = [Future() for _ in asks]
    with held(platform, monkeypatch):
        for ask, future in zip(asks, futures, strict=True):
            platform.submit(LOCAL, ask, into(future))
    errors = [future.exception(timeout=30) for future in futures]
    return [None if error is None else type(error) for error in errors]


@pytest.fixture
def run_id(platform: Platform) -> RunId:
    return platform.call(LOCAL, CreateRun()).info.run_id


def steps(platform: Platform, run_id: RunId, key: str = "loss") -> list[int]:
    return [item.step for item in platform.call(LOCAL, GetMetricHistory(run_id=run_id, key=key)).items]


def test_a_run_that_many_write_to_in_one_commit_is_another_revision_after_it(
    platform: Platform, run_id: RunId, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = platform.call(LOCAL, GetRun(run_id=run_id))
    together(platform, monkeypatch, *(point(run_id, step) for step in range(5)))
    middle = platform.call(LOCAL, GetRun(run_id=run_id))
    together(platform, monkeypatch, point(run_id, 5), SetRunTag(run_id=run_id, key="a", value="b"))
    after = platform.call(LOCAL, GetRun(run_id=run_id))
    assert before.revision < middle.revision < after.revision
    assert (middle.metrics[0].step, after.metrics[0].step, steps(platform, run_id)) == (4, 5, [0, 1, 2, 3, 4, 5])


def test_one_that_fails_after_it_wrote_leaves_its_neighbours_whole(
    platform: Platform, run_id: RunId, monkeypatch: pytest.MonkeyPatch
) -> None:
    torn = LogBatch(
        run_id=run_id,
        params=(Param(key="new", value="1"), Param(key="p", value="2")),
        metrics=(LoggedMetric(key="torn", value=1.0, timestamp_ms=1),),
    )
    errors = together(
        platform,
        monkeypatch,
        LogParam(run_id=run_id, key="p", value="1"),
        point(run_id, 1),
        torn,
        LogParam(run_id=run_id, key="p", value="3"),
        point(run_id, 2),
        point(RunId("0" * 32), 3),
    )
    assert errors == [None, None, Invalid, Invalid, None, NotFound]
    run = platform.call(LOCAL, GetRun(run_id=run_id))
    assert run.params == (Param(key="p", value="1"),)
    assert ([metric.key for metric in run.metrics], steps(platform, run_id)) == (["loss"], [1, 2])


def test_a_run_that_is_deleted_between_two_points_takes_the_first_alone(
    platform: Platform, run_id: RunId, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = together(
        platform,
        monkeypatch,
        point(run_id, 1),
        DeleteRun(run_id=run_id),
        point(run_id, 2),
        RestoreRun(run_id=run_id),
        point(run_id, 3),
    )
    assert errors == [None, None, Invalid, None, None]
    assert steps(platform, run_id) == [1, 3]


def test_runs_that_are_made_in_one_commit_have_numbers_of_their_own(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    futures: list[Future[Any]] = [Future() for _ in range(5)]
    with held(platform, monkeypatch):
        for number, future in enumerate(futures):
            platform.submit(LOCAL, CreateRun(name=f"r{number}"), into(future))
    made = [future.result(timeout=30).info.run_id for future in futures]
    for number, run_id in enumerate(made):
        platform.call(LOCAL, point(run_id, number, key=f"m{number}"))
    found = [platform.call(LOCAL, GetRun(run_id=run_id)) for run_id in made]
    assert [(run.info.name, run.metrics[0].key) for run in found] == [(f"r{n}", f"m{n}") for n in range(5)]
