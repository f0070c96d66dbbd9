"""In this process or over HTTP: the same answers, the same errors; and a repeat never acts twice."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
from tests.conftest import RunningServer, free_port

import airside
from airside.client.http import HttpTransport
from airside.client.transport import Client
from airside.core.errors import AirsideError, AlreadyExists, Conflict, Denied, Invalid, NotFound, Unavailable
from airside.core.ids import BlobId
from airside.platform.access.tokens import CreateToken, ListTokens, RevokeToken
from airside.platform.home import Home
from airside.platform.house import GetAbout, VerifyAudit
from airside.tracking.operations.experiments import CreateExperiment, GetExperiment, GetExperimentByName
from airside.tracking.operations.runs import CreateRun


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with airside.open(tmp_path_factory.mktemp("embedded")) as client:
        yield client


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    running = RunningServer(tmp_path_factory.mktemp("remote") / "home")
    with airside.connect(running.url) as client:
        yield client
    running.stop()


@pytest.fixture(params=["embedded", "remote"])
def client(request: pytest.FixtureRequest) -> Client:
    made: Client = request.getfixturevalue(request.param)
    return made


def test_answers_are_the_same_records(client: Client) -> None:
    about = client.call(GetAbout())
    assert (about.version, type(about.events)) == (airside.__version__, int)
    made = client.call(CreateExperiment(name="same"))
    got = client.call(GetExperiment(experiment_id=made.experiment_id))
    assert got == client.call(GetExperimentByName(name="same"))
    assert got.name == "same"
    assert client.call(VerifyAudit()).holds


ERRORS: list[tuple[Any, type[AirsideError], str]] = [
    (GetExperiment(experiment_id="999"), NotFound, "No Experiment with id=999 exists"),
    (CreateExperiment(name="Default"), AlreadyExists, "already exists"),
    (CreateToken(name=""), Invalid, "A token needs a name"),
    (RevokeToken(token_id="tk-x"), NotFound, "airside tokens list"),
]


@pytest.mark.parametrize(("ask", "kind", "told"), ERRORS)
def test_errors_are_the_same_classes_with_the_same_words(
    client: Client, ask: Any, kind: type[AirsideError], told: str
) -> None:
    with pytest.raises(kind, match=told) as caught:
        client.call(ask)
    assert type(caught.value) is kind


def test_a_key_acts_once(client: Client) -> None:
    first = client.call(CreateRun(experiment_id="0"), idempotency_key="k")
    assert client.call(CreateRun(experiment_id="0"), idempotency_key="k") == first


def test_blobs_and_artifacts_come_back(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    blob = client.put_blob(tmp_path / "a")
    assert blob == client.put_blob(b"x" * 3_000_000)
    client.save_blob(blob, tmp_path / "deep" / "b")
    assert (tmp_path / "deep" / "b").read_bytes() == (tmp_path / "a").read_bytes()
    client.upload_artifact("1/r/artifacts/a b.txt", b"hello")
    assert client.download_artifact("1/r/artifacts/a b.txt") == b"hello"
    client.download_artifact("1/r/artifacts/a b.txt", tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == b"hello"


def test_missing_bytes_are_told_and_leave_no_file(client: Client, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="No blob"):
        client.save_blob(BlobId("b3:" + "0" * 64), tmp_path / "a")
    with pytest.raises(Invalid, match="not the id of a blob"):
        client.get_blob(BlobId("x"))
    with pytest.raises(NotFound):
        client.download_artifact("1/r/nowhere")
    with pytest.raises(Invalid, match="Invalid path"):
        client.upload_artifact("../x", b"")
    with pytest.raises(FileNotFoundError):
        client.put_blob(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


# --- a server that is busy, away, or none of ours --------------------------------------------------------------------


class Scripted:
    """Answers requests with what the test lays out, and remembers their keys. `None` cuts the connection."""

    def __init__(self, *answers: "tuple[int, bytes] | None") -> None:
        self.keys: list[str] = []
        script = iter(answers)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                outer.keys.append(self.headers.get("Idempotency-Key", ""))
                answer = next(script)
                if answer is None:
                    self.close_connection = True
                    return
                self.send_response(answer[0])
                self.send_header("Content-Length", str(len(answer[1])))
                self.end_headers()
                self.wfile.write(answer[1])

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


def told(status: int, code: str) -> tuple[int, bytes]:
    return status, json.dumps({"error_code": code, "message": "told"}).encode()


DONE = (200, b"{}")
BUSY, AWAY = told(429, "RESOURCE_EXHAUSTED"), told(503, "TEMPORARILY_UNAVAILABLE")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airside.client.http.time.sleep", lambda _seconds: None)


def test_every_try_of_a_change_carries_one_key() -> None:
    with Scripted(BUSY, None, AWAY, DONE) as server, airside.connect(server.url) as client:
        client.call(RevokeToken(token_id="x"))
    assert len(server.keys) == 4
    assert len(set(server.keys)) == 1
    assert server.keys[0] != ""


def test_a_lost_answer_to_a_new_run_makes_no_second_run() -> None:
    with Scripted(None, (404, b"{}")) as server, airside.connect(server.url) as client, pytest.raises(AirsideError):
        client.call(CreateRun(experiment_id="0"))
    assert len(set(server.keys)) == 1
    assert server.keys[0] != ""


def test_a_query_is_repeated_without_a_key() -> None:
    with (
        Scripted(AWAY, (200, b'{"holds":true,"findings":[]}')) as server,
        airside.connect(server.url) as client,
    ):
        assert client.call(VerifyAudit()).holds
    assert server.keys == ["", ""]


def test_a_refusal_is_not_tried_again() -> None:
    for answer, kind in [
        (told(403, "PERMISSION_DENIED"), Denied),
        (told(409, "RESOURCE_CONFLICT"), Conflict),
        (told(507, "INSUFFICIENT_STORAGE"), airside.core.errors.DiskFull),
    ]:
        with Scripted(answer) as server, airside.connect(server.url) as client, pytest.raises(kind, match="told"):
            client.call(ListTokens())
        assert len(server.keys) == 1


def test_a_server_that_stays_busy_is_told_in_its_own_words() -> None:
    with Scripted(*[BUSY] * 6) as server, airside.connect(server.url) as client:
        with pytest.raises(airside.core.errors.Overloaded, match="told"):
            client.call(ListTokens())
        assert len(server.keys) == 6


@pytest.mark.parametrize(
    ("answer", "text"),
    [((200, b"<html>"), "is not a server of Airside"), ((200, b'{"odd":1}'), "one of another release")],
)
def test_what_is_no_server_of_ours_is_told(answer: tuple[int, bytes], text: str) -> None:
    with Scripted(answer) as server, airside.connect(server.url) as client, pytest.raises(Unavailable, match=text):
        client.call(GetAbout())


def test_an_error_that_is_no_json_is_told_with_its_status() -> None:
    with (
        Scripted((502, b"<h1>Bad Gateway</h1>")) as server,
        airside.connect(server.url) as client,
        pytest.raises(AirsideError, match=r"answered 502: <h1>Bad Gateway"),
    ):
        client.call(GetAbout())


def test_where_no_server_listens_the_way_to_start_one_is_told() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with (
        Client(HttpTransport(url, retries=1)) as client,
        pytest.raises(Unavailable, match=rf"No server answers at {url} .*Start one with: airside server"),
    ):
        client.call(GetAbout())


def test_bytes_are_sent_once_even_when_the_connection_breaks() -> None:
    with (
        Client(HttpTransport(f"http://127.0.0.1:{free_port()}")) as client,
        pytest.raises(Unavailable, match="No server answers"),
    ):
        client.put_blob(b"x")


# --- which platform --------------------------------------------------------------------------------------------------


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(Invalid, match="'localhost:5000' is not the address of a server"):
        airside.connect("localhost:5000")


def test_the_environment_names_the_server(monkeypatch: pytest.MonkeyPatch, remote: Client) -> None:
    monkeypatch.setenv("AIRSIDE_URL", remote.url)
    with airside.connect() as client:
        assert client.url == remote.url


def test_a_home_that_a_server_owns_is_reached_through_it(server: RunningServer) -> None:
    with airside.open(server.home) as client:
        assert client.url == server.url
        assert client.call(GetAbout()).version == airside.__version__


def test_a_home_that_another_process_owns_is_refused(tmp_path: Path) -> None:
    owner = Home(tmp_path)
    with pytest.raises(Conflict, match="in use by another process"):
        airside.open(tmp_path)
    owner.close()


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    client = airside.open(tmp_path)
    client.close()
    client.close()


def test_the_public_names_are_all_there() -> None:
    assert set(dir(airside)) == set(airside.__all__)
    assert all(getattr(airside, name) is not None for name in airside.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = airside.nothing  # type: ignore[attr-defined]
