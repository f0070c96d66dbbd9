"""Pipelines and their runs: the graph with each step's state, why it ran, what it said."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from airside.core.errors import NotFound
from airside.core.ids import PipelineName, PipelineRunId
from airside.core.record import Record
from airside.pipelines.operations.pipelines import GetPipeline, ListPipelines
from airside.pipelines.operations.runs import GetRun, ListRuns
from airside.pipelines.operations.steps import GetStepLog, ListSteps
from airside.pipelines.operations.triggers import ListTriggers
from airside.pipelines.records import Binding, FromStep, Graph, Listed, Node, Pipeline, PipelineRun, StepRun
from airside.server.web.drawing.graph import Drawing, draw, reduced
from airside.server.web.format import count, duration
from airside.server.web.page import Call, Crumb, PageQuery, Table, View, address, attempt
from airside.server.web.pages.lineage import GraphNode, cut
from airside.server.web.status import light

HEADS = ("step", "attempt", "state", "cached", "seconds", "started_at", "ended_at", "reason", "error")
CAUSES = {
    "manual": "by hand",
    "alert": "by an alert",
    "dataset": "by a new dataset version",
    "promotion": "by a promotion",
    "cron": "by its schedule",
}
RUN_HEADS = ("id", "pipeline", "version", "state", "created_at", "started_at", "ended_at", "steps_done", "steps_total")


class GraphPicture(Record):
    """A pipeline's drawn graph."""

    drawing: Drawing
    nodes: dict[str, GraphNode]


def pipelines(call: Call, query: PageQuery) -> View:
    """Every pipeline with its last run."""
    page = call(ListPipelines(max_results=50, page_token=query.arguments.get("after", "")))
    heads = ("name", "version", "runs", "last_run", "last_state")
    rows = tuple((o.pipeline.name, o.pipeline.version, o.runs, o.last_run, o.last_state) for o in page.items)
    return View(
        template="pipelines.html",
        title="Pipelines",
        place="Pipelines",
        crumbs=(Crumb(text="Pipelines"),),
        shows={"page": page, "topics": ("pipelines", "pipeline_runs")},
        data=page,
        table=Table(heads=heads, rows=rows),
    )


def pipeline(call: Call, query: PageQuery) -> View:
    """One pipeline: its graph, what starts it, its last runs."""
    found = call(GetPipeline(name=PipelineName(query.names["name"])))
    runs = call(ListRuns(pipeline=found.name, max_results=25, page_token=query.arguments.get("after", "")))
    return View(
        template="pipeline.html",
        title=found.name,
        place="Pipelines",
        crumbs=(Crumb(text="Pipelines", href="/pipelines"), Crumb(text=found.name)),
        shows={
            "pipeline": found,
            "picture": picture(found.graph, {}, ""),
            "runs": runs,
            "triggers": attempt(call, ListTriggers(pipeline=found.name)),
            "topics": ("pipeline_runs", f"pipeline:{found.name}"),
        },
        data={"pipeline": found, "runs": runs},
        table=Table(heads=RUN_HEADS, rows=tuple(tuple(getattr(one, head) for head in RUN_HEADS) for one in runs.items)),
    )


def pipeline_run(call: Call, query: PageQuery) -> View:
    """One run: its graph with the state of each step, and the steps as a table."""
    found = call(GetRun(run_id=PipelineRunId(query.names["run"])))
    definition = call(GetPipeline(name=found.pipeline, version=found.version))
    steps = call(ListSteps(run_id=found.id)).items
    by_node = grouped(steps)
    return View(
        template="pipeline_run.html",
        title=f"{found.pipeline}, run",
        place="Pipelines",
        crumbs=_crumbs(definition, found),
        shows={
            "run": found,
            "pipeline": definition,
            "picture": picture(definition.graph, by_node, found.id),
            "steps": steps,
            "causes": CAUSES,
            "n_cached": sum(one.cached for one in steps),
            "seconds": _between(found.started_at, found.ended_at),
            "waiting": tuple(one for one in steps if one.state == "waiting"),
            "topics": (f"pipeline_run:{found.id}", "pipeline_runs"),
        },
        data={"run": found, "steps": steps},
        table=Table(heads=HEADS, rows=tuple(tuple(getattr(one, head) for head in HEADS) for one in steps)),
    )


