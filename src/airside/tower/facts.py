"""Gathers what a row of the catalog is computed from: each room's own operations, in the caller's transaction."""

from collections.abc import Sequence

from airside.core.operation import Context
from airside.monitoring.operations.alerts import ListAlerts, list_alerts
from airside.monitoring.operations.monitors import ListMonitors, list_monitors
from airside.monitoring.operations.windows import ListWindows, list_windows
from airside.monitoring.records import Monitor, Window
from airside.monitoring.rules import figure_of
from airside.quality.operations.gates import ListGates, list_gates
from airside.quality.records import GateDecision
from airside.registry.operations.approvals import SearchApprovals, search_approvals
from airside.registry.records import CHAMPION, RegisteredModel
from airside.serving.operations.endpoints import ListEndpoints, list_endpoints
from airside.serving.operations.rollouts import ListRollouts, list_rollouts
from airside.serving.records import Endpoint
from airside.tower import queries
from airside.tower.records import DriftSummary
from airside.tower.rules import (
    SPARK_POINTS,
    AlertSign,
    ApprovalSign,
    EndpointSign,
    Facts,
    GateSign,
    QualitySign,
    RolloutSign,
)

MEASURES = ("accuracy", "roc_auc", "auc")
MOST = 100
DAY_MS = 24 * 3600 * 1000
PROJECT_TAG = "airside.project"
OWNER_TAG = "airside.owner"


def gather(ctx: Context, model: RegisteredModel, score: float | None) -> Facts:
    """All that is known of a model now."""
    endpoints = list_endpoints(ctx, ListEndpoints(model=model.name, max_results=MOST)).items
    monitors = list_monitors(ctx, ListMonitors(model=model.name, max_results=MOST)).items
    windows = _windows(ctx, monitors)
    newest = max((one.version for one in model.latest_versions), default=0)
    champion = model.aliases.get(CHAMPION, 0)
    gates = list_gates(ctx, ListGates(model=model.name, version=champion or newest, max_results=1)).items
    spark, spark_of, spark_reference = spark_line(windows)
    return Facts(
        name=model.name,
        project=model.tags.get(PROJECT_TAG, ""),
        owner=model.tags.get(OWNER_TAG, model.created_by),
        description=model.description or "",
        champion=champion,
        newest=newest,
        alerts=_alerts(ctx, model),
        endpoints=tuple(endpoint_sign(ctx, one) for one in endpoints),
        rollouts=tuple(sign for one in endpoints for sign in _rollouts(ctx, one)),
        approvals=_approvals(ctx, model),
        gate=_gate(gates),
        quality=quality_of(monitors, windows, gates),
        drift=drift_of(windows),
        monitors=tuple(one.name for one in monitors),
        spark=spark,
        spark_of=spark_of,
        spark_reference=spark_reference,
        score=score,
        at=ctx.clock.now(),
    )


def _windows(ctx: Context, monitors: Sequence[Monitor]) -> tuple[Window, ...]:
    """The newest windows of the first monitor, oldest first; only the newest one with its columns."""
    if not monitors:
        return ()
    name = monitors[0].name
    heads = list_windows(ctx, ListWindows(monitor=name, max_results=SPARK_POINTS, with_columns=False)).items
    newest = list_windows(ctx, ListWindows(monitor=name, max_results=1)).items
    return (*reversed(heads[1:]), *newest)


def endpoint_sign(ctx: Context, endpoint: Endpoint) -> EndpointSign:
    """An endpoint as the catalog sees it."""
    traffic = queries.traffic(ctx.tx, endpoint.name, ctx.now_ms() - DAY_MS)
    return EndpointSign(
        name=endpoint.name,
        state=endpoint.state,
        version=endpoint.version,
        predictions_24h=traffic.predictions,
        errors_24h=traffic.errors,
        p95_ms=traffic.p95_ms,
    )


