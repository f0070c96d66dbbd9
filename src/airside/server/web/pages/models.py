"""A model: what serves where, how good it is, what moves, where it comes from, what is known of it."""

from collections.abc import Callable
from typing import Any

from airside.core.ids import ModelName
from airside.core.record import Record
from airside.governance.operations.cards import GetCard
from airside.governance.operations.scores import GetScore
from airside.monitoring.operations.alerts import ListAlerts
from airside.monitoring.operations.monitors import ListMonitors
from airside.monitoring.operations.windows import ListWindows
from airside.monitoring.records import Window
from airside.quality.operations.gates import ListGates
from airside.registry.operations.models import GetModel, ModelHistory
from airside.registry.operations.versions import SearchVersions
from airside.registry.records import ModelVersion, RegisteredModel
from airside.server.web.page import Call, Crumb, PageQuery, Table, Trouble, View, attempt, block, known
from airside.server.web.pages import windows as watching
from airside.server.web.pages.lineage import neighbourhood
from airside.server.web.pages.rollouts import Serving, served
from airside.serving.operations.endpoints import ListEndpoints
from airside.serving.operations.rollouts import ListRollouts
from airside.tower.operations.catalog import GetRow

TABS = ("overview", "versions", "performance", "monitoring", "lineage", "history", "card", "score")


CHANGES = ("alias", "rollback", "stage", "approval", "verdict", "requirement", "created", "description", "tag")
"""The kinds of changes that the history can be narrowed to."""


class Watched(Record):
    """The windows of a model's first monitor, newest first."""

    monitor: str = ""
    windows: tuple[Window, ...] = ()


def model(call: Call, query: PageQuery) -> View:
    """One registered model; the tab decides what is asked."""
    name = ModelName(query.names["name"])
    tab = query.choice("tab", TABS)
    found = call(GetModel(name=name))
    row = attempt(call, GetRow(name=name))
    shows: dict[str, Any] = {
        "model": found,
        "row": row,
        "tab": tab,
        "tabs": tuple((key, key.capitalize(), None) for key in TABS),
        "topics": ("models", f"model:{name}", "alerts", "rollouts", "monitors"),
        **PARTS[tab](call, query, found),
    }
    return View(
        template=f"model_{tab}.html",
        title=name,
        place="Catalog",
        crumbs=(Crumb(text="Catalog", href="/"), Crumb(text=name)),
        shows=shows,
        data={"model": found, "catalog": None if isinstance(row, Trouble) else row, **shows.get("data", {})},
        table=shows.get("table"),
        modules=("curve", "heat") if tab in {"overview", "performance", "monitoring"} else (),
    )


def version_filter(name: str) -> str:
    """The search for a model's versions: names are quoted, a quote in them doubled.

    >>> version_filter("it's")
    "name = 'it''s'"
    """
    quoted = name.replace("'", "''")
    return f"name = '{quoted}'"


def _watched(call: Call, name: ModelName) -> Watched:
    monitors = call(ListMonitors(model=name)).items
    if not monitors:
        return Watched()
    found = call(ListWindows(monitor=monitors[0].name, max_results=watching.SHOWN))
    return Watched(monitor=monitors[0].name, windows=found.items)


def _serving(call: Call, name: ModelName) -> tuple[Serving, ...]:
    endpoints = call(ListEndpoints(model=name)).items
    return tuple(served(one, call(ListRollouts(endpoint=one.name, max_results=5)).items) for one in endpoints)


def _overview(call: Call, _query: PageQuery, found: RegisteredModel) -> dict[str, Any]:
    watched = block(lambda: _watched(call, found.name))
    windows = known(watched, Watched()).windows
    names = watching.measures(windows)
    return {
        "watched": watched,
        "curve": watching.quality_curve(windows, names[0]) if names else None,
        "measure": names[0] if names else "",
        "heat": watching.heat_card(windows),
        "serving": block(lambda: _serving(call, found.name)),
        "alerts": attempt(call, ListAlerts(model=found.name, state="active", max_results=10)),
        "history": attempt(call, ModelHistory(name=found.name, max_results=10)),
        "data": {"windows": windows},
    }


