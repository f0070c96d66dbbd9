"""Endpoints as people handle them: make one, deploy to it, ask it, tell it the truth, replay what it said.

create_endpoint(client, "jobs", "people")
deployed = deploy(client, "jobs", 2)
answer = predict("http://127.0.0.1:5001", "jobs", {"age": [30]}, key="household-7")
label(client, "jobs", {answer.request_id: [1]})
wait_rollout(client, deployed.rollout.id, print)
"""

import os
import secrets
import struct
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import urllib3

from airside.client.sdk.models import load_model
from airside.client.transport import Client
from airside.core.errors import Conflict, DeadlineExceeded, Invalid, Unavailable, from_wire
from airside.core.ids import EndpointName, ModelName, RolloutId
from airside.core.record import Record
from airside.serving import rules
from airside.serving.operations.deliveries import CompleteDelivery
from airside.serving.operations.endpoints import CreateEndpoint, Deploy, Deployed
from airside.serving.operations.predictions import (
    MAX_BATCHES,
    GetPrediction,
    Labelled,
    LabelPredictions,
    LabelsOfRequest,
)
from airside.serving.operations.rollouts import GetRollout
from airside.serving.records import (
    Delivery,
    Endpoint,
    Label,
    LoggedPrediction,
    Rollout,
    RolloutPlan,
    ServingTransform,
)

TIMEOUT_S = 60.0
_pool = urllib3.PoolManager(retries=False, timeout=TIMEOUT_S, maxsize=8)


class Predicted(Record):
    """An answer of an endpoint.

    Attributes:
        predictions: one for each row; what `method` asked for.
        request_id: ground truth is told by it.
        prediction_id: the answer's place in the log.
        role: who answered: `champion` or `canary`.
    """

    predictions: list[Any]
    request_id: str
    prediction_id: str
    version: int
    role: str


class Replay(Record):
    """A logged prediction computed again.

    Attributes:
        is_identical: whether every label and every probability has the same bits.
        differing_rows: the rows that differ, from 0; at most ten.
    """

    prediction_id: str
    model: str
    version: int
    rows: int
    is_identical: bool
    differing_rows: tuple[int, ...] = ()


def create_endpoint(client: Client, name: str, model: str, *, plan: RolloutPlan | None = None) -> Endpoint:
    """Make an endpoint of a registered model.

    Raises:
        AlreadyExists: the name is taken. NotFound: there is no such model. Invalid: the name or plan is not allowed.
    """
    return client.call(
        CreateEndpoint(
            name=EndpointName(name), model=ModelName(model), plan=plan if plan is not None else RolloutPlan()
        )
    )


def deploy(
    client: Client,
    endpoint: str,
    version: int,
    *,
    plan: RolloutPlan | None = None,
    transform: ServingTransform | None = None,
    direct: bool = False,
) -> Deployed:
    """Start the rollout of a version, or switch to it at once.

    Raises:
        Conflict: a rollout is under way, or a verdict is missing. NotFound: there is no such endpoint or version.
    """
    ask = Deploy(endpoint=EndpointName(endpoint), version=version, plan=plan, transform=transform, direct=direct)
    return client.call(ask)


