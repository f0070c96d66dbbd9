"""`airside server --artifacts-destination s3://…`: the calls of MLflow's clients, with the bytes in a bucket."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tests.conftest import RunningServer

boto3 = pytest.importorskip("boto3")
moto_server = pytest.importorskip("moto.server")

pytestmark = pytest.mark.filterwarnings("ignore")  # of the object store's client and its double
PROXY = "/api/2.0/mlflow-artifacts"
API = "/api/2.0/mlflow"
AWS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


class Bucket:
    """A server that keeps its artifacts in a bucket."""

    def __init__(self, endpoint: str, home: Path) -> None:
        self.s3: Any = boto3.client("s3", endpoint_url=endpoint)
        self.s3.create_bucket(Bucket="kept")
        flags = ("--artifacts-destination", "s3://kept/below", "--artifact-roots", "s3://kept/direct")
        self.server = RunningServer(home, *flags, "--s3-endpoint-url", endpoint)
        self.pool = urllib3.PoolManager(retries=False)
        self.run = self("POST", f"{API}/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]["run_id"]
        self.root = f"0/{self.run}/artifacts"

    def __call__(self, method: str, path: str, **sent: Any) -> urllib3.BaseHTTPResponse:
        return self.pool.request(method, self.server.url + path, **sent)

    def stored(self) -> list[str]:
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket="kept").get("Contents", [])]


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    double = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    double.start()
    host, port = double.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in AWS.items():
            environment.setenv(name, value)
        made = Bucket(f"http://{host}:{port}", tmp_path_factory.mktemp("s3") / "home")
        yield made
        made.pool.clear()
        made.server.stop()
    double.stop()


def test_what_a_client_sends_lies_in_the_bucket_under_its_name(bucket: Bucket) -> None:
    path = f"{bucket.root}/d/a.txt"
    assert bucket("PUT", f"{PROXY}/artifacts/{path}", body=b"hello world").status == 200
    assert bucket.s3.get_object(Bucket="kept", Key=f"below/{path}")["Body"].read() == b"hello world"
    listed = bucket("GET", f"{API}/artifacts/list?run_id={bucket.run}&path=d").json()
    assert listed["files"] == [{"path": "d/a.txt", "is_dir": False, "file_size": 11}]


def test_a_part_a_head_and_a_known_file_cost_what_is_asked(bucket: Bucket) -> None:
    address = f"{PROXY}/artifacts/{bucket.root}/b.txt"
    bucket("PUT", address, body=b"hello world")
    part = bucket("GET", address, headers={"Range": "bytes=6-"})
    assert (part.status, part.data, part.headers["content-range"]) == (206, b"world", "bytes 6-10/11")
    head = bucket("HEAD", address)
    assert (head.status, head.data, head.headers["content-length"]) == (200, b"", "11")
    assert bucket("GET", address, headers={"If-None-Match": head.headers["etag"]}).status == 304


def test_a_client_moves_a_large_file_past_the_server(bucket: Bucket) -> None:
    info = bucket("GET", "/api/3.0/mlflow/server-info").json()
    assert (info["multipart_uploads_enabled"], info["multipart_downloads_enabled"]) == (True, True)
    sent = {"path": "big.bin", "num_parts": 1}
    begun = bucket("POST", f"{PROXY}/mpu/create/{bucket.root}", json=sent).json()
    (part,) = begun["credentials"]
    tag = bucket.pool.request("PUT", part["url"], body=b"large", headers=part["headers"]).headers["etag"]
    assert f"below/{bucket.root}/big.bin" not in bucket.stored()
    parts = [{"part_number": 1, "etag": tag, "url": part["url"]}]
    whole = {"path": "big.bin", "upload_id": begun["upload_id"], "parts": parts}
    assert bucket("POST", f"{PROXY}/mpu/complete/{bucket.root}", json=whole).json() == {}
    signed = bucket("GET", f"{PROXY}/presigned/{bucket.root}/big.bin").json()
    assert (bucket.pool.request("GET", signed["url"]).data, signed["file_size"]) == (b"large", 5)


def test_a_file_of_a_run_in_the_bucket_moves_by_a_signed_address(bucket: Bucket) -> None:
    place = {"name": "direct", "artifact_location": "s3://kept/direct"}
    held = bucket("POST", f"{API}/experiments/create", json=place).json()["experiment_id"]
    run = bucket("POST", f"{API}/runs/create", json={"experiment_id": held}).json()["run"]["info"]["run_id"]
    file = {"run_id": run, "path": "d/a.txt"}
    to = bucket("POST", f"{API}/artifacts/presigned-upload-url", json=file).json()["presigned_url"]
    assert bucket.pool.request("PUT", to, body=b"signed").status == 200
    assert bucket.s3.get_object(Bucket="kept", Key=f"direct/{run}/artifacts/d/a.txt")["Body"].read() == b"signed"
    got = bucket("POST", f"{API}/artifacts/presigned-download-url", json=file).json()
    assert (got["file_size"], bucket.pool.request("GET", got["presigned_url"]).data) == (6, b"signed")


@pytest.mark.parametrize("what", ["upload", "download"])
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"run_id": "{run}", "path": "a"}, 400),  # it goes through the server
        ({"run_id": "{run}"}, 400),
        ({"path": "a"}, 400),
        ({"run_id": "{run}", "path": "../a"}, 400),
        ({"run_id": "nobody", "path": "a"}, 404),
    ],
)
def test_what_cannot_be_signed_is_told(bucket: Bucket, what: str, sent: dict[str, str], status: int) -> None:
    sent = {name: value.replace("{run}", bucket.run) for name, value in sent.items()}
    assert bucket("POST", f"{API}/artifacts/presigned-{what}-url", json=sent).status == status


def test_a_removed_run_leaves_nothing_in_the_bucket(bucket: Bucket) -> None:
    run = bucket("POST", f"{API}/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]["run_id"]
    bucket("PUT", f"{PROXY}/artifacts/0/{run}/artifacts/a.txt", body=b"x")
    bucket("POST", f"{PROXY}/mpu/create/0/{run}/artifacts", json={"path": "half.bin", "num_parts": 1})
    bucket("POST", f"{API}/runs/delete", json={"run_id": run})
    command = [sys.executable, "-m", "airside", "gc", "--home", str(bucket.server.home), "--run-ids", run]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **AWS})
    assert [key for key in bucket.stored() if run in key] == []
    begun = bucket.s3.list_multipart_uploads(Bucket="kept").get("Uploads", [])
    assert [each["Key"] for each in begun if run in each["Key"]] == []
