"""The project of the demo: from a dataset version to a version that serves, for any table with two classes.

What is the label, the key of an entity, a code or a sensitive column stands in the dataset version itself; nothing
here knows the table by name. Register it with: register_pipeline(client, "pipeline.py:training")
"""

import time
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from candidates import BASELINE, KINDS, fitted

from airside.client.sdk.data import dataset_input, load_dataset
from airside.client.sdk.models import load_model, log_model, register
from airside.client.transport import Client, connect
from airside.core.column import Column
from airside.core.errors import Invalid, NotFound
from airside.data.operations.versions import GetDatasetVersion
from airside.pipelines.define import current, map_over, pipeline, step
from airside.quality.evaluate import Setting, evaluate
from airside.quality.measures.balance import label_balance
from airside.quality.measures.estimated import fit as fit_calibration
from airside.quality.measures.importance import permutation_importance
from airside.quality.measures.profile import reference_of
from airside.quality.operations.gates import DecideGate
from airside.quality.operations.suites import GetSuite
from airside.quality.records import Measured
from airside.registry.operations.versions import VersionByAlias
from airside.serving.operations.endpoints import Deploy
from airside.tracking.operations.logging import LogBatch, LogInputs
from airside.tracking.operations.runs import CreateRun, GetRun, UpdateRun
from airside.tracking.records import LoggedMetric, Param, Tag

TEST_SHARE = 5
"""Every fifth entity is held out, whole."""
EXAMPLE_ROWS = 500
PREDICTION = "prediction"


@step(cache=False)
def resolve(dataset: str) -> dict[str, Any]:
    """Which version `people@latest` is now; everything behind it depends on the content alone."""
    name, _, number = dataset.partition("@")
    with _client() as client:
        version = client.call(GetDatasetVersion(name=name, version=0 if number in ("", "latest") else int(number)))
    return {
        "ref": f"{version.name}@{version.version}",
        "digest": version.digest,
        "columns": msgspec.to_builtins(version.columns),
    }


@step
def load(version: dict[str, Any], keep: str) -> pa.Table:
    """The rows of the version that satisfy `keep`, e.g. `AGEP >= 16`."""
    with _client() as client:
        table = load_dataset(client, version["ref"])
    if not keep:
        return table
    column, operator, value = keep.split()
    compare = {">=": pc.greater_equal, "<=": pc.less_equal, "==": pc.equal, ">": pc.greater, "<": pc.less}[operator]
    return table.filter(compare(table[column], float(value)))


@step(outputs=("train", "test"))
def split(table: pa.Table, version: dict[str, Any]) -> dict[str, pa.Table]:
    """Hold out every fifth entity, so that no household is on both sides."""
    entity = table[_key(_columns(version))].to_numpy()
    held_out = pa.array(entity % TEST_SHARE == 0)
    return {"train": table.filter(pc.invert(held_out)), "test": table.filter(held_out)}


@step
def train(kind: str, table: pa.Table, version: dict[str, Any]) -> Any:
    """A fitted candidate."""
    columns = _columns(version)
    features = _features(columns)
    codes = [index for index, name in enumerate(features) if _by_name(columns)[name].categorical]
    return fitted(kind, _matrix(table, features), table[_label(columns)].to_numpy(), codes)


@step(cache=False)
def champion(test: pa.Table, version: dict[str, Any], model: str) -> dict[str, Any]:
    """What the model in use says of the held-out rows; nothing when there is none."""
    features = _features(_columns(version))
    with _client() as client:
        try:
            found = client.call(VersionByAlias(name=model, alias="champion"))
        except (Invalid, NotFound):  # no such alias, no such model
            return {"version": 0, "probability": None}
        predictor = load_model(client, f"{model}@{found.version}")
    answer = predictor.predict({name: test[name].to_pylist() for name in features})
    return {"version": found.version, "probability": pa.table({"p": np.asarray(answer.probabilities)[:, 1]})}


@step
def assess(
    kind: str,
    kinds: list[str],
    models: list[Any],
    test: pa.Table,
    version: dict[str, Any],
    champion: dict[str, Any],
    segments: list[str],
    cuts: dict[str, list[float]],
) -> dict[str, Any]:
    """What a candidate is worth: overall, by segment, between groups, against the baseline and the model in use."""
    columns = _columns(version)
    x, y = _matrix(test, _features(columns)), test[_label(columns)].to_numpy()
    by_kind = dict(zip(kinds, models, strict=True))
    in_use = champion["probability"]
    report = evaluate(
        y,
        by_kind[kind].predict_proba(x)[:, 1],
        test,
        test[_key(columns)].to_numpy(),
        baseline=None if kind == BASELINE else by_kind[BASELINE].predict_proba(x)[:, 1],
        champion=None if in_use is None else in_use["p"].to_numpy(),
        setting=Setting(
            segments=tuple(segments),
            sensitive=tuple(column.name for column in columns if column.sensitive),
            cuts={name: tuple(values) for name, values in cuts.items()},
        ),
    )
    return {"kind": kind, "report": msgspec.to_builtins(report)}