def _alerts(ctx: Context, model: RegisteredModel) -> tuple[AlertSign, ...]:
    page = list_alerts(ctx, ListAlerts(model=model.name, state="active", max_results=MOST))
    return tuple(
        AlertSign(alert_id=one.alert_id, title=one.title, is_critical=one.severity == "critical", since=one.opened_at)
        for one in page.items
    )


def _rollouts(ctx: Context, endpoint: Endpoint) -> tuple[RolloutSign, ...]:
    """The newest rollout of an endpoint."""
    page = list_rollouts(ctx, ListRollouts(endpoint=endpoint.name, max_results=1))
    return tuple(
        RolloutSign(
            rollout_id=one.id,
            endpoint=one.endpoint,
            state=one.state,
            to_version=one.to_version,
            weight=one.weight,
            reason=one.reason,
            is_acknowledged=one.acknowledged_at is not None,
        )
        for one in page.items
    )


def _approvals(ctx: Context, model: RegisteredModel) -> tuple[ApprovalSign, ...]:
    page = search_approvals(ctx, SearchApprovals(state="waiting", subject_kind="version", max_results=MOST))
    return tuple(
        ApprovalSign(question=one.question or one.subject, approvers=one.approvers, since=one.asked_at)
        for one in page.items
        if one.subject.rpartition("@")[0] == model.name
    )


def _gate(gates: Sequence[GateDecision]) -> GateSign | None:
    if not gates:
        return None
    gate = gates[0]
    return GateSign(gate_id=gate.id, version=gate.version, is_passed=gate.outcome == "pass", summary=gate.summary)


def quality_of(
    monitors: Sequence[Monitor], windows: Sequence[Window], gates: Sequence[GateDecision]
) -> QualitySign | None:
    """The newest figure of quality: realised, else estimated, else what the gate measured.

    Args:
        monitors: of the model; the first one's rule holds the agreed margin.
        windows: of that monitor, oldest first.
        gates: decisions about the version that serves, newest first.
    """
    for basis in ("realised", "estimated"):
        for window in reversed(windows):
            figure = figure_of(window, "accuracy", basis)
            if figure is None:
                continue
            reference = figure_of(window, "accuracy", "reference")
            known = None if reference is None else reference.estimate.value
            limit = None if known is None else known - monitors[0].rule.quality_margin
            return QualitySign(
                measure="accuracy",
                basis=basis,
                estimate=figure.estimate,
                limit=limit if basis == "realised" else None,
                reference=known,
            )
    for gate in gates:
        for result in gate.results:
            if result.measure in MEASURES and result.estimate is not None and not (result.segment or result.against):
                return QualitySign(measure=result.measure, basis="gate", estimate=result.estimate)
    return None


def drift_of(windows: Sequence[Window]) -> DriftSummary | None:
    """The worst column of the newest window, by how far it is beyond the effect that counts."""
    if not windows:
        return None
    known = [one for one in windows[-1].columns if one.status == "ok" and one.effect_limit]
    if not known:
        return None
    worst = max(known, key=lambda one: (one.is_flagged, one.effect / one.effect_limit, one.column))
    return DriftSummary(
        column=worst.column,
        value=worst.effect,
        threshold=worst.effect_limit,
        is_flagged=worst.is_flagged,
        window_id=windows[-1].window_id,
    )


def spark_line(windows: Sequence[Window]) -> tuple[tuple[float, ...], str, float | None]:
    """Points of quality over windows, else of drift; what they are, and their reference.

    Drift is the largest effect of a window's columns, in units of what counts: 1 is the threshold.
    """
    figures = [figure_of(window, "accuracy", "realised") for window in windows]
    values = tuple(figure.estimate.value for figure in figures if figure is not None)
    if len(values) > 1:
        reference = figure_of(windows[-1], "accuracy", "reference")
        return values[-SPARK_POINTS:], "accuracy", None if reference is None else reference.estimate.value
    drifts = tuple(window.worst for window in windows)
    return (drifts[-SPARK_POINTS:], "drift", 1.0) if drifts else ((), "", None)
