"""One run: what it was, what it logged, its curves, its inputs and outputs, its files."""

import msgspec

from airside.core.clock import from_ms
from airside.core.ids import RunId
from airside.core.record import Record
from airside.registry.operations.versions import SearchVersions
from airside.registry.records import VersionPage
from airside.server.web.completing import quoted
from airside.server.web.page import Call, Crumb, PageQuery, Table, Trouble, View, address, attempt, block, no_action
from airside.server.web.pages.charts import Asked, asked_of, chart, curves_of, kept
from airside.server.web.pages.curves import CurveData
from airside.server.web.pages.experiments import NOTE, colour
from airside.server.web.pages.media import media
from airside.server.web.pages.run_columns import seconds
from airside.tracking.capture.operations import GetCaptures
from airside.tracking.capture.records import Capture
from airside.tracking.operations.experiments import GetExperiment
from airside.tracking.operations.logging import DeleteRunTag, SetRunTag
from airside.tracking.operations.runs import DeleteRun, GetRun, RestoreRun, SearchRuns, UpdateRun
from airside.tracking.records import Metric, Run

TABS = ("overview", "metrics", "media", "artifacts", "inputs")
MAX_CURVES = 24
OVERVIEW_CURVES = 4
MAX_TOGETHER = 16
MAX_CAPTURES = 20
MAX_CHILDREN = 50
SYSTEM = "system/"
HEADS = ("key", "latest_value", "step", "timestamp_ms")
MODULES: dict[str, tuple[str, ...]] = {
    "overview": ("curve",),
    "metrics": ("curve",),
    "artifacts": ("files",),
    "media": ("tables",),
}


class Family(Record):
    """Metrics that are one thing seen on several data: `train/loss` and `val/loss`."""

    name: str
    keys: tuple[str, ...]


def run(call: Call, query: PageQuery) -> View:
    """One run; its tab decides what is asked."""
    if "key" in query.several:
        return View(redirect=query.link(key="", keys=",".join(dict.fromkeys(query.several["key"]))))
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
                ("media", "Images and tables", None),
                ("artifacts", "Artifacts", None),
                ("inputs", "Inputs and outputs", _n_joined(found)),
            ),
            "tags": tags,
            "note": tags.get(NOTE, ""),
            "colour": colour(found.info.run_id),
            "from_ms": from_ms,
            "quoted": quoted,
            "seconds": seconds(found),
            "topics": (f"run:{found.info.run_id}",) if found.info.status == "RUNNING" else (),
            "polls": found.info.status == "RUNNING",
            **(_around(call, found) if tab == "overview" else {}),
            "made_by": _made_by(call, found.info.run_id) if tab == "overview" else (),
            **(_charts(call, query, found, tab) if tab in {"overview", "metrics"} else {}),
            **(media(call, query, found) if tab == "media" else {}),
            **({"versions": _versions(call, found)} if tab == "inputs" else {}),
        },
        data={"run": found, "experiment": experiment},
        table=Table(heads=HEADS, rows=tuple((m.key, m.value, m.step, m.timestamp_ms) for m in found.metrics)),
        modules=MODULES.get(tab, ()),
    )


def change(call: Call, query: PageQuery) -> View:
    """Rename, describe, tag, delete or restore a run, by a form's button.

    Raises:
        Invalid: the form asks for something else.
    """
    of, form = RunId(query.names["run"]), query.form
    match form.get("do", ""):
        case "rename":
            done: object = call(UpdateRun(run_id=of, name=form.get("name", "").strip()))
        case "describe":
            done = call(SetRunTag(run_id=of, key=NOTE, value=form.get("text", "")))
        case "untag":
            done = call(DeleteRunTag(run_id=of, key=form.get("key", "")))
        case "delete":
            done = call(DeleteRun(run_id=of))
        case "restore":
            done = call(RestoreRun(run_id=of))
        case "tag":
            done = call(SetRunTag(run_id=of, key=form.get("key", "").strip(), value=form.get("value", "")))
        case other:
            raise no_action(other)
    return View(redirect=address("/runs/{}", of), data=done)


