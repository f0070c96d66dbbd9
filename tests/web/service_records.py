"""Endpoints, rollouts, monitors, windows and alerts, by hand."""

from tests.web.moment import BLOB, ago

from airside.core.estimate import Estimate
from airside.monitoring.records import (
    Alert,
    ColumnFinding,
    Distribution,
    Figure,
    Monitor,
    Window,
)
from airside.monitoring.records import LevelCount as UnseenLevel
from airside.serving.records import (
    Decision,
    Endpoint,
    Evidence,
    GuardEvidence,
    PairedEvidence,
    Rollout,
    RolloutPlan,
    Step,
)

FEATURES = ("AGEP", "SCHL", "MAR", "RELP", "DIS", "CIT", "MIG", "ANC", "SEX", "RAC1P")


def window(number: int, name: str = "employment", monitor: str = "employment-inputs") -> Window:
    columns = tuple(finding(feature, number, i) for i, feature in enumerate(FEATURES))
    falling = 0.83 - (0.006 * max(number - 9, 0))
    figures = tuple(
        Figure(measure=measure, basis=basis, estimate=Estimate(value=v, low=v - 0.008, high=v + 0.008, n=4_000))
        for measure, base in (("accuracy", 0.0), ("roc_auc", 0.07))
        for basis, v in (
            ("estimated", falling + base + 0.004),
            ("reference", 0.83 + base),
            *((("realised", falling + base),) if number < 14 else ()),
        )
    )
    by_group = tuple(
        Figure(
            measure="accuracy",
            basis="realised",
            segment=f"SEX={s}",
            estimate=Estimate(value=falling - 0.01 * s, low=falling - 0.03, high=falling + 0.01, n=2_000),
        )
        for s in (1, 2)
    )
    return Window(
        window_id=f"w-{number}",
        monitor=monitor,
        endpoint="employment",
        model=name,
        sequence=number,
        delivery=f"2017-{number:02d}" if number <= 12 else f"2018-{number - 12:02d}",
        from_at=ago(days=30 * (15 - number)),
        to_at=ago(days=30 * (15 - number) - 1),
        version=1 if number < 5 else 2,
        reference_version=2,
        rows=4_000,
        labelled=0 if number >= 14 else 3_912,
        flagged=tuple(c.column for c in columns if c.is_flagged),
        columns=columns,
        figures=figures + (by_group if number < 14 else ()),
        notes=("Labels of the newest deliveries have not arrived.",) if number >= 14 else (),
        analysed_at=ago(hours=2),
    )


def finding(feature: str, number: int, i: int) -> ColumnFinding:
    effect = 0.012 + 0.011 * ((number * 7 + i * 5) % 4)
    if feature == "ANC" and number >= 10:
        effect = 0.16 + 0.05 * (number % 3)
    if feature == "SCHL" and number >= 12:
        effect = 0.07 + 0.01 * (number % 2)
    cells = tuple(str(k) for k in range(6))
    shares = (0.3, 0.25, 0.2, 0.15, 0.1, 0.0)
    now = (0.3 - effect / 2, 0.25, 0.2, 0.15, 0.1 - effect / 4, 0.75 * effect)
    return ColumnFinding(
        column=feature,
        kind="levels",
        statistic="tvd",
        effect=effect,
        effect_limit=0.05,
        p=0.0001 if effect > 0.05 else 0.4,
        p_adjusted=0.001 if effect > 0.05 else 0.7,
        is_flagged=effect > 0.05,
        n=4_000,
        reference_n=32_000,
        missing=12,
        unseen=(UnseenLevel(level="5", rows=301),) if feature == "ANC" and number >= 10 else (),
        unseen_rows=301 if feature == "ANC" and number >= 10 else 0,
        importance=Estimate(value=0.031, low=0.028, high=0.034, n=5_000) if i < 5 else None,
        distribution=Distribution(cells=cells, reference=shares, current=now),
    )


def alert(number: int = 1, name: str = "employment", title: str = "ANC drifts") -> Alert:
    return Alert(
        alert_id=f"al-{number}",
        monitor="employment-inputs",
        endpoint="employment",
        model=name,
        kind="drift",
        severity="critical" if number == 1 else "warning",
        state="open" if number == 1 else "acknowledged",
        title=title,
        text=f"{title}: in 2 windows in a row unlike the training data.\nExpected consequence: 0.0062 AUC.",
        columns=("ANC",),
        weight=0.0062,
        version=2,
        windows=("w-13", "w-14"),
        opened_at=ago(hours=2, minutes=14),
        seen_at=ago(minutes=12),
        acknowledged_by="" if number == 1 else "M. Laine",
    )


def monitor(name: str = "employment-inputs", of: str = "employment") -> Monitor:
    return Monitor(
        name=name,
        endpoint="employment",
        model=of,
        reference=BLOB,
        reference_version=2,
        policy="Retrains when a column drifts in two deliveries in a row.",
        created_at=ago(days=30),
        updated_at=ago(days=2),
    )


def evidence(look: int) -> Evidence:
    def est(value: float) -> Estimate:
        return Estimate(value=value, low=max(value - 0.01, 0), high=value + 0.01, n=900)

    guards = tuple(
        GuardEvidence(
            guard=name,
            champion_rows=2_700,
            champion_bad=9,
            canary_rows=300 + 90 * look,
            canary_bad=2,
            log_e=base + 0.12 * look,
            limit=3.7,
            champion=est(0.004),
            canary=est(0.006),
        )
        for name, base in (("error", -0.4), ("latency", 0.1), ("wrong_label", 0.6))
    )
    paired = PairedEvidence(
        rows=1_200,
        labelled_rows=1_104,
        champion_wrong=91,
        challenger_wrong=74,
        disagreement=est(0.137),
        log_e_harm=-1.2,
        limit=3.0,
        difference=Estimate(value=-0.0154, low=-0.031, high=0.0004, n=1_104),
    )
    return Evidence(guards=guards, paired=paired, step_rows=300 + 90 * look)


def rollout(identity: str = "ro-1", name: str = "employment", state: str = "canary") -> Rollout:
    history = tuple(
        Decision(
            at=ago(minutes=20 - look),
            outcome="continue",
            reason=f"too early to tell: {300 + 90 * look} rows",
            state="canary",
            step=0,
            weight=1_000,
            evidence=evidence(look),
        )
        for look in range(12)
    )
    return Rollout(
        id=identity,
        endpoint="employment",
        model=name,
        from_version=2,
        to_version=3,
        state=state,
        step=0,
        weight=1_000,
        plan=RolloutPlan(steps=(Step(weight_percent=10, min_rows=2_000), Step(weight_percent=50, min_rows=5_000))),
        evidence=evidence(11),
        history=history,
        reason="10 % of the traffic; no harm is proven",
        started_by="retrain-employment",
        started_at=ago(hours=1),
        step_started_at=ago(minutes=20),
        looked_at=ago(minutes=1),
    )


def endpoint(name: str = "employment", of: str = "employment") -> Endpoint:
    return Endpoint(
        name=name,
        model=of,
        version=2,
        previous_version=1,
        state="serving",
        rollout_id="ro-1",
        created_at=ago(days=30),
        updated_at=ago(minutes=20),
    )
