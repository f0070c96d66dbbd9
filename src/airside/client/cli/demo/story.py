"""The story: ten steps, each of them done by the platform; this only asks, sends and tells."""

import pyarrow as pa

from airside.client.cli.demo import faults
from airside.client.cli.demo.plot import Plot
from airside.client.sdk.data import add_dataset
from airside.data.records import DatasetVersion
from airside.governance.operations.cards import GetCard
from airside.quality.operations.suites import SetSuite
from airside.quality.records import Check
from airside.registry.operations.aliases import SetAlias
from airside.registry.operations.models import RequireOfModel
from airside.registry.operations.versions import GetVersion
from airside.serving.operations.endpoints import CreateEndpoint, Deploy
from airside.serving.records import RolloutPlan, ServingTransform, ShadowPhase, Step

PLAN = RolloutPlan(
    shadow=ShadowPhase(min_rows=1_000, margin=0.01, proof="labels"),
    steps=(Step(weight_percent=10, min_rows=40), Step(weight_percent=50, min_rows=150)),
    interval_s=0.3,
)
"""Quality is proven in the shadow, on the same rows; the canary guards against errors and gross regressions."""
SUITE = (
    Check(kind="better_than", name="worth its cost", measure="accuracy", against="baseline", limit=0.01),
    Check(kind="no_provable_loss", name="against the champion", measure="log_loss", against="champion"),
    Check(kind="within", name="calibrated", measure="calibration", limit=0.015),
    Check(kind="gap_at_most", name="equal chances", measure="true_positive_rate", column="SEX", limit=0.05),
    Check(kind="somebody_selected", name="nobody forgotten", measure="selection_rate", minimum_rows=500),
    Check(kind="label_balance", name="labels as before", limit=0.05),
)


def data_version(plot: Plot) -> None:
    """1: the first year arrives."""
    year = plot.years[0]
    plot.tell.chapter(1, "A data version", f"The year {year}, with its labels. Batches are deliveries, not months.")
    version = plot.stage.once("data-1", lambda: plot.add_data(plot.rows_of(year), note=f"year {year}"), DatasetVersion)
    label = next(column.name for column in version.columns if column.role == "label")
    codes = sum(column.categorical for column in version.columns)
    plot.tell.done(f"{version.name}@{version.version}: {version.rows:,} rows, {version.digest[:15]}…")
    plot.tell.done(f"schema inferred: {len(version.columns)} columns, {codes} of them codes; the label is {label}")
    plot.figure(1, "rows.all", version.rows, "dataset_version", version.id, unit="rows")


def candidates(plot: Plot) -> None:
    """2: four candidates of different kinds; the logistic one is the model in use before."""
    plot.tell.chapter(2, "Four candidates", "A pipeline filters, splits by household, trains and evaluates.")
    plot.stage.once("pipeline", plot.register_pipeline)
    run = plot.run_pipeline("first", {"dataset": f"{plot.dataset}@1", "use": "logistic", "endpoint": ""})
    plot.tell_candidates(2, run)
    plot.stage.once("champion-1", lambda: plot.client.call(SetAlias(name=plot.model, alias="champion", version=1)))
    plot.stage.once(
        "endpoint", lambda: plot.client.call(CreateEndpoint(name=plot.endpoint, model=plot.model, plan=PLAN))
    )
    plot.wait_until_served(1)
    plot.tell.done("v1 (logistic) stands for the model in use before; it serves now")


def gates(plot: Plot) -> None:
    """3: the best candidate passes the gates."""
    plot.tell.chapter(
        3, "Registered and gated", "The best candidate becomes a version; what the model asks for decides."
    )
    plot.stage.once("suite", lambda: plot.client.call(SetSuite(model=plot.model, checks=SUITE)))
    plot.stage.once("require", lambda: plot.client.call(RequireOfModel(name=plot.model, gates=("quality",))))
    run = plot.run_pipeline("best", {"dataset": f"{plot.dataset}@1", "compare_with": f"{plot.dataset}@1"})
    number = run.result["version"]
    plot.tell_gate(3, plot.gate_of(number), must="pass")
    version = plot.stage.ask(GetVersion(name=plot.model, version=number))
    plot.tell.done(f"golden predictions: {version.golden}")
    card = plot.stage.ask(GetCard(name=plot.model, version=number))
    plot.tell.done(f"model card of {len(card.markdown.splitlines())} lines, from what the system knows")


