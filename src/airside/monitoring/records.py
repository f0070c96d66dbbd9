"""The nouns of the room: monitor, window, finding, alert, series."""

from datetime import datetime
from typing import Literal, NewType

from airside.core.estimate import Estimate
from airside.core.ids import AlertId, BlobId, EndpointName, ModelName, MonitorName
from airside.core.record import Record

WindowId = NewType("WindowId", str)

Severity = Literal["warning", "critical"]
AlertState = Literal["open", "acknowledged", "closed"]
AlertKind = Literal["drift", "unseen", "range", "missing", "quality"]
"""`drift`: the distribution of a column; `unseen`: codes that the reference lacks; `range`: numbers beyond the
reference's; `missing`: more missing values; `quality`: the answers themselves, once labels are there."""


class WindowPlan(Record):
    """What one window holds.

    Attributes:
        by: `delivery` (a named group of rows that arrived together), `rows` (so many), `time` (so many seconds).
        size: rows or seconds; 0 for deliveries.
    """

    by: Literal["delivery", "rows", "time"] = "delivery"
    size: int = 0


class AlertRule(Record):
    """When a finding becomes an alert.

    Attributes:
        level: the false discovery rate at which Benjamini-Hochberg flags a column's distribution.
        numeric_effect: the smallest Kolmogorov-Smirnov distance that counts, for numbers.
        code_effect: the smallest total variation distance that counts, for codes.
        consecutive: in so many windows in a row must a column be flagged.
        immediate_level: the false discovery rate of what alerts at once: unseen codes, range, missing values.
        critical_weight: importance times share of the rows touched, from which on an alert is critical, in units of the
            importance (for a classifier: AUC lost).
        quality_margin: realised accuracy may fall below the reference's by so much.
        by_entity: a window holds whole entities (households), whose rows resemble one another: the statistics are
            divided by the inflation that the reference measured.
    """

    level: float = 0.01
    numeric_effect: float = 0.05
    code_effect: float = 0.03
    consecutive: int = 2
    immediate_level: float = 0.002
    critical_weight: float = 0.005
    quality_margin: float = 0.02
    by_entity: bool = False


class Monitor(Record):
    """What is watched, against what, by which rule.

    Attributes:
        reference: the profile of the training data of `reference_version`, as the registry keeps it.
        policy: in words, what shall happen when it alerts; shown with each alert.
    """

    name: MonitorName
    endpoint: EndpointName
    model: ModelName
    window: WindowPlan = WindowPlan()
    rule: AlertRule = AlertRule()
    reference: BlobId
    reference_version: int
    segments: tuple[str, ...] = ()
    policy: str = ""
    is_enabled: bool = True
    created_at: datetime
    updated_at: datetime


class MonitorPage(Record):
    """Some monitors, by name."""

    items: tuple[Monitor, ...]
    next_page_token: str = ""


PREDICTION = "prediction"
"""The column of the model's own score, in the reference and in what is flagged."""


class LevelCount(Record):
    """A code and the rows that have it."""

    level: str
    rows: int


class Distribution(Record):
    """Shares of the rows per cell, then and now; the cells are the reference's bins or codes."""

    cells: tuple[str, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]


class ColumnFinding(Record):
    """What one window says of one column.

    Attributes:
        statistic: `ks` (Kolmogorov-Smirnov distance) of numbers, `tvd` (total variation distance) of codes.
        effect: its value.
        effect_limit: the smallest effect that counts.
        p: of the two-sample test (Kolmogorov-Smirnov, or chi-square with rare codes pooled).
        p_adjusted: for the number of columns (Benjamini-Hochberg).
        visible_effect: the smallest effect that a window of this size finds with about 80 % power, alone among its
            columns; None where it is not known.
        is_flagged: significant and large enough.
        unseen: codes that the reference lacks. `unseen_rows` counts their rows, `p_unseen` is their chance.
        vanished: codes of the reference, of 1 % and more, that the window lacks.
        below, above: rows beyond the reference's range; `p_range` is their chance.
        unit_factor: dividing by it makes the column fit the reference again, so the unit has probably changed.
        missing: rows without a value; `p_missing` against the reference's share.
        importance: fall of the model's measure when the column is shuffled, from the reference; None if unknown.
        status, reason: `error` when the column could not be computed, and why.
    """

    column: str
    kind: Literal["number", "levels"]
    statistic: Literal["ks", "tvd"]
    effect: float = 0.0
    effect_limit: float = 0.0
    p: float = 1.0
    p_adjusted: float = 1.0
    visible_effect: float | None = None
    is_flagged: bool = False
    psi: float = 0.0
    js: float = 0.0
    w1: float | None = None
    n: int = 0
    reference_n: int = 0
    missing: int = 0
    reference_missing: int = 0
    infinite: int = 0
    p_missing: float = 1.0
    unseen: tuple[LevelCount, ...] = ()
    unseen_rows: int = 0
    p_unseen: float = 1.0
    vanished: tuple[str, ...] = ()
    below: int = 0
    above: int = 0
    p_range: float = 1.0
    minimum: float | None = None
    maximum: float | None = None
    reference_minimum: float | None = None
    reference_maximum: float | None = None
    unit_factor: float | None = None
    importance: Estimate | None = None
    distribution: Distribution | None = None
    status: Literal["ok", "error"] = "ok"
    reason: str = ""


