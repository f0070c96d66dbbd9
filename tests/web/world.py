"""Records by hand, and a `call` that answers with them: the pages need no server to be tested."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from airside.core.clock import to_ms
from airside.core.column import Column
from airside.core.errors import NotFound
from airside.core.estimate import Estimate
from airside.data.operations import datasets as dataset_asks
from airside.data.operations import versions as dataset_version_asks
from airside.data.records import (
    ColumnSummary,
    Dataset,
    DatasetDiff,
    DatasetFile,
    DatasetPage,
    DatasetVersion,
    DatasetVersionPage,
    Finding,
    LevelCount,
    SchemaChange,
)
from airside.governance.operations.cards import GetCard
from airside.governance.operations.scores import GetScore
from airside.governance.records import CardField, CardSection, MlTestScore, ModelCard, ScoredTest
from airside.monitoring.operations import alerts as alert_asks
from airside.monitoring.operations import monitors as monitor_asks
from airside.monitoring.operations import windows as window_asks
from airside.monitoring.records import (
    Alert,
    AlertPage,
    ColumnFinding,
    Distribution,
    Figure,
    Monitor,
    MonitorPage,
    Window,
    WindowPage,
)
from airside.monitoring.records import LevelCount as UnseenLevel
from airside.pipelines.operations import pipelines as pipeline_asks
from airside.pipelines.operations import runs as pipeline_run_asks
from airside.pipelines.operations import steps as step_asks
from airside.pipelines.operations import triggers as trigger_asks
from airside.pipelines.records import (
    Cause,
    FromParameter,
    FromStep,
    Graph,
    Node,
    Parameter,
    Pipeline,
    PipelineRun,
    StepRun,
    Trigger,
    Value,
)
from airside.quality.operations import gates as gate_asks
from airside.quality.records import CheckResult, GateDecision, GateDecisionPage
from airside.registry.operations import approvals as approval_asks
from airside.registry.operations import models as model_asks
from airside.registry.operations import versions as version_asks
from airside.registry.records import (
    Approval,
    ApprovalPage,
    Change,
    ChangePage,
    ModelVersion,
    RegisteredModel,
    Requirement,
    Verdict,
    VersionPage,
)
from airside.serving.operations import endpoints as endpoint_asks
from airside.serving.operations import rollouts as rollout_asks
from airside.serving.records import (
    Decision,
    Endpoint,
    EndpointPage,
    Evidence,
    GuardEvidence,
    PairedEvidence,
    Rollout,
    RolloutPage,
    RolloutPlan,
    Step,
)
from airside.tower.operations.catalog import GetRow, ListRows, SummariseCatalog
from airside.tower.operations.chain import Find, GetNeighbourhood
from airside.tower.records import (
    CatalogPage,
    CatalogRow,
    DriftSummary,
    Found,
    FoundPage,
    LineageEdge,
    LineageNode,
    Neighbourhood,
    Reason,
)
from airside.tower.rules import summary_of
from airside.tracking.operations.experiments import GetExperiment, SearchExperiments
from airside.tracking.operations.histories import GetCurves
from airside.tracking.operations.runs import GetRun, SearchRuns
from airside.tracking.records import (
    Curve,
    Curves,
    DatasetInput,
    Experiment,
    ExperimentPage,
    Metric,
    Param,
    Run,
    RunInfo,
    RunPage,
    Tag,
)
from airside.tracking.records import Dataset as RunDataset

NOW = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)
HOSTILE = """"><script>alert(1)</script><img src=x onerror=alert(1)>'{{7*7}}${7*7}"""
RUN = "0191c0ffee7abc8d9e0f112233445566"
BLOB = "b3:" + "4f" * 32

