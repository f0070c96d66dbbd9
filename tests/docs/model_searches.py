"""Checks of the deviations in searches of logged models."""

from tests.docs.asking import BAD, Asking


def unknown_attribute(ask: Asking) -> None:
    assert ask.code("POST", "logged-models/search", experiment_ids=["0"], filter="attributes.nothing = 'x'") == BAD
    order = [{"field_name": "nothing"}]
    assert ask.code("POST", "logged-models/search", experiment_ids=["0"], order_by=order) == BAD


def dataset_alone(ask: Asking) -> None:
    run, model = ask.run(), logged_model(ask)
    point = {"run_id": run, "key": "auc", "value": 0.9, "timestamp": 1, "step": 0, "model_id": model}
    ask.made("runs/log-metric", **point, dataset_name="people", dataset_digest="d1")
    asked = {"experiment_ids": ["0"], "filter": "metrics.auc > 0.5", "datasets": [{"dataset_name": "people"}]}
    found = ask.made("logged-models/search", **asked)["models"]
    assert [one["info"]["model_id"] for one in found] == [model]


def status_like(ask: Asking) -> None:
    assert ask.code("POST", "logged-models/search", experiment_ids=["0"], filter="status LIKE 'R%'") == BAD


def unknown_status(ask: Asking) -> None:
    assert ask.code("POST", "logged-models/search", experiment_ids=["0"], filter="status = 'ready'") == BAD


def model_nan(ask: Asking) -> None:
    run, model = ask.run(), logged_model(ask)
    ask.made("runs/log-metric", run_id=run, key="m", value="NaN", timestamp=1, model_id=model)
    (metric,) = ask("GET", f"logged-models/{model}")[1]["model"]["data"]["metrics"]
    assert metric["value"] == "NaN"


def page_below_one(ask: Asking) -> None:
    assert ask.code("POST", "logged-models/search", experiment_ids=["0"], max_results=-1) == BAD


def models_by(ask: Asking, text: str) -> list[str]:
    found = ask.made("logged-models/search", experiment_ids=["0"], filter=text).get("models", [])
    return [one["info"]["model_id"] for one in found]


def known_status(ask: Asking) -> None:
    model = logged_model(ask)
    assert ask("PATCH", f"logged-models/{model}", model_id=model, status="LOGGED_MODEL_UPLOAD_FAILED")[0] == 200
    assert models_by(ask, "status = 'FAILED'") == [model]


def latest_point(ask: Asking) -> None:
    run, model = ask.run(), logged_model(ask)
    for step, value in enumerate((0.9, 0.1)):
        point = {"run_id": run, "key": "last", "value": value, "timestamp": 1, "step": step}
        ask.made("runs/log-metric", **point, model_id=model)
    assert (models_by(ask, "metrics.last > 0.5"), models_by(ask, "metrics.last < 0.5")) == ([], [model])


def double_quotes(ask: Asking) -> None:
    given = {"experiment_id": "0", "name": "quoted", "params": [{"key": "p", "value": "1"}]}
    model = ask.made("logged-models", **given)["model"]["info"]["model_id"]
    assert models_by(ask, 'name = "quoted"') == models_by(ask, "params.\"p\" = '1'") == [model]


def number_for_text(ask: Asking) -> None:
    assert ask.code("POST", "logged-models/search", experiment_ids=["0"], filter="name = 5") == BAD


def logged_model(ask: Asking) -> str:
    return str(ask.made("logged-models", experiment_id="0", name="m")["model"]["info"]["model_id"])