def predict(
    serving_url: str,
    endpoint: str,
    rows: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]],
    *,
    method: str = "predict",
    delivery: str = "",
    key: str = "",
) -> Predicted:
    """Ask an endpoint, with the token of `$AIRSIDE_TOKEN` where there is one.

    Args:
        serving_url: where the serving process answers.
        endpoint: its name.
        rows: lists by column, or one mapping for each row.
        method: `predict`, `predict_proba` or `decision_function`.
        delivery: the delivery that the rows belong to.
        key: who asks; the same key gets the same version for as long as the weights only grow.

    Raises:
        Invalid: the rows do not fit the model. NotFound: there is no such endpoint.
        Unavailable: nobody answers. Overloaded: too much waits.
    """
    headers = {"Content-Type": "application/json", "X-Airside-Request-Id": secrets.token_hex(16)}
    headers |= {"X-Airside-Delivery": delivery} if delivery else {}
    headers |= {"X-Airside-Key": key} if key else {}
    if token := os.environ.get("AIRSIDE_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    body = msgspec.json.encode({**_form(rows), "params": {"predict_method": method}})
    url = f"{serving_url.rstrip('/')}/endpoints/{endpoint}/invocations"
    answer = _post(url, body, headers)
    if answer.status != 200:
        raise _error(answer)
    return Predicted(
        predictions=msgspec.json.decode(answer.data)["predictions"],
        request_id=answer.headers["X-Airside-Request-Id"],
        prediction_id=answer.headers["X-Airside-Prediction-Id"],
        version=int(answer.headers["X-Airside-Version"]),
        role=answer.headers["X-Airside-Role"],
    )


def label(client: Client, endpoint: str, truth: Mapping[str, Sequence[Label]]) -> Labelled:
    """Tell the truth of answered requests, by request id, in any number.

    Raises:
        Conflict: a request was labelled otherwise before. Invalid: the number of labels is not that of the rows.
    """
    items = [LabelsOfRequest(request_id=request, labels=tuple(labels)) for request, labels in truth.items()]
    done = [
        client.call(LabelPredictions(endpoint=EndpointName(endpoint), items=tuple(items[at : at + MAX_BATCHES])))
        for at in range(0, len(items), MAX_BATCHES)
    ]
    return Labelled(
        requests=sum(each.requests for each in done),
        rows=sum(each.rows for each in done),
        right=sum(each.right for each in done),
        waiting=sum(each.waiting for each in done),
    )


def complete_delivery(
    client: Client, endpoint: str, name: str, *, rows: int | None = None, patience_s: float = 10.0
) -> Delivery:
    """Say that a delivery is complete, waiting for its rows to reach the log.

    Raises:
        Unavailable: rows are missing still. NotFound: the log has none of them.
    """
    until = time.monotonic() + patience_s
    while True:
        try:
            return client.call(CompleteDelivery(endpoint=EndpointName(endpoint), name=name, rows=rows))
        except Unavailable:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def wait_rollout(
    client: Client, rollout_id: str, on_progress: Callable[[Rollout], None] | None = None, *, patience_s: float = 600.0
) -> Rollout:
    """Wait for the end of a rollout, or for its pause. `on_progress` is called at each new decision or reason.

    Raises:
        DeadlineExceeded: it is still under way.
    """
    until = time.monotonic() + patience_s
    last: tuple[str, int, str] | None = None
    while True:
        rollout = client.call(GetRollout(id=RolloutId(rollout_id)))
        now = (rollout.state, rollout.step, rollout.reason)
        if now != last and on_progress is not None:
            on_progress(rollout)
        last = now
        if rollout.state in {"promoted", "rolled_back", "paused"}:
            return rollout
        if time.monotonic() > until:
            raise DeadlineExceeded(f"Rollout {rollout_id} is still in the state '{rollout.state}': {rollout.reason}")
        time.sleep(0.1)


def replay(client: Client, prediction_id: str) -> Replay:
    """Compute a logged prediction again from the registered model, and compare bit for bit.

    Args:
        client: the control plane.
        prediction_id: a request `p-…`, or one row of it, `p-….17`.

    Raises:
        NotFound: it is not in the log. Conflict: it failed, so there is nothing to compare.
        Invalid: the version has no compiled form, or its files are not those registered.
    """
    logged = client.call(GetPrediction(id=prediction_id))
    batch = logged.batch
    if batch.error:
        raise Conflict(f"Prediction {prediction_id} failed ({batch.error}), so there is no answer to compare with.")
    columns = logged.columns.inputs
    fed = rules.apply_transform(batch.transform, columns) if batch.transform is not None else columns
    with tempfile.TemporaryDirectory(prefix="airside-replay-") as folder:
        model = load_model(client, f"{batch.model}@{batch.version}", folder=Path(folder))
        found = model.predict({name: list(values) for name, values in fed.items()})
    differing = _differing(logged, found.labels, found.probabilities or [])
    return Replay(
        prediction_id=prediction_id,
        model=batch.model,
        version=batch.version,
        rows=len(logged.columns.labels),
        is_identical=not differing,
        differing_rows=tuple(differing[:10]),
    )


def _differing(logged: LoggedPrediction, labels: list[Any], probabilities: list[list[float]]) -> list[int]:
    known = logged.columns
    if len(labels) != len(known.labels) or len(probabilities) != len(known.probabilities):
        return list(range(max(len(labels), len(known.labels))))
    differing = [
        row for row, both in enumerate(zip(labels, known.labels, strict=True)) if _bits(both[0]) != _bits(both[1])
    ]
    for row, both in enumerate(zip(probabilities, known.probabilities, strict=True)):
        if [_bits(value) for value in both[0]] != [_bits(value) for value in both[1]]:
            differing.append(row)
    return sorted(set(differing))


def _bits(value: Any) -> object:
    """What has to be the same for two values to be the same to the last bit.

    >>> _bits(0.1 + 0.2) == _bits(0.3), _bits(1) == _bits(1)
    (False, True)
    """
    return struct.pack("<d", value) if isinstance(value, float) else (type(value).__name__, value)


def _post(url: str, body: bytes, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
    """Post; once more when a kept connection turns out to be closed, under the same request id."""
    try:
        return _pool.request("POST", url, body=body, headers=headers)
    except urllib3.exceptions.ProtocolError:
        pass  # the serving process was started again since the last request
    except urllib3.exceptions.HTTPError as error:
        raise _nobody(url, error) from error
    try:
        return _pool.request("POST", url, body=body, headers=headers)
    except urllib3.exceptions.HTTPError as error:
        raise _nobody(url, error) from error


def _nobody(url: str, error: Exception) -> Unavailable:
    return Unavailable(f"Nobody answers at {url[:200]} ({type(error).__name__}). Is the serving process up?")


def _form(rows: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not isinstance(rows, Mapping):
        return {"dataframe_records": list(rows)}
    lengths = {len(values) for values in rows.values()}
    if len(lengths) != 1:
        raise Invalid("The columns have unequal lengths. Each needs one value for each row.")
    return {"dataframe_split": {"columns": list(rows), "data": list(zip(*rows.values(), strict=True))}}


def _error(answer: urllib3.BaseHTTPResponse) -> Exception:
    try:
        told = msgspec.json.decode(answer.data)
        return from_wire(answer.status, told["error_code"], told["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return from_wire(answer.status, "", f"The serving process answered {answer.status}.")
