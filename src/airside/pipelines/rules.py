"""The pure decisions of the room: moves of states, who may claim, what a graph and its parameters must be."""

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from airside.core.errors import Conflict, Invalid, quoted
from airside.core.record import Record
from airside.pipelines.plan import needs_of, node_needs
from airside.pipelines.records import (
    Binding,
    FromParameter,
    FromStep,
    Graph,
    Listed,
    Node,
    Parameter,
    Pipeline,
    PipelineRun,
    RunState,
    StepOptions,
    StepState,
    Trigger,
)

RunEvent = Literal["claim", "lose", "wait", "decide", "succeed", "fail", "cancel"]

RUN_MOVES: dict[tuple[RunState, RunEvent], RunState] = {
    ("queued", "claim"): "running",
    ("queued", "cancel"): "cancelled",
    ("running", "lose"): "interrupted",
    ("running", "wait"): "waiting",
    ("running", "succeed"): "succeeded",
    ("running", "fail"): "failed",
    ("running", "cancel"): "cancelled",
    ("interrupted", "claim"): "running",
    ("interrupted", "cancel"): "cancelled",
    ("waiting", "decide"): "queued",
    ("waiting", "cancel"): "cancelled",
}
RUN_ENDS: frozenset[RunState] = frozenset({"succeeded", "failed", "cancelled"})
FINISHES: dict[str, RunEvent] = {"succeeded": "succeed", "failed": "fail", "waiting": "wait"}

STEP_ENDS: frozenset[StepState] = frozenset({"succeeded", "failed", "skipped", "cancelled"})

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,199}\Z")
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
}
MAX_NODES = 5_000


def next_run_state(state: RunState, event: RunEvent) -> RunState:
    """Where a run goes.

    >>> next_run_state("queued", "claim")
    'running'

    Raises:
        Conflict: the move is not allowed.
    """
    try:
        return RUN_MOVES[state, event]
    except KeyError:
        allowed = sorted(event for known, event in RUN_MOVES if known == state)
        raise Conflict(
            f"The pipeline run is {state}; '{event}' is not possible then."
            + (f" Possible: {', '.join(allowed)}." if allowed else " It has ended.")
        ) from None


class Lease(Record):
    """Who drives a run, from where, and until when unless it is renewed."""

    worker: str = ""
    host: str = ""
    until_ms: int = 0


def check_claim(run: PipelineRun, lease: Lease, *, host: str, holds_lock: bool, now_ms: int) -> None:
    """Let a driver have a run that is free, or whose driver is dead.

    Dead means: its lease has run out, or the caller holds the run's lock on the host on which the driver held it.

    Raises:
        Conflict: the run has ended, or its driver lives.
    """
    if run.state != "running":
        next_run_state(run.state, "claim")
        return
    proven = holds_lock and bool(host) and host == lease.host
    if not proven and lease.until_ms > now_ms:
        raise Conflict(f"The pipeline run '{run.id}' is driven by '{lease.worker}', whose lease has not run out.")


def check_fence(run: PipelineRun, token: int) -> None:
    """Keep out whoever no longer drives a run.

    Raises:
        Conflict: another driver has claimed the run, or it is not running.
    """
    if run.attempt != token:
        raise Conflict(f"The pipeline run '{run.id}' was claimed again (fence {run.attempt}, not {token}): stop.")
    if run.state != "running":
        raise Conflict(f"The pipeline run '{run.id}' is {run.state}, not running: stop.")


def lease_ms(lease_s: float) -> int:
    """The length of a lease, between a second and ten minutes.

    >>> lease_ms(0.1), lease_ms(30)
    (1000, 30000)
    """
    return round(min(max(lease_s, 1.0), 600.0) * 1000)


def check_name(name: str) -> None:
    """Names of pipelines and nodes.

    Raises:
        Invalid: it begins with something else than a letter, or has other characters than letters, digits, `_.-`.
    """
    if not _NAME.match(name):
        raise Invalid(
            f"The name '{name[:80]}' will not do: a letter first, then letters, digits and _ . - (200 at most)."
        )


def check_graph(graph: Graph, parameters: tuple[Parameter, ...]) -> None:
    """A graph is in an order in which it could run, and names only what there is.

    Raises:
        Invalid: a name twice, a reference forward or into nothing, a mapped argument that is not bound.
    """
    if len(graph.nodes) > MAX_NODES:
        raise Invalid(f"The graph has {len(graph.nodes):,} steps; at most {MAX_NODES:,}. Fan out with map_over.")
    known: dict[str, Node] = {}
    names = {parameter.name for parameter in parameters}
    for node in graph.nodes:
        check_name(node.name)
        if node.name in known:
            raise Invalid(f"Two steps are named '{node.name}'.")
        missing = node_needs(node) - known.keys()
        if missing:
            raise Invalid(f"The step '{node.name}' needs {quoted(sorted(missing))}, which does not stand before it.")
        unbound = set(node.mapped) - node.bindings.keys()
        if unbound:
            raise Invalid(f"The step '{node.name}' is mapped over {quoted(sorted(unbound))}, which it is not given.")
        for binding in node.bindings.values():
            _check_binding(node.name, binding, known, names)
        known[node.name] = node
    if graph.result is not None:
        missing = needs_of(graph.result) - known.keys()
        if missing:
            raise Invalid(f"The result needs {quoted(sorted(missing))}, which is no step of the graph.")