Answer = Callable[[Any], Any]


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def ms(**span: float) -> int:
    return to_ms(ago(**span))


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
        row("vat-risk", "info", "Running", "v15 in shadow", project="Tax returns", owner="tax analytics", champion=14, newest=15, rollout_state="shadow", rollout_id="ro-3", predictions_24h=28_896, errors_24h=1, p95_ms=12.0, score=5.5, metric="roc_auc", quality=Estimate(value=0.871, low=0.866, high=0.876, n=40_112), quality_basis="realised", spark=spark_of(0.87, 0.871), spark_reference=0.868, spark_of="roc_auc", drift=calm),
        row("energy-load", "idle", "No data", "no prediction in 24 h", project="Energy", champion=1, newest=1, predictions_24h=0, score=2.0),
        row("loan-default", "ok", "Healthy", "all checks passed", project="Credit", owner="credit risk", champion=22, newest=22, metric="roc_auc", quality=Estimate(value=0.763, low=0.759, high=0.767, n=61_020), quality_basis="realised", spark=spark_of(0.765, 0.763), spark_reference=0.76, spark_of="roc_auc", drift=calm, predictions_24h=57_840, errors_24h=4, p95_ms=6.1, score=6.0),
    )  # fmt: skip


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
        name=name, version=number, gate="release", passed=number != 1, summary="14 of 14 blocking checks passed", left_by="pipeline", left_at=ago(hours=1)
    )  # fmt: skip
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
            check("better than the champion", "accuracy", "at least +0.000", "pass", est(0.0142, 0.0061), against="champion"),
            check("simpler baseline", "accuracy", "at least +0.02", "pass", est(0.061, 0.008), against="baseline"),
            check("no group left behind", "true_positive_rate_gap", "at most 0.05", "fail" if number == 1 else "pass", est(0.031, 0.012), segment="SEX"),
            check("calibration", "calibration", "within ±0.02", "pass", est(0.004, 0.007)),
            check("small group", "accuracy", "at least 0.75", "unknown", est(0.74, 0.09, 81), segment="RAC1P=7", is_blocking=False, note="81 rows, 500 needed"),
        ),
        summary="Every blocking check passed; accuracy +1.4 pp on the champion.",
        compared_with=2,
        run_id=RUN,
        dataset_versions=("dv-3",),
        decided_by="retrain-employment",
        decided_at=ago(hours=1),
    )  # fmt: skip


FEATURES = ("AGEP", "SCHL", "MAR", "RELP", "DIS", "CIT", "MIG", "ANC", "SEX", "RAC1P")


def window(number: int, name: str = "employment", monitor: str = "employment-inputs") -> Window:
    columns = tuple(finding(feature, number, i) for i, feature in enumerate(FEATURES))
    falling = 0.83 - (0.006 * max(number - 9, 0))
    figures = tuple(
        Figure(measure=measure, basis=basis, estimate=Estimate(value=v, low=v - 0.008, high=v + 0.008, n=4_000))
        for measure, base in (("accuracy", 0.0), ("roc_auc", 0.07))
        for basis, v in (("estimated", falling + base + 0.004), ("reference", 0.83 + base), *((("realised", falling + base),) if number < 14 else ()))
    )  # fmt: skip
    by_group = tuple(
        Figure(measure="accuracy", basis="realised", segment=f"SEX={s}", estimate=Estimate(value=falling - 0.01 * s, low=falling - 0.03, high=falling + 0.01, n=2_000))
        for s in (1, 2)
    )  # fmt: skip
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
        text=f"{title}: in 2 windows in a row its distribution differs from the training data.\nExpected consequence: 0.0062 AUC.",
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
    )  # fmt: skip


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


def nodes() -> tuple[Node, ...]:
    def node(name: str, *sources: str, **more: Any) -> Node:
        bindings = {f"x{i}": FromStep(node=source) for i, source in enumerate(sources)} or {
            "year": FromParameter(name="year")
        }
        return Node(name=name, function=f"employment:{name}", bindings=bindings, **more)

    return (
        node("load"),
        node("features", "load"),
        node("train_logistic", "features"),
        node("train_forest", "features", mapped=("x0",)),
        node("train_boosting", "features"),
        node("evaluate", "train_logistic", "train_forest", "train_boosting", "features"),
        Node(name="approve", function="", bindings={"x": FromStep(node="evaluate")}),
        node("register", "approve", "evaluate"),
    )


def pipeline(name: str = "retrain-employment") -> Pipeline:
    return Pipeline(
        name=name,
        version=4,
        entry="employment:retrain",
        code=BLOB,
        graph=Graph(nodes=nodes()),
        parameters=(Parameter(name="year", type="int", default=2017),),
        description="Trains three candidates on the newest data and registers the best.",
        created_at=ago(days=20),
        created_by="local",
    )


def pipeline_run(identity: str = "pr-0191c0ffee", name: str = "retrain-employment", error: str = "") -> PipelineRun:
    cause = Cause(kind="alert", trigger="tg-1", event="al-1", text="ANC drifts")
    return PipelineRun(
        id=identity,
        pipeline=name,
        version=4,
        state="failed" if error else "running",
        parameters={"year": 2018},
        cause=cause,
        tracking_run=RUN,
        attempt=1,
        worker="worker-1",
        error=error,
        steps_total=8,
        steps_done=4,
        created_at=ago(minutes=3),
        started_at=ago(minutes=3),
        ended_at=ago(minutes=1) if error else None,
    )


