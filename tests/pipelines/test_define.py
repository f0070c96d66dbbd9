"""What a project's author writes, and what becomes of it."""

from typing import Any

import pytest

from airside.core.errors import Invalid
from airside.pipelines.define import current, map_over, pipeline, step
from airside.pipelines.records import Constant, FromParameter, FromStep, Listed, Parameter


@step
def double(x: int) -> int:
    return 2 * x


@step(outputs=("small", "large"))
def parts(x: int) -> dict[str, int]:
    return {"small": x, "large": 10 * x}


@step
def gather(values: list[Any]) -> list[Any]:
    return values


def test_the_graph_holds_the_steps_in_the_order_of_the_calls_and_where_their_arguments_come_from() -> None:
    @pipeline
    def training(n: int = 3, names: list[str] = ["a"], *, rate: float = 1) -> Any:  # noqa: B006
        """What it does."""
        small, large = parts(double(n))
        return gather([small, map_over(double, over={"x": names}), large, 5])

    drawn = training.draw()
    by_name = {node.name: node for node in drawn.graph.nodes}
    assert list(by_name) == ["double", "parts", "double-2", "gather"]
    assert by_name["double"].bindings == {"x": FromParameter(name="n")}
    assert (by_name["double-2"].mapped, by_name["double-2"].bindings) == (("x",), {"x": FromParameter(name="names")})
    assert by_name["gather"].bindings["values"] == Listed(
        items=(
            FromStep(node="parts", output="small"),
            FromStep(node="double-2"),
            FromStep(node="parts", output="large"),
            Constant(value=5),
        )
    )
    assert drawn.graph.result == FromStep(node="gather")
    assert drawn.parameters == (
        Parameter(name="n", type="int", default=3),
        Parameter(name="names", type="list", default=["a"]),
        Parameter(name="rate", type="float", default=1.0),
    )
    assert drawn.description == "What it does."


def test_a_step_outside_a_pipeline_is_its_plain_function() -> None:
    assert double(4) == 8
    with pytest.raises(Invalid):
        current()
    with pytest.raises(Invalid):
        map_over(double, over={"x": [1]})


def test_a_step_may_wait_for_another_without_taking_anything_of_it() -> None:
    @pipeline
    def training() -> Any:
        first: Any = double.named("first")(1)
        second: Any = double.named("second")(2)
        return second.after(first)

    assert [(node.name, node.after) for node in training.draw().graph.nodes] == [("first", ()), ("second", ("first",))]


def branching(n: int) -> Any:
    return double(1) if n else double(2)


def not_json(n: int) -> Any:
    return double(object())  # type: ignore[arg-type]


def looping(n: int) -> Any:
    return [double(x) for x in double(n)]  # type: ignore[attr-defined]


def unchosen(n: int) -> Any:
    return double(parts(n))  # type: ignore[arg-type]


@pytest.mark.parametrize("function", [branching, not_json, looping, unchosen])
def test_what_cannot_be_drawn_is_refused_with_a_reason(function: Any) -> None:
    with pytest.raises(Invalid):
        pipeline(function).draw()
