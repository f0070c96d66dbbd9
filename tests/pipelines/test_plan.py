"""The laws of the plan, for any graph and any order in which tasks end."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from airside.pipelines.plan import Plan, Task, node_needs
from airside.pipelines.records import RESULT, Constant, FromStep, Graph, Listed, Node
from airside.pipelines.rules import check_graph
from airside.pipelines.values import json_value


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    nodes: list[Node] = []
    for index in range(draw(st.integers(1, 8))):
        earlier = [node.name for node in nodes]
        needed = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=3)) if earlier else []
        bindings: dict[str, Any] = {f"a{n}": FromStep(node=name) for n, name in enumerate(needed[:2])}
        if draw(st.booleans()):
            bindings["xs"] = Constant(value=list(range(draw(st.integers(0, 3)))))
        mapped = ("xs",) if "xs" in bindings and draw(st.booleans()) else ()
        nodes.append(Node(name=f"n{index}", function="m:f", bindings=bindings, mapped=mapped, after=tuple(needed[2:])))
    last = draw(st.lists(st.sampled_from([node.name for node in nodes]), min_size=1, max_size=3))
    return Graph(nodes=tuple(nodes), result=Listed(items=tuple(FromStep(node=name) for name in last)))


def ancestors(graph: Graph, name: str) -> set[str]:
    nodes = {node.name: node for node in graph.nodes}
    found: set[str] = set()
    waiting = list(node_needs(nodes[name]))
    while waiting:
        need = waiting.pop()
        if need not in found:
            found.add(need)
            waiting += node_needs(nodes[need])
    return found


def driven(graph: Graph, choices: st.DataObject, fail: set[str]) -> tuple[Plan, list[str]]:
    """A plan driven to its end: tasks end in any order, those of `fail` badly."""
    plan, order, running = Plan(graph, {}), list[str](), list[Task]()
    while True:
        for task in plan.ready():
            assert task.name not in order
            assert all(plan.states[need] == "succeeded" for need in node_needs(task.node))
            order.append(task.name)
            running.append(task)
        if not running:
            break
        task = running.pop(choices.draw(st.integers(0, len(running) - 1)))
        if task.node.name in fail:
            plan.fail(task.name, "no")
        else:
            plan.succeed(task.name, {RESULT: json_value(task.name)})
    assert plan.is_done
    return plan, order


@settings(max_examples=50, deadline=None)
@given(graph=graphs(), choices=st.data())
def test_each_task_is_handed_out_once_after_all_that_it_needs(graph: Graph, choices: st.DataObject) -> None:
    check_graph(graph, ())
    plan, order = driven(graph, choices, fail=set())
    assert set(plan.states.values()) == {"succeeded"}
    assert len(order) == plan.tasks_total
    assert plan.result() is not None


@settings(max_examples=50, deadline=None)
@given(graph=graphs(), choices=st.data())
def test_exactly_what_needs_a_failed_node_is_skipped(graph: Graph, choices: st.DataObject) -> None:
    fail = set(choices.draw(st.lists(st.sampled_from([node.name for node in graph.nodes]), max_size=2)))
    plan, _ = driven(graph, choices, fail)
    failed = {name for name, state in plan.states.items() if state == "failed"}
    expected = {node.name for node in graph.nodes if ancestors(graph, node.name) & failed}
    assert set(plan.skipped()) == expected
    assert failed <= fail
    assert {state for name, state in plan.states.items() if name not in failed | expected} <= {"succeeded"}


@settings(max_examples=30, deadline=None)
@given(graph=graphs(), choices=st.data())
def test_the_result_does_not_depend_on_the_order(graph: Graph, choices: st.DataObject) -> None:
    one, _ = driven(graph, choices, set())
    other, _ = driven(graph, choices, set())
    assert one.result() == other.result()


def test_lists_side_by_side_must_be_of_one_length() -> None:
    node = Node(
        name="n", function="m:f", bindings={"x": Constant(value=[1]), "y": Constant(value=[1, 2])}, mapped=("x", "y")
    )
    plan = Plan(Graph(nodes=(node,)), {})
    assert plan.ready() == []
    assert plan.errors == {"n": "The lists that 'n' is mapped over differ in length (x: 1, y: 2)."}


def test_a_part_of_a_fan_out_is_labelled_with_its_element() -> None:
    node = Node(name="n", function="m:f", bindings={"x": Constant(value=["tree", "linear"])}, mapped=("x",))
    assert [(task.name, task.label) for task in Plan(Graph(nodes=(node,)), {}).ready()] == [
        ("n[0]", "tree"),
        ("n[1]", "linear"),
    ]
