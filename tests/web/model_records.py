"""Models, versions, gates, cards, scores and the chain, by hand."""

import math
from typing import Any

from tests.web.moment import BLOB, NOW, RUN, ago, ms

from airside.core.estimate import Estimate
from airside.governance.records import CardField, CardSection, MlTestScore, ModelCard, ScoredTest
from airside.quality.records import CheckResult, GateDecision
from airside.registry.records import (
    ModelVersion,
    RegisteredModel,
    Requirement,
    Verdict,
)
from airside.tower.operations.chain import GetNeighbourhood
from airside.tower.records import (
    CatalogRow,
    DriftSummary,
    LineageEdge,
    LineageNode,
    Neighbourhood,
    Reason,
)


def spark_of(start: float, end: float, n: int = 24) -> tuple[float, ...]:
    return tuple(start + (end - start) * (i / (n - 1)) ** 3 + 0.004 * math.sin(i * 1.7) for i in range(n))


def row(name: str, state: str, word: str, text: str, **more: Any) -> CatalogRow:
    reason = Reason(state=state, text=text, link=f"/models/{name}")
    return CatalogRow(name=name, state=state, word=word, reasons=(reason,), refreshed_at=NOW, **more)


def rows(name: str = "employment") -> tuple[CatalogRow, ...]:
    drift = DriftSummary(column="ANC", value=0.31, threshold=0.05, is_flagged=True, window_id="w-8")
    calm = DriftSummary(column="SCHL", value=0.021, threshold=0.05, is_flagged=False, window_id="w-8")
    two = (
        Reason(state="bad", text="ANC drifts: 1,204 rows with unseen codes", link="/alerts/al-1"),
        Reason(state="warn", text="accuracy −2.1 pp against the training hold-out", link=f"/models/{name}"),
    )
    return (
        CatalogRow(
            name=name,
            project="Labour survey",
            owner="labour statistics",
            description="Who is employed, from the household survey.",
            state="bad",
            word="Act",
            reasons=two,
            more_reasons=1,
            champion=2,
            newest=3,
            endpoints=("employment",),
            rollout_id="ro-1",
            rollout_state="canary",
            metric="accuracy",
            quality=Estimate(value=0.812, low=0.806, high=0.818, n=18_234),
            quality_basis="realised",
            spark=spark_of(0.831, 0.812),
            spark_of="accuracy",
            spark_reference=0.83,
            drift=drift,
            predictions_24h=93_120,
            errors_24h=3,
            p95_ms=9.2,
            open_alerts=2,
            score=4.0,
            refreshed_at=NOW,
        ),
        row(
            "product-codes",
            "warn",
            "Watch",
            "rollout of v4 is paused: too few labels to judge",
            project="Prices",
            owner="price statistics",
            champion=3,
            newest=4,
            metric="accuracy",
            quality=Estimate(value=0.934, low=0.921, high=0.945, n=2_410),
            quality_basis="estimated",
            spark=spark_of(0.94, 0.934),
            spark_of="accuracy",
            spark_reference=0.94,
            drift=calm,
            predictions_24h=2_304,
            errors_24h=0,
            p95_ms=21.0,
            rollout_state="paused",
            rollout_id="ro-2",
            score=3.5,
        ),
        row(
            "vat-risk",
            "info",
            "Running",
            "v15 in shadow",
            project="Tax returns",
            owner="tax analytics",
            champion=14,
            newest=15,
            rollout_state="shadow",
            rollout_id="ro-3",
            predictions_24h=28_896,
            errors_24h=1,
            p95_ms=12.0,
            score=5.5,
            metric="roc_auc",
            quality=Estimate(value=0.871, low=0.866, high=0.876, n=40_112),
            quality_basis="realised",
            spark=spark_of(0.87, 0.871),
            spark_reference=0.868,
            spark_of="roc_auc",
            drift=calm,
        ),
        row(
            "energy-load",
            "idle",
            "No data",
            "no prediction in 24 h",
            project="Energy",
            champion=1,
            newest=1,
            predictions_24h=0,
            score=2.0,
        ),
        row(
            "loan-default",
            "ok",
            "Healthy",
            "all checks passed",
            project="Credit",
            owner="credit risk",
            champion=22,
            newest=22,
            metric="roc_auc",
            quality=Estimate(value=0.763, low=0.759, high=0.767, n=61_020),
            quality_basis="realised",
            spark=spark_of(0.765, 0.763),
            spark_reference=0.76,
            spark_of="roc_auc",
            drift=calm,
            predictions_24h=57_840,
            errors_24h=4,
            p95_ms=6.1,
            score=6.0,
        ),
    )


def model(name: str = "employment") -> RegisteredModel:
    return RegisteredModel(
        name=name,
        description="Predicts **employment status** from the person's answers.\n\n- trained on ACS MA\n- hold-out 2016",
        tags={"owner": "labour statistics", "project": "Labour survey"},
        aliases={"champion": 2, "challenger": 3},
        latest_versions=(version(name, 3),),
        requires=Requirement(gates=("release",), approvers=("M. Laine",)),
        created_by="local",
        created_ms=ms(days=40),
        updated_ms=ms(hours=2),
    )


