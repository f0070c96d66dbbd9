"""Sessions written by hand: whole sessions of the R and the Java client, and the forms of a request."""

import json
from typing import Any

from tests.differential.peers import Step

M = "2.0/mlflow/"
A = "2.0/mlflow-artifacts/artifacts"


def post(path: str, **body: Any) -> Step:
    """A POST as the Python client sends it."""
    return Step(path=M + path, body=body)


def get(path: str, *query: tuple[str, str]) -> Step:
    """A GET with its arguments in the query."""
    return Step(method="GET", path=M + path, query=query)


def raw(path: str, text: str, **more: Any) -> Step:
    """A POST whose body is this text."""
    return Step(path=M + path, raw=text, **more)


def java(path: str, **body: Any) -> Step:
    """A POST as the Java client prints it: protobuf's JSON, escaped as for HTML, on several lines."""
    text = json.dumps(body, indent=2)
    return raw(
        path, text.replace("'", "\\u0027").replace("=", "\\u003d"), content_type="application/json; charset=UTF-8"
    )


def r_client(name: str) -> list[Step]:
    """`mlflow_create_experiment` … `mlflow_end_run` in R: every scalar a string, a run named twice."""
    run: dict[str, Any] = {"run_id": "<run:0>", "run_uuid": "<run:0>"}
    query = (("run_uuid", "<run:0>"), ("run_id", "<run:0>"))
    tag = {"key": "mlflow.source.type", "value": "LOCAL"}
    return [
        post("experiments/create", name=name, tags=[{"key": "team", "value": "r"}]),
        get("experiments/get-by-name", ("experiment_name", name)),
        get("experiments/get", ("experiment_id", "<exp:0>")),
        post("runs/create", experiment_id="<exp:0>", user_id="ana", start_time="1.7e+12", tags=[tag]),
        post("runs/log-parameter", **run, key="alpha", value="0.5"),
        post("runs/log-metric", **run, key="rmse", value="1e+05", timestamp="1.7e+12", step="1e+05"),
        post("runs/log-metric", **run, key="rmse", value="NaN", timestamp="1700000000001", step="100001"),
        post("runs/log-metric", **run, key="rmse", value="-Infinity", timestamp="1700000000002", step="100002"),
        post("runs/set-tag", **run, key="mlflow.note.content", value="from R"),
        post(
            "runs/log-batch",
            **run,
            metrics=[{"key": "auc", "value": "0.9", "timestamp": "1.7e+12", "step": "0"}],
            params=[{"key": "depth", "value": "3"}],
            tags=[{"key": "kind", "value": "test"}],
        ),
        get("metrics/get-history", *query, ("metric_key", "rmse"), ("max_results", "25000")),
        get("runs/get", *query),
        get("artifacts/list", *query),
        post("runs/search", experiment_ids=["<exp:0>"], filter="metrics.auc > 0.5", run_view_type="ACTIVE_ONLY"),
        post("experiments/search", max_results="1000", filter=f"name = '{name}'", view_type="ALL"),
        post("runs/update", **run, status="FINISHED", end_time="1700000009000"),
        post("runs/delete-tag", **run, key="kind"),
        post("runs/delete", run_id="<run:0>"),
        post("runs/restore", run_id="<run:0>"),
        post("registered-models/create", name=name, description="by R"),
        post("model-versions/create", name=name, source="s3://bucket/r", run_id="<run:0>"),
        get("registered-models/get", ("name", name)),
        get("registered-models/get-latest-versions", ("name", name), ("stages", "None")),
        get("registered-models/get-latest-versions", ("name", name)),
        post("registered-models/search", filter=f"name = '{name}'", max_results="100"),
        Step(method="PATCH", path=M + "model-versions/update", body={"name": name, "version": "1", "description": "d"}),
        post(
            "model-versions/transition-stage",
            name=name,
            version="1",
            stage="Staging",
            archive_existing_versions="FALSE",
        ),
        Step(method="DELETE", path=M + "model-versions/delete", body={"name": name, "version": "1"}),
        Step(method="DELETE", path=M + "registered-models/delete", body={"name": name}),
        post("experiments/delete", experiment_id="<exp:0>"),
        post("experiments/restore", experiment_id="<exp:0>"),
    ]


