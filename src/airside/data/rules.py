"""What differs between two versions: pure decisions on their records."""

from airside.core.column import Column
from airside.core.errors import quoted
from airside.data.records import (
    ColumnSummary,
    DatasetDiff,
    DatasetFile,
    DatasetVersion,
    FileChange,
    SchemaChange,
    StatisticChange,
)


def diff(before: DatasetVersion, after: DatasetVersion) -> DatasetDiff:
    """Schema, files, rows and statistics of two versions, side by side."""
    return DatasetDiff(
        name=after.name,
        before=before.version,
        after=after.version,
        is_same=before.digest == after.digest,
        rows_before=before.rows,
        rows_after=after.rows,
        schema=schema_changes(before.columns, after.columns),
        files=file_changes(before.files, after.files),
        statistics=statistic_changes(before.summaries, after.summaries),
    )


def schema_changes(before: tuple[Column, ...], after: tuple[Column, ...]) -> tuple[SchemaChange, ...]:
    """How the columns differ, in the order of the newer schema, removed columns last.

    >>> before, after = Column(name="a", type="long"), Column(name="a", type="string")
    >>> [change.change for change in schema_changes((before,), (after,))]
    ['type']
    """
    old = {column.name: column for column in before}
    new = {column.name: column for column in after}
    changes: list[SchemaChange] = []
    for column in after:
        earlier = old.get(column.name)
        if earlier is None:
            changes.append(SchemaChange(column=column.name, change="added", after=column.type))
        else:
            changes.extend(_column_changes(earlier, column))
    changes += [
        SchemaChange(column=column.name, change="removed", before=column.type)
        for column in before
        if column.name not in new
    ]
    return tuple(changes)


def _column_changes(old: Column, new: Column) -> list[SchemaChange]:
    changes: list[SchemaChange] = []
    if old.type != new.type:
        changes.append(SchemaChange(column=new.name, change="type", before=old.type, after=new.type))
    if old.role != new.role:
        changes.append(SchemaChange(column=new.name, change="role", before=old.role, after=new.role))
    gone = [level for level in old.levels if level not in new.levels]
    come = [level for level in new.levels if level not in old.levels]
    if gone or come:
        changes.append(
            SchemaChange(
                column=new.name,
                change="levels",
                before=f"gone: {quoted(map(str, gone))}" if gone else "",
                after=f"new: {quoted(map(str, come))}" if come else "",
            )
        )
    is_used = new.role in {"feature", "label"}  # the range of keys and of what is ignored says nothing
    if is_used and (old.minimum, old.maximum) != (new.minimum, new.maximum):
        changes.append(
            SchemaChange(column=new.name, change="range", before=range_text(old), after=range_text(new)),
        )
    return changes


def range_text(column: Column) -> str:
    """A column's range for people.

    >>> range_text(Column(name="age", type="integer", minimum=16, maximum=94))
    '16 … 94'
    """
    if column.minimum is None or column.maximum is None:
        return ""
    return f"{column.minimum:.10g} … {column.maximum:.10g}"


def file_changes(before: tuple[DatasetFile, ...], after: tuple[DatasetFile, ...]) -> tuple[FileChange, ...]:
    """Which files were added, removed or changed, by path."""
    old = {file.path: file for file in before}
    new = {file.path: file for file in after}
    changes: list[FileChange] = []
    for path in sorted({*old, *new}):
        left, right = old.get(path), new.get(path)
        if left is None and right is not None:
            changes.append(FileChange(path=path, change="added", size_bytes_after=right.size_bytes))
        elif right is None and left is not None:
            changes.append(FileChange(path=path, change="removed", size_bytes_before=left.size_bytes))
        elif left is not None and right is not None and left.digest != right.digest:
            changes.append(
                FileChange(
                    path=path, change="changed", size_bytes_before=left.size_bytes, size_bytes_after=right.size_bytes
                )
            )
    return tuple(changes)


def statistic_changes(
    before: tuple[ColumnSummary, ...], after: tuple[ColumnSummary, ...]
) -> tuple[StatisticChange, ...]:
    """How the summaries of the columns that both versions have differ; equal ones are left out."""
    old = {summary.name: summary for summary in before}
    pairs = [(old[summary.name], summary) for summary in after if summary.name in old]
    return tuple(_statistic_change(left, right) for left, right in pairs if left != right)


def _statistic_change(left: ColumnSummary, right: ColumnSummary) -> StatisticChange:
    means = left.mean is not None and right.mean is not None
    return StatisticChange(
        column=right.name,
        before=left,
        after=right,
        mean_change=(right.mean or 0.0) - (left.mean or 0.0) if means else None,
        missing_share_change=_share(right.missing, right.rows) - _share(left.missing, left.rows),
        distance=level_distance(left, right),
    )


def level_distance(left: ColumnSummary, right: ColumnSummary) -> float | None:
    """Total variation distance over the counted levels; None where a side did not count all of its levels."""
    counted_left = sum(one.rows for one in left.top)
    counted_right = sum(one.rows for one in right.top)
    if not counted_left or not counted_right:
        return None
    if counted_left != left.rows - left.missing or counted_right != right.rows - right.missing:
        return None
    shares_left = {one.level: one.rows / counted_left for one in left.top}
    shares_right = {one.level: one.rows / counted_right for one in right.top}
    levels = {*shares_left, *shares_right}
    return sum(abs(shares_left.get(level, 0.0) - shares_right.get(level, 0.0)) for level in levels) / 2


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
