"""Rules 8 and 13 on the serving process: who may ask for predictions, from which page, and how fast a change acts."""

import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from tests.conftest import RunningServer
from tests.security.serving import RunningServing

from airside.client.transport import Client, connect
from airside.platform.access.tokens import CreateToken, NewToken, RevokeToken

PREDICT = "/endpoints/none/invocations"


class Guarded:
    """A control plane and a serving process that ask for tokens."""

    def __init__(self, folder: Path) -> None:
        self.control = RunningServer(folder / "home", "--auth", "on", "--no-serving", "--no-runner")
        assert self.control.process.stdout is not None
        owner = self.control.process.stdout.readline().rsplit(" ", 1)[1].strip()
        self.client: Client = connect(self.control.url, owner)
        self.owner = owner
        self.serving = RunningServing(folder / "spool", self.control.url, "--auth", "on", token=owner)
        self.pool = urllib3.PoolManager(retries=False)
        self.caller = self.token("caller")
        self.viewer = self.token("viewer")
        self.until("GET", "/v2", self.caller.text, 200)

    def token(self, role: str) -> NewToken:
        return self.client.call(CreateToken(name=role, role=role))

    def __call__(self, method: str, path: str, shown: str = "", **headers: str) -> urllib3.BaseHTTPResponse:
        sent = {"Authorization": shown} if shown else {}
        return self.pool.request(method, self.serving.url + path, headers={**sent, **headers}, body=b"{}")

    def until(self, method: str, path: str, text: str, status: int) -> None:
        deadline = time.monotonic() + 20
        while self(method, path, f"Bearer {text}").status != status:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def close(self) -> None:
        self.client.close()
        self.pool.clear()
        self.serving.close()
        self.control.stop()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    made = Guarded(tmp_path_factory.mktemp("serving"))
    yield made
    made.close()


WAYS = [
    ("POST", "/invocations"),
    ("POST", PREDICT),
    ("POST", "/v2/models/none/infer"),
    ("POST", "/v2/models/none/versions/1/infer"),
    ("POST", "/v1/models/none:predict"),
    ("POST", "/v2/repository/index"),
    ("GET", "/v2"),
    ("GET", "/v2/models/none"),
    ("GET", "/v2/models/none/stats"),
    ("GET", "/v1/models"),
    ("GET", "/metrics"),
    ("GET", "/version"),
    ("GET", "/no/such/path"),
    ("GET", "//v2"),
    ("GET", "/V2"),
    ("OPTIONS", "/invocations"),
]


@pytest.mark.parametrize(("method", "path"), WAYS)
def test_no_way_in_is_open_without_a_token(guarded: Guarded, method: str, path: str) -> None:
    for shown in ("", "Bearer air_x_y", "Basic !!!", "Bearer", "Digest x", f"Bearer {guarded.caller.text[:-1]}"):
        answer = guarded(method, path, shown)
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize(("method", "path"), WAYS)
def test_with_a_callers_token_the_same_ways_are_open(guarded: Guarded, method: str, path: str) -> None:
    basic = "Basic " + b64encode(f"anyone:{guarded.caller.text}".encode()).decode()
    for shown in (f"Bearer {guarded.caller.text}", basic, f"Bearer {guarded.owner}"):
        assert guarded(method, path, shown).status in (200, 400, 404, 405)


def test_who_may_only_look_gets_no_prediction(guarded: Guarded) -> None:
    guarded.until("GET", "/v2", guarded.viewer.text, 200)
    assert guarded("POST", PREDICT, f"Bearer {guarded.viewer.text}").status == 403


def test_a_caller_may_nothing_at_the_control_plane(guarded: Guarded) -> None:
    shown = {"Authorization": f"Bearer {guarded.caller.text}"}
    for path in ("/api/v1/experiments.search", "/api/v1/tokens.list", "/api/v1/tokens.admitted"):
        sent = guarded.pool.request("POST", guarded.control.url + path, json={}, headers=shown)
        assert sent.status == 403


def test_a_probe_says_only_whether_it_is_ready(guarded: Guarded) -> None:
    assert guarded("GET", "/ping").status in (200, 503)
    assert set(guarded("GET", "/health").json()) == {"state", "revision"}


def test_a_revoked_token_ends_here_too(guarded: Guarded) -> None:
    made = guarded.token("caller")
    guarded.until("GET", "/v2", made.text, 200)
    guarded.client.call(RevokeToken(token_id=made.token.id))
    guarded.until("GET", "/v2", made.text, 401)


def test_what_is_remembered_of_tokens_is_no_token(guarded: Guarded, tmp_path_factory: pytest.TempPathFactory) -> None:
    remembered = next(tmp_path_factory.getbasetemp().glob("serving*/spool/admitted.json"))
    assert guarded.caller.text.rsplit("_", 1)[1] not in remembered.read_text()
    assert remembered.stat().st_mode & 0o077 == 0


HOSTS = ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "127.0.0.1@evil.example", "[::1", "0.0.0.0", ""]


@pytest.mark.parametrize("host", HOSTS)
def test_a_foreign_host_is_refused_on_every_path_but_the_probe(guarded: Guarded, host: str) -> None:
    for method, path in WAYS:
        assert guarded(method, path, f"Bearer {guarded.caller.text}", Host=host).status == 403


PAGES = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", PAGES)
def test_a_page_of_another_site_gets_no_prediction(guarded: Guarded, headers: dict[str, str]) -> None:
    assert guarded("POST", PREDICT, f"Bearer {guarded.caller.text}", **headers).status == 403
