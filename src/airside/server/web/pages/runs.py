"""One run: what it was, what it logged, its curves, its inputs and outputs, its files."""

from airside.core.clock import from_ms
from airside.core.ids import RunId
from airside.registry.operations.versions import SearchVersions
from airside.server.web.page import Call, Crumb, PageQuery, Table, Trouble, View, address, attempt, block
from airside.server.web.pages.curves import CurveData, Line, told
from airside.server.web.pages.experiments import colour, quoted
from airside.tracking.capture.operations import GetCaptures
from airside.tracking.capture.records import Capture
from airside.tracking.operations.experiments import GetExperiment
from airside.tracking.operations.histories import GetCurves
from airside.tracking.operations.runs import GetRun, SearchRuns
from airside.tracking.records import Metric, Run

TABS = ("overview", "metrics", "artifacts", "inputs")
MAX_CURVES = 24
OVERVIEW_CURVES = 4
MAX_CAPTURES = 20
MAX_CHILDREN = 50
SYSTEM = "system/"
HEADS = ("key", "latest_value", "step", "timestamp_ms")
MODULES: dict[str, tuple[str, ...]] = {"overview": ("curve",), "metrics": ("curve",), "artifacts": ("files",)}
AXES = {"step": "step", "relative": "seconds", "wall": "at"}


def run(call: Call, query: PageQuery) -> View:
    """One run; its tab decides what is asked."""
    found = call(GetRun(run_id=RunId(query.names["run"])))
    experiment = call(GetExperiment(experiment_id=found.info.experiment_id))
    tab = query.choice("tab", TABS)
    tags = {tag.key: tag.value for tag in found.tags}
    return View(
        template=f"run_{tab}.html",
        title=found.info.name or found.info.run_id,
        place="Experiments",
        crumbs=(
            Crumb(text="Experiments", href="/experiments"),
            Crumb(text=experiment.name, href=address("/experiments/{}/runs", experiment.experiment_id)),
            Crumb(text=found.info.name or found.info.run_id),
        ),
        shows={
            "run": found,
            "experiment": experiment,
            "tab": tab,
            "tabs": (
                ("overview", "Overview", None),
                ("metrics", "Metrics", len(found.metrics)),
                ("artifacts", "Artifacts", None),
                ("inputs", "Inputs", len(found.dataset_inputs) + len(found.model_inputs)),
            ),
            "tags": tags,
            "colour": colour(found.info.run_id),
            "from_ms": from_ms,
            "seconds": seconds(found),
            "topics": (f"run:{found.info.run_id}",) if found.info.status == "RUNNING" else (),
            **(_around(call, found) if tab == "overview" else {}),
            "made_by": _made_by(call, found.info.run_id) if tab == "overview" else (),
            **_part(call, query, found, tab),
        },
        data={"run": found, "experiment": experiment},
        table=Table(heads=HEADS, rows=tuple((m.key, m.value, m.step, m.timestamp_ms) for m in found.metrics)),
        modules=MODULES.get(tab, ()),
    )


def seconds(found: Run) -> float | None:
    """How long it took; None while it runs, and where no start was told."""
    info = found.info
    if info.end_time_ms is None or not info.start_time_ms:
        return None
    return (info.end_time_ms - info.start_time_ms) / 1000


def _made_by(call: Call, run_id: RunId) -> tuple[Capture, ...] | Trouble:
    """What was captured of the processes that made it; of very many, the first."""
    return block(lambda: call(GetCaptures(run_id=run_id)).items[:MAX_CAPTURES])


def _around(call: Call, found: Run) -> dict[str, object]:
    """The runs below it, and the versions that were registered from it."""
    info = found.info
    below = SearchRuns(
        experiment_ids=(info.experiment_id,),
        filter=f"tags.`mlflow.parentRunId` = {quoted(info.run_id)}",
        max_results=MAX_CHILDREN,
    )
    made = SearchVersions(filter=f"run_id = {quoted(info.run_id)}", max_results=MAX_CHILDREN)
    return {
        "children": attempt(call, below),
        "versions": attempt(call, made),
        "traces_filter": f"run_id = {quoted(info.run_id)}",
    }


def _part(call: Call, query: PageQuery, found: Run, tab: str) -> dict[str, object]:
    if tab not in {"overview", "metrics"}:
        return {}
    most = OVERVIEW_CURVES if tab == "overview" else MAX_CURVES
    keys = curve_keys(found, query.arguments.get("filter", ""))
    axis = query.choice("axis", tuple(AXES))
    smoothing = min(query.number("smoothing", 0, least=0, most=99) / 100, 0.99)
    curves = [(key, _one_curve(call, found.info.run_id, key, axis, smoothing)) for key in keys[:most]]
    return {
        "curves": tuple((key, drawn) for key, drawn in curves if drawn is not None),
        "n_hidden": max(len(keys) - most, 0),
        "axis": axis,
        "smoothing": smoothing,
        "text": query.arguments.get("filter", ""),
    }


def _one_curve(call: Call, run_id: RunId, key: str, axis: str, smoothing: float) -> CurveData | Trouble | None:
    return block(lambda: curve(call, run_id, key, axis, smoothing))


def curve_keys(found: Run, text: str = "") -> tuple[str, ...]:
    """The metrics worth a curve: those that moved past their first step; the machine's own come last."""

    def key(metric: Metric) -> tuple[bool, bool, str]:
        return (metric.key.startswith(SYSTEM), metric.step == 0, metric.key)

    wanted = [metric for metric in found.metrics if text.lower() in metric.key.lower()]
    return tuple(metric.key for metric in sorted(wanted, key=key) if metric.step != 0 or metric.key.startswith(SYSTEM))


def curve(call: Call, run_id: RunId, key: str, axis: str, smoothing: float) -> CurveData | None:
    """A metric of one run; with smoothing, the raw line stays behind. One point is a figure, not a curve."""
    drawn = call(GetCurves(run_ids=(run_id,), key=key, axis=axis, smoothing=smoothing))  # type: ignore[arg-type]
    it = drawn.items[0] if drawn.items else None
    if it is None or len(it.x) < 2:
        return None
    x = tuple(at / 1000 for at in it.x) if axis == "wall" else it.x
    lines = [Line(label=key, values=it.smooth or it.y)]
    if it.smooth:
        lines.append(Line(label="as logged", values=it.y, faint=True))
    words = [f"{AXES[axis]} {at:g}" for at in it.x]
    return CurveData(
        x=x,
        x_kind="time" if axis == "wall" else "number",
        x_name=AXES[axis],
        lines=tuple(lines),
        n_points=it.n_points,
        n_sent=it.n_sent,
        sentence=told(lines[0], words),
    )
