"""The profile: exact where it promises it, mergeable in any order, and the same as JSON."""

from collections.abc import Callable
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.column import Column
from airside.quality.measures import drift, levels, numbers, profile, window
from airside.quality.measures.adjust import inflation
from airside.quality.profiles import Importance, Profile, Reference

COLUMNS = [
    Column(name="x", type="double"),
    Column(name="age", type="integer"),
    Column(name="code", type="integer", categorical=True),
    Column(name="town", type="string"),
]


def table(seed: int, n: int, shift: float = 0.0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    x = np.exp(random.normal(shift, 1, n))
    x[::50] = np.nan
    return {
        "x": x,
        "age": random.integers(16, 95, n),
        "code": random.integers(0, 5, n),
        "town": random.choice(np.array(["a", "b", "c"], dtype=object), n),
    }


REFERENCE = profile.reference_of(table(0, 5_000), COLUMNS, of="people@1")


@pytest.mark.parametrize("seed", range(4))
def test_a_window_counted_is_the_window_itself(seed: int) -> None:
    rows = table(seed + 1, 3_000, shift=0.2 * seed)
    exact = drift.compare(table(0, 5_000), rows, COLUMNS)
    counted = window.compare(REFERENCE, profile.count(REFERENCE, rows))
    for one, other in zip(exact, counted, strict=True):
        assert (one.column, one.rows, one.missing, one.statistic) == (
            other.column,
            other.rows,
            other.missing,
            other.statistic,
        )
        assert abs(one.effect - other.effect) <= (1 / 1024 if one.column == "x" else 1e-12)
        assert (one.psi, one.js) == pytest.approx((other.psi, other.js), abs=1e-9)
        assert (one.p_missing, one.p_unseen, one.p_range) == pytest.approx(
            (other.p_missing, other.p_unseen, other.p_range), rel=1e-9
        )
        assert one.is_drifted == other.is_drifted
        if one.w1 is not None and one.w1 > 0.02:
            assert other.w1 == pytest.approx(one.w1, rel=0.05)


ADVERSARIAL: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "offset": lambda random, n: 1e9 + random.normal(size=n),
    "two scales": lambda random, n: np.where(
        random.random(n) < 0.5, random.normal(size=n), 1e6 * random.normal(size=n)
    ),
    "atoms": lambda random, n: np.where(random.random(n) < 0.3, 0.0, random.normal(size=n)),
    "prices": lambda random, n: np.round(random.lognormal(3, 1, n), 2),
    "heavy tail": lambda random, n: random.pareto(1, n),
    "constant": lambda random, n: np.ones(n),
    "counts": lambda random, n: random.poisson(2, n).astype(float),
}


@pytest.mark.parametrize("kind", ADVERSARIAL)
def test_ks_is_within_a_cell_and_decile_psi_exact_on_adversarial_columns(kind: str) -> None:
    random = np.random.default_rng(1)
    r, c = ADVERSARIAL[kind](random, 20_000), 1.02 * ADVERSARIAL[kind](random, 15_000)
    columns = [Column(name="x", type="double")]
    reference = profile.reference_of({"x": r}, columns)
    [found] = window.compare(reference, profile.count(reference, {"x": c}))
    r, c = np.sort(r), np.sort(c)
    assert found.effect == pytest.approx(numbers.ks_statistic(r, c), abs=1 / 1024)
    edges = numbers.decile_edges(r)
    exact = levels.psi(*(numbers.cell_counts(side, edges).astype(float) for side in (r, c)))
    assert found.psi == pytest.approx(exact, abs=1e-9)
    assert len(msgspec.json.encode(reference)) < 50_000


def test_a_frozen_value_that_moves_by_a_hair_is_seen() -> None:
    random = np.random.default_rng(0)
    r = np.where(random.random(5_000) < 0.5, 0.0, random.normal(size=5_000))
    columns = [Column(name="x", type="double")]
    reference = profile.reference_of({"x": r}, columns)
    [found] = window.compare(reference, profile.count(reference, {"x": np.where(r == 0.0, -1e-9, r)}))
    assert found.effect == pytest.approx(0.5, abs=0.02)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 400), max_size=4))