def steps(error: str = "") -> tuple[StepRun, ...]:
    def one(name: str, state: str, seconds: float, **more: Any) -> StepRun:
        outputs = (
            {"result": Value(kind="arrow", digest=BLOB, blob=BLOB, summary="table 32,561 × 15")}
            if state == "succeeded"
            else {}
        )
        node, _, _ = name.partition("[")
        return StepRun(
            run="pr-0191c0ffee",
            step=name,
            node=node,
            state=state,
            seconds=seconds,
            outputs=outputs,
            started_at=ago(minutes=2),
            **more,
        )

    return (
        one("load", "succeeded", 0.0, cached=True, cached_from="pr-0191aaaa", key=BLOB),
        one("features", "succeeded", 3.21, reason="the input `people` is new"),
        one("train_logistic", "succeeded", 8.4, reason="the input is new"),
        one("train_forest[0]", "succeeded", 12.1, label="depth 4", reason="the input is new"),
        one("train_forest[1]", "running", 0.0, label="depth 8"),
        one("train_boosting", "failed" if error else "running", 1.0, error=error, attempt=2),
    )


def run(identity: str = RUN, name: str = "calm-finch-42", status: str = "FINISHED") -> Run:
    n = int(identity[-2:], 16)
    metrics = [
        Metric(key=key, value=value + n / 9_000, timestamp_ms=ms(minutes=5), step=step)
        for key, value, step in (("accuracy", 0.826, 0), ("loss", 0.412, 400), ("roc_auc", 0.901, 400))
    ]
    return Run(
        info=RunInfo(run_id=identity, experiment_id="1", name=name, user_id="local", status=status, start_time_ms=ms(minutes=9), end_time_ms=ms(minutes=5) if status != "RUNNING" else None, artifact_uri="mlflow-artifacts:/1/abc/artifacts", lifecycle_stage="active"),
        metrics=(*metrics, Metric(key="diverged", value=None, timestamp_ms=ms(minutes=5))),
        params=(Param(key="model", value="boosting"), Param(key="learning_rate", value="0.1")),
        tags=(Tag(key="airside.pipelineRun", value="pr-0191c0ffee"), Tag(key="mlflow.note.content", value="A **note** <b>x</b>"), Tag(key="mlflow.source.git.commit", value="4f2a9c1")),
        dataset_inputs=(DatasetInput(dataset=RunDataset(name="people", digest="4f4f4f4f", source_type="airside", source="dv-3"), tags=(Tag(key="mlflow.data.context", value="training"),)),),
    )  # fmt: skip


def curves(ask: GetCurves) -> Curves:
    x = tuple(float(i) for i in range(0, 400, 2))
    y = tuple(0.9 * math.exp(-i / 120) + 0.02 * math.sin(i) + 0.3 for i in x)
    return Curves(
        items=tuple(
            Curve(
                run_id=r,
                key=ask.key,
                n_points=20_000,
                n_sent=len(x),
                exact=False,
                x=x,
                y=y,
                smooth=y if ask.smoothing else (),
            )
            for r in ask.run_ids
        )
    )


def dataset(name: str = "people") -> Dataset:
    return Dataset(
        name=name,
        owner="labour statistics",
        description="American Community Survey, Massachusetts.",
        newest=3,
        created_at=ago(days=40),
        created_by="local",
        updated_at=ago(hours=3),
    )


def dataset_version(name: str = "people", number: int = 3) -> DatasetVersion:
    columns = tuple(
        Column(
            name=f,
            type="long",
            categorical=True,
            role="label" if f == "SEX" else "feature",
            sensitive=f in {"SEX", "RAC1P"},
        )
        for f in FEATURES
    )
    summaries = tuple(
        ColumnSummary(
            name=f,
            rows=32_561,
            missing=i * 13,
            distinct=9 + i,
            minimum=0.0,
            maximum=95.0,
            mean=38.2 + i,
            deviation=12.0,
            deciles=tuple(float(k) for k in range(10, 100, 10)),
            top=(LevelCount(level=1, rows=9_000 + 900 * i),),
        )
        for i, f in enumerate(FEATURES)
    )
    findings = (
        (
            Finding(
                column="ANC",
                kind="new_level",
                rows=301,
                found=(5, 8),
                text="301 rows hold codes that version 2 does not know: 5, 8.",
            ),
        )
        if number == 3
        else ()
    )
    return DatasetVersion(
        id=f"dv-{number}",
        name=name,
        version=number,
        digest=BLOB,
        rows=32_561 + 700 * number,
        size_bytes=2_245_424,
        columns=columns,
        summaries=summaries,
        findings=findings,
        files=(DatasetFile(path="part-0.parquet", size_bytes=2_245_424, digest=BLOB),),
        note="delivery 2018",
        created_by="local",
        created_at=ago(hours=3),
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
        band="Reasonably tested.",
        tests=tests,
        computed_at=NOW,
    )


