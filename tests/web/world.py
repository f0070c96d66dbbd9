"""A `call` that answers with records by hand: the pages need no server to be tested."""

from typing import Any

from tests.web.evaluation_records import evaluation_dataset, evaluation_records, scorer_version
from tests.web.model_records import card, chain, gate, model, rows, score, version
from tests.web.moment import NOW, RUN, Answer, ago
from tests.web.prompt_records import delivery, prompt, prompt_versions, webhook
from tests.web.service_records import alert, endpoint, monitor, rollout, window
from tests.web.trace_records import BROKEN, TRACE, trace, trace_info
from tests.web.work_records import (
    captures,
    curves,
    dataset,
    dataset_version,
    experiment,
    logged_model,
    pictures,
    pipeline,
    pipeline_run,
    run,
    steps,
)

from airside.core.errors import NotFound
from airside.core.record import DONE
from airside.data.operations import datasets as dataset_asks
from airside.data.operations import versions as dataset_version_asks
from airside.data.records import (
    DatasetDiff,
    DatasetPage,
    DatasetVersionPage,
    SchemaChange,
)
from airside.governance.operations.cards import GetCard
from airside.governance.operations.scores import GetScore
from airside.monitoring.operations import alerts as alert_asks
from airside.monitoring.operations import monitors as monitor_asks
from airside.monitoring.operations import windows as window_asks
from airside.monitoring.records import (
    AlertPage,
    MonitorPage,
    WindowPage,
)
from airside.pipelines.operations import pipelines as pipeline_asks
from airside.pipelines.operations import runs as pipeline_run_asks
from airside.pipelines.operations import steps as step_asks
from airside.pipelines.operations import triggers as trigger_asks
from airside.pipelines.records import (
    Trigger,
)
from airside.platform.notify.operations import (
    CreateWebhook,
    DeleteWebhook,
    GetWebhook,
    ListDeliveries,
    ListWebhooks,
    Redeliver,
    TryWebhook,
    UpdateWebhook,
)
from airside.platform.notify.records import DeliveryPage, WebhookPage, WebhookTest
from airside.quality.operations import gates as gate_asks
from airside.quality.records import GateDecisionPage
from airside.registry.operations import approvals as approval_asks
from airside.registry.operations import models as model_asks
from airside.registry.operations import versions as version_asks
from airside.registry.operations.aliases import DeleteAlias, SetAlias
from airside.registry.operations.lineage import GetVersionLineage
from airside.registry.records import (
    AliasMove,
    Approval,
    ApprovalPage,
    Change,
    ChangePage,
    MadeFromDataset,
    ModelPage,
    RegisteredModel,
    Rollback,
    VersionLineage,
    VersionPage,
)
from airside.serving.operations import endpoints as endpoint_asks
from airside.serving.operations import rollouts as rollout_asks
from airside.serving.records import (
    EndpointPage,
    RolloutPage,
)
from airside.tower.operations.catalog import GetRow, ListRows, SummariseCatalog
from airside.tower.operations.chain import Find, GetNeighbourhood
from airside.tower.records import (
    CatalogPage,
    Found,
    FoundPage,
)
from airside.tower.rules import summary_of
from airside.tracking.artifacts import ArtifactInfo, ArtifactList, ListArtifacts
from airside.tracking.capture.operations import GetCaptures
from airside.tracking.evaluation.operations import datasets as evaluation_asks
from airside.tracking.evaluation.operations import records as record_asks
from airside.tracking.evaluation.operations import scorers as scorer_asks
from airside.tracking.evaluation.records import EvaluationDatasetPage, EvaluationRecordPage, ScorerVersions
from airside.tracking.logged_models.operations import GetLoggedModel
from airside.tracking.operations import experiments as experiment_asks
from airside.tracking.operations import logging as logging_asks
from airside.tracking.operations import runs as run_asks
from airside.tracking.operations.experiments import GetExperiment, SearchExperiments
from airside.tracking.operations.experiments import SearchDatasets as SearchRunDatasets
from airside.tracking.operations.histories import GetCurves
from airside.tracking.operations.naming import ListNames, ListValues
from airside.tracking.operations.runs import GetRun, SearchRuns
from airside.tracking.records import (
    Curves,
    DatasetSummaries,
    DatasetSummary,
    ExperimentPage,
    Names,
    RunPage,
)
from airside.tracking.traces.operations.assessments import CreateAssessment
from airside.tracking.traces.operations.reading import GetTrace, GetTraceInfo, SearchTraces
from airside.tracking.traces.records import Trace, TracePage

