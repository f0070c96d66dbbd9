"""What may be done with a dataset's versions."""

from airside.core.column import Column
from airside.core.errors import Invalid, NotFound, quoted
from airside.core.ids import BlobId, DatasetName, DatasetVersionId
from airside.core.operation import Context, Services, operation
from airside.core.paging import cut, number_in, page_size
from airside.core.record import Ask
from airside.data import manifest, queries, rules
from airside.data.events import DatasetVersionAdded
from airside.data.operations.datasets import GetDataset, get_dataset
from airside.data.records import (
    ColumnSummary,
    DatasetCheck,
    DatasetDiff,
    DatasetFile,
    DatasetVersion,
    DatasetVersionPage,
    Finding,
)
from airside.store.blobs.identity import blob_of


class CommitDatasetVersion(Ask[DatasetVersion]):
    """A version to be added: its files (uploaded before, by content) and what was found in them."""

    name: DatasetName
    files: tuple[DatasetFile, ...]
    rows: int
    columns: tuple[Column, ...] = ()
    summaries: tuple[ColumnSummary, ...] = ()
    findings: tuple[Finding, ...] = ()
    note: str = ""


def _missing_blobs(services: Services, ask: CommitDatasetVersion) -> tuple[BlobId, ...]:
    """The files' blobs that the store does not hold in the size that the manifest says."""
    files = manifest.checked(ask.files)
    return tuple(file.digest for file in files if services.blobs.size(file.digest) != file.size_bytes)


@operation("dataset_versions.commit", needs="dataset:write", prepare=_missing_blobs)
def commit_dataset_version(ctx: Context, ask: CommitDatasetVersion) -> DatasetVersion:
    """Add the next version. The same content as the newest version is that version: it is answered, nothing is added.

    Raises:
        NotFound: there is no such dataset.
        Invalid: the manifest is none, or names a blob that was not uploaded.
    """
    found = get_dataset(ctx, GetDataset(name=ask.name))
    files = manifest.checked(ask.files)
    if ctx.prepared:
        raise Invalid(
            f"{len(ctx.prepared)} of {len(files)} files are not in the store in the size given: "
            f"{quoted(ctx.prepared)}. Upload them, then commit."
        )
    if ask.rows < 0:
        raise Invalid(f"rows is {ask.rows}; a table has 0 rows or more.")
    digest = manifest.digest_of(files)
    newest = queries.version(ctx, ask.name, found.newest) if found.newest else None
    if newest is not None and newest.digest == digest:
        return newest
    made = DatasetVersion(
        id=DatasetVersionId(ctx.new_id("dataset_version")),
        name=ask.name,
        version=found.newest + 1,
        digest=digest,
        rows=ask.rows,
        size_bytes=sum(file.size_bytes for file in files),
        columns=ask.columns,
        summaries=ask.summaries,
        findings=ask.findings,
        files=files,
        note=ask.note,
        created_by=ctx.actor.name,
        created_at=ctx.clock.now(),
    )
    queries.insert_version(ctx, made)
    ctx.announce(DatasetVersionAdded(dataset=made.name, version=made.version, id=made.id))
    return made


class GetDatasetVersion(Ask[DatasetVersion]):
    """Which version: by id, or by name and number; the number 0 is the newest."""

    id: DatasetVersionId = DatasetVersionId("")
    name: DatasetName = DatasetName("")
    version: int = 0


@operation("dataset_versions.get", needs="dataset:read")
def get_dataset_version(ctx: Context, ask: GetDatasetVersion) -> DatasetVersion:
    """One version with its files, schema and summaries.

    Raises:
        NotFound: there is none.
        Invalid: neither id nor name is given.
    """
    if ask.id:
        by_id = queries.version_by_id(ctx, ask.id)
        if by_id is None:
            raise NotFound(f"No dataset version '{ask.id}'. List them with: airside datasets search")
        return by_id
    if not ask.name:
        raise Invalid("Say which version: give its id, or the dataset's name and the version's number.")
    dataset = get_dataset(ctx, GetDataset(name=ask.name))
    found = queries.version(ctx, ask.name, ask.version or dataset.newest)
    if found is None:
        newest = f"The newest is '{ask.name}@{dataset.newest}'." if dataset.newest else "It has no version yet."
        raise NotFound(f"No dataset version '{ask.name}@{ask.version or 'latest'}'. {newest}")
    return found


class ListDatasetVersions(Ask[DatasetVersionPage]):
    """The versions of a dataset."""

    name: DatasetName
    max_results: int = 100
    page_token: str = ""


@operation("dataset_versions.list", needs="dataset:read")
def list_dataset_versions(ctx: Context, ask: ListDatasetVersions) -> DatasetVersionPage:
    """The versions, newest first; the page token is the last number seen.

    Raises:
        NotFound: there is no such dataset.
        Invalid: the page's size or token is none.
    """
    dataset = get_dataset(ctx, GetDataset(name=ask.name))
    size = page_size(ask.max_results)
    below = number_in(ask.page_token, dataset.newest + 1)
    found = queries.versions(ctx, ask.name, below=below, limit=size + 1)
    items, following = cut(found, size, lambda version: version.version)
    return DatasetVersionPage(items=items, next_page_token=following)


class VerifyDatasetVersion(Ask[DatasetCheck]):
    """Which version's bytes to read and hash; the number 0 is the newest."""

    name: DatasetName
    version: int = 0


def _hashed(services: Services, ask: VerifyDatasetVersion) -> DatasetCheck:
    asked = GetDatasetVersion(name=ask.name, version=ask.version)
    found: DatasetVersion = services.read(lambda ctx: get_dataset_version(ctx, asked))
    damaged, missing = [], []
    for file in found.files:
        if services.blobs.size(file.digest) is None:
            missing.append(file.path)
        elif blob_of(services.blobs.open(file.digest)) != file.digest:
            damaged.append(file.path)
    return DatasetCheck(
        name=found.name,
        version=found.version,
        files=len(found.files),
        size_bytes=found.size_bytes,
        damaged=tuple(damaged),
        missing=tuple(missing),
    )


@operation("dataset_versions.verify", needs="dataset:read", prepare=_hashed)
def verify_dataset_version(ctx: Context, ask: VerifyDatasetVersion) -> DatasetCheck:
    """Read every byte of a version and compare it with what was added.

    Raises:
        NotFound: there is no such version.
    """
    del ask
    checked: DatasetCheck = ctx.prepared
    return checked


class DiffDatasetVersions(Ask[DatasetDiff]):
    """Two versions of a dataset; `after` 0 is the newest, `before` 0 the one before `after`."""

    name: DatasetName
    before: int = 0
    after: int = 0


@operation("dataset_versions.diff", needs="dataset:read")
def diff_dataset_versions(ctx: Context, ask: DiffDatasetVersions) -> DatasetDiff:
    """What differs between two versions: schema, files, rows, statistics of each column.

    Raises:
        NotFound: a version does not exist.
    """
    after = get_dataset_version(ctx, GetDatasetVersion(name=ask.name, version=ask.after))
    earlier = ask.before or after.version - 1
    if earlier < 1:
        raise NotFound(f"'{ask.name}@{after.version}' is the first version; there is none before it to compare with.")
    before = get_dataset_version(ctx, GetDatasetVersion(name=ask.name, version=earlier))
    return rules.diff(before, after)
