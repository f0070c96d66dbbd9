"""How a project says what its steps and pipelines are. Imported by the project's own code, so it is light.

    from airside.pipelines.define import map_over, pipeline, step

    @step(retries=2)
    def load(dataset: str) -> pa.Table: ...

    @step
    def train(table: pa.Table, depth: int) -> dict[str, float]: ...

    @pipeline
    def training(dataset: str = "people", depths: list[int] = [2, 4, 8]) -> list[dict[str, float]]:
        table = load(dataset)
        return map_over(train, over={"depth": depths}, table=table)

Called inside a pipeline function a step records itself in the graph and returns a handle to what it will return.
Called anywhere else it is the plain function, so that it can be tested as one.
"""

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Generic, NoReturn, ParamSpec, TypeVar, overload

import msgspec

from airside.core.errors import Invalid, quoted
from airside.core.ids import PipelineName, PipelineRunId
from airside.core.record import Record
from airside.pipelines.records import (
    RESULT,
    Binding,
    Constant,
    FromParameter,
    FromStep,
    Graph,
    Listed,
    Node,
    Parameter,
    StepOptions,
)
from airside.pipelines.values import is_plain

P = ParamSpec("P")
R = TypeVar("R")


class StepContext(Record):
    """What a running step may know of where it runs.

    Attributes:
        url, token: of the control plane, for `airside.connect(url, token)`; empty in an embedded run.
        scratch: a folder of this run's own, gone some time after it.
    """

    run_id: PipelineRunId
    step: str
    attempt: int
    tracking_run: str = ""
    pipeline: PipelineName = PipelineName("")
    url: str = ""
    token: str = ""
    scratch: str = ""


_CURRENT: ContextVar[StepContext | None] = ContextVar("airside_step", default=None)
_TRACE: ContextVar["_Trace | None"] = ContextVar("airside_trace", default=None)


def current() -> StepContext:
    """Where the running step runs.

    Raises:
        Invalid: no step is running.
    """
    found = _CURRENT.get()
    if found is None:
        raise Invalid("airside.pipelines.define.current() was asked outside a step; only a running step has a context.")
    return found


def scratch_folder() -> Path:
    """A folder of this run's own, for files that do not outlive it."""
    folder = Path(current().scratch)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class _Handle:
    """What stands for a value that is not there yet."""

    def _refuse(self, what: str) -> NoReturn:
        raise Invalid(
            f"{self} is not known while the pipeline is drawn, so its {what} cannot be asked. The steps of a pipeline "
            "do not depend on values: use map_over for a list, and decide inside a step."
        )

    def __bool__(self) -> bool:  # noqa: PLE0304 -- it always raises
        self._refuse("truth")

    def __len__(self) -> int:  # noqa: PLE0303 -- it always raises
        self._refuse("length")

    def __iter__(self) -> Iterator[Any]:
        self._refuse("elements")