def first_rollout(plot: Plot) -> None:
    """4: shadow, canary, promotion, with real requests."""
    year = plot.years[1]
    plot.tell.chapter(4, "Shadow, canary, promotion", f"Real HTTP requests: {year}, batch 1, one row each.")
    plot.roll_out(4, 2, plot.rows_of(year, 1), plot.rows_of(year, 2), delivery=f"{year}-01", must="promoted")
    plot.stage.once("monitor", plot.create_monitor)
    plot.stage.once("trigger", plot.create_trigger)
    plot.complete(f"{year}-01", plot.rows_of(year, 1).num_rows)


def drift(plot: Plot) -> None:
    """5: later data; the monitor finds what drifts, and says how much it matters."""
    year = plot.years[1]
    plot.tell.chapter(5, f"{year} arrives", "Each delivery is compared with the training reference; labels follow.")
    for batch in range(2, 6):
        plot.serve_batch(year, batch)
        plot.tell_window(5, f"{year}-{batch:02d}")
    alert = plot.wait_alert("drift")
    plot.tell.warned(f"alert: {alert.title}")
    plot.tell.plain(f"    {alert.text}")
    plot.figure(5, "alert.columns", ", ".join(alert.columns), "alert", alert.alert_id)


def retraining(plot: Plot) -> None:
    """6: the labels of the year arrive; the alert starts the retraining by itself."""
    first, second, third = plot.years[:3]
    plot.tell.chapter(6, "Retrained by itself", f"The rest of {second} arrives with its labels. Nobody types anything.")
    rows = pa.concat_tables([plot.rows_of(first), plot.rows_of(second)])
    version = plot.stage.once("data-2", lambda: plot.add_data(rows, note=f"years {first} and {second}"), DatasetVersion)
    plot.tell.done(f"{version.name}@{version.version}: {version.rows:,} rows")
    run = plot.wait_triggered_run()
    plot.tell.found(f"pipeline run {run.id[:14]}… was started by: {run.cause.text or run.cause.kind}")
    run = plot.watch_run(run.id)
    plot.tell_candidates(6, run)
    number = run.result["version"]
    plot.tell_gate(6, plot.gate_of(number), must="pass")
    plot.roll_out(6, number, plot.rows_of(third, 1), plot.rows_of(third, 2), delivery=f"{third}-01", must="promoted")
    plot.complete(f"{third}-01", plot.rows_of(third, 1).num_rows)
    for batch in range(2, 13):
        plot.serve_batch(third, batch)
    flagged = [plot.tell_window(6, f"{third}-{batch:02d}", quiet=True).flagged for batch in range(1, 13)]
    names = [f"{index + 1}: {', '.join(columns)}" for index, columns in enumerate(flagged) if columns]
    plot.tell.found(f"{third}: batches flagged {'; '.join(names) or 'none'}; never two in a row is no alert")
    plot.figure(6, "flagged_batches", "; ".join(names), "monitor", plot.monitor)
    plot.tell_range(6, f"{third}-")


