"""Alerts: looked at, acknowledged, closed. They open when a window is recorded."""

from typing import Literal

from airside.core.errors import Conflict, NotFound
from airside.core.ids import AlertId
from airside.core.operation import Context, operation
from airside.core.paging import cut, page_size
from airside.core.record import Ask
from airside.monitoring import queries
from airside.monitoring.events import AlertClosed
from airside.monitoring.records import Alert, AlertPage
from airside.monitoring.rules import moved


class ListAlerts(Ask[AlertPage]):
    """Alerts; an empty field matches every one. The page token is the last id seen.

    Attributes:
        state: `active` is open or acknowledged.
    """

    monitor: str = ""
    model: str = ""
    state: Literal["", "active", "open", "acknowledged", "closed"] = ""
    max_results: int = 100
    page_token: str = ""


@operation("alerts.list", needs="alert:read")
def list_alerts(ctx: Context, ask: ListAlerts) -> AlertPage:
    """Alerts, newest first.

    Raises:
        Invalid: the page's size is out of bounds.
    """
    size = page_size(ask.max_results)
    found = queries.alerts(ctx.tx, ask.monitor, ask.model, ask.state, ask.page_token, size + 1)
    items, following = cut(found, size, lambda alert: alert.alert_id)
    return AlertPage(items=items, next_page_token=following)


class GetAlert(Ask[Alert]):
    """An alert by its id."""

    alert_id: AlertId


@operation("alerts.get", needs="alert:read")
def get_alert(ctx: Context, ask: GetAlert) -> Alert:
    """An alert.

    Raises:
        NotFound: there is none of that id.
    """
    found = queries.alert(ctx.tx, ask.alert_id)
    if found is None:
        raise NotFound(f"No alert '{ask.alert_id}'. List them with: alerts.list")
    return found


class AcknowledgeAlert(Ask[Alert]):
    """Somebody has seen an alert and looks after it."""

    alert_id: AlertId
    note: str = ""


@operation("alerts.acknowledge", needs="alert:write")
def acknowledge_alert(ctx: Context, ask: AcknowledgeAlert) -> Alert:
    """Take an alert on. It stays active, so its columns do not alert again.

    Raises:
        NotFound: there is none of that id.
        Conflict: it is not open.
    """
    return _move(ctx, ask.alert_id, "acknowledge", ask.note)


class CloseAlert(Ask[Alert]):
    """An alert is over, and why."""

    alert_id: AlertId
    note: str = ""


@operation("alerts.close", needs="alert:write")
def close_alert(ctx: Context, ask: CloseAlert) -> Alert:
    """Close an alert. If the next window still gives reason for it, another one opens.

    Raises:
        NotFound: there is none of that id.
        Conflict: it is closed already.
    """
    closed = _move(ctx, ask.alert_id, "close", ask.note)
    ctx.announce(AlertClosed(alert_id=closed.alert_id, monitor=closed.monitor, model=closed.model, note=ask.note))
    return closed


def _move(ctx: Context, alert_id: AlertId, verb: Literal["acknowledge", "close"], note: str) -> Alert:
    alert = get_alert(ctx, GetAlert(alert_id=alert_id))
    state = moved(alert.state, verb)
    if state is None:
        raise Conflict(f"Alert '{alert_id}' is {alert.state}; {verb} is for alerts that are not. Nothing was changed.")
    queries.move_alert(ctx.tx, alert_id, state, ctx.actor.name, note, ctx.now_ms())
    return get_alert(ctx, GetAlert(alert_id=alert_id))