def test_any_split_merged_is_the_whole(cuts: list[int]) -> None:
    rows = table(7, 400)
    rows["town"] = np.where(np.arange(400) % 7 == 0, "new", rows["town"])
    borders = [0, *sorted(cuts), 400]
    merged = profile.empty(REFERENCE)
    for start, end in pairwise(borders):
        part = profile.count(REFERENCE, {name: values[start:end] for name, values in rows.items()})
        merged = profile.merge(part, merged)
    whole = profile.count(REFERENCE, rows)
    assert merged.rows == whole.rows
    for one, other in zip(merged.columns, whole.columns, strict=True):
        assert (one.counts, one.level_counts, one.unseen, one.missing) == (
            other.counts,
            other.level_counts,
            other.unseen,
            other.missing,
        )
        assert (one.mean, one.squares) == pytest.approx((other.mean, other.squares), rel=1e-9, abs=1e-9)
        assert (one.minimum, one.maximum, one.above, one.below) == (
            other.minimum,
            other.maximum,
            other.above,
            other.below,
        )


def test_reference_and_profile_are_the_same_as_json() -> None:
    counted = profile.count(REFERENCE, table(3, 100))
    assert msgspec.json.decode(msgspec.json.encode(REFERENCE), type=Reference) == REFERENCE
    assert msgspec.json.decode(msgspec.json.encode(counted), type=Profile) == counted


def test_profiles_over_different_references_do_not_merge() -> None:
    other = profile.reference_of(table(1, 500), COLUMNS)
    with pytest.raises(ValueError, match="do not merge"):
        profile.merge(profile.empty(REFERENCE), profile.empty(other))
    with pytest.raises(ValueError, match="another reference"):
        window.compare(REFERENCE, profile.empty(other))


def test_a_column_that_the_window_lacks_is_missing_in_every_row() -> None:
    rows = table(3, 200)
    del rows["age"]
    found = {one.column: one for one in window.compare(REFERENCE, profile.count(REFERENCE, rows))}
    assert (found["age"].missing, found["age"].p) == (200, None)
    assert found["age"].findings == ("100.0% missing, 0.0% in the reference",)


def test_months_instead_of_years_are_named_from_the_counts() -> None:
    rows = table(3, 2_000)
    rows["age"] = rows["age"] * 12
    found = {one.column: one for one in window.compare(REFERENCE, profile.count(REFERENCE, rows))}
    assert found["age"].unit_factor == 12.0
    assert found["age"].findings[1] == "another unit: times 12"
    assert window.drifted(tuple(found.values())) == ("age",)


def test_values_as_json_gives_them_are_counted_as_arrays_are() -> None:
    rows = table(3, 50)
    plain = {
        name: [None if str(value) == "nan" else value for value in values.tolist()] for name, values in rows.items()
    }
    assert profile.count(REFERENCE, plain) == profile.count(REFERENCE, rows)
    as_floats = {**rows, "code": rows["code"].astype(float)}
    assert profile.count(REFERENCE, as_floats).columns[2].unseen == ()


def test_infinite_values_are_counted_apart() -> None:
    rows = table(3, 10)
    rows["x"] = np.array([np.inf, -np.inf, np.nan, *range(7)])
    found = profile.count(REFERENCE, rows).columns[0]
    assert (found.rows, found.missing, found.infinite) == (10, 1, 2)


def test_the_importance_of_a_column_stands_beside_its_drift() -> None:
    reference = profile.reference_of(table(0, 500), COLUMNS, importance=[Importance(column="age", fall=0.17)])
    found = window.compare(reference, profile.count(reference, table(1, 500)))
    assert [one.importance.fall if one.importance else None for one in found] == [None, 0.17, None, None]


def test_the_inflation_is_that_of_drawing_households() -> None:
    """The chi-square of unchanged columns, over windows of whole households, has this mean per degree of freedom."""
    random = np.random.default_rng(0)
    town = np.repeat(random.integers(0, 4, 4_000), 3)
    house = np.repeat(np.arange(4_000), 3)
    cells = np.where(random.random(12_000) < 0.7, town, random.integers(0, 4, 12_000))
    found = []
    for _ in range(200):
        chosen = np.isin(house, random.permutation(4_000)[:400])
        counts = [np.bincount(cells[side], minlength=4).astype(float) for side in (~chosen, chosen)]
        found.append(levels.chi_square(*counts)[0] / 3)
    assert inflation(cells, house) == pytest.approx(np.mean(found), rel=0.15)
    reference = profile.reference_of({"code": cells, "x": cells.astype(float)}, [COLUMNS[2], COLUMNS[0]], entity=house)
    assert [one.inflation for one in reference.columns] == pytest.approx([inflation(cells, house)] * 2, rel=0.05)


def test_quantiles_are_read_off_the_counts() -> None:
    one = REFERENCE.columns[1].number
    assert one is not None
    edges, counts = profile.unpack_floats(one.edges), profile.unpack_ints(one.counts)
    assert profile.quantiles(edges, counts, [0.5]) == pytest.approx([np.median(table(0, 5_000)["age"])], abs=1)
    assert np.isnan(profile.quantiles(edges, counts * 0, [0.5])).all()
