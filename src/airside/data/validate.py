"""A table against an earlier schema: what is missing, new, of another type, out of range, null. Imports pyarrow."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from airside.core.column import Column
from airside.core.errors import quoted
from airside.data.ingest import column_type, missing_rows
from airside.data.records import Finding, FindingKind, Level

NUMBERS = {"integer", "long", "float", "double"}
SHOWN = 10


def validate(table: pa.Table, columns: Sequence[Column]) -> tuple[Finding, ...]:
    """Everything in which the table differs from what the schema says; empty when it fits.

    Args:
        table: the new rows.
        columns: the schema that was inferred from earlier ones.

    >>> old = [Column(name="age", type="long", minimum=16, maximum=94)]
    >>> [finding.text for finding in validate(pa.table({"age": [20, 95]}), old)]
    ["age: 95 above the reference's maximum 94, in 1 row"]
    """
    found: list[Finding] = []
    for column in columns:
        if column.name not in table.column_names:
            if column.required:
                found.append(_finding(column.name, "missing_column", 0, (), "the column is missing"))
            continue
        found += _validate_column(column, table.column(column.name))
    known = {column.name for column in columns}
    found += [
        _finding(name, "new_column", 0, (), "the column is new") for name in table.column_names if name not in known
    ]
    return tuple(found)


def _validate_column(column: Column, values: pa.ChunkedArray) -> list[Finding]:
    kind = column_type(column.name, values.type)
    if kind != column.type:
        text = f"the type is {kind}, it was {column.type}"
        changed = [_finding(column.name, "type_change", 0, (), text)]
        if not {kind, column.type} <= NUMBERS:
            return changed
    else:
        changed = []
    missing = missing_rows(values)
    if missing and not column.nullable:
        text = f"{missing} of {len(values)} values are missing, none was before"
        changed.append(_finding(column.name, "nulls", missing, (), text))
    plain = values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
    if column.levels:
        return changed + _new_levels(column, plain)
    if column.role in {"feature", "label"}:
        return changed + _out_of_range(column, plain)
    return changed


def _new_levels(column: Column, values: pa.ChunkedArray) -> list[Finding]:
    counts = pc.value_counts(pc.drop_null(values)).to_pylist()
    known = set(column.levels)
    new = {one["values"]: one["counts"] for one in counts if one["values"] not in known}
    if not new:
        return []
    shown = tuple(sorted(new, key=lambda level: (-new[level], str(level)))[:SHOWN])
    rows = sum(new.values())
    text = f"new levels {quoted(str(level) for level in shown)}, in {_rows(rows)}"
    return [_finding(column.name, "new_level", rows, shown, text)]


def _out_of_range(column: Column, values: pa.ChunkedArray) -> list[Finding]:
    if column.minimum is None or column.maximum is None:
        return []
    found = []
    low, high = pc.less(values, column.minimum), pc.greater(values, column.maximum)
    for kind, outside, limit, worst in (
        ("below_range", low, column.minimum, pc.min),
        ("above_range", high, column.maximum, pc.max),
    ):
        rows = int(pc.sum(outside).as_py() or 0)
        if rows:
            value = worst(values).as_py()
            side = "below the reference's minimum" if kind == "below_range" else "above the reference's maximum"
            text = f"{value:.10g} {side} {limit:.10g}, in {_rows(rows)}"
            found.append(_finding(column.name, kind, rows, (value,), text))
    return found


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"


def _finding(column: str, kind: Any, rows: int, found: tuple[Level, ...], text: str) -> Finding:
    checked: FindingKind = kind
    return Finding(column=column, kind=checked, rows=rows, found=found, text=f"{column}: {text}")
