"""Runs, as a notebook logs them: nested, resumed, deleted; figures, tables, images; searches; asynchronous logging."""

import sys
import time
from pathlib import Path

import matplotlib as mpl
import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType

mpl.use("Agg")
from matplotlib import pyplot as plt

mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient()


def experiments() -> str:
    made = client.create_experiment("flows of runs", tags={"team": "a"})
    assert mlflow.set_experiment("flows of runs").experiment_id == made
    client.set_experiment_tag(made, "note", "x" * 5000)
    assert client.get_experiment(made).tags == {"team": "a", "note": "x" * 5000}
    other = client.create_experiment("other")
    client.rename_experiment(other, "renamed")
    assert client.get_experiment_by_name("other") is None
    client.delete_experiment(other)
    assert client.get_experiment(other).lifecycle_stage == "deleted"
    names = [one.name for one in client.search_experiments(view_type=ViewType.DELETED_ONLY)]
    assert names == ["renamed"], names
    client.restore_experiment(other)
    found = mlflow.search_experiments(filter_string="name ILIKE '%RUNS'", order_by=["name DESC"])
    assert [one.name for one in found] == ["flows of runs"]
    assert [one.name for one in mlflow.search_experiments(filter_string="tags.team = 'a'")] == ["flows of runs"]
    return str(made)


def nested(experiment: str) -> str:
    with mlflow.start_run(run_name="parent", description="the parent", tags={"k": "v"}) as parent:
        mlflow.log_params({"depth": 3, "rate": 0.1, "long": "y" * 6000})
        for number in range(3):
            with mlflow.start_run(run_name=f"child {number}", nested=True):
                mlflow.log_metrics({"auc": 0.5 + number / 10, "loss": 1.0 - number / 10}, step=number)
        mlflow.set_tags({"a": 1, "b": "zwei"})
        mlflow.delete_tag("b")
    run_id = parent.info.run_id
    children = mlflow.search_runs(
        [experiment], f"tags.mlflow.parentRunId = '{run_id}' AND metrics.auc >= 0.6", order_by=["metrics.auc DESC"]
    )
    assert children["metrics.auc"].tolist() == [0.7, 0.6], children
    assert children["tags.mlflow.runName"].tolist() == ["child 2", "child 1"]
    got = client.get_run(run_id)
    assert (got.info.run_name, got.info.status, got.data.tags["a"], "b" in got.data.tags) == (
        "parent",
        "FINISHED",
        "1",
        False,
    )
    assert got.data.params["long"] == "y" * 6000
    assert mlflow.get_parent_run(children["run_id"][0]).info.run_id == run_id
    with mlflow.start_run(run_id=run_id):
        mlflow.log_metric("later", 1.0)
    assert client.get_run(run_id).data.metrics["later"] == 1.0
    return str(run_id)


