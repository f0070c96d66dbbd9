"""Several runs beside each other: what differs, and their curves over one another."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from airside.core.clock import from_ms
from airside.core.errors import Invalid
from airside.core.ids import RunId
from airside.core.record import Record
from airside.server.web.format import decimals, duration, instant, number, signed
from airside.server.web.page import Call, Crumb, PageQuery, Table, Trouble, View, address, attempt, block
from airside.server.web.pages.charts import Asked, asked_of, chart, curves_of, kept
from airside.server.web.pages.curves import CurveData
from airside.server.web.pages.experiments import colour
from airside.server.web.pages.run_columns import seconds
from airside.server.web.pages.runs import curve_keys
from airside.server.web.pages.spread import metric_names, spread
from airside.tracking.operations.runs import GetRun
from airside.tracking.records import Run

TABS = ("differences", "curves", "parallel")
MAX_RUNS = 20
MAX_CHARTS = 12
COLOURS = 8
QUIET = "mlflow."
"""Tags that clients set for themselves."""


class Cell(Record):
    """A value of a run; `change` against the first run's, where both are numbers."""

    text: str = ""
    full: str = ""
    change: str = ""
    is_missing: bool = False


class Fact(Record):
    """A fact of all runs."""

    name: str
    cells: tuple[Cell, ...]
    is_same: bool


class Part(Record):
    """Facts of one kind; those that are the same in all runs are counted, unless all are asked for."""

    title: str
    lines: tuple[Fact, ...]
    n_same: int


def compare(call: Call, query: PageQuery) -> View:
    """`/compare?runs=A,B`; a form's `run=A&run=B` leads there."""
    if query.several.get("run"):
        return View(redirect=address("/compare", runs=",".join(dict.fromkeys(query.several["run"]))))
    wanted = wanted_runs(query)
    asked = [attempt(call, GetRun(run_id=one)) for one in wanted]
    found = [one for one in asked if not isinstance(one, Trouble)]
    tab = query.choice("tab", TABS)
    return View(
        template="compare.html",
        title=f"Compare {len(found)} runs",
        place="Experiments",
        crumbs=(Crumb(text="Experiments", href="/experiments"), Crumb(text="Compare")),
        shows={
            "runs": found,
            "troubles": [one for one in asked if isinstance(one, Trouble)],
            "colours": colours([one.info.run_id for one in found]),
            "tab": tab,
            "tabs": tuple((key, key.capitalize(), None) for key in TABS),
            "without": {
                one.info.run_id: query.link(runs=",".join(other for other in wanted if other != one.info.run_id))
                for one in found
            },
            **(_SHOWN[tab](call, query, found) if found else {}),
        },
        data={"runs": found},
        table=Table(
            heads=("kind", "name", *(one.info.run_id for one in found)),
            rows=tuple(
                (part.title, line.name, *(cell.full for cell in line.cells))
                for part in parts(found, only_differing=False)
                for line in part.lines
            ),
        ),
        modules=("curve",) if tab == "curves" else (),
    )


def wanted_runs(query: PageQuery) -> list[RunId]:
    """The runs that an address names.

    Raises:
        Invalid: they are too many.
    """
    wanted = [RunId(one) for one in dict.fromkeys(query.arguments.get("runs", "").split(",")) if one]
    if len(wanted) > MAX_RUNS:
        raise Invalid(f"At most {MAX_RUNS} runs can stand beside each other, got {len(wanted)}. Choose fewer.")
    return wanted


def colours(run_ids: Sequence[str]) -> dict[str, int]:
    """The colour of each run: the one that it has everywhere, or the next free one where two would have the same.

    >>> sorted(colours([str(i) for i in range(8)]).values())
    [1, 2, 3, 4, 5, 6, 7, 8]
    """
    taken: dict[str, int] = {}
    for run_id in run_ids:
        own = colour(run_id)
        free = [(own + i - 1) % COLOURS + 1 for i in range(COLOURS)]
        taken[run_id] = next((one for one in free if one not in taken.values()), own)
    return taken


def _differences(_call: Call, query: PageQuery, found: Sequence[Run]) -> dict[str, object]:
    shows_all = query.arguments.get("all") == "1"
    return {"parts": parts(found, only_differing=not shows_all), "shows_all": shows_all}


def parts(found: Sequence[Run], *, only_differing: bool) -> tuple[Part, ...]:
    """What the runs are, parameters, metrics and tags, row by row."""
    kinds: tuple[tuple[str, list[Fact]], ...] = (
        ("Run", [_texts(name, [get(one) for one in found]) for name, get in FACTS.items()]),
        ("Parameters", _texts_by_key([{one.key: one.value for one in run.params} for run in found])),
        ("Metrics", _numbers_by_key([{one.key: one.value for one in run.metrics} for run in found])),
        ("Tags", _texts_by_key([_tags(run) for run in found])),
    )
    made = []
    for title, lines in kinds:
        shown = [line for line in lines if not (only_differing and line.is_same)]
        made.append(Part(title=title, lines=tuple(shown), n_same=len(lines) - len(shown)))
    return tuple(made)