def java_client(name: str) -> list[Step]:
    """`MlflowClient` of Java: int64 as strings, int32 and doubles as numbers, `stages` repeated in a query."""
    return [
        java("experiments/create", name=name),
        java("experiments/search", max_results="1000", view_type="ACTIVE_ONLY", filter=f"name = '{name}'"),
        get("experiments/get-by-name", ("experiment_name", name)),
        java(
            "runs/create",
            experiment_id="<exp:0>",
            start_time="1700000000000",
            tags=[{"key": "mlflow.runName", "value": "java 'run'"}, {"key": "mlflow.source.type", "value": "LOCAL"}],
        ),
        java("runs/log-parameter", run_uuid="<run:0>", run_id="<run:0>", key="alpha", value="a=b & 'c'"),
        java(
            "runs/log-metric",
            run_uuid="<run:0>",
            run_id="<run:0>",
            key="loss",
            value=0.25,
            timestamp="1700000000001",
            step="3",
        ),
        java("runs/log-metric", run_id="<run:0>", key="loss", value="NaN", timestamp="1700000000002", step="4"),
        java(
            "runs/log-batch",
            run_id="<run:0>",
            metrics=[{"key": "m", "value": "Infinity", "timestamp": "1700000000003", "step": "0"}],
            params=[{"key": "p", "value": "1"}],
            tags=[{"key": "t", "value": "<b>"}],
        ),
        java("runs/search", experiment_ids=["<exp:0>"], filter="", run_view_type="ACTIVE_ONLY", max_results=1000),
        java("runs/search", experiment_ids=["<exp:0>"], filter="params.p = '1'", order_by=["metrics.m DESC"]),
        get("metrics/get-history", ("run_uuid", "<run:0>"), ("run_id", "<run:0>"), ("metric_key", "loss")),
        get("runs/get", ("run_uuid", "<run:0>"), ("run_id", "<run:0>")),
        get("artifacts/list", ("run_id", "<run:0>"), ("path", "model")),
        java("runs/update", run_uuid="<run:0>", run_id="<run:0>", status="FINISHED", end_time="1700000009000"),
        java("registered-models/create", name=name),
        java("model-versions/create", name=name, source="s3://bucket/java", run_id="<run:0>"),
        java("model-versions/create", name=name, source="s3://bucket/java2", runId="<run:0>"),
        get("registered-models/get-latest-versions", ("name", name), ("stages", "None"), ("stages", "Production")),
        get("model-versions/get", ("name", name), ("version", "2")),
        get("model-versions/get-download-uri", ("name", name), ("version", "1")),
        get(
            "model-versions/search",
            ("filter", f"name = '{name}'"),
            ("max_results", "1000"),
            ("order_by", "version_number DESC"),
        ),
        java("model-versions/transition-stage", name=name, version="1", stage="Production"),
        java("experiments/set-experiment-tag", experiment_id="<exp:0>", key="k", value="v"),
        java("experiments/update", experiment_id="<exp:0>", new_name=f"{name} renamed"),
        java("runs/set-tag", run_id="<run:0>", key="mlflow.runName", value="renamed"),
        java("runs/delete", run_id="<run:0>"),
        java("experiments/delete", experiment_id="<exp:0>"),
    ]


