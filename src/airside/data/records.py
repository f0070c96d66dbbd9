"""The nouns of the room: datasets, their versions, what is in a version, what differs between two."""

from datetime import datetime
from typing import Literal

from airside.core.column import Column
from airside.core.ids import BlobId, DatasetName, DatasetVersionId
from airside.core.record import Record

Level = str | int | float | bool
"""A value of a column with few values."""

FindingKind = Literal["missing_column", "new_column", "type_change", "nulls", "new_level", "below_range", "above_range"]


class Dataset(Record):
    """A named thing of which there are versions.

    Attributes:
        newest: the number of the newest version; 0 while there is none.
    """

    name: DatasetName
    owner: str = ""
    description: str = ""
    newest: int = 0
    created_at: datetime
    created_by: str
    updated_at: datetime


class DatasetPage(Record):
    """Some datasets, by name."""

    items: tuple[Dataset, ...] = ()
    next_page_token: str = ""


class DatasetFile(Record):
    """One line of a version's manifest."""

    path: str
    size_bytes: int
    digest: BlobId


class LevelCount(Record):
    """How many rows have a value."""

    level: Level
    rows: int


class ColumnSummary(Record):
    """What a column of a version holds.

    Attributes:
        rows, missing: all rows, and those that are null or NaN.
        distinct: different values that are not missing; None when they were not counted.
        minimum, maximum, mean, deviation: of numbers, missing and infinite values apart; None for texts.
        deciles: the nine deciles of a number.
        top: every value of a column with at most 100, else the twenty most frequent; most frequent first.
    """

    name: str
    rows: int
    missing: int = 0
    distinct: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None
    deciles: tuple[float, ...] = ()
    top: tuple[LevelCount, ...] = ()


class Finding(Record):
    """Something in which a table differs from what an earlier schema says.

    Attributes:
        rows: how many rows are concerned; 0 when the finding is about the column as a whole.
        found: the offending values, at most ten.
        text: the sentence for people.
    """

    column: str
    kind: FindingKind
    rows: int = 0
    found: tuple[Level, ...] = ()
    text: str


class DatasetVersion(Record):
    """What a dataset held at one time. Never changes.

    Attributes:
        version: 1, 2, 3 … without gaps; shown as `people@3`.
        digest: `b3:` BLAKE3 of the canonical manifest: paths sorted bytewise, sizes, digests; no times, no names.
        findings: how it differed from the schema of the version before it, when it was added.
    """

    id: DatasetVersionId
    name: DatasetName
    version: int
    digest: BlobId
    rows: int
    size_bytes: int
    columns: tuple[Column, ...] = ()
    summaries: tuple[ColumnSummary, ...] = ()
    findings: tuple[Finding, ...] = ()
    files: tuple[DatasetFile, ...] = ()
    note: str = ""
    created_by: str
    created_at: datetime


class DatasetVersionPage(Record):
    """Some versions, newest first, without their files and summaries."""

    items: tuple[DatasetVersion, ...] = ()
    next_page_token: str = ""


class DatasetCheck(Record):
    """Whether the bytes of a version are those that were added.

    Attributes:
        files, size_bytes: what was read and hashed.
        damaged: the files whose bytes are others; `missing`: those that are gone.
    """

    name: DatasetName
    version: int
    files: int
    size_bytes: int
    damaged: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class SchemaChange(Record):
    """One way in which the columns differ."""

    column: str
    change: Literal["added", "removed", "type", "levels", "range", "role"]
    before: str = ""
    after: str = ""


class FileChange(Record):
    """A file that is in one version only, or has another content."""

    path: str
    change: Literal["added", "removed", "changed"]
    size_bytes_before: int = 0
    size_bytes_after: int = 0


class StatisticChange(Record):
    """How a column's summary moved.

    Attributes:
        distance: total variation distance over the counted levels, where both sides counted all of theirs.
    """

    column: str
    before: ColumnSummary
    after: ColumnSummary
    mean_change: float | None = None
    missing_share_change: float = 0.0
    distance: float | None = None


class DatasetDiff(Record):
    """What differs between two versions of a dataset: schema, files, rows, statistics."""

    name: DatasetName
    before: int
    after: int
    is_same: bool
    rows_before: int
    rows_after: int
    schema: tuple[SchemaChange, ...] = ()
    files: tuple[FileChange, ...] = ()
    statistics: tuple[StatisticChange, ...] = ()
