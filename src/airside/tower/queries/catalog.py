"""The catalog's rows, the lineage view, and the search for names over it."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from airside.core.clock import to_ms
from airside.core.operation import Transaction
from airside.store.sql.conditions import placeholders
from airside.tower.records import CatalogRow, Found, LineageEdge
from airside.tower.rules import RANK, link_of

MINUTE_MS = 60_000
_row = msgspec.json.Decoder(CatalogRow).decode


def put_row(tx: Transaction, row: CatalogRow) -> None:
    """Store a model's row, new or refreshed."""
    tx.run(
        "INSERT INTO catalog_row (name, project, owner, state, rank, open_alerts, body, refreshed_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET project = excluded.project,"
        " owner = excluded.owner, state = excluded.state, rank = excluded.rank, open_alerts = excluded.open_alerts,"
        " body = excluded.body, refreshed_at = excluded.refreshed_at",
        (
            row.name,
            row.project,
            row.owner,
            row.state,
            RANK[row.state],
            row.open_alerts,
            msgspec.json.encode(row).decode(),
            to_ms(row.refreshed_at),
        ),
    )


def drop_row(tx: Transaction, name: str) -> None:
    """Forget a model that is gone."""
    tx.run("DELETE FROM catalog_row WHERE name = ?", (name,))


def row(tx: Transaction, name: str) -> CatalogRow | None:
    """A model's row."""
    found = tx.one("SELECT body FROM catalog_row WHERE name = ?", (name,))
    return None if found is None else _row(found[0])


def rows(tx: Transaction, state: str, project: str, text: str, after: tuple[int, str], limit: int) -> list[CatalogRow]:
    """Rows behind a key, what needs action first, then by name; of a state, a project, a part of the name."""
    found = tx.all(
        "SELECT body FROM catalog_row WHERE (? = '' OR state = ?) AND (? = '' OR project = ?)"
        " AND lower(name) LIKE ? ESCAPE '\\'"
        " AND (rank > ? OR (rank = ? AND name > ?)) ORDER BY rank, name LIMIT ?",
        (state, state, project, project, f"%{_escaped(text.lower())}%", after[0], after[0], after[1], limit),
    )
    return [_row(one[0]) for one in found]


def all_rows(tx: Transaction) -> list[CatalogRow]:
    """Every row."""
    return [_row(one[0]) for one in tx.all("SELECT body FROM catalog_row ORDER BY rank, name")]


class Traffic(NamedTuple):
    """What an endpoint answered: rows, rows that failed, the 95th percentile of its newest minute's latencies."""

    predictions: int
    errors: int
    p95_ms: float | None


def traffic(tx: Transaction, endpoint: str, since_ms: int) -> Traffic:
    """What an endpoint answered since an instant."""
    total = tx.one(
        "SELECT COALESCE(SUM(row_count), 0), COALESCE(SUM(failed_count), 0), MAX(received_at_ms)"
        " FROM prediction_traffic WHERE endpoint = ? AND received_at_ms >= ?",
        (endpoint, since_ms),
    )
    if total is None or total[2] is None:
        return Traffic(predictions=0, errors=0, p95_ms=None)
    rows = tx.all(
        "SELECT latency_ms FROM prediction_traffic WHERE endpoint = ? AND received_at_ms > ? AND received_at_ms >= ?"
        " ORDER BY latency_ms",
        (endpoint, total[2] - MINUTE_MS, since_ms),
    )
    p95 = rows[min(len(rows) - 1, int(0.95 * len(rows)))][0]
    return Traffic(predictions=int(total[0]), errors=int(total[1]), p95_ms=float(p95))


def arrows(tx: Transaction, kind: str, ids: Sequence[str], most: int) -> list[LineageEdge]:
    """Arrows of the chain that begin or end at some records of one kind.

    Of each record, relation and kind at the other end at most `most`, those of the newest ids: a version has millions
    of predictions, and they shall not crowd out the run that made it.
    """
    marks = placeholders(len(ids))
    columns = "from_kind, from_id, relation, to_kind, to_id"
    found = [
        row
        for end, other in (("from", "to"), ("to", "from"))
        for row in tx.all(
            f"SELECT {columns} FROM (SELECT {columns}, ROW_NUMBER() OVER ("
            f"PARTITION BY {end}_id, relation, {other}_kind ORDER BY {other}_id DESC) AS place"
            f" FROM lineage WHERE {end}_kind = ? AND {end}_id IN ({marks})) ranked WHERE place <= ?"
            f" ORDER BY {columns}",
            (kind, *ids, most),
        )
    ]
    return [LineageEdge(from_kind=a, from_id=b, relation=c, to_kind=d, to_id=e) for a, b, c, d, e in found]


def named(tx: Transaction, text: str, limit: int) -> list[Found]:
    """Records whose name or id holds the text, whatever its case; those that begin with it first."""
    wanted = text.lower()
    found = tx.all(
        "SELECT kind, id, name FROM findable WHERE lower(name) LIKE ? ESCAPE '\\' OR lower(id) LIKE ? ESCAPE '\\'"
        " ORDER BY CASE WHEN lower(name) LIKE ? ESCAPE '\\' THEN 0 ELSE 1 END, name, id LIMIT ?",
        (f"%{_escaped(wanted)}%", f"{_escaped(wanted)}%", f"{_escaped(wanted)}%", limit),
    )
    return [Found(kind=kind, id=id_, name=name, link=link_of(kind, id_)) for kind, id_, name in found]


def _escaped(text: str) -> str:
    r"""The text with `LIKE`'s own characters taken literally.

    >>> _escaped("50%_a")
    '50\\%\\_a'
    """
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
