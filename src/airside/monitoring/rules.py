"""From the findings of consecutive windows to alerts: pure decisions, no I/O.

What changes slowly (a distribution) must be flagged in several windows in a row; what a single window proves (codes
and numbers that the reference never had, missing values) alerts at once. The words are in `words.py`.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from airside.core.errors import Invalid
from airside.core.estimate import Estimate
from airside.core.record import Record
from airside.monitoring.records import (
    Alert,
    AlertKind,
    AlertRule,
    AlertState,
    ColumnFinding,
    Figure,
    Severity,
    Window,
    WindowId,
    WindowPlan,
)

CALIBRATION_EFFECT = 0.005
"""Predictions that are off by less than half a point are not worth an alert."""


class Draft(Record):
    """An alert that has not been worded and stored yet.

    Attributes:
        findings: of the newest window, for the columns that it is about.
        weight: the largest importance times share of the rows touched; None if no importance is known.
        windows: the windows that prove it, oldest first.
        figure, against: for `quality`: what was measured, and the value it is compared with.
    """

    kind: AlertKind
    severity: Severity
    columns: tuple[str, ...]
    findings: tuple[ColumnFinding, ...] = ()
    weight: float | None = None
    windows: tuple[WindowId, ...]
    figure: Figure | None = None
    against: float | None = None


class Decision(NamedTuple):
    """What the newest window means: drafts to open, and open alerts that it confirms."""

    opened: tuple[Draft, ...]
    confirmed: tuple[Alert, ...]


def share_touched(kind: AlertKind, finding: ColumnFinding) -> float:
    """The share of a window's rows that a finding is about.

    >>> from airside.monitoring.records import ColumnFinding
    >>> found = ColumnFinding(column="RELP", kind="levels", statistic="tvd", n=200, unseen_rows=50)
    >>> share_touched("unseen", found)
    0.25
    """
    rows = max(finding.n + finding.missing, 1)
    if kind == "unseen":
        return finding.unseen_rows / rows
    if kind == "range":
        return (finding.below + finding.above) / rows
    if kind == "missing":
        reference_rows = max(finding.reference_n + finding.reference_missing, 1)
        return max(0.0, finding.missing / rows - finding.reference_missing / reference_rows)
    return min(1.0, finding.effect)


def weight_of(kind: AlertKind, finding: ColumnFinding) -> float | None:
    """Expected consequence for the model: importance times the share of the rows touched; None if not known.

    >>> from airside.core.estimate import Estimate
    >>> from airside.monitoring.records import ColumnFinding
    >>> importance = Estimate(value=0.0004)
    >>> anc = ColumnFinding(column="ANC", kind="levels", statistic="tvd", effect=0.05, importance=importance)
    >>> round(weight_of("drift", anc), 6)
    2e-05
    """
    if finding.importance is None:
        return None
    return max(0.0, finding.importance.value) * share_touched(kind, finding)


def severity_of(rule: AlertRule, weight: float | None) -> Severity:
    """Critical when the expected consequence is large; what is not known is a warning.

    >>> severity_of(AlertRule(), 0.05), severity_of(AlertRule(), 0.00002), severity_of(AlertRule(), None)
    ('critical', 'warning', 'warning')
    """
    return "critical" if weight is not None and weight >= rule.critical_weight else "warning"


def is_unseen_certain(rule: AlertRule, finding: ColumnFinding) -> bool:
    """Whether codes that the reference lacks are more than chance."""
    return finding.unseen_rows > 0 and finding.p_unseen <= rule.immediate_level


def is_range_certain(rule: AlertRule, finding: ColumnFinding) -> bool:
    """Whether numbers beyond the reference's range are more than chance."""
    return finding.below + finding.above > 0 and finding.p_range <= rule.immediate_level


def is_missing_certain(rule: AlertRule, finding: ColumnFinding) -> bool:
    """Whether there are more missing values than in the reference, beyond chance."""
    return share_touched("missing", finding) > 0 and finding.p_missing <= rule.immediate_level


IMMEDIATE: tuple[tuple[AlertKind, Callable[[AlertRule, ColumnFinding], bool]], ...] = (
    ("unseen", is_unseen_certain),
    ("range", is_range_certain),
    ("missing", is_missing_certain),
)
"""What one window proves, and by which test."""


def comparable(windows: Sequence[Window]) -> tuple[Window, ...]:
    """The newest windows that were compared with one and the same reference, oldest first."""
    if not windows:
        return ()
    reference = windows[-1].reference_version
    kept: list[Window] = []
    for window in reversed(windows):
        if window.reference_version != reference:
            break
        kept.append(window)
    return tuple(reversed(kept))