class Figure(Record):
    """A measure of quality of a window.

    Attributes:
        measure: `accuracy`, `auc`, `log_loss`, `calibration` (mean prediction - label, as a share).
        basis: `estimated` from the scores alone (CBPE), `realised` from labels, `reference` on the training hold-out.
        segment: `COLUMN=VALUE`, or empty for all rows.
    """

    measure: str
    basis: Literal["estimated", "realised", "reference"]
    estimate: Estimate
    segment: str = ""


class WindowResult(Record):
    """What the analysis of one window found; pure, without identity.

    Attributes:
        prediction: the drift of the model's score.
        notes: what could not be said, and why.
    """

    rows: int
    labelled: int = 0
    columns: tuple[ColumnFinding, ...] = ()
    prediction: ColumnFinding | None = None
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()


class Window(Record):
    """One window of what was served, compared with the reference of its time.

    Attributes:
        sequence: 1, 2, … within its monitor.
        delivery: the delivery's name; empty for windows of rows or time.
        version: the version that gave most of its answers.
        reference_version: the version whose reference it was compared with.
        flagged: the columns whose distribution is flagged, largest effect first; `prediction` is the model's score.
        worst: the largest effect of its columns, in units of the effect that counts; 1 is the threshold.
        columns: empty where a list was asked for without them.
    """

    window_id: WindowId
    monitor: MonitorName
    endpoint: EndpointName
    model: ModelName
    sequence: int
    delivery: str = ""
    from_at: datetime
    to_at: datetime
    version: int
    reference_version: int
    rows: int
    labelled: int = 0
    flagged: tuple[str, ...] = ()
    worst: float = 0.0
    columns: tuple[ColumnFinding, ...] = ()
    prediction: ColumnFinding | None = None
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()
    analysed_at: datetime


class WindowPage(Record):
    """Some windows, newest first."""

    items: tuple[Window, ...]
    next_page_token: str = ""


class Alert(Record):
    """Somebody should look: what, since when, how sure, and how much it matters to the model.

    Attributes:
        title: one line, e.g. `ANC drifts`.
        text: the whole of it, in words.
        weight: expected consequence for the model: importance times share of the rows touched; None if not known.
        windows: the windows that opened it and those that confirmed it since.
    """

    alert_id: AlertId
    monitor: MonitorName
    endpoint: EndpointName
    model: ModelName
    kind: AlertKind
    severity: Severity
    state: AlertState = "open"
    title: str
    text: str
    columns: tuple[str, ...]
    weight: float | None = None
    version: int
    windows: tuple[WindowId, ...]
    opened_at: datetime
    seen_at: datetime
    acknowledged_by: str = ""
    closed_at: datetime | None = None
    closed_by: str = ""
    note: str = ""


class AlertPage(Record):
    """Some alerts, newest first."""

    items: tuple[Alert, ...]
    next_page_token: str = ""


class Dimension(Record):
    """One dimension of a pushed figure, e.g. `region` = `north`."""

    name: str
    value: str


class SeriesPoint(Record):
    """One pushed figure."""

    value: float
    at: datetime
    dimensions: tuple[Dimension, ...] = ()


class SeriesInfo(Record):
    """A pushed series: what there is of it."""

    name: str
    unit: str
    points: int
    first_at: datetime
    last_at: datetime


class SeriesPage(Record):
    """The pushed series, by name."""

    items: tuple[SeriesInfo, ...]


class SeriesPoints(Record):
    """Points of one series, oldest first. `is_complete` is false when the limit cut the oldest off."""

    name: str
    unit: str
    items: tuple[SeriesPoint, ...]
    is_complete: bool