def _check_binding(name: str, binding: Binding, known: Mapping[str, Node], parameters: set[str]) -> None:
    if isinstance(binding, Listed):
        for item in binding.items:
            _check_binding(name, item, known, parameters)
    if isinstance(binding, FromParameter) and binding.name not in parameters:
        raise Invalid(f"The step '{name}' is given the parameter '{binding.name}', which the pipeline does not have.")
    if isinstance(binding, FromStep) and binding.output not in known[binding.node].outputs:
        raise Invalid(
            f"The step '{name}' is given '{binding.output}' of '{binding.node}', "
            f"which returns {quoted(known[binding.node].outputs)}."
        )


def same_pipeline(one: Pipeline, other: Pipeline) -> bool:
    """Whether nothing but the number, the time, the author and the state of the repository differs."""
    alike = msgspec.structs.replace(
        one,
        version=other.version,
        created_at=other.created_at,
        created_by=other.created_by,
        made_with=other.made_with,
    )
    return alike == other


def bind_parameters(pipeline: Pipeline, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a run: those given, checked, and the defaults of the others.

    Raises:
        Invalid: one is missing, unknown, or not of its type.
    """
    declared = {parameter.name: parameter for parameter in pipeline.parameters}
    unknown = sorted(given.keys() - declared.keys())
    if unknown:
        raise Invalid(
            f"The pipeline '{pipeline.name}' has no parameter {quoted(unknown)}. It has: {quoted(sorted(declared))}."
        )
    bound = {}
    for name, parameter in declared.items():
        if name not in given and parameter.required:
            raise Invalid(f"The pipeline '{pipeline.name}' needs the parameter '{name}' ({parameter.type}).")
        value = given.get(name, parameter.default)
        if name in given and not fits(value, parameter.type):
            raise Invalid(
                f"The parameter '{name}' of the pipeline '{pipeline.name}' is {type(value).__name__} "
                f"({str(value)[:80]!r}); it must be {parameter.type}."
            )
        bound[name] = float(value) if parameter.type == "float" and type(value) is int else value
    return bound


def fits(value: Any, kind: str) -> bool:
    """Whether a value is of a parameter's type. A whole number is a `float` too; a boolean is no number.

    >>> fits(1, "float"), fits(True, "int"), fits("a", "any")
    (True, False, True)
    """
    if kind == "any":
        return True
    if isinstance(value, bool):
        return kind == "bool"
    return isinstance(value, _TYPES[kind])


def retry_delay_s(options: StepOptions, failures: int) -> float | None:
    """How long to wait before the body is tried again; None when it is not.

    >>> options = StepOptions(retries=3, retry_delay_s=1, retry_cap_s=3)
    >>> [retry_delay_s(options, failures) for failures in (1, 2, 3, 4)]
    [1.0, 2.0, 3.0, None]
    """
    if failures > options.retries:
        return None
    return float(min(options.retry_delay_s * options.retry_factor ** (failures - 1), options.retry_cap_s))


def changed_parts(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the parts of a key that differ.

    >>> changed_parts({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"})
    ('b', 'c')
    """
    names = {*before, *after}
    return tuple(sorted(name for name in names if before.get(name) != after.get(name)))


class Happening(Record):
    """What happened, as far as triggers care."""

    kind: str
    event: str
    monitor: str = ""
    dataset: str = ""
    dataset_version: int = 0
    model: str = ""
    model_version: int = 0


def concerns(trigger: Trigger, happening: Happening) -> bool:
    """Whether a trigger wants to know. An empty filter is any."""
    if not trigger.enabled or trigger.on != happening.kind:
        return False
    wanted = (
        (trigger.monitor, happening.monitor),
        (trigger.dataset, happening.dataset),
        (trigger.model, happening.model),
    )
    return all(not filter_ or filter_ == found for filter_, found in wanted)


def fill_parameters(parameters: Mapping[str, Any], happening: Happening) -> dict[str, Any]:
    """The parameters of a run with what happened in the place of `$…`.

    >>> happening = Happening(kind="dataset", event="dv-1", dataset_version=3)
    >>> fill_parameters({"v": "$dataset_version", "x": "$5"}, happening)
    {'v': 3, 'x': '$5'}
    """
    known = {
        "$alert": happening.event if happening.kind == "alert" else "",
        "$monitor": happening.monitor,
        "$dataset": happening.dataset,
        "$dataset_version": happening.dataset_version,
        "$model": happening.model,
        "$model_version": happening.model_version,
    }
    return {name: known.get(value, value) if isinstance(value, str) else value for name, value in parameters.items()}
