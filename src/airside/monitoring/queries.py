"""All SQL of the room."""

from collections.abc import Iterable, Sequence

import msgspec

from airside.core.clock import from_ms, to_ms
from airside.core.ids import AlertId, BlobId, EndpointName, ModelName, MonitorName
from airside.core.operation import Row, Transaction
from airside.core.record import Record
from airside.monitoring.records import (
    Alert,
    AlertRule,
    AlertState,
    ColumnFinding,
    Dimension,
    Figure,
    Monitor,
    SeriesInfo,
    SeriesPoint,
    Window,
    WindowId,
    WindowPlan,
)
from airside.store.sql.conditions import placeholders

_encode = msgspec.json.Encoder().encode
_plan = msgspec.json.Decoder(WindowPlan).decode
_rule = msgspec.json.Decoder(AlertRule).decode
_texts = msgspec.json.Decoder(tuple[str, ...]).decode
_dimensions = msgspec.json.Decoder(tuple[Dimension, ...]).decode


class Found(Record):
    """What a window says of the columns: by far the largest part of it, read only where it is needed."""

    columns: tuple[ColumnFinding, ...] = ()
    prediction: ColumnFinding | None = None


class Told(Record):
    """What a window says of the quality, and what could not be said."""

    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()


_found = msgspec.json.Decoder(Found).decode
_told = msgspec.json.Decoder(Told).decode
NOTHING_FOUND = "{}"


def _json(value: object) -> str:
    return _encode(value).decode()


# --- monitors

_MONITOR = (
    "name, endpoint, model, plan, rule, reference, reference_version, segments, policy, is_enabled, created_at,"
    " updated_at"
)


def _monitor(row: Row) -> Monitor:
    return Monitor(
        name=MonitorName(row[0]),
        endpoint=EndpointName(row[1]),
        model=ModelName(row[2]),
        window=_plan(row[3]),
        rule=_rule(row[4]),
        reference=BlobId(row[5]),
        reference_version=row[6],
        segments=_texts(row[7]),
        policy=row[8],
        is_enabled=bool(row[9]),
        created_at=from_ms(row[10]),
        updated_at=from_ms(row[11]),
    )


def put_monitor(tx: Transaction, monitor: Monitor) -> None:
    """Store a monitor, new or changed."""
    tx.run(
        f"INSERT INTO monitor ({_MONITOR}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET plan = excluded.plan, rule = excluded.rule, reference = excluded.reference,"
        " reference_version = excluded.reference_version, segments = excluded.segments, policy = excluded.policy,"
        " is_enabled = excluded.is_enabled, updated_at = excluded.updated_at",
        (
            monitor.name,
            monitor.endpoint,
            monitor.model,
            _json(monitor.window),
            _json(monitor.rule),
            monitor.reference,
            monitor.reference_version,
            _json(monitor.segments),
            monitor.policy,
            monitor.is_enabled,
            to_ms(monitor.created_at),
            to_ms(monitor.updated_at),
        ),
    )


def monitor(tx: Transaction, name: str) -> Monitor | None:
    """A monitor by its name."""
    row = tx.one(f"SELECT {_MONITOR} FROM monitor WHERE name = ?", (name,))
    return None if row is None else _monitor(row)


def monitors(tx: Transaction, endpoint: str, model: str, after: str, limit: int) -> list[Monitor]:
    """Monitors by name, of an endpoint and of a model where those are given."""
    rows = tx.all(
        f"SELECT {_MONITOR} FROM monitor WHERE (? = '' OR endpoint = ?) AND (? = '' OR model = ?) AND name > ?"
        " ORDER BY name LIMIT ?",
        (endpoint, endpoint, model, model, after, limit),
    )
    return [_monitor(row) for row in rows]


# --- windows

_WINDOW = (
    "id, monitor, endpoint, model, sequence, delivery, from_at, to_at, version, reference_version, rows, labelled,"
    " flagged, worst, measured, analysed_at, found"
)
_HEAD = _WINDOW.removesuffix("found") + f"'{NOTHING_FOUND}'"


def _window(row: Row) -> Window:
    told, found = _told(row[14]), _found(row[16])
    return Window(
        window_id=WindowId(row[0]),
        monitor=MonitorName(row[1]),
        endpoint=EndpointName(row[2]),
        model=ModelName(row[3]),
        sequence=row[4],
        delivery=row[5],
        from_at=from_ms(row[6]),
        to_at=from_ms(row[7]),
        version=row[8],
        reference_version=row[9],
        rows=row[10],
        labelled=row[11],
        flagged=_texts(row[12]),
        worst=row[13],
        columns=found.columns,
        prediction=found.prediction,
        figures=told.figures,
        notes=told.notes,
        analysed_at=from_ms(row[15]),
    )


