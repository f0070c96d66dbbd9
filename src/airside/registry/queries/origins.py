"""SQL of where versions come from."""

from collections.abc import Sequence
from typing import NamedTuple

from airside.core.ids import ModelName
from airside.core.operation import Transaction


class Wanted(NamedTuple):
    """What versions shall have been made from; an empty part matches every one.

    `dataset_id` is the id of a version of the data room; `digest` and `commit` match by their beginning.
    """

    run_id: str
    model_id: str
    dataset: str
    dataset_id: str
    digest: str
    commit: str


def versions_made_from(tx: Transaction, wanted: Wanted, offset: int, limit: int) -> tuple[tuple[ModelName, int], ...]:
    """The names and numbers of the versions, the newest first."""
    conditions: list[str] = []
    args: list[str] = []
    for column, value in (("v.run_id", wanted.run_id), ("v.model_id", wanted.model_id)):
        if value:
            conditions.append(f"{column} = ?")
            args.append(value)
    of_dataset = [
        (condition, value)
        for condition, value in (
            ("o.what = ?", wanted.dataset),
            ("o.source = ? AND o.source_type = 'airside'", wanted.dataset_id),
            ("substr(o.digest, 1, length(?)) = ?", wanted.digest),
        )
        if value
    ]
    if of_dataset:
        conditions.append(_origin("dataset", [condition for condition, _ in of_dataset]))
        args += [each for condition, value in of_dataset for each in [value] * condition.count("?")]
    if wanted.commit:
        conditions.append(_origin("commit", ["substr(o.what, 1, length(?)) = ?"]))
        args += [wanted.commit, wanted.commit]
    rows = tx.all(
        f"SELECT v.name, v.version FROM model_version v WHERE {' AND '.join(conditions) or '1 = 1'} "
        "ORDER BY v.created_ms DESC, v.name, v.version DESC LIMIT ? OFFSET ?",
        (*args, limit, offset),
    )
    return tuple((name, version) for name, version in rows)


def _origin(kind: str, conditions: Sequence[str]) -> str:
    return (
        "EXISTS (SELECT 1 FROM version_origin o WHERE o.name = v.name AND o.version = v.version "
        f"AND o.kind = '{kind}' AND {' AND '.join(conditions)})"
    )


def copies_of(tx: Transaction, name: ModelName, version: int, limit: int) -> tuple[tuple[ModelName, int], ...]:
    """The versions that were registered from a version."""
    rows = tx.all(
        "SELECT name, version FROM model_version WHERE source = ? ORDER BY name, version LIMIT ?",
        (f"models:/{name}/{version}", limit),
    )
    return tuple((copy, number) for copy, number in rows)
