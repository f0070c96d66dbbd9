"""Alerts: open first; each with what, since when, how sure, and what came of it."""

from airside.core.ids import AlertId
from airside.monitoring.operations.alerts import AcknowledgeAlert, CloseAlert, GetAlert, ListAlerts
from airside.monitoring.operations.windows import GetWindow
from airside.monitoring.records import Alert, ColumnFinding, Window
from airside.pipelines.operations.runs import ListRuns
from airside.server.web.page import Call, Crumb, PageQuery, Table, Trouble, View, address, attempt
from airside.server.web.pages import windows as watching

STATES = ("active", "closed", "")
HEADS = (
    *("alert_id", "severity", "state", "kind", "title", "model", "version", "monitor", "weight", "opened_at"),
    *("acknowledged_by", "closed_at", "closed_by"),
)


def alerts(call: Call, query: PageQuery) -> View:
    """The alerts of a state; `?state=` is active (default), closed or all."""
    state = query.arguments.get("state", "active")
    chosen = {"all": ""}.get(state, state if state in STATES else "active")
    page = call(
        ListAlerts(
            state=chosen,  # type: ignore[arg-type]  # it is one of STATES
            model=query.arguments.get("model", ""),
            max_results=50,
            page_token=query.arguments.get("after", ""),
        )
    )
    return View(
        template="alerts.html",
        title="Alerts",
        place="Alerts",
        crumbs=(Crumb(text="Alerts"),),
        shows={"page": page, "state": chosen, "topics": ("alerts",)},
        data=page,
        table=Table(heads=HEADS, rows=tuple(tuple(getattr(one, head) for head in HEADS) for one in page.items)),
    )


def alert(call: Call, query: PageQuery) -> View:
    """One alert, the windows behind it, and the pipeline runs that it started."""
    found = call(GetAlert(alert_id=AlertId(query.names["alert"])))
    windows = tuple(attempt(call, GetWindow(window_id=one)) for one in found.windows[-10:])
    newest = next((one for one in reversed(windows) if not isinstance(one, Trouble)), None)
    return View(
        template="alert.html",
        title=found.title,
        place="Alerts",
        crumbs=(Crumb(text="Alerts", href="/alerts"), Crumb(text=found.title)),
        shows={
            "alert": found,
            "windows": windows,
            "newest": newest,
            "findings": _findings(found, newest),
            "pairs": {one.column: watching.pairs(one) for one in _findings(found, newest)},
            "runs": attempt(call, ListRuns(event=found.alert_id, max_results=10)),
            "label": watching.label,
            "topics": (f"alert:{found.alert_id}", "alerts", "pipeline_runs"),
        },
        data=found,
    )


def _findings(found: Alert, newest: Window | None) -> tuple[ColumnFinding, ...]:
    return tuple(one for one in watching.findings(newest) if one.column in found.columns) if newest else ()


def act(call: Call, query: PageQuery) -> View:
    """Acknowledge or close, by a form's button."""
    alert_id = AlertId(query.names["alert"])
    note = query.form.get("note", "")
    if query.form.get("do") == "close":
        done = call(CloseAlert(alert_id=alert_id, note=note))
    else:
        done = call(AcknowledgeAlert(alert_id=alert_id, note=note))
    return View(redirect=address("/alerts/{}", done.alert_id), data=done)