class ParameterHandle(_Handle):
    """A parameter, inside a pipeline function."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"the parameter '{self.name}'"


class Output(_Handle):
    """What a step will return, inside a pipeline function. `output["name"]` is one of several outputs."""

    def __init__(self, trace: "_Trace", node: str, outputs: tuple[str, ...], chosen: str) -> None:
        self._trace = trace
        self.node = node
        self.outputs = outputs
        self.chosen = chosen

    def __repr__(self) -> str:
        return f"the output '{self.chosen}' of the step '{self.node}'"

    def __getitem__(self, name: str) -> "Output":
        if name not in self.outputs:
            raise Invalid(
                f"The step '{self.node}' has no output {name!r}; it has {quoted(self.outputs)}. "
                "Name them with @step(outputs=(…))."
            )
        return Output(self._trace, self.node, self.outputs, name)

    def __iter__(self) -> Iterator["Output"]:
        if len(self.outputs) < 2:
            self._refuse("elements")
        return iter([self[name] for name in self.outputs])

    def after(self, *others: Any) -> "Output":
        """Let the step wait for others though it takes nothing of them."""
        self._trace.wait(self.node, [other.node for other in others if isinstance(other, Output)])
        return self


class Step(Generic[P, R]):
    """A function that can be a step. Calling it inside a pipeline function adds it to the graph."""

    def __init__(
        self, function: Callable[P, R], options: StepOptions, outputs: tuple[str, ...], node_name: str = ""
    ) -> None:
        self.function = function
        self.options = options
        self.outputs = outputs
        self.node_name = node_name or function.__name__
        self.signature = inspect.signature(function)
        self.__name__ = function.__name__
        self.__qualname__ = function.__qualname__
        self.__module__ = function.__module__
        self.__doc__ = function.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function; inside a pipeline function, note the call in the graph."""
        trace = _TRACE.get()
        if trace is None:
            return self.function(*args, **kwargs)
        bound = self.signature.bind(*args, **kwargs).arguments
        handle: Any = trace.add(self, _flat(self, bound), mapped=())
        return typing.cast("R", handle)

    def named(self, name: str) -> "Step[P, R]":
        """The same step under another name in the graph."""
        return Step(self.function, self.options, self.outputs, name)

    def __repr__(self) -> str:
        return f"<step {self.node_name}>"


