"""What the demo injects, each announced on the screen: pure functions from a table to a faulty table."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

SEED = 20_150
RELP_OF_2019 = {
    0: 20, 1: 21, 2: 25, 3: 26, 4: 27, 5: 28, 6: 29, 7: 30, 8: 31, 9: 32, 10: 33, 11: 36, 12: 34, 13: 22, 14: 35,
    15: 36, 16: 37, 17: 38,
}  # fmt: skip
"""The survey's change of 2019 (RELP became RELSHIPP); the mapping of 11 is ours."""


def lose_labels(table: pa.Table, *, label: str, where: Callable[[pa.Table], Any], share: float) -> tuple[pa.Table, int]:
    """Set the label of a share of the positive rows of a group to 0.

    Args:
        table: the labelled rows.
        label: the column of 0 and 1.
        where: the rows that may be hit: a boolean array, shape (n_rows,).
        share: of the positive rows among them, drawn without replacement with a fixed seed.

    Returns:
        The faulty table, and how many rows were changed.
    """
    labels = table[label].to_numpy().copy()
    candidates = np.flatnonzero(np.asarray(where(table)) & (labels == 1))
    hit = np.random.default_rng(SEED).choice(candidates, round(share * len(candidates)), replace=False)
    labels[hit] = 0
    return replaced(table, label, labels), len(hit)


def recoded(table: pa.Table, column: str, codes: dict[int, int]) -> tuple[pa.Table, int]:
    """A column in the codes of another year.

    >>> recoded(pa.table({"RELP": [0, 17]}), "RELP", RELP_OF_2019)[0]["RELP"].to_pylist()
    [20, 38]
    """
    values = table[column].to_numpy()
    changed = np.array([codes.get(int(value), int(value)) for value in values], dtype=np.int64)
    return replaced(table, column, changed), int((changed != values).sum())


def replaced(table: pa.Table, column: str, values: "np.ndarray[Any, Any]") -> pa.Table:
    """The table with a column's values replaced; its type is kept where the values fit."""
    kind = table.schema.field(column).type
    try:
        array = pa.array(values).cast(kind)
    except pa.ArrowInvalid:
        array = pa.array(values)
    return table.set_column(table.schema.get_field_index(column), column, array)
