"""Experiments and their runs."""

import zlib
from typing import Any

from airside.core.clock import from_ms
from airside.core.ids import ExperimentId
from airside.core.record import Record
from airside.server.web.format import decimals
from airside.server.web.page import Call, Crumb, PageQuery, Table, Trouble, View, address, attempt
from airside.server.web.pages.spread import metric_names, spread
from airside.tracking.operations.experiments import GetExperiment, SearchExperiments
from airside.tracking.operations.runs import SearchRuns
from airside.tracking.records import Run, RunPage

MAX_COLUMNS = 8
RUN_HEADS = ("run_id", "name", "status", "started_at", "duration_s", "user")


class RunRow(Record):
    """A run as a row: parameters and metrics by name."""

    it: Run
    metrics: dict[str, float | None]
    params: dict[str, str]
    colour: int


class Columns(Record):
    """The columns of a run table: the most common names; `hidden` counts those left out."""

    metrics: tuple[str, ...]
    params: tuple[str, ...]
    places: dict[str, int]
    hidden: int


def experiments(call: Call, query: PageQuery) -> View:
    """Every experiment, the newest change first."""
    text = query.arguments.get("filter", "")
    page = call(
        SearchExperiments(
            filter=text,
            order_by=("last_update_time DESC",),
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
        shows={"page": page, "from_ms": from_ms, "text": text, "topics": ("experiments",)},
        data=page,
        table=Table(heads=heads, rows=tuple(tuple(getattr(one, head) for head in heads) for one in page.items)),
    )


def runs(call: Call, query: PageQuery) -> View:
    """The runs of an experiment: `filter=` in the search language, `order=metrics.auc DESC`."""
    experiment = call(GetExperiment(experiment_id=ExperimentId(query.names["experiment"])))
    order, text = query.arguments.get("order", ""), query.arguments.get("filter", "")
    found = attempt(call, SearchRuns(**asked(query, experiment.experiment_id)))
    page = RunPage(items=()) if isinstance(found, Trouble) else found
    rows = tuple(row(one) for one in page.items)
    columns = columns_of(rows)
    view_of = query.choice("view", ("table", "parallel"))
    return View(
        template="runs.html",
        title=experiment.name,
        place="Experiments",
        crumbs=(Crumb(text="Experiments", href="/experiments"), Crumb(text=experiment.name)),
        shows={
            "experiment": experiment,
            "found": found,
            "view_of": view_of,
            **(_parallel(query, page.items, order) if view_of == "parallel" else {}),
            "page": page,
            "rows": rows,
            "columns": columns,
            "order": order,
            "text": text,
            "head_order": head_order,
            "from_ms": from_ms,
            "topics": ("runs", f"experiment:{experiment.experiment_id}"),
        },
        data={"experiment": experiment, "runs": found},
        table=_table(rows),
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


def quoted(text: str) -> str:
    """A text as a value of the search language.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def row(one: Run) -> RunRow:
    """A run with its metrics and parameters by name."""
    return RunRow(
        it=one,
        metrics={metric.key: metric.value for metric in one.metrics},
        params={param.key: param.value for param in one.params},
        colour=colour(one.info.run_id),
    )


def colour(run_id: str) -> int:
    """The colour that a run has on every page: 1 … 8, by its id.

    >>> colour("0") in range(1, 9)
    True
    """
    return zlib.crc32(run_id.encode()) % 8 + 1


def columns_of(rows: tuple[RunRow, ...]) -> Columns:
    """The names that most runs have, at most eight of metrics and of parameters each."""
    metrics = _common([tuple(one.metrics) for one in rows])
    params = _common([tuple(one.params) for one in rows])
    shown = metrics[:MAX_COLUMNS]
    places = {key: decimals([one.metrics.get(key) for one in rows]) for key in shown}
    hidden = max(len(metrics) - MAX_COLUMNS, 0) + max(len(params) - MAX_COLUMNS, 0)
    return Columns(metrics=shown, params=params[:MAX_COLUMNS], places=places, hidden=hidden)


def _common(names: list[tuple[str, ...]]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for some in names:
        for name in some:
            counts[name] = counts.get(name, 0) + 1
    return tuple(sorted(counts, key=lambda name: (-counts[name], name)))


def head_order(key: str, order: str) -> str:
    """What a click on a column's head asks for next: descending, ascending, then the default.

    >>> head_order("metrics.`auc`", ""), head_order("metrics.`auc`", "metrics.`auc` DESC")
    ('metrics.`auc` DESC', 'metrics.`auc` ASC')
    """
    return {f"{key} DESC": f"{key} ASC", f"{key} ASC": ""}.get(order, f"{key} DESC")


def _table(rows: tuple[RunRow, ...]) -> Table:
    metrics = sorted({key for one in rows for key in one.metrics})
    params = sorted({key for one in rows for key in one.params})
    heads = (*RUN_HEADS, *(f"metrics.{key}" for key in metrics), *(f"params.{key}" for key in params))
    return Table(heads=heads, rows=tuple(_cells(one, metrics, params) for one in rows))


def _cells(one: RunRow, metrics: list[str], params: list[str]) -> tuple[object, ...]:
    info = one.it.info
    duration = (info.end_time_ms - info.start_time_ms) / 1000 if info.end_time_ms else None
    started = from_ms(info.start_time_ms) if info.start_time_ms else None
    head = (info.run_id, info.name, info.status, started, duration, info.user_id)
    return (*head, *(one.metrics.get(key) for key in metrics), *(one.params.get(key) for key in params))


def one_experiment(_call: Call, query: PageQuery) -> View:
    """`/experiments/E` leads to its runs."""
    return View(redirect=address("/experiments/{}/runs", query.names["experiment"]))