def _flat(step: Step[..., Any], bound: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {name: parameter.kind for name, parameter in step.signature.parameters.items()}
    flat: dict[str, Any] = {}
    for name, value in bound.items():
        if kinds[name] is inspect.Parameter.VAR_KEYWORD:
            flat |= value
        elif kinds[name] is inspect.Parameter.VAR_POSITIONAL:
            raise Invalid(f"The step '{step.node_name}' takes *{name}; a step's arguments need names.")
        else:
            flat[name] = value
    return flat


@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(
    *,
    retries: int = 0,
    retry_delay_s: float = 0.5,
    timeout_s: float | None = None,
    cache: bool = True,
    env: Sequence[str] = (),
    files: Sequence[str] = (),
    outputs: Sequence[str] = (RESULT,),
) -> Callable[[Callable[P, R]], Step[P, R]]: ...
def step(  # noqa: PLR0913 -- they are read as a list of options above a function
    function: Callable[..., Any] | None = None,
    /,
    *,
    retries: int = 0,
    retry_delay_s: float = 0.5,
    timeout_s: float | None = None,
    cache: bool = True,
    env: Sequence[str] = (),
    files: Sequence[str] = (),
    outputs: Sequence[str] = (RESULT,),
) -> Any:
    """Make a function a step.

    Args:
        function: the function, where the decorator is used bare.
        retries: how often a failed body is tried again, with the delay doubled each time.
        retry_delay_s: the wait before the first retry.
        timeout_s: after so long the body is killed and counts as failed.
        cache: whether an equal key of an earlier run spares the body. The key holds the code that the step can reach,
            its arguments by content, the libraries' versions, `env` and `files`. A step that asks the outside (the
            newest version of a dataset, say) takes what it asks for as an argument, or says `cache=False`.
        env: environment variables that it reads.
        files: files of the project that it reads, as paths below the project's root.
        outputs: names, when it returns a dictionary of several values of which each is kept by itself.

    >>> @step(retries=1)
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> double(4), double.options.retries
    (8, 1)
    """
    options = StepOptions(
        retries=retries,
        retry_delay_s=retry_delay_s,
        timeout_s=timeout_s,
        cache=cache,
        env=tuple(env),
        files=tuple(files),
    )

    def declare(target: Callable[P, R]) -> Step[P, R]:
        return Step(target, options, tuple(outputs))

    return declare if function is None else declare(function)


def map_over(step: Step[..., R], *, over: Mapping[str, Any], **fixed: Any) -> list[R]:
    """Run a step once for each element of a list (or of several lists of one length, side by side).

    Args:
        step: the step.
        over: argument → list, or a handle to what will be one: a parameter, another step's output.
        fixed: the arguments that are the same for each part.

    Returns:
        A handle to the list of what the parts return, in the order of the list.

    Raises:
        Invalid: outside a pipeline function, or without anything to map over.
    """
    trace = _TRACE.get()
    if trace is None:
        raise Invalid("map_over was called outside a pipeline function.")
    if not over:
        raise Invalid(f"map_over of '{step.node_name}' has nothing in 'over'.")
    step.signature.bind(**{**dict.fromkeys(over), **fixed})
    handle: Any = trace.add(step, {**fixed, **over}, mapped=tuple(over))
    return typing.cast("list[R]", handle)


def approval(name: str, given: Any = None) -> Any:
    """A step that waits for a person: `steps.decide` lets the run go on, or ends it. No process lives meanwhile.

    Args:
        name: what is to be approved, as a node's name.
        given: what the person is to look at: another step's output, which the approval waits for.

    Returns:
        A handle to the decision: `{"approved": true, "by": …, "text": …}`. Put it into `.after(…)`, or take it.

    Raises:
        Invalid: outside a pipeline function.
    """
    trace = _TRACE.get()
    if trace is None:
        raise Invalid("approval was called outside a pipeline function.")
    return trace.approve(name, given)


class _Trace:
    """The graph while a pipeline function draws it."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.functions: dict[str, Callable[..., Any]] = {}

    def add(self, step: Step[..., Any], arguments: Mapping[str, Any], *, mapped: tuple[str, ...]) -> Output:
        name = self._free(step.node_name)
        function = f"{step.__module__}:{step.__qualname__}"
        self.functions[function] = step.function
        self.nodes[name] = Node(
            name=name,
            function=function,
            bindings={key: self._binding(name, key, value) for key, value in arguments.items()},
            mapped=mapped,
            outputs=step.outputs,
            options=step.options,
            summary=(inspect.getdoc(step.function) or "").partition("\n")[0],
        )
        return Output(self, name, step.outputs, RESULT if RESULT in step.outputs else "")

    def approve(self, wanted: str, given: Any) -> Output:
        name = self._free(wanted)
        bindings = {} if given is None else {"given": self._binding(name, "given", given)}
        self.nodes[name] = Node(name=name, function="", bindings=bindings, summary="waits for an approval")
        return Output(self, name, (RESULT,), RESULT)

    def wait(self, node: str, others: list[str]) -> None:
        known = self.nodes[node]
        if list(self.nodes)[-1] != node:
            raise Invalid(f"Say .after(…) right where '{node}' is called: others stand behind it already.")
        self.nodes[node] = msgspec.structs.replace(known, after=(*known.after, *others))

    def binding(self, owner: str, argument: str, value: Any) -> Binding:
        return self._binding(owner, argument, value)

    def _free(self, name: str) -> str:
        if name not in self.nodes:
            return name
        return next(f"{name}-{n}" for n in range(2, len(self.nodes) + 3) if f"{name}-{n}" not in self.nodes)

    def _binding(self, owner: str, argument: str, value: Any) -> Binding:
        if isinstance(value, ParameterHandle):
            return FromParameter(name=value.name)
        if isinstance(value, Output):
            if value._trace is not self:  # noqa: SLF001 -- its own class's handle
                raise Invalid(f"'{owner}' is given {value}, which belongs to another pipeline.")
            if not value.chosen:
                raise Invalid(f"The step '{value.node}' returns {quoted(value.outputs)}: say which, e.g. x['name'].")
            return FromStep(node=value.node, output=value.chosen)
        if isinstance(value, list | tuple) and any(isinstance(item, _Handle | list | tuple) for item in value):
            return Listed(items=tuple(self._binding(owner, argument, item) for item in value))
        plain = list(value) if isinstance(value, tuple) else value
        if not is_plain(plain):
            raise Invalid(
                f"The step '{owner}' is given {argument} = {str(value)[:80]!r} ({type(value).__name__}). What is in "
                "a pipeline's text must be JSON: texts, numbers, booleans, lists, dictionaries; else make it in a step."
            )
        return Constant(value=plain)


class Drawn(Record):
    """A pipeline function's graph."""

    name: PipelineName
    entry: str
    description: str
    graph: Graph
    parameters: tuple[Parameter, ...]


class PipelineFunction(Generic[P, R]):
    """A function that wires steps. `draw()` runs it once and gives its graph."""

    def __init__(self, function: Callable[P, R], name: str) -> None:
        self.function = function
        self.name = PipelineName(name or function.__name__)
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__
        self.__qualname__ = function.__qualname__
        self.__name__ = function.__name__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the steps as plain functions, without a graph: only pipelines without `map_over` can."""
        return self.function(*args, **kwargs)

    def draw(self) -> Drawn:
        """The graph.

        Raises:
            Invalid: the function asks for values that are not known yet, or passes what is not JSON.
        """
        return self._trace()[0]

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The functions of the steps, by the names that the graph has for them."""
        return self._trace()[1]

    def _trace(self) -> tuple[Drawn, dict[str, Callable[..., Any]]]:
        trace = _Trace()
        parameters = _parameters(self.function)
        reset = _TRACE.set(trace)
        try:
            handles: dict[str, Any] = {parameter.name: ParameterHandle(parameter.name) for parameter in parameters}
            returned = self.function(**handles)  # type: ignore[call-arg]  # handles stand in for its parameters
        finally:
            _TRACE.reset(reset)
        result = None if returned is None else trace.binding("return", "the result", returned)
        drawn = Drawn(
            name=self.name,
            entry=f"{self.__module__}:{self.__qualname__}",
            description=inspect.getdoc(self.function) or "",
            graph=Graph(nodes=tuple(trace.nodes.values()), result=result),
            parameters=parameters,
        )
        return drawn, trace.functions


@overload
def pipeline(function: Callable[P, R], /) -> PipelineFunction[P, R]: ...
@overload
def pipeline(*, name: str = "") -> Callable[[Callable[P, R]], PipelineFunction[P, R]]: ...
def pipeline(function: Callable[..., Any] | None = None, /, *, name: str = "") -> Any:
    """Make a function a pipeline: its parameters are the pipeline's, its calls of steps the graph.

    >>> @step
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> @pipeline
    ... def twice(x: int = 1) -> int:
    ...     return double(double(x))
    >>> [node.name for node in twice.draw().graph.nodes]
    ['double', 'double-2']
    """

    def declare(target: Callable[P, R]) -> PipelineFunction[P, R]:
        return PipelineFunction(target, name)

    return declare if function is None else declare(function)


_KINDS: dict[Any, str] = {str: "str", int: "int", float: "float", bool: "bool", list: "list", dict: "dict"}


def _parameters(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    try:
        hints = typing.get_type_hints(function)
    except NameError:  # an annotation for type checkers only
        hints = {}
    return tuple(
        _parameter(name, hints.get(name), given) for name, given in inspect.signature(function).parameters.items()
    )


def _parameter(name: str, hint: Any, given: inspect.Parameter) -> Parameter:
    if given.kind in {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
        raise Invalid(f"A pipeline's parameters need names; '*{name}' has none.")
    kind: Any = _KINDS.get(typing.get_origin(hint) or hint, "any")
    if given.default is inspect.Parameter.empty:
        return Parameter(name=name, type=kind, required=True)
    default = list(given.default) if isinstance(given.default, tuple) else given.default
    if not is_plain(default):
        raise Invalid(f"The default of the parameter '{name}' is {default!r}, which is not JSON.")
    if kind == "float" and type(default) is int:
        default = float(default)
    return Parameter(name=name, type=kind, default=default)
