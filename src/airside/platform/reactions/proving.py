"""What the rooms found becomes evidence: gates, rollouts, windows, approvals, importances."""

from collections.abc import Iterable

from airside.core.estimate import Estimate
from airside.core.ids import ModelName, is_blob_id
from airside.core.operation import SERVICE
from airside.governance.operations.evidence import RecordEvidence
from airside.governance.records import Cause, EvidenceStatus, Measured, Threshold
from airside.monitoring import rules
from airside.monitoring.events import WindowAnalysed
from airside.monitoring.operations.monitors import GetMonitor
from airside.monitoring.operations.windows import GetWindow
from airside.monitoring.records import AlertRule, Window
from airside.platform.reacting import Reaction
from airside.platform.reactions.watching import reference_of
from airside.platform.wiring import Platform
from airside.quality.events import GateDecided
from airside.quality.operations.gates import GetGate
from airside.quality.profiles import Importance
from airside.quality.records import CheckResult, GateDecision
from airside.registry.events import ApprovalDecided, VersionRegistered
from airside.registry.operations.versions import GetVersion
from airside.serving.events import RolloutEnded
from airside.serving.operations.rollouts import GetRollout


def prove_gate(platform: Platform, event: GateDecided, seq: int) -> None:
    """A gate decided: evidence that the version was validated, and for what its checks looked at."""
    gate = platform.call(SERVICE, GetGate(id=event.id))
    for ask in evidence_of_gate(gate):
        platform.call(SERVICE, ask, idempotency_key=f"prove_gate:{seq}:{ask.items[0]}")


def evidence_of_gate(gate: GateDecision) -> Iterable[RecordEvidence]:
    """I4 from the decision; M5, M6, M7 from the checks against a baseline, in segments, between groups."""
    by_item = {
        "mts:M5": [one for one in gate.results if one.against == "baseline"],
        "mts:M6": [one for one in gate.results if one.kind == "somebody_selected" or "=" in one.segment],
        "mts:M7": [one for one in gate.results if one.kind == "gap_at_most"],
    }
    statuses: dict[str, EvidenceStatus] = {item: worst(results) for item, results in by_item.items() if results}
    figures = {item: measured(results) for item, results in by_item.items()}
    for item, status in {"mts:I4": gate.outcome, **statuses}.items():
        yield _of_version(
            item,
            gate.model,
            gate.version,
            status=status,
            cause="gate",
            by=gate.id,
            measured=figures.get(item, measured(gate.results)),
        )


def worst(results: Iterable[CheckResult]) -> EvidenceStatus:
    """A failed check fails the whole; a group that is too small makes it unknown, never a pass."""
    outcomes = {result.outcome for result in results}
    return "fail" if "fail" in outcomes else "unknown" if "unknown" in outcomes else "pass"


def measured(results: Iterable[CheckResult]) -> tuple[Measured, ...]:
    """The figures of checks."""
    return tuple(
        Measured(name=f"{one.name} {one.segment}".strip(), estimate=one.estimate)
        for one in results
        if one.estimate is not None
    )


def _of_version(  # noqa: PLR0913 -- the parts of one record
    item: str,
    model: ModelName,
    version: int,
    *,
    status: EvidenceStatus,
    cause: Cause,
    by: str,
    measured: tuple[Measured, ...] = (),
    thresholds: tuple[Threshold, ...] = (),
    statement: str = "",
) -> RecordEvidence:
    return RecordEvidence(
        items=(item,),
        subject_kind="model_version",
        subject=f"{model}@{version}",
        model=model,
        version=version,
        cause=cause,
        status=status,
        measured=measured,
        thresholds=thresholds,
        produced_by=by,
        statement=statement,
    )


def prove_rollout(platform: Platform, event: RolloutEnded, seq: int) -> None:
    """A rollout ended: evidence that the version was canaried, and, if it went back, that one can go back."""
    rollout = platform.call(SERVICE, GetRollout(id=event.rollout_id))
    if rollout.plan.shadow is not None or rollout.plan.steps:
        status: EvidenceStatus = "pass" if event.outcome == "promoted" else "fail"
        ask = _of_version(
            "mts:I6", event.model, event.to_version, status=status, cause="event", by=rollout.id, statement=event.reason
        )
        platform.call(SERVICE, ask, idempotency_key=f"prove_rollout:{seq}:I6")
    if event.outcome == "rolled_back" and event.from_version:
        ask = _of_version(
            "mts:I7",
            event.model,
            event.from_version,
            status="pass",
            cause="event",
            by=rollout.id,
            statement=event.reason,
        )
        platform.call(SERVICE, ask, idempotency_key=f"prove_rollout:{seq}:I7")


