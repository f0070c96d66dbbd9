"""`airside server` in the place of `mlflow server`: the lines of a unit file with one word changed."""

import base64
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tests.conftest import RunningServer

import airside
from airside.core.errors import Unauthenticated, WrongUse
from airside.platform.access.tokens import ListTokens
from airside.server.login import login_of
from airside.server.settled import left_behind

EXPERIMENT = "/api/2.0/mlflow/experiments/get?experiment_id=0"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
PASSWORD = "correct horse battery"


class Server(RunningServer):
    """A server with variables and a working folder of its own."""

    def __init__(self, folder: Path, *flags: str, **environment: str) -> None:
        self.environment = {**os.environ, **environment}
        self.folder = folder
        super().__init__(folder / "home", *flags)

    def start(self) -> None:
        command = [sys.executable, "-m", "airside", "server", "--home", str(self.home), "-p", str(self.port)]
        with (self.folder / "err").open("w") as errors:
            self.process = subprocess.Popen(
                [*command, *self._flags],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=self.environment,
                cwd=self.folder,
            )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()
        self.url = next((word for word in self.said.split() if word.startswith("http")), self.url)
        if self.url.startswith("http:"):
            self._wait()

    def errors(self) -> str:
        return (self.folder / "err").read_text("utf-8")


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Any]:
    """Starts servers, and stops them after the test."""
    running: list[Server] = []

    def start(*flags: str, **environment: str) -> Server:
        running.append(Server(tmp_path, *flags, **environment))
        return running[-1]

    yield start
    for server in running:
        server.stop()


def ask(server: Server, method: str, path: str, **sent: Any) -> urllib3.BaseHTTPResponse:
    with urllib3.PoolManager(retries=False) as pool:
        return pool.request(method, server.url + path, **sent)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_a_line_of_a_unit_file_works_with_one_word_changed(started: Any, tmp_path: Path) -> None:
    line = "--backend-store-uri sqlite:///store.db --default-artifact-root ./files -h 127.0.0.1 -w 4 --dev"
    server = started(*line.split(), MLFLOW_EXPOSE_PROMETHEUS="/tmp/x")
    location = ask(server, "GET", EXPERIMENT).json()["experiment"]["artifact_location"]
    assert location == f"{tmp_path}/files/0"
    assert (tmp_path / "store.db").exists()
    assert not (tmp_path / "home" / "airside.db").exists()
    assert server.errors().splitlines() == [
        "--workers is ignored: one process does the work.",
        "MLFLOW_EXPOSE_PROMETHEUS is ignored: /metrics is always there.",
    ]
    assert server.stop() == 0


def test_a_relative_root_is_meant_from_the_servers_folder(started: Any, tmp_path: Path) -> None:
    server = started("--default-artifact-root", "file:./rel", "--no-serve-artifacts")
    location = ask(server, "GET", EXPERIMENT).json()["experiment"]["artifact_location"]
    assert location == f"file://{tmp_path}/rel/0"


@pytest.mark.parametrize(
    ("root", "location"),
    [
        ("http://tracking:5000/api/2.0/mlflow-artifacts/artifacts", None),
        ("mlflow-artifacts://tracking:5000/", "mlflow-artifacts://tracking:5000/0"),
    ],
)
def test_a_root_that_names_this_server_is_its_own_store(started: Any, root: str, location: str | None) -> None:
    server = started("--default-artifact-root", root)
    calls = "/api/2.0/mlflow/"
    run = ask(server, "POST", f"{calls}runs/create", json={"experiment_id": "0"}).json()["run"]["info"]
    assert run["artifact_uri"] == f"{location or root + '/0'}/{run['run_id']}/artifacts"
    assert ask(server, "PUT", f"{FILES}/0/{run['run_id']}/artifacts/d/a.txt", body=b"x").status == 200
    named = {"run_id": run["run_id"], "path": "d"}
    listed = ask(server, "GET", f"{calls}artifacts/list", fields=named).json()
    assert listed == {"root_uri": run["artifact_uri"], "files": [{"path": "d/a.txt", "is_dir": False, "file_size": 1}]}
    assert ask(server, "GET", "/get-artifact", fields={**named, "path": "d/a.txt"}).data == b"x"
    ask(server, "POST", f"{calls}registered-models/create", json={"name": "m"})
    for source, status in (
        (f"{run['artifact_uri']}/d", 200),
        (root, 400),
        (run["artifact_uri"].replace("tracking", "elsewhere"), 400),
    ):
        sent = {"name": "m", "source": source, "run_id": run["run_id"]}
        assert ask(server, "POST", f"{calls}model-versions/create", json=sent).status == status
    version = {"name": "m", "version": "1", "path": "a.txt"}
    assert ask(server, "GET", "/model-versions/get-artifact", fields=version).data == b"x"
    places = [root, "http://elsewhere:5000/api/2.0/mlflow-artifacts/artifacts", "http://tracking:5001/x"]
    made = [
        ask(server, "POST", f"{calls}experiments/create", json={"name": place, "artifact_location": place}).status
        for place in places
    ]
    assert made == [200, 400, 400]


