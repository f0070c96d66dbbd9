"""Sheaves: what large writes brought of many metrics, a row for each write, until it is packed (docs/decisions/0022).

`metric_latest.sheaf_no` says from which sheaf on a series has points in sheaves; 0: in none. What is packed of a series
stays in the bytes of its sheaves, where nobody looks for it any more, until no series needs them.
"""

from collections.abc import Iterator, Mapping, Sequence

from airside.core.operation import Row, Transaction
from airside.tracking.queries.chunks import Series
from airside.tracking.rules import Point
from airside.tracking.sheaf import Sheaf, bind

POINTS_AT_MOST = 4096
"""A write that brings more is several sheaves."""

_ADD = "INSERT INTO metric_sheaf (run_no, n_points, low_ms, high_ms, points) VALUES (?, ?, ?, ?, ?)"
_SIZES = "SELECT n_points FROM metric_sheaf WHERE run_no = ?"
_FROM = "SELECT points FROM metric_sheaf WHERE run_no = ? AND id >= ? ORDER BY id"
_AROUND = (
    "SELECT id, points FROM metric_sheaf WHERE run_no = ? AND id >= ? AND low_ms <= ? AND high_ms >= ? ORDER BY id"
)
_OF_SERIES = (
    "SELECT sheaf.points FROM metric_latest JOIN metric_sheaf AS sheaf "
    "ON sheaf.run_no = metric_latest.run_no AND sheaf.id >= metric_latest.sheaf_no "
    "WHERE metric_latest.run_no = ? AND metric_latest.key_no = ? AND metric_latest.sheaf_no > 0"
)
_OLDEST = (
    "SELECT key_no, sheaf_no FROM metric_latest WHERE run_no = ? AND sheaf_no > 0 ORDER BY sheaf_no, key_no LIMIT ?"
)
_WAITING = "SELECT key_no, sheaf_no FROM metric_latest WHERE run_no = ? AND sheaf_no > 0"
_ALL = "SELECT id, points FROM metric_sheaf WHERE run_no = ?"
_NEEDLESS = (
    "DELETE FROM metric_sheaf WHERE run_no = ? AND id < "
    "(SELECT COALESCE(MIN(sheaf_no), 9223372036854775807) FROM metric_latest WHERE run_no = ? AND sheaf_no > 0)"
)


def add(tx: Transaction, run_no: int, by_key: Mapping[int, Sequence[Point]]) -> int:
    """Store sorted points of some metrics; the number of the first sheaf that holds them."""
    first = 0
    for part in _parts(by_key):
        low_ms = min(points[0][0] for points in part.values())
        high_ms = max(points[-1][0] for points in part.values())
        number = tx.insert(_ADD, (run_no, sum(map(len, part.values())), low_ms, high_ms, bind(part)))
        first = first or number
    return first


def _parts(by_key: Mapping[int, Sequence[Point]]) -> Iterator[dict[int, Sequence[Point]]]:
    part: dict[int, Sequence[Point]] = {}
    count = 0
    for key, points in by_key.items():
        if part and count + len(points) > POINTS_AT_MOST:
            yield part
            part, count = {}, 0
        part[key] = points
        count += len(points)
    yield part


def sizes(tx: Transaction, run_no: int) -> list[int]:
    """How many points came in each sheaf of a run."""
    return [row[0] for row in tx.all(_SIZES, (run_no,))]


def of_series(tx: Transaction, series: Series) -> list[Point]:
    """The points of a series that are in sheaves, in no order."""
    return [point for (held,) in tx.all(_OF_SERIES, series) for point in Sheaf(held).points(series[1])]


def oldest(tx: Transaction, run_no: int, limit: int) -> list[Row]:
    """The keys that wait longest, each with its first sheaf."""
    return tx.all(_OLDEST, (run_no, limit))


def since(tx: Transaction, run_no: int, first: int) -> list[Sheaf]:
    """The sheaves of a run from one on."""
    return [Sheaf(held) for (held,) in tx.all(_FROM, (run_no, first))]


def held(
    tx: Transaction, run_no: int, firsts: Mapping[int, int], by_key: Mapping[int, Sequence[Point]]
) -> dict[int, set[Point]]:
    """What sheaves hold of some keys about the times of some points.

    Args:
        tx: the transaction.
        run_no: whose.
        firsts: the keys that have points in sheaves, and from which sheaf on.
        by_key: the points.
    """
    if not firsts:
        return {}
    low, high = min(min(by_key[key]) for key in firsts), max(max(by_key[key]) for key in firsts)
    rows = tx.all(_AROUND, (run_no, min(firsts.values()), high[0], low[0]))
    sheaves = [(number, Sheaf(points)) for number, points in rows]
    return {
        key: {point for number, sheaf in sheaves if number >= first for point in sheaf.points(key)}
        for key, first in (firsts.items() if sheaves else ())
    }


def drop_needless(tx: Transaction, run_no: int) -> None:
    """Remove the sheaves of a run that no series needs."""
    tx.run(_NEEDLESS, (run_no, run_no))


def count(tx: Transaction, run_no: int) -> int:
    """How many points of a run are in sheaves."""
    firsts: dict[int, int] = dict(tx.all(_WAITING, (run_no,)))
    return sum(
        n_points
        for number, points in (tx.all(_ALL, (run_no,)) if firsts else ())
        for key, n_points in Sheaf(points).counts().items()
        if firsts.get(key, number + 1) <= number
    )
