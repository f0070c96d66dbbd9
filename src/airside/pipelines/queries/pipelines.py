"""Pipelines in SQL."""

from typing import Any

import msgspec

from airside.core.clock import from_ms, to_ms
from airside.core.operation import Row, Transaction
from airside.pipelines.records import Graph, Parameter, Pipeline
from airside.tracking.capture.records import CodeState

_COLUMNS = "name, version, entry, code, graph, parameters, description, created_ms, created_by, made_with"
_INSERT = f"INSERT INTO pipeline ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_MADE_WITH = "UPDATE pipeline SET made_with = ? WHERE name = ? AND version = ?"
_ONE = f"SELECT {_COLUMNS} FROM pipeline WHERE name = ? AND version = ?"
_LATEST = f"SELECT {_COLUMNS} FROM pipeline WHERE name = ? ORDER BY version DESC LIMIT 1"
_PREFIXED = ", ".join(f"p.{column}" for column in _COLUMNS.split(", "))
_LIST = f"""
SELECT {_PREFIXED},
  (SELECT COUNT(*) FROM pipeline_run r WHERE r.pipeline = p.name),
  COALESCE((SELECT MAX(r.id) FROM pipeline_run r WHERE r.pipeline = p.name), '')
FROM pipeline p
WHERE p.name > ? AND p.version = (SELECT MAX(q.version) FROM pipeline q WHERE q.name = p.name)
ORDER BY p.name LIMIT ?
"""
_STATE = "SELECT state FROM pipeline_run WHERE id = ?"

_graph = msgspec.json.Decoder(Graph)
_parameters = msgspec.json.Decoder(tuple[Parameter, ...])
_state = msgspec.json.Decoder(CodeState)


def text_of(value: Any) -> str:
    """JSON, for a column."""
    return msgspec.json.encode(value).decode()


def insert_pipeline(tx: Transaction, pipeline: Pipeline) -> None:
    """Store a version."""
    tx.run(
        _INSERT,
        (
            pipeline.name,
            pipeline.version,
            pipeline.entry,
            pipeline.code,
            text_of(pipeline.graph),
            text_of(pipeline.parameters),
            pipeline.description,
            to_ms(pipeline.created_at),
            pipeline.created_by,
            _made_with(pipeline),
        ),
    )


def set_made_with(tx: Transaction, pipeline: Pipeline) -> None:
    """Say where the code of a version stands now."""
    tx.run(_MADE_WITH, (_made_with(pipeline), pipeline.name, pipeline.version))


def _made_with(pipeline: Pipeline) -> str | None:
    return None if pipeline.made_with is None else text_of(pipeline.made_with)


def pipeline(tx: Transaction, name: str, version: int) -> Pipeline | None:
    """A version."""
    row = tx.one(_ONE, (name, version))
    return None if row is None else _pipeline(row)


def latest_pipeline(tx: Transaction, name: str) -> Pipeline | None:
    """The newest version."""
    row = tx.one(_LATEST, (name,))
    return None if row is None else _pipeline(row)


def pipelines(tx: Transaction, *, after: str, limit: int) -> list[tuple[Pipeline, int, str, str]]:
    """The newest version of each, by name: with the count of its runs, the last run and that run's state."""
    found = []
    for row in tx.all(_LIST, (after, limit)):
        state = tx.one(_STATE, (row[11],)) if row[11] else None
        found.append((_pipeline(row), int(row[10]), str(row[11]), str(state[0]) if state else ""))
    return found


def _pipeline(row: Row) -> Pipeline:
    return Pipeline(
        name=row[0],
        version=row[1],
        entry=row[2],
        code=row[3],
        graph=_graph.decode(row[4]),
        parameters=_parameters.decode(row[5]),
        description=row[6],
        created_at=from_ms(row[7]),
        created_by=row[8],
        made_with=None if row[9] is None else _state.decode(row[9]),
    )
