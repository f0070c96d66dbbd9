"""Blobs in a folder: the contract, and what no crash and no full disk may leave."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from airside.core.errors import DiskFull
from airside.store.blobs.contract import BlobStoreContract
from airside.store.blobs.local import LocalBlobs
from airside.store.blobs.port import BlobStore
from airside.store.files import PIECE


class TestLocalBlobs(BlobStoreContract):
    """The contract on a folder."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.root = tmp_path

    def store(self) -> BlobStore:
        return LocalBlobs(self.root)


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_blob_larger_than_a_piece_comes_in_pieces(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    content = os.urandom(PIECE + 1)
    assert [len(piece) for piece in blobs.open(blobs.put([content]))] == [PIECE, 1]


def test_every_blob_is_listed(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    put = {blobs.put([bytes([number])]) for number in range(20)}
    assert set(blobs.list()) == put


def test_a_source_that_fails_leaves_nothing_and_is_told_as_it_is(tmp_path: Path) -> None:
    def source() -> Iterator[bytes]:
        yield b"half"
        raise FileNotFoundError("gone")

    blobs = LocalBlobs(tmp_path)
    with pytest.raises(FileNotFoundError, match="gone"):
        blobs.put(source())
    assert files(tmp_path) == []


@pytest.mark.parametrize("where", ["os.fsync", "tempfile.mkstemp", "pathlib.Path.replace"])
def test_a_full_disk_leaves_nothing_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def full(*_args: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    blobs = LocalBlobs(tmp_path)
    with monkeypatch.context() as during:
        during.setattr(where, full)
        with pytest.raises(DiskFull):
            blobs.put([b"x"])
    assert files(tmp_path) == []
    assert b"".join(blobs.open(blobs.put([b"x"]))) == b"x"


def test_what_is_kept_free_for_the_database_is_not_written(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path, free_bytes=lambda _: 10)
    assert b"".join(blobs.open(blobs.put([b"x" * 10]))) == b"x" * 10
    before = files(tmp_path)
    with pytest.raises(DiskFull):
        blobs.put([b"y" * 6, b"y" * 5])
    assert files(tmp_path) == before


INTERRUPTED = """
import sys
from pathlib import Path
from airside.store.blobs.local import LocalBlobs

def source():
    yield b"x" * 3_000_000
    print("half", flush=True)
    sys.stdin.read()

LocalBlobs(Path(sys.argv[1])).put(source())
"""


def test_a_write_ended_by_kill_leaves_no_half_blob(tmp_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writing:
        assert writing.stdout is not None
        assert writing.stdout.readline() == b"half\n"
        writing.send_signal(signal.SIGKILL)
    blobs = LocalBlobs(tmp_path)
    assert list(blobs.list()) == []
    whole = blobs.put([b"x" * 3_000_000])
    assert blobs.size(whole) == 3_000_000


def test_what_a_crash_left_is_swept_later(tmp_path: Path) -> None:
    LocalBlobs(tmp_path)
    left, fresh = tmp_path / "incoming" / "left", tmp_path / "incoming" / "fresh"
    left.write_bytes(b"half")
    fresh.write_bytes(b"half")
    os.utime(left, (0, 0))
    LocalBlobs(tmp_path)
    assert (left.exists(), fresh.exists()) == (False, True)
