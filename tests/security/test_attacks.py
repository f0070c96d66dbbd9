"""What was done to MLflow servers, played back: each class of attack on each way in, and the honest use of the door.

The numbers are of published advisories. Canaries lie beside the roots; none of them is read, changed or named.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tests.conftest import RunningServer

API = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
CANARY = b"canary-5f1c"


class Target:
    """A server with a canary beside its home, a run, and a registered model."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "canary.txt").write_bytes(CANARY)
        self.running = RunningServer(folder / "home")
        self.pool = urllib3.PoolManager(retries=False)
        self.run = self("POST", f"{API}/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]["run_id"]
        self("POST", f"{API}/registered-models/create", json={"name": "m"})
        self.root = f"0/{self.run}/artifacts"
        assert self("PUT", f"{FILES}/{self.root}/a.txt", body=b"honest").status == 200

    def __call__(self, method: str, path: str, **sent: Any) -> urllib3.BaseHTTPResponse:
        return self.pool.request(method, self.running.url + path, **sent)

    def experiment(self, location: str) -> str:
        """A run in an experiment with a location of the client's; empty when the location is refused."""
        name = f"e{abs(hash(location))}"
        made = self("POST", f"{API}/experiments/create", json={"name": name, "artifact_location": location})
        if made.status != 200:
            return ""
        sent = {"experiment_id": made.json()["experiment_id"]}
        run_id: str = self("POST", f"{API}/runs/create", json=sent).json()["run"]["info"]["run_id"]
        return run_id

    def is_unharmed(self) -> bool:
        """Whether the canary is whole, and nothing was written beside the home."""
        beside = {path.name for path in self.folder.iterdir()}
        return (self.folder / "canary.txt").read_bytes() == CANARY and beside == {"canary.txt", "home"}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    made = Target(tmp_path_factory.mktemp("attacked"))
    yield made
    assert made.is_unharmed()
    made.pool.clear()
    made.running.stop()


WAYS_OUT = [
    "../../../../canary.txt",  # CVE-2023-1177, CVE-2023-6018
    "%2e%2e/%2e%2e/%2e%2e/%2e%2e/canary.txt",  # CVE-2024-1483
    "..%2f..%2f..%2f..%2fcanary.txt",
    "%252e%252e%252f%252e%252e%252fcanary.txt",  # CVE-2024-2928: decoded a second time
    "a/..;/..;/canary.txt",
    "a#/../../canary.txt",  # CVE-2024-1560: the fragment decided the path
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "file:///etc/passwd",  # CVE-2023-6909
    "C:/windows/win.ini",
    "..\\..\\canary.txt",
    "a%00.txt",
]


@pytest.mark.parametrize("way", WAYS_OUT)
@pytest.mark.parametrize("twin", ["/api", "/ajax-api"])
def test_no_path_of_the_proxy_leads_out(target: Target, way: str, twin: str) -> None:
    base = f"{twin}/2.0/mlflow-artifacts/artifacts"
    answers = [
        target("GET", f"{base}/{way}"),
        target("PUT", f"{base}/x/{way}", body=b"x"),
        target("DELETE", f"{base}/x/{way}"),
        target("GET", base, fields={"path": way}),
        target("GET", f"{twin}/2.0/mlflow/artifacts/list", fields={"run_id": target.run, "path": way}),
        target("GET", "/get-artifact", fields={"run_uuid": target.run, "path": way}),
        target("POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={target.run}&path={way}", body=b"x"),
        target("POST", f"{twin}/2.0/mlflow-artifacts/mpu/create/{way}", json={"path": "x", "num_parts": 1}),
        target("GET", f"{twin}/2.0/mlflow-artifacts/presigned/{way}"),
    ]
    assert all(CANARY not in answer.data and b"root:" not in answer.data for answer in answers)
    assert all(answer.status < 500 or answer.status == 501 for answer in answers)
    assert str(target.folder).encode() not in b"".join(answer.data for answer in answers)
    assert target.is_unharmed()


LOCATIONS = [
    "/etc",  # CVE-2023-6018, CVE-2025-11201: any folder as the place of artifacts
    "file:///etc",
    "file:/etc",
    "FILE:///etc",
    "file://localhost/etc",
    "{folder}",
    "file://{folder}",
    "{folder}/home/artifacts/..",
    "file://{folder}/home/artifacts/%2e%2e/..",
    "{folder}/home",
    "/proc/self",
    "//etc",
]


@pytest.mark.parametrize("location", LOCATIONS)
def test_a_location_of_a_clients_is_text_and_nothing_more(target: Target, location: str) -> None:
    run_id = target.experiment(location.format(folder=target.folder))
    if not run_id:
        return
    asked = {"run_id": run_id, "path": "canary.txt"}
    up = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run_id}&path=x.txt"
    answers = [
        target("GET", f"{API}/artifacts/list", fields={"run_id": run_id}),
        target("GET", "/get-artifact", fields=asked),
        target("POST", up, body=b"x"),
    ]
    assert [answer.status for answer in answers] == [400, 400, 400]
    assert b"artifact_roots" in answers[0].data or b"Invalid path" in answers[0].data
    assert all(CANARY not in answer.data for answer in answers)
    assert target.is_unharmed()


