"""A window's profile against the reference: the figures of `drift`, from counts alone."""

from collections.abc import Sequence

import numpy as np

from airside.quality.measures import drift, levels, numbers, profile, surprises
from airside.quality.measures.arrays import Floats, Ints
from airside.quality.profiles import ColumnProfile, ColumnReference, Drift, NumberReference, Profile, Reference

EDGES_OF_UNIT = 0.1
"""How far the ratio of the means may be from a factor for the factor to be considered."""


def compare(reference: Reference, window: Profile, *, by_entity: bool = False) -> tuple[Drift, ...]:
    """Each column of a window against the reference; see `drift.compare` for the verdict.

    Args:
        reference: what counts as normal.
        window: what was counted against it.
        by_entity: whether the window holds whole entities (households): statistics are then divided by the
            inflation that the reference measured.

    Raises:
        ValueError: the window was counted against another reference.
    """
    if window.reference != reference.digest:
        text = "The window was counted against another reference; count it again from the prediction log."
        raise ValueError(text)
    weights = profile.importance_of(reference)
    found = [
        _column(one, counted, one.inflation if by_entity else 1.0)
        for one, counted in zip(reference.columns, window.columns, strict=True)
    ]
    return drift.judged([drift.replaced(one, importance=weights.get(one.column)) for one in found])


def _column(one: ColumnReference, counted: ColumnProfile, inflation: float) -> Drift:
    if one.number is None:
        r, c = profile.levels_of(one, counted)
        return drift.levels_drift(one.name, r, c, missing=(one.missing, counted.missing), inflation=inflation)
    return _numbers(one, one.number, counted, inflation)


def _numbers(one: ColumnReference, number: NumberReference, counted: ColumnProfile, inflation: float) -> Drift:
    edges = profile.unpack_floats(number.edges)
    r, c = profile.unpack_ints(number.counts), profile.unpack_ints(counted.counts)
    n, m = int(r.sum()), int(c.sum())
    deciles = profile.unpack_floats(number.deciles)
    p, q = profile.decile_counts(edges, deciles, r), profile.decile_counts(edges, deciles, c)
    effect = profile.ks_of(r, c)
    p_missing = surprises.missing_share(one.missing, one.rows, counted.missing, counted.rows)
    factor = unit_factor(number, edges, r, c, counted.mean)
    return Drift(
        column=one.name,
        kind="number",
        rows=counted.rows,
        missing=counted.missing,
        statistic="ks",
        effect=effect,
        effect_corrected=max(effect - numbers.expected_ks(n, m), 0.0),
        p=numbers.ks_p(effect, n, m, inflation=inflation) if n and m else None,
        psi=levels.psi(p, q),
        js=levels.jensen_shannon(p, q),
        w1=profile.wasserstein_of(edges, r, c) / max(number.deviation, 0.001),
        p_missing=p_missing,
        p_range=surprises.out_of_range(counted.above, counted.below, n, m),
        unit_factor=factor,
        findings=(
            *drift.missing_text(one.missing, n, counted.missing, m, p_missing),
            *_range(number, counted),
            *drift.unit_text(factor),
        ),
    )


def _range(number: NumberReference, counted: ColumnProfile) -> tuple[str, ...]:
    known = (number.minimum, number.maximum, counted.minimum, counted.maximum)
    low, high, found_low, found_high = (0.0 if value is None else value for value in known)
    if None in known:
        return ()
    return drift.range_texts(low, high, found_low, found_high, counted.above, counted.below)


def unit_factor(number: NumberReference, edges: Floats, r: Ints, c: Ints, mean: float) -> float | None:
    """The factor by which a window's values seem to be in another unit: means in that ratio, and a far better fit."""
    if not number.mean or not mean or profile.ks_of(r, c) < surprises.LARGE:
        return None
    ratio = mean / number.mean
    near = [
        factor
        for factor in (*surprises.UNITS, *(1 / unit for unit in surprises.UNITS))
        if abs(ratio / factor - 1) <= EDGES_OF_UNIT
    ]
    fits = [(_distance(edges, r, c, factor), factor) for factor in near]
    best = min(fits, default=None)
    if best is None or best[0] > surprises.FITS * profile.ks_of(r, c):
        return None
    return best[1]


def _distance(edges: Floats, r: Ints, c: Ints, factor: float) -> float:
    """KS of the reference and of the window with its values divided by a factor; linear inside the window's cells."""
    total = np.cumsum(c)[:-1] / c.sum()
    current = np.interp(edges * factor, edges, total, left=0.0, right=1.0)
    return float(np.abs(np.cumsum(r)[:-1] / r.sum() - current).max())


def drifted(found: Sequence[Drift]) -> tuple[str, ...]:
    """The names of the columns that drifted, the largest effect first."""
    return tuple(one.column for one in sorted(found, key=lambda one: -one.effect) if one.is_drifted)
