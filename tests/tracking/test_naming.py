"""What the runs of an experiment are called by."""

import pytest

from airside.core.errors import Invalid
from airside.core.ids import ExperimentId
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.tracking.operations.logging import LogBatch
from airside.tracking.operations.naming import ListNames, ListValues
from airside.tracking.operations.runs import CreateRun
from airside.tracking.records import LoggedMetric, Param, Tag

ZERO = ExperimentId("0")


@pytest.fixture
def filled(platform: Platform) -> Platform:
    for depth in ("9", "12", "12", "it's"):
        run_id = platform.call(LOCAL, CreateRun(experiment_id=ZERO, tags=(Tag(key="team", value="a"),))).info.run_id
        metrics = tuple(LoggedMetric(key=key, value=0.5, timestamp_ms=1, step=0) for key in ("val/loss", "Loss", "auc"))
        platform.call(LOCAL, LogBatch(run_id=run_id, metrics=metrics, params=(Param(key="depth", value=depth),)))
    return platform


def test_names_are_each_once_and_those_that_begin_with_the_text_come_first(filled: Platform) -> None:
    found = filled.call(LOCAL, ListNames(experiment_id=ZERO, kind="metrics", text="loss"))
    assert found.items == ("Loss", "val/loss")
    assert "team" in filled.call(LOCAL, ListNames(experiment_id=ZERO, kind="tags")).items
    cut = filled.call(LOCAL, ListNames(experiment_id=ZERO, kind="metrics", max_results=1))
    assert (cut.items, cut.is_cut) == (("Loss",), True)


def test_values_are_each_once_and_begin_with_the_text(filled: Platform) -> None:
    assert filled.call(LOCAL, ListValues(experiment_id=ZERO, kind="params", key="depth")).items == ("12", "9", "it's")
    assert filled.call(LOCAL, ListValues(experiment_id=ZERO, kind="params", key="depth", text="1")).items == ("12",)
    assert filled.call(LOCAL, ListValues(experiment_id=ZERO, kind="tags", key="nobody's")).items == ()


def test_an_experiment_without_runs_has_no_names(platform: Platform) -> None:
    assert platform.call(LOCAL, ListNames(experiment_id=ExperimentId("7"), kind="params")).items == ()
    with pytest.raises(Invalid, match="within 1 and 2000"):
        platform.call(LOCAL, ListNames(experiment_id=ZERO, kind="params", max_results=0))
