"""Runs, pipelines and datasets, by hand."""

import math
from typing import Any

from tests.web.moment import BLOB, RUN, ago, ms
from tests.web.service_records import FEATURES

from airside.core.column import Column
from airside.core.ids import ExperimentId, LoggedModelId, RunId
from airside.data.records import (
    ColumnSummary,
    Dataset,
    DatasetFile,
    DatasetVersion,
    Finding,
    LevelCount,
)
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
    Value,
)
from airside.tracking.capture.records import (
    Capture,
    Captures,
    CodeState,
    Command,
    Environment,
    Fact,
    Gpu,
    LeftOut,
    Machine,
)
from airside.tracking.logged_models.records import LoggedModel, ModelMetric
from airside.tracking.operations.histories import GetCurves
from airside.tracking.records import (
    Curve,
    Curves,
    DatasetInput,
    Experiment,
    Metric,
    Param,
    Run,
    RunInfo,
    Tag,
)
from airside.tracking.records import Dataset as RunDataset


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
        info=RunInfo(
            run_id=identity,
            experiment_id="1",
            name=name,
            user_id="local",
            status=status,
            start_time_ms=ms(minutes=9),
            end_time_ms=ms(minutes=5) if status != "RUNNING" else None,
            artifact_uri="mlflow-artifacts:/1/abc/artifacts",
            lifecycle_stage="active",
        ),
        metrics=(*metrics, Metric(key="diverged", value=None, timestamp_ms=ms(minutes=5))),
        params=(
            Param(key="model", value="boosting"),
            Param(key="learning_rate", value=f"{0.1 + n / 1000:g}"),
            Param(key=name, value=f"{name} {n}"),
        ),
        tags=(
            Tag(key="airside.pipelineRun", value="pr-0191c0ffee"),
            Tag(key="mlflow.note.content", value="A **note** <b>x</b>"),
            Tag(key="mlflow.source.git.commit", value="4f2a9c1"),
        ),
        dataset_inputs=(
            DatasetInput(
                dataset=RunDataset(name="people", digest="4f4f4f4f", source_type="airside", source="dv-3"),
                tags=(Tag(key="mlflow.data.context", value="training"),),
            ),
        ),
    )


def logged_model(text: str) -> LoggedModel:
    return LoggedModel(
        model_id=LoggedModelId("m-1"),
        experiment_id=ExperimentId("1"),
        name=text,
        artifact_uri="mlflow-artifacts:/1/models/m-1/artifacts",
        created_ms=ms(hours=2),
        updated_ms=ms(hours=2),
        status="READY",
        model_type=text,
        source_run_id=RunId(RUN),
        params=(Param(key="depth", value=text),),
        tags=(Tag(key="team", value=text),),
        metrics=tuple(
            ModelMetric(key="auc", value=0.8 + i / 100, timestamp_ms=ms(hours=1), step=i, dataset_name=text)
            for i in range(3)
        ),
    )


def captures(text: str) -> Captures:
    blob = "b3:" + "5f" * 32
    left = (LeftOut(path=text, why="looks like a secret"), LeftOut(path="weights.pt", why="larger than 5 MiB"))
    code = CodeState(
        commit="4f2a9c1" + "0" * 33,
        branch=text,
        remote="https://example.org/team/jobs.git",
        folder="/home/a/jobs",
        is_dirty=True,
        kind="changes",
        bundle=blob,
        files=2,
        size_bytes=4_321,
        changed=("train.py", text),
        n_changed=2,
        left_out=left,
        n_left_out=2,
    )
    machine = Machine(
        host="finch",
        system="Linux 6.1 x86_64",
        cpu="AMD EPYC 7B13",
        cores=8,
        usable_cores=2.5,
        memory_bytes=33_554_432_000,
        memory_limit_bytes=8_589_934_592,
        container="docker",
        driver="550.54",
        gpus=(Gpu(name="NVIDIA H100", memory_bytes=85_899_345_920),),
    )
    full = Capture(
        source="finch:4711",
        code=code,
        command=Command(arguments=("python", "train.py", "--name", text), entry="train.py"),
        environment=Environment(python="3.11.2 (CPython)", packages=146, lock=blob),
        machine=machine,
        seeds=(Fact(name="numpy.random", value="seed 7"),),
        threads=(Fact(name="OMP_NUM_THREADS", value="1"),),
    )
    return Captures(items=(full, Capture(source=text, omitted=("code", "command"))))


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


def pictures(text: str) -> tuple[str, ...]:
    """Files as `log_image` names them, and one of another name."""
    logged = [f"images/{text}~head+step+{step}+timestamp+1795308238282+038e878c-dbd5" for step in range(30)]
    return (*(f"{one}{ending}" for one in logged for ending in (".png", "+compressed.webp")), f"images/{text}.png")
