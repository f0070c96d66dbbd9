"""What the story does again and again: add data, run the pipeline, roll out, serve a delivery, look at a window."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from airside.client.cli.demo.stage import Failed, Stage
from airside.client.cli.demo.telling import told
from airside.client.cli.demo.traffic import Caller
from airside.client.sdk.data import add_dataset
from airside.client.sdk.endpoints import complete_delivery
from airside.client.sdk.pipelines import create_trigger, register_pipeline
from airside.client.transport import Client
from airside.core.errors import Invalid
from airside.core.estimate import Estimate
from airside.core.ids import DatasetName, EndpointName, ModelName, MonitorName, PipelineName, PipelineRunId
from airside.data.records import DatasetVersion
from airside.monitoring.operations.alerts import ListAlerts
from airside.monitoring.operations.monitors import CreateMonitor
from airside.monitoring.operations.windows import ListWindows
from airside.monitoring.records import Alert, Window
from airside.pipelines.operations.runs import GetRun, ListRuns, StartRun
from airside.pipelines.operations.steps import ListSteps
from airside.pipelines.records import PipelineRun
from airside.quality.operations.gates import ListGates
from airside.quality.records import GateDecision
from airside.serving.operations.endpoints import GetEndpoint
from airside.serving.operations.rollouts import GetRollout, ListRollouts
from airside.serving.records import Rollout

PROJECT = Path(__file__).parent / "project"
DATA = Path(__file__).parent / "data" / "acs_ma_employment.parquet"
NEEDED = ("row_id", "household", "year", "batch", "AGEP", "SEX", "RELP", "employed")
AGES = [25.0, 35.0, 45.0, 55.0, 65.0, 75.0]


class Plot:
    """The table, the names, and what is done with them.

    Args:
        stage: the server and its client.
        path: a Parquet table of the same kind as the one that comes along: years, batches, households, a label.
    """

    dataset = DatasetName("people")
    model = ModelName("employment")
    endpoint = EndpointName("employment")
    monitor = MonitorName("employment-inputs")
    pipeline = PipelineName("training")
    label = "employed"
    size = 500

    def __init__(self, stage: Stage, path: Path = DATA) -> None:
        self.stage = stage
        self.tell = stage.teller
        self._table = _read(path)
        self.years: list[int] = sorted(pc.unique(self._table["year"]).to_pylist())
        if len(self.years) < 4:
            raise Invalid(f"{path.name} has the years {self.years}; the story needs four.")
        ignored = ("row_id", "year", "batch")
        self.roles: dict[str, Any] = {
            self.label: "label", "household": "key", **dict.fromkeys(ignored, "ignored"),
        }  # fmt: skip
        self.features = [name for name in self._table.column_names if name not in self.roles]
        self.codes = [name for name in self.features if name != "AGEP"]
        self.sensitive = [name for name in ("SEX", "RAC1P", "DIS", "NATIVITY") if name in self.features]
        self._caller: Caller | None = None

    @property
    def client(self) -> Client:
        """The client of the server."""
        return self.stage.client

    # --- the table ---------------------------------------------------------------------------------------------------

    def rows_of(self, year: int, batch: int | None = None) -> pa.Table:
        """The rows of a year, or of one of its batches; of a batch only those that the model is asked about."""
        rows = self._table.filter(pc.equal(self._table["year"], year))
        if batch is None:
            return rows
        return rows.filter(pa.array((rows["batch"].to_numpy() == batch) & self.is_kept(rows)))

    @staticmethod
    def is_kept(table: pa.Table) -> "np.ndarray[Any, Any]":
        """The rows that the pipeline keeps: below 16 the label is 0 by definition."""
        kept: np.ndarray[Any, Any] = table["AGEP"].to_numpy() >= 16
        return kept

    @staticmethod
    def is_training(table: pa.Table) -> "np.ndarray[Any, Any]":
        """The rows that the pipeline trains on: every fifth household is held out."""
        training: np.ndarray[Any, Any] = table["household"].to_numpy() % 5 != 0
        return training

    def add_data(self, rows: pa.Table, *, note: str) -> DatasetVersion:
        """A version of the dataset."""
        return add_dataset(
            self.client,
            self.dataset,
            rows,
            roles=self.roles,
            categorical=self.codes,
            sensitive=self.sensitive,
            note=note,
        )

    # --- the pipeline ------------------------------------------------------------------------------------------------

    def register_pipeline(self) -> str:
        """Register the project's pipeline."""
        return register_pipeline(self.client, f"{PROJECT / 'pipeline.py'}:training").name

    def parameters(self, **others: Any) -> dict[str, Any]:
        """The parameters of a run."""
        fixed = {"model": self.model, "endpoint": self.endpoint, "keep": "AGEP >= 16"}
        return {**fixed, "segments": [*self.sensitive, "AGEP"], "cuts": {"AGEP": AGES}, **others}

    def run_pipeline(self, key: str, others: dict[str, Any]) -> PipelineRun:
        """Start a run, once, and watch it to its end."""
        ask = StartRun(pipeline=self.pipeline, parameters=self.parameters(**others), text=f"the demo: {key}")
        run_id = self.stage.once(
            f"run-{key}", lambda: self.stage.ask(ask, key=f"{self.stage.journal_id}:{key}").id, str
        )
        return self.watch_run(PipelineRunId(run_id))

    def watch_run(self, run_id: PipelineRunId) -> PipelineRun:
        """Watch a run to its end.

        Raises:
            Failed: it failed.
        """
        run = self.stage.ask(GetRun(run_id=run_id))
        with self.tell.progress("pipeline", max(run.steps_total, 1)) as show:

            def ended() -> PipelineRun | None:
                found = self.client.call(GetRun(run_id=run_id))
                show(found.steps_done, f"pipeline: {found.state}")
                return found if found.state in ("succeeded", "failed", "cancelled") else None

            run = self.stage.wait_for("The end of the pipeline run", ended, timeout_s=240)
        steps = self.stage.ask(ListSteps(run_id=run_id)).items
        cached = sum(step.cached for step in steps)
        if run.state != "succeeded":
            raise Failed(f"The pipeline run {run_id} {run.state}: {run.error}")
        seconds = (run.ended_at - run.created_at).total_seconds() if run.ended_at else 0.0
        self.tell.done(f"pipeline run of {len(steps)} steps, {cached} from the cache, {seconds:.1f} s")
        return run

    def create_trigger(self) -> str:
        """Drift starts the retraining, once there are newer labelled data."""
        parameters = self.parameters(dataset=f"{self.dataset}@latest", compare_with=f"{self.dataset}@1")
        made = create_trigger(
            self.client, "retrain-on-drift", pipeline=self.pipeline, on="alert", monitor=self.monitor,
            wait_for_dataset=self.dataset, parameters=parameters,
        )  # fmt: skip
        return made.name

    def wait_triggered_run(self) -> PipelineRun:
        """The run that the trigger started."""

        def look() -> PipelineRun | None:
            runs = self.client.call(ListRuns(max_results=20)).items
            return next((run for run in runs if run.cause.kind != "manual"), None)

        return self.stage.wait_for("The run that the alert starts", look)

    # --- endpoint and rollout ----------------------------------------------------------------------------------------

    def caller(self) -> Caller:
        """Callers of the endpoint."""
        if self._caller is None:
            self._caller = Caller(self.client, self.stage.serving_url, self.endpoint, self.features, self.label)
        return self._caller

    def wait_until_served(self, version: int) -> None:
        """Wait until the serving process answers with a version."""
        probe = self.rows_of(self.years[0], 1).slice(0, 1)

        def answered() -> int | None:
            return self.caller().send(probe, size=1).by_version.get(str(version))

        self.stage.once(f"served-{version}", lambda: self.stage.wait_for(f"An answer of v{version}", answered))

    def roll_out(self, step: int, version: int, rows: pa.Table, more: pa.Table, *, delivery: str, must: str) -> None:
        """Send rows one by one until the rollout has ended, then the rest of them in larger requests.

        Args:
            step: of the story.
            version: that is rolled out.
            rows: the delivery.
            more: rows of the next one, asked in advance where the judge wants more than the delivery has.
            delivery: its name; empty for requests that belong to none.
            must: how the rollout must end.

        Raises:
            Failed: it did not end as it must.
        """
        rollout = self.stage.wait_for(f"The rollout of v{version}", lambda: self._rollout_of(version))
        key = f"traffic-{rollout.id}"
        self.stage.once(key, lambda: self._play(rollout, rows, more, delivery))
        ended = self.stage.ask(GetRollout(id=rollout.id))
        seen = ended.evidence.paired
        if seen is not None and seen.difference is not None:
            self.tell.done(
                f"shadow: {seen.labelled_rows:,} rows answered by both; wrong answers v{ended.to_version} − "
                f"v{ended.from_version}: {told(seen.difference, digits=2, scale=100)} points"
            )
            self.stage.figure(step, "shadow.difference", seen.difference, "rollout", ended.id)
        for guard in ended.evidence.guards:
            if guard.canary is not None and guard.canary_rows:
                self.tell.found(
                    f"canary, {guard.guard}: {guard.canary_bad}/{guard.canary_rows} against "
                    f"{guard.champion_bad}/{guard.champion_rows}, log E {guard.log_e:.2f} (limit {guard.limit:.2f})"
                )
        line = f"v{ended.to_version} {ended.state.replace('_', ' ')}: {ended.reason}"
        (self.tell.done if ended.state == must else self.tell.failed)(line)
        self.stage.figure(step, "rollout", ended.state, "rollout", ended.id)
        self.stage.figure(step, "rollout.version", str(ended.to_version), "rollout", ended.id)
        if ended.state != must:
            raise Failed(f"The rollout of v{ended.to_version} ended {ended.state}, not {must}: {ended.reason}")

    def _rollout_of(self, version: int) -> Rollout | None:
        items = self.client.call(ListRollouts(endpoint=self.endpoint)).items
        return next((rollout for rollout in items if rollout.to_version == version), None)

    def _play(self, rollout: Rollout, rows: pa.Table, more: pa.Table, delivery: str) -> int:
        ended = False

        def is_over() -> bool:
            nonlocal ended
            found = self.client.call(GetRollout(id=rollout.id))
            ended = found.state in ("promoted", "rolled_back", "paused")
            show(sent.get("rows", 0), f"v{found.to_version}: {found.state} {found.weight / 100:.0f} %")
            return ended

        sent: dict[str, int] = {}

        def count(done: int) -> None:
            sent["rows"] = done

        with self.tell.progress("requests", rows.num_rows) as show:
            one_by_one = self.caller().send(rows, size=1, delivery=delivery, is_over=is_over, progress=count)
            if not ended:
                self.caller().send(more, size=1, is_over=is_over)
            self.stage.wait_for("The end of the rollout", lambda: is_over() or None, timeout_s=30)
        self.tell.done(
            f"{one_by_one.requests:,} requests, {one_by_one.errors} errors; answered by {one_by_one.by_version}"
        )
        if delivery:
            self.caller().send(rows.slice(one_by_one.rows), size=self.size, delivery=delivery)
        return one_by_one.rows

    def serve_batch(self, year: int, batch: int) -> None:
        """Send a delivery in requests of some hundred rows, with its truth, and say that it is complete."""
        name = f"{year}-{batch:02d}"
        rows = self.rows_of(year, batch)
        self.stage.once(f"serve-{name}", lambda: self.caller().send(rows, size=self.size, delivery=name).rows)
        self.complete(name, rows.num_rows)

    def complete(self, name: str, rows: int) -> None:
        """Say that a delivery of so many rows is complete."""
        self.stage.once(f"complete-{name}", lambda: complete_delivery(self.client, self.endpoint, name, rows=rows).rows)

    # --- what is found -----------------------------------------------------------------------------------------------

    def create_monitor(self) -> str:
        """Watch the endpoint's deliveries against the champion's training profile."""
        self.client.call(GetEndpoint(name=self.endpoint))
        ask = CreateMonitor(
            name=self.monitor, endpoint=self.endpoint, segments=tuple(self.sensitive[:1]),
            policy="Drift that is certain starts a retraining as soon as newer labelled data are there.",
        )  # fmt: skip
        return self.client.call(ask).name

    def window_of(self, delivery: str) -> Window:
        """The window of a delivery, once all its labels are in."""

        def look() -> Window | None:
            items = self.client.call(ListWindows(monitor=self.monitor, delivery=delivery)).items
            return items[0] if items and items[0].labelled == items[0].rows else None

        return self.stage.wait_for(f"The window of {delivery}", look)

    def tell_window(self, step: int, delivery: str, *, quiet: bool = False) -> Window:
        """Tell what the window of a delivery shows."""
        window = self.window_of(delivery)
        worst = max(window.columns, key=lambda one: one.effect / max(one.effect_limit, 1e-9))
        accuracy = _figure(window, "accuracy", "realised")
        estimated = _figure(window, "accuracy", "estimated")
        if accuracy is not None:
            self.stage.figure(step, f"accuracy.{delivery}", accuracy, "window", window.window_id)
        if estimated is not None:
            self.stage.figure(step, f"accuracy_estimated.{delivery}", estimated, "window", window.window_id)
        self.stage.figure(step, f"flagged.{delivery}", ", ".join(window.flagged), "window", window.window_id)
        self.stage.figure(step, f"effect.{worst.column}.{delivery}", worst.effect, "window", window.window_id)
        if not quiet:
            flagged = ", ".join(window.flagged) or "nothing drifts"
            quality = f"accuracy {told(accuracy)}" if accuracy else "no labels yet"
            guess = f", estimated without labels {estimated.value:.3f}" if estimated else ""
            largest = f"largest: {worst.column} {worst.effect:.3f}"
            self.tell.found(f"{delivery}: {window.rows:,} rows, {flagged} ({largest}); {quality}{guess}")
        return window

    def tell_range(self, step: int, prefix: str) -> None:
        """Tell what the range check found in the windows of a year."""
        items = self.stage.ask(ListWindows(monitor=self.monitor, max_results=200)).items
        for window in reversed(items):
            beyond = [one for one in window.columns if one.above and window.delivery.startswith(prefix)]
            for one in beyond[:1]:
                self.tell.warned(
                    f"{window.delivery}: {one.column} {one.maximum:.0f} above the reference's maximum "
                    f"{one.reference_maximum:.0f} ({one.above} rows): a change upstream, not drift"
                )
                self.stage.figure(step, f"above.{one.column}", one.above, "window", window.window_id, unit="rows")
                return

    def wait_alert(self, kind: str, *, state: Any = "") -> Alert:
        """The newest alert of a kind."""

        def look() -> Alert | None:
            items = self.client.call(ListAlerts(monitor=self.monitor, state=state)).items
            return next((alert for alert in items if alert.kind == kind), None)

        return self.stage.wait_for(f"An alert of the kind '{kind}'", look, timeout_s=30)

    def tell_candidates(self, step: int, run: PipelineRun) -> None:
        """Tell the table of the candidates of a pipeline run."""
        reports = run.result["reports"] if isinstance(run.result, dict) else []
        rows = []
        for one in reports:
            figures = {(m["measure"], m.get("against", "")): m["estimate"] for m in one["figures"]}
            shown = {
                measure: Estimate(**figures[(measure, "")])
                for measure in ("auc", "accuracy", "log_loss", "calibration")
            }
            rows.append(
                [one["kind"], told(shown["auc"]), told(shown["accuracy"]), told(shown["log_loss"]),
                 told(shown["calibration"], digits=1, scale=100)]
            )  # fmt: skip
            for measure, estimate in shown.items():
                self.stage.figure(step, f"{measure}.{one['kind']}", estimate, "run", one["run"])
            if ("accuracy", "baseline") in figures:
                gain = Estimate(**figures[("accuracy", "baseline")])
                self.stage.figure(step, f"accuracy_gain.{one['kind']}", gain, "run", one["run"])
        self.tell.table(["candidate", "AUC", "accuracy", "log loss", "mean − label, points"], rows)

    def gate_of(self, version: int) -> GateDecision:
        """The newest decision about a version."""
        return self.stage.ask(ListGates(model=self.model, version=version, max_results=1)).items[0]

    def tell_gate(self, step: int, decision: GateDecision, *, must: str) -> None:
        """Tell a decision and what it rests on.

        Raises:
            Failed: it is not what it must be.
        """
        for one in decision.results:
            if one.outcome == "fail" and one.is_blocking and one.kind != "label_balance":
                where = f" {one.segment}" if one.segment else ""
                shown = told(one.estimate, digits=3) if one.estimate else "—"
                self.tell.warned(f"{one.name}{where}: {one.measure} {shown}, asked {one.threshold}")
            if one.estimate is not None and one.is_blocking:
                name = ".".join(filter(None, (one.measure, one.segment, one.against)))
                self.stage.figure(step, f"gate.{name}", one.estimate, "gate", decision.id)
        blocking = [one for one in decision.results if one.is_blocking]
        passed = sum(one.outcome == "pass" for one in blocking)
        say = self.tell.done if decision.outcome == must else self.tell.failed
        say(f"gates on v{decision.version}: {decision.outcome}, {passed} of {len(blocking)} checks passed")
        self.stage.figure(step, "gate", decision.outcome, "gate", decision.id)
        if decision.outcome != must:
            raise Failed(f"The gates said {decision.outcome} of v{decision.version}, not {must}: {decision.summary}")

    def figure(self, step: int, name: str, value: Any, kind: str, identity: str, *, unit: str = "1") -> None:
        """Write a figure down."""
        self.stage.figure(step, name, value, kind, identity, unit=unit)


def _figure(window: Window, measure: str, basis: str) -> Estimate | None:
    return next(
        (one.estimate for one in window.figures if (one.measure, one.basis, one.segment) == (measure, basis, "")), None
    )


def _read(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise Invalid(f"{path} cannot be read as Parquet: {error}") from error
    missing = [name for name in NEEDED if name not in table.column_names]
    if missing:
        raise Invalid(f"{path.name} lacks the columns {', '.join(missing)}; the story needs a table of the same kind.")
    return table