@step(cache=False)
def balance(
    train: pa.Table,
    version: dict[str, Any],
    compare_with: str,
    keep: str,
    groups: list[str],
    cuts: dict[str, list[float]],
) -> list[dict[str, Any]]:
    """Whether the label is as frequent as in another version of the data: wrong labels show before any model."""
    if not compare_with:
        return []
    label = _label(_columns(version))
    with _client() as client:
        other = load_dataset(client, compare_with)
    if keep:
        column, _, value = keep.split()
        other = other.filter(pc.greater_equal(other[column], float(value)))

    def arrays(table: pa.Table) -> dict[str, Any]:
        return {name: table[name].to_numpy() for name in groups}

    found = label_balance(
        other[label].to_numpy().astype(bool),
        arrays(other),
        train[label].to_numpy().astype(bool),
        arrays(train),
        groups,
        cuts=cuts,
    )
    return [msgspec.to_builtins(one) for one in found]


@step
def choose(reports: list[dict[str, Any]], use: str) -> str:
    """The kind with the lowest log loss on the held-out rows, or the one that was asked for."""
    if use != "best":
        return use
    return min(reports, key=lambda one: _figure(one["report"], "log_loss"))["kind"]


@step(cache=False)
def publish(
    chosen: str,
    kinds: list[str],
    models: list[Any],
    reports: list[dict[str, Any]],
    train: pa.Table,
    test: pa.Table,
    version: dict[str, Any],
    model: str,
) -> dict[str, Any]:
    """Log the runs and the model, with its training profile, and register the next version."""
    columns = _columns(version)
    features = _features(columns)
    estimator = dict(zip(kinds, models, strict=True))[chosen]
    y = test[_label(columns)].to_numpy().astype(bool)
    importance = permutation_importance(
        lambda table: estimator.predict_proba(np.column_stack([table[name] for name in features]))[:, 1],
        {name: test[name].to_numpy().astype(np.float64) for name in features},
        y,
        features,
        repeats=2,
        most_rows=2_500,
    )
    profiled = train.append_column(PREDICTION, pa.array(estimator.predict_proba(_matrix(train, features))[:, 1]))
    held_out = estimator.predict_proba(_matrix(test, features))[:, 1]
    reference = reference_of(
        profiled,
        [*(column for column in columns if column.name in features), Column(name=PREDICTION, type="double")],
        importance=importance,
        calibration=fit_calibration(y, held_out),
        of=version["ref"],
    )
    with _client() as client:
        runs = _log_runs(client, reports, train, version)
        logged = log_model(
            client,
            estimator,
            run_id=runs[chosen],
            name=chosen,
            example=train.select(features).slice(0, EXAMPLE_ROWS),
            reference=msgspec.json.encode(reference),
        )
        made = register(client, model, logged, description=f"{chosen}, trained on {version['ref']}")
    told = [{"kind": one["kind"], "run": runs[one["kind"]], "figures": _overall(one["report"])} for one in reports]
    return {"version": made.version, "reports": told}


@step(cache=False)
def gate(
    published: dict[str, Any],
    chosen: str,
    reports: list[dict[str, Any]],
    balance: list[dict[str, Any]],
    champion: dict[str, Any],
    model: str,
) -> dict[str, Any]:
    """Ask the model's gate about the version: the control plane decides by the suite that the model has."""
    number = published["version"]
    report = next(one["report"] for one in reports if one["kind"] == chosen)
    measured = msgspec.convert([*report["measured"], *balance], tuple[Measured, ...])
    with _client() as client:
        try:
            client.call(GetSuite(model=model))
        except NotFound:
            return {"id": "", "outcome": "none", "summary": "the model asks for nothing yet", "version": number}
        decision = client.call(
            DecideGate(model=model, version=number, measured=measured, compared_with=champion["version"])
        )
    return {"id": decision.id, "outcome": decision.outcome, "summary": decision.summary, "version": number}


