"""A model logged, registered, loaded in every way, scored, evaluated; scikit-learn's autologging."""

import sys

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split

mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient()
IS_3 = int(mlflow.__version__.split(".")[0]) >= 3
mlflow.set_experiment("flows of models")
x, y = load_iris(return_X_y=True, as_frame=True)
train_x, test_x, train_y, test_y = train_test_split(x, y, random_state=0)


def logged() -> None:
    fitted = LogisticRegression(max_iter=500).fit(train_x, train_y)
    named = {"name": "model"} if IS_3 else {"artifact_path": "model"}
    with mlflow.start_run() as run:
        mlflow.log_metric("acc", 0.9)
        info = mlflow.sklearn.log_model(
            fitted,
            **named,
            input_example=train_x[:2],
            registered_model_name="iris",
            pip_requirements=["scikit-learn"],
        )
    client.set_registered_model_alias("iris", "champion", "1")
    client.transition_model_version_stage("iris", "1", "Production")
    expected = fitted.predict(test_x).tolist()
    for uri in (
        "models:/iris@champion",
        "models:/iris/1",
        "models:/iris/Production",
        "models:/iris/latest",
        f"runs:/{run.info.run_id}/model",
        info.model_uri,
    ):
        assert mlflow.pyfunc.load_model(uri).predict(test_x).tolist() == expected, uri
    assert mlflow.sklearn.load_model("models:/iris@champion").predict(test_x).tolist() == expected
    again = mlflow.register_model(info.model_uri, "iris", tags={"again": "yes"})
    assert int(again.version) == 2
    assert client.get_model_version("iris", "2").run_id == run.info.run_id
    third = mlflow.register_model(f"runs:/{run.info.run_id}/model", "iris")
    assert int(third.version) == 3
    copy = client.copy_model_version("models:/iris/1", "iris-prod")
    assert mlflow.pyfunc.load_model(f"models:/iris-prod/{copy.version}").predict(test_x).tolist() == expected
    assert mlflow.models.get_model_info("models:/iris/1").signature is not None
    assert mlflow.models.Model.load("models:/iris/1").flavors


class Doubles(mlflow.pyfunc.PythonModel):
    """A model of a user's own."""

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        return model_input * 2


def own() -> None:
    named = {"name": "own"} if IS_3 else {"artifact_path": "own"}
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(
            **named, python_model=Doubles(), pip_requirements=[], input_example=pd.DataFrame({"a": [1.0]})
        )
    loaded = mlflow.pyfunc.load_model(info.model_uri)
    assert loaded.predict(pd.DataFrame({"a": [2.0]}))["a"].tolist() == [4.0]


def autologged() -> None:
    mlflow.sklearn.autolog(log_datasets=True)
    with mlflow.start_run() as run:
        RandomForestClassifier(n_estimators=5, random_state=0).fit(train_x, train_y).score(test_x, test_y)
    got = client.get_run(run.info.run_id)
    assert got.data.params["n_estimators"] == "5"
    assert "training_accuracy_score" in got.data.metrics or "training_score" in got.data.metrics, got.data.metrics
    assert len(got.inputs.dataset_inputs) >= 1
    with mlflow.start_run() as parent:
        GridSearchCV(LogisticRegression(max_iter=300), {"C": [0.1, 1.0]}, cv=2).fit(train_x, train_y)
    children = mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    assert len(children) == 2
    assert "best_cv_score" in client.get_run(parent.info.run_id).data.metrics
    mlflow.sklearn.autolog(disable=True)


def evaluated() -> None:
    data = test_x.assign(label=test_y)
    evaluate = mlflow.models.evaluate if hasattr(mlflow.models, "evaluate") else mlflow.evaluate
    with mlflow.start_run() as run:
        result = evaluate(
            "models:/iris@champion",
            data,
            targets="label",
            model_type="classifier",
            evaluators="default",
            evaluator_config={"log_explainer": False},
        )
    assert result.metrics["accuracy_score"] > 0.8
    metrics = client.get_run(run.info.run_id).data.metrics
    assert np.isclose(metrics["accuracy_score"], result.metrics["accuracy_score"])
    assert "confusion_matrix.png" in {one.path for one in client.list_artifacts(run.info.run_id)}


def of_three() -> None:
    models = mlflow.search_logged_models(output_format="list")
    assert {"model", "own"} <= {one.name for one in models}, models
    top = mlflow.search_logged_models(filter_string="metrics.acc > 0.5", output_format="list")
    assert [one.name for one in top] == ["model"]
    one = mlflow.initialize_logged_model("extern", params={"p": "1"}, tags={"t": "1"}, model_type="agent")
    assert one.status == "PENDING"
    mlflow.log_model_params({"q": "2"}, model_id=one.model_id)
    mlflow.set_logged_model_tags(one.model_id, {"u": "2"})
    mlflow.delete_logged_model_tag(one.model_id, "t")
    mlflow.finalize_logged_model(one.model_id, "READY")
    got = mlflow.get_logged_model(one.model_id)
    assert (got.status, got.tags["u"], "t" in got.tags, got.params) == ("READY", "2", False, {"p": "1", "q": "2"})
    with mlflow.start_run():
        mlflow.log_metric("f1", 0.7, model_id=one.model_id)
    assert [metric.value for metric in mlflow.get_logged_model(one.model_id).metrics] == [0.7]
    mlflow.set_active_model(name="active")
    assert mlflow.get_active_model_id()
    client.delete_logged_model(one.model_id)
    external = mlflow.create_external_model(name="outside", tags={"k": "v"})
    assert mlflow.get_logged_model(external.model_id).tags["k"] == "v"


logged()
own()
autologged()
evaluated()
if IS_3:
    of_three()