def page(kind: Any, items: Any) -> Any:
    return kind(items=tuple(items))


def full(name: str = "employment", text: str = "calm-finch-42") -> dict[type, Answer]:
    """An answer for each ask; `name` is every name, `text` every free text."""
    approval = Approval(
        id="ap-1",
        subject_kind="version",
        subject=f"{name}@3",
        question=f"May {text} serve?",
        approvers=("M. Laine",),
        asked_by="gate",
        asked_at=ago(minutes=30),
    )
    trigger = Trigger(
        id="tg-1",
        name="retrain on drift",
        pipeline="retrain-employment",
        on="alert",
        monitor="employment-inputs",
        wait_for_dataset="people",
        created_at=NOW,
    )
    error = text if "<" in text else ""
    return {
        ListRows: lambda ask: page(CatalogPage, [r for r in rows(name) if not ask.state or r.state == ask.state]),
        SummariseCatalog: lambda ask: summary_of(rows(name)),
        GetRow: lambda ask: rows(name)[0],
        model_asks.GetModel: lambda ask: model(name),
        model_asks.ModelHistory: lambda ask: page(ChangePage, [Change(sequence=i, name=name, version=3, what="alias", key="challenger", before="2", after="3", actor=text, at=ago(hours=i + 1)) for i in range(3)]),
        version_asks.GetVersion: lambda ask: version(name, ask.version),
        version_asks.SearchVersions: lambda ask: page(VersionPage, [version(name, n) for n in (3, 2, 1)]),
        gate_asks.ListGates: lambda ask: page(GateDecisionPage, [gate(name, n) for n in ((ask.version,) if ask.version else (3, 2, 1))]),
        gate_asks.GetGate: lambda ask: gate(name, 3),
        approval_asks.SearchApprovals: lambda ask: page(ApprovalPage, [approval]),
        monitor_asks.ListMonitors: lambda ask: page(MonitorPage, [monitor(of=name)]),
        monitor_asks.GetMonitor: lambda ask: monitor(of=name),
        window_asks.ListWindows: lambda ask: page(WindowPage, [window(n, name) for n in range(15, 0, -1)][: ask.max_results]),
        window_asks.GetWindow: lambda ask: window(14, name),
        alert_asks.ListAlerts: lambda ask: page(AlertPage, [alert(1, name, text if error else "ANC drifts"), alert(2, name, "SCHL drifts")]),
        alert_asks.GetAlert: lambda ask: alert(1, name, text if error else "ANC drifts"),
        alert_asks.AcknowledgeAlert: lambda ask: alert(2, name),
        alert_asks.CloseAlert: lambda ask: alert(1, name),
        approval_asks.DecideApproval: lambda ask: approval,
        endpoint_asks.ListEndpoints: lambda ask: page(EndpointPage, [endpoint(of=name)]),
        endpoint_asks.GetEndpoint: lambda ask: endpoint(of=name),
        rollout_asks.ListRollouts: lambda ask: page(RolloutPage, [rollout(name=name)]),
        rollout_asks.GetRollout: lambda ask: rollout(name=name),
        pipeline_asks.ListPipelines: lambda ask: page(pipeline_asks.PipelinePage, [pipeline_asks.PipelineSummary(pipeline=pipeline(), runs=41, last_run="pr-0191c0ffee", last_state="running")]),
        pipeline_asks.GetPipeline: lambda ask: pipeline(),
        pipeline_run_asks.ListRuns: lambda ask: page(pipeline_run_asks.PipelineRunPage, [pipeline_run(error=error)]),
        pipeline_run_asks.GetRun: lambda ask: pipeline_run(error=error),
        step_asks.ListSteps: lambda ask: page(step_asks.StepPage, steps(error)),
        step_asks.GetStepLog: lambda ask: step_asks.StepLog(run="pr-0191c0ffee", step="load", attempt=1, text=f"reading {text}\n32,561 rows\n"),
        trigger_asks.ListTriggers: lambda ask: page(trigger_asks.TriggerPage, [trigger]),
        SearchExperiments: lambda ask: page(ExperimentPage, [experiment(text)]),
        GetExperiment: lambda ask: experiment(text),
        SearchRuns: lambda ask: page(RunPage, [run(f"{RUN[:-2]}{i:02x}", text if i == 0 else f"run-{i}", "RUNNING" if i == 1 else "FINISHED") for i in range(12)]),
        GetRun: lambda ask: run(name=text),
        GetCurves: curves,
        dataset_asks.SearchDatasets: lambda ask: page(DatasetPage, [dataset()]),
        dataset_asks.GetDataset: lambda ask: dataset(),
        dataset_version_asks.ListDatasetVersions: lambda ask: page(DatasetVersionPage, [dataset_version(number=n) for n in (3, 2, 1)]),
        dataset_version_asks.GetDatasetVersion: lambda ask: dataset_version(number=ask.version or 3),
        dataset_version_asks.DiffDatasetVersions: lambda ask: DatasetDiff(name="people", before=2, after=3, is_same=False, rows_before=33_961, rows_after=34_661, schema=(SchemaChange(column="ANC", change="levels", before="1…4", after="1…8"),)),
        GetNeighbourhood: chain,
        Find: lambda ask: page(FoundPage, [Found(kind="run", id=RUN, name=text, link=f"/runs/{RUN}"), Found(kind="model_version", id="employment@3", name=name, link="javascript:alert(1)")]),
        GetCard: lambda ask: card(name),
        GetScore: lambda ask: score(name),
    }  # fmt: skip