def forms(name: str) -> list[Step]:
    """The forms that a request may have, and what is no request."""
    ask = json.dumps({"name": name})
    stepless = '{"run_id": "<run:0>", "key": "m", "value": %s, "timestamp": 1}'
    return [
        raw("experiments/create", json.dumps(ask)),  # a string that holds JSON, from very old clients
        raw("runs/create", '{"experimentId": "<exp:0>", "start_time": 1, "user_id": null, "unknown": {"a": [1]}}'),
        raw("runs/create", '{"experiment_id": "<exp:0>", "startTime": "2", "runName": "camel"}'),
        raw("runs/create", '{"experiment_id": "<exp:0>", "run_name": "a", "runName": "b"}'),
        raw("runs/get", "", method="GET"),
        Step(method="GET", path=M + "runs/get", body={"run_id": "<run:1>"}),
        get("runs/get", ("runId", "<run:1>")),
        get("runs/get", ("run_uuid", "<run:1>")),
        get("runs/get", ("run_id", "<run:1>"), ("unknown", "1")),
        raw("runs/search", ""),
        raw("runs/search", "not json"),
        raw("runs/search", "{"),
        raw("runs/search", "null"),
        raw("runs/search", '{"experiment_ids": ["<exp:0>"]', content_type="text/plain"),
        raw("runs/search", "{}", content_type="application/json;charset=utf-8"),
        raw("runs/search", "{}", content_type="APPLICATION/JSON"),
        raw("runs/search", "{}", content_type="application/x-www-form-urlencoded"),
        raw("runs/search", "{}", content_type=None),
        *(
            raw("runs/log-metric", stepless % value)
            for value in ('"inf"', "1e999", "-0.0", '"1e5"', "12", "1e308", '""')
        ),
        raw("runs/log-metric", '{"run_id": "<run:1>", "key": "m", "value": 0, "timestamp": 0, "step": -3}'),
        raw("runs/log-metric", '{"run_id": "<run:1>", "key": "m", "value": 1.0, "timestamp": "1e3", "step": "2.0"}'),
        get("metrics/get-history", ("run_id", "<run:1>"), ("metric_key", "m")),
        get("metrics/get-history", ("run_id", "<run:1>"), ("metric_key", "m"), ("max_results", "1")),
        get("metrics/get-history", ("run_id", "<run:1>"), ("metric_key", "m"), ("page_token", "<page:0>")),
        get("metrics/get-history", ("run_id", "<run:1>"), ("metric_key", "m"), ("max_results", "0")),
        get("experiments/search", ("max_results", "2"), ("view_type", "ALL"), ("filter", f"name LIKE '{name}%'")),
        get("experiments/search", ("filter", f"name LIKE '{name}%'")),
        post("experiments/search", max_results=2, filter=f"name LIKE '{name}%'", view_type="3"),
        post("runs/search", experiment_ids=["<exp:0>"], max_results=1, order_by=["start_time DESC"]),
        post(
            "runs/search",
            experiment_ids=["<exp:0>"],
            max_results=1,
            order_by=["start_time DESC"],
            page_token="<page:1>",
        ),
        Step(method="PUT", path=M + "runs/create", body={"experiment_id": "0"}),
        Step(method="GET", path="2.0/preview/mlflow/experiments/get", query=(("experiment_id", "0"),)),
        Step(method="GET", path="2.0/mlflow/experiments/list"),
        Step(method="GET", path="2.0/mlflow/experiments/search/"),
        Step(method="DELETE", path=M + "registered-models/delete", query=(("name", "x"),)),
        Step(method="GET", prefix="/", path="health"),
    ]


