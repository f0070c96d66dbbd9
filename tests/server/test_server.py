"""A real server process: what it answers, what it refuses, how it ends."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from tests.conftest import RunningServer, free_port

import airside
from airside.core.errors import NotFound
from airside.platform.access.tokens import CreateToken, ListTokens, RevokeToken


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path_factory.mktemp("shared") / "home")
    yield running
    running.stop()


SCENARIOS = [
    # method, path, headers, body, status, must contain
    ("GET", "/health", {}, b"", 200, b"OK"),
    ("GET", "/health", {"Host": "evil.example"}, b"", 200, b"OK"),
    ("GET", "/nowhere", {}, b"", 404, b"ENDPOINT_NOT_FOUND"),
    ("DELETE", "/health", {}, b"", 405, b"not allowed"),
    ("GET", "/nowhere//at/all", {}, b"", 404, b"ENDPOINT_NOT_FOUND"),
    ("POST", "/api/v1/platform.about", {}, b"", 200, b"version"),
    ("POST", "/api/v1/platform.about", {}, b"{", 400, b"INVALID_PARAMETER_VALUE"),
    ("POST", "/api/v1/platform.about", {}, b"[]", 400, b"Expected `object`"),
    ("POST", "/api/v1/platform.about", {}, b'{"x":1}', 400, b"unknown field"),
    ("POST", "/api/v1/audit.list", {}, b'{"max_results":"a"}', 400, b"$.max_results"),
    ("POST", "/api/v1/audit.list", {}, b"[" * 100_000, 400, b"INVALID_PARAMETER_VALUE"),
    ("POST", "/api/v1/audit.list", {}, b'{"resource":"\xff"}', 400, b"INVALID_PARAMETER_VALUE"),
    ("POST", "/api/v1/platform.about", {"Host": "evil.example"}, b"", 403, b"rebinding"),
    ("POST", "/api/v1/platform.about", {"Origin": "http://evil.example"}, b"", 403, b"Cross-origin"),
    ("POST", "/api/v1/platform.about", {"Origin": "null"}, b"", 403, b"Cross-origin"),
    ("POST", "/api/v1/platform.about", {"Sec-Fetch-Site": "cross-site"}, b"", 403, b"Cross-origin"),
    ("POST", "/api/v1/platform.about", {"X-Long": "a" * 70_000}, b"", 431, b"REQUEST_TOO_LARGE"),
    ("GET", "/api/v1/blobs/b3:xyz", {}, b"", 400, b"not the id of a blob"),
    ("GET", "/api/v1/blobs/b3:" + "0" * 64, {}, b"", 404, b"No blob"),
    ("GET", "/api/v1/blobs/%2e%2e%2f%2e%2e%2fetc", {}, b"", 400, b"not the id"),
    ("GET", "/api/openapi.json", {}, b"", 200, b"3.1.0"),
    ("GET", "/metrics", {}, b"", 200, b"airside_writes_waiting"),
    ("GET", "/live", {}, b"", 400, b"topics"),
]


@pytest.mark.parametrize(("method", "path", "headers", "body", "status", "contains"), SCENARIOS)
def test_every_edge_has_a_clear_answer(
    shared: RunningServer, method: str, path: str, headers: dict[str, str], body: bytes, status: int, contains: bytes
) -> None:
    with urllib3.PoolManager() as pool:
        answer = pool.request(method, shared.url + path, body=body, headers=headers, retries=False)
    assert (answer.status, contains in answer.data) == (status, True), answer.data[:500]
    assert b"Traceback" not in answer.data
    assert str(shared.home).encode() not in answer.data
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("//model-versions/get-artifact?name=m%2F&version=1", b"/model-versions/get-artifact?name=m%2F&version=1"),
        ("/api/2.0///mlflow//experiments/get?experiment_id=0", b"/api/2.0/mlflow/experiments/get?experiment_id=0"),
        ("//evil.example//health", b""),
    ],
)
def test_repeated_slashes_are_told_where_to_ask_again(shared: RunningServer, asked: str, told: bytes) -> None:
    with socket.create_connection(("127.0.0.1", shared.port)) as plain:
        plain.sendall(b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" % asked.encode())
        head = plain.makefile("rb").read().partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 308" if told else b"HTTP/1.1 404")
    assert (b"\r\nlocation: " + told + b"\r\n" in head) == bool(told)


def test_a_body_that_announces_too_much_is_refused_unread(shared: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", shared.port)) as raw:
        raw.sendall(b"POST /api/v1/audit.list HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n")
        assert raw.recv(4096).startswith(b"HTTP/1.1 413")


def test_a_body_with_two_lengths_is_refused(shared: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", shared.port)) as raw:
        raw.sendall(
            b"POST /api/v1/audit.list HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        )
        assert b" 400 " in raw.recv(4096)


def test_blobs_of_any_size_come_back(shared: RunningServer) -> None:
    with airside.connect(shared.url) as client:
        for content in (b"", b"x", b"0123456789" * 500_000):
            assert client.get_blob(client.put_blob(content)) == content


def test_asks_and_errors_have_the_same_types_on_both_sides(shared: RunningServer) -> None:
    with airside.connect(shared.url) as client:
        made = client.call(CreateToken(name="a", role="viewer"))
        assert made.token in client.call(ListTokens()).items
        client.call(RevokeToken(token_id=made.token.id))
        with pytest.raises(NotFound, match="airside tokens list"):
            client.call(RevokeToken(token_id=made.token.id))


def test_sigterm_ends_it_cleanly_and_a_restart_finds_everything(tmp_path: Path) -> None:
    running = RunningServer(tmp_path / "home")
    with airside.connect(running.url) as client:
        client.call(CreateToken(name="kept"))
    assert running.stop() == 0
    running.start()
    with airside.connect(running.url) as client:
        assert [token.name for token in client.call(ListTokens()).items] == ["kept"]
    assert running.stop() == 0


def test_acknowledged_survives_kill(tmp_path: Path) -> None:
    running = RunningServer(tmp_path / "home")
    with airside.connect(running.url) as client:
        for number in range(20):
            client.call(CreateToken(name=f"t{number}"))
    running.kill()
    running.start()
    with airside.connect(running.url) as client:
        assert len(client.call(ListTokens()).items) == 20
    running.stop()


def test_a_second_server_on_the_same_home_says_where_the_first_is(server: RunningServer) -> None:
    done = _run("server", "--home", str(server.home), "--port", "0")
    assert done.returncode == 1
    assert server.url in done.stderr


def test_a_port_in_use_is_said(server: RunningServer, tmp_path: Path) -> None:
    done = _run("server", "--home", str(tmp_path / "other"), "--port", str(server.port))
    assert done.returncode == 1
    assert "--port" in done.stderr
    assert not (tmp_path / "other").exists()


def test_off_loopback_a_token_is_required(tmp_path: Path) -> None:
    running = RunningServer(tmp_path / "home", "--host", "0.0.0.0")
    try:
        assert running.process.stdout is not None
        token = running.process.stdout.readline().rsplit(" ", 1)[-1].strip()
        with urllib3.PoolManager() as pool:
            refused = pool.request("POST", running.url + "/api/v1/platform.about", body=b"{}", retries=False)
        assert refused.status == 401
        assert refused.headers["www-authenticate"] == 'Basic realm="mlflow"'
        with airside.connect(running.url, token) as client:
            assert client.call(CreateToken(name="x")).token.name == "x"
    finally:
        running.stop()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    running = RunningServer(tmp_path / "home")
    running.stop()
    import sqlite3

    with sqlite3.connect(tmp_path / "home" / "airside.db") as db:
        db.execute("UPDATE schema_version SET revision = '9999'")
    db.close()
    done = _run("server", "--home", str(tmp_path / "home"), "--port", str(free_port()))
    assert done.returncode == 1
    assert "newer release" in done.stderr


def _run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "airside", *arguments], capture_output=True, text=True, timeout=20, check=False
    )
