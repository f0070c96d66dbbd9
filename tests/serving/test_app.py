import asyncio
import json
from typing import Any

import pytest
from tests.serving.asgi import Caller, FakeModel, MemorySpool, Reply, arm, play, table

from airside.inference.records import ColumnSpec, Signature
from airside.serving.process.app import ServingApp
from airside.serving.records import ServingTransform

ONE = {"dataframe_split": {"columns": ["x"], "data": [[1.5]]}}


def ask(method: str, path: str, body: object = b"", headers: dict[str, str] | None = None, **more: Any) -> Reply:
    async def scene(app: ServingApp, call: Caller, _spool: MemorySpool) -> Reply:
        app.table = more.get("table") or table(arm(FakeModel(), 3))
        return await call(method, path, body, headers)

    reply: Reply = play(scene)
    return reply


@pytest.mark.parametrize(
    "body",
    [
        ONE,
        {"dataframe_records": [{"x": 1.5}]},
        {"inputs": {"x": [1.5]}},
        {"instances": [{"x": 1.5}]},
    ],
)
@pytest.mark.parametrize("path", ["/endpoints/jobs/invocations", "/invocations", "/v1/models/jobs:predict"])
def test_mlflows_forms_are_answered_with_who_answered(path: str, body: object) -> None:
    reply = ask("POST", path, body)
    assert (reply.status, reply.json) == (200, {"predictions": [1]})
    assert (reply.headers["x-airside-version"], reply.headers["x-airside-role"]) == ("3", "champion")
    assert reply.headers["x-airside-prediction-id"].startswith("p-")
    assert len(reply.headers["x-airside-request-id"]) == 32


