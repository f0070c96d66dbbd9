"""All SQL of the room: the catalog's rows, the lineage view, the searches over it."""

from airside.tower.queries.catalog import all_rows, arrows, drop_row, named, put_row, row, rows, traffic
from airside.tower.queries.finding import Wanted, matches

__all__ = [
    "Wanted",
    "all_rows",
    "arrows",
    "drop_row",
    "matches",
    "named",
    "put_row",
    "row",
    "rows",
    "traffic",
]
