"""Artifact bytes on MLflow's wire, against a real server process."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tests.conftest import RunningServer

from airside.server.mlflow.artifacts import MAX_UI_UPLOAD

PROXY = "/api/2.0/mlflow-artifacts/"
FILES = f"{PROXY}artifacts"


class Files:
    """A server, a run on it, and calls of its paths."""

    def __init__(self, running: RunningServer) -> None:
        self.running = running
        self.pool = urllib3.PoolManager(retries=False)
        self.run = self("POST", "/api/2.0/mlflow/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]
        self.root = f"{FILES}/0/{self.run['run_id']}/artifacts"

    def __call__(self, method: str, path: str, **sent: Any) -> urllib3.BaseHTTPResponse:
        return self.pool.request(method, self.running.url + path, **sent)

    def put(self, name: str, body: bytes) -> int:
        return self("PUT", f"{self.root}/{name}", body=body).status


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    running = RunningServer(tmp_path_factory.mktemp("files") / "home")
    call = Files(running)
    for name, body in (("a.txt", b"hello world"), ("d/b.json", b"{}"), ("d/e/MLmodel", b"x: 1"), ("empty", b"")):
        assert call.put(name, body) == 200
    yield call
    call.pool.clear()
    running.stop()


def test_a_file_comes_back_with_its_headers(files: Files) -> None:
    answer = files("GET", f"{files.root}/a.txt")
    shown = {name: answer.headers[name] for name in ("content-type", "content-disposition", "accept-ranges")}
    assert (answer.status, answer.data) == (200, b"hello world")
    assert shown == {
        "content-type": "text/plain",
        "content-disposition": "attachment; filename=a.txt",
        "accept-ranges": "bytes",
    }
    assert answer.headers["etag"]
    assert answer.headers["last-modified"].endswith("GMT")


def test_it_lies_under_its_own_name(files: Files) -> None:
    place = files.running.home / "artifacts" / "0" / files.run["run_id"] / "artifacts" / "a.txt"
    assert place.read_bytes() == b"hello world"


RANGES = [
    ("bytes=2-4", 206, b"llo", "bytes 2-4/11"),
    ("bytes=-3", 206, b"rld", "bytes 8-10/11"),
    ("bytes=6-", 206, b"world", "bytes 6-10/11"),
    ("bytes=6-99", 206, b"world", "bytes 6-10/11"),
    ("bytes=50-", 416, b"", "bytes */11"),
    ("bytes=1-4,4-5", 200, b"hello world", None),
    ("bytes=4-2", 200, b"hello world", None),
    ("lines=1-2", 200, b"hello world", None),
]


@pytest.mark.parametrize(("asked", "status", "body", "shown"), RANGES)
def test_a_range_is_a_part(files: Files, asked: str, status: int, body: bytes, shown: str | None) -> None:
    answer = files("GET", f"{files.root}/a.txt", headers={"Range": asked})
    assert (answer.status, answer.data, answer.headers.get("content-range")) == (status, body, shown)


def test_several_ranges_come_in_parts(files: Files) -> None:
    answer = files("GET", f"{files.root}/a.txt", headers={"Range": "bytes=0-1,6-7"})
    kind, _, mark = answer.headers["content-type"].partition("; boundary=")
    part = "--{}\r\nContent-Type: text/plain\r\nContent-Range: bytes {}/11\r\n\r\n{}\r\n"
    body = part.format(mark, "0-1", "he") + part.format(mark, "6-7", "wo") + f"--{mark}--\r\n"
    assert (answer.status, kind, answer.data) == (206, "multipart/byteranges", body.encode())
    assert answer.headers["content-length"] == str(len(body))


def test_what_the_caller_has_is_not_sent_again(files: Files) -> None:
    head = files("HEAD", f"{files.root}/a.txt").headers
    same = files("GET", f"{files.root}/a.txt", headers={"If-None-Match": head["etag"]})
    since = files("GET", f"{files.root}/a.txt", headers={"If-Modified-Since": head["last-modified"]})
    other = files("GET", f"{files.root}/a.txt", headers={"If-Match": '"x"'})
    assert [(each.status, each.data) for each in (same, since, other)] == [(304, b""), (304, b""), (412, b"")]


def test_of_uploads_to_one_place_at_once_one_is_there_whole(files: Files) -> None:
    bodies = [bytes([65 + number]) * 300_000 for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda body: files.put("race", body), bodies)) == [200] * 4
    assert files("GET", f"{files.root}/race").data in bodies


def test_an_upload_that_is_broken_off_leaves_nothing(files: Files) -> None:
    head = f"PUT {files.root}/half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", files.running.port)) as raw:
        raw.sendall(head.encode() + b"x" * 200_000)
    assert files("GET", f"{files.root}/half").status == 404


def test_a_range_of_another_content_is_the_whole(files: Files) -> None:
    etag = files("HEAD", f"{files.root}/a.txt").headers["etag"]
    same = files("GET", f"{files.root}/a.txt", headers={"Range": "bytes=0-0", "If-Range": etag})
    other = files("GET", f"{files.root}/a.txt", headers={"Range": "bytes=0-0", "If-Range": '"x"'})
    assert (same.status, other.status) == (206, 200)


def test_a_head_has_the_length_and_no_body(files: Files) -> None:
    answer = files("HEAD", f"{files.root}/a.txt")
    assert (answer.status, answer.headers["content-length"], answer.data) == (200, "11", b"")


def test_a_large_file_streams_both_ways(files: Files) -> None:
    piece = bytes(range(256)) * 4096
    assert files("PUT", f"{files.root}/big", body=(piece for _ in range(8))).status == 200
    answer = files("GET", f"{files.root}/big")
    assert (len(answer.data), answer.data[-256:]) == (8 << 20, bytes(range(256)))
    assert answer.headers["content-length"] == str(8 << 20)


def test_a_name_of_the_world_is_kept(files: Files) -> None:
    assert files.put("%C3%BC%20%C3%B6.txt", b"u") == 200
    answer = files("GET", f"{files.root}/%C3%BC%20%C3%B6.txt")
    assert "filename*=UTF-8''%C3%BC%20%C3%B6.txt" in answer.headers["content-disposition"]


def test_a_folder_is_listed_one_level_by_name(files: Files) -> None:
    path = files.root.removeprefix(f"{FILES}/")
    listed = files("GET", FILES, fields={"path": f"{path}/d"}).json()
    nothing = [files("GET", FILES, fields={"path": p}).json() for p in (f"{path}/nope", f"{path}/a.txt")]
    assert listed == {"files": [{"path": "b.json", "is_dir": False, "file_size": 2}, {"path": "e", "is_dir": True}]}
    assert nothing == [{}, {}]


def test_a_run_lists_relative_to_its_root(files: Files) -> None:
    path = "/api/2.0/mlflow/artifacts/list"
    listed = files("GET", path, fields={"run_id": files.run["run_id"], "path": "d"}).json()
    nothing = files("GET", path, fields={"run_uuid": files.run["run_id"], "path": "nope"}).json()
    assert [each["path"] for each in listed["files"]] == ["d/b.json", "d/e"]
    assert nothing == {"root_uri": files.run["artifact_uri"]}


def test_the_user_interface_has_ways_of_its_own(files: Files) -> None:
    sent = {"run_uuid": files.run["run_id"], "path": "up.txt"}
    up = files("POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={sent['run_uuid']}&path=up.txt", body=b"up")
    down = files("GET", "/get-artifact", fields={"run_id": files.run["run_id"], "path": "up.txt"})
    empty = files("POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={sent['run_uuid']}&path=up.txt")
    assert (up.status, down.data) == (200, b"up")
    assert (empty.status, empty.json()["message"]) == (400, "Request must specify data.")
    path = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={sent['run_uuid']}&path=up.txt"
    large = files("POST", path, body=b"x" * (MAX_UI_UPLOAD + 1))
    assert (large.status, large.json()["message"]) == (400, "Artifact size is too large. Max size is 10MB.")


def test_a_wrong_path_is_told_before_a_wrong_name(files: Files) -> None:
    named = {"name": "nobody", "version": "1", "path": "../x"}
    refused = files("GET", "/model-versions/get-artifact", fields=named)
    assert (refused.status, refused.json()["message"]) == (400, "Invalid path")


def test_a_version_and_a_logged_model_show_their_files(files: Files) -> None:
    mlflow = "/api/2.0/mlflow"
    made = files("POST", f"{mlflow}/logged-models", json={"experiment_id": "0"}).json()["model"]["info"]
    model_id = made["model_id"]
    files("PUT", f"{FILES}/0/models/{model_id}/artifacts/data/MLmodel", body=b"x: 1")
    files("POST", f"{mlflow}/registered-models/create", json={"name": "m"})
    version = {"name": "m", "source": f"models:/{model_id}", "model_id": model_id}
    assert files("POST", f"{mlflow}/model-versions/create", json=version).status == 200
    named = {"name": "m", "version": "1", "path": "data/MLmodel"}
    of_version = files("GET", "/model-versions/get-artifact", fields=named)
    path = f"/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files"
    of_model = files("GET", path, fields={"artifact_file_path": "data/MLmodel"})
    listed = files("GET", f"{mlflow}/logged-models/{model_id}/artifacts/directories").json()
    assert (of_version.data, of_model.data) == (b"x: 1", b"x: 1")
    assert listed == {"root_uri": made["artifact_uri"], "files": [{"path": "data", "is_dir": True}]}


def test_a_deletion_is_recursive_and_may_be_repeated(files: Files) -> None:
    files.put("gone/x/y", b"1")
    answers = [files("DELETE", f"{files.root}/gone") for _ in range(2)]
    assert [(each.status, each.json()) for each in answers] == [(200, {}), (200, {})]
    assert files("GET", f"{files.root}/gone/x/y").status == 404


def test_what_needs_an_object_store_falls_back(files: Files) -> None:
    body = b'{"path": "f", "num_parts": 2, "upload_id": "u"}'
    json_type = {"Content-Type": "application/json"}
    answers = [
        files("POST", f"{PROXY}mpu/{step}/x", body=body, headers=json_type) for step in ("create", "complete", "abort")
    ]
    answers.append(files("GET", f"{PROXY}presigned/x"))
    assert [(each.status, each.json()["error_code"]) for each in answers] == [(501, "NOT_IMPLEMENTED")] * 4


HOSTILE = ("..%2f..%2fx", "%2e%2e/x", "%252e%252e/x", "a%23b", "a%00", "x" * 256, ".%2e/x")


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE", "HEAD"])
def test_a_hostile_path_is_refused_on_every_way_in(files: Files, method: str, path: str) -> None:
    answer = files(method, f"{files.root}/{path}", body=b"x" if method == "PUT" else None)
    assert answer.status == 400
    assert str(files.running.home).encode() not in answer.data


@pytest.mark.parametrize("path", ["../..", "/etc", "%2e%2e", "a#b"])
def test_a_hostile_path_in_a_query_is_refused(files: Files, path: str) -> None:
    run = {"run_id": files.run["run_id"]}
    answers = [
        files("GET", FILES, fields={"path": path}),
        files("GET", "/api/2.0/mlflow/artifacts/list", fields={**run, "path": path}),
        files("GET", "/get-artifact", fields={**run, "path": path}),
    ]
    assert [each.status for each in answers] == [400, 400, 400]


WRONG = [("d", 400), ("a.txt/x", 400), ("t/", 400)]


@pytest.mark.parametrize(("path", "status"), WRONG)
def test_a_file_cannot_take_the_place_of_a_folder(files: Files, path: str, status: int) -> None:
    assert files.put(path, b"x") == status


def test_what_is_not_there_is_said_in_mlflows_words(files: Files) -> None:
    answer = files("GET", f"{files.root}/nope").json()
    assert answer["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert answer["message"] == f"No such artifact: '0/{files.run['run_id']}/artifacts/nope'"


def test_a_server_that_keeps_no_artifacts_says_so(tmp_path: Path) -> None:
    running = RunningServer(tmp_path / "home", "--no-serve-artifacts")
    try:
        with urllib3.PoolManager(retries=False) as pool:
            answer = pool.request("GET", running.url + FILES)
        assert (answer.status, answer.headers["content-type"]) == (503, "text/plain; charset=utf-8")
    finally:
        running.stop()


def test_the_data_of_a_trace_that_its_client_stored_is_served(files: Files) -> None:
    given = {"experiment_id": "0", "timestamp_ms": 1}
    info = files("POST", "/api/2.0/mlflow/traces", json=given).json()["trace_info"]
    trace, place = info["request_id"], next(tag for tag in info["tags"] if tag["key"] == "mlflow.artifactLocation")
    path = place["value"].removeprefix("mlflow-artifacts:")
    assert files("PUT", f"{FILES}{path}/traces.json", body=b'{"spans": []}').status == 200
    asked = "/ajax-api/3.0/mlflow/get-trace-artifact"
    answers = [files("GET", asked, fields=sent) for sent in ({"request_id": trace}, {"request_id": "tr-0"}, {})]
    assert [answer.status for answer in answers] == [200, 404, 400]
    assert answers[0].data == b'{"spans": []}'