def test_open_inference_v2_is_answered_with_the_version() -> None:
    body = {"inputs": [{"name": "x", "shape": [2], "datatype": "FP64", "data": [1.0, -1.0]}]}
    reply = ask("POST", "/v2/models/jobs/infer", body)
    assert reply.status == 200
    assert (reply.json["model_name"], reply.json["model_version"]) == ("jobs", "3")
    assert reply.json["outputs"][0]["data"] == [1, 0]
    assert reply.json["id"] == reply.headers["x-airside-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "text"),
    [
        ("POST", "/endpoints/nobody/invocations", ONE, {}, 404, "No endpoint 'nobody'"),
        ("POST", "/endpoints/jobs/invocations", b"{", {}, 400, "not JSON"),
        ("POST", "/endpoints/jobs/invocations", {"inputs": {"y": [1]}}, {}, 400, "'x'"),
        ("POST", "/endpoints/jobs/invocations", ONE, {"content-type": "application/xml"}, 415, "media type"),
        ("POST", "/endpoints/jobs/invocations", ONE, {"host": "evil.example"}, 403, "Host"),
        ("POST", "/endpoints/jobs/invocations", ONE, {"origin": "http://evil.example"}, 403, "another site"),
        ("POST", "/endpoints/jobs/invocations", ONE, {"sec-fetch-site": "cross-site"}, 403, "another site"),
        ("POST", "/endpoints/jobs/invocations", ONE, {"transfer-encoding": "chunked"}, 400, "Transfer-Encoding"),
        ("POST", "/endpoints/jobs/invocations", ONE, {"content-length": "99999999"}, 413, "16 MiB"),
        ("POST", "/endpoints/jobs/invocations", ONE, {"x-airside-delivery": "a%0Ab"}, 400, "Delivery"),
        ("GET", "/endpoints/jobs/invocations", b"", {}, 405, "does not take GET"),
        ("GET", "/invocations", b"", {}, 405, "does not take GET"),
        ("GET", "/nowhere", b"", {}, 404, "Nothing is served"),
        ("POST", "/v2/models/jobs/infer", b"{}", {}, 400, "inputs"),
        ("POST", "/v2/models/jobs/versions/9/infer", b"{}", {}, 404, "It has: 3"),
        ("GET", "/v2/models/nobody", b"", {}, 404, "nobody"),
    ],
)
def test_every_refusal_is_json_of_ours(
    method: str, path: str, body: object, headers: dict[str, str], status: int, text: str
) -> None:
    reply = ask(method, path, body, headers)
    assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
    told = reply.json["error"] if path.startswith("/v2") else reply.json["message"]
    assert text in told


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ping", 200),
        ("/health", 200),
        ("/version", 200),
        ("/metrics", 200),
        ("/v2", 200),
        ("/v2/health/live", 200),
        ("/v2/health/ready", 200),
        ("/v2/models/jobs", 200),
        ("/v2/models/jobs/ready", 200),
        ("/v2/models/jobs/versions/3/ready", 200),
        ("/v2/models/jobs/config", 200),
        ("/v2/models/jobs/stats", 200),
        ("/v1/models", 200),
        ("/v1/models/jobs", 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_and_metadata_answer_get_and_head(method: str, path: str, status: int) -> None:
    reply = ask(method, path)
    assert reply.status == status
    assert (reply.body == b"") is (method == "HEAD")


def test_a_model_that_fails_answers_500_without_a_trace_and_is_logged() -> None:
    async def scene(app: ServingApp, call: Caller, spool: MemorySpool) -> tuple[Reply, MemorySpool]:
        app.table = table(arm(FakeModel(), 3))
        return await call("POST", "/invocations", {"inputs": {"x": [666]}}), spool

    reply, spool = play(scene)
    assert reply.status == 500
    assert b"secret" not in reply.body
    assert b".py" not in reply.body
    assert [(batch.error, batch.rows, batch.labels) for batch in spool.batches] == [("ModelFailed", 1, ())]


def test_one_bad_request_fails_alone_in_its_batch() -> None:
    async def scene(app: ServingApp, call: Caller, spool: MemorySpool) -> list[Reply]:
        app.table = table(arm(FakeModel(), 3, batches=True))
        bodies = [{"inputs": {"x": [666 if i % 7 == 3 else i - 10]}} for i in range(40)]
        return list(await asyncio.gather(*(call("POST", "/invocations", body) for body in bodies)))

    replies = play(scene)
    for i, reply in enumerate(replies):
        expected = (500, None) if i % 7 == 3 else (200, {"predictions": [int(i - 10 > 0)]})
        assert (reply.status, reply.json if reply.status == 200 else None) == expected


def test_requests_that_come_together_are_answered_together_each_with_its_own_rows() -> None:
    model = FakeModel()

    async def scene(app: ServingApp, call: Caller, spool: MemorySpool) -> list[Reply]:
        app.table = table(arm(model, 3, batches=True))
        bodies = [{"inputs": {"x": [i - 20] * (i % 5 + 1)}} for i in range(40)]
        return list(await asyncio.gather(*(call("POST", "/invocations", body) for body in bodies)))

    replies = play(scene)
    assert [reply.json["predictions"] for reply in replies] == [[int(i - 20 > 0)] * (i % 5 + 1) for i in range(40)]
    assert len(model.calls) < 20


def test_the_log_says_who_answered_what_and_for_which_delivery() -> None:
    async def scene(app: ServingApp, call: Caller, spool: MemorySpool) -> MemorySpool:
        app.table = table(arm(FakeModel(), 3), rollout="ro-1", phase="shadow")
        headers = {"x-airside-delivery": "may", "x-airside-request-id": "mine"}
        await call("POST", "/invocations", {"inputs": {"x": [1, -1]}}, headers)
        return spool

    (batch,) = play(scene).batches
    assert (batch.request_id, batch.delivery, batch.version, batch.role) == ("mine", "may", 3, "champion")
    assert (batch.rows, batch.labels, batch.rollout_id, batch.phase) == (2, (1, 0), "ro-1", "shadow")
    assert batch.latency_ms > 0


def test_the_shadow_answers_afterwards_and_is_paired_with_what_the_caller_got() -> None:
    async def scene(app: ServingApp, call: Caller, spool: MemorySpool) -> tuple[Reply, MemorySpool]:
        shadow = arm(FakeModel(add=7), 4, "shadow", 0)
        app.table = table(arm(FakeModel(), 3), shadow=shadow, rollout="ro-1", phase="shadow")
        return await call("POST", "/invocations", ONE), spool

    reply, spool = play(scene)
    seen, unseen = spool.batches
    assert reply.json == {"predictions": [1]}
    assert (unseen.role, unseen.version, unseen.labels, unseen.paired_id) == ("shadow", 4, (8,), seen.id)
    assert unseen.request_id == seen.request_id


def test_a_shadow_that_takes_other_columns_gets_them_from_the_request() -> None:
    wider = Signature(inputs=(ColumnSpec(name="x", type="double"), ColumnSpec(name="z", type="long")))
    model = FakeModel(signature=wider)

    async def scene(app: ServingApp, call: Caller, spool: MemorySpool) -> MemorySpool:
        app.table = table(arm(FakeModel(), 3), shadow=arm(model, 4, "shadow", 0), rollout="ro-1", phase="shadow")
        await call("POST", "/invocations", {"inputs": {"x": [1.0], "z": [7]}})
        await call("POST", "/invocations", {"inputs": {"x": [1.0]}})
        return spool

    shadows = [batch for batch in play(scene).batches if batch.role == "shadow"]
    assert model.names == [["x", "z"]]
    assert [batch.error[:16] for batch in shadows] == ["", "Invalid: The mod"]


def test_rows_that_the_model_refuses_are_the_callers_fault_and_are_not_counted() -> None:
    async def scene(app: ServingApp, call: Caller, spool: MemorySpool) -> tuple[Reply, MemorySpool]:
        app.table = table(arm(FakeModel(), 3))
        return await call("POST", "/invocations", {"inputs": {"x": [-404]}}), spool

    reply, spool = play(scene)
    assert (reply.status, spool.batches) == (400, [])


def test_a_key_gets_the_same_version_every_time_and_the_shares_hold() -> None:
    async def scene(app: ServingApp, call: Caller, spool: MemorySpool) -> list[str]:
        app.table = table(
            arm(FakeModel(), 3, weight=9_000), arm(FakeModel(), 4, "canary", 1_000), rollout="ro-1", phase="canary"
        )
        found = []
        for i in range(400):
            replies = [await call("POST", "/invocations", ONE, {"x-airside-key": f"k{i}"}) for _ in range(2)]
            assert replies[0].headers["x-airside-version"] == replies[1].headers["x-airside-version"]
            found.append(replies[0].headers["x-airside-role"])
        return found

    roles = play(scene)
    assert 15 < roles.count("canary") < 75


def test_a_declared_transform_changes_what_the_model_gets_and_not_what_is_logged() -> None:
    async def scene(app: ServingApp, call: Caller, spool: MemorySpool) -> tuple[Reply, MemorySpool]:
        app.table = table(arm(FakeModel(), 3, transform=ServingTransform(multiply={"x": -1}, note="injected")))
        return await call("POST", "/invocations", ONE), spool

    reply, spool = play(scene)
    (batch,) = spool.batches
    assert reply.json == {"predictions": [0]}
    assert spool.lines[0].columns == {"x": [1.5]}
    assert batch.transform is not None
    assert batch.transform.note == "injected"


def test_a_paused_or_empty_endpoint_says_so_and_may_be_tried_again() -> None:
    paused = ask("POST", "/invocations", ONE, table=table(arm(FakeModel(), 3), state="paused"))
    assert (paused.status, paused.headers["retry-after"]) == (503, "1")
    assert "is paused" in paused.json["message"]
    empty = ask("POST", "/invocations", ONE, table=table(state="empty"))
    assert "nothing was deployed" in empty.json["message"]


def test_a_full_log_pushes_back() -> None:
    async def scene(app: ServingApp, call: Caller, spool: MemorySpool) -> Reply:
        app.table = table(arm(FakeModel(), 3))
        spool.is_full = True
        return await call("POST", "/invocations", ONE)

    reply = play(scene)
    assert (reply.status, reply.headers["retry-after"]) == (429, "1")


def test_while_draining_it_is_not_ready_and_closes_connections_but_answers() -> None:
    async def scene(app: ServingApp, call: Caller, spool: MemorySpool) -> tuple[Reply, Reply]:
        app.table = table(arm(FakeModel(), 3))
        app.draining = True
        return await call("GET", "/health"), await call("POST", "/invocations", ONE)

    health, answer = play(scene)
    assert (health.status, health.json["state"]) == (503, "draining")
    assert (answer.status, answer.headers["connection"]) == (200, "close")


def test_before_the_first_routing_nothing_is_ready() -> None:
    async def scene(app: ServingApp, call: Caller, spool: MemorySpool) -> list[int]:
        return [(await call(*what)).status for what in (("GET", "/ping"), ("POST", "/invocations", ONE))]

    assert play(scene) == [503, 503]


def test_metrics_count_rows_by_version_and_role() -> None:
    async def scene(app: ServingApp, call: Caller, spool: MemorySpool) -> str:
        app.table = table(arm(FakeModel(), 3))
        await call("POST", "/invocations", {"inputs": {"x": [1, 2]}})
        return (await call("GET", "/metrics")).body.decode()

    text = play(scene)
    assert 'airside_serving_rows_total{endpoint="jobs",version="3",role="champion"} 2' in text
    assert 'airside_serving_seconds_count{endpoint="jobs",version="3",role="champion"} 1' in text


def test_a_hundred_thousand_unknown_columns_are_refused_in_a_short_text() -> None:
    body = {"dataframe_split": {"columns": [f"c{i}" for i in range(100_000)], "data": [[0] * 100_000]}}
    reply = ask("POST", "/invocations", json.dumps(body).encode())
    assert reply.status == 400
    assert len(reply.body) < 4096
