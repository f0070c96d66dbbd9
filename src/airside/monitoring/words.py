"""An alert in words: what, since when, how sure, and how much it matters to the model. Pure."""

from collections.abc import Sequence

from airside.monitoring.records import PREDICTION, AlertRule, ColumnFinding, Window
from airside.monitoring.rules import Draft, comparable, figure_of, share_touched, weight_of

NO_CONSEQUENCE = 0.0005
"""An expected fall of the model's measure below this is not seen in any figure with two decimals."""

SURE = ((1e-4, "certain"), (1e-2, "very likely"))
SHOWN_LEVELS = 6
SHOWN_CHANGES = 3


def share(value: float) -> str:
    """A share in percent, with as many decimals as it takes.

    >>> share(0.165), share(0.0084), share(1.0)
    ('16.5 %', '0.8 %', '100 %')
    """
    return f"{value * 100:.1f} %".replace("100.0", "100").replace(" 0.0 %", " 0 %")


def number(value: float) -> str:
    """A number, briefly.

    >>> number(94.0), number(0.05), number(1140)
    ('94', '0.05', '1,140')
    """
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def chance(p: float) -> str:
    """A p-value in words.

    >>> chance(3e-9), chance(0.004), chance(0.0)
    ('3e-09', '0.004', 'below 1e-300')
    """
    return "below 1e-300" if p < 1e-300 else f"{p:.1g}"


def sureness(p: float) -> str:
    """How sure a finding is.

    >>> sureness(1e-9), sureness(0.004), sureness(0.3)
    ('certain', 'very likely', 'possible')
    """
    return next((word for limit, word in SURE if p <= limit), "possible")


def consequence(rule: AlertRule, finding: ColumnFinding, weight: float | None) -> str:
    """How much a finding matters to the model.

    >>> from airside.core.estimate import Estimate
    >>> anc = ColumnFinding(column="ANC", kind="levels", statistic="tvd", importance=Estimate(value=0.0004))
    >>> consequence(AlertRule(), anc, 0.00002)
    'of no consequence for the model'
    """
    if finding.column == PREDICTION:
        return "it is the model's own score"
    if weight is None or finding.importance is None:
        return "of unknown consequence: the reference holds no importance for it"
    if weight < NO_CONSEQUENCE:
        return "of no consequence for the model"
    if weight < rule.critical_weight:
        return "of small consequence for the model"
    return "of great consequence for the model"


def titled(draft: Draft) -> str:
    """The alert's title: one line.

    >>> titled(Draft(kind="drift", severity="warning", columns=("ANC", "SCHL"), windows=()))
    'ANC and SCHL drift'
    """
    names = listed(draft.columns)
    one = len(draft.columns) == 1
    if draft.kind == "drift":
        return f"{names} {'drifts' if one else 'drift'}"
    if draft.kind == "unseen":
        return f"{names}: codes that the reference never had"
    if draft.kind == "missing":
        return f"{names}: more missing values"
    if draft.kind == "range":
        return "; ".join(_range_title(finding) for finding in draft.findings[:SHOWN_CHANGES])
    if draft.columns == ("accuracy",):
        return "Accuracy is below the reference's"
    return f"Predictions are too {'high' if draft.figure and draft.figure.estimate.value > 0 else 'low'}"


def _range_title(finding: ColumnFinding) -> str:
    beyond = (
        (finding.above, "above", "maximum", finding.maximum, finding.reference_maximum),
        (finding.below, "below", "minimum", finding.minimum, finding.reference_minimum),
    )
    return "; ".join(
        f"{finding.column} {_bound(found)} {side} the reference's {end} {_bound(known)}"
        for rows, side, end, found, known in beyond
        if rows
    )