def experiment(text: str) -> Experiment:
    return Experiment(
        experiment_id="1",
        name=text if "<" in text else "employment",
        artifact_location="mlflow-artifacts:/1",
        lifecycle_stage="active",
        created_ms=ms(days=9),
        updated_ms=ms(minutes=5),
        tags=(Tag(key="team", value=text),),
    )


class World:
    """A `call` with the answers of a table; what is not in it does not exist."""

    def __init__(self, answers: dict[type, Answer]) -> None:
        self.answers = answers
        self.asked: list[Any] = []

    def __call__(self, ask: Any) -> Any:
        self.asked.append(ask)
        answer = self.answers.get(type(ask))
        if answer is None:
            raise NotFound(f"Nothing answers {type(ask).__name__}.")
        return answer(ask)


def empty() -> dict[type, Answer]:
    """Every list is empty."""
    answers = full()
    pages = {ListRows: CatalogPage, version_asks.SearchVersions: VersionPage, gate_asks.ListGates: GateDecisionPage, approval_asks.SearchApprovals: ApprovalPage, monitor_asks.ListMonitors: MonitorPage, window_asks.ListWindows: WindowPage, alert_asks.ListAlerts: AlertPage, endpoint_asks.ListEndpoints: EndpointPage, rollout_asks.ListRollouts: RolloutPage, pipeline_asks.ListPipelines: pipeline_asks.PipelinePage, pipeline_run_asks.ListRuns: pipeline_run_asks.PipelineRunPage, step_asks.ListSteps: step_asks.StepPage, trigger_asks.ListTriggers: trigger_asks.TriggerPage, SearchExperiments: ExperimentPage, SearchRuns: RunPage, GetCurves: Curves, dataset_asks.SearchDatasets: DatasetPage, dataset_version_asks.ListDatasetVersions: DatasetVersionPage, Find: FoundPage, model_asks.ModelHistory: ChangePage}  # fmt: skip
    answers.update({ask: (lambda _, kind=kind: kind(items=())) for ask, kind in pages.items()})
    answers[SummariseCatalog] = lambda ask: summary_of(())
    answers[model_asks.GetModel] = lambda ask: RegisteredModel(
        name="employment", created_by="local", created_ms=0, updated_ms=0
    )
    for gone in (GetRow, GetCard, GetScore, GetNeighbourhood):
        del answers[gone]
    return answers


PATHS = (
    "/",
    "/models/employment",
    *(f"/models/employment?tab={tab}" for tab in ("versions", "performance", "monitoring", "lineage", "card", "score")),
    "/models/employment/versions/3",
    "/experiments",
    "/experiments/1/runs",
    f"/runs/{RUN}",
    *(f"/runs/{RUN}?tab={tab}" for tab in ("metrics", "artifacts", "inputs")),
    "/datasets",
    "/datasets/people",
    "/datasets/people/versions/3",
    "/pipelines",
    "/pipelines/retrain-employment",
    "/pipeline-runs/pr-0191c0ffee",
    "/pipeline-runs/pr-0191c0ffee/steps/load",
    "/endpoints",
    "/endpoints/employment",
    "/rollouts/ro-1",
    "/approvals",
    "/monitors",
    "/monitors/employment-inputs",
    "/alerts",
    "/alerts/al-1",
    "/lineage?from=model_version:employment@3",
    "/search?q=emp",
)
