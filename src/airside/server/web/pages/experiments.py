"""Experiments and their runs."""

import zlib
from typing import Any

from airside.core.clock import from_ms
from airside.core.ids import ExperimentId, RunId
from airside.core.record import Record
from airside.server.web.completing import quoted
from airside.server.web.page import Call, Crumb, PageQuery, Table, Trouble, View, address, attempt, known, no_action
from airside.server.web.pages.run_columns import (
    ATTRIBUTES,
    DEFAULT,
    KINDS,
    NONE,
    RunRow,
    cell,
    columns_of,
    table,
)
from airside.server.web.pages.spread import metric_names, spread
from airside.tracking.operations.experiments import (
    CreateExperiment,
    DeleteExperiment,
    DeleteExperimentTag,
    GetExperiment,
    RenameExperiment,
    RestoreExperiment,
    SearchDatasets,
    SearchExperiments,
    SetExperimentTag,
)
from airside.tracking.operations.naming import ListNames
from airside.tracking.operations.runs import DeleteRun, RestoreRun, SearchRuns
from airside.tracking.records import Names, Run, RunPage

NOTE = "mlflow.note.content"
"""The tag that holds a description in markdown."""
QUIET = "mlflow."
"""Tags that clients set for themselves."""
STAGES = ("active", "deleted")
MAX_OFFERED = 300
WORDS = {"metrics": "Metrics", "params": "Parameters", "tags": "Tags"}


class Offered(Record):
    """Names that can be columns; those that are shown now are ticked."""

    kind: str
    words: str
    names: tuple[tuple[str, str], ...]
    is_cut: bool = False


def experiments(call: Call, query: PageQuery) -> View:
    """Every experiment, the newest change first."""
    text, stage = query.arguments.get("filter", ""), query.choice("stage", STAGES)
    page = call(
        SearchExperiments(
            filter=text,
            order_by=("last_update_time DESC",),
            view="deleted" if stage == "deleted" else "active",
            max_results=50,
            page_token=query.arguments.get("after", ""),
        )
    )
    heads = ("experiment_id", "name", "created_ms", "updated_ms")
    return View(
        template="experiments.html",
        title="Experiments",
        place="Experiments",
        crumbs=(Crumb(text="Experiments"),),
        shows={"page": page, "from_ms": from_ms, "text": text, "stage": stage, "topics": ("experiments",)},
        data=page,
        table=Table(heads=heads, rows=tuple(tuple(getattr(one, head) for head in heads) for one in page.items)),
    )


def create(call: Call, query: PageQuery) -> View:
    """Make an experiment by a form."""
    made = call(CreateExperiment(name=query.form.get("name", "").strip()))
    if query.form.get("text"):
        call(SetExperimentTag(experiment_id=made.experiment_id, key=NOTE, value=query.form["text"]))
    return View(redirect=address("/experiments/{}/runs", made.experiment_id), data=made)


def change(call: Call, query: PageQuery) -> View:
    """Rename, describe, tag, delete or restore an experiment, by a form's button.

    Raises:
        Invalid: the form asks for something else.
    """
    of, form = ExperimentId(query.names["experiment"]), query.form
    leads = address("/experiments/{}/runs", of)
    match form.get("do", ""):
        case "rename":
            done: object = call(RenameExperiment(experiment_id=of, new_name=form.get("name", "").strip()))
        case "describe":
            done = call(SetExperimentTag(experiment_id=of, key=NOTE, value=form.get("text", "")))
        case "untag":
            done = call(DeleteExperimentTag(experiment_id=of, key=form.get("key", "")))
        case "delete":
            done, leads = call(DeleteExperiment(experiment_id=of)), "/experiments"
        case "restore":
            done = call(RestoreExperiment(experiment_id=of))
        case "tag":
            done = call(
                SetExperimentTag(experiment_id=of, key=form.get("key", "").strip(), value=form.get("value", ""))
            )
        case other:
            raise no_action(other)
    return View(redirect=leads, data=done)


def runs(call: Call, query: PageQuery) -> View:
    """The runs of an experiment: `filter=` in the search language, `order=metrics.auc DESC`, `cols=user,params.lr`."""
    if "col" in query.several:
        chosen = ",".join(one for one in query.several["col"] if one != NONE) or NONE
        return View(redirect=query.link(col="", cols=chosen))
    experiment = call(GetExperiment(experiment_id=ExperimentId(query.names["experiment"])))
    order, text = query.arguments.get("order", ""), query.arguments.get("filter", "")
    ask = SearchRuns(**asked(query, experiment.experiment_id), view=_view_of(query))
    found = attempt(call, ask)
    page = RunPage(items=()) if isinstance(found, Trouble) else found
    rows = tuple(row(one) for one in page.items)
    columns = columns_of(rows, query.arguments.get("cols", ""))
    view_of = query.choice("view", ("table", "parallel"))
    return View(
        template="runs.html",
        title=experiment.name,
        place="Experiments",
        crumbs=(Crumb(text="Experiments", href="/experiments"), Crumb(text=experiment.name)),
        shows={
            "experiment": experiment,
            "tags": {tag.key: tag.value for tag in experiment.tags},
            "found": found,
            "view_of": view_of,
            **(_parallel(query, page.items, order) if view_of == "parallel" else {}),
            "page": page,
            "rows": rows,
            "columns": columns,
            "cell": cell,
            "order": order,
            "text": text,
            "stage": _view_of(query),
            "head_order": head_order,
            "from_ms": from_ms,
            "topics": ("runs", f"experiment:{experiment.experiment_id}"),
            "polls": any(one.info.status == "RUNNING" for one in page.items),
        },
        data={"experiment": experiment, "runs": found},
        table=table(rows, columns),
        modules=("complete",),
    )


