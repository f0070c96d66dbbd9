"""All SQL of the room."""

import msgspec

from airside.core.clock import from_ms, to_ms
from airside.core.column import Column
from airside.core.ids import BlobId, DatasetName, DatasetVersionId
from airside.core.operation import Context, Row
from airside.data.records import ColumnSummary, Dataset, DatasetFile, DatasetVersion, Finding

_DATASET = "SELECT name, owner, description, newest, created_by, created_at, updated_at FROM dataset"
_VERSION = (
    "SELECT id, dataset, version, digest, row_count, size_bytes, note, created_by, created_at, schema_columns, findings"
)

_columns = msgspec.json.Decoder(tuple[Column, ...])
_summaries = msgspec.json.Decoder(tuple[ColumnSummary, ...])
_findings = msgspec.json.Decoder(tuple[Finding, ...])


def dataset(ctx: Context, name: str) -> Dataset | None:
    """The dataset of a name."""
    row = ctx.tx.one(f"{_DATASET} WHERE name = ?", (name,))
    return None if row is None else _to_dataset(row)


def datasets(ctx: Context, *, text: str, after: str, limit: int) -> tuple[Dataset, ...]:
    """Datasets whose name contains a text, by name, behind the name `after`."""
    escaped = text.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    rows = ctx.tx.all(
        f"{_DATASET} WHERE name > ? AND lower(name) LIKE ? ESCAPE '!' ORDER BY name LIMIT ?",
        (after, f"%{escaped}%", limit),
    )
    return tuple(_to_dataset(row) for row in rows)


def insert_dataset(ctx: Context, made: Dataset) -> None:
    """A new dataset."""
    ctx.tx.run(
        "INSERT INTO dataset (name, owner, description, newest, created_by, created_at, updated_at)"
        " VALUES (?, ?, ?, 0, ?, ?, ?)",
        (made.name, made.owner, made.description, made.created_by, to_ms(made.created_at), to_ms(made.updated_at)),
    )


def update_dataset(ctx: Context, name: str, owner: str, description: str) -> None:
    """New words about a dataset."""
    ctx.tx.run(
        "UPDATE dataset SET owner = ?, description = ?, updated_at = ? WHERE name = ?",
        (owner, description, ctx.now_ms(), name),
    )


def delete_dataset(ctx: Context, name: str) -> None:
    """Forget a dataset."""
    ctx.tx.run("DELETE FROM dataset WHERE name = ?", (name,))


def insert_version(ctx: Context, made: DatasetVersion) -> None:
    """A new version with its files; it becomes the newest."""
    created = to_ms(made.created_at)
    ctx.tx.run(
        "INSERT INTO dataset_version (id, dataset, version, digest, row_count, size_bytes, schema_columns, summaries,"
        " findings, note, created_by, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            made.id,
            made.name,
            made.version,
            made.digest,
            made.rows,
            made.size_bytes,
            msgspec.json.encode(made.columns).decode(),
            msgspec.json.encode(made.summaries).decode(),
            msgspec.json.encode(made.findings).decode(),
            made.note,
            made.created_by,
            created,
        ),
    )
    ctx.tx.many(
        "INSERT INTO dataset_file (version_id, path, size_bytes, digest) VALUES (?, ?, ?, ?)",
        [(made.id, file.path, file.size_bytes, file.digest) for file in made.files],
    )
    ctx.tx.run("UPDATE dataset SET newest = ?, updated_at = ? WHERE name = ?", (made.version, created, made.name))


def version(ctx: Context, name: str, number: int) -> DatasetVersion | None:
    """One version, whole."""
    row = ctx.tx.one(f"{_VERSION}, summaries FROM dataset_version WHERE dataset = ? AND version = ?", (name, number))
    return None if row is None else _to_version(row, summaries=_summaries.decode(row[11]), files=_files(ctx, row[0]))


def version_by_id(ctx: Context, version_id: str) -> DatasetVersion | None:
    """One version, whole, by its id."""
    row = ctx.tx.one(f"{_VERSION}, summaries FROM dataset_version WHERE id = ?", (version_id,))
    return None if row is None else _to_version(row, summaries=_summaries.decode(row[11]), files=_files(ctx, row[0]))


def versions(ctx: Context, name: str, *, below: int, limit: int) -> tuple[DatasetVersion, ...]:
    """Versions with a smaller number, newest first, without files and summaries."""
    rows = ctx.tx.all(
        f"{_VERSION} FROM dataset_version WHERE dataset = ? AND version < ? ORDER BY version DESC LIMIT ?",
        (name, below, limit),
    )
    return tuple(_to_version(row) for row in rows)


def _files(ctx: Context, version_id: str) -> tuple[DatasetFile, ...]:
    rows = ctx.tx.all("SELECT path, size_bytes, digest FROM dataset_file WHERE version_id = ?", (version_id,))
    files = (DatasetFile(path=path, size_bytes=size, digest=BlobId(digest)) for path, size, digest in rows)
    return tuple(sorted(files, key=lambda file: file.path.encode()))


def _to_dataset(row: Row) -> Dataset:
    name, owner, description, newest, created_by, created_at, updated_at = row
    return Dataset(
        name=DatasetName(name),
        owner=owner,
        description=description,
        newest=newest,
        created_by=created_by,
        created_at=from_ms(created_at),
        updated_at=from_ms(updated_at),
    )


def _to_version(
    row: Row, *, summaries: tuple[ColumnSummary, ...] = (), files: tuple[DatasetFile, ...] = ()
) -> DatasetVersion:
    return DatasetVersion(
        id=DatasetVersionId(row[0]),
        name=DatasetName(row[1]),
        version=row[2],
        digest=BlobId(row[3]),
        rows=row[4],
        size_bytes=row[5],
        note=row[6],
        created_by=row[7],
        created_at=from_ms(row[8]),
        columns=_columns.decode(row[9]),
        findings=_findings.decode(row[10]),
        summaries=summaries,
        files=files,
    )
