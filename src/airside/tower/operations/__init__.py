"""The verbs of the room `tower`."""

from airside.core.operation import AnyOperation
from airside.tower.operations.catalog import forget_row, get_row, list_rows, refresh_row, summarise
from airside.tower.operations.chain import find, neighbourhood
from airside.tower.operations.finding import search_records, searchable

OPERATIONS: tuple[AnyOperation, ...] = (
    list_rows,
    get_row,
    refresh_row,
    forget_row,
    summarise,
    neighbourhood,
    find,
    search_records,
    searchable,
)
