"""The names and values that the runs of an experiment have, each once, by the indexes of values.

An index holds every run's value, so the distinct names are found by stepping: the first, then the first behind it.
"""

from typing import Literal

from airside.core.operation import Transaction

Kind = Literal["metrics", "params", "tags"]
TABLES: dict[Kind, str] = {"metrics": "metric_latest", "params": "run_param", "tags": "run_tag"}
_START = "substr(t.value, 1, 200)"


def names(tx: Transaction, kind: Kind, experiment_no: int, limit: int) -> list[str]:
    """The names under which runs of an experiment logged something, oldest name first."""
    table = TABLES[kind]
    rows = tx.all(
        f"WITH RECURSIVE found(key_no) AS ("
        f"SELECT (SELECT MIN(t.key_no) FROM {table} t WHERE t.experiment_no = ?) UNION ALL "
        f"SELECT (SELECT MIN(t.key_no) FROM {table} t WHERE t.experiment_no = ? AND t.key_no > found.key_no) "
        "FROM found WHERE found.key_no IS NOT NULL) "
        "SELECT k.name FROM found JOIN key_name k ON k.id = found.key_no LIMIT ?",
        (experiment_no, experiment_no, limit),
    )
    return [str(name) for (name,) in rows]


def values(
    tx: Transaction, kind: Literal["params", "tags"], key: tuple[int, int], prefix: str, limit: int
) -> list[str]:
    """The values of a name that begin with a text, in their order; of long ones the first 200 characters.

    Args:
        tx: the transaction.
        kind: of what.
        key: the numbers of the experiment and of the name.
        prefix: how they begin.
        limit: at most so many.
    """
    one = f"SELECT {_START} FROM {TABLES[kind]} t WHERE t.experiment_no = ? AND t.key_no = ? AND {_START}"
    rows = tx.all(
        f"WITH RECURSIVE found(start) AS (SELECT ({one} >= ? ORDER BY {_START} LIMIT 1) UNION ALL "
        f"SELECT ({one} > found.start ORDER BY {_START} LIMIT 1) FROM found WHERE found.start IS NOT NULL) "
        "SELECT start FROM found WHERE start IS NOT NULL LIMIT ?",
        (*key, prefix, *key, limit),
    )
    return [str(start) for (start,) in rows if str(start).startswith(prefix)]
