"""The code of a run is captured whole and comes back exactly, without what looks like a secret."""

import copy
import os
import stat
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.errors import Conflict, Invalid, NotFound
from airside.tracking.capture import code
from airside.tracking.capture.bundle import Manifest, Member, lay_out, packed, unpacked
from airside.tracking.capture.code import of_repository, of_script, taken
from airside.tracking.capture.records import CodeState
from airside.tracking.capture.restore import restore

IDENTITY = {
    **{f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)


def run(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit of some files."""
    top = tmp_path / "work"
    (top / "pkg").mkdir(parents=True)
    (top / "train.py").write_text("print('one')\n")
    (top / "pkg" / "deep.py").write_bytes(b"a = 1\r\n")
    (top / "data.bin").write_bytes(bytes(range(256)))
    (top / "gone.py").write_text("x")
    (top / "run.sh").write_text("#!/bin/sh\n")
    (top / "run.sh").chmod(0o755)
    (top / "link").symlink_to("train.py")
    (top / ".gitignore").write_text("*.log\n")
    run(top, "init", "-q", "-b", "main")
    run(top, "add", "-A")
    run(top, "commit", "-q", "-m", "one")
    return top


def published(top: Path) -> Path:
    """Give the repository a remote that has its commit."""
    remote = top.parent / "remote.git"
    run(top.parent, "clone", "-q", "--bare", str(top), str(remote))
    run(top, "remote", "add", "origin", str(remote))
    run(top, "fetch", "-q", "origin")
    return remote


def change(top: Path) -> None:
    (top / "train.py").write_text("print('two')\n")
    (top / "data.bin").write_bytes(b"\0\xff")
    (top / "gone.py").unlink()
    (top / "run.sh").chmod(0o644)
    (top / "link").unlink()
    (top / "link").symlink_to("pkg/deep.py")
    (top / "pkg" / "new one.py").write_text("untracked\n")
    (top / "big.log").write_text("ignored")
    (top / ".env").write_text("SECRET=1")


def tree(top: Path) -> dict[str, tuple[str, bytes]]:
    """Every file of a tree but git's own, ignored and secret ones: its kind and content."""
    found = {}
    for path in top.rglob("*"):
        name = path.relative_to(top).as_posix()
        if name.startswith(".git/") or name in {"big.log", ".env"} or (path.is_dir() and not path.is_symlink()):
            continue
        kind = "link" if path.is_symlink() else "executable" if path.stat().st_mode & stat.S_IXUSR else "plain"
        found[name] = (kind, os.fsencode(path.readlink()) if kind == "link" else path.read_bytes())
    return found


@pytest.mark.parametrize("has_remote", [True, False])
def test_the_exact_tree_comes_back(repository: Path, tmp_path: Path, has_remote: bool) -> None:
    if has_remote:
        published(repository)
    change(repository)
    found = of_repository(repository)
    expected = tree(repository)
    restored = restore(found.fact, found.content, tmp_path / "again")
    assert tree(tmp_path / "again") == expected
    assert found.fact.kind == ("changes" if has_remote else "snapshot")
    assert restored.missing == (".env: looks like a secret",)
    assert (bool(restored.source), found.fact.is_dirty) == (has_remote, True)


def test_it_comes_back_from_the_remote_when_the_folder_is_gone(repository: Path, tmp_path: Path) -> None:
    remote = published(repository)
    change(repository)
    found, expected = of_repository(repository), tree(repository)
    repository.rename(tmp_path / "moved away")
    run(tmp_path, "-C", str(tmp_path / "moved away"), "update-ref", "-d", "HEAD")
    restore(found.fact, found.content, tmp_path / "again", repository=str(remote))
    assert tree(tmp_path / "again") == expected


def test_a_snapshot_needs_no_repository(repository: Path, tmp_path: Path) -> None:
    found, expected = of_repository(repository), tree(repository)
    repository.rename(tmp_path / "elsewhere")
    restore(found.fact, found.content, tmp_path / "again")
    assert tree(tmp_path / "again") == expected


def test_a_published_clean_tree_has_no_bundle(repository: Path) -> None:
    published(repository)
    fact, blob, content = of_repository(repository)
    assert (fact.kind, fact.is_dirty, blob, content) == ("none", False, "", b"")
    assert (fact.commit, fact.branch) == (run(repository, "rev-parse", "HEAD"), "main")


def test_the_same_changes_have_the_same_bundle_and_nothing_is_touched(repository: Path, tmp_path: Path) -> None:
    published(repository)
    index = (repository / ".git" / "index").stat()
    change(repository)
    once = of_repository(repository)
    for path in repository.rglob("*.py"):
        os.utime(path, (1, 1))
    assert of_repository(repository).blob == once.blob
    assert (repository / ".git" / "index").stat().st_mtime_ns == index.st_mtime_ns
    (repository / "train.py").write_text("three")
    assert of_repository(repository).blob != once.blob


def test_the_bundle_shows_the_difference_and_names_what_changed(repository: Path) -> None:
    published(repository)
    change(repository)
    found = of_repository(repository)
    _, _, diff = unpacked(found.content)
    assert b"-print('one')\n+print('two')" in diff
    assert found.fact.changed == (".env", "data.bin", "gone.py", "link", "pkg/new one.py", "run.sh", "train.py")
    assert b"SECRET" not in found.content


def test_a_tracked_secret_stays_out_of_files_and_difference(repository: Path) -> None:
    (repository / "prod.env").write_text("KEY=old")
    run(repository, "add", "-A")
    run(repository, "commit", "-q", "-m", "oops")
    published(repository)
    (repository / "prod.env").write_text("KEY=new")
    (repository / "train.py").write_text("new")
    found = of_repository(repository)
    assert b"KEY=" not in found.content
    assert [left.path for left in found.fact.left_out] == ["prod.env"]


def test_large_files_and_too_many_are_left_out_and_named(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published(repository)
    monkeypatch.setattr(code, "MAX_FILE_BYTES", 100)
    monkeypatch.setattr(code, "MAX_FILES", 2)
    (repository / "a large").write_bytes(b"x" * 101)
    for name in "bcd":
        (repository / name).write_text(name)
    fact = of_repository(repository).fact
    assert {left.path: left.why.partition(":")[0] for left in fact.left_out} == {
        "a large": "larger than 0 MiB",
        "d": "the bundle is full",
    }


def test_a_snapshot_that_is_too_large_falls_back_to_the_changes(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "MAX_FILES", 3)
    (repository / "train.py").write_text("new")
    fact = of_repository(repository).fact
    assert (fact.kind, fact.files) == ("changes", 1)


def test_a_repository_before_its_first_commit_is_a_snapshot(tmp_path: Path) -> None:
    run(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("a")
    found = of_repository(tmp_path)
    assert (found.fact.commit, found.fact.kind, found.fact.files) == ("", "snapshot", 1)


def test_a_changed_submodule_is_named(repository: Path, tmp_path: Path) -> None:
    run(repository, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository), "sub")
    run(repository, "commit", "-q", "-m", "sub")
    published(repository)
    (repository / "sub" / "train.py").write_text("changed")
    fact = of_repository(repository).fact
    assert [(left.path, left.why) for left in fact.left_out] == [("sub", "a changed submodule")]
    assert fact.is_dirty


def test_the_remote_has_no_credentials(repository: Path) -> None:
    run(repository, "remote", "add", "origin", "https://me:token@example.org/a/b.git")
    assert of_repository(repository).fact.remote == "https://example.org/a/b.git"


def test_without_git_the_script_and_its_own_modules_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_module_of_script.py").write_text("x = 1")
    (tmp_path / "script.py").write_text("import own_module_of_script")
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__("own_module_of_script")
    found = of_script(tmp_path, tmp_path / "script.py")
    _, members, _ = unpacked(found.content)
    del sys.modules["own_module_of_script"]
    assert [member.path for member in members] == ["own_module_of_script.py", "script.py"]


def test_a_folder_without_git_and_script_says_only_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert taken(tmp_path).fact == CodeState(folder=str(tmp_path))


NAMES = st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3}){0,2}\.py", fullmatch=True)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(NAMES, st.tuples(st.binary(max_size=50), st.sampled_from(["plain", "executable"])), max_size=6))
def test_what_is_packed_is_unpacked(files: dict[str, tuple[bytes, str]]) -> None:
    members = tuple(Member(path=path, content=content, kind=kind) for path, (content, kind) in sorted(files.items()))
    bundle = packed(Manifest(kind="snapshot"), reversed(members), b"diff")
    assert unpacked(bundle) == (Manifest(kind="snapshot"), members, b"diff")


@pytest.mark.parametrize(
    "path", ["../x", "/etc/x", "a/../../x", ".git/hooks/post-checkout", "a/.GIT/config", "a\\b", ""]
)
def test_a_path_that_leaves_the_tree_is_refused(path: str) -> None:
    with pytest.raises(Invalid, match="path"):
        unpacked(packed(Manifest(kind="snapshot"), [Member(path=path, content=b"")]))
    with pytest.raises(Invalid, match="path"):
        unpacked(packed(Manifest(kind="changes", deleted=(path,)), []))


def test_nothing_is_written_through_a_link_nor_a_link_made_that_leads_out(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    target = tmp_path / "tree"
    target.mkdir()
    (target / "way").symlink_to(tmp_path / "outside")
    with pytest.raises(Invalid, match="runs through a link"):
        lay_out(target, Manifest(kind="snapshot"), [Member(path="way/x", content=b"x")])
    links = [
        Member(path=name, content=to, kind="link") for name, to in (("a", b"/etc"), ("b", b"../../x"), ("c", b"b"))
    ]
    assert [text.partition(":")[0] for text in lay_out(target, Manifest(kind="snapshot"), links)] == ["a", "b"]
    assert list((tmp_path / "outside").iterdir()) == []


def test_two_links_that_lead_out_together_are_not_left(tmp_path: Path) -> None:
    target = tmp_path / "tree"
    target.mkdir()
    links = [
        Member(path="d/e/up", content=b"../..", kind="link"),
        Member(path="out", content=b"d/e/up/../secret", kind="link"),
    ]
    assert lay_out(target, Manifest(kind="snapshot"), links) == ["out: a link that leads out of the tree"]
    assert not (target / "out").is_symlink()


@pytest.mark.parametrize(
    "members",
    [
        [Member(path="a", content=b"1"), Member(path="a/b", content=b"2")],
        [Member(path="x" * 300, content=b"1")],
        [Member(path="q", content=b"a\0b", kind="link")],
    ],
)
def test_paths_that_no_tree_has_are_told(tmp_path: Path, members: list[Member]) -> None:
    with pytest.raises(Invalid, match="The bundle holds"):
        lay_out(tmp_path, Manifest(kind="snapshot"), members)


def test_a_bundle_that_is_none_is_refused() -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("files/a", b"0" * 1000)
    for content in (b"no zip", buffer.getvalue()):
        with pytest.raises(Invalid):
            unpacked(content)


def test_members_that_share_their_bytes_are_refused() -> None:
    bundle = packed(Manifest(kind="snapshot"), [Member(path="a", content=b"0" * 100_000)])
    buffer = BytesIO(bundle)
    with zipfile.ZipFile(buffer, "a") as archive:  # the same bytes under more names
        info = next(each for each in archive.infolist() if each.filename.endswith("a"))
        for number in range(5):
            twin = copy.copy(info)
            twin.filename = f"files/b{number}"
            archive.filelist.append(twin)
        archive._didModify = True  # type: ignore[attr-defined]  # the list is written anew
    with pytest.raises(Invalid, match="larger than the bundle"):
        unpacked(buffer.getvalue())


def test_what_cannot_be_restored_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    absent = CodeState(commit="a" * 40, kind="none", remote="ext::sh -c touch% /tmp/x")
    with pytest.raises(Conflict, match="not empty"):
        restore(absent, b"", tmp_path / "full")
    with pytest.raises(NotFound, match="--repository"):
        restore(absent, b"", tmp_path / "new")
    with pytest.raises(NotFound, match="neither a commit nor a bundle"):
        restore(CodeState(), b"", tmp_path / "new")
    with pytest.raises(Invalid, match="not the id of a commit"):
        restore(CodeState(commit="--output=/tmp/x"), b"", tmp_path / "new")
