"""Hostile input: mutated MLflow requests and malformed HTTP. Whatever is sent, the server answers, in MLflow's JSON.

    python bench/fuzz.py [--requests 5000] [--seed 0] [--url http://127.0.0.1:5000]

Without `--url` a server is started on an empty folder. A failure is printed with what was sent; the status is 1 then.
"""

import argparse
import contextlib
import json
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

M = "/api/2.0/mlflow/"
PATIENCE_S = 30.0
MOMENT_S = 0.5
CODES = frozenset(
    {
        "BAD_REQUEST",
        "ENDPOINT_NOT_FOUND",
        "INVALID_PARAMETER_VALUE",
        "INVALID_STATE",
        "METHOD_NOT_ALLOWED",
        "NOT_FOUND",
        "NOT_IMPLEMENTED",
        "PERMISSION_DENIED",
        "REQUEST_TOO_LARGE",
        "RESOURCE_ALREADY_EXISTS",
        "RESOURCE_CONFLICT",
        "RESOURCE_DOES_NOT_EXIST",
        "RESOURCE_EXHAUSTED",
        "UNAUTHENTICATED",
    }
)
UNSENT = re.compile(r"[\s\x00-\x1f]")
LEAKS = re.compile(rb'Traceback|sqlite3|psycopg|sqlalchemy|File "/|site-packages|SELECT |INSERT INTO', re.IGNORECASE)