def drift_draft(rule: AlertRule, windows: Sequence[Window]) -> Draft | None:
    """One draft for all columns that are flagged in so many windows in a row."""
    recent = comparable(windows)[-rule.consecutive :]
    if len(recent) < rule.consecutive:
        return None
    lasting = set(recent[0].flagged).intersection(*(window.flagged for window in recent))
    newest = recent[-1]
    every = newest.columns if newest.prediction is None else (*newest.columns, newest.prediction)
    found = [finding for finding in every if finding.column in lasting]
    return _draft("drift", rule, found, recent)


def immediate_drafts(rule: AlertRule, window: Window) -> tuple[Draft, ...]:
    """One draft for each kind of thing that a single window proves."""
    drafts = []
    for kind, is_certain in IMMEDIATE:
        found = [finding for finding in window.columns if finding.status == "ok" and is_certain(rule, finding)]
        drafts.append(_draft(kind, rule, found, (window,)))
    return tuple(draft for draft in drafts if draft is not None)


def _draft(kind: AlertKind, rule: AlertRule, found: Sequence[ColumnFinding], windows: Sequence[Window]) -> Draft | None:
    if not found:
        return None
    ranked = sorted(found, key=lambda finding: (-(weight_of(kind, finding) or 0.0), finding.column))
    weights = [weight for weight in (weight_of(kind, finding) for finding in ranked) if weight is not None]
    weight = max(weights) if weights else None
    return Draft(
        kind=kind,
        severity=severity_of(rule, weight),
        columns=tuple(finding.column for finding in ranked),
        findings=tuple(ranked),
        weight=weight,
        windows=tuple(window.window_id for window in windows),
    )


def figure_of(window: Window, measure: str, basis: str, segment: str = "") -> Figure | None:
    """A figure of a window, or None."""
    for figure in window.figures:
        if (figure.measure, figure.basis, figure.segment) == (measure, basis, segment):
            return figure
    return None


def accuracy_draft(rule: AlertRule, window: Window) -> Draft | None:
    """Realised accuracy is provably below the reference's by more than the margin."""
    realised = figure_of(window, "accuracy", "realised")
    reference = figure_of(window, "accuracy", "reference")
    if realised is None or reference is None or realised.estimate.high is None:
        return None
    if realised.estimate.high >= reference.estimate.value - rule.quality_margin:
        return None
    return Draft(
        kind="quality",
        severity="critical",
        columns=("accuracy",),
        windows=(window.window_id,),
        figure=realised,
        against=reference.estimate.value,
    )


