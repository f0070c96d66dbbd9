"""A model's state from its signs: pure, one table of what counts, in order."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from statistics import median
from urllib.parse import quote

from airside.core.estimate import Estimate
from airside.core.ids import ModelName
from airside.core.record import Record
from airside.tower.records import CatalogRow, CatalogSummary, DriftSummary, Reason, State

WORDS: dict[State, str] = {"ok": "Healthy", "warn": "Watch", "bad": "Act", "info": "Running", "idle": "No data"}
RANK: dict[State, int] = {"bad": 0, "warn": 1, "info": 2, "idle": 3, "ok": 4}
"""The worst first: this orders the catalog, and the signs of one model."""
TOP_REASONS = 2
SPARK_POINTS = 30
PATIENCE = timedelta(days=1)
"""So long may a gate or an approval wait before somebody should look."""


class AlertSign(Record):
    """An alert that is not closed."""

    alert_id: str
    title: str
    is_critical: bool
    since: datetime


class EndpointSign(Record):
    """An endpoint that follows the model."""

    name: str
    state: str
    version: int
    predictions_24h: int | None = None
    errors_24h: int | None = None
    p95_ms: float | None = None


class RolloutSign(Record):
    """The newest rollout of an endpoint."""

    rollout_id: str
    endpoint: str
    state: str
    to_version: int
    weight: int = 0
    reason: str = ""
    is_acknowledged: bool = False


class ApprovalSign(Record):
    """A question that waits for somebody."""

    question: str
    approvers: tuple[str, ...] = ()
    since: datetime


class GateSign(Record):
    """The newest gate decision on the newest version."""

    gate_id: str
    version: int
    is_passed: bool
    summary: str = ""


class QualitySign(Record):
    """The newest figure of quality.

    Attributes:
        basis: `realised`, `estimated`, or `gate` (measured before it was served).
        limit: the agreed lower limit, or None.
    """

    measure: str
    basis: str
    estimate: Estimate
    limit: float | None = None
    reference: float | None = None


class Facts(Record):
    """All that a row of the catalog is computed from."""

    name: ModelName
    project: str = ""
    owner: str = ""
    description: str = ""
    champion: int = 0
    newest: int = 0
    alerts: tuple[AlertSign, ...] = ()
    endpoints: tuple[EndpointSign, ...] = ()
    rollouts: tuple[RolloutSign, ...] = ()
    approvals: tuple[ApprovalSign, ...] = ()
    gate: GateSign | None = None
    quality: QualitySign | None = None
    drift: DriftSummary | None = None
    monitors: tuple[str, ...] = ()
    spark: tuple[float, ...] = ()
    spark_of: str = ""
    spark_reference: float | None = None
    score: float | None = None
    at: datetime


Finder = Callable[[Facts], list[Reason]]


def _critical(facts: Facts) -> list[Reason]:
    return [_alerted(alert, "bad") for alert in facts.alerts if alert.is_critical]


def _alerted(alert: AlertSign, state: State) -> Reason:
    return Reason(state=state, text=alert.title, link=f"/alerts/{alert.alert_id}")


def _down(facts: Facts) -> list[Reason]:
    return [
        Reason(
            state="bad",
            text=f"endpoint {one.name}: all {one.predictions_24h:,} predictions of 24 h failed",
            link=f"/endpoints/{one.name}",
        )
        for one in facts.endpoints
        if one.predictions_24h and one.errors_24h == one.predictions_24h
    ]


def _rolled_back(facts: Facts) -> list[Reason]:
    return [
        Reason(
            state="bad",
            text=f"v{one.to_version} was rolled back, nobody looked yet",
            link=f"/endpoints/{one.endpoint}/rollouts/{one.rollout_id}",
        )
        for one in facts.rollouts
        if one.state == "rolled_back" and not one.is_acknowledged
    ]


def _warned(facts: Facts) -> list[Reason]:
    return [_alerted(alert, "warn") for alert in facts.alerts if not alert.is_critical]


def _drifted(facts: Facts) -> list[Reason]:
    drift = facts.drift
    if drift is None or not drift.is_flagged or any(drift.column in alert.title for alert in facts.alerts):
        return []
    text = f"drift in {drift.column}: {drift.value:.3f}, {drift.threshold:.2f} counts"
    return [Reason(state="warn", text=text, link=_monitored(facts))]


def _monitored(facts: Facts) -> str:
    return f"/monitors/{facts.monitors[0]}" if facts.monitors else f"/models/{facts.name}?tab=monitoring"


def _below_limit(facts: Facts) -> list[Reason]:
    quality = facts.quality
    if quality is None or quality.limit is None or quality.estimate.low is None:
        return []
    if quality.estimate.low >= quality.limit:
        return []
    text = f"{quality.measure} {quality.basis} may be {quality.estimate.low:.3f}, under the limit {quality.limit:.3f}"
    return [Reason(state="warn", text=text, link=f"/models/{facts.name}?tab=performance")]


def _paused(facts: Facts) -> list[Reason]:
    return [
        Reason(
            state="warn",
            text=f"rollout of v{one.to_version} is paused: {one.reason}".rstrip(": "),
            link=f"/endpoints/{one.endpoint}/rollouts/{one.rollout_id}",
        )
        for one in facts.rollouts
        if one.state == "paused"
    ]


def _waiting_long(facts: Facts) -> list[Reason]:
    return [_waits(one, "warn") for one in facts.approvals if facts.at - one.since > PATIENCE]


def _waits(one: ApprovalSign, state: State) -> Reason:
    who = ", ".join(one.approvers) or "somebody with the right"
    return Reason(state=state, text=f"waits for {who}: {one.question}".rstrip(": "), link="/approvals")


def _rolling(facts: Facts) -> list[Reason]:
    return [
        Reason(
            state="info",
            text=f"v{one.to_version} in {one.state}" + (f" at {one.weight / 100:g} %" if one.weight else ""),
            link=f"/endpoints/{one.endpoint}/rollouts/{one.rollout_id}",
        )
        for one in facts.rollouts
        if one.state in {"shadow", "canary"}
    ]


def _waiting(facts: Facts) -> list[Reason]:
    return [_waits(one, "info") for one in facts.approvals if facts.at - one.since <= PATIENCE]


def _unserved(facts: Facts) -> list[Reason]:
    if not facts.newest:
        return [Reason(state="idle", text="no version yet", link=f"/models/{facts.name}?tab=versions")]
    if not any(one.version for one in facts.endpoints):
        return [Reason(state="idle", text="no endpoint serves it", link=f"/models/{facts.name}?tab=versions")]
    return []


def _silent(facts: Facts) -> list[Reason]:
    serving = [one for one in facts.endpoints if one.version]
    if not serving or any(one.predictions_24h is None or one.predictions_24h for one in serving):
        return []
    return [Reason(state="idle", text="no prediction in 24 h", link=f"/endpoints/{serving[0].name}")]


def _unwatched(facts: Facts) -> list[Reason]:
    if facts.monitors or not any(one.version for one in facts.endpoints):
        return []
    return [Reason(state="idle", text="no monitor watches it", link="/monitors")]


SIGNS: tuple[Finder, ...] = (
    _critical,
    _down,
    _rolled_back,
    _warned,
    _drifted,
    _below_limit,
    _paused,
    _waiting_long,
    _rolling,
    _waiting,
    _unserved,
    _silent,
    _unwatched,
)
"""What counts, the worst first: what harms, what somebody should look at, work in progress, what is not known."""


def reasons_of(facts: Facts) -> tuple[Reason, ...]:
    """Every sign of a model, the worst first."""
    return tuple(reason for find in SIGNS for reason in find(facts))


def row_of(facts: Facts) -> CatalogRow:
    """A model at a glance: its state is that of its worst sign."""
    reasons = reasons_of(facts)
    state: State = reasons[0].state if reasons else "ok"
    word = "Waiting" if state == "info" and not _rolling(facts) else WORDS[state]
    healthy = (Reason(state="ok", text="all checks passed", link=f"/models/{facts.name}"),)
    rollout = next((one for one in facts.rollouts if one.state in {"shadow", "canary", "paused"}), None)
    quality = facts.quality
    return CatalogRow(
        name=facts.name,
        project=facts.project,
        owner=facts.owner,
        description=facts.description,
        state=state,
        word=word,
        reasons=reasons[:TOP_REASONS] or healthy,
        more_reasons=max(0, len(reasons) - TOP_REASONS),
        champion=facts.champion,
        newest=facts.newest,
        endpoints=tuple(one.name for one in facts.endpoints),
        rollout_id=rollout.rollout_id if rollout else "",
        rollout_state=rollout.state if rollout else "",
        metric=quality.measure if quality else "",
        quality=quality.estimate if quality else None,
        quality_basis=quality.basis if quality else "",
        spark=facts.spark[-SPARK_POINTS:],
        spark_of=facts.spark_of,
        spark_reference=facts.spark_reference,
        drift=facts.drift,
        predictions_24h=_total([one.predictions_24h for one in facts.endpoints]),
        errors_24h=_total([one.errors_24h for one in facts.endpoints]),
        p95_ms=max((one.p95_ms for one in facts.endpoints if one.p95_ms is not None), default=None),
        open_alerts=len(facts.alerts),
        score=facts.score,
        refreshed_at=facts.at,
    )


def _total(figures: Sequence[int | None]) -> int | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known) if known else None


def summary_of(rows: Sequence[CatalogRow]) -> CatalogSummary:
    """The catalog in figures."""
    count = {state: sum(row.state == state for row in rows) for state in RANK}
    scores = [row.score for row in rows if row.score is not None]
    return CatalogSummary(
        models=len(rows),
        ok=count["ok"],
        warn=count["warn"],
        bad=count["bad"],
        info=count["info"],
        idle=count["idle"],
        open_alerts=sum(row.open_alerts for row in rows),
        predictions_24h=sum(row.predictions_24h or 0 for row in rows),
        errors_24h=sum(row.errors_24h or 0 for row in rows),
        median_score=median(scores) if scores else None,
    )


PAGES = {
    "experiment": "/experiments/{0}/runs",
    "run": "/runs/{0}",
    "registered_model": "/models/{0}",
    "model_version": "/models/{0}/versions/{1}",
    "dataset": "/datasets/{0}",
    "pipeline": "/pipelines/{0}",
    "pipeline_run": "/pipeline-runs/{0}",
    "endpoint": "/endpoints/{0}",
    "monitor": "/monitors/{0}",
    "alert": "/alerts/{0}",
    "prediction": "/predictions/{0}",
}
"""Where a record is shown."""


def link_of(kind: str, id_: str) -> str:
    """The page that shows a record; its lineage where it has no page of its own.

    >>> link_of("model_version", "a b@3"), link_of("window", "w-1")
    ('/models/a%20b/versions/3', '/lineage?from=window:w-1')
    """
    page = PAGES.get(kind)
    if page is None:
        return f"/lineage?from={quote(kind)}:{quote(id_, safe='')}"
    name, _, version = id_.rpartition("@") if kind == "model_version" else (id_, "", "")
    return page.format(quote(name, safe=""), quote(version, safe=""))