VALID: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "experiments/create", {"name": "e", "artifact_location": "", "tags": [{"key": "a", "value": "b"}]}),
    ("GET", "experiments/get", {"experiment_id": "0"}),
    ("GET", "experiments/get-by-name", {"experiment_name": "Default"}),
    (
        "POST",
        "experiments/search",
        {"max_results": 5, "filter": "name LIKE 'D%'", "order_by": ["name"], "view_type": "ALL"},
    ),
    ("GET", "experiments/search", {"max_results": "5", "filter": "tags.a = 'b'", "page_token": ""}),
    ("POST", "experiments/update", {"experiment_id": "0", "new_name": "n"}),
    ("POST", "experiments/set-experiment-tag", {"experiment_id": "0", "key": "k", "value": "v"}),
    ("POST", "experiments/delete-experiment-tag", {"experiment_id": "0", "key": "k"}),
    (
        "POST",
        "runs/create",
        {"experiment_id": "0", "start_time": 1, "run_name": "r", "tags": [{"key": "a", "value": "b"}]},
    ),
    ("GET", "runs/get", {"run_id": "RUN"}),
    ("POST", "runs/update", {"run_id": "RUN", "status": "FINISHED", "end_time": 5, "run_name": "x"}),
    ("POST", "runs/log-metric", {"run_id": "RUN", "key": "m", "value": 0.5, "timestamp": 1, "step": 0}),
    ("POST", "runs/log-parameter", {"run_id": "RUN", "key": "p", "value": "1"}),
    ("POST", "runs/set-tag", {"run_id": "RUN", "key": "t", "value": "1"}),
    ("POST", "runs/delete-tag", {"run_id": "RUN", "key": "t"}),
    (
        "POST",
        "runs/log-batch",
        {
            "run_id": "RUN",
            "metrics": [{"key": "m", "value": 1.0, "timestamp": 1, "step": 1}],
            "params": [{"key": "q", "value": "1"}],
            "tags": [{"key": "t", "value": "1"}],
        },
    ),
    (
        "POST",
        "runs/log-inputs",
        {
            "run_id": "RUN",
            "datasets": [
                {
                    "dataset": {"name": "d", "digest": "x", "source_type": "local", "source": "{}"},
                    "tags": [{"key": "mlflow.data.context", "value": "train"}],
                }
            ],
            "models": [{"model_id": "MODEL"}],
        },
    ),
    ("POST", "runs/outputs", {"run_id": "RUN", "models": [{"model_id": "MODEL", "step": 1}]}),
    ("POST", "runs/log-model", {"run_id": "RUN", "model_json": "{}"}),
    (
        "POST",
        "runs/search",
        {
            "experiment_ids": ["0"],
            "filter": "metrics.m > 0.1 AND params.p = '1' AND tags.`t` LIKE '%'",
            "order_by": ["metrics.m DESC"],
            "max_results": 5,
            "run_view_type": "ALL",
        },
    ),
    ("GET", "metrics/get-history", {"run_id": "RUN", "metric_key": "m", "max_results": "5"}),
    ("GET", "metrics/get-history-bulk-interval", {"run_ids": ["RUN"], "metric_key": "m", "max_results": "5"}),
    ("GET", "artifacts/list", {"run_id": "RUN", "path": "a"}),
    ("POST", "logged-models", {"experiment_id": "0", "name": "lm", "params": [{"key": "a", "value": "b"}]}),
    ("GET", "logged-models/MODEL", {"allow_deleted": "true"}),
    ("PATCH", "logged-models/MODEL", {"model_id": "MODEL", "status": "LOGGED_MODEL_READY"}),
    ("PATCH", "logged-models/MODEL/tags", {"tags": [{"key": "a", "value": "b"}]}),
    ("DELETE", "logged-models/MODEL/tags/a", {}),
    (
        "POST",
        "logged-models/search",
        {
            "experiment_ids": ["0"],
            "filter": "metrics.m > 0",
            "order_by": [{"field_name": "metrics.m", "ascending": True}],
            "datasets": [{"dataset_name": "d"}],
        },
    ),
    ("POST", "registered-models/create", {"name": "m", "description": "d", "tags": [{"key": "a", "value": "b"}]}),
    ("GET", "registered-models/get", {"name": "m"}),
    ("PATCH", "registered-models/update", {"name": "m", "description": "d"}),
    ("POST", "registered-models/rename", {"name": "m", "new_name": "m"}),
    ("POST", "registered-models/get-latest-versions", {"name": "m", "stages": ["None"]}),
    ("GET", "registered-models/search", {"filter": "name LIKE 'm%'", "order_by": ["name"], "max_results": "5"}),
    ("POST", "registered-models/alias", {"name": "m", "alias": "a", "version": "1"}),
    ("GET", "registered-models/alias", {"name": "m", "alias": "a"}),
    ("POST", "registered-models/set-tag", {"name": "m", "key": "k", "value": "v"}),
    ("POST", "model-versions/create", {"name": "m", "source": "s3://b/m", "run_id": "RUN", "tags": []}),
    ("GET", "model-versions/get", {"name": "m", "version": "1"}),
    ("PATCH", "model-versions/update", {"name": "m", "version": "1", "description": "d"}),
    ("POST", "model-versions/transition-stage", {"name": "m", "version": "1", "stage": "Staging"}),
    ("POST", "model-versions/set-tag", {"name": "m", "version": "1", "key": "k", "value": "v"}),
    ("GET", "model-versions/search", {"filter": "name = 'm' AND version_number > 0", "max_results": "5"}),
    ("GET", "model-versions/get-download-uri", {"name": "m", "version": "1"}),
    ("DELETE", "model-versions/delete-tag", {"name": "m", "version": "1", "key": "k"}),
)

DEEP = "[" * 20_000 + "]" * 20_000
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    2**64,
    10**400,
    1e308,
    -0.0,
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\u202e",
    "é" * 300,
    "x" * 70_000,
    "../../etc/passwd",
    "%2e%2e",
    "'; DROP TABLE runs; --",
    "NaN",
    "1e400",
    "0x10",
    "metrics.",
    "metrics.`",
    "((((",
    "'" * 999,
    [],
    {},
    [[]],
    [None],
    {"key": None},
    ["x"] * 2000,
    {"a": {"b": {"c": []}}},
    "eyJvZmZzZXQiOiAtMX0=",
    "eyJhZnRlciI6IFsxLCAyXX0=",
)


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _places(item, (*at, key))