def _view_of(query: PageQuery) -> Any:
    return query.choice("stage", STAGES)


def about(call: Call, query: PageQuery) -> View:
    """What an experiment is: its description, its tags, where its files lie, and the data that its runs read."""
    experiment = call(GetExperiment(experiment_id=ExperimentId(query.names["experiment"])))
    of = experiment.experiment_id
    data = attempt(call, SearchDatasets(experiment_ids=(of,)))
    return View(
        template="experiment.html",
        title=experiment.name,
        place="Experiments",
        crumbs=(
            Crumb(text="Experiments", href="/experiments"),
            Crumb(text=experiment.name, href=address("/experiments/{}/runs", of)),
            Crumb(text="About"),
        ),
        shows={
            "experiment": experiment,
            "tags": {tag.key: tag.value for tag in experiment.tags},
            "datasets": data,
            "quoted": quoted,
            "from_ms": from_ms,
        },
        data={"experiment": experiment, "datasets": data},
    )


def change_runs(call: Call, query: PageQuery) -> View:
    """Delete or restore the ticked runs.

    Raises:
        Invalid: the form asks for something else.
    """
    chosen = [RunId(one) for one in dict.fromkeys(query.form_several.get("run", ()))]
    wanted = query.form.get("do", "")
    if wanted not in ("delete", "restore"):
        raise no_action(wanted)
    for one in chosen:
        call(RestoreRun(run_id=one) if wanted == "restore" else DeleteRun(run_id=one))
    return View(redirect=query.link(after=""), data={"runs": chosen})


def choose_columns(call: Call, query: PageQuery) -> View:
    """A page to tick columns on; its form leads back to the runs with `cols=`."""
    experiment = call(GetExperiment(experiment_id=ExperimentId(query.names["experiment"])))
    of = experiment.experiment_id
    shown = tuple(name for name in query.arguments.get("cols", "").split(",") if name and name != NONE)
    offered = [Offered(kind="", words="Of every run", names=tuple(ATTRIBUTES.items()))]
    for kind in KINDS:
        names = known(
            attempt(call, ListNames(experiment_id=of, kind=kind, max_results=MAX_OFFERED)),  # type: ignore[arg-type]
            Names(items=()),
        )
        ordered = sorted(names.items, key=lambda name: name.startswith(QUIET))
        offered.append(
            Offered(
                kind=kind,
                words=WORDS[kind],
                names=tuple((f"{kind}.{name}", name) for name in ordered if "," not in name),
                is_cut=names.is_cut,
            )
        )
    leads = address("/experiments/{}/runs", of)
    return View(
        template="columns.html",
        title=f"Columns of {experiment.name}",
        place="Experiments",
        crumbs=(
            Crumb(text="Experiments", href="/experiments"),
            Crumb(text=experiment.name, href=leads),
            Crumb(text="Columns"),
        ),
        shows={
            "offered": offered,
            "shown": shown or (() if query.arguments.get("cols") else DEFAULT),
            "leads": leads,
            "kept": {key: value for key, value in query.arguments.items() if key not in {"cols", "after"}},
        },
        data={"offered": offered, "shown": shown},
    )


def asked(query: PageQuery, experiment: ExperimentId) -> dict[str, Any]:
    """The search that an address asks for in an experiment: of its runs, or of its traces."""
    order = query.arguments.get("order", "")
    return {
        "experiment_ids": (experiment,),
        "filter": query.arguments.get("filter", ""),
        "order_by": (order,) if order else (),
        "max_results": query.number("size", 50, least=1, most=200),
        "page_token": query.arguments.get("after", ""),
    }


def _parallel(query: PageQuery, items: tuple[Run, ...], order: str) -> dict[str, object]:
    """The runs as parallel coordinates; the last axis is the metric asked for, else the one they are ordered by."""
    names = metric_names(items)
    ordered = next((name for name in names if order.startswith(f"metrics.`{name}` ")), "")
    last = query.choice("last", (ordered, *names) if ordered else names) if names else ""
    return {"spread": spread(items, last), "metric_names": names, "last": last}


def row(one: Run) -> RunRow:
    """A run with its metrics, parameters and tags by name."""
    return RunRow(
        it=one,
        metrics={metric.key: metric.value for metric in one.metrics},
        params={param.key: param.value for param in one.params},
        tags={tag.key: tag.value for tag in one.tags},
        colour=colour(one.info.run_id),
    )


def colour(run_id: str) -> int:
    """The colour that a run has on every page: 1 … 8, by its id.

    >>> colour("0") in range(1, 9)
    True
    """
    return zlib.crc32(run_id.encode()) % 8 + 1


def head_order(key: str, order: str) -> str:
    """What a click on a column's head asks for next: descending, ascending, then the default.

    >>> head_order("metrics.`auc`", ""), head_order("metrics.`auc`", "metrics.`auc` DESC")
    ('metrics.`auc` DESC', 'metrics.`auc` ASC')
    """
    return {f"{key} DESC": f"{key} ASC", f"{key} ASC": ""}.get(order, f"{key} DESC")


def one_experiment(_call: Call, query: PageQuery) -> View:
    """`/experiments/E` leads to its runs."""
    return View(redirect=address("/experiments/{}/runs", query.names["experiment"]))
