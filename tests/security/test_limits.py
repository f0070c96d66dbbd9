"""Rule 10: what would eat the server is refused before it does, with words, and leaves it as it was."""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tests.conftest import RunningServer

M = "/api/2.0/mlflow/"
JSON = {"Content-Type": "application/json"}
MOST_MIB = 200


class Loaded:
    """A server with one run of many keys."""

    def __init__(self, folder: Path) -> None:
        self.running = RunningServer(folder / "home", "--no-serving", "--no-runner")
        self.pool = urllib3.PoolManager(retries=False, timeout=60)
        self.run: str = self("runs/create", {"experiment_id": "0"}).json()["run"]["info"]["run_id"]
        keys = range(100)
        logged = {
            "run_id": self.run,
            "metrics": [{"key": f"m{each}", "value": 1, "timestamp": 1, "step": 0} for each in keys],
            "params": [{"key": f"p{each}", "value": "1"} for each in keys],
            "tags": [{"key": "long", "value": "a" * 5000}],
        }
        assert self("runs/log-batch", logged).status == 200

    def __call__(self, path: str, body: Any, base: str = M, **headers: str) -> urllib3.BaseHTTPResponse:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.pool.request("POST", self.running.url + base + path, body=sent, headers={**JSON, **headers})

    @property
    def resident_mib(self) -> float:
        status = Path(f"/proc/{self.running.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    made = Loaded(tmp_path_factory.mktemp("limits"))
    yield made
    assert made.resident_mib < MOST_MIB
    made.pool.clear()
    made.running.stop()


def many(number: int, condition: str) -> str:
    return " AND ".join(condition.format(each) for each in range(number))


FILTERS = {
    "a hundred joins": (many(100, "metrics.m{} > 0"), 200),
    "more joins than that": (many(101, "metrics.m{} > 0"), 400),
    "thousands": (many(3000, "tags.t{} = 'x'"), 400),
    "AND without end": ("metrics.a > 1 AND " * 3000, 400),
    "a list": (f"attributes.run_id IN ({', '.join([repr('a')] * 1001)})", 400),
    "a list beyond the text": (f"attributes.run_id IN ({', '.join([repr('a' * 32)] * 100_000)})", 400),
    "a pattern that goes back": (f"tags.long LIKE '{'%a' * 499}b'", 200),
    "the same without case": (f"tags.long ILIKE '{'%_a' * 333}b'", 200),
    "a pattern without end": (f"tags.long LIKE '{'%a' * 5000}'", 400),
    "brackets": ("(" * 30_000, 400),
    "quotes": ("'" * 60_000, 400),
    "back-quotes": ("`" * 60_000, 400),
    "backslashes": ("\\" * 60_000, 400),
    "a long number": (f"metrics.m1 > {'9' * 5000}", 200),
    "a long key": (f"params.`{'a' * 60_000}` = 'x'", 200),
    "SQL in a key": ("tags.`a'; DROP TABLE run; --` = 'x'", 200),
    "SQL in a value": ("params.p1 = 'a' OR '1'='1'", 400),
    "SQL behind a value": ("attributes.run_id = '' UNION SELECT 1 --", 400),
    "NUL": ("params.p1 = '\x00'", 200),
}


@pytest.mark.parametrize(("text", "status"), FILTERS.values(), ids=FILTERS.keys())
def test_a_filter_is_answered_or_refused_with_words(loaded: Loaded, text: str, status: int) -> None:
    answer = loaded("runs/search", {"experiment_ids": ["0"], "filter": text, "max_results": 1})
    assert answer.status == status
    assert status == 200 or len(answer.data) < 5000


@pytest.mark.parametrize("path", ["experiments/search", "registered-models/search", "logged-models/search"])
def test_every_search_has_the_same_limits(loaded: Loaded, path: str) -> None:
    key = "params.p{} = 'x'" if path.startswith("logged") else "tags.t{} = 'x'"
    wide = {"experiment_ids": ["0"], "max_results": 1, "filter": many(3000, key)}
    assert loaded(path, wide).status == 400


ORDERS = {
    "many fields": [f"metrics.m{each}" for each in range(5000)],
    "a hundred fields": [f"metrics.m{each}" for each in range(100)],
    "SQL": ["metrics.a; DROP TABLE run"],
    "a query": ["start_time DESC, (SELECT 1)"],
    "a comment": ["attributes.run_id--"],
}


@pytest.mark.parametrize("order_by", ORDERS.values(), ids=ORDERS.keys())
def test_an_order_is_refused_with_words(loaded: Loaded, order_by: list[str]) -> None:
    both = {"experiment_ids": ["0"], "filter": many(100, "params.p{} = '1'"), "order_by": order_by, "max_results": 1}
    assert loaded("runs/search", both).status == 400


@pytest.mark.parametrize("path", ["runs/search", "logged-models/search"])
def test_more_experiments_than_there_are_cost_nothing(loaded: Loaded, path: str) -> None:
    answer = loaded(path, {"experiment_ids": [str(each) for each in range(50_000)], "max_results": 1})
    assert answer.status in (200, 400)


def token(content: bytes) -> str:
    return base64.b64encode(content).decode()


TOKENS = ["x", "\x00", "é", "A" * 70_000, token(b'{"offset": -1}'), token(b'{"offset": 99999999999999999999}')]


@pytest.mark.parametrize("page", [*TOKENS, token(b'{"offset": "1; DROP TABLE run"}'), token(b"[" * 50_000)])
def test_a_page_token_that_is_none_is_refused(loaded: Loaded, page: str) -> None:
    answer = loaded("runs/search", {"experiment_ids": ["0"], "page_token": page, "max_results": 1})
    assert answer.status == 400


BODIES = {
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep lists": b"[" * 1_000_000,
    "a million items": b'{"run_id":"x","metrics":[' + b",".join([b"{}"] * 1_000_000) + b"]}",
    "a number of ten million digits": b'{"run_id":' + b"9" * 10_000_000 + b"}",
    "half a character": b'{"run_id":"\\ud800","key":"a","value":"b"}',
    "not UTF-8": b'{"run_id":"\xff","key":"a","value":"b"}',
    "packed": gzip.compress(b'{"run_id":"x","key":"a","value":"b"}'),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize(("base", "path"), [(M, "runs/log-batch"), ("/api/v1/", "runs.log_batch")])
def test_a_body_that_is_a_bomb_is_refused(loaded: Loaded, base: str, path: str, body: bytes) -> None:
    answer = loaded(path, body, base)
    assert answer.status == 400
    assert answer.json()["error_code"] in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST")
    assert len(answer.data) < 5000


NUMBERS = {"beyond 64 bits": "9223372036854775808", "below 64 bits": "-9223372036854775809", "a float": "1e300"}


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS.keys())
@pytest.mark.parametrize("name", ["timestamp", "step"])
def test_a_number_that_no_database_takes_is_refused(loaded: Loaded, name: str, number: str) -> None:
    fields = {"timestamp": "1", "step": "0", name: number}
    text = ",".join(f'"{key}":{value}' for key, value in fields.items())
    assert loaded("runs/log-metric", f'{{"run_id":"{loaded.run}","key":"a","value":1,{text}}}'.encode()).status == 400


def test_a_packed_body_of_spans_is_refused_when_it_unfolds_too_far(loaded: Loaded) -> None:
    bomb = gzip.compress(b"\0" * (80 << 20), 1)
    sent = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip", "x-mlflow-experiment-id": "0"}
    assert loaded("/v1/traces", bomb, "", **sent).status == 413


def test_nothing_that_was_sent_forges_a_line_of_the_log(loaded: Loaded) -> None:
    forged = "2026-01-01 00:00:00,000 INFO airside.server forged"
    for path in (f"/x%0a{forged}", f"/api/v1/x%0d%0a{forged}"):
        loaded.pool.request("GET", loaded.running.url + path.replace(" ", "%20"))
    loaded("experiments/create", {"name": f"a\n{forged}"})
    loaded("runs/set-tag", {"run_id": loaded.run, "key": f"a\r\n{forged}", "value": "x"})
    log = (loaded.running.home / "logs" / "server.log").read_text()
    assert not [line for line in log.splitlines() if line.startswith(forged)]