def test_the_variables_of_a_compose_file_work(started: Any, tmp_path: Path) -> None:
    server = started(
        MLFLOW_BACKEND_STORE_URI=f"sqlite:///{tmp_path}/v.db",
        MLFLOW_ARTIFACTS_DESTINATION="./kept",
        MLFLOW_TRUNCATE_LONG_VALUES="false",
    )
    assert ask(server, "PUT", f"{FILES}/0/R/artifacts/a.txt", body=b"x").status == 200
    assert (tmp_path / "kept/0/R/artifacts/a.txt").read_bytes() == b"x"
    run = ask(server, "POST", "/api/2.0/mlflow/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]
    long = {"run_id": run["run_id"], "key": "p", "value": "x" * 6001}
    refused = ask(server, "POST", "/api/2.0/mlflow/runs/log-parameter", json=long)
    assert (refused.status, refused.json()["message"]) == (
        400,
        "'Param value' exceeds the maximum length of 6000 characters",
    )


def test_without_serving_artifacts_new_experiments_lie_in_the_servers_folder(started: Any, tmp_path: Path) -> None:
    server = started("--no-serve-artifacts")
    location = ask(server, "GET", EXPERIMENT).json()["experiment"]["artifact_location"]
    info = ask(server, "GET", "/api/3.0/mlflow/server-info").json()
    assert (location, info["artifact_serving_enabled"]) == (f"{tmp_path}/home/artifacts/0", False)
    assert ask(server, "GET", FILES).status == 503


def test_a_server_for_artifacts_alone_does_nothing_else(started: Any) -> None:
    server = started("--artifacts-only")
    assert ask(server, "PUT", f"{FILES}/a", body=b"x").status == 200
    assert ask(server, "GET", f"{FILES}/a").data == b"x"
    told = [ask(server, "GET", path) for path in (EXPERIMENT, "/", "/get-artifact")]
    assert [answer.status for answer in told] == [503, 503, 503]
    assert all(b"artifacts_only" in answer.data for answer in told)
    assert [ask(server, "GET", path).status for path in ("/health", "/version")] == [200, 200]


def test_a_prefix_stands_before_the_api_the_files_and_the_pages(started: Any) -> None:
    server = started("--static-prefix", "/tower")
    assert server.url.endswith("/tower")
    page = ask(server, "GET", "/experiments")
    links = [part.split(b'"')[0] for part in page.data.split(b'href="')[1:]]
    assert [link for link in links if link.startswith(b"/") and not link.startswith(b"/tower/")] == []
    style = next(link for link in links if link.endswith(b".css")).decode()
    assert ask(server, "GET", style.removeprefix("/tower")).status == 200
    assert ask(server, "GET", EXPERIMENT).status == 200
    assert ask(server, "PUT", f"{FILES}/a", body=b"x").status == 200
    server.url = server.url.removesuffix("/tower")
    assert [ask(server, "GET", path).status for path in (EXPERIMENT, "/health", "/metrics")] == [200, 200, 200]


def test_the_administrator_signs_in_with_the_password_of_the_variable(started: Any) -> None:
    server = started("--app-name", "basic-auth", MLFLOW_AUTH_ADMIN_PASSWORD=PASSWORD)
    nobody = ask(server, "GET", EXPERIMENT)
    assert (nobody.status, "MLFLOW_TRACKING_USERNAME" in nobody.json()["message"]) == (401, True)
    assert ask(server, "GET", EXPERIMENT, headers=basic("admin", PASSWORD)).status == 200
    open_paths = [ask(server, "GET", path).status for path in ("/health", "/version", "/api/3.0/mlflow/server-info")]
    assert open_paths == [200, 200, 200]
    wrong = [ask(server, "GET", EXPERIMENT, headers=basic("admin", "wrong")) for _ in range(5)]
    assert [answer.status for answer in wrong] == [401] * 5
    assert wrong[0].json()["error_code"] == "UNAUTHENTICATED"
    assert wrong[0].headers["www-authenticate"] == 'Basic realm="mlflow"'
    slowed = ask(server, "GET", EXPERIMENT, headers=basic("admin", "wrong"))
    assert (slowed.status, slowed.headers["retry-after"]) == (429, "1")


def test_other_sites_are_told_what_they_may_do(started: Any) -> None:
    server = started("--cors-allowed-origins", "https://app.example", "--x-frame-options", "DENY")
    path = "/api/2.0/mlflow/runs/search"
    allowed = {"Origin": "https://app.example", "Access-Control-Request-Headers": "content-type"}
    flight = ask(server, "OPTIONS", path, headers=allowed)
    assert (flight.status, flight.headers["access-control-allow-origin"]) == (204, "https://app.example")
    assert ask(server, "OPTIONS", path, headers={"Origin": "https://evil.example"}).status == 403
    sent = ask(server, "POST", path, json={}, headers={"Origin": "https://app.example"})
    assert (sent.status, sent.headers["access-control-allow-credentials"]) == (200, "true")
    assert "access-control-allow-origin" not in ask(server, "POST", path, json={}).headers
    assert sent.headers["x-frame-options"] == "DENY"
    evil = ask(server, "POST", path, json={}, headers={"Origin": "https://evil.example"})
    assert (evil.status, evil.headers.get("access-control-allow-origin")) == (403, None)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tower.example -addext subjectAltName=IP:127.0.0.1"
    command = ["openssl", *made.split(), "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return key, cert


def test_uvicorns_certificate_is_honoured(started: Any, certificate: tuple[Path, Path], tmp_path: Path) -> None:
    key, cert = certificate
    server = started("--uvicorn-opts", f"--ssl-keyfile {key} --ssl-certfile {cert}")
    assert server.url.startswith("https://127.0.0.1:")
    retries = urllib3.Retry(total=100, backoff_factor=0.01, backoff_max=0.05)
    with urllib3.PoolManager(ca_certs=str(cert), retries=retries) as pool:
        assert pool.request("GET", server.url + EXPERIMENT).status == 200
    with airside.open(tmp_path / "home") as client:  # knows the server by its certificate's digest
        assert client.url == server.url
        assert client.call(ListTokens()).items == ()
    assert server.stop() == 0


WRONG = [
    (("--disable-security-middleware",), "--allowed-hosts"),
    (("--backend-store-uri", "mysql://me@host/x"), "airside import mlflow"),
    (("--backend-store-uri", "./mlruns"), "airside import mlflow"),
    (("--backend-store-uri", "sqlite://"), "names no database file"),
    (("--registry-store-uri", "sqlite:///other.db"), "kept in one"),
    (("--static-prefix", "tower"), "begins with '/'"),
    (("--static-prefix", "/tower/"), "does not end with '/'"),
    (("--x-frame-options", "MAYBE"), "SAMEORIGIN, DENY, NONE"),
    (("--app-name", "basic-auth"), "MLFLOW_AUTH_ADMIN_PASSWORD"),
    (("--app-name", "other"), "basic-auth"),
    (("--artifacts-presigned-only",), "object store"),
    (("--artifacts-destination", "gs://bucket"), "s3://BUCKET/PREFIX"),
    (("--no-serve-artifacts", "--default-artifact-root", "mlflow-artifacts:/"), "serves no artifacts"),
    (("--enable-workspaces",), "no workspaces"),
    (("--ssl-keyfile", "/k.pem"), "--ssl-certfile"),
    (("--uvicorn-opts", "--ssl-keyfile /no.pem --ssl-certfile /no.pem"), "cannot be used"),
    (("--version-source-pattern", "("), "no regular expression"),
    (("--head-seconds", "0"), "1 or more"),
    (("--port", "70000"), "at most 65535"),
    (("--body-limit-mib", "0"), "1 or more"),
    (("--outbound-timeout-s", "nan"), "0.1 or more"),
    (("--synchronous", "MAYBE"), "FULL, NORMAL"),
    (("--outbound-schemes", "ftp"), "https, http or both"),
    (("--outbound-ca-file", "/no.pem"), "which is no file"),
    (("--serving-port", "-1"), "at most 65535"),
    (("--auth", "perhaps"), "auto, on, off"),
    (("--log-level", "loud"), "debug, info, warning, error"),
    (("--colour", "red"), "No such option"),
]


@pytest.mark.parametrize(("flags", "told"), WRONG, ids=[" ".join(flags) for flags, _ in WRONG])
def test_what_cannot_be_honoured_ends_with_status_2_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flags: Any, told: str
) -> None:
    from airside.client.cli.main import main

    monkeypatch.delenv("MLFLOW_AUTH_ADMIN_PASSWORD", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["airside", "server", "--home", str(tmp_path / "h"), "--port", "0", *flags])
    with pytest.raises(SystemExit) as end:
        main()
    assert (end.value.code, told in capsys.readouterr().err) == (2, True)


def test_a_variable_that_cannot_be_read_ends_with_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from airside.client.cli.main import main

    monkeypatch.setenv("MLFLOW_PORT", "abc")
    monkeypatch.setattr(sys, "argv", ["airside", "ui", "--home", str(tmp_path / "h")])  # `mlflow ui` is the server too
    with pytest.raises(SystemExit) as end:
        main()
    told = "MLFLOW_PORT is 'abc', but port is a whole number. Port of the control plane; 0 takes a free one.\n"
    assert (end.value.code, capsys.readouterr().err) == (2, told)


@pytest.mark.parametrize("name", ["mlflow.db", "mlruns"])
def test_what_mlflow_would_have_gone_on_with_is_named(tmp_path: Path, name: str) -> None:
    assert left_behind(tmp_path) == ""
    (tmp_path / name).touch()
    assert left_behind(tmp_path).startswith(f"{name} in this folder is not used. Take over what it holds with: ")


def test_the_administrator_may_have_another_name() -> None:
    login = login_of({"MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD, "MLFLOW_AUTH_ADMIN_USERNAME": "ops"})
    assert login.actor("ops", PASSWORD, "127.0.0.1").name == "ops"
    with pytest.raises(Unauthenticated):
        login.actor("admin", PASSWORD, "127.0.0.1")
    with pytest.raises(WrongUse, match="MLFLOW_AUTH_ADMIN_USERNAME has a colon"):
        login_of({"MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD, "MLFLOW_AUTH_ADMIN_USERNAME": "o:ps"})


@pytest.mark.parametrize(("password", "told"), [("short", "12 characters"), ("password1234", "tried first")])
def test_a_weak_password_ends_with_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], password: str, told: str
) -> None:
    from airside.client.cli.main import main

    monkeypatch.setenv("MLFLOW_AUTH_ADMIN_PASSWORD", password)
    command = ["airside", "server", "--home", str(tmp_path / "h"), "--port", "0", "--app-name", "basic-auth"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr().err
    assert (end.value.code, told in said, password in said) == (2, True, False)


def test_mlflows_own_database_is_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from airside.client.cli.main import main

    store = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(store)) as db:
        db.execute("CREATE TABLE alembic_version (version_num TEXT)")
        db.execute("CREATE TABLE experiments (experiment_id INTEGER)")
        db.commit()
    before = store.read_bytes()
    command = ["airside", "server", "--home", str(tmp_path / "h"), "--port", "0", "--backend-store-uri"]
    monkeypatch.setattr(sys, "argv", [*command, f"sqlite:///{store}"])
    with pytest.raises(SystemExit) as end:
        main()
    assert (end.value.code, "airside import mlflow" in capsys.readouterr().err) == (2, True)
    assert store.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("mlflow")) == ["mlflow.db"]