DONE_ASKS: tuple[type, ...] = (
    experiment_asks.RenameExperiment,
    experiment_asks.SetExperimentTag,
    experiment_asks.DeleteExperimentTag,
    experiment_asks.DeleteExperiment,
    experiment_asks.RestoreExperiment,
    logging_asks.SetRunTag,
    logging_asks.DeleteRunTag,
    run_asks.DeleteRun,
    model_asks.DeleteModel,
    DeleteWebhook,
    evaluation_asks.DeleteEvaluationDataset,
    evaluation_asks.DeleteEvaluationDatasetTag,
    evaluation_asks.SetEvaluationDatasetTags,
    record_asks.DeleteEvaluationRecords,
    scorer_asks.DeleteScorer,
    model_asks.SetModelTag,
    model_asks.DeleteModelTag,
    version_asks.DeleteVersion,
    version_asks.SetVersionTag,
    version_asks.DeleteVersionTag,
    run_asks.RestoreRun,
)
"""What is done, and answers nothing else."""


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
        model_asks.GetModel: lambda ask: prompt(name, text) if ask.name == "greeting" else model(name),
        model_asks.ModelHistory: lambda ask: page(
            ChangePage,
            [
                Change(
                    sequence=i,
                    name=name,
                    version=3,
                    what="alias",
                    key="challenger",
                    before="2",
                    after="3",
                    actor=text,
                    at=ago(hours=i + 1),
                )
                for i in range(3)
            ],
        ),
        version_asks.GetVersion: lambda ask: version(name, ask.version),
        version_asks.SearchVersions: lambda ask: page(
            VersionPage,
            prompt_versions(name, text) if "is_prompt" in ask.filter else [version(name, n) for n in (3, 2, 1)],
        ),
        gate_asks.ListGates: lambda ask: page(
            GateDecisionPage, [gate(name, n) for n in ((ask.version,) if ask.version else (3, 2, 1))]
        ),
        gate_asks.GetGate: lambda ask: gate(name, 3),
        approval_asks.SearchApprovals: lambda ask: page(ApprovalPage, [approval]),
        monitor_asks.ListMonitors: lambda ask: page(MonitorPage, [monitor(of=name)]),
        monitor_asks.GetMonitor: lambda ask: monitor(of=name),
        window_asks.ListWindows: lambda ask: page(
            WindowPage, [window(n, name) for n in range(15, 0, -1)][: ask.max_results]
        ),
        window_asks.GetWindow: lambda ask: window(14, name),
        alert_asks.ListAlerts: lambda ask: page(
            AlertPage, [alert(1, name, text if error else "ANC drifts"), alert(2, name, "SCHL drifts")]
        ),
        alert_asks.GetAlert: lambda ask: alert(1, name, text if error else "ANC drifts"),
        alert_asks.AcknowledgeAlert: lambda ask: alert(2, name),
        alert_asks.CloseAlert: lambda ask: alert(1, name),
        approval_asks.DecideApproval: lambda ask: approval,
        approval_asks.AskApproval: lambda ask: approval,
        model_asks.SearchModels: lambda ask: page(ModelPage, [prompt(name, text)]),
        ListWebhooks: lambda ask: page(WebhookPage, [webhook(text)]),
        GetWebhook: lambda ask: webhook(text),
        ListDeliveries: lambda ask: page(DeliveryPage, [delivery(text, "dead"), delivery(text, "waiting")]),
        Redeliver: lambda ask: delivery(text, "waiting"),
        TryWebhook: lambda ask: WebhookTest(success=True, status=200),
        SetAlias: lambda ask: AliasMove(name=name, alias=ask.alias, version=ask.version, previous=2),
        model_asks.RollbackModel: lambda ask: Rollback(
            name=name, alias=ask.alias, version=2, previous=3, text="champion is version 2 again."
        ),
        GetLoggedModel: lambda ask: logged_model(text),
        endpoint_asks.ListEndpoints: lambda ask: page(EndpointPage, [endpoint(of=name)]),
        endpoint_asks.GetEndpoint: lambda ask: endpoint(of=name),
        rollout_asks.ListRollouts: lambda ask: page(RolloutPage, [rollout(name=name)]),
        rollout_asks.GetRollout: lambda ask: rollout(name=name),
        pipeline_asks.ListPipelines: lambda ask: page(
            pipeline_asks.PipelinePage,
            [
                pipeline_asks.PipelineSummary(
                    pipeline=pipeline(), runs=41, last_run="pr-0191c0ffee", last_state="running"
                )
            ],
        ),
        pipeline_asks.GetPipeline: lambda ask: pipeline(),
        pipeline_run_asks.ListRuns: lambda ask: page(pipeline_run_asks.PipelineRunPage, [pipeline_run(error=error)]),
        pipeline_run_asks.GetRun: lambda ask: pipeline_run(error=error),
        step_asks.ListSteps: lambda ask: page(step_asks.StepPage, steps(error)),
        step_asks.GetStepLog: lambda ask: step_asks.StepLog(
            run="pr-0191c0ffee", step="load", attempt=1, text=f"reading {text}\n32,561 rows\n"
        ),
        trigger_asks.ListTriggers: lambda ask: page(trigger_asks.TriggerPage, [trigger]),
        SearchExperiments: lambda ask: page(ExperimentPage, [experiment(text)]),
        GetExperiment: lambda ask: experiment(text),
        SearchRuns: lambda ask: page(
            RunPage,
            [
                run(f"{RUN[:-2]}{i:02x}", text if i == 0 else f"run-{i}", "RUNNING" if i == 1 else "FINISHED")
                for i in range(12)
            ],
        ),
        GetRun: lambda ask: run(ask.run_id, name=text),
        GetCurves: curves,
        ListNames: lambda ask: Names(items=("auc", text, "max depth"), is_cut=True),
        ListValues: lambda ask: Names(items=(text, "forest")),
        SearchRunDatasets: lambda ask: DatasetSummaries(
            items=(DatasetSummary(experiment_id="1", name=text, digest="0f91e4fc", context="training"),)
        ),
        ListArtifacts: lambda ask: ArtifactList(
            root_uri="mlflow-artifacts:/1",
            items=tuple(ArtifactInfo(path=path, is_dir=False, size_bytes=9) for path in pictures(text)),
        ),
        GetCaptures: lambda ask: captures(text),
        SearchTraces: lambda ask: page(
            TracePage, [trace_info(text, n, "ERROR" if n == 1 else "OK") for n in range(12)]
        ),
        GetTraceInfo: lambda ask: trace_info(text),
        GetTrace: lambda ask: trace(text),
        CreateAssessment: lambda ask: trace_info(text).assessments[0],
        dataset_asks.SearchDatasets: lambda ask: page(DatasetPage, [dataset()]),
        dataset_asks.GetDataset: lambda ask: dataset(),
        dataset_version_asks.ListDatasetVersions: lambda ask: page(
            DatasetVersionPage, [dataset_version(number=n) for n in (3, 2, 1)]
        ),
        dataset_version_asks.GetDatasetVersion: lambda ask: dataset_version(number=ask.version or 3),
        dataset_version_asks.DiffDatasetVersions: lambda ask: DatasetDiff(
            name="people",
            before=2,
            after=3,
            is_same=False,
            rows_before=33_961,
            rows_after=34_661,
            schema=(SchemaChange(column="ANC", change="levels", before="1…4", after="1…8"),),
        ),
        GetNeighbourhood: chain,
        Find: lambda ask: page(
            FoundPage,
            [
                Found(kind="run", id=RUN, name=text, link=f"/runs/{RUN}"),
                Found(kind="model_version", id="employment@3", name=name, link="javascript:alert(1)"),
            ],
        ),
        CreateWebhook: lambda ask: webhook(text),
        UpdateWebhook: lambda ask: webhook(text),
        evaluation_asks.SearchEvaluationDatasets: lambda ask: page(EvaluationDatasetPage, [evaluation_dataset(text)]),
        evaluation_asks.GetEvaluationDataset: lambda ask: evaluation_dataset(text),
        evaluation_asks.CreateEvaluationDataset: lambda ask: evaluation_dataset(text),
        evaluation_asks.AddEvaluationDatasetToExperiments: lambda ask: evaluation_dataset(text),
        evaluation_asks.RemoveEvaluationDatasetFromExperiments: lambda ask: evaluation_dataset(text),
        record_asks.ListEvaluationRecords: lambda ask: page(EvaluationRecordPage, evaluation_records(text)),
        scorer_asks.ListScorersOf: lambda ask: page(ScorerVersions, [scorer_version(text, 2)]),
        scorer_asks.ListScorerVersions: lambda ask: page(ScorerVersions, [scorer_version(text, n) for n in (1, 2)]),
        model_asks.CreateModel: lambda ask: model(name),
        model_asks.UpdateModel: lambda ask: model(name),
        model_asks.RenameModel: lambda ask: model(name),
        version_asks.UpdateVersion: lambda ask: version(name, ask.version),
        version_asks.SetStage: lambda ask: version(name, ask.version),
        DeleteAlias: lambda ask: AliasMove(name=name, alias=ask.alias, version=None, previous=2),
        GetVersionLineage: lambda ask: VersionLineage(
            name=name,
            version=ask.version,
            source="models:/m-1",
            run_id=RUN,
            model_id="m-1",
            datasets=(
                MadeFromDataset(name=text, digest="0f91e4fc", context="training"),
                MadeFromDataset(name="people", digest="4f2a", reference="people@3"),
            ),
            copies=(f"{name}@9",),
        ),
        experiment_asks.CreateExperiment: lambda ask: experiment(text),
        run_asks.UpdateRun: lambda ask: run(ask.run_id).info,
        **dict.fromkeys(DONE_ASKS, lambda ask: DONE),
        GetCard: lambda ask: card(name),
        GetScore: lambda ask: score(name),
    }


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
    pages = {
        ListRows: CatalogPage,
        version_asks.SearchVersions: VersionPage,
        gate_asks.ListGates: GateDecisionPage,
        approval_asks.SearchApprovals: ApprovalPage,
        monitor_asks.ListMonitors: MonitorPage,
        window_asks.ListWindows: WindowPage,
        alert_asks.ListAlerts: AlertPage,
        endpoint_asks.ListEndpoints: EndpointPage,
        rollout_asks.ListRollouts: RolloutPage,
        pipeline_asks.ListPipelines: pipeline_asks.PipelinePage,
        pipeline_run_asks.ListRuns: pipeline_run_asks.PipelineRunPage,
        step_asks.ListSteps: step_asks.StepPage,
        trigger_asks.ListTriggers: trigger_asks.TriggerPage,
        SearchExperiments: ExperimentPage,
        SearchRuns: RunPage,
        SearchTraces: TracePage,
        model_asks.SearchModels: ModelPage,
        ListWebhooks: WebhookPage,
        ListDeliveries: DeliveryPage,
        GetCurves: Curves,
        ListNames: Names,
        evaluation_asks.SearchEvaluationDatasets: EvaluationDatasetPage,
        record_asks.ListEvaluationRecords: EvaluationRecordPage,
        scorer_asks.ListScorersOf: ScorerVersions,
        scorer_asks.ListScorerVersions: ScorerVersions,
        ListValues: Names,
        SearchRunDatasets: DatasetSummaries,
        dataset_asks.SearchDatasets: DatasetPage,
        dataset_version_asks.ListDatasetVersions: DatasetVersionPage,
        Find: FoundPage,
        model_asks.ModelHistory: ChangePage,
    }
    answers.update({ask: (lambda _, kind=kind: kind(items=())) for ask, kind in pages.items()})
    answers[SummariseCatalog] = lambda ask: summary_of(())
    answers[model_asks.GetModel] = lambda ask: RegisteredModel(
        name="employment",
        created_by="local",
        created_ms=0,
        updated_ms=0,
        tags={"mlflow.prompt.is_prompt": "true"} if ask.name == "greeting" else {},
    )
    answers[ListArtifacts] = lambda ask: ArtifactList(root_uri="mlflow-artifacts:/1")
    answers[GetTrace] = lambda ask: Trace(info=trace_info("calm-finch-42"))
    for gone in (GetRow, GetCard, GetScore, GetNeighbourhood):
        del answers[gone]
    return answers