def _took(run: Run) -> str:
    took = seconds(run)
    return "" if took is None else duration(took)


FACTS: dict[str, Callable[[Run], str | None]] = {
    "state": lambda run: run.info.status.capitalize(),
    "started": lambda run: instant(from_ms(run.info.start_time_ms)) if run.info.start_time_ms else None,
    "took": lambda run: _took(run) or None,
    "user": lambda run: run.info.user_id or None,
    "experiment": lambda run: run.info.experiment_id,
    "source": lambda run: _tag(run, "mlflow.source.name"),
    "commit": lambda run: _tag(run, "mlflow.source.git.commit"),
    "data": lambda run: ", ".join(f"{one.dataset.name} {one.dataset.digest}" for one in run.dataset_inputs) or None,
}


def _tag(run: Run, key: str) -> str | None:
    return next((tag.value for tag in run.tags if tag.key == key and tag.value), None)


def _tags(run: Run) -> dict[str, str]:
    return {tag.key: tag.value for tag in run.tags if not tag.key.startswith(QUIET)}


def _texts_by_key(every: Sequence[Mapping[str, str]]) -> list[Fact]:
    keys = sorted({key for one in every for key in one})
    return [_texts(key, [one.get(key) for one in every]) for key in keys]


def _texts(name: str, values: Sequence[str | None]) -> Fact:
    cells = tuple(Cell(is_missing=True) if text is None else Cell(text=text[:120], full=text) for text in values)
    return Fact(name=name, cells=cells, is_same=len(set(values)) == 1)


def _numbers_by_key(every: Sequence[Mapping[str, float | None]]) -> list[Fact]:
    keys = sorted({key for one in every for key in one})
    return [_numbers(key, [(key in one, one.get(key)) for one in every]) for key in keys]


def _numbers(name: str, values: Sequence[tuple[bool, float | None]]) -> Fact:
    places = decimals([value for _, value in values])
    _, first = values[0]
    cells = []
    for i, (is_there, value) in enumerate(values):
        if not is_there:
            cells.append(Cell(is_missing=True))
            continue
        change = "" if i == 0 or value is None or first is None else signed(value - first, places)
        text = "not a number" if value is None else number(value, places)
        cells.append(Cell(text=text, full="" if value is None else str(value), change=change))
    return Fact(name=name, cells=tuple(cells), is_same=len(set(values)) == 1)


def _curves(call: Call, query: PageQuery, found: Sequence[Run]) -> dict[str, object]:
    text, asked = query.arguments.get("filter", ""), asked_of(query)
    counted: dict[str, int] = {}
    for run in found:
        for key in curve_keys(run, text):
            counted[key] = counted.get(key, 0) + 1
    keys = sorted(counted, key=lambda key: -counted[key])
    charts = [(key, block(lambda key=key: laid_over(call, found, key, asked))) for key in keys[:MAX_CHARTS]]  # type: ignore[misc]  # bound
    return {
        "charts": [(key, drawn) for key, drawn in charts if drawn is not None],
        "n_hidden": max(len(keys) - MAX_CHARTS, 0),
        "asked": asked,
        "text": text,
    }


def laid_over(call: Call, found: Sequence[Run], key: str, asked: Asked) -> CurveData | None:
    """A metric of some runs over a common axis; None where none has more than one point."""
    ids = [run.info.run_id for run in found]
    names = {run.info.run_id: run.info.name or run.info.run_id for run in found}
    taken = colours(ids)
    lines = [(names[one.run_id], one, taken[one.run_id]) for one in curves_of(call, ids, key, asked)]
    made = chart(lines, asked)
    more = address("/compare/curve.json", runs=",".join(ids), key=key, **kept(asked))
    return None if made is None else msgspec.structs.replace(made, more=more)


def closer(call: Call, query: PageQuery) -> View:
    """`/compare/curve.json?runs=A,B&key=loss&x0=&x1=`: a part of a chart, more closely."""
    found = [call(GetRun(run_id=one)) for one in wanted_runs(query)]
    drawn = laid_over(call, found, query.arguments.get("key", ""), asked_of(query)) if found else None
    leads = address("/compare", runs=query.arguments.get("runs", ""), tab="curves")
    return View(redirect=leads if query.twin == "html" else "", data=drawn)


def _parallel(_call: Call, query: PageQuery, found: Sequence[Run]) -> dict[str, object]:
    names = metric_names(found)
    last = query.choice("last", names) if names else ""
    return {"spread": spread(found, last), "metrics": names, "last": last}


_SHOWN: dict[str, Callable[[Call, PageQuery, Sequence[Run]], dict[str, object]]] = {
    "differences": _differences,
    "curves": _curves,
    "parallel": _parallel,
}