def version(name: str = "employment", number: int = 3) -> ModelVersion:
    verdict = Verdict(
        name=name,
        version=number,
        gate="release",
        passed=number != 1,
        summary="14 of 14 blocking checks passed",
        left_by="pipeline",
        left_at=ago(hours=1),
    )
    columns = '[{"name": "AGEP", "type": "long", "required": true}, {"name": "SCHL", "type": "long", "required": true}]'
    return ModelVersion(
        name=name,
        version=number,
        source=f"mlflow-artifacts:/1/models/m-{number}/artifacts",
        run_id=RUN,
        model_id="m-0191c0ffee",
        aliases={2: ("champion",), 3: ("challenger",)}.get(number, ()),
        stage="Production" if number == 2 else "None",
        files={"MLmodel": BLOB, "model.skops": BLOB, "airside/golden.json": BLOB, "airside/reference.json": BLOB},
        reference=BLOB,
        golden="64 of 64 golden rows byte-identical",
        signature='{"inputs": ' + columns + ', "outputs": [{"name": "employed", "type": "boolean"}]}',
        verdicts=(verdict,),
        created_by="retrain-employment",
        created_ms=ms(days=12 - 3 * number, hours=1),
        updated_ms=ms(hours=1),
    )


def check(name: str, measure: str, threshold: str, outcome: str, e: Estimate | None, **more: Any) -> CheckResult:
    return CheckResult(
        name=name, kind="at_least", measure=measure, threshold=threshold, outcome=outcome, estimate=e, **more
    )


def gate(name: str = "employment", number: int = 3) -> GateDecision:
    def est(value: float, reach: float, n: int = 18_234) -> Estimate:
        return Estimate(value=value, low=value - reach, high=value + reach, n=n)

    return GateDecision(
        id=f"ga-{number}",
        model=name,
        version=number,
        outcome="pass" if number != 1 else "fail",
        results=(
            check("accuracy of all", "accuracy", "at least 0.80", "pass", est(0.826, 0.006)),
            check(
                "better than the champion",
                "accuracy",
                "at least +0.000",
                "pass",
                est(0.0142, 0.0061),
                against="champion",
            ),
            check("simpler baseline", "accuracy", "at least +0.02", "pass", est(0.061, 0.008), against="baseline"),
            check(
                "no group left behind",
                "true_positive_rate_gap",
                "at most 0.05",
                "fail" if number == 1 else "pass",
                est(0.031, 0.012),
                segment="SEX",
            ),
            check("calibration", "calibration", "within ±0.02", "pass", est(0.004, 0.007)),
            check(
                "small group",
                "accuracy",
                "at least 0.75",
                "unknown",
                est(0.74, 0.09, 81),
                segment="RAC1P=7",
                is_blocking=False,
                note="81 rows, 500 needed",
            ),
        ),
        summary="Every blocking check passed; accuracy +1.4 pp on the champion.",
        compared_with=2,
        run_id=RUN,
        dataset_versions=("dv-3",),
        decided_by="retrain-employment",
        decided_at=ago(hours=1),
    )


def chain(ask: GetNeighbourhood) -> Neighbourhood:
    ids = (
        ("dataset_version", "dv-3"),
        ("run", RUN),
        ("model_version", "employment@3"),
        ("gate", "ga-3"),
        ("rollout", "ro-1"),
        ("endpoint", "employment"),
        ("window", "w-14"),
        ("alert", "al-1"),
        ("pipeline_run", "pr-0191c0ffee"),
    )
    pairs = (
        (0, 1, "input of"),
        (1, 2, "made"),
        (2, 3, "judged by"),
        (2, 4, "rolled out by"),
        (4, 5, "on"),
        (5, 6, "watched in"),
        (6, 7, "opened"),
        (7, 8, "triggered"),
        (8, 1, "tracked as"),
    )
    known = {(ask.kind, ask.id): 0}
    shown = tuple(LineageNode(kind=k, id=i, hops=known.get((k, i), 1)) for k, i in ids)
    edges = tuple(
        LineageEdge(from_kind=ids[a][0], from_id=ids[a][1], relation=r, to_kind=ids[b][0], to_id=ids[b][1])
        for a, b, r in pairs
    )
    return Neighbourhood(nodes=shown, edges=edges, is_complete=True)


def card(name: str) -> ModelCard:
    fields = (
        CardField(name="Intended use", text="Estimates of **employment** by region.", source="model description"),
        CardField(name="Out of scope", is_missing=True),
    )
    sections = (
        CardSection(title="Overview", fields=fields),
        CardSection(
            title="Data", fields=(CardField(name="Training data", text="`people@3`, 34,661 rows", source="run"),)
        ),
    )
    return ModelCard(
        name=name,
        version=3,
        generated_at=NOW,
        sections=sections,
        warnings=("An alert is open: ANC drifts.",),
        filled=0.67,
        markdown="# Card",
    )


def score(name: str) -> MlTestScore:
    kinds = ("data", "model", "infrastructure", "monitoring")
    tests = tuple(
        ScoredTest(
            test=f"{k[0].upper()}{i}",
            name=f"Test {i} of {k}",
            section=k,
            points=(0.0, 0.5, 1.0)[i % 3],
            status=("missing", "pass", "pass")[i % 3],
            next_step="Record evidence." if i % 3 == 0 else "",
            created_at=NOW if i % 3 else None,
        )
        for k in kinds
        for i in range(1, 8)
    )
    return MlTestScore(
        model=name,
        version=3,
        data=5.0,
        model_section=4.0,
        infrastructure=4.5,
        monitoring=5.5,
        score=4.0,
        weakest="model",
        band="reasonably tested",
        tests=tests,
        computed_at=NOW,
    )
