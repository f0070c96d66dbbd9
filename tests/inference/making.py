"""Small data and fitted models."""

from typing import Any

import numpy as np

COLUMNS = ("age", "code", "pay")


def table(rows: int = 300, seed: int = 0) -> tuple[Any, Any]:
    """(rows, 3) of age, a code of 1 to 5, and pay; and a binary label."""
    random = np.random.default_rng(seed)
    x = np.column_stack([random.integers(16, 90, rows), random.integers(1, 6, rows), random.normal(40, 12, rows)])
    y = (x[:, 0] / 40 + (x[:, 1] == 2) + x[:, 2] / 60 + random.normal(0, 0.6, rows) > 2.2).astype(int)
    return x, y


def as_rows(x: Any, columns: tuple[str, ...] = COLUMNS) -> dict[str, list[Any]]:
    return {name: x[:, i].tolist() for i, name in enumerate(columns)}