def corrupted_labels(plot: Plot) -> None:
    """7: injected: a candidate trained on wrong labels is stopped by the gates."""
    year = plot.years[0]
    plot.tell.chapter(7, "A fault in the labels", "Looks almost right by accuracy and AUC.")
    clean = plot.rows_of(year)
    plot.tell.injected(
        f"a fifth of the employed women among the training households of {year} get the label 0; the real data do not "
        "contain this"
    )
    faulty, changed = faults.lose_labels(
        clean,
        label=plot.label,
        share=0.2,
        where=lambda table: plot.is_training(table) & plot.is_kept(table) & (table["SEX"].to_numpy() == 2),
    )
    version = plot.stage.once(
        "data-faulty",
        lambda: add_dataset(
            plot.client, f"{plot.dataset}-injected", faulty, roles=plot.roles, categorical=plot.codes,
            sensitive=plot.sensitive, note="injected: a fifth of employed women set to 0",
        ),
        DatasetVersion,
    )  # fmt: skip
    plot.tell.done(f"{version.name}@{version.version}: {changed:,} labels changed")
    run = plot.run_pipeline(
        "faulty", {"dataset": f"{version.name}@1", "kinds": ["tree", "boosting"], "compare_with": f"{plot.dataset}@1"}
    )
    decision = plot.gate_of(run.result["version"])
    balance = [one for one in decision.results if one.kind == "label_balance" and one.outcome == "fail"]
    for one in balance[:2]:
        plot.tell.warned(f"labels, before any model: {one.segment or 'all'}: {one.note}")
    plot.tell_gate(7, decision, must="fail")


def regression(plot: Plot) -> None:
    """8: injected: a version that regresses in service is rolled back by the canary."""
    year = plot.years[3]
    plot.tell.chapter(8, "A fault in service", "Passes the gates and the shadow; goes wrong when it gets traffic.")
    run = plot.run_pipeline(
        "same-again", {"dataset": f"{plot.dataset}@latest", "endpoint": "", "compare_with": f"{plot.dataset}@1"}
    )
    number = run.result["version"]
    plot.tell_gate(8, plot.gate_of(number), must="pass")
    plot.tell.injected(
        f"v{number} is served with a step that multiplies AGEP by 12 (years taken for months), switched on when its "
        "canary starts; the model itself is sound"
    )
    transform = ServingTransform(multiply={"AGEP": 12.0}, after="shadow", note="injected: years taken for months")
    plot.stage.once(
        "deploy-regression",
        lambda: plot.client.call(Deploy(endpoint=plot.endpoint, version=number, transform=transform)),
    )
    plot.roll_out(8, number, plot.rows_of(year, 1), plot.rows_of(year, 2), delivery="", must="rolled_back")


def upstream_change(plot: Plot) -> None:
    """9: injected: an upstream change of codes is named by the monitor."""
    year, batch = plot.years[3], 4
    plot.tell.chapter(9, "A fault upstream", "The model still looks well; its input does not.")
    plot.tell.injected(
        f"{year}, batch {batch}: RELP comes in the codes of 2019 (20–38); the survey made this change a year later"
    )
    name = f"{year}-{batch:02d}-injected"
    rows, changed = faults.recoded(plot.rows_of(year, batch), "RELP", faults.RELP_OF_2019)
    plot.stage.once(f"serve-{name}", lambda: plot.caller().send(rows, size=plot.size, delivery=name).rows)
    plot.complete(name, rows.num_rows)
    window = plot.tell_window(9, name)
    alert = plot.wait_alert("unseen")
    plot.tell.warned(f"alert: {alert.title}")
    plot.tell.plain(f"    {alert.text}")
    codes = next(one for one in window.columns if one.column == "RELP")
    plot.figure(9, "unseen_rows.RELP", codes.unseen_rows, "window", window.window_id, unit="rows")
    plot.figure(9, "changed_rows", changed, "window", window.window_id, unit="rows")


def clean_again(plot: Plot) -> None:
    """10: clean data again; the real drift goes on and is found on its own merit."""
    year = plot.years[3]
    plot.tell.chapter(10, f"{year}, clean", "The same year as it really is.")
    for batch in range(1, 4):
        plot.serve_batch(year, batch)
        plot.tell_window(10, f"{year}-{batch:02d}")
    alert = plot.wait_alert("drift", state="active")
    plot.tell.warned(f"alert: {alert.title}")
    plot.tell.found("the trigger waits for new labelled data; nothing is retrained on a guess")
    plot.figure(10, "alert.columns", ", ".join(alert.columns), "alert", alert.alert_id)


STEPS = (
    data_version,
    candidates,
    gates,
    first_rollout,
    drift,
    retraining,
    corrupted_labels,
    regression,
    upstream_change,
    clean_again,
)
