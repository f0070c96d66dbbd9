"""Files into tables, tables into schema and summaries. Runs where the files are: in the client's process.

Imports pyarrow: never imported by the control plane on its way to the first answer.
"""

import io
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from airside.core.column import Column, ColumnType
from airside.core.errors import Invalid, quoted
from airside.data.records import ColumnSummary, LevelCount

Role = Literal["feature", "label", "key", "ignored"]
TABLES = (".parquet", ".csv")
MOST_LEVELS = 100
MOST_CODES = 32
ROWS_PER_CODE = 20
MOST_TOP = 20
COUNTED_TOP = 100
_ROW = re.compile(r"Row #(\d+)")
_COLUMN = re.compile(r"CSV column #(\d+)")
_OLD_TYPES: dict[ColumnType, Any] = {
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "long": pa.int64(),
    "float": pa.float64(),
    "double": pa.float64(),
    "string": pa.string(),
}


def read_table(path: Path, columns: Sequence[Column] = ()) -> pa.Table:
    """A Parquet or CSV file as a table.

    Args:
        path: the file; its ending says which.
        columns: an earlier schema: a CSV file's values must then have its types.

    Raises:
        Invalid: the file is broken (the text names the line and the column), empty, or of another kind.
    """
    if not path.is_file():
        raise Invalid(f"There is no file '{path.name}' here. Give files that exist.")
    return parse_table(path.name, path.read_bytes() if path.suffix == ".csv" else path, columns)


def parse_table(name: str, source: Path | bytes, columns: Sequence[Column] = ()) -> pa.Table:
    """The same, for a file whose bytes are at hand.

    Raises:
        Invalid: as `read_table`.
    """
    if name.endswith(".parquet"):
        table = _parquet(name, source)
    elif name.endswith(".csv"):
        table = _csv(name, source if isinstance(source, bytes) else source.read_bytes(), columns)
    else:
        raise Invalid(f"'{name}' is no table that can be read. Give a file that ends in {' or '.join(TABLES)}.")
    names = table.column_names
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        raise Invalid(f"'{name}' has several columns of one name: {quoted(twice)}. Name each column once.")
    return table


def _parquet(name: str, source: Path | bytes) -> pa.Table:
    try:
        # Not pq.read_table: it imports pyarrow.dataset, and that imports pandas where it is installed.
        with pq.ParquetFile(io.BytesIO(source) if isinstance(source, bytes) else source) as file:
            return file.read()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise Invalid(f"'{name}' is not a whole Parquet file: {error}. Write it again, or copy it again.") from error


def _csv(name: str, data: bytes, columns: Sequence[Column]) -> pa.Table:
    header = data.split(b"\n", 1)[0].decode("utf-8", errors="replace").strip().split(",")
    types = {column.name: _OLD_TYPES[column.type] for column in columns if column.type in _OLD_TYPES}
    try:
        table = pacsv.read_csv(
            io.BytesIO(data),
            read_options=pacsv.ReadOptions(use_threads=False),
            convert_options=pacsv.ConvertOptions(column_types=types),
        )
    except pa.ArrowInvalid as error:
        raise Invalid(_csv_text(name, str(error), header)) from error
    for field in table.schema:
        if pa.types.is_binary(field.type):
            raise Invalid(
                f"'{name}', line {_bad_line(data)}, column '{field.name}': not UTF-8 text. Save the file as UTF-8."
            )
    return table


def _csv_text(name: str, text: str, header: list[str]) -> str:
    row, column = _ROW.search(text), _COLUMN.search(text)
    where = f", line {row[1]}" if row else ""
    if column and int(column[1]) < len(header):
        where += f", column '{header[int(column[1])].strip(chr(34))}'"
    what = text.rpartition(": ")[2] if column else text.partition(f"Row #{row[1]}: " if row else "CSV parse error: ")[2]
    return f"'{name}'{where}: {what or text}. Mend the file, then add it again."


def _bad_line(data: bytes) -> int:
    for number, line in enumerate(data.split(b"\n"), start=1):
        try:
            line.decode()
        except UnicodeDecodeError:
            return number
    return 0


def concatenate(tables: Mapping[str, pa.Table]) -> pa.Table:
    """Several files' tables as one, in the order of their names.

    Raises:
        Invalid: a file has other columns than the first, or other types.
    """
    first, *others = sorted(tables)
    for name in others:
        if tables[name].schema != tables[first].schema:
            left, right = set(map(str, tables[first].schema)), set(map(str, tables[name].schema))
            raise Invalid(
                f"'{name}' has other columns than '{first}': {quoted(sorted(left ^ right))}. "
                "All files of a version have the same columns, in the same order."
            )
    return pa.concat_tables([tables[name] for name in sorted(tables)])


def infer_schema(
    table: pa.Table,
    *,
    roles: Mapping[str, Role] | None = None,
    categorical: Collection[str] | None = None,
    sensitive: Collection[str] = (),
) -> tuple[Column, ...]:
    """The columns of a table: types, levels, ranges, roles.

    Args:
        table: what is looked at, whole.
        roles: what columns are for; others are features, but for whole numbers and texts that differ in each row
            and whose name ends in `id`: those are keys.
        categorical: which columns are codes, not quantities; when left out, texts with at most 100 levels, and
            integers with at most 32 that occur 20 times each on average.
        sensitive: which columns say something about people that must not decide.

    Raises:
        Invalid: a name is not a column of the table, or a column holds lists or structures.
    """
    named = {*(roles or {}), *(categorical or ()), *sensitive}
    unknown = sorted(named - set(table.column_names))
    if unknown:
        raise Invalid(f"The table has no column {quoted(unknown)}. It has: {quoted(table.column_names)}.")
    return tuple(
        _infer_column(name, table.column(name), (roles or {}).get(name), categorical, is_sensitive=name in sensitive)
        for name in table.column_names
    )


