"""The code that the process runs, as far as a commit does not say it.

In a git repository whose commit a remote has, the bundle holds what differs from the commit: changed and untracked
files, whole, and the names of deleted ones. Where no remote has the commit it holds every file, so that nothing else
is needed to have the tree again; without git, the script and the modules that it has loaded from its own folder.
Ignored files stay out; so do secrets, large files and submodules, and those are named.
"""

import os
import stat
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from airside.core.errors import Invalid
from airside.store.blobs.identity import blob_of
from airside.tracking.capture import git
from airside.tracking.capture.bundle import (
    MAX_BYTES,
    MAX_FILES,
    Manifest,
    Member,
    checked_path,
    packed,
    read_member,
)
from airside.tracking.capture.command import entry_file
from airside.tracking.capture.records import BundleKind, CodeState, LeftOut
from airside.tracking.capture.secret import is_secret_file, without_credentials
from airside.tracking.capture.taking import Taken

MAX_FILE_BYTES = 5 << 20
MAX_DIFF_BYTES = 2 << 20
MAX_NAMED = 200
MAX_PATH = 400


def taken(start: Path | None = None) -> Taken[CodeState]:
    """The code of this process, and its bundle as a blob."""
    script = entry_file() if start is None else None
    folder = start or (script.parent if script is not None else Path.cwd())
    return taken_of_repository(folder) or of_script(folder, script)


def taken_of_repository(folder: Path) -> Taken[CodeState] | None:
    """The state of the repository that a folder is in; None when it is in none."""
    top = git.top_of(folder)
    if top is None:
        return None
    try:
        return of_repository(top)
    except git.GitFailed as error:
        return Taken(CodeState(folder=str(top), left_out=(LeftOut(path=".", why=f"git: {error}"),), n_left_out=1))


def of_repository(top: Path) -> Taken[CodeState]:
    """The state of a working tree.

    Raises:
        GitFailed: git does not say.
    """
    status = git.status_of(top)
    changed = (*status.changed, *status.untracked)
    chosen = _Chosen(top)
    for path in status.submodules:
        chosen.leave(path, "a changed submodule")
    kind: BundleKind = "changes" if changed else "none"
    manifest = Manifest(kind="changes", commit=status.commit)
    diff = b""
    if not status.commit or not git.is_on_a_remote(top, status.commit):
        whole = _Chosen(top)
        whole.add(git.tracked(top))
        if not whole.is_over:
            chosen, kind, manifest = whole, "snapshot", Manifest(kind="snapshot")
    if kind == "changes":
        chosen.add(changed)
        kept = {member.path for member in chosen.members} | set(chosen.gone)
        diff = git.difference(top, [path for path in status.changed if path in kept], MAX_DIFF_BYTES)
        manifest = Manifest(kind="changes", commit=status.commit, deleted=tuple(sorted(chosen.gone)))
    content = packed(manifest, chosen.members, diff) if kind != "none" else b""
    state = CodeState(
        commit=status.commit,
        branch=status.branch,
        remote=without_credentials(git.remote_of(top)),
        folder=str(top),
        is_dirty=bool(changed or status.submodules),
        kind=kind,
        changed=tuple(path[:MAX_PATH] for path in sorted(changed)[:MAX_NAMED]),
        n_changed=len(changed),
    )
    return chosen.told(state, content)


def of_script(folder: Path, script: Path | None) -> Taken[CodeState]:
    """The script and the modules of its own folder that are loaded, where there is no git."""
    chosen = _Chosen(folder)
    own = _own_modules(folder)
    if script is not None:
        own.add(script)
    chosen.add(sorted(path.relative_to(folder).as_posix() for path in own if path.is_relative_to(folder)))
    if not chosen.members:
        return Taken(CodeState(folder=str(folder)))
    return chosen.told(
        CodeState(folder=str(folder), kind="snapshot"), packed(Manifest(kind="snapshot"), chosen.members)
    )


class _Chosen:
    """The files that go into a bundle, and those that do not."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._bytes = 0
        self.members: list[Member] = []
        self.gone: list[str] = []
        self.left: list[LeftOut] = []
        self.is_over = False
        """Whether the limits of a bundle kept something out."""

    def add(self, paths: Iterable[str]) -> None:
        for path in paths:
            try:
                self._add(path)
            except FileNotFoundError:
                self.gone.append(path)
            except Invalid:
                self.leave(path, "its name")
            except OSError as error:
                self.leave(path, error.strerror or "cannot be read")

    def leave(self, path: str, why: str) -> None:
        self.left.append(LeftOut(path=_shown(path), why=why))

    def told(self, state: CodeState, content: bytes) -> Taken[CodeState]:
        blob = blob_of([content]) if content else state.bundle
        fact = CodeState(
            commit=state.commit,
            branch=state.branch,
            remote=state.remote,
            folder=state.folder,
            is_dirty=state.is_dirty,
            kind=state.kind,
            bundle=blob,
            files=len(self.members),
            size_bytes=len(content),
            changed=tuple(map(_shown, state.changed)),
            n_changed=state.n_changed,
            left_out=tuple(self.left[:MAX_NAMED]),
            n_left_out=len(self.left),
        )
        return Taken(fact, blob, content)

    def _add(self, path: str) -> None:
        checked_path(_utf8(path))
        found = (self._root / path).lstat()
        if is_secret_file(path):
            return self.leave(path, "looks like a secret")
        if stat.S_ISDIR(found.st_mode):
            return self.leave(path, "a repository of its own")
        if found.st_size > MAX_FILE_BYTES:
            return self.leave(path, f"larger than {MAX_FILE_BYTES >> 20} MiB")
        if len(self.members) >= MAX_FILES or self._bytes + found.st_size > MAX_BYTES:
            self.is_over = True
            return self.leave(path, f"the bundle is full: {MAX_FILES:,} files or {MAX_BYTES >> 20} MiB")
        member = read_member(self._root, path)
        if member is not None:
            self._bytes += len(member.content)
            self.members.append(member)
        return None


def _utf8(path: str) -> str:
    """A path, if a zip can name it.

    Raises:
        Invalid: its bytes are no UTF-8.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        raise Invalid("A file's name is no UTF-8.") from None
    return path


def _shown(path: str) -> str:
    return os.fsencode(path).decode(errors="replace")[:MAX_PATH]


def _own_modules(folder: Path) -> set[Path]:
    """The files of the loaded modules that are the project's own: in its folder, and not installed below it."""
    installed = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("purelib", "platlib", "stdlib"))
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    inside = f"{folder}{os.sep}"
    return {
        Path(file)
        for file in files
        if isinstance(file, str) and file.startswith(inside) and file.endswith(".py") and not file.startswith(installed)
    }