PATHS = (
    "/",
    "/models/employment",
    *(
        f"/models/employment?tab={tab}"
        for tab in ("versions", "performance", "monitoring", "lineage", "history", "card", "score")
    ),
    "/models/employment/versions/3",
    "/experiments",
    "/experiments/1/runs",
    f"/runs/{RUN}",
    *(f"/runs/{RUN}?tab={tab}" for tab in ("metrics", "artifacts", "inputs")),
    "/experiments/1/runs?view=parallel",
    "/experiments/1/runs?cols=started,datasets,commit,metrics.accuracy,params.model,tags.team&stage=deleted",
    "/experiments/1/columns?cols=user,metrics.auc",
    "/experiments/1/about",
    "/experiments/1/evaluation-datasets",
    "/evaluation-datasets/d-1",
    "/experiments/1/scorers",
    "/experiments/1/scorers/kind?version=1",
    f"/runs/{RUN}?tab=media",
    f"/runs/{RUN}?tab=metrics&keys=loss,accuracy&scale=log&smoothing=60&x0=10&x1=20",
    *(f"/compare?runs={RUN},{RUN[:-1]}7&tab={tab}" for tab in ("differences", "curves", "parallel")),
    "/logged-models/m-1",
    "/prompts",
    "/prompts/greeting",
    "/webhooks",
    "/webhooks/wh-1",
    "/experiments/1/traces",
    f"/traces/{TRACE}",
    f"/traces/{TRACE}?span={BROKEN}",
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
