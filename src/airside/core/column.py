"""A column of a table, as datasets, signatures and profiles name it."""

from typing import Literal

from airside.core.record import Record

ColumnType = Literal["boolean", "integer", "long", "float", "double", "string", "binary", "datetime"]
"""MLflow's names: integer is int32, long int64, float float32, double float64."""


class Column(Record):
    """A named, typed column.

    Attributes:
        role: what the column is for: `feature`, `label`, `key` (an entity, e.g. the household), `sensitive` features
            are also features and are listed in `sensitive`.
        levels: the known values of a categorical column; empty for numbers.
        minimum, maximum: the known range of a number; None for categories.
    """

    name: str
    type: ColumnType
    required: bool = True
    nullable: bool = False
    role: Literal["feature", "label", "key", "ignored"] = "feature"
    categorical: bool = False
    sensitive: bool = False
    levels: tuple[str | int | float | bool, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