def artifacts(name: str) -> list[Step]:
    """The proxy of artifacts, and the listing of a run's."""
    put = {"method": "PUT", "content_type": "application/octet-stream"}
    at = f"{A}/<exp:0>/<run:0>/artifacts"
    return [
        post("experiments/create", name=name),
        post("runs/create", experiment_id="<exp:0>", start_time=1),
        get("artifacts/list", ("run_id", "<run:0>")),
        Step(path=f"{at}/a.txt", raw="hello", **put),
        Step(path=f"{at}/d/b.json", raw="{}", **put),
        Step(path=f"{at}/d/é ü.bin", raw="x", **put),
        Step(path=f"{at}/d/empty", raw="", **put),
        Step(path=f"{at}/d/e/f/g.png", raw="x", **put),
        Step(path=f"{at}/a.txt", raw="again", **put),
        get("artifacts/list", ("run_id", "<run:0>")),
        get("artifacts/list", ("run_id", "<run:0>"), ("path", "d")),
        get("artifacts/list", ("run_id", "<run:0>"), ("path", "d/e")),
        get("artifacts/list", ("run_id", "<run:0>"), ("path", "a.txt")),
        get("artifacts/list", ("run_id", "<run:0>"), ("path", "nope")),
        get("artifacts/list", ("run_id", "<run:0>"), ("path", "../..")),
        get("artifacts/list", ("run_id", "<run:0>"), ("path", "/etc")),
        Step(method="GET", path=A, query=(("path", "<exp:0>/<run:0>/artifacts"),)),
        Step(method="GET", path=A, query=(("path", "<exp:0>/<run:0>/artifacts/d"),)),
        Step(method="GET", path=A, query=(("path", "<exp:0>/<run:0>/artifacts/a.txt"),)),
        Step(method="GET", path=A, query=(("path", "<exp:0>/none"),)),
        Step(method="GET", path=A, query=(("path", "../x"),)),
        Step(method="GET", path=f"{at}/a.txt"),
        Step(method="GET", path=f"{at}/d/b.json"),
        Step(method="GET", path=f"{at}/nope.txt"),
        Step(method="GET", path=f"{at}/%2e%2e/x"),
        Step(method="GET", path=f"{at}/d%2Fb.json"),
        Step(
            path=f"{A.replace('artifacts/artifacts', 'artifacts/mpu')}/create/<exp:0>/x",
            body={"path": "f", "num_parts": 2},
        ),
        Step(method="GET", path="2.0/mlflow-artifacts/presigned/<exp:0>/<run:0>/artifacts/a.txt"),
        Step(method="DELETE", path=f"{at}/d"),
        Step(method="DELETE", path=f"{at}/d"),
        get("artifacts/list", ("run_id", "<run:0>")),
        get("artifacts/list", ("run_id", "0" * 32)),
        get(
            "artifacts/list",
        ),
    ]


