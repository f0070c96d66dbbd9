"""Runs beside each other: their differences, their curves, and parallel coordinates."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.web.moment import RUN
from tests.web.test_pages import Reader, ask
from tests.web.work_records import run
from tests.web.world import World, full

from airside.core.errors import NotFound
from airside.server.web.drawing.parallel import BOTTOM, MISSING_Y, TOP, parallel
from airside.server.web.pages.charts import Asked, chart
from airside.server.web.pages.compare import MAX_RUNS, colours, parts
from airside.server.web.pages.spread import spread
from airside.tracking.operations.histories import GetCurves
from airside.tracking.operations.runs import GetRun
from airside.tracking.records import Curve

OTHER = RUN[:-1] + "7"
cells = st.none() | st.floats() | st.sampled_from(["adam", "sgd", ""])


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), min_size=1, max_size=6)))
def test_every_line_crosses_every_axis_within_it_or_below_where_its_value_is_missing(rows: list[list[Any]]) -> None:
    drawn = parallel([str(i) for i in range(len(rows[0]))], {str(i): row for i, row in enumerate(rows)})
    for thread, row in zip(drawn.threads, rows, strict=True):
        heights = [float(point.partition(",")[2]) for point in thread.points.split(" ")]
        assert len(heights) == len(drawn.axes)
        for y, value in zip(heights, row, strict=True):
            is_missing = value is None or (isinstance(value, float) and not math.isfinite(value))
            assert (y == MISSING_Y) if is_missing else (TOP <= y <= BOTTOM)


def test_a_greater_number_stands_higher_and_a_wide_range_is_logarithmic() -> None:
    drawn = parallel(["rate"], {"a": [0.0001], "b": [0.01], "c": [1.0]})
    heights = [float(thread.points.partition(",")[2]) for thread in drawn.threads]
    assert drawn.axes[0].is_log
    assert heights == [BOTTOM, (TOP + BOTTOM) / 2, TOP]
    assert [thread.rank for thread in drawn.threads] == [0, 2, 4]


def test_runs_that_do_not_differ_have_no_drawing() -> None:
    assert spread([run(), run()]) is None
    assert spread([run()]) is None


def test_the_last_axis_is_the_one_asked_for() -> None:
    drawn = spread([run(), run(OTHER)], last="loss")
    assert drawn is not None
    assert drawn.drawing.axes[-1].name == "loss"


def test_only_what_differs_is_shown_with_its_change() -> None:
    shown = {part.title: part for part in parts([run(), run(OTHER)], only_differing=True)}
    assert "learning_rate" in [line.name for line in shown["Parameters"].lines]
    assert "model" not in [line.name for line in shown["Parameters"].lines]
    assert shown["Parameters"].n_same == 1
    accuracy = next(line for line in shown["Metrics"].lines if line.name == "accuracy")
    assert accuracy.cells[0].change == ""
    assert accuracy.cells[1].change.startswith(("+", "\u2212"))


def test_runs_of_one_chart_have_colours_of_their_own() -> None:
    assert len(set(colours([f"{i:032x}" for i in range(8)]).values())) == 8
    assert len(colours([f"{i:032x}" for i in range(20)])) == 20


def test_curves_with_steps_of_their_own_share_an_axis() -> None:
    def curve(run_id: str, *x: float) -> Curve:
        y = tuple(at / 10 for at in x)
        return Curve(run_id=run_id, key="loss", n_points=len(x), n_sent=len(x), exact=True, x=x, y=y)  # type: ignore[arg-type]  # an id by hand

    drawn = chart([("a", curve(RUN, 0, 2, 4), 1), ("b", curve(OTHER, 1, 2), 2)], Asked())
    assert drawn is not None
    assert list(drawn.x) == [0, 1, 2, 4]
    assert [list(line.values) for line in drawn.lines] == [[0, None, 0.2, 0.4], [None, 0.1, 0.2, None]]
    assert drawn.is_joined
    assert chart([("a", curve(RUN, 0), 0)], Asked()) is None


def test_ticked_runs_of_a_table_lead_to_their_comparison() -> None:
    boxes = [
        one for one in Reader(ask(World(full()), "/experiments/1/runs").body).of("input") if one.get("name") == "run"
    ]
    chosen = "&".join(f"run={box['value']}" for box in boxes[:2])
    page = ask(World(full()), f"/compare?{chosen}")
    assert page.status == 303
    assert dict(page.headers)["Location"] == f"/compare?runs={boxes[0]['value']}%2C{boxes[1]['value']}"


def test_a_run_that_is_gone_is_told_and_the_others_stand() -> None:
    answers = full()

    def one(asked: GetRun) -> Any:
        if asked.run_id == OTHER:
            raise NotFound("No run of that id.")
        return run(asked.run_id)

    answers[GetRun] = one
    body = ask(World(answers), f"/compare?runs={RUN},{OTHER}").body.decode()
    assert "No run of that id." in body
    assert "Compare 1 run<" in body


@pytest.mark.parametrize(("path", "status"), [("/compare", 200), ("/compare?runs=", 200)])
def test_nothing_chosen_says_what_to_do(path: str, status: int) -> None:
    page = ask(World(full()), path)
    assert page.status == status
    assert b"tick them in the table" in page.body


def test_too_many_runs_are_refused() -> None:
    runs = ",".join(str(i) for i in range(MAX_RUNS + 1))
    assert ask(World(full()), f"/compare?runs={runs}").status == 400


def test_a_chart_is_one_question_whatever_the_number_of_runs() -> None:
    few, many = World(full()), World(full())
    ask(few, f"/compare?tab=curves&runs={RUN},{OTHER}")
    ask(many, "/compare?tab=curves&runs=" + ",".join(f"{RUN[:-2]}{i:02x}" for i in range(12)))
    assert sum(isinstance(one, GetCurves) for one in few.asked) == sum(isinstance(one, GetCurves) for one in many.asked)
