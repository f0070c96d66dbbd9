"""Having the tree of a run again: the files of its commit, and over them those of its bundle."""

import tempfile
from pathlib import Path

from airside.core.errors import Conflict, Invalid, NotFound
from airside.core.record import Record
from airside.tracking.capture import git
from airside.tracking.capture.bundle import lay_out, unpacked
from airside.tracking.capture.records import CodeState

_SAFE = ("https://", "ssh://", "git://", "http://", "git@")


class Restored(Record):
    """A tree that was restored.

    Attributes:
        source: where the commit's files came from; empty for a snapshot.
        files: how many there are now.
        missing: what the bundle does not hold, and why.
    """

    folder: str
    kind: str
    commit: str = ""
    source: str = ""
    files: int = 0
    missing: tuple[str, ...] = ()


def restore(state: CodeState, bundle: bytes, target: Path, *, repository: str = "") -> Restored:
    """Write the tree of a run into an empty or new folder.

    Args:
        state: what was captured.
        bundle: the bytes of its bundle; empty when it has none.
        target: where to.
        repository: a folder or address that has the commit; found when it is not given: the folder of the run, the
            present one, the remote.

    Raises:
        Conflict: the folder holds something. NotFound: nothing was captured, or nobody has the commit.
        Invalid: the bundle is damaged.
    """
    if not bundle and not state.commit:
        raise NotFound("No code was captured of this run: it has neither a commit nor a bundle.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Conflict(f"'{target}' exists and is not empty. Name a folder that does not exist.")
    manifest, members, _ = unpacked(bundle) if bundle else (None, (), b"")
    target.mkdir(parents=True, exist_ok=True)
    top = target.resolve()
    source = ""
    if manifest is None or manifest.kind == "changes":
        source = _commit_files(state, top, repository)
    passed = lay_out(top, manifest, members) if manifest is not None else []
    return Restored(
        folder=str(target),
        kind=state.kind,
        commit=state.commit,
        source=source,
        files=sum(1 for path in top.rglob("*") if path.is_file() or path.is_symlink()),
        missing=(*(f"{left.path}: {left.why}" for left in state.left_out), *passed),
    )


def _commit_files(state: CodeState, target: Path, repository: str) -> str:
    if not git.is_commit(state.commit):
        raise Invalid(f"'{state.commit[:80]}' is not the id of a commit.")
    with tempfile.TemporaryDirectory(prefix="airside-restore-") as place:
        source, shown = _repository(state, repository, Path(place))
        try:
            git.check_out(source, state.commit, target, Path(place) / "index")
        except git.GitFailed as error:
            raise NotFound(f"The commit {state.commit} could not be laid out: {error}") from error
    return shown


def _repository(state: CodeState, named: str, place: Path) -> tuple[Path, str]:
    """A repository that has the commit, and what to call it."""
    local = [Path(named)] if named else [Path(state.folder or "."), Path.cwd()]
    for folder in local:
        if folder.is_dir() and git.has_commit(folder, state.commit):
            return folder, str(folder)
    remote = named or state.remote
    if remote.startswith(_SAFE):
        copy = place / "repository.git"
        try:
            git.clone(remote, copy)
        except git.GitFailed as error:
            raise NotFound(f"'{remote}' cannot be cloned: {error}") from error
        if git.has_commit(copy, state.commit):
            return copy, remote
    asked = f"'{named}'" if named else "neither the run's folder, nor the present one, nor its remote"
    raise NotFound(
        f"The commit {state.commit} is not to be had: {asked} has it. Name a repository that does with --repository."
    )
