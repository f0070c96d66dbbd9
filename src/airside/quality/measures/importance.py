"""How much a model needs each column: the fall of its AUC when the column's values are shuffled."""

from collections.abc import Callable, Sequence

import numpy as np

from airside.quality.measures.arrays import AnyArray, Bools, Columns, Floats
from airside.quality.measures.auc import auc
from airside.quality.measures.intervals import SEED
from airside.quality.measures.numbers import normal_quantile
from airside.quality.profiles import Importance

REPEATS = 10


def permutation_importance(
    predict: Callable[[dict[str, AnyArray]], Floats],
    columns: Columns,
    labels: Bools,
    names: Sequence[str],
    *,
    repeats: int = REPEATS,
    most_rows: int = 20_000,
) -> tuple[Importance, ...]:
    """Each column's importance with the interval of its mean over the repeats, most important first.

    Args:
        predict: columns → probabilities of the positive class.
        columns: the hold-out.
        labels: the truth. Shape (n,).
        names: which columns to shuffle.
        repeats: how often each is shuffled.
        most_rows: larger hold-outs are thinned, evenly.
    """
    kept = np.unique(np.linspace(0, len(labels) - 1, min(most_rows, len(labels))).astype(int))
    table = {name: values[kept] for name, values in columns.items()}
    truth = labels[kept]
    whole = auc(truth, predict(table))
    random = np.random.default_rng(SEED)
    found = []
    for name in names:
        falls = np.array(
            [whole - auc(truth, predict({**table, name: random.permutation(table[name])})) for _ in range(repeats)]
        )
        fall = float(falls.mean())
        reach = normal_quantile(0.95) * float(falls.std(ddof=1)) / np.sqrt(repeats) if repeats > 1 else None
        found.append(
            Importance(
                column=name,
                fall=fall,
                low=None if reach is None else float(fall - reach),
                high=None if reach is None else float(fall + reach),
            )
        )
    return tuple(sorted(found, key=lambda one: -one.fall))