def _versions(call: Call, query: PageQuery, found: RegisteredModel) -> dict[str, Any]:
    page = call(
        SearchVersions(
            filter=version_filter(found.name),
            max_results=query.number("size", 50, least=1, most=200),
            order_by=("version_number DESC",),
            page_token=query.arguments.get("after", ""),
        )
    )
    gates = attempt(call, ListGates(model=found.name, max_results=100))
    newest: dict[int, object] = {}
    for decision in () if isinstance(gates, Trouble) else gates.items:
        newest.setdefault(decision.version, decision)
    heads = ("version", "aliases", "stage", "status", "gate", "run_id", "created_by", "created_ms")
    return {
        "page": page,
        "gates": newest,
        "data": {"versions": page},
        "table": Table(heads=heads, rows=tuple(_version_cells(one, newest) for one in page.items)),
    }


def _version_cells(one: ModelVersion, gates: dict[int, object]) -> tuple[object, ...]:
    outcome = getattr(gates.get(one.version), "outcome", None)
    aliases = " ".join(one.aliases)
    return (one.version, aliases, one.stage, one.status, outcome, one.run_id, one.created_by, one.created_ms)


def _performance(call: Call, _query: PageQuery, found: RegisteredModel) -> dict[str, Any]:
    watched = block(lambda: _watched(call, found.name))
    windows = known(watched, Watched()).windows
    curves = [(one, watching.quality_curve(windows, one)) for one in watching.measures(windows)]
    newest = next((one for one in windows if one.figures), None)
    gates = attempt(call, ListGates(model=found.name, max_results=1))
    return {
        "watched": watched,
        "curves": tuple((measure, curve) for measure, curve in curves if curve is not None),
        "newest": newest,
        "gate": None if isinstance(gates, Trouble) else next(iter(gates.items), None),
        "data": {"windows": windows},
    }


def _monitoring(call: Call, _query: PageQuery, found: RegisteredModel) -> dict[str, Any]:
    watched = block(lambda: _watched(call, found.name))
    windows = known(watched, Watched()).windows
    return {
        "watched": watched,
        "heat": watching.heat_card(windows),
        "newest": windows[0] if windows else None,
        "findings": watching.findings(windows[0]) if windows else (),
        "alerts": attempt(call, ListAlerts(model=found.name, max_results=50)),
        "data": {"windows": windows},
    }


def _history(call: Call, query: PageQuery, found: RegisteredModel) -> dict[str, Any]:
    what = query.choice("what", ("", *CHANGES))
    page = call(
        ModelHistory(
            name=found.name,
            what=what,
            max_results=query.number("size", 50, least=1, most=200),
            page_token=query.arguments.get("after", ""),
        )
    )
    heads = ("at", "actor", "what", "version", "key", "before", "after", "reason")
    return {
        "page": page,
        "what": what,
        "changes": CHANGES,
        "data": {"history": page},
        "table": Table(heads=heads, rows=tuple(tuple(getattr(one, head) for head in heads) for one in page.items)),
    }


def _lineage(call: Call, query: PageQuery, found: RegisteredModel) -> dict[str, Any]:
    version = found.aliases.get("champion") or max((one.version for one in found.latest_versions), default=0)
    chosen = query.number("version", version, least=0, most=10**9)
    if not chosen:
        return {"chain": None, "version": 0}
    chain = block(lambda: neighbourhood(call, "model_version", f"{found.name}@{chosen}", hops=2))
    return {"chain": chain, "version": chosen, "data": {"lineage": getattr(chain, "data", None)}}


def _chosen(found: RegisteredModel, query: PageQuery) -> int:
    champion = found.aliases.get("champion") or max((one.version for one in found.latest_versions), default=0)
    return query.number("version", champion, least=0, most=10**9)


def _card(call: Call, query: PageQuery, found: RegisteredModel) -> dict[str, Any]:
    version = _chosen(found, query)
    card = attempt(call, GetCard(name=found.name, version=version)) if version else None
    return {"card": card, "version": version, "data": {"card": None if isinstance(card, Trouble) else card}}


def _score(call: Call, query: PageQuery, found: RegisteredModel) -> dict[str, Any]:
    version = _chosen(found, query)
    score = attempt(call, GetScore(model=found.name, version=version)) if version else None
    return {"score": score, "version": version, "data": {"score": None if isinstance(score, Trouble) else score}}


PARTS: dict[str, Callable[[Call, PageQuery, RegisteredModel], dict[str, Any]]] = {
    "overview": _overview,
    "versions": _versions,
    "performance": _performance,
    "monitoring": _monitoring,
    "lineage": _lineage,
    "history": _history,
    "card": _card,
    "score": _score,
}
