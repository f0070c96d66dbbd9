"""The columns of a run table: those that an address names, else the commonest of the runs that are shown."""

from collections.abc import Callable, Sequence

from airside.core.clock import from_ms
from airside.core.record import Record
from airside.server.web.format import DASH, decimals, duration, number
from airside.server.web.page import Table, address
from airside.tracking.records import Run

MAX_COMMON = 8
"""Of metrics and of parameters each, where no columns are chosen."""
MAX_COLUMNS = 60
NONE = "none"
"""What stands in an address for no columns at all."""
ATTRIBUTES = {
    "started": "Started",
    "duration": "Duration",
    "user": "User",
    "source": "Source",
    "commit": "Commit",
    "datasets": "Datasets",
    "models": "Models",
    "id": "Run id",
}
DEFAULT = ("started", "duration", "user")
KINDS = ("metrics", "params", "tags")
_ORDERS = {"started": "attributes.start_time", "user": "attributes.user_id", "id": "attributes.run_id"}
RUN_HEADS = ("run_id", "name", "status", "started_at", "duration_s", "user")


class RunRow(Record):
    """A run as a row: what it logged, by name."""

    it: Run
    metrics: dict[str, float | None]
    params: dict[str, str]
    tags: dict[str, str]
    colour: int


class Column(Record):
    """A column.

    Attributes:
        name: as it stands in an address: `started`, `metrics.auc`.
        order: what the search orders by; empty where it cannot.
    """

    name: str
    kind: str
    key: str
    words: str
    order: str = ""
    places: int = 0

    @property
    def is_number(self) -> bool:
        """Whether it holds figures."""
        return self.kind == "metrics" or self.key == "duration"


class Cell(Record):
    """What a run has in a column; `at_ms` where it is a time."""

    text: str = DASH
    full: str = ""
    href: str = ""
    at_ms: int = 0
    is_mono: bool = False


class Columns(Record):
    """The columns of a table; `hidden` counts those of the shown runs that are left out."""

    items: tuple[Column, ...]
    hidden: int = 0
    is_chosen: bool = False


def columns_of(rows: Sequence[RunRow], chosen: str) -> Columns:
    """The columns that an address names by `cols=`, else the commonest."""
    metrics, params = _common([tuple(one.metrics) for one in rows]), _common([tuple(one.params) for one in rows])
    if chosen:
        names = [name for name in dict.fromkeys(chosen.split(",")) if name and name != NONE][:MAX_COLUMNS]
    else:
        names = [
            *DEFAULT,
            *(f"metrics.{key}" for key in metrics[:MAX_COMMON]),
            *(f"params.{key}" for key in params[:MAX_COMMON]),
        ]
    items = tuple(made for name in names if (made := _column(name, rows)))
    shown = {one.name for one in items}
    every = {*(f"metrics.{key}" for key in metrics), *(f"params.{key}" for key in params)}
    return Columns(items=items, hidden=len(every - shown), is_chosen=bool(chosen))


def _common(names: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for some in names:
        for name in some:
            counts[name] = counts.get(name, 0) + 1
    return tuple(sorted(counts, key=lambda name: (-counts[name], name)))


def _column(name: str, rows: Sequence[RunRow]) -> Column | None:
    if name in ATTRIBUTES:
        return Column(name=name, kind="", key=name, words=ATTRIBUTES[name], order=_ORDERS.get(name, ""))
    kind, _, key = name.partition(".")
    if kind not in KINDS or not key:
        return None
    places = decimals([one.metrics.get(key) for one in rows]) if kind == "metrics" else 0
    order = f"{kind}.`{key}`" if "`" not in key else ""
    return Column(name=name, kind=kind, key=key, words=key, order=order, places=places)


def cell(column: Column, row: RunRow) -> Cell:
    """What a run has in a column."""
    if column.kind == "metrics":
        if column.key not in row.metrics:
            return Cell()
        value = row.metrics[column.key]
        return Cell(text="not a number") if value is None else Cell(text=number(value, column.places), full=str(value))
    if column.kind:
        told = (row.params if column.kind == "params" else row.tags).get(column.key)
        return Cell() if told is None else Cell(text=_cut(told), full=told[:500])
    return _ATTRIBUTES[column.key](row)


def _cut(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _started(row: RunRow) -> Cell:
    return Cell(at_ms=row.it.info.start_time_ms)


def _duration(row: RunRow) -> Cell:
    took = seconds(row.it)
    return Cell() if took is None else Cell(text=duration(took), full=f"{took} s")


def seconds(found: Run) -> float | None:
    """How long it took; None while it runs, and where no start was told."""
    info = found.info
    if info.end_time_ms is None or not info.start_time_ms:
        return None
    return (info.end_time_ms - info.start_time_ms) / 1000


def _user(row: RunRow) -> Cell:
    return Cell(text=_cut(row.it.info.user_id) or DASH, full=row.it.info.user_id)


def _source(row: RunRow) -> Cell:
    told = row.tags.get("mlflow.source.name", "")
    return Cell(text=_cut(told.rpartition("/")[2]) or DASH, full=told[:500])


def _commit(row: RunRow) -> Cell:
    told = row.tags.get("mlflow.source.git.commit", "")
    return Cell(text=told[:8] or DASH, full=told, is_mono=True)


def _datasets(row: RunRow) -> Cell:
    names = ", ".join(dict.fromkeys(one.dataset.name for one in row.it.dataset_inputs))
    return Cell(text=_cut(names) or DASH, full=names[:500], href=_inputs(row) if names else "")


def _models(row: RunRow) -> Cell:
    made = len(row.it.model_outputs)
    return Cell(text=f"{made} made", href=_inputs(row)) if made else Cell()


def _inputs(row: RunRow) -> str:
    return address("/runs/{}", row.it.info.run_id, tab="inputs")


def _id(row: RunRow) -> Cell:
    return Cell(text=row.it.info.run_id, is_mono=True)


_ATTRIBUTES: dict[str, Callable[[RunRow], Cell]] = {
    "started": _started,
    "duration": _duration,
    "user": _user,
    "source": _source,
    "commit": _commit,
    "datasets": _datasets,
    "models": _models,
    "id": _id,
}


def table(rows: Sequence[RunRow], columns: Columns) -> Table:
    """The rows as data: of chosen columns those, else every metric and parameter."""
    if columns.is_chosen:
        keyed = [(one.kind, one.key) for one in columns.items if one.kind]
    else:
        keyed = [("metrics", key) for key in sorted({key for one in rows for key in one.metrics})]
        keyed += [("params", key) for key in sorted({key for one in rows for key in one.params})]
    heads = (*RUN_HEADS, *(f"{kind}.{key}" for kind, key in keyed))
    return Table(heads=heads, rows=tuple(_cells(one, keyed) for one in rows))


def _cells(one: RunRow, keyed: Sequence[tuple[str, str]]) -> tuple[object, ...]:
    info = one.it.info
    started = from_ms(info.start_time_ms) if info.start_time_ms else None
    head = (info.run_id, info.name, info.status, started, seconds(one.it), info.user_id)
    by_kind = {"metrics": one.metrics, "params": one.params, "tags": one.tags}
    return (*head, *(by_kind[kind].get(key) for kind, key in keyed))  # type: ignore[attr-defined]  # three dictionaries
