"""Autologging of XGBoost and LightGBM, and Optuna's loop with nested runs."""

import importlib.util
import sys

import lightgbm
import mlflow
import optuna
import xgboost
from mlflow import MlflowClient
from sklearn.datasets import load_breast_cancer

mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient()
experiment = mlflow.set_experiment("flows of boosting").experiment_id
x, y = load_breast_cancer(return_X_y=True, as_frame=True)
x.columns = [name.replace(" ", "_") for name in x.columns]


def of_xgboost() -> None:
    mlflow.xgboost.autolog()
    with mlflow.start_run() as run:
        data = xgboost.DMatrix(x, label=y)
        xgboost.train(
            {"objective": "binary:logistic", "nthread": 1, "eval_metric": "logloss"}, data, 5, evals=[(data, "train")]
        )
    mlflow.xgboost.autolog(disable=True)
    got = client.get_run(run.info.run_id)
    assert got.data.params["num_boost_round"] == "5"
    assert len(client.get_metric_history(run.info.run_id, "train-logloss")) == 5
    assert "feature_importance_weight.json" in {one.path for one in client.list_artifacts(run.info.run_id)}
    model = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    assert len(model.predict(x[:3])) == 3


def of_lightgbm() -> None:
    mlflow.lightgbm.autolog()
    with mlflow.start_run() as run:
        data = lightgbm.Dataset(x, label=y)
        lightgbm.train(
            {"objective": "binary", "verbosity": -1, "num_threads": 1},
            data,
            5,
            valid_sets=[data],
            valid_names=["train"],
        )
    mlflow.lightgbm.autolog(disable=True)
    got = client.get_run(run.info.run_id)
    assert got.data.params["num_boost_round"] == "5"
    assert len(client.get_metric_history(run.info.run_id, "train-binary_logloss")) == 5
    assert len(mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model").predict(x[:3])) == 3


def of_optuna() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def objective(trial: optuna.Trial) -> float:
        value = trial.suggest_float("x", -1, 1)
        with mlflow.start_run(run_name=str(trial.number), nested=True):
            mlflow.log_params(trial.params)
            mlflow.log_metric("value", value**2)
            mlflow.set_tags({"direction": "MINIMIZE", "state": "COMPLETE"})
        return float(value**2)

    with mlflow.start_run() as parent:
        study = optuna.create_study(study_name="a study", sampler=optuna.samplers.RandomSampler(seed=0))
        study.optimize(objective, n_trials=5)
        mlflow.log_metric("best", study.best_value)
    found = mlflow.search_runs(
        [experiment],
        f"tags.mlflow.parentRunId = '{parent.info.run_id}' AND tags.state = 'COMPLETE'",
        order_by=["metrics.value ASC"],
    )
    assert len(found) == 5
    assert found["metrics.value"][0] == study.best_value


def of_optunas_callback() -> None:
    from optuna_integration.mlflow import MLflowCallback

    callback = MLflowCallback(tracking_uri=sys.argv[1], metric_name="score", tag_study_user_attrs=True)

    @callback.track_in_mlflow()  # type: ignore[untyped-decorator]
    def objective(trial: optuna.Trial) -> float:
        value = trial.suggest_float("x", -1, 1)
        mlflow.log_text(str(value), "x.txt")
        mlflow.log_metric("seen", value, step=trial.number)
        return float(value**2)

    study = optuna.create_study(study_name="followed", sampler=optuna.samplers.RandomSampler(seed=0))
    study.set_user_attr("team", "a")
    study.optimize(objective, n_trials=5, callbacks=[callback])
    found = mlflow.search_runs(
        experiment_names=["followed"], filter_string="tags.direction = 'MINIMIZE'", order_by=["metrics.score ASC"]
    )
    assert len(found) == 5
    best = found.iloc[0]
    assert (best["metrics.score"], float(best["params.x"])) == (study.best_value, study.best_params["x"])
    assert (best["tags.team"], best["tags.mlflow.runName"]) == ("a", str(study.best_trial.number))
    assert mlflow.artifacts.load_text(f"runs:/{best['run_id']}/x.txt") == str(study.best_params["x"])
    assert "x_distribution" in " ".join(found.columns)


of_xgboost()
of_lightgbm()
of_optuna()
if importlib.util.find_spec("optuna_integration") is not None:
    of_optunas_callback()