def step(call: Call, query: PageQuery) -> View:
    """One step of a run: its attempts, outputs, why it ran, what it said."""
    found = call(GetRun(run_id=PipelineRunId(query.names["run"])))
    definition = call(GetPipeline(name=found.pipeline, version=found.version))
    name = query.names["step"]
    attempts = tuple(
        one for one in call(ListSteps(run_id=found.id, latest=False)).items if name in {one.step, one.node}
    )
    node = next((one for one in definition.graph.nodes if one.name == name.partition("[")[0]), None)
    if node is None:
        raise NotFound(f"No step '{name[:60]}' in pipeline '{found.pipeline}'. Its run's page lists them.")
    latest = attempts[-1] if attempts else None
    return View(
        template="step.html",
        title=name,
        place="Pipelines",
        crumbs=(*_crumbs(definition, found, with_link=True), Crumb(text=name)),
        shows={
            "run": found,
            "node": node,
            "attempts": attempts,
            "latest": latest,
            "log": attempt(call, GetStepLog(run_id=found.id, step=latest.step)) if latest else None,
            "topics": (f"pipeline_run:{found.id}",),
        },
        data={"node": node, "attempts": attempts},
        table=Table(heads=HEADS, rows=tuple(tuple(getattr(one, head) for head in HEADS) for one in attempts)),
    )


def _crumbs(definition: Pipeline, found: PipelineRun, *, with_link: bool = False) -> tuple[Crumb, ...]:
    return (
        Crumb(text="Pipelines", href="/pipelines"),
        Crumb(text=definition.name, href=address("/pipelines/{}", definition.name)),
        Crumb(text=f"run {found.id[-8:]}", href=address("/pipeline-runs/{}", found.id) if with_link else ""),
    )


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end else None


def grouped(steps: Sequence[StepRun]) -> dict[str, list[StepRun]]:
    """The step runs of each node: several for a fan-out."""
    by_node: dict[str, list[StepRun]] = {}
    for one in steps:
        by_node.setdefault(one.node, []).append(one)
    return by_node


def sources(node: Node) -> tuple[str, ...]:
    """The nodes that a node waits for."""
    found: list[str] = list(node.after)
    for binding in node.bindings.values():
        found.extend(_sources(binding))
    return tuple(dict.fromkeys(found))


def _sources(binding: Binding) -> list[str]:
    if isinstance(binding, FromStep):
        return [binding.node]
    if isinstance(binding, Listed):
        return [source for item in binding.items for source in _sources(item)]
    return []


def picture(graph: Graph, by_node: Mapping[str, Sequence[StepRun]], run_id: str) -> GraphPicture:
    """The graph, left to right; positions come from the graph alone, so nothing moves while it runs.

    Arrows that follow from others are left out: what a step reads stands on its own page.
    """
    ids = [node.name for node in graph.nodes]
    edges = [(source, node.name) for node in graph.nodes for source in sources(node)]
    nodes = {node.name: _node(node, by_node.get(node.name, ()), run_id) for node in graph.nodes}
    return GraphPicture(drawing=draw(ids, reduced(ids, edges)), nodes=nodes)


def state_of(parts: Sequence[StepRun]) -> str:
    """The state of a node: of a fan-out, that which needs attention first."""
    states = {"cached" if one.cached and one.state == "succeeded" else one.state for one in parts}
    order = ("failed", "interrupted", "running", "waiting", "cancelled", "skipped", "succeeded", "cached")
    return next((state for state in order if state in states), "planned")


def _node(node: Node, parts: Sequence[StepRun], run_id: str) -> GraphNode:
    state = state_of(parts) if run_id else "defined"
    it = light(state)
    is_fan_out = bool(node.mapped)
    done = sum(one.state == "succeeded" for one in parts)
    text = f"{cut(node.name, 14)} × {len(parts)}" if is_fan_out and parts else cut(node.name)
    under = _under(state, parts, done) if run_id else ("fan-out" if is_fan_out else "" if node.function else "approval")
    return GraphNode(
        state=f"{it.state}{' planned' if state == 'planned' else ''}" if run_id else "",
        icon=it.icon if run_id else ("user" if not node.function else "workflow"),
        text=text,
        under=under,
        href=address("/pipeline-runs/{}/steps/{}", run_id, node.name) if run_id else "",
        title=f"{node.name}: {it.word}" if run_id else (node.summary or node.name),
    )


def _under(state: str, parts: Sequence[StepRun], done: int) -> str:
    if state == "cached":
        return "from cache"
    if len(parts) > 1 and done < len(parts):
        return f"{count(done)} of {count(len(parts))}"
    if state == "succeeded":
        return duration(sum(one.seconds for one in parts))
    return light(state).word.lower()
