"""Datasets from Python: add a version, load one, say that a run used it. Imports pyarrow.

version = add_dataset(client, "people", "people.csv", roles={"employed": "label"})
table = load_dataset(client, "people@latest")
client.call(LogInputs(run_id=run, datasets=(dataset_input(version, "training"),)))
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from airside.client.transport import Client
from airside.core.column import Column
from airside.core.errors import AlreadyExists, Internal, Invalid, NotFound, quoted
from airside.core.ids import DatasetName, DatasetVersionId
from airside.data.ingest import TABLES, Role, concatenate, infer_schema, parse_table, summarise, to_parquet
from airside.data.operations.datasets import CreateDataset, GetDataset
from airside.data.operations.versions import CommitDatasetVersion, GetDatasetVersion
from airside.data.records import Dataset, DatasetFile, DatasetVersion
from airside.data.validate import validate
from airside.store.blobs.identity import blob_of, blob_of_file
from airside.tracking.records import Dataset as RunDataset
from airside.tracking.records import DatasetInput, Tag

SOURCE_TYPE = "airside"
DIGEST_DIGITS = 32
"""MLflow keeps 36 characters of a dataset's digest."""


def add_dataset(  # noqa: PLR0913 -- a table and all that may be said about it, by name
    client: Client,
    name: str,
    data: Any,
    *,
    roles: Mapping[str, Role] | None = None,
    categorical: Collection[str] | None = None,
    sensitive: Collection[str] | None = None,
    owner: str = "",
    description: str = "",
    note: str = "",
) -> DatasetVersion:
    """Add a version of a dataset; the dataset is created when it is new.

    Files are uploaded by content: what the platform has is not stored again, and the same content as the newest
    version is that version. Schema and statistics are inferred here, and the table is checked against the schema of
    the version before: see `version.findings`. What is not said about columns is kept from that version, else
    inferred.

    Args:
        client: the platform.
        name: the dataset's.
        data: a file, a folder or several files (Parquet and CSV are read for schema and statistics, others are kept
            as they are), a pyarrow Table, or a pandas frame; tables are written as Parquet.
        roles: what columns are for: `feature`, `label`, `key`, `ignored`.
        categorical: the columns that hold codes, not quantities.
        sensitive: the columns that say something about people that must not decide.
        owner: of a new dataset.
        description: of a new dataset.
        note: what is special about this version.

    Raises:
        Invalid: a file is broken (the text names line and column), a column does not exist, the name is none.
    """
    found = _ensure(client, name, owner, description)
    before = client.call(GetDatasetVersion(name=found.name, version=found.newest)) if found.newest else None
    earlier = before.columns if before else ()
    contents = _contents(data)
    tables = {path: parse_table(path, content, earlier) for path, content in contents.items() if _is_table(path)}
    described: dict[str, Any] = {"rows": 0}
    if tables:
        table = concatenate(tables)
        columns = infer_schema(
            table,
            roles={**_roles(earlier, table), **(roles or {})},
            categorical=_kept(categorical, [one.name for one in earlier if one.categorical], earlier, table),
            sensitive=_kept(sensitive, [one.name for one in earlier if one.sensitive], earlier, table) or (),
        )
        described = {
            "rows": table.num_rows,
            "columns": columns,
            "summaries": summarise(table),
            "findings": validate(table, earlier) if earlier else (),
        }
    files = tuple(_upload(client, path, content) for path, content in contents.items())
    return client.call(CommitDatasetVersion(name=found.name, files=files, note=note, **described))


def get_version(client: Client, reference: str) -> DatasetVersion:
    """The version that `people@3`, `people@latest`, `people` or a version's id stands for.

    Raises:
        NotFound: there is none. Invalid: the text is no reference.
    """
    if reference.startswith("dv-"):
        return client.call(GetDatasetVersion(id=DatasetVersionId(reference)))
    name, _, number = reference.partition("@")
    if number not in {"", "latest"} and not number.isdecimal():
        raise Invalid(f"'{reference}' names no dataset version; write it like 'people@3' or 'people@latest'.")
    version = int(number) if number.isdecimal() else 0
    return client.call(GetDatasetVersion(name=DatasetName(name), version=version))


def load_dataset(client: Client, reference: str) -> pa.Table:
    """The rows of a version, e.g. `people@3` or `people@latest`. Every byte is checked against the version's digest.

    Raises:
        NotFound: there is no such version.
        Invalid: it holds files that are no tables; take those with `download_dataset`.
        Internal: what the platform sent is not what was added.
    """
    version = get_version(client, reference)
    tables = {file.path: file for file in version.files if _is_table(file.path)}
    if not tables:
        raise Invalid(
            f"'{version.name}@{version.version}' holds no table but {quoted(file.path for file in version.files)}. "
            "Take the files with download_dataset."
        )
    return concatenate(
        {path: parse_table(path, _content(client, version, file), version.columns) for path, file in tables.items()}
    )


