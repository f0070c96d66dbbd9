"""Every field of every call with each value that it should not have, left out, and in the other spelling."""

import json
from collections.abc import Iterator
from typing import Any

from tests.differential.listed import M, post
from tests.differential.peers import Step

WRONG: tuple[Any, ...] = (
    *(None, "", 5, -1, 1.5, True, [], ["a"], [1], [None], [{}], {}, {"a": 1}, "abc", " ", "1", "1.0", "1e5"),
    *("NaN", 2**63, 10**30, "é" * 3, "TRUE", "0x1"),
)
RUN, EXPERIMENT, MODEL = "<run:0>", "<exp:0>", "<lm:0>"
TAGS = [{"key": "a", "value": "b"}]
DATASET = {"name": "n", "digest": "d", "source_type": "s", "source": "x"}
POINT = {"key": "m", "value": 1.0, "timestamp": 1, "step": 0}


def _calls(name: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    held, version = {"name": f"{name}-m"}, {"name": f"{name}-m", "version": "1"}
    yield "POST", "experiments/set-experiment-tag", {"experiment_id": EXPERIMENT, "key": "a", "value": "b"}
    yield "POST", "experiments/delete-experiment-tag", {"experiment_id": EXPERIMENT, "key": "zz"}
    yield "POST", "runs/create", {"experiment_id": EXPERIMENT, "user_id": "u", "run_name": "n", "tags": TAGS}
    yield "POST", "runs/update", {"run_id": RUN, "status": "RUNNING", "end_time": 5, "run_name": "n"}
    yield "POST", "runs/log-metric", {"run_id": RUN, **POINT, "model_id": "", "dataset_name": "", "dataset_digest": ""}
    yield "POST", "runs/set-tag", {"run_id": RUN, "key": "a", "value": "b"}
    yield "POST", "runs/delete-tag", {"run_id": RUN, "key": "zz"}
    yield "POST", "runs/log-batch", {"run_id": RUN, "metrics": [POINT], "tags": TAGS}
    given = {"datasets": [{"dataset": DATASET, "tags": TAGS}], "models": [{"model_id": MODEL}]}
    yield "POST", "runs/log-inputs", {"run_id": RUN, **given}
    yield "POST", "runs/outputs", {"run_id": RUN, "models": [{"model_id": MODEL, "step": 1}]}
    search = {"filter": "", "max_results": 2, "order_by": [], "page_token": ""}
    yield "POST", "runs/search", {"experiment_ids": [EXPERIMENT], **search, "run_view_type": "ALL"}
    yield "POST", "logged-models", {"experiment_id": EXPERIMENT, "name": "lm", "params": TAGS, "tags": TAGS}
    yield "PATCH", f"logged-models/{MODEL}", {"model_id": MODEL, "status": "LOGGED_MODEL_READY"}
    yield "PATCH", f"logged-models/{MODEL}/tags", {"tags": TAGS}
    order = [{"field_name": "name", "ascending": True, "dataset_name": "", "dataset_digest": ""}]
    wanted = {"datasets": [{"dataset_name": "n", "dataset_digest": "d"}], "order_by": order}
    yield "POST", "logged-models/search", {"experiment_ids": [EXPERIMENT], **search, **wanted}
    yield "PATCH", "registered-models/update", {**held, "description": "d"}
    yield "POST", "registered-models/set-tag", {**held, "key": "a", "value": "b"}
    yield "DELETE", "registered-models/delete-tag", {**held, "key": "zz"}
    yield "POST", "registered-models/get-latest-versions", {**held, "stages": ["None"]}
    yield "POST", "registered-models/alias", {**version, "alias": "al"}
    yield "DELETE", "registered-models/alias", {**held, "alias": "zz"}
    yield "PATCH", "model-versions/update", {**version, "description": "d"}
    stage = {"stage": "Staging", "archive_existing_versions": False}
    yield "POST", "model-versions/transition-stage", {**version, **stage}
    yield "POST", "model-versions/set-tag", {**version, "key": "a", "value": "b"}
    yield "DELETE", "model-versions/delete-tag", {**version, "key": "zz"}


def _varied(value: Any) -> Iterator[Any]:
    if isinstance(value, list) and value:
        for one in _varied(value[0]):
            yield [one]
        for odd in (None, 5, "x"):
            yield [value[0], odd]
    if not isinstance(value, dict):
        return
    for key, sent in value.items():
        rest = {name: other for name, other in value.items() if name != key}
        yield rest
        yield {**value, "unknown": 1}
        head, *more = key.split("_")
        camel = head + "".join(word.capitalize() for word in more)
        if camel != key:
            yield {**rest, camel: sent}
            yield {**value, camel: sent}
        for odd in (*WRONG, *_varied(sent)):
            yield {**rest, key: odd}


def session(name: str) -> list[Step]:
    """What is asked: first what the others need, then some thousands of requests that need nothing of each other."""
    steps = [
        post("experiments/create", name=name),
        post("runs/create", experiment_id=EXPERIMENT, start_time=1),
        post("logged-models", experiment_id=EXPERIMENT, name="lm"),
        post("registered-models/create", name=f"{name}-m"),
        post("model-versions/create", name=f"{name}-m", source="s3://bucket/m"),
    ]
    for method, path, body in sorted(_calls(name), key=lambda call: not call[1].endswith("search")):  # before they part
        bodies = {json.dumps(one, sort_keys=True): one for one in _varied(body)}
        steps += [Step(method=method, path=M + path, body=one) for one in bodies.values()]
    return steps