def pooled(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of estimates of disjoint rows, weighted by their rows, with its interval.

    >>> half = Estimate(value=0.02, low=0.0, high=0.04, n=100)
    >>> both = pooled([half, half])
    >>> both.value, round(both.high - both.value, 4), both.n
    (0.02, 0.0141, 200)
    """
    n = sum(estimate.n for estimate in estimates)
    if n == 0:
        return Estimate(value=0.0, low=None, high=None, n=0)
    value = sum(estimate.value * estimate.n for estimate in estimates) / n
    halves = [0.0 if e.high is None or e.low is None else (e.high - e.low) / 2 * e.n / n for e in estimates]
    half = sum(part * part for part in halves) ** 0.5
    return Estimate(value=value, low=value - half, high=value + half, level=estimates[0].level, n=n)


def every_look_limit(looks: int, level: float) -> float:
    """How many standard errors a mean must be away from zero, so that the chance of any false alarm is the level.

    One looks again with each window, so the usual 2.6 errors for 1 % would not do. Robbins' normal mixture, with the
    variance of one window as its prior; windows of about equal size.

    >>> round(every_look_limit(1, 0.01), 2), round(every_look_limit(12, 0.01), 2)
    (4.45, 3.57)
    """
    return math.sqrt((1 + 1 / looks) * (2 * math.log(1 / level) + math.log(1 + looks)))


def calibration_draft(rule: AlertRule, windows: Sequence[Window]) -> Draft | None:
    """The predictions are too high or too low, over all labelled windows of this reference together.

    A single window seldom shows it, so the windows are pooled, by a test that holds at every look; half a point at
    least.
    """
    recent = comparable(windows)
    found = [(w.window_id, figure_of(w, "calibration", "realised")) for w in recent]
    used = [(window_id, figure.estimate) for window_id, figure in found if figure is not None]
    if not used or used[-1][0] != recent[-1].window_id:
        return None
    estimate = pooled([one for _, one in used])
    if estimate.low is None or estimate.high is None:
        return None
    error = (estimate.high - estimate.low) / 2 / 1.959964
    limit = every_look_limit(len(used), rule.level)
    if abs(estimate.value) < CALIBRATION_EFFECT or abs(estimate.value) < limit * error:
        return None
    return Draft(
        kind="quality",
        severity="warning",
        columns=("calibration",),
        windows=tuple(window_id for window_id, _ in used),
        figure=Figure(measure="calibration", basis="realised", estimate=estimate),
        against=0.0,
    )


def drafts_of(rule: AlertRule, windows: Sequence[Window]) -> tuple[Draft, ...]:
    """Everything that the newest of the windows (oldest first) gives reason for."""
    if not windows:
        return ()
    newest = windows[-1]
    others = (drift_draft(rule, windows), accuracy_draft(rule, newest), calibration_draft(rule, windows))
    return (*immediate_drafts(rule, newest), *(draft for draft in others if draft is not None))


def decide(rule: AlertRule, windows: Sequence[Window], alerts: Sequence[Alert]) -> Decision:
    """What the newest window means, given the alerts that are not closed.

    A column (and kind) that an alert already covers does not alert again: the alert is confirmed instead. So the same
    window recorded twice opens nothing twice.

    Args:
        rule: the monitor's rule.
        windows: of this monitor, oldest first.
        alerts: of this monitor, open or acknowledged.
    """
    opened: list[Draft] = []
    confirmed: dict[str, Alert] = {}
    for draft in drafts_of(rule, windows):
        covering = {column: alert for alert in alerts if alert.kind == draft.kind for column in alert.columns}
        for column in draft.columns:
            if column in covering:
                confirmed[covering[column].alert_id] = covering[column]
        new = [column for column in draft.columns if column not in covering]
        if new:
            opened.append(_only(rule, draft, new))
    return Decision(opened=tuple(opened), confirmed=tuple(confirmed.values()))


def _only(rule: AlertRule, draft: Draft, columns: Sequence[str]) -> Draft:
    """The draft, for some of its columns."""
    if len(columns) == len(draft.columns):
        return draft
    found = tuple(finding for finding in draft.findings if finding.column in columns)
    weights = [weight for weight in (weight_of(draft.kind, finding) for finding in found) if weight is not None]
    weight = max(weights) if weights else None
    return Draft(
        kind=draft.kind,
        severity=severity_of(rule, weight),
        columns=tuple(columns),
        findings=found,
        weight=weight,
        windows=draft.windows,
        figure=draft.figure,
        against=draft.against,
    )


MOVES: dict[tuple[AlertState, str], AlertState] = {
    ("open", "acknowledge"): "acknowledged",
    ("open", "close"): "closed",
    ("acknowledged", "close"): "closed",
}
"""The moves that an alert may make."""


def moved(state: AlertState, verb: str) -> AlertState | None:
    """The state after a move, or None when it is not allowed.

    >>> moved("open", "acknowledge"), moved("closed", "acknowledge")
    ('acknowledged', None)
    """
    return MOVES.get((state, verb))


def check_plan(plan: WindowPlan) -> None:
    """Reject a window that cannot be cut.

    Raises:
        Invalid: a window of rows or time without a size, or a delivery with one.

    >>> check_plan(WindowPlan(by="rows", size=2_000))
    """
    if plan.by == "delivery" and plan.size:
        raise Invalid(f"A window by delivery has the delivery's size; {plan.size} was given. Leave the size out.")
    if plan.by != "delivery" and plan.size < 1:
        raise Invalid(f"A window by {plan.by} needs a size of at least 1; {plan.size} was given.")


def check_rule(rule: AlertRule) -> None:
    """Reject a rule that could never alert, or always would.

    Raises:
        Invalid: a level outside 0 to 1, a negative effect, or no window at all.

    >>> check_rule(AlertRule())
    """
    for name in ("level", "immediate_level"):
        if not 0 < getattr(rule, name) < 1:
            raise Invalid(f"The rule's {name} is {getattr(rule, name)}; it must lie between 0 and 1.")
    for name in ("numeric_effect", "code_effect", "critical_weight", "quality_margin"):
        if getattr(rule, name) < 0:
            raise Invalid(f"The rule's {name} is {getattr(rule, name)}; it must not be negative.")
    if rule.consecutive < 1:
        raise Invalid(f"The rule asks for {rule.consecutive} windows in a row; it must be at least 1.")
