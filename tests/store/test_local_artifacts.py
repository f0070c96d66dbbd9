import os
from collections.abc import Callable
from pathlib import Path

import pytest

from airside.core.errors import DiskFull, Invalid, NotFound
from airside.store.artifacts.contract import ArtifactStoreContract
from airside.store.artifacts.local import INCOMING, LEFT_OVER_S, LocalArtifacts


class TestLocalArtifacts(ArtifactStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalArtifacts:
        return LocalArtifacts(tmp_path / "artifacts")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


def test_files_lie_under_their_own_names(root: Path) -> None:
    LocalArtifacts(root).write("3/R/artifacts/a.txt", [b"1"])
    assert (root / "3" / "R" / "artifacts" / "a.txt").read_bytes() == b"1"


def test_files_are_private(root: Path) -> None:
    LocalArtifacts(root).write("d/a", [b"1"])
    modes = [oct((root / path).stat().st_mode & 0o777) for path in ("d", "d/a", INCOMING)]
    assert modes == ["0o700", "0o600", "0o700"]


def test_the_root_may_be_a_link_of_the_operators(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    LocalArtifacts(tmp_path / "link").write("a", [b"1"])
    assert (tmp_path / "disk" / "a").read_bytes() == b"1"


LINKED: tuple[tuple[str, Callable[[LocalArtifacts, str], object]], ...] = (
    ("open", lambda store, path: store.open(path)),
    ("write below", lambda store, path: store.write(f"{path}/x", [b"1"])),
    ("open below", lambda store, path: store.open(f"{path}/secret")),
)


@pytest.mark.parametrize(("what", "call"), LINKED, ids=[name for name, _ in LINKED])
@pytest.mark.parametrize("target", ["outside", "inside"])
def test_a_link_below_the_root_is_not_followed(
    root: Path, what: str, call: Callable[[LocalArtifacts, str], object], target: str
) -> None:
    store = LocalArtifacts(root)
    store.write("inside/secret", [b"1"])
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("2")
    (root / "link").symlink_to({"outside": outside, "inside": root / "inside"}[target])
    with pytest.raises((Invalid, NotFound)):
        call(store, "link")
    assert [each.path for each in store.list()] == ["inside"]
    assert store.stat("link") is None
    assert sorted(path.name for path in outside.iterdir()) == ["secret"], what


@pytest.mark.parametrize("target", ["outside", "inside"])
def test_a_link_to_a_file_is_not_there(root: Path, target: str) -> None:
    store = LocalArtifacts(root)
    store.write("inside", [b"1"])
    (root.parent / "outside").write_text("secret")
    (root / "link").symlink_to({"outside": root.parent / "outside", "inside": root / "inside"}[target])
    with pytest.raises(NotFound):
        store.open("link")


def test_a_write_replaces_a_link_and_not_its_target(root: Path) -> None:
    store = LocalArtifacts(root)
    target = root.parent / "target"
    target.write_text("old")
    (root / "link").symlink_to(target)
    store.write("link", [b"new"])
    assert (target.read_text(), (root / "link").read_text()) == ("old", "new")


def test_a_deletion_takes_a_link_and_leaves_its_target(root: Path) -> None:
    store = LocalArtifacts(root)
    target = root.parent / "target"
    target.mkdir()
    (target / "kept").write_text("1")
    store.write("d/a", [b"1"])
    (root / "d" / "link").symlink_to(target)
    store.delete("d")
    assert (target / "kept").exists()
    assert not (root / "d").exists()


def test_special_files_are_not_there(root: Path) -> None:
    store = LocalArtifacts(root)
    os.mkfifo(root / "pipe")
    assert (store.list(), store.stat("pipe")) == ((), None)
    with pytest.raises(NotFound):
        store.open("pipe")


def test_names_that_are_not_text_are_not_listed(root: Path) -> None:
    store = LocalArtifacts(root)
    os.close(os.open(os.fsencode(root) + b"/\xff", os.O_CREAT))
    assert store.list() == ()


def test_the_folder_of_uploads_is_no_name_of_a_clients(root: Path) -> None:
    store = LocalArtifacts(root)
    for call in (store.open, store.stat, store.list, store.delete):
        with pytest.raises(Invalid, match="Invalid path"):
            call(f"{INCOMING}/x" if call != store.list else INCOMING)


def test_an_upload_that_a_crash_interrupted_is_removed_a_day_later(root: Path) -> None:
    LocalArtifacts(root)
    for name, age_s in (("old", LEFT_OVER_S + 60), ("young", 0)):
        left = root / INCOMING / name
        left.write_text("half")
        now = left.stat().st_mtime
        os.utime(left, (now - age_s, now - age_s))
    LocalArtifacts(root)
    assert [path.name for path in (root / INCOMING).iterdir()] == ["young"]


@pytest.mark.parametrize("announced", [None, 11])
def test_an_upload_that_would_fill_the_disk_is_refused(root: Path, announced: int | None) -> None:
    store = LocalArtifacts(root, free_bytes=lambda _: 10)
    with pytest.raises(DiskFull):
        store.write("a", [b"123456", b"78901"], size_bytes=announced)
    assert (store.list(), list((root / INCOMING).iterdir())) == ((), [])


def test_a_link_in_the_place_of_uploads_is_followed_by_nobody(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "old").touch()
    os.utime(theirs / "old", (1, 1))
    root = tmp_path / "root"
    root.mkdir()
    (root / INCOMING).symlink_to(theirs)
    store = LocalArtifacts(root, is_private=False)
    with pytest.raises(Invalid):
        store.write("a", [b"x"])
    assert [path.name for path in theirs.iterdir()] == ["old"]


def test_a_folder_that_is_moved_away_is_not_made_anew(root: Path) -> None:
    store = LocalArtifacts(root)
    root.rename(root.with_name("away"))
    with pytest.raises(FileNotFoundError):
        store.write("a", [b"x"])
    assert not root.exists()
