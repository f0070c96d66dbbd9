"""A graph with parameters, unfolded while it runs: which step may start, with which arguments. Pure.

Laws: each task is handed out once, after all that it needs has succeeded; what needs a failed node is skipped; in the
end each node has succeeded, failed or been skipped.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Literal

from airside.core.errors import Invalid
from airside.core.record import Record
from airside.pipelines.records import RESULT, Binding, Constant, FromParameter, FromStep, Graph, Listed, Node, Value
from airside.pipelines.values import elements, json_value, list_value

NodeState = Literal["pending", "open", "succeeded", "failed", "skipped"]
MAX_PARTS = 10_000
LABEL_LENGTH = 40


class Task(Record):
    """A step that may start. `name` is the node's, or `node[3]` for a part of a fan-out."""

    name: str
    node: Node
    arguments: dict[str, Value]
    label: str = ""


def needs_of(binding: Binding) -> frozenset[str]:
    """The nodes that an argument needs.

    >>> sorted(needs_of(Listed(items=(FromStep(node="a"), Constant(value=1), FromStep(node="b")))))
    ['a', 'b']
    """
    if isinstance(binding, FromStep):
        return frozenset({binding.node})
    if isinstance(binding, Listed):
        return frozenset().union(*(needs_of(item) for item in binding.items))
    return frozenset()


def node_needs(node: Node) -> frozenset[str]:
    """The nodes that must have succeeded before this one starts."""
    return frozenset(node.after).union(*(needs_of(binding) for binding in node.bindings.values()))


class _Open:
    """What is known of a node whose tasks have been made."""

    __slots__ = ("left", "outputs", "tasks")

    def __init__(self, tasks: list[str]) -> None:
        self.tasks = tasks
        self.left = len(tasks)
        self.outputs: dict[str, dict[str, Value]] = {}


class Plan:
    """The state of one run's graph. Not thread-safe: it belongs to the run's driver."""

    def __init__(self, graph: Graph, parameters: Mapping[str, Any]) -> None:
        self._graph = graph
        self._parameters = {name: json_value(value) for name, value in parameters.items()}
        self._nodes = {node.name: node for node in graph.nodes}
        self._unmet = {node.name: set(node_needs(node)) for node in graph.nodes}
        self._dependents: dict[str, list[str]] = {node.name: [] for node in graph.nodes}
        for node in graph.nodes:
            for need in self._unmet[node.name]:
                self._dependents[need].append(node.name)
        self.states: dict[str, NodeState] = {node.name: "pending" for node in graph.nodes}
        self.errors: dict[str, str] = {}
        self._open: dict[str, _Open] = {}
        self._owner: dict[str, str] = {}
        self._fresh: deque[str] = deque(name for name, unmet in self._unmet.items() if not unmet)

    def ready(self) -> list[Task]:
        """The tasks that may start now and were not handed out before."""
        tasks: list[Task] = []
        while self._fresh:
            node = self._nodes[self._fresh.popleft()]
            try:
                tasks += self._unfold(node)
            except Invalid as wrong:
                self._end(node.name, "failed", wrong.message)
        return tasks

    def succeed(self, task: str, outputs: Mapping[str, Value]) -> None:
        """A task has succeeded."""
        name = self._owner.pop(task)
        opened = self._open[name]
        opened.outputs[task] = dict(outputs)
        opened.left -= 1
        if not opened.left and self.states[name] == "open":
            self._end(name, "succeeded")

    def fail(self, task: str, error: str) -> None:
        """A task has failed for good; what needs it is skipped, its sisters go on."""
        name = self._owner.pop(task)
        self._open[name].left -= 1
        if self.states[name] == "open":
            self._end(name, "failed", error)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to start or to wait for."""
        return not self._fresh and not self._owner

    def waits_for(self, tasks: AbstractSet[str]) -> bool:
        """Whether nothing but these tasks is left to wait for."""
        return not self._fresh and self._owner.keys() <= tasks

    @property
    def tasks_total(self) -> int:
        """How many tasks are known of: a node that has not unfolded counts for one."""
        return sum(len(self._open[name].tasks) if name in self._open else 1 for name in self._nodes)

    def skipped(self) -> list[str]:
        """The nodes that will never run."""
        return [name for name, state in self.states.items() if state == "skipped"]

    def result(self) -> Value | None:
        """What the pipeline function returned, once every node that it needs has succeeded."""
        binding = self._graph.result
        if binding is None or any(self.states[name] != "succeeded" for name in needs_of(binding)):
            return None
        return self._value(binding)

    def _unfold(self, node: Node) -> list[Task]:
        self.states[node.name] = "open"
        whole = {name: self._value(binding) for name, binding in node.bindings.items() if name not in node.mapped}
        single = Task(name=node.name, node=node, arguments=whole)
        tasks = self._parts(node, whole) if node.mapped else [single]
        self._open[node.name] = _Open([task.name for task in tasks])
        self._owner.update({task.name: node.name for task in tasks})
        if not tasks:
            self._end(node.name, "succeeded")
        return tasks

    def _parts(self, node: Node, whole: dict[str, Value]) -> list[Task]:
        lists = {name: elements(self._value(node.bindings[name])) for name in node.mapped}
        lengths = {len(items) for items in lists.values()}
        if len(lengths) != 1:
            found = ", ".join(f"{name}: {len(items)}" for name, items in lists.items())
            raise Invalid(f"The lists that '{node.name}' is mapped over differ in length ({found}).")
        count = lengths.pop()
        if count > MAX_PARTS:
            raise Invalid(f"'{node.name}' would have {count:,} parts; at most {MAX_PARTS:,}.")
        return [
            Task(
                name=f"{node.name}[{index}]",
                node=node,
                arguments=whole | {name: items[index] for name, items in lists.items()},
                label=_label([items[index] for items in lists.values()]),
            )
            for index in range(count)
        ]

    def _value(self, binding: Binding) -> Value:
        if isinstance(binding, Constant):
            return json_value(binding.value)
        if isinstance(binding, FromParameter):
            return self._parameters[binding.name]
        if isinstance(binding, Listed):
            return list_value([self._value(item) for item in binding.items])
        opened = self._open[binding.node]
        found = [_output(opened.outputs[task], binding) for task in opened.tasks]
        return list_value(found) if self._nodes[binding.node].mapped else found[0]

    def _end(self, name: str, state: NodeState, error: str = "") -> None:
        self.states[name] = state
        if error:
            self.errors[name] = error
        if state == "succeeded":
            for dependent in self._dependents[name]:
                self._unmet[dependent].discard(name)
                if not self._unmet[dependent] and self.states[dependent] == "pending":
                    self._fresh.append(dependent)
        else:
            self._skip(self._dependents[name])

    def _skip(self, names: Iterable[str]) -> None:
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if self.states[name] == "pending":
                self.states[name] = "skipped"
                waiting += self._dependents[name]


def _output(outputs: Mapping[str, Value], binding: FromStep) -> Value:
    try:
        return outputs[binding.output]
    except KeyError:
        raise Invalid(
            f"The step '{binding.node}' has no output '{binding.output}'; it has: {', '.join(sorted(outputs))}."
        ) from None


def _label(values: list[Value]) -> str:
    texts = [str(value.json) if value.kind == "json" else "" for value in values]
    label = ", ".join(text for text in texts if text)
    return label if len(label) <= LABEL_LENGTH else ""


__all__ = ["RESULT", "Plan", "Task", "needs_of", "node_needs"]