def _replaced(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    if not at:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = _replaced(copy[at[0]], at[1:], new)
    return copy


def mutated(chance: random.Random, fields: dict[str, Any]) -> bytes:
    """A body that is nearly the one of a client."""
    body: Any = fields
    for _ in range(chance.randint(1, 3)):
        places = list(_places(body))
        if places:
            body = _replaced(body, chance.choice(places), chance.choice(ODD))
    text = json.dumps(body).encode()
    cut = chance.randrange(len(text) + 1)
    spoilt = (
        text[:cut],
        text[:cut] + chance.randbytes(chance.randint(1, 8)) + text[cut:],
        b"{" + text[1:-1] + b"," + text[1:-1] + b"}",
        json.dumps(text.decode()).encode(),
        b'{"filter": ' + DEEP.encode() + b"}",
        text.replace(b'"', b"'", chance.randint(1, 4)),
    )
    return spoilt[how] if (how := chance.randrange(12)) < len(spoilt) else text


def http(method: str, target: str, body: bytes = b"", *headers: str) -> bytes:
    """A request as bytes."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if body or method in {"POST", "PUT", "PATCH"}:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body


def near(chance: random.Random, run: str, model: str) -> bytes:
    """One mutated MLflow request."""
    method, path, fields = chance.choice(VALID)
    known = json.loads(json.dumps(fields).replace("RUN", run).replace("MODEL", model))
    path = path.replace("MODEL", model)
    if method == "GET":
        pairs = [
            (key, item) for key, value in known.items() for item in (value if isinstance(value, list) else [value])
        ]
        if pairs:
            number = chance.randrange(len(pairs))
            pairs[number] = (pairs[number][0], str(chance.choice(ODD)))
        bare = "&".join(f"{key}={value!a}" for key, value in pairs)
        query = urlencode(pairs, errors="replace") if chance.random() < 0.8 else bare
        return http("GET", f"{M}{path}?{UNSENT.sub('%', query)[:60_000]}")
    kinds = ["application/json"] * 12 + ["text/plain", "application/json; charset=latin-1", "", "multipart/form-data"]
    kind = chance.choice(kinds)
    return http(method, M + path, mutated(chance, known), *([f"Content-Type: {kind}"] if kind else []))


def _chunked(*chunks: bytes) -> bytes:
    head = f"POST {M}runs/search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunks)


def malformed() -> dict[str, bytes]:
    """What no client sends: each is answered with 4xx, or the connection is closed."""
    get, search = f"{M}experiments/get?experiment_id=0", f"{M}runs/search"
    json_type = "Content-Type: application/json"
    odd_paths = (
        "//",
        "/%00",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/api/2.0/mlflow/../../../etc/passwd",
        "/api//2.0/mlflow/runs/get",
        "/api/2.0/mlflow/runs/get%00?run_id=1",
        "/api/2.0/mlflow/runs/%ff%fe",
        "/api/2.0/mlflow-artifacts/artifacts/..%2f..%2fetc%2fpasswd",
        "/api/2.0/mlflow-artifacts/artifacts/%2e%2e/%2e%2e/etc/passwd",
        "/api/2.0/mlflow-artifacts/artifacts/%252e%252e/x",
        "/api/2.0/mlflow-artifacts/artifacts/a%00b",
        "/api/2.0/mlflow-artifacts/artifacts//etc/passwd",
        "/api/2.0/mlflow-artifacts/artifacts/" + "a/" * 2000 + "x",
        "/api/2.0/mlflow-artifacts/artifacts/" + "a" * 5000,
        "/api/2.0/mlflow-artifacts/artifacts?path=%00",
        "/static/%2e%2e/%2e%2e/pyproject.toml",
        "/" + "a" * 70_000,
        "/api/v1/../../etc/passwd",
        "http://example.org/api/2.0/mlflow/experiments/get?experiment_id=0",
        "*",
        "no-slash",
        "/?" + "a=b&" * 20_000,
    )
    methods = ("TRACE", "CONNECT", "PROPFIND", "get", "A" * 300, "PO ST", "OPTIONS", "HEAD", "PURGE")
    return {
        **{f"path {path[:60]}": http("GET", path) for path in odd_paths},
        **{f"put {path[:60]}": http("PUT", path, b"x") for path in odd_paths if "artifacts" in path},
        **{f"delete {path[:60]}": http("DELETE", path) for path in odd_paths if "artifacts" in path},
        **{f"method {method[:20]}": http(method, get) for method in methods},
        "header flood": http("GET", get, b"", *(f"X-{number}: y" for number in range(5000))),
        "long header": http("GET", get, b"", "X-Long: " + "y" * 200_000),
        "long cookie": http("GET", get, b"", "Cookie: " + "a=b; " * 20_000),
        "header without colon": http("GET", get, b"", "nocolon"),
        "odd bytes in a header": http("GET", get, b"", "X-Odd: \xff\xfe\x01"),
        "no host": f"GET {get} HTTP/1.1\r\n\r\n".encode(),
        "two hosts": http("GET", get, b"", "Host: example.org"),
        "HTTP/1.0": f"GET {get} HTTP/1.0\r\n\r\n".encode(),
        "HTTP/9.9": f"GET {get} HTTP/9.9\r\nHost: x\r\n\r\n".encode(),
        "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
        "zeros": b"\x00" * 5000,
        "only line ends": b"\r\n" * 2000,
        "length and chunks": http("POST", search, b"0\r\n\r\n", json_type, "Transfer-Encoding: chunked"),
        "two lengths": http("POST", search, b"{}", json_type, "Content-Length: 5"),
        "negative length": http("POST", search, b"", json_type, "Content-Length: -1"),
        "huge length": f"POST {search} HTTP/1.1\r\nHost: x\r\n{json_type}\r\nContent-Length: {10**30}\r\n\r\n".encode(),
        "length in words": f"POST {search} HTTP/1.1\r\nHost: x\r\n{json_type}\r\nContent-Length: ten\r\n\r\n".encode(),
        "truncated body": http("POST", search, b"{}", json_type).replace(b"Content-Length: 2", b"Content-Length: 20"),
        "truncated head": f"POST {search} HTTP/1.1\r\nHost:".encode(),
        "chunks": _chunked(b"2\r\n{}\r\n", b"0\r\n\r\n"),
        "chunk sizes in words": _chunked(b"zz\r\n{}\r\n0\r\n\r\n"),
        "huge chunk": _chunked(b"f" * 17 + b"\r\n{}\r\n0\r\n\r\n"),
        "negative chunk": _chunked(b"-2\r\n{}\r\n0\r\n\r\n"),
        "unended chunks": _chunked(b"2\r\n{}\r\n"),
        "many small chunks": _chunked(*([b"1\r\n \r\n"] * 5000), b"0\r\n\r\n"),
        "chunk trailers": _chunked(b"2\r\n{}\r\n0\r\n", *(b"X-%d: y\r\n" % number for number in range(3000)), b"\r\n"),
        "unknown coding": http("POST", search, b"{}", json_type, "Transfer-Encoding: gzip"),
        "zipped by name only": http("POST", search, b"{}", json_type, "Content-Encoding: gzip"),
        "expecting": http("POST", search, b"{}", json_type, "Expect: 200-nothing"),
        "upgrade": http("GET", get, b"", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
        "many ranges": http(
            "GET", "/api/2.0/mlflow-artifacts/artifacts/x", b"", "Range: bytes=" + ",".join(["0-1"] * 5000)
        ),
        "odd range": http("GET", "/api/2.0/mlflow-artifacts/artifacts/x", b"", "Range: bytes=9-1,-,x"),
        "deep body": http("POST", search, DEEP.encode(), json_type),
        "deep objects": http("POST", search, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, json_type),
        "long number": http("POST", search, b'{"max_results": ' + b"9" * 100_000 + b"}", json_type),
        "many keys": http("POST", search, json.dumps({str(n): n for n in range(50_000)}).encode(), json_type),
        "invalid UTF-8": http("POST", search, b'{"filter": "\xff\xfe\xfa"}', json_type),
        "UTF-16": http("POST", search, '{"filter": "x"}'.encode("utf-16"), json_type),
        "byte order mark": http("POST", search, b"\xef\xbb\xbf{}", json_type),
        "duplicate keys": http("POST", search, b'{"filter": "x", "filter": ""}', json_type),
        "basic without a colon": http("GET", get, b"", "Authorization: Basic AAAA"),
        "basic that is not base64": http("GET", get, b"", "Authorization: Basic !!!"),
        "odd authorization": http("GET", get, b"", "Authorization: \xff"),
    }


def exchanged(port: int, sent: bytes, *, is_whole: bool = True) -> tuple[bytes, float]:
    """What came back until the server was done, and how long that took.

    After a request that may not be whole the sender waits a moment, and then closes its half.
    """
    began = time.monotonic()
    told = b""
    patience = PATIENCE_S if is_whole else MOMENT_S
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        with contextlib.suppress(OSError):  # the server may have answered and closed before all was sent
            connection.sendall(sent)
        while True:
            try:
                piece = connection.recv(65536)
            except TimeoutError:
                if patience == PATIENCE_S:
                    break
                patience = PATIENCE_S
                connection.settimeout(patience)
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
                continue
            except ConnectionResetError:
                break
            told += piece
            if not piece or _is_whole(told, sent):
                break
    return told, time.monotonic() - began


def _is_whole(told: bytes, sent: bytes) -> bool:
    head, split, body = told.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(split and length) and (sent.startswith(b"HEAD") or len(body) >= int(length[1] if length else 0))


def wrong_with(told: bytes, took: float, *, is_mlflow: bool) -> str:
    """What is wrong with an answer; empty when nothing is."""
    if took > PATIENCE_S - 1:
        return f"no answer in {took:.0f} s"
    head, _, body = told.partition(b"\r\n\r\n")
    match = re.match(rb"HTTP/1\.[01] (\d{3})", head)
    if not match:
        return "no HTTP" if told or is_mlflow else ""  # a malformed request may cost the connection
    status, code = int(match[1]), _code_of(head, body)
    wrong = ""
    if LEAKS.search(body) and b"text/html" not in head:
        wrong = "the text of the answer leaks"
    elif status >= 500 and code not in {"INVALID_STATE", "NOT_IMPLEMENTED"} and status != 501:
        wrong = f"status {status}"
    elif is_mlflow and (code == "no JSON" or (status >= 400 and code not in CODES)):
        wrong = f"error code {code!r}"
    return wrong


def _code_of(head: bytes, body: bytes) -> str:
    """The code of an error; empty when the answer has none."""
    if b"text/" in head and re.match(rb"HTTP/1\.1 40[45]", head):
        return "METHOD_NOT_ALLOWED"
    try:
        answer = json.loads(body) if body else {}
    except ValueError:
        return "no JSON"
    return str(answer.get("error_code", "")) if isinstance(answer, dict) else "no JSON"


def ask(port: int, path: str, **body: Any) -> Any:
    """A plain request, to prepare."""
    told, _ = exchanged(port, http("POST", M + path, json.dumps(body).encode(), "Content-Type: application/json"))
    return json.loads(told.partition(b"\r\n\r\n")[2])


def fuzz(port: int, requests: int, seed: int) -> tuple[list[str], Counter[str]]:
    """Send so many mutated requests and all malformed ones; the failures, and how often each status came."""
    chance = random.Random(seed)
    run = ask(port, "runs/create", experiment_id="0")["run"]["info"]["run_id"]
    model = ask(port, "logged-models", experiment_id="0", name="lm")["model"]["info"]["model_id"]
    failures: list[str] = []
    statuses: Counter[str] = Counter()
    hostile = malformed()
    for name, sent in [*hostile.items(), *((f"mutated {n}", near(chance, run, model)) for n in range(requests))]:
        told, took = exchanged(port, sent, is_whole=name.startswith("mutated"))
        statuses[told[9:12].decode("latin-1") or "closed"] += 1
        if wrong := wrong_with(told, took, is_mlflow=name.startswith("mutated")):
            failures.append(f"{name}: {wrong}\n  sent {sent[:400]!r}\n  told {told[:600]!r}")
    told, _ = exchanged(port, http("GET", "/health"))
    if b" 200 " not in told[:20]:
        failures.append("the server is gone")
    return failures, statuses


def _fuzz_own(home: str, port: int, requests: int, seed: int) -> tuple[list[str], Counter[str]]:
    command = [sys.executable, "-m", "airside", "server", "--home", home, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            for _ in range(600):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.05)
            return fuzz(port, requests, seed)
        finally:
            server.terminate()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--url", help="a running server that may be spoilt")
    options = parser.parse_args()
    began = time.monotonic()
    if options.url:
        failures, statuses = fuzz(urlsplit(options.url).port or 80, options.requests, options.seed)
    else:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        with tempfile.TemporaryDirectory() as home:
            failures, statuses = _fuzz_own(home, port, options.requests, options.seed)
    for failure in failures:
        print(failure)
    print(f"{sum(statuses.values())} requests in {time.monotonic() - began:.0f} s: {dict(statuses.most_common())}")
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