def _n_joined(found: Run) -> int:
    return len(found.dataset_inputs) + len(found.model_inputs) + len(found.model_outputs)


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
    return {
        "children": attempt(call, below),
        "versions": _versions(call, found),
        "traces_filter": f"run_id = {quoted(info.run_id)}",
    }


def _versions(call: Call, found: Run) -> VersionPage | Trouble:
    """The versions that were registered from it."""
    return attempt(call, SearchVersions(filter=f"run_id = {quoted(found.info.run_id)}", max_results=MAX_CHILDREN))


def _charts(call: Call, query: PageQuery, found: Run, tab: str) -> dict[str, object]:
    most = OVERVIEW_CURVES if tab == "overview" else MAX_CURVES
    text = query.arguments.get("filter", "")
    asked = Asked() if tab == "overview" else asked_of(query)
    keys = curve_keys(found, text)
    every = keys if not text else curve_keys(found)
    chosen = tuple(key for key in query.arguments.get("keys", "").split(",") if key in every)[:MAX_TOGETHER]
    curves = [(key, _block(call, found.info.run_id, (key,), asked)) for key in keys[:most]]
    return {
        "together": _block(call, found.info.run_id, chosen, asked) if chosen and tab == "metrics" else None,
        "chosen": chosen,
        "every": every,
        "families": families(every),
        "curves": tuple((key, drawn) for key, drawn in curves if drawn is not None),
        "n_hidden": max(len(keys) - most, 0),
        "asked": asked,
        "text": text,
    }


def _block(call: Call, run_id: RunId, keys: tuple[str, ...], asked: Asked) -> CurveData | Trouble | None:
    return block(lambda: drawn(call, run_id, keys, asked))


def drawn(call: Call, run_id: RunId, keys: tuple[str, ...], asked: Asked) -> CurveData | None:
    """Metrics of one run in one chart. One point is a figure, not a curve."""
    lines = [(key, one, 0) for key in keys for one in curves_of(call, (run_id,), key, asked)]
    made = chart(lines, asked)
    more = address("/runs/{}/curve.json", run_id, keys=",".join(keys), **kept(asked))
    return None if made is None else msgspec.structs.replace(made, more=more)


def closer(call: Call, query: PageQuery) -> View:
    """`/runs/R/curve.json?keys=loss&x0=&x1=`: a part of a chart, more closely. Its page is the tab of metrics."""
    run_id = RunId(query.names["run"])
    if query.twin == "html":
        return View(redirect=address("/runs/{}", run_id, tab="metrics"))
    keys = tuple(key for key in query.arguments.get("keys", "").split(",") if key)[:MAX_TOGETHER]
    return View(data=drawn(call, run_id, keys, asked_of(query)))


def curve_keys(found: Run, text: str = "") -> tuple[str, ...]:
    """The metrics worth a curve: those that moved past their first step; the machine's own come last."""

    def key(metric: Metric) -> tuple[bool, bool, str]:
        return (metric.key.startswith(SYSTEM), metric.step == 0, metric.key)

    wanted = [metric for metric in found.metrics if text.lower() in metric.key.lower()]
    return tuple(metric.key for metric in sorted(wanted, key=key) if metric.step != 0 or metric.key.startswith(SYSTEM))


def families(keys: tuple[str, ...]) -> tuple[Family, ...]:
    """Metrics whose names end alike: worth one chart together.

    >>> families(("train/loss", "val/loss", "auc"))
    (Family(name='loss', keys=('train/loss', 'val/loss')),)
    """
    alike: dict[str, list[str]] = {}
    for key in keys:
        if not key.startswith(SYSTEM):
            alike.setdefault(key.rpartition("/")[2], []).append(key)
    return tuple(Family(name=name, keys=tuple(some)) for name, some in alike.items() if len(some) > 1)
