"""A database of MLflow's tables, of any release: what is there is read, what is not is told by its default."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from airside.client.imports.sources.port import Row, Source
from airside.core.errors import Invalid

T = TypeVar("T")
NEEDED = {
    "experiments": ("experiment_id", "name", "artifact_location", "lifecycle_stage"),
    "runs": ("run_uuid", "experiment_id", "status", "start_time", "end_time", "lifecycle_stage", "artifact_uri"),
    "metrics": ("key", "value", "timestamp", "run_uuid"),
    "params": ("key", "value", "run_uuid"),
    "tags": ("key", "value", "run_uuid"),
}
"""What every release since 1.0 has."""
READ = {
    "experiment_tags": "key value experiment_id",
    "datasets": "dataset_uuid name digest dataset_source_type dataset_source dataset_schema dataset_profile",
    "inputs": "input_uuid source_type source_id destination_type destination_id",
    "input_tags": "input_uuid name value",
    "logged_models": (
        "model_id experiment_id name artifact_location status status_message model_type source_run_id lifecycle_stage "
        "creation_timestamp_ms last_updated_timestamp_ms"
    ),
    "logged_model_params": "model_id param_key param_value",
    "logged_model_tags": "model_id tag_key tag_value",
    "logged_model_metrics": (
        "model_id metric_name metric_value metric_timestamp_ms metric_step run_id dataset_name dataset_digest"
    ),
    "registered_models": "name description creation_time last_updated_time",
    "registered_model_tags": "name key value",
    "registered_model_aliases": "name alias version",
    "model_versions": (
        "name version creation_time last_updated_time description user_id current_stage source run_id status "
        "status_message"
    ),
    "model_version_tags": "name version key value",
    "trace_info": "request_id experiment_id timestamp_ms execution_time_ms status",
    "trace_tags": "request_id key value",
    "trace_request_metadata": "request_id key value",
    "spans": "trace_id span_id parent_span_id name status start_time_unix_nano end_time_unix_nano content",
    "assessments": (
        "assessment_id trace_id name assessment_type value error source_type source_id span_id rationale "
        "assessment_metadata overrides valid created_timestamp last_updated_timestamp"
    ),
    "entity_associations": "source_type source_id destination_type destination_id created_time",
    "evaluation_datasets": ("dataset_id name schema digest created_time last_update_time created_by last_updated_by"),
    "evaluation_dataset_tags": "dataset_id key value",
    "evaluation_dataset_records": (
        "dataset_record_id dataset_id inputs expectations tags source created_time last_update_time created_by "
        "last_updated_by"
    ),
    "scorers": "scorer_id experiment_id scorer_name",
    "scorer_versions": "scorer_id scorer_version serialized_scorer creation_time",
    "webhooks": (
        "webhook_id name description url status secret creation_timestamp last_updated_timestamp deleted_timestamp"
    ),
    "webhook_events": "webhook_id entity action",
}
"""What is read of a table that later releases have, if it is there. A release of the future may have it otherwise."""
BETWEEN = "\x1f"
"""Between the parts of a key that has several."""
OURS = frozenset({"schema_version", "metric_point", "registry_change"})


class MlflowTables:
    """The tables of a source.

    Raises:
        Invalid: they are not MLflow's, or those of a release that cannot be read.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._tables = source.tables()
        self._columns: dict[str, frozenset[str]] = {}
        self._check()

    @property
    def label(self) -> str:
        """The address of the source."""
        return self.source.label

    @property
    def names(self) -> frozenset[str]:
        """The names of its tables."""
        return self._tables

    def has(self, table: str) -> bool:
        """Whether there is such a table."""
        return table in self._tables

    def column(self, table: str, name: str, default: str = "NULL", alias: str = "") -> str:
        """A column in a list of columns, or the default of one that this release does not have."""
        if table not in self._columns:
            self._columns[table] = self.source.columns(table)
        before = f"{alias}." if alias else ""
        return f'{before}"{name}"' if name in self._columns[table] else default

    def count(self, table: str, where: str = "1 = 1") -> int:
        """How many rows a table has."""
        return int(self.source.all(f'SELECT COUNT(*) FROM "{table}" WHERE {where}')[0][0]) if self.has(table) else 0

    def grouped(
        self,
        columns: Sequence[str],
        table: str,
        by: str,
        keys: Sequence[str],
        make: Callable[[Row], T],
        where: str = "",
    ) -> dict[str, list[T]]:
        """Key -> what belongs to it, made of the columns behind the key. Nothing when there is no such table."""
        found: defaultdict[str, list[T]] = defaultdict(list)
        if self.has(table.split(maxsplit=1)[0]) and keys:
            sql = f"SELECT {by}, {', '.join(columns)} FROM {table} WHERE {by} IN ({marks(keys)}){where}"
            for row in self.source.stream(sql, keys):
                found[row[0]].append(make(row[1:]))
        return found

    def pages(self, sql: str, keys: int, size: int, after: Sequence[Any]) -> Iterator[list[Row]]:
        """Rows of a statement with `{after}` in its condition, ordered by its first columns, `keys` of them."""
        args = list(after)
        names = sql.partition("SELECT ")[2].split(", ")[:keys]
        while True:
            behind = _behind(names) if args else "1 = 1"
            bound = [value for length in range(len(args)) for value in args[: length + 1]]
            rows = self.source.all(f"{sql.replace('{after}', behind)} LIMIT {size}", bound)
            if not rows:
                return
            yield rows
            args = list(rows[-1][:keys])

    def fingerprint(self) -> str:
        """What tells this store from any other at the same address: its first experiment, and when it was made."""
        created = self.column("experiments", "creation_time")
        first = self.source.all(f"SELECT experiment_id, {created} FROM experiments ORDER BY experiment_id LIMIT 1")
        return hashlib.sha256(f"{self.label}\n{first}".encode()).hexdigest()

    def release(self) -> str:
        """The name of the last migration; empty when it is not known."""
        rows = self.source.all("SELECT version_num FROM alembic_version") if self.has("alembic_version") else []
        return str(rows[0][0]) if rows else ""

    def _check(self) -> None:
        if self._tables >= OURS:
            raise Invalid(
                f"{self.label} is a database of Airside's, not of MLflow's. Serve it with: airside server --database"
            )
        if not {"experiments", "runs"} <= self._tables:
            found = f"it has {len(self._tables)} other tables" if self._tables else "it is empty"
            raise Invalid(
                f"{self.label} is not a database of MLflow's: {found}. Name what `--backend-store-uri` named."
            )
        for table, names in NEEDED.items():
            missing = [name for name in names if name not in self.source.columns(table)]
            if missing:
                raise Invalid(
                    f"{self.label} has MLflow's tables in a form that cannot be read: '{table}' lacks "
                    f"{', '.join(missing)}. Bring it up to date with: mlflow db upgrade"
                )
        for table in READ.keys() & self._tables:
            missing = [name for name in READ[table].split() if name not in self.source.columns(table)]
            if missing:
                raise Invalid(
                    f"{self.label} is of a release of MLflow whose table '{table}' lacks {', '.join(missing)}: this "
                    f"release of Airside reads those up to 3.17 (its last migration is {self.release() or 'unknown'}). "
                    "Bring an old one up to date with: mlflow db upgrade; for a newer one, take a newer Airside"
                )
        self._check_workspaces()

    def _check_workspaces(self) -> None:
        if "workspace" not in self.source.columns("experiments"):
            return
        names = [str(name) for (name,) in self.source.all("SELECT DISTINCT workspace FROM experiments ORDER BY 1")]
        if len(names) > 1:
            raise Invalid(
                f"{self.label} holds {len(names)} workspaces ({', '.join(names[:5])}), in which names may be there "
                "twice. Airside has none: move each workspace to a database of its own first."
            )


def marks(values: Sequence[object]) -> str:
    """Placeholders.

    >>> marks([1, 2])
    '?, ?'
    """
    return ", ".join("?" * len(values))


def _behind(names: Sequence[str]) -> str:
    """The condition of being behind a key, in words that every database knows.

    >>> _behind(["a", "b"])
    '((a > ?) OR (a = ? AND b > ?))'
    """
    parts = []
    for length, name in enumerate(names):
        equal = [f"{before} = ?" for before in names[:length]]
        parts.append(f"({' AND '.join([*equal, f'{name} > ?'])})")
    return f"({' OR '.join(parts)})"


def decoded(value: Any) -> Any:
    """What a column of JSON holds; some drivers have read it already. What is no JSON stands for itself.

    >>> decoded('{"a": 1}'), decoded({"a": 1}), decoded(None), decoded("{")
    ({'a': 1}, {'a': 1}, None, '{')
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)  # takes "not a number" too
    except (ValueError, RecursionError):
        return value