def limits(name: str) -> list[Step]:
    """Lengths and counts at their limits, and one above."""
    run = {"run_id": "<run:0>"}
    many = [{"key": f"m{number}", "value": 1.0, "timestamp": 1, "step": 0} for number in range(1001)]
    pairs = [{"key": f"p{number}", "value": "v"} for number in range(101)]
    return [
        post("experiments/create", name=name),
        post("runs/create", experiment_id="<exp:0>", start_time=1),
        *(post("runs/log-metric", **run, key="k" * n, value=1, timestamp=1) for n in (250, 251)),
        *(post("runs/log-parameter", **run, key="k" * n, value="v") for n in (250, 251)),
        *(post("runs/set-tag", **run, key="k" * n, value="v") for n in (250, 251)),
        *(post("runs/log-parameter", **run, key=f"v{n}", value="x" * n) for n in (6000, 6001, 7000)),
        post("runs/log-parameter", **run, key="v7000", value="x" * 6500),
        *(post("runs/set-tag", **run, key=f"t{n}", value="x" * n) for n in (8000, 8001)),
        *(
            post("experiments/set-experiment-tag", experiment_id="<exp:0>", key="e", value="x" * n)
            for n in (20000, 20001)
        ),
        *(post("experiments/set-experiment-tag", experiment_id="<exp:0>", key="k" * n, value="x") for n in (250, 251)),
        *(post("experiments/create", name=name + "n" * (n - len(name))) for n in (500, 501)),
        post("runs/log-batch", **run, metrics=many[:1000]),
        post("runs/log-batch", **run, metrics=many),
        post("runs/log-batch", **run, params=pairs[:100]),
        post("runs/log-batch", **run, params=pairs),
        post("runs/log-batch", **run, tags=pairs),
        post("runs/log-batch", **run, metrics=many[:950], params=pairs[:51]),
        post("runs/log-batch", **run, params=[pairs[0], pairs[0]]),
        post("runs/log-batch", **run, params=[{"key": "p0", "value": "other"}, {"key": "p1", "value": "other"}]),
        post("runs/log-batch", **run, tags=[{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]),
        post("runs/log-batch", **run, metrics=[many[0], many[0]]),
        post("runs/log-batch", **run, metrics=[{"key": "a", "value": 1.0}]),
        post("runs/log-batch", **run, metrics=[{"value": 1.0, "timestamp": 1}]),
        post("runs/log-batch", **run, params=[{"value": "1"}]),
        post("runs/log-batch", **run, tags=[{"key": ""}]),
        post("runs/log-batch", run_id="a b"),
        post("runs/log-batch"),
        post("runs/log-metric", **run, key="m", value=1, timestamp=-1),
        post("runs/log-metric", **run, key="m", value=1, timestamp=2**63 - 1, step=-(2**63)),
        post("runs/search", experiment_ids=["<exp:0>"], max_results=50000),
        post("runs/search", experiment_ids=["<exp:0>"], max_results=50001),
        post("runs/search", experiment_ids=["<exp:0>"], max_results=0),
        post("runs/search", experiment_ids=[]),
        post("runs/search", experiment_ids=["abc"]),
        get("runs/get", ("run_id", "<run:0>")),
        post("experiments/search", max_results=50001),
        post("experiments/search", max_results=0),
        post("experiments/search"),
        get("registered-models/search", ("max_results", "1001")),
        get("model-versions/search", ("max_results", "200001")),
        get("model-versions/search", ("max_results", "0")),
    ]


def life(name: str) -> list[Step]:
    """What may be done to deleted runs and experiments."""
    run, exp = {"run_id": "<run:0>"}, {"experiment_id": "<exp:0>"}
    tag = {"key": "k", "value": "v"}
    writes = [
        post("runs/set-tag", **run, **tag),
        post("runs/log-parameter", **run, key="p", value="1"),
        post("runs/log-metric", **run, key="m", value=1, timestamp=1),
        post("runs/log-batch", **run),
        post("runs/log-inputs", **run, datasets=[]),
        post("runs/outputs", **run, models=[]),
        post("runs/delete-tag", **run, key="k"),
        post("runs/update", **run, status="FINISHED"),
        get("runs/get", ("run_id", "<run:0>")),
        get("metrics/get-history", ("run_id", "<run:0>"), ("metric_key", "m")),
        post("runs/search", experiment_ids=["<exp:0>"]),
        post("runs/search", experiment_ids=["<exp:0>"], run_view_type="DELETED_ONLY"),
        post("experiments/set-experiment-tag", **exp, **tag),
        post("experiments/delete-experiment-tag", **exp, key="k"),
        post("experiments/update", **exp, new_name=f"{name} new"),
        post("runs/create", **exp, start_time=2),
        post("logged-models", **exp, name="lm"),
    ]
    return [
        post("experiments/create", name=name),
        post("runs/create", **exp, start_time=1),
        *writes,
        post("runs/delete", **run),
        post("runs/delete", **run),
        *writes[:12],
        post("runs/restore", **run),
        post("runs/restore", **run),
        post("experiments/delete", **exp),
        post("experiments/delete", **exp),
        *writes,
        get("experiments/get", ("experiment_id", "<exp:0>")),
        get("experiments/get-by-name", ("experiment_name", f"{name} new")),
        post("experiments/create", name=f"{name} new"),
        post("runs/restore", **run),
        *writes[:9],
        post("experiments/restore", **exp),
        post("experiments/restore", **exp),
        *writes,
    ]


def addresses(name: str) -> list[Step]:
    """Artifact locations and sources of versions, also malformed and climbing ones."""
    asked = [
        "s3://[b/x",
        "s3:b",
        "s3://b",
        "s3://b//x",
        "s3://b/./x",
        "file:x?a=1",
        "file:///a/../b",
        "mlflow-artifacts:x",
    ]
    asked += [
        "/a/../b",
        "./x",
        "../x",
        "a//b",
        "a%20b",
        "s3://b/x?a=1#",
        "s3://b/%2e%2e/x",
        "x?y=..",
        "x;y/z",
        "s3://b/x;y",
    ]
    asked += ["hdfs:/x", "mlflow-artifacts://h/x", "runs:/x", "models://x/1", "models:///x/1", "ftp://h/" + "x" * 2048]
    steps = [post("registered-models/create", name=name)]
    for number, address in enumerate(asked):
        steps.append(post("experiments/create", name=f"{name}{number}", artifact_location=address))
        steps.append(get("experiments/get-by-name", ("experiment_name", f"{name}{number}")))
        steps.append(post("model-versions/create", name=name, source=address))
    prompt = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    steps.append(post("registered-models/create", name=f"{name}-p", tags=prompt))
    sources = ("s3://b/x", "dummy-source", "prompt-template")
    return steps + [post("model-versions/create", name=f"{name}-p", source=one, tags=prompt) for one in sources]


def halves(name: str) -> list[Step]:
    """Requests of which a half is missing, spelt otherwise or of another kind."""
    at = {"run_id": "<run:0>", "key": "m", "value": 1.0, "timestamp": 1}
    long = {"run_id": "<run:0>", "key": "p", "value": "x" * 7000}
    lm, models = {"experiment_ids": ["<exp:0>"]}, "logged-models/search"
    params = {"model_id": "<lm:0>", "params": [{"key": "a", "value": "b"}]}
    return [
        post("experiments/create", name=name),
        post("runs/create", experiment_id="<exp:0>", start_time=1),
        post("logged-models", experiment_id="<exp:0>", name="lm"),
        post("runs/log-metric", **at, dataset_name="a"),
        post("runs/log-metric", **(at | {"timestamp": -1, "dataset_digest": "a"})),
        post("runs/log-metric", **(at | {"timestamp": ""})),
        post(
            "runs/log-batch", run_id="<run:0>", metrics=[{"key": "m", "value": 1, "timestamp": 1, "dataset_name": "a"}]
        ),
        post("runs/log-metric", **at, dataset_name="a", dataset_digest="d", model_id="<lm:0>"),
        post("runs/log-parameter", **(long | {"value": "1"})),
        post("runs/log-parameter", **long),
        post("runs/update", run_id="<run:0>", status=["a"]),
        *(post("logged-models/<lm:0>/params", **params) for _ in range(2)),
        get("logged-models/<lm:0>"),
        *(post(models, **one) for one in ({"experimentIds": ["<exp:0>"]}, {**lm, "datasets": [{"datasetName": "a"}]})),
        *(post(models, **lm, datasets=[one]) for one in ({}, {"dataset_digest": "d"}, {"dataset_name": "a"})),
        post(models, **lm, order_by=[{"fieldName": "name"}]),
        Step(path=f"{M}experiments/search-datasets", prefix="/ajax-api/", body={}),
        Step(path=f"{M}experiments/search-datasets", prefix="/ajax-api/", body={"experiment_ids": ["1"] * 21}),
        Step(path=f"{M}upload-artifact", prefix="/ajax-api/", raw="x", content_type="text/plain"),
        Step(path="2.0/mlflow-artifacts/mpu/create/0/a", body={}),
        Step(path="2.0/mlflow-artifacts/mpu/abort/0/a", body={}),
    ]


def webhooks(name: str) -> list[Step]:
    """What a webhook may be, and the life of one that nobody is called by."""
    at, event = f"{M}webhooks", {"entity": "REGISTERED_MODEL", "action": "CREATED"}
    good = {"name": f"{name}-1", "url": "https://1.1.1.1/x", "events": [event], "status": "DISABLED"}
    odd: list[dict[str, Any]] = [
        {"url": ""},
        {"url": "  "},
        {"url": "http://1.1.1.1"},
        {"url": "https://"},
        {"url": "x"},
    ]
    odd += [{"events": []}, {"events": [{**event, "action": "SET"}]}, {"events": ["x"]}, {"name": "a b"}, {"name": ""}]
    odd += [{"name": "w" * 64}, {"name": 5}, {"url": "https://127.0.0.1/x"}]
    one = f"{at}/<wh:{len(odd)}>"
    changes: list[dict[str, Any]] = [{}, {"name": "n2"}, {"events": []}, {"url": "http://x"}, {"name": "a b"}]
    return [
        *(Step(path=at, body={**good, **change}) for change in odd),
        Step(path=at, body=good | {"description": "d", "secret": "s"}),
        *(Step(method="PATCH", path=one, body=change) for change in [*changes, {"description": ""}]),
        Step(method="GET", path=one),
        *(Step(method="GET", path=at, query=(("max_results", size),)) for size in ("1001", "-1")),
        Step(method="DELETE", path=one),
        *(Step(method=method, path=one) for method in ("GET", "DELETE")),
    ]


LISTED = {
    "r": r_client,
    "java": java_client,
    "forms": forms,
    "artifacts": artifacts,
    "limits": limits,
    "life": life,
    "addresses": addresses,
    "halves": halves,
    "webhooks": webhooks,
}
