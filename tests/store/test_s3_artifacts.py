"""Artifacts in an object store: the contract of every store, against moto's server."""

from collections.abc import Iterator

import pytest
import urllib3

boto3 = pytest.importorskip("boto3")
moto_server = pytest.importorskip("moto.server")

from airside.core.errors import Invalid, NotFound, Unavailable, WrongUse  # noqa: E402
from airside.store.artifacts import s3 as module  # noqa: E402
from airside.store.artifacts.contract import ArtifactStoreContract  # noqa: E402
from airside.store.artifacts.s3 import S3Artifacts  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # of the object store's client and its double


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def store(endpoint: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> S3Artifacts:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    bucket = f"b{abs(hash(request.node.name)):x}"
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=bucket)
    return S3Artifacts(f"s3://{bucket}/some/prefix", endpoint_url=endpoint)


class TestS3Artifacts(ArtifactStoreContract):
    """Every promise of the port."""


def test_a_large_file_goes_in_parts(store: S3Artifacts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 5 << 20)
    store.write("big", (b"x" * (1 << 20) for _ in range(11)))
    with store.open("big") as file:
        assert file.stat.size_bytes == 11 << 20
        assert b"".join(file.pieces((5 << 20) - 1, (5 << 20) + 1)) == b"xx"


def test_an_upload_that_breaks_leaves_nothing(store: S3Artifacts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 5 << 20)

    def broken() -> Iterator[bytes]:
        yield b"x" * (11 << 20)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.write("big", broken())
    assert store.list() == ()
    assert store._s3.list_multipart_uploads(Bucket=store._bucket).get("Uploads", []) == []


def test_parts_grow_so_that_their_number_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 2)
    monkeypatch.setattr(module, "GROW_EVERY", 3)
    assert [len(part) for part in module._parts([b"x" * 25])] == [2, 2, 2, 4, 4, 4, 7]


def test_clients_move_large_files_by_signed_addresses(store: S3Artifacts) -> None:
    upload, parts = store.begin_parts("d/big", 1)
    with urllib3.PoolManager() as pool:
        sent = pool.request("PUT", parts[0].url, body=b"hello")
        store.end_parts("d/big", upload, [(1, sent.headers["ETag"])])
        url, size = store.signed_get("d/big")
        assert (pool.request("GET", url).data, size) == (b"hello", 5)
    with pytest.raises(NotFound):
        store.signed_get("d")


def test_an_upload_in_parts_is_given_up(store: S3Artifacts) -> None:
    upload, _ = store.begin_parts("a", 2)
    store.drop_parts("a", upload)
    assert store._s3.list_multipart_uploads(Bucket=store._bucket).get("Uploads", []) == []
    with pytest.raises(Invalid, match="num_parts"):
        store.begin_parts("a", 0)


def test_a_deleted_folder_takes_along_what_was_begun_below_it(store: S3Artifacts) -> None:
    store.begin_parts("1/r/half", 1)
    store.begin_parts("1/other/half", 1)
    store.delete("1/r")
    left = store._s3.list_multipart_uploads(Bucket=store._bucket)["Uploads"]
    assert [each["Key"] for each in left] == ["some/prefix/1/other/half"]


def test_a_bucket_that_is_not_there_is_told(store: S3Artifacts, endpoint: str) -> None:
    other = S3Artifacts("s3://nowhere-at-all/x", endpoint_url=endpoint)
    with pytest.raises(Unavailable, match="NoSuchBucket"):
        other.list()


def test_an_address_without_a_bucket_is_refused() -> None:
    with pytest.raises(WrongUse, match="names no bucket"):
        S3Artifacts("s3:///x")