def things(experiment: str) -> None:
    with mlflow.start_run(run_name="things") as run:
        mlflow.log_text("hello é", "notes/a.txt")
        mlflow.log_dict({"a": [1, 2]}, "d.json")
        mlflow.log_dict({"a": [1, 2]}, "d.yaml")
        figure, axes = plt.subplots()
        axes.plot([1, 2], [3, 4])
        mlflow.log_figure(figure, "plots/f.png")
        plt.close(figure)
        mlflow.log_image(np.zeros((8, 8, 3), dtype=np.uint8), "i.png")
        for step in range(2):
            mlflow.log_image(np.full((8, 8, 3), step, dtype=np.uint8), key="dogs", step=step, synchronous=True)
        mlflow.log_table({"x": [1, 2], "y": ["a", "b"]}, "table.json")
        mlflow.log_table(pd.DataFrame({"x": [3], "y": ["c"]}), "table.json")
        Path("folder/deep").mkdir(parents=True, exist_ok=True)
        Path("folder/deep/x.bin").write_bytes(b"\0" * 2_000_000)
        Path("folder/ö ä.txt").write_text("u", "utf-8")
        mlflow.log_artifacts("folder", artifact_path="folder")
        mlflow.log_artifact("folder/deep/x.bin")
        frame = pd.DataFrame({"x": [1.0, 2.0], "y": [0, 1]})
        data = mlflow.data.from_pandas(frame, source="s3://bucket/people.csv", name="people", targets="y")
        mlflow.log_input(data, context="training")
        mlflow.log_input(mlflow.data.from_numpy(np.zeros((2, 2)), name="array"), context="eval", tags={"t": "1"})
    run_id = run.info.run_id
    top = {one.path: one.is_dir for one in client.list_artifacts(run_id)}
    assert {"notes", "d.json", "plots", "i.png", "images", "table.json", "folder", "x.bin"} <= set(top), top
    assert top["notes"]
    assert not top["d.json"]
    assert [one.path for one in client.list_artifacts(run_id, "folder")] == ["folder/deep", "folder/ö ä.txt"]
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/notes/a.txt") == "hello é"
    assert mlflow.artifacts.load_dict(f"runs:/{run_id}/d.json") == {"a": [1, 2]}
    assert mlflow.artifacts.load_image(f"runs:/{run_id}/i.png").size == (8, 8)
    assert mlflow.load_table("table.json", run_ids=[run_id])["x"].tolist() == [1, 2, 3]
    folder = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="folder")
    assert (Path(folder) / "deep" / "x.bin").stat().st_size == 2_000_000
    inputs = {one.dataset.name: one for one in client.get_run(run_id).inputs.dataset_inputs}
    assert set(inputs) == {"people", "array"}
    assert {tag.key: tag.value for tag in inputs["array"].tags} == {"mlflow.data.context": "eval", "t": "1"}
    found = mlflow.search_runs([experiment], "dataset.name = 'people' AND dataset.context = 'training'")
    assert found["run_id"].tolist() == [run_id]
    source = mlflow.data.get_source(client.get_run(run_id).inputs.dataset_inputs[0])
    assert source is not None


def by_client(experiment: str) -> None:
    run_id = client.create_run(
        experiment, start_time=1_700_000_000_000, tags={"x": "1"}, run_name="by hand"
    ).info.run_id
    now = int(time.time() * 1000)
    points = [Metric("m", float(step), now + step, step) for step in range(2500)]
    for start in range(0, len(points), 1000):
        client.log_batch(run_id, metrics=points[start : start + 1000])
    client.log_batch(run_id, params=[Param("p", "1")], tags=[RunTag("t", "2")])
    history = client.get_metric_history(run_id, "m")
    assert [point.step for point in history] == list(range(2500))
    client.log_metric(run_id, "odd", float("nan"), step=-1)
    client.log_metric(run_id, "odd", float("inf"), step=5)
    assert client.get_run(run_id).data.metrics["odd"] >= 1.7976931348623157e308
    try:
        client.log_param(run_id, "p", "2")
    except mlflow.exceptions.MlflowException as refused:
        told = str(refused)
    else:
        told = ""
    assert "Changing param values is not allowed" in told
    client.update_run(run_id, status="FAILED", name="renamed")
    got = client.get_run(run_id).info
    assert (got.status, got.run_name) == ("FAILED", "renamed")
    client.set_terminated(run_id, "KILLED")
    client.delete_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    client.restore_run(run_id)
    pages, token = [], None
    while True:
        page = client.search_runs([experiment], max_results=2, page_token=token, order_by=["attributes.start_time ASC"])
        pages.append(len(page))
        token = page.token
        if not token:
            break
    assert sum(pages) == len(client.search_runs([experiment])), pages


def later() -> None:
    mlflow.config.enable_async_logging(True)
    with mlflow.start_run(run_name="asynchronous") as run:
        for step in range(300):
            mlflow.log_metric("loss", step / 10, step=step)
        mlflow.log_param("p", 1)
        mlflow.set_tag("t", 2)
        mlflow.log_params({f"q{number}": number for number in range(150)}).wait()
        mlflow.flush_async_logging()
    mlflow.config.enable_async_logging(False)
    got = client.get_run(run.info.run_id)
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 300
    assert (got.data.params["p"], got.data.params["q149"], got.data.tags["t"]) == ("1", "149", "2")


def measured() -> None:
    mlflow.set_system_metrics_sampling_interval(0.2)
    mlflow.set_system_metrics_samples_before_logging(1)
    with mlflow.start_run(run_name="measured", log_system_metrics=True) as run:
        time.sleep(1.5)
    metrics = client.get_run(run.info.run_id).data.metrics
    assert "system/cpu_utilization_percentage" in metrics, metrics
    assert "system/system_memory_usage_megabytes" in metrics


made = experiments()
nested(made)
things(made)
by_client(made)
later()
measured()
