"""Two tables, column by column: what changed, how surely, and what is new. The rows themselves are at hand.

For windows that were counted while serving, see `profile`: the same figures from counts.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from airside.core.column import Column
from airside.quality.measures import levels, numbers, surprises
from airside.quality.measures.adjust import benjamini_hochberg
from airside.quality.measures.arrays import AnyArray, Columns, Floats, is_missing, level_counts
from airside.quality.measures.arrays import numbers as numbers_of
from airside.quality.profiles import Drift, Importance

FALSE_DISCOVERIES = 0.01
KS_EFFECT = 0.05
TVD_EFFECT = 0.03
SURE = 0.001
SHOWN = 8


def compare(
    reference: Columns,
    current: Columns,
    columns: Sequence[Column],
    *,
    inflation: dict[str, float] | None = None,
    importance: Sequence[Importance] = (),
) -> tuple[Drift, ...]:
    """Each column of the current table against the reference.

    A column drifted when its adjusted p-value is at most 1 % and its effect is at least 0.05 (KS) or 0.03 (total
    variation distance): certain, and large enough to be seen.

    Args:
        reference: the values that count as normal.
        current: the values of the window.
        columns: which columns, and whether each is categorical.
        inflation: how much a column's statistic is inflated because rows come in entities.
        importance: how much the model needs each column.
    """
    weights = {one.column: one for one in importance}
    found = [
        replaced(
            compare_column(
                column, reference[column.name], current[column.name], inflation=(inflation or {}).get(column.name, 1.0)
            ),
            importance=weights.get(column.name),
        )
        for column in columns
        if column.name in reference and column.name in current
    ]
    return judged(found)


def judged(found: Sequence[Drift]) -> tuple[Drift, ...]:
    """The columns with their p-values adjusted for each other, and the verdict."""
    adjusted = benjamini_hochberg([one.p for one in found])
    return tuple(_verdict(one, p) for one, p in zip(found, adjusted, strict=True))


def _verdict(one: Drift, p: float | None) -> Drift:
    least = KS_EFFECT if one.statistic == "ks" else TVD_EFFECT
    return replaced(one, p_adjusted=p, is_drifted=p is not None and p <= FALSE_DISCOVERIES and one.effect >= least)


def replaced(one: Drift, **changes: Any) -> Drift:
    """The same column with some figures replaced."""
    return Drift(**{name: getattr(one, name) for name in one.__struct_fields__} | changes)


def compare_column(column: Column, reference: AnyArray, current: AnyArray, *, inflation: float = 1.0) -> Drift:
    """One column against the reference, before the adjustment for its sisters."""
    if is_levels(column, reference):
        return _compare_levels(column, reference, current, inflation)
    return _compare_numbers(column, reference, current, inflation)


def is_levels(column: Column, reference: AnyArray) -> bool:
    """Whether a column is compared by its levels: it is declared so, or it holds no numbers."""
    return column.categorical or column.type in {"boolean", "string", "binary"} or reference.dtype.kind in "bOSU"


def _compare_levels(column: Column, reference: AnyArray, current: AnyArray, inflation: float) -> Drift:
    r, c = level_counts(reference), level_counts(current)
    missing_r, missing_c = int(is_missing(reference).sum()), int(is_missing(current).sum())
    return levels_drift(column.name, r, c, missing=(missing_r, missing_c), inflation=inflation)


def levels_drift(
    name: str, r: dict[Any, int], c: dict[Any, int], *, missing: tuple[int, int], inflation: float = 1.0
) -> Drift:
    """A column of levels, from the counts of both sides."""
    _, p, q = levels.aligned(r, c)
    n, m = int(p.sum()), int(q.sum())
    missing_r, missing_c = missing
    _, chance = levels.chi_square(*levels.pooled(p, q), inflation=inflation)
    effect = levels.total_variation(p, q)
    p_missing = surprises.missing_share(missing_r, n + missing_r, missing_c, m + missing_c)
    p_unseen = surprises.unseen_levels(r, c)
    return Drift(
        column=name,
        kind="levels",
        rows=m + missing_c,
        missing=missing_c,
        statistic="tvd",
        effect=effect,
        effect_corrected=max(effect - levels.expected_total_variation(p, n, m), 0.0),
        p=chance if n and m else None,
        psi=levels.psi(p, q),
        js=levels.jensen_shannon(p, q),
        p_missing=p_missing,
        p_unseen=p_unseen,
        findings=(*missing_text(missing_r, n, missing_c, m, p_missing), *_level_texts(r, c)),
    )


def _compare_numbers(column: Column, reference: AnyArray, current: AnyArray, inflation: float) -> Drift:
    r, missing_r, _ = numbers_of(reference)
    c, missing_c, infinite = numbers_of(current)
    n, m = len(r), len(c)
    effect, chance = numbers.ks_test(r, c, inflation=inflation)
    p, q = _decile_counts(r, c)
    p_missing = surprises.missing_share(missing_r, n + missing_r, missing_c, m + missing_c)
    above, below = _beyond(r, c)
    factor = surprises.unit_factor(r, c) if n and m and chance <= SURE else None
    return Drift(
        column=column.name,
        kind="number",
        rows=m + missing_c + infinite,
        missing=missing_c,
        statistic="ks",
        effect=effect,
        effect_corrected=max(effect - numbers.expected_ks(n, m), 0.0),
        p=chance if n and m else None,
        psi=levels.psi(p, q),
        js=levels.jensen_shannon(p, q),
        w1=numbers.normalised_wasserstein(r, c),
        p_missing=p_missing,
        p_range=surprises.out_of_range(above, below, n, m),
        unit_factor=factor,
        findings=(
            *missing_text(missing_r, n, missing_c, m, p_missing),
            *(range_texts(r[0], r[-1], c[0], c[-1], above, below) if n and m else ()),
            *unit_text(factor),
        ),
    )


def _decile_counts(r: Floats, c: Floats) -> tuple[Floats, Floats]:
    edges = numbers.decile_edges(r)
    return numbers.cell_counts(r, edges).astype(np.float64), numbers.cell_counts(c, edges).astype(np.float64)


def _beyond(r: Floats, c: Floats) -> tuple[int, int]:
    if not len(r):
        return 0, 0
    return len(c) - int(np.searchsorted(c, r[-1], "right")), int(np.searchsorted(c, r[0], "left"))


def missing_text(missing_r: int, n: int, missing_c: int, m: int, p: float) -> tuple[str, ...]:
    """The sentence about missing values, when their share is surely another one.

    >>> missing_text(0, 100, 50, 50, 1e-9)
    ('50.0% missing, 0.0% in the reference',)
    """
    if not missing_c or p > SURE:
        return ()
    share, normal = missing_c / (missing_c + m), missing_r / (missing_r + n) if missing_r + n else 0.0
    return (f"{share:.1%} missing, {normal:.1%} in the reference",)


def _level_texts(r: dict[Any, int], c: dict[Any, int]) -> tuple[str, ...]:
    total = sum(c.values())
    unseen = {level: c[level] for level in in_sequence(c) if c[level] and not r.get(level)}
    gone = [level for level, rows in r.items() if rows and not c.get(level) and expected_rows(rows, r, total) >= SHOWN]
    texts = []
    if unseen:
        rows = sum(unseen.values())
        texts.append(f"unseen levels {listed(unseen)} in {rows} rows ({rows / total:.1%})")
    if gone:
        texts.append(f"levels {listed(gone)} are gone")
    return tuple(texts)


def in_sequence(names: Any) -> list[Any]:
    """Levels in an order that people expect: numbers by size, texts by letter.

    >>> in_sequence(["b", 10, 9, "a"])
    [9, 10, 'a', 'b']
    """
    return sorted(names, key=lambda level: (isinstance(level, str), level))


def expected_rows(rows: int, r: dict[Any, int], total: int) -> float:
    """How many rows a level of the reference should have in a window.

    >>> expected_rows(10, {"a": 10, "b": 90}, 50)
    5.0
    """
    return rows / sum(r.values()) * total


def listed(values: Any) -> str:
    """Some values for a sentence.

    >>> listed([20, 21]), listed(range(12))
    ('20, 21', '0, 1, 2, 3, 4, 5, 6, 7 and 4 more')
    """
    shown = list(values)
    text = ", ".join(str(value)[:60] for value in shown[:SHOWN])
    return f"{text} and {len(shown) - SHOWN} more" if len(shown) > SHOWN else text


def range_texts(
    low: float, high: float, found_low: float, found_high: float, above: int, below: int
) -> tuple[str, ...]:
    """What lies beyond the reference's range.

    >>> range_texts(16, 94, 20, 95, 441, 0)
    ("95 above the reference's maximum 94, in 441 rows",)
    """
    texts = []
    if above:
        texts.append(f"{found_high:.10g} above the reference's maximum {high:.10g}, in {above} rows")
    if below:
        texts.append(f"{found_low:.10g} below the reference's minimum {low:.10g}, in {below} rows")
    return tuple(texts)


def unit_text(factor: float | None) -> tuple[str, ...]:
    """What a change of unit is called.

    >>> unit_text(12.0), unit_text(0.001), unit_text(None)
    (('another unit: times 12',), ('another unit: divided by 1000',), ())
    """
    if factor is None:
        return ()
    return (f"another unit: times {factor:g}" if factor > 1 else f"another unit: divided by {1 / factor:g}",)