def put_window(tx: Transaction, window: Window, key: str) -> None:
    """Store a window, new or analysed again. `key` names its rows within the monitor."""
    tx.run(
        f"INSERT INTO monitor_window ({_WINDOW}, key)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET from_at = excluded.from_at, to_at = excluded.to_at,"
        " version = excluded.version, rows = excluded.rows, labelled = excluded.labelled, flagged = excluded.flagged,"
        " worst = excluded.worst, found = excluded.found, measured = excluded.measured,"
        " analysed_at = excluded.analysed_at",
        (
            window.window_id,
            window.monitor,
            window.endpoint,
            window.model,
            window.sequence,
            window.delivery,
            to_ms(window.from_at),
            to_ms(window.to_at),
            window.version,
            window.reference_version,
            window.rows,
            window.labelled,
            _json(window.flagged),
            window.worst,
            _json(Told(figures=window.figures, notes=window.notes)),
            to_ms(window.analysed_at),
            _json(Found(columns=window.columns, prediction=window.prediction)),
            key,
        ),
    )


def window(tx: Transaction, window_id: str) -> Window | None:
    """A window by its id."""
    row = tx.one(f"SELECT {_WINDOW} FROM monitor_window WHERE id = ?", (window_id,))
    return None if row is None else _window(row)


def window_of_key(tx: Transaction, monitor_name: str, key: str) -> Window | None:
    """The window of a monitor that holds these rows."""
    row = tx.one(f"SELECT {_WINDOW} FROM monitor_window WHERE monitor = ? AND key = ?", (monitor_name, key))
    return None if row is None else _window(row)


def newest_sequence(tx: Transaction, monitor_name: str) -> int:
    """The sequence of the newest window of a monitor; 0 without any."""
    row = tx.one("SELECT MAX(sequence) FROM monitor_window WHERE monitor = ?", (monitor_name,))
    return 0 if row is None or row[0] is None else int(row[0])


def windows(tx: Transaction, monitor_name: str, before: int, limit: int, *, with_columns: bool = True) -> list[Window]:
    """Windows of a monitor, newest first, with a sequence below `before`."""
    rows = tx.all(
        f"SELECT {_WINDOW if with_columns else _HEAD} FROM monitor_window"
        " WHERE monitor = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?",
        (monitor_name, before, limit),
    )
    return [_window(row) for row in rows]


def windows_of_delivery(tx: Transaction, monitor_name: str, delivery: str) -> list[Window]:
    """Windows of a monitor that hold a delivery, newest first."""
    rows = tx.all(
        f"SELECT {_WINDOW} FROM monitor_window WHERE monitor = ? AND delivery = ? ORDER BY sequence DESC",
        (monitor_name, delivery),
    )
    return [_window(row) for row in rows]


# --- alerts

_ALERT = (
    "id, monitor, endpoint, model, kind, severity, state, title, body, columns, weight, version, opened_at, seen_at,"
    " acknowledged_by, closed_at, closed_by, note"
)


def _alerts(tx: Transaction, rows: Sequence[Row]) -> list[Alert]:
    seen = _windows_of(tx, [row[0] for row in rows])
    return [
        Alert(
            alert_id=AlertId(row[0]),
            monitor=MonitorName(row[1]),
            endpoint=EndpointName(row[2]),
            model=ModelName(row[3]),
            kind=row[4],
            severity=row[5],
            state=row[6],
            title=row[7],
            text=row[8],
            columns=_texts(row[9]),
            weight=row[10],
            version=row[11],
            windows=seen.get(row[0], ()),
            opened_at=from_ms(row[12]),
            seen_at=from_ms(row[13]),
            acknowledged_by=row[14],
            closed_at=None if row[15] is None else from_ms(row[15]),
            closed_by=row[16],
            note=row[17],
        )
        for row in rows
    ]


def _windows_of(tx: Transaction, alerts: Sequence[str]) -> dict[str, tuple[WindowId, ...]]:
    if not alerts:
        return {}
    marks = placeholders(len(alerts))
    rows = tx.all(
        f"SELECT alert, window_id FROM alert_window WHERE alert IN ({marks}) ORDER BY alert, window_id", tuple(alerts)
    )
    found: dict[str, tuple[WindowId, ...]] = {}
    for alert_id, window_id in rows:
        found[alert_id] = (*found.get(alert_id, ()), WindowId(window_id))
    return found


def add_alert(tx: Transaction, alert: Alert) -> None:
    """Store a new alert with its windows."""
    tx.run(
        f"INSERT INTO alert ({_ALERT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            alert.alert_id,
            alert.monitor,
            alert.endpoint,
            alert.model,
            alert.kind,
            alert.severity,
            alert.state,
            alert.title,
            alert.text,
            _json(alert.columns),
            alert.weight,
            alert.version,
            to_ms(alert.opened_at),
            to_ms(alert.seen_at),
            alert.acknowledged_by,
            None if alert.closed_at is None else to_ms(alert.closed_at),
            alert.closed_by,
            alert.note,
        ),
    )
    add_alert_windows(tx, alert.alert_id, alert.windows)