@step(cache=False)
def release(decision: dict[str, Any], published: dict[str, Any], endpoint: str) -> dict[str, Any]:
    """Start the rollout of a version that passed; leave one that failed where it is."""
    told = {
        "version": decision["version"],
        "outcome": decision["outcome"],
        "rollout": "",
        "reports": published["reports"],
    }
    if decision["outcome"] != "pass" or not endpoint:
        return told
    with _client() as client:
        deployed = client.call(Deploy(endpoint=endpoint, version=decision["version"]))
    return {**told, "rollout": deployed.rollout.id if deployed.rollout is not None else ""}


@pipeline
def training(
    dataset: str = "people@latest",
    model: str = "employment",
    endpoint: str = "employment",
    keep: str = "",
    kinds: list[str] = KINDS,
    use: str = "best",
    compare_with: str = "",
    segments: list[str] = [],  # noqa: B006 -- a default of the pipeline, never changed
    cuts: dict[str, list[float]] = {},  # noqa: B006
) -> dict[str, Any]:
    """Train four candidates, evaluate them, register the best, ask the gate, release what passes."""
    version = resolve(dataset)
    table = load(version, keep)
    parts = split(table, version)
    models = map_over(train, over={"kind": kinds}, table=parts["train"], version=version)
    in_use = champion(parts["test"], version, model)
    reports = map_over(
        assess, over={"kind": kinds}, kinds=kinds, models=models, test=parts["test"], version=version, champion=in_use,
        segments=segments, cuts=cuts,
    )  # fmt: skip
    balanced = balance(parts["train"], version, compare_with, keep, segments, cuts)
    chosen = choose(reports, use)
    published = publish(chosen, kinds, models, reports, parts["train"], parts["test"], version, model)
    decision = gate(published, chosen, reports, balanced, in_use, model)
    return release(decision, published, endpoint)


def _client() -> Client:
    here = current()
    return connect(here.url, here.token)


def _columns(version: dict[str, Any]) -> tuple[Column, ...]:
    return msgspec.convert(version["columns"], tuple[Column, ...])


def _by_name(columns: tuple[Column, ...]) -> dict[str, Column]:
    return {column.name: column for column in columns}


def _features(columns: tuple[Column, ...]) -> list[str]:
    return [column.name for column in columns if column.role == "feature"]


def _label(columns: tuple[Column, ...]) -> str:
    return next(column.name for column in columns if column.role == "label")


def _key(columns: tuple[Column, ...]) -> str:
    return next(column.name for column in columns if column.role == "key")


def _matrix(table: pa.Table, features: list[str]) -> "np.ndarray[Any, Any]":
    return np.column_stack([table[name].to_numpy().astype(np.float64) for name in features])


def _figure(report: dict[str, Any], measure: str) -> float:
    for one in report["measured"]:
        if (one["measure"], one.get("segment", ""), one.get("against", "")) == (measure, "", ""):
            return float(one["estimate"]["value"])
    raise KeyError(measure)


def _overall(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The figures over all rows, differences to others included."""
    return [one for one in report["measured"] if not one.get("segment")]


def _log_runs(
    client: Client, reports: list[dict[str, Any]], train: pa.Table, version: dict[str, Any]
) -> dict[str, Any]:
    """A tracked run of each candidate below the pipeline's own run; their ids by kind."""
    here = current()
    parent = client.call(GetRun(run_id=here.tracking_run))
    used = client.call(
        GetDatasetVersion(name=version["ref"].partition("@")[0], version=int(version["ref"].split("@")[1]))
    )
    runs = {}
    for one in reports:
        now_ms = time.time_ns() // 1_000_000
        run = client.call(
            CreateRun(
                experiment_id=parent.info.experiment_id,
                name=one["kind"],
                start_time_ms=now_ms,
                tags=(
                    Tag(key="mlflow.parentRunId", value=here.tracking_run),
                    Tag(key="airside.pipelineRun", value=here.run_id),
                ),
            )
        )
        runs[one["kind"]] = run.info.run_id
        figures = [figure for figure in _overall(one["report"]) if not figure.get("against")]
        client.call(
            LogBatch(
                run_id=run.info.run_id,
                metrics=tuple(
                    LoggedMetric(key=f["measure"], value=f["estimate"]["value"], timestamp_ms=now_ms) for f in figures
                ),
                params=(
                    Param(key="kind", value=one["kind"]),
                    Param(key="rows", value=str(train.num_rows)),
                    Param(key="dataset", value=version["ref"]),
                ),
            )
        )
        client.call(LogInputs(run_id=run.info.run_id, datasets=(dataset_input(used, "train"),)))
        client.call(UpdateRun(run_id=run.info.run_id, status="FINISHED", end_time_ms=time.time_ns() // 1_000_000))
    return runs