def download_dataset(client: Client, reference: str, folder: str | Path) -> list[Path]:
    """The files of a version, written below a folder.

    Raises:
        NotFound: there is no such version.
        Internal: what the platform sent is not what was added; nothing is written under that file's name.
    """
    version = get_version(client, reference)
    written = []
    for file in version.files:
        target = Path(folder) / file.path
        arriving = target.with_name(f".{target.name}.arriving")
        try:
            client.save_blob(file.digest, arriving)
            if blob_of_file(arriving) != file.digest:
                raise _damaged(version, file)
            arriving.replace(target)
        finally:
            arriving.unlink(missing_ok=True)
        written.append(target)
    return written


def dataset_input(version: DatasetVersion, context: str = "") -> DatasetInput:
    """What `runs.log_inputs` needs to know that a run used a version: the arrow of the lineage.

    Args:
        version: which.
        context: what for: `training`, `evaluation`, ….
    """
    schema = {"airside_columns": [{"name": column.name, "type": column.type} for column in version.columns]}
    profile = {"num_rows": version.rows, "size_bytes": version.size_bytes, "version": version.version}
    return DatasetInput(
        dataset=RunDataset(
            name=version.name,
            digest=version.digest.removeprefix("b3:")[:DIGEST_DIGITS],
            source_type=SOURCE_TYPE,
            source=version.id,
            schema=msgspec.json.encode(schema).decode(),
            profile=msgspec.json.encode({**profile, "digest": version.digest}).decode(),
        ),
        tags=(Tag(key="mlflow.data.context", value=context),) if context else (),
    )


def _ensure(client: Client, name: str, owner: str, description: str) -> Dataset:
    try:
        return client.call(GetDataset(name=DatasetName(name)))
    except NotFound:
        pass
    try:
        return client.call(CreateDataset(name=DatasetName(name), owner=owner, description=description))
    except AlreadyExists:  # somebody else was quicker
        return client.call(GetDataset(name=DatasetName(name)))


def _contents(data: Any) -> dict[str, Path | bytes]:
    """What is to be stored: path in the version → the file, or bytes. Large files are not read here."""
    if isinstance(data, pa.Table):
        return {"data.parquet": to_parquet(data)}
    if hasattr(data, "columns") and hasattr(data, "to_dict"):
        return {"data.parquet": to_parquet(pa.Table.from_pandas(data, preserve_index=False))}
    paths: Sequence[str | Path] = [data] if isinstance(data, str | Path) else list(data)
    found: dict[str, Path | bytes] = {}
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.is_file())
            found |= {one.relative_to(path).as_posix(): one for one in inside}
        elif path.is_file():
            found[path.name] = path
        else:
            raise Invalid(f"There is no file '{path}'. Give files that exist.")
    if len(found) < len(paths):
        raise Invalid(f"Two of the files have one name: {quoted(map(str, paths))}. Put them into a folder, give that.")
    return found


def _is_table(path: str) -> bool:
    return path.endswith(TABLES)


def _roles(earlier: Sequence[Column], table: pa.Table) -> dict[str, Role]:
    return {column.name: column.role for column in earlier if column.name in table.column_names}


def _kept(
    said: Collection[str] | None, before: list[str], earlier: Sequence[Column], table: pa.Table
) -> Collection[str] | None:
    """What is said now, else what held before; where there is no before, it is guessed."""
    if said is not None or not earlier:
        return said
    return [name for name in before if name in table.column_names]


def _upload(client: Client, path: str, content: Path | bytes) -> DatasetFile:
    size_bytes = content.stat().st_size if isinstance(content, Path) else len(content)
    return DatasetFile(path=path, size_bytes=size_bytes, digest=client.put_blob(content))


def _content(client: Client, version: DatasetVersion, file: DatasetFile) -> bytes:
    content = client.get_blob(file.digest)
    if blob_of([content]) != file.digest:
        raise _damaged(version, file)
    return content


def _damaged(version: DatasetVersion, file: DatasetFile) -> Internal:
    return Internal(
        f"'{file.path}' of '{version.name}@{version.version}' is damaged in the store: its bytes are not those "
        "that were added. Add the file again from its source, or restore the blob from a backup."
    )
