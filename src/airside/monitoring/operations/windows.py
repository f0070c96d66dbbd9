"""Windows: what was served, compared with the reference; recording one may open alerts."""

from datetime import datetime

from airside.core.clock import to_ms
from airside.core.errors import Conflict, Invalid, NotFound
from airside.core.ids import AlertId, MonitorName
from airside.core.operation import Context, operation
from airside.core.paging import cut, number_in, page_size
from airside.core.record import Ask
from airside.monitoring import queries, rules, words
from airside.monitoring.events import AlertOpened, WindowAnalysed
from airside.monitoring.operations.monitors import GetMonitor, get_monitor
from airside.monitoring.records import PREDICTION, Alert, Monitor, Window, WindowId, WindowPage, WindowResult

MOST_WINDOWS = 240
"""As many windows back as a decision looks; those of one reference are pooled for the calibration."""
MOST_ALERTS = 1_000
NEWEST = 2**62


class RecordWindow(Ask[Window]):
    """What the analysis of a window found.

    Attributes:
        delivery: the delivery's name; empty for a window of rows or time, which its span names.
        version: the version that gave most of the answers.
        reference_version: the version whose reference it was compared with.
    """

    monitor: MonitorName
    delivery: str = ""
    from_at: datetime
    to_at: datetime
    version: int
    reference_version: int
    result: WindowResult


@operation("windows.record", needs="monitor:write", audit="measure")
def record_window(ctx: Context, ask: RecordWindow) -> Window:
    """Store a window, or what it says anew now that labels arrived, and open the alerts that it gives reason for.

    Raises:
        NotFound: there is no such monitor.
        Invalid: the window has no rows, or ends before it begins.
        Conflict: the window was compared with another reference before.
    """
    monitor = get_monitor(ctx, GetMonitor(name=ask.monitor))
    if ask.result.rows <= 0 or ask.to_at < ask.from_at:
        raise Invalid(
            f"A window of {ask.result.rows} rows from {ask.from_at.isoformat()} to {ask.to_at.isoformat()} says "
            "nothing. Record windows that have rows and end after they begin."
        )
    key = f"delivery:{ask.delivery}" if ask.delivery else f"span:{to_ms(ask.from_at)}-{to_ms(ask.to_at)}"
    known = queries.window_of_key(ctx.tx, monitor.name, key)
    if known is not None and known.reference_version != ask.reference_version:
        raise Conflict(
            f"Window '{known.window_id}' was compared with v{known.reference_version}, now with "
            f"v{ask.reference_version}. Analyse it again with the reference of v{known.reference_version}."
        )
    window = _window(ctx, monitor, ask, known)
    queries.put_window(ctx.tx, window, key)
    ctx.announce(
        WindowAnalysed(
            monitor=monitor.name,
            model=monitor.model,
            endpoint=monitor.endpoint,
            window_id=window.window_id,
            version=window.version,
            delivery=window.delivery,
        )
    )
    if window.reference_version == monitor.reference_version:
        _alert(ctx, monitor, window)
    return window


def _window(ctx: Context, monitor: Monitor, ask: RecordWindow, known: Window | None) -> Window:
    flagged = sorted((one for one in ask.result.columns if one.is_flagged), key=lambda one: (-one.effect, one.column))
    score = ask.result.prediction
    names = (*(one.column for one in flagged), *((PREDICTION,) if score is not None and score.is_flagged else ()))
    return Window(
        window_id=WindowId(ctx.new_id("window")) if known is None else known.window_id,
        monitor=monitor.name,
        endpoint=monitor.endpoint,
        model=monitor.model,
        sequence=queries.newest_sequence(ctx.tx, monitor.name) + 1 if known is None else known.sequence,
        delivery=ask.delivery,
        from_at=ask.from_at,
        to_at=ask.to_at,
        version=ask.version,
        reference_version=ask.reference_version,
        rows=ask.result.rows,
        labelled=ask.result.labelled,
        flagged=names,
        worst=max((one.effect / one.effect_limit for one in ask.result.columns if one.effect_limit), default=0.0),
        columns=ask.result.columns,
        prediction=ask.result.prediction,
        figures=ask.result.figures,
        notes=ask.result.notes,
        analysed_at=ctx.clock.now(),
    )


def _alert(ctx: Context, monitor: Monitor, window: Window) -> None:
    before = queries.windows(ctx.tx, monitor.name, window.sequence, MOST_WINDOWS, with_columns=False)
    history = [*reversed(before), window]
    active = queries.alerts(ctx.tx, monitor.name, "", "active", "", MOST_ALERTS)
    decision = rules.decide(monitor.rule, history, active)
    for alert in decision.confirmed:
        queries.touch_alert(ctx.tx, alert.alert_id, ctx.now_ms())
        queries.add_alert_windows(ctx.tx, alert.alert_id, (window.window_id,))
    for draft in decision.opened:
        _open(ctx, monitor, draft, history)


def _open(ctx: Context, monitor: Monitor, draft: rules.Draft, history: list[Window]) -> None:
    newest = history[-1]
    title, text = words.opening(monitor.rule, draft, history, monitor.policy)
    now = ctx.clock.now()
    alert = Alert(
        alert_id=AlertId(ctx.new_id("alert")),
        monitor=monitor.name,
        endpoint=monitor.endpoint,
        model=monitor.model,
        kind=draft.kind,
        severity=draft.severity,
        title=title,
        text=text,
        columns=draft.columns,
        weight=draft.weight,
        version=newest.version,
        windows=draft.windows,
        opened_at=now,
        seen_at=now,
    )
    queries.add_alert(ctx.tx, alert)
    ctx.announce(
        AlertOpened(
            alert_id=alert.alert_id,
            monitor=monitor.name,
            model=monitor.model,
            endpoint=monitor.endpoint,
            version=alert.version,
            kind=alert.kind,
            severity=alert.severity,
            title=title,
            columns=alert.columns,
            window_id=newest.window_id,
            delivery=newest.delivery,
        )
    )


class ListWindows(Ask[WindowPage]):
    """Windows of a monitor, newest first; the page token is the last sequence seen.

    Attributes:
        delivery: only those of this delivery.
        with_columns: false leaves out what the windows say of each column, which is most of them.
    """

    monitor: MonitorName
    delivery: str = ""
    with_columns: bool = True
    max_results: int = 100
    page_token: str = ""


@operation("windows.list", needs="monitor:read")
def list_windows(ctx: Context, ask: ListWindows) -> WindowPage:
    """Windows of a monitor, newest first.

    Raises:
        NotFound: there is no such monitor.
        Invalid: the page's size or token cannot be read.
    """
    size = page_size(ask.max_results)
    before = number_in(ask.page_token, NEWEST)
    get_monitor(ctx, GetMonitor(name=ask.monitor))
    if ask.delivery:
        return WindowPage(items=tuple(queries.windows_of_delivery(ctx.tx, ask.monitor, ask.delivery)))
    found = queries.windows(ctx.tx, ask.monitor, before, size + 1, with_columns=ask.with_columns)
    items, following = cut(found, size, lambda window: window.sequence)
    return WindowPage(items=items, next_page_token=following)


class GetWindow(Ask[Window]):
    """A window by its id."""

    window_id: WindowId


@operation("windows.get", needs="monitor:read")
def get_window(ctx: Context, ask: GetWindow) -> Window:
    """A window with what it says of each column.

    Raises:
        NotFound: there is none of that id.
    """
    found = queries.window(ctx.tx, ask.window_id)
    if found is None:
        raise NotFound(f"No window '{ask.window_id}'. List a monitor's with: windows.list")
    return found
