"""The nouns of imports."""

from airside.core.ids import ImportId, RunId
from airside.core.record import Record
from airside.tracking.traces.records import Span, TraceInfo


class ImportPart(Record):
    """How far one part of an import got.

    Attributes:
        after_key: everything up to this key of the source is done.
        done, skipped: how many were taken over or there already, and left alone.
    """

    part: str
    after_key: str = ""
    done: int = 0
    skipped: int = 0
    is_complete: bool = False


class ImportCount(Record):
    """One kind of thing: how many the source has, and how many were found here afterwards, equal."""

    kind: str
    source: int
    here: int
    skipped: int = 0


class NotTaken(Record):
    """Rows of a table of the source that were not taken over, and why."""

    table: str
    rows: int
    why: str


class ImportReport(Record):
    """What an import did and what the comparison behind it found.

    Attributes:
        not_taken: what the source has beside; every other row of it is among the counts, or made anew from them.
        differences: what is not as in the source, in words; the first thousand.
        n_differences: how many there are.
        notes: what its reader should know, e.g. which files stayed where they are.
    """

    counts: tuple[ImportCount, ...] = ()
    not_taken: tuple[NotTaken, ...] = ()
    differences: tuple[str, ...] = ()
    n_differences: int = 0
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


class Import(Record):
    """One source that was, or is being, taken over.

    Attributes:
        kind: `mlflow-database`, `mlflow-folder` or `folder`.
        ended_ms: None while it is under way, or was interrupted: started again, it goes on.
    """

    import_id: ImportId
    source: str
    kind: str
    started_by: str
    started_ms: int
    ended_ms: int | None = None
    parts: tuple[ImportPart, ...] = ()
    report: ImportReport = ImportReport()


class ImportPage(Record):
    """Every import, newest first."""

    items: tuple[Import, ...]


class Difference(Record):
    """A thing that is here with other content than in the source, and where they differ first."""

    id: str
    what: str


class Compared(Record):
    """How things of a source stand here: how many are equal, which are missing, which differ."""

    same: int = 0
    missing: tuple[str, ...] = ()
    differing: tuple[Difference, ...] = ()


class Imported(Record):
    """What became of some things.

    Attributes:
        differing: those that are here with other content; they were left alone.
        placed: the id of each experiment in the source, and the one that it has here.
    """

    added: int = 0
    same: int = 0
    differing: tuple[Difference, ...] = ()
    placed: dict[str, str] = {}


class Series(Record):
    """Points of one metric of one run, in columns of one length. A value of null is "not a number"."""

    run_id: RunId
    key: str
    timestamps_ms: tuple[int, ...]
    steps: tuple[int, ...]
    values: tuple[float | None, ...]


class RunTally(Record):
    """How much a run holds."""

    run_id: RunId
    params: int = 0
    tags: int = 0
    metrics: int = 0
    points: int = 0
    inputs: int = 0
    outputs: int = 0


class RunTallies(Record):
    """How much some runs hold; those that are not here are left out."""

    items: tuple[RunTally, ...]


class FileDigest(Record):
    """A file of the artifact store: its size and the `b3:` digest of its bytes."""

    path: str
    size_bytes: int
    digest: str


class FileDigests(Record):
    """Files of the artifact store; those that are not there are left out."""

    items: tuple[FileDigest, ...]


class ImportedTrace(Record):
    """A trace of a source, without its spans.

    Attributes:
        run_ids: the runs that it is linked to.
        prompts: the versions of prompts that it is linked to, each as `name/version`.
    """

    info: TraceInfo
    run_ids: tuple[RunId, ...] = ()
    prompts: tuple[str, ...] = ()


class ImportedSpans(Record):
    """Spans of one trace, with their attributes as their maker told them."""

    trace_id: str
    spans: tuple[Span, ...]


class ImportTally(Record):
    """How much belongs to a thing: points to a logged model, spans to a trace, records to an evaluation dataset."""

    id: str
    number: int = 0


class ImportTallies(Record):
    """How much belongs to some things; those that have nothing are left out."""

    items: tuple[ImportTally, ...]
