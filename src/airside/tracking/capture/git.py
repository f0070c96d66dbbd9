"""Git, asked as a program. Nothing in the repository is changed: no index is refreshed, no lock is taken."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from airside.core.record import Record

TIMEOUT_S = 20.0
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_QUIET = ("-c", "core.fsmonitor=false", "-c", "core.quotepath=false", "-c", "gc.auto=0")


class GitFailed(Exception):
    """Git is not there, or said no."""


class Status(Record):
    """Where a working tree stands.

    Attributes:
        commit: empty before the first one.
        changed: tracked paths that differ from it. untracked: those that git would add.
        submodules: changed submodules.
    """

    commit: str = ""
    branch: str = ""
    changed: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    submodules: tuple[str, ...] = ()


def is_commit(text: str) -> bool:
    """Whether a text is a commit's id.

    >>> is_commit("a" * 40), is_commit("--upload-pack=x")
    (True, False)
    """
    return _OID.match(text) is not None


def ask(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> bytes:
    """What git says.

    Raises:
        GitFailed: it is not there, said no, or took too long.
    """
    git = shutil.which("git")
    if git is None:
        raise GitFailed("git is not installed")
    try:
        done = subprocess.run(  # noqa: S603 -- arguments are ours; what is not stands behind `--` or was checked
            [git, *_QUIET, *arguments],
            cwd=folder,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise GitFailed(error.stderr.decode(errors="replace").strip()[:500]) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitFailed(str(error)) from error
    return done.stdout


def top_of(folder: Path) -> Path | None:
    """The top of the working tree that a folder is in; None when it is in none."""
    try:
        return Path(os.fsdecode(ask(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n")))
    except GitFailed:
        return None


def status_of(top: Path) -> Status:
    """Where a working tree stands, untracked files that are not ignored included.

    Raises:
        GitFailed: git does not say.
    """
    said = ask(top, "status", "--porcelain=v2", "--branch", "--no-renames", "--untracked-files=all", "-z")
    return parsed(said)


def parsed(said: bytes) -> Status:
    r"""What `git status --porcelain=v2 -z` said.

    >>> status = parsed(b"# branch.oid (initial)\0# branch.head main\0? a b.py\0")
    >>> (status.commit, status.branch, status.untracked)
    ('', 'main', ('a b.py',))
    """
    commit = branch = ""
    changed: list[str] = []
    untracked: list[str] = []
    submodules: list[str] = []
    for line in said.split(b"\0"):
        kind, _, rest = line.partition(b" ")
        if kind == b"#":
            name, _, value = rest.decode(errors="replace").partition(" ")
            commit = value if name == "branch.oid" and is_commit(value) else commit
            branch = value if name == "branch.head" and value != "(detached)" else branch
        elif kind == b"?":
            untracked.append(os.fsdecode(rest))
        elif kind in {b"1", b"u"}:
            fields = rest.split(b" ", 7 if kind == b"1" else 9)
            (submodules if fields[1].startswith(b"S") else changed).append(os.fsdecode(fields[-1]))
    return Status(
        commit=commit,
        branch=branch,
        changed=tuple(changed),
        untracked=tuple(untracked),
        submodules=tuple(submodules),
    )


def remote_of(top: Path) -> str:
    """The address of the remote `origin`, else of the first remote; empty without one."""
    try:
        said = ask(top, "config", "--get-regexp", r"^remote\..*\.url$").decode(errors="replace")
    except GitFailed:
        return ""
    urls = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    return urls.get("remote.origin.url") or next(iter(urls.values()), "")


def is_on_a_remote(top: Path, commit: str) -> bool:
    """Whether a remote is known to have the commit: then it can be had again from there."""
    try:
        return ask(top, "for-each-ref", "--contains", commit, "--count=1", "refs/remotes").strip() != b""
    except GitFailed:
        return False


def tracked(top: Path) -> tuple[str, ...]:
    """Every path that git knows or would add.

    Raises:
        GitFailed: git does not say.
    """
    said = ask(top, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    return tuple(os.fsdecode(path) for path in said.split(b"\0") if path)


def difference(top: Path, paths: Sequence[str], limit: int) -> bytes:
    """The difference of tracked paths from the commit, for people; nothing when it is larger than a limit."""
    if not paths or len(paths) > 1000:
        return b""
    try:
        said = ask(top, "diff", "--no-ext-diff", "--no-textconv", "--no-color", "HEAD", "--", *paths)
    except GitFailed:
        return b""
    return said if len(said) <= limit else b""


def check_out(repository: Path, commit: str, target: Path, index: Path) -> None:
    """Lay the files of a commit out in a folder, without touching the repository's own tree and index.

    Raises:
        GitFailed: the commit is not there.
    """
    git_folder = os.fsdecode(ask(repository, "rev-parse", "--absolute-git-dir").removesuffix(b"\n"))
    environment = {"GIT_DIR": git_folder, "GIT_WORK_TREE": str(target), "GIT_INDEX_FILE": str(index)}
    ask(target, "read-tree", commit, environment=environment)
    ask(target, "checkout-index", "--all", "--force", "--quiet", environment=environment)


def has_commit(repository: Path, commit: str) -> bool:
    """Whether a repository holds a commit."""
    try:
        ask(repository, "cat-file", "-e", f"{commit}^{{commit}}")
    except (GitFailed, OSError):
        return False
    return True


def clone(remote: str, target: Path) -> None:
    """A bare copy of a repository elsewhere. Only git's own safe ways of transport are allowed.

    Raises:
        GitFailed: it cannot be had.
    """
    environment = {"GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh"}
    ask(target.parent, "clone", "--quiet", "--bare", "--", remote, str(target), environment=environment)