def add_alert_windows(tx: Transaction, alert_id: str, windows: Iterable[str]) -> None:
    """Join windows to an alert; those that it has already stay."""
    tx.many(
        "INSERT INTO alert_window (alert, window_id) VALUES (?, ?) ON CONFLICT (alert, window_id) DO NOTHING",
        [(alert_id, window_id) for window_id in windows],
    )


def alert(tx: Transaction, alert_id: str) -> Alert | None:
    """An alert by its id."""
    rows = tx.all(f"SELECT {_ALERT} FROM alert WHERE id = ?", (alert_id,))
    return _alerts(tx, rows)[0] if rows else None


def alerts(tx: Transaction, monitor_name: str, model: str, state: str, before: str, limit: int) -> list[Alert]:
    """Alerts, newest first, by what is given of monitor, model and state (`active`: open or acknowledged)."""
    rows = tx.all(
        f"SELECT {_ALERT} FROM alert WHERE (? = '' OR monitor = ?) AND (? = '' OR model = ?)"
        " AND (? = '' OR state = ? OR (? = 'active' AND state <> 'closed')) AND (? = '' OR id < ?)"
        " ORDER BY id DESC LIMIT ?",
        (monitor_name, monitor_name, model, model, state, state, state, before, before, limit),
    )
    return _alerts(tx, rows)


def touch_alert(tx: Transaction, alert_id: str, now_ms: int) -> None:
    """An alert was confirmed by a newer window."""
    tx.run("UPDATE alert SET seen_at = ? WHERE id = ?", (now_ms, alert_id))


def move_alert(tx: Transaction, alert_id: str, state: AlertState, by: str, note: str, now_ms: int) -> None:
    """Acknowledge or close an alert."""
    if state == "acknowledged":
        tx.run("UPDATE alert SET state = ?, acknowledged_by = ?, note = ? WHERE id = ?", (state, by, note, alert_id))
    else:
        tx.run(
            "UPDATE alert SET state = ?, closed_by = ?, closed_at = ?, note = ? WHERE id = ?",
            (state, by, now_ms, note, alert_id),
        )


# --- series


def put_series(tx: Transaction, name: str, unit: str) -> str:
    """Store a series' name and unit; the unit that it has."""
    tx.run("INSERT INTO series (name, unit) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (name, unit))
    row = tx.one("SELECT unit FROM series WHERE name = ?", (name,))
    return str(row[0]) if row else unit


def add_points(tx: Transaction, name: str, points: Sequence[SeriesPoint]) -> None:
    """Append points to a series."""
    tx.many(
        "INSERT INTO series_point (series, at, value, dimensions) VALUES (?, ?, ?, ?)",
        [
            (name, to_ms(point.at), point.value, _json(sorted(point.dimensions, key=lambda one: one.name)))
            for point in points
        ],
    )


def series_infos(tx: Transaction) -> list[SeriesInfo]:
    """Every series that has points."""
    rows = tx.all(
        "SELECT s.name, s.unit, COUNT(*), MIN(p.at), MAX(p.at) FROM series s JOIN series_point p ON p.series = s.name"
        " GROUP BY s.name, s.unit ORDER BY s.name"
    )
    return [
        SeriesInfo(name=name, unit=unit, points=points, first_at=from_ms(first), last_at=from_ms(last))
        for name, unit, points, first, last in rows
    ]


def series_unit(tx: Transaction, name: str) -> str | None:
    """The unit of a series, or None when there is no such series."""
    row = tx.one("SELECT unit FROM series WHERE name = ?", (name,))
    return None if row is None else str(row[0])


def points(tx: Transaction, name: str, from_ms_: int, to_ms_: int, limit: int) -> list[SeriesPoint]:
    """The newest points of a series in a span, oldest first."""
    rows = tx.all(
        "SELECT at, value, dimensions FROM series_point WHERE series = ? AND at >= ? AND at < ?"
        " ORDER BY at DESC, id DESC LIMIT ?",
        (name, from_ms_, to_ms_, limit),
    )
    return [
        SeriesPoint(at=from_ms(at), value=value, dimensions=_dimensions(text)) for at, value, text in reversed(rows)
    ]


def rename_model(tx: Transaction, name: str, new_name: str) -> None:
    """Call a model by its new name in monitors, windows and alerts. What their texts say stays as it was said."""
    for table in ("monitor", "monitor_window", "alert"):
        tx.run(f"UPDATE {table} SET model = ? WHERE model = ?", (new_name, name))
