"""Monitors: the heat map as the signature picture, the newest window's findings, one column then and now."""

from airside.core.ids import MonitorName
from airside.monitoring.operations.alerts import ListAlerts
from airside.monitoring.operations.monitors import GetMonitor, ListMonitors
from airside.monitoring.operations.windows import GetWindow, ListWindows
from airside.monitoring.records import ColumnFinding, Window, WindowId
from airside.server.web.page import Call, Crumb, PageQuery, Table, View, address, attempt
from airside.server.web.pages import windows as watching

FINDING_HEADS = (
    *("column", "statistic", "effect", "effect_limit", "p", "p_adjusted", "is_flagged", "n", "reference_n"),
    *("missing", "unseen_rows", "below", "above", "importance"),
)


def monitors(call: Call, query: PageQuery) -> View:
    """Every monitor, with its newest window."""
    page = call(ListMonitors(max_results=50, page_token=query.arguments.get("after", "")))
    newest = {
        one.name: next(iter(call(ListWindows(monitor=one.name, max_results=1)).items), None) for one in page.items
    }
    heads = ("name", "endpoint", "model", "reference_version", "is_enabled", "updated_at")
    return View(
        template="monitors.html",
        title="Monitors",
        place="Monitors",
        crumbs=(Crumb(text="Monitors"),),
        shows={"page": page, "newest": newest, "topics": ("monitors", "alerts")},
        data=page,
        table=Table(heads=heads, rows=tuple(tuple(getattr(one, head) for head in heads) for one in page.items)),
    )


def monitor(call: Call, query: PageQuery) -> View:
    """One monitor: `?window=` chooses the window, `?feature=` the column that is drawn."""
    found = call(GetMonitor(name=MonitorName(query.names["name"])))
    windows = call(ListWindows(monitor=found.name, max_results=watching.SHOWN)).items
    chosen = _chosen(call, query, windows)
    rows = watching.findings(chosen) if chosen else ()
    feature = _feature(rows, query.arguments.get("feature", ""))
    measures = watching.measures(windows)
    return View(
        template="monitor.html",
        title=found.name,
        place="Monitors",
        crumbs=(Crumb(text="Monitors", href="/monitors"), Crumb(text=found.name)),
        shows={
            "monitor": found,
            "windows": windows,
            "chosen": chosen,
            "findings": rows,
            "feature": feature,
            "pairs": watching.pairs(feature) if feature else (),
            "heat": watching.heat_card(windows),
            "curve": watching.quality_curve(windows, measures[0]) if measures else None,
            "measure": measures[0] if measures else "",
            "alerts": attempt(call, ListAlerts(monitor=found.name, max_results=20)),
            "label": watching.label,
            "topics": (f"monitor:{found.name}", "monitors"),
        },
        data={"monitor": found, "windows": windows},
        table=Table(heads=FINDING_HEADS, rows=tuple(_cells(one) for one in rows)),
        modules=("curve", "heat"),
    )


def _chosen(call: Call, query: PageQuery, windows: tuple[Window, ...]) -> Window | None:
    wanted = query.arguments.get("window", "")
    if not wanted:
        return windows[0] if windows else None
    return next((one for one in windows if one.window_id == wanted), None) or call(
        GetWindow(window_id=WindowId(wanted))
    )


def _feature(rows: tuple[ColumnFinding, ...], wanted: str) -> ColumnFinding | None:
    named = next((one for one in rows if one.column == wanted), None)
    return named or next((one for one in rows if one.distribution is not None), None)


def _cells(one: ColumnFinding) -> tuple[object, ...]:
    importance = one.importance.value if one.importance else None
    return (*(getattr(one, head) for head in FINDING_HEADS[:-1]), importance)


def window(call: Call, query: PageQuery) -> View:
    """A window stands on its monitor's page."""
    found = call(GetWindow(window_id=WindowId(query.names["window"])))
    return View(redirect=address("/monitors/{}", found.monitor, window=found.window_id), data=found)