def prove_window(platform: Platform, event: WindowAnalysed, _seq: int) -> None:
    """A window was looked at: evidence about inputs, skew and quality. Told again only when the status changed."""
    window = platform.call(SERVICE, GetWindow(window_id=event.window_id))
    rule = platform.call(SERVICE, GetMonitor(name=event.monitor)).rule
    for ask in evidence_of_window(window, rule):
        platform.call(SERVICE, ask)


def evidence_of_window(window: Window, rule: AlertRule) -> Iterable[RecordEvidence]:
    """O2: no code, range or missing value that the reference forbids; O3: no drift of size; O7: quality held."""
    surprises = rules.immediate_drafts(rule, window)
    found = "; ".join(f"{one.kind}: {', '.join(one.columns)}" for one in surprises)
    yield _window_evidence("mts:O2", window, "fail" if surprises else "pass", statement=found)
    limits = (Threshold(name="KS", value=rule.numeric_effect), Threshold(name="TVD", value=rule.code_effect))
    yield _window_evidence(
        "mts:O3", window, "fail" if window.flagged else "pass", statement=", ".join(window.flagged), thresholds=limits
    )
    realised = rules.figure_of(window, "accuracy", "realised")
    if realised is not None:
        known = rules.figure_of(window, "accuracy", "reference") is not None
        status: EvidenceStatus = "unknown" if not known else "fail" if rules.accuracy_draft(rule, window) else "pass"
        yield _window_evidence(
            "mts:O7",
            window,
            status,
            measured=(Measured(name="accuracy", estimate=realised.estimate),),
            thresholds=(Threshold(name="margin", value=rule.quality_margin),),
        )


def _window_evidence(
    item: str,
    window: Window,
    status: EvidenceStatus,
    *,
    statement: str = "",
    measured: tuple[Measured, ...] = (),
    thresholds: tuple[Threshold, ...] = (),
) -> RecordEvidence:
    return _of_version(
        item,
        window.model,
        window.version,
        status=status,
        cause="event",
        by=window.window_id,
        measured=measured,
        thresholds=thresholds,
        statement=statement,
    )


def prove_features(platform: Platform, event: VersionRegistered, seq: int) -> None:
    """A version came with the importance of its features: evidence whether each of them pays its way."""
    version = platform.call(SERVICE, GetVersion(name=event.name, version=event.version))
    if not is_blob_id(version.reference):
        return
    importance = reference_of(platform, version.reference).importance
    if importance:
        ask = _of_version(
            "mts:D2",
            event.name,
            event.version,
            status=usefulness(importance),
            cause="event",
            by=version.reference,
            measured=tuple(
                Measured(name=one.column, estimate=Estimate(value=one.fall, low=one.low, high=one.high, unit="AUC"))
                for one in importance
            ),
            statement=", ".join(one.column for one in importance if one.low is None or one.low <= 0),
        )
        platform.call(SERVICE, ask, idempotency_key=f"prove_features:{seq}")


def usefulness(importance: Iterable[Importance]) -> EvidenceStatus:
    """Each feature's importance is provably above nothing; without an interval nothing is proven.

    >>> usefulness([Importance(column="a", fall=0.1, low=0.05, high=0.2)])
    'pass'
    >>> usefulness([Importance(column="a", fall=0.1)])
    'unknown'
    """
    lows = [one.low for one in importance]
    if any(low is not None and low <= 0 for low in lows):
        return "fail"
    return "unknown" if None in lows else "pass"


def prove_review(platform: Platform, event: ApprovalDecided, seq: int) -> None:
    """Someone approved a version: evidence of a review, if it was not its author."""
    if event.subject_kind != "version":
        return
    name, _, number = event.subject.rpartition("@")
    version = platform.call(SERVICE, GetVersion(name=ModelName(name), version=int(number)))
    is_review = event.approved and event.decided_by != version.created_by
    ask = _of_version(
        "mts:M1",
        version.name,
        version.version,
        status="pass" if is_review else "fail",
        cause="event",
        by=event.approval_id,
        statement=f"{_word(event)} by {event.decided_by}",
    )
    platform.call(SERVICE, ask, idempotency_key=f"prove_review:{seq}")


def _word(event: ApprovalDecided) -> str:
    if event.is_revoked:
        return "approval revoked"
    return "approved" if event.approved else "refused"


REACTIONS: tuple[Reaction, ...] = (
    Reaction(name="prove_features", event=VersionRegistered, handle=prove_features),
    Reaction(name="prove_gate", event=GateDecided, handle=prove_gate),
    Reaction(name="prove_rollout", event=RolloutEnded, handle=prove_rollout),
    Reaction(name="prove_window", event=WindowAnalysed, handle=prove_window),
    Reaction(name="prove_review", event=ApprovalDecided, handle=prove_review),
)
"""What follows for governance."""