def _bound(value: float | None) -> str:
    return "?" if value is None else number(value)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence.

    >>> listed(("A", "B", "C"))
    'A, B and C'
    >>> listed(("A",)), listed(())
    ('A', '')
    """
    return " and ".join((", ".join(names[:-1]), *names[-1:]) if len(names) > 1 else names)


def explained(rule: AlertRule, draft: Draft, windows: Sequence[Window], policy: str) -> str:
    """The alert's text.

    Args:
        rule: the monitor's rule.
        draft: what is to be worded.
        windows: of the monitor, oldest first; the newest opened the alert.
        policy: what shall happen, as the monitor says it; may be empty.
    """
    newest = windows[-1]
    first = next((window for window in windows if window.window_id == draft.windows[0]), newest)
    since = (
        f"Since {_named(first)}, {_counted(len(draft.windows))}; "
        f"compared with the training data of v{newest.reference_version}."
    )
    if draft.kind == "quality":
        sentences = [_quality(rule, draft)]
    else:
        sentences = [_finding(rule, draft, finding) for finding in draft.findings]
        sentences.append(unharmed(newest))
    sentences.insert(1 if draft.kind == "quality" else len(draft.findings), since)
    if policy:
        sentences.append(f"Policy of this monitor: {policy}")
    return "\n".join(sentence for sentence in sentences if sentence)


def _named(window: Window) -> str:
    return f"delivery {window.delivery}" if window.delivery else f"{window.from_at:%d %b %Y, %H:%M} UTC"


def _counted(windows: int) -> str:
    return "one window" if windows == 1 else f"{windows} windows"


def _finding(rule: AlertRule, draft: Draft, finding: ColumnFinding) -> str:
    weight = weight_of(draft.kind, finding)
    p = {"unseen": finding.p_unseen, "range": finding.p_range, "missing": finding.p_missing}.get(
        draft.kind, finding.p_adjusted
    )
    return (
        f"{finding.column}: {sureness(p)}, and {consequence(rule, finding, weight)}. "
        f"{_what(draft, finding)} Chance of this if nothing had changed: {chance(p)}.{_matters(draft, finding, weight)}"
    )


def _what(draft: Draft, finding: ColumnFinding) -> str:
    return WHAT[draft.kind](finding, share(share_touched(draft.kind, finding)))


def _unseen(finding: ColumnFinding, touched: str) -> str:
    codes = [one.level for one in finding.unseen]
    shown = listed(codes) if len(codes) <= SHOWN_LEVELS else listed((*codes[:SHOWN_LEVELS], "more"))
    gone = f" Gone: {listed(finding.vanished)}." if finding.vanished else ""
    return f"{touched} of the rows have codes that the reference lacks: {shown}.{gone}"


def _range(finding: ColumnFinding, touched: str) -> str:
    return f"{_range_title(finding)}, in {finding.below + finding.above:,} rows ({touched}).{_unit(finding)}"


def _unit(finding: ColumnFinding) -> str:
    if finding.unit_factor is None:
        return ""
    return f" Divided by {number(finding.unit_factor)} it fits the reference: a change of unit."


def _missing(finding: ColumnFinding, touched: str) -> str:
    now = share(finding.missing / max(finding.n + finding.missing, 1))
    return f"{now} of the rows have no value, {touched} more than in the reference."


def _drift(finding: ColumnFinding, touched: str) -> str:
    if finding.statistic == "ks":
        limit = f"{finding.effect:.3f} from the reference ({finding.effect_limit:.2f} counts)"
        return f"Kolmogorov-Smirnov distance {limit}.{_unit(finding)}"
    return f"{touched} of the rows changed their code ({share(finding.effect_limit)} counts){_changes(finding)}."


WHAT = {"unseen": _unseen, "range": _range, "missing": _missing, "drift": _drift}
"""How each kind of finding is told."""


def _changes(finding: ColumnFinding) -> str:
    if finding.distribution is None:
        return ""
    cells = zip(finding.distribution.cells, finding.distribution.reference, finding.distribution.current, strict=True)
    largest = sorted(cells, key=lambda cell: -abs(cell[2] - cell[1]))[:SHOWN_CHANGES]
    return ": " + ", ".join(f"{cell} from {share(then)} to {share(now)}" for cell, then, now in largest if then != now)


def _matters(draft: Draft, finding: ColumnFinding, weight: float | None) -> str:
    if weight is None or finding.importance is None:
        return ""
    importance = finding.importance
    interval = (
        "" if importance.low is None or importance.high is None else f" [{importance.low:.4f}, {importance.high:.4f}]"
    )
    return (
        f" Shuffled wholly, {finding.column} costs the model {importance.value:.4f}{interval} of its AUC; "
        f"with {share(share_touched(draft.kind, finding))} of the rows touched, about {weight:.5f}."
    )


def unharmed(window: Window) -> str:
    """What is known of the quality in this window: realised with labels, else estimated without."""
    reference = figure_of(window, "accuracy", "reference")
    for basis, said in (("realised", "with labels"), ("estimated", "estimated without labels")):
        figure = figure_of(window, "accuracy", basis)
        if figure is None:
            continue
        estimate = figure.estimate
        interval = "" if estimate.low is None else f" [{estimate.low:.3f}, {estimate.high:.3f}]"
        against = "" if reference is None else f", {reference.estimate.value:.3f} in the reference"
        return f"Accuracy {said}: {estimate.value:.3f}{interval} on {estimate.n:,} rows{against}."
    return "Nothing is known of the quality in this window: no labels, and no scores to estimate it from."


def _quality(rule: AlertRule, draft: Draft) -> str:
    if draft.figure is None:
        return ""
    estimate = draft.figure.estimate
    if draft.columns == ("accuracy",):
        interval = f"[{estimate.low:.3f}, {estimate.high:.3f}]"
        return (
            f"Accuracy on {estimate.n:,} labelled rows is {estimate.value:.3f} {interval}, "
            f"provably more than {rule.quality_margin * 100:g} points below the reference's {draft.against or 0.0:.3f}."
        )
    low, high = (estimate.low or 0.0) * 100, (estimate.high or 0.0) * 100
    return (
        f"On {estimate.n:,} labelled rows the mean prediction less the share of the label is "
        f"{estimate.value * 100:+.2f} points [{low:+.2f}, {high:+.2f}]. "
        f"Beyond chance at {share(rule.level)}, however often one looks."
    )


def opening(rule: AlertRule, draft: Draft, windows: Sequence[Window], policy: str) -> tuple[str, str]:
    """Title and text of an alert."""
    return titled(draft), explained(rule, draft, comparable(windows) or windows, policy)