def _infer_column(
    name: str, values: pa.ChunkedArray, role: Role | None, categorical: Collection[str] | None, *, is_sensitive: bool
) -> Column:
    kind = column_type(name, values.type)
    plain = _plain(values)
    distinct = pc.count_distinct(plain, mode="only_valid").as_py()
    present = len(plain) - missing_rows(plain)
    is_key = distinct == present == len(plain) > 1 and kind in {"integer", "long", "string"} and _ends_in_id(name)
    used: Role = role or ("key" if is_key else "feature")
    is_coded = _is_coded(kind, distinct, present) if categorical is None else name in categorical or kind == "boolean"
    is_categorical = is_coded and used in {"feature", "label"}
    low, high = (None, None) if is_categorical else _range(kind, plain)
    return Column(
        name=name,
        type=kind,
        nullable=present < len(plain),
        role=used,
        categorical=is_categorical,
        sensitive=is_sensitive,
        levels=tuple(sorted(pc.unique(pc.drop_null(plain)).to_pylist())) if is_categorical else (),
        minimum=low,
        maximum=high,
    )


def _ends_in_id(name: str) -> bool:
    return name.lower() == "id" or name.lower().endswith(("_id", "-id")) or name.endswith("Id")


def _is_coded(kind: ColumnType, distinct: int, present: int) -> bool:
    if kind == "boolean":
        return True
    if kind == "string":
        return distinct <= MOST_LEVELS and distinct * 2 <= present
    return kind in {"integer", "long"} and distinct <= MOST_CODES and distinct * ROWS_PER_CODE <= present


def column_type(name: str, kind: pa.DataType) -> ColumnType:
    """What MLflow calls an Arrow type.

    Raises:
        Invalid: the column holds lists or structures.

    >>> column_type("age", pa.int8()), column_type("when", pa.timestamp("ms"))
    ('integer', 'datetime')
    """
    is_of: tuple[tuple[ColumnType, Any], ...] = (
        ("boolean", pa.types.is_boolean),
        ("long", lambda one: pa.types.is_int64(one) or pa.types.is_uint64(one) or pa.types.is_uint32(one)),
        ("integer", pa.types.is_integer),
        ("double", lambda one: pa.types.is_float64(one) or pa.types.is_decimal(one)),
        ("float", pa.types.is_floating),
        ("string", lambda one: pa.types.is_string(one) or pa.types.is_large_string(one) or pa.types.is_null(one)),
        ("binary", lambda one: pa.types.is_binary(one) or pa.types.is_large_binary(one)),
        ("datetime", pa.types.is_temporal),
    )
    if pa.types.is_dictionary(kind):
        return column_type(name, kind.value_type)
    for found, is_it in is_of:
        if is_it(kind):
            return found
    raise Invalid(f"The column '{name}' holds {kind}; a column holds one value a row. Flatten it first.")


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without dictionaries, and with NaN as null: one kind of missing."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    return values


def missing_rows(values: pa.ChunkedArray) -> int:
    """How many values are null or NaN."""
    return int(pc.sum(pc.is_null(values, nan_is_null=True)).as_py() or 0)


def _range(kind: ColumnType, plain: pa.ChunkedArray) -> tuple[float | None, float | None]:
    if kind not in {"integer", "long", "float", "double"}:
        return None, None
    finite = plain.filter(pc.is_finite(plain)) if kind in {"float", "double"} else plain
    found = pc.min_max(finite).as_py()
    return _float(found["min"]), _float(found["max"])


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def summarise(table: pa.Table) -> tuple[ColumnSummary, ...]:
    """What each column holds."""
    return tuple(_summarise(name, _plain(table.column(name))) for name in table.column_names)


def _summarise(name: str, values: pa.ChunkedArray) -> ColumnSummary:
    kind = column_type(name, values.type)
    distinct = pc.count_distinct(values, mode="only_valid").as_py()
    top: tuple[LevelCount, ...] = ()
    if kind in {"boolean", "integer", "long", "string"} and 0 < distinct <= max(COUNTED_TOP, len(values) // 2):
        top = _top(values, COUNTED_TOP if distinct <= COUNTED_TOP else MOST_TOP)
    moments = _moments(kind, values)
    return ColumnSummary(
        name=name, rows=len(values), missing=missing_rows(values), distinct=distinct, top=top, **moments
    )


def _top(values: pa.ChunkedArray, most: int) -> tuple[LevelCount, ...]:
    counted = pc.value_counts(pc.drop_null(values))
    rows = counted.field("counts").to_numpy()
    # Ties at the end are cut by the order of first occurrence; among those that are kept, the smaller value is first.
    chosen = counted.take(pa.array(np.argsort(-rows, kind="stable")[:most])).to_pylist()
    ordered = sorted(chosen, key=lambda one: (-one["counts"], str(one["values"])))
    return tuple(LevelCount(level=one["values"], rows=one["counts"]) for one in ordered)


def _moments(kind: ColumnType, values: pa.ChunkedArray) -> dict[str, Any]:
    if kind not in {"integer", "long", "float", "double"}:
        return {}
    numbers = pc.drop_null(values).to_numpy().astype(np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return {}
    return {
        "minimum": float(numbers.min()),
        "maximum": float(numbers.max()),
        "mean": float(numbers.mean()),
        "deviation": float(numbers.std()),
        "deciles": tuple(np.quantile(numbers, np.arange(1, 10) / 10, method="inverted_cdf").tolist()),
    }


def to_parquet(table: pa.Table) -> bytes:
    """The table as the bytes of a Parquet file: the same table gives the same bytes."""
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(None), sink, compression="zstd")
    return sink.getvalue()
