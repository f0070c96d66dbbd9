"""The nouns: a capture and its parts. Each part is None when it was not taken."""

from typing import Literal

from airside.core.ids import BlobId
from airside.core.record import Record

NO_BLOB = BlobId("")
BundleKind = Literal["none", "changes", "snapshot"]
"""`changes`: what differs from the commit; `snapshot`: the whole tree; `none`: the commit says it all."""


class LeftOut(Record):
    """A file that the bundle does not hold, and why."""

    path: str
    why: str


class CodeState(Record):
    """The code that a run was made with.

    Attributes:
        commit, branch, remote: of the git repository; empty without one. The remote has no credentials.
        folder: the top of the repository, else the folder of the script, on the machine that ran it.
        is_dirty: whether the tree differed from the commit.
        bundle: the blob that holds what the commit does not; see `kind`.
        changed: the paths that differ from the commit, deleted and untracked ones included; at most 200.
        n_changed: how many they are.
        left_out: what the bundle should hold and does not; at most 200.
        n_left_out: how many they are.
    """

    commit: str = ""
    branch: str = ""
    remote: str = ""
    folder: str = ""
    is_dirty: bool = False
    kind: BundleKind = "none"
    bundle: BlobId = NO_BLOB
    files: int = 0
    size_bytes: int = 0
    changed: tuple[str, ...] = ()
    n_changed: int = 0
    left_out: tuple[LeftOut, ...] = ()
    n_left_out: int = 0


class Command(Record):
    """How the process was started; what looked like a secret is replaced.

    Attributes:
        arguments: the command line, the interpreter first.
        entry: the script or module; empty in an interactive session.
        notebook: the notebook's file or name.
    """

    arguments: tuple[str, ...] = ()
    entry: str = ""
    notebook: str = ""
    folder: str = ""


class Environment(Record):
    """The installed packages.

    Attributes:
        lock: the blob with one line for each package: name, version, digest of its RECORD.
    """

    python: str = ""
    platform: str = ""
    packages: int = 0
    lock: BlobId = NO_BLOB


class Fact(Record):
    """A name and what it was."""

    name: str
    value: str


class Gpu(Record):
    """A graphics processor."""

    name: str
    memory_bytes: int = 0


class Machine(Record):
    """The machine as the process saw it.

    Attributes:
        cores: of the machine; `usable_cores`, those that this process may run on, after its affinity and its
            container's limit.
        memory_limit_bytes: the container's; None without a limit.
        container: `docker`, `podman`, `kubernetes`, …; empty outside one.
    """

    host: str = ""
    system: str = ""
    cpu: str = ""
    cores: int = 0
    usable_cores: float = 0.0
    memory_bytes: int = 0
    memory_limit_bytes: int | None = None
    container: str = ""
    driver: str = ""
    gpus: tuple[Gpu, ...] = ()


class Capture(Record):
    """What was captured of one process that made a run.

    Attributes:
        source: which process: `host:pid` of a script, `step train` of a pipeline. A later capture of the same source
            takes the earlier one's place.
        at_ms: when.
        seeds: the random generators that were loaded, and how they were seeded.
        threads: settings of thread pools.
        omitted: the kinds that were not taken because somebody said so.
    """

    source: str
    at_ms: int = 0
    code: CodeState | None = None
    command: Command | None = None
    environment: Environment | None = None
    machine: Machine | None = None
    seeds: tuple[Fact, ...] = ()
    threads: tuple[Fact, ...] = ()
    omitted: tuple[str, ...] = ()


class Captures(Record):
    """The captures of a run, the oldest first."""

    items: tuple[Capture, ...]