REFUSED_LOCATIONS = [
    "http://169.254.169.254/latest",  # server-side requests: CVE-2023-6974
    "https://evil.example/x",
    "ftp://evil.example/x",
    "hdfs://evil.example/x",
    "mlflow-artifacts://evil.example/x",
    "file:///x?a=../..",  # CVE-2024-1560
    "/x;../../etc",  # CVE-2024-1594
    "/x#../../etc",
    "runs:/x/y",
]


@pytest.mark.parametrize("location", REFUSED_LOCATIONS)
def test_a_location_that_names_a_host_or_hides_a_path_is_refused(target: Target, location: str) -> None:
    assert target.experiment(location) == ""


SOURCES = [
    "/etc",  # CVE-2023-6831, CVE-2024-27134
    "file:///etc/passwd",
    "file://{folder}",
    "//evil.example/share",
    "http://169.254.169.254/",
    "ftp://evil.example/x",
    "mlflow-artifacts:/../../canary.txt",
    "mlflow-artifacts://evil.example/0/x",
    "mlflow-artifacts:/0/{run}/artifacts/../../../x",
    "mlflow-artifacts:/0/{run}/artifacts/%2e%2e/%2e%2e/x",
    "runs:/other/model",
    "models:/../x",
    "s3://bucket/../x",
    "dbfs:/a/%2e%2e/b",
]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("with_run", [True, False])
def test_a_version_has_no_source_that_the_server_could_be_led_by(target: Target, source: str, with_run: bool) -> None:
    sent = {"name": "m", "source": source.format(folder=target.folder, run=target.run)}
    answer = target("POST", f"{API}/model-versions/create", json=sent | ({"run_id": target.run} if with_run else {}))
    assert answer.status in (400, 404)
    assert str(target.folder).encode() not in answer.data.replace(sent["source"].encode(), b"")


def test_no_tag_switches_a_check_off(target: Target) -> None:  # CVE-2026-2614
    tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    answer = target("POST", f"{API}/model-versions/create", json={"name": "m", "source": "file:///etc", "tags": tags})
    assert answer.status == 400


SITES = [
    ({"Host": "evil.example"}, 403),  # CVE-2025-14279: rebinding
    ({"Host": "127.0.0.1.evil.example"}, 403),
    ({"Host": "localhost.evil.example:5000"}, 403),
    ({"Origin": "http://evil.example"}, 403),  # CVE-2025-1473, CVE-2026-2611
    ({"Origin": "null"}, 403),
    ({"Origin": "http://localhost.evil.example"}, 403),
    ({"Origin": "http://127.0.0.1@evil.example"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Origin": "http://localhost:3000"}, 200),
    ({}, 200),
]


@pytest.mark.parametrize(("headers", "status"), SITES)
@pytest.mark.parametrize(
    ("path", "sent"),
    [
        (f"{API}/runs/search", {}),
        ("/ajax-api/2.0/mlflow/runs/search", {}),
        ("/api/v1/experiments.search", {}),
    ],
)
def test_pages_of_other_sites_write_nothing(
    target: Target, headers: dict[str, str], status: int, path: str, sent: dict[str, Any]
) -> None:
    assert target("POST", path, json=sent, headers=headers).status == status


def test_an_uploaded_page_is_never_active_here(target: Target) -> None:  # CVE-2023-6568, CVE-2024-27132
    body = b"<script>alert(1)</script>"
    assert target("PUT", f"{FILES}/{target.root}/x.html", body=body).status == 200
    for path in (f"{FILES}/{target.root}/x.html", f"/get-artifact?run_id={target.run}&path=x.html"):
        answer = target("GET", path)
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_a_header_would_break_is_quoted(target: Target) -> None:
    name = "a%22%3b%20filename%3d%22b.html"
    assert target("PUT", f"{FILES}/{target.root}/{name}", body=b"x").status == 200
    shown = target("GET", f"{FILES}/{target.root}/{name}").headers["content-disposition"]
    assert shown.count('"') in (0, 2)


def test_the_honest_use_of_every_door_works(target: Target) -> None:
    assert target("GET", f"{FILES}/{target.root}/a.txt").data == b"honest"
    assert target("GET", "/get-artifact", fields={"run_id": target.run, "path": "a.txt"}).data == b"honest"
    source = {"name": "m", "source": f"mlflow-artifacts:/{target.root}/model", "run_id": target.run}
    assert target("POST", f"{API}/model-versions/create", json=source).status == 200
    assert target.experiment("s3://bucket/anything") != ""
