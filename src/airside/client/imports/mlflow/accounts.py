"""Every table of MLflow's, and what becomes of its rows: no row is left without a word.

The list is that of releases 1 to 3.17. A table that is not in it is one of a newer release: it is told as left.
"""

from collections.abc import Iterator

from airside.client.imports.mlflow.evaluation import left_scorers
from airside.client.imports.mlflow.schema import MlflowTables
from airside.client.imports.mlflow.webhooks import ALIVE
from airside.core.record import Record
from airside.tracking.imports.records import NotTaken

TAKEN = {
    "experiments": "experiments",
    "experiment_tags": "experiments",
    "runs": "runs",
    "params": "runs",
    "tags": "runs",
    "metrics": "runs",
    "datasets": "runs",
    "inputs": "runs",
    "input_tags": "runs",
    "logged_models": "logged models",
    "logged_model_params": "logged models",
    "logged_model_tags": "logged models",
    "logged_model_metrics": "logged models",
    "registered_models": "registered models",
    "registered_model_tags": "registered models",
    "registered_model_aliases": "model versions",
    "model_versions": "model versions",
    "model_version_tags": "model versions",
    "trace_info": "traces",
    "trace_tags": "traces",
    "trace_request_metadata": "traces",
    "spans": "traces",
    "assessments": "traces",
    "entity_associations": "traces and evaluation datasets",
    "evaluation_datasets": "evaluation datasets",
    "evaluation_dataset_tags": "evaluation datasets",
    "evaluation_dataset_records": "evaluation datasets",
    "scorers": "scorers",
    "scorer_versions": "scorers",
    "webhooks": "webhooks",
    "webhook_events": "webhooks",
}
"""Table -> the part of an import that takes it over."""

MADE_ANEW = frozenset(
    {
        "alembic_version",
        "latest_metrics",
        "trace_metrics",
        "span_metrics",
        "sql_assessment_daily_rollups",
        "sql_span_cost_daily_rollups",
        "sql_trace_metric_daily_rollups",
        "sql_trace_rollup_rebuild_queue",
        "workspaces",
    }
)
"""Tables that say again what others say: Airside works it out from those. Of workspaces there is one."""

_GATEWAY = "Airside has no gateway to language models"
_REVIEW = "Airside has no queues for reviewing traces"
_JOBS = "it is the old server's own work, not what its users made"
_MCP = "Airside has no registry of MCP servers"
_AUTH = "users, their passwords and rights are given anew: airside tokens create"
LEFT = {
    "issues": "Airside keeps no issues; a trace's reference to one came with its assessments",
    "label_schemas": _REVIEW,
    "review_queues": _REVIEW,
    "review_queue_items": _REVIEW,
    "review_queue_label_schemas": _REVIEW,
    "review_queue_users": _REVIEW,
    "online_scoring_configs": "Airside does not run scorers on traces as they come in",
    "secrets": "the gateway's secrets are encrypted with a key of the old server's, and " + _GATEWAY,
    "jobs": _JOBS,
    "job_locks": _JOBS,
    "scheduler_leases": _JOBS,
    **dict.fromkeys(
        (
            "endpoints",
            "endpoint_bindings",
            "endpoint_model_mappings",
            "endpoint_tags",
            "model_definitions",
            "budget_policies",
            "guardrails",
            "guardrail_configs",
        ),
        _GATEWAY,
    ),
    **dict.fromkeys(
        (
            "mcp_servers",
            "mcp_server_versions",
            "mcp_server_tags",
            "mcp_server_version_tags",
            "mcp_server_aliases",
            "mcp_access_endpoints",
        ),
        _MCP,
    ),
    **dict.fromkeys(
        (
            "users",
            "roles",
            "role_permissions",
            "user_role_assignments",
            "experiment_permissions",
            "registered_model_permissions",
            "scorer_permissions",
            "gateway_secret_permissions",
            "gateway_endpoint_permissions",
            "gateway_model_definition_permissions",
            "workspace_permissions",
        ),
        _AUTH,
    ),
}
"""Table -> why it is left."""
OTHERS = frozenset({"alembic_version_auth", "sqlite_sequence", "sqlite_stat1", "sqlite_stat4"})


class Rest(Record):
    """Rows of a table that is taken over, which are left."""

    table: str
    where: str
    why: str
    needs: tuple[str, ...] = ()
    """Other tables that the condition asks."""


def _without(table: str, column: str, of: str, key: str, why: str = "") -> Rest:
    """Rows that belong to nothing: left behind by a deletion."""
    return Rest(
        table=table,
        where=f"NOT EXISTS (SELECT 1 FROM {of} o WHERE o.{key} = {table}.{column})",
        why=why or f"they belong to nothing that is in {of}",
        needs=(of,),
    )


RESTS = (
    *(_without(table, "run_uuid", "runs", "run_uuid") for table in ("metrics", "params", "tags")),
    *(_without(table, "request_id", "trace_info", "request_id") for table in ("trace_tags", "trace_request_metadata")),
    *(_without(table, "trace_id", "trace_info", "request_id") for table in ("spans", "assessments")),
    _without("datasets", "dataset_uuid", "inputs", "source_id", "no run used them"),
    Rest(
        table="model_versions",
        where="current_stage = 'Deleted_Internal'",
        why="they are deleted; their numbers are not given again",
    ),
    Rest(table="webhooks", where=f"NOT ({ALIVE})", why="they are deleted"),
    Rest(
        table="entity_associations",
        where="NOT (source_type = 'trace' AND destination_type IN ('run', 'prompt_version')) "
        "AND NOT (source_type = 'evaluation_dataset' AND destination_type = 'experiment')",
        why="Airside has no such links",
    ),
    Rest(
        table="trace_tags",
        where="\"key\" = 'mlflow.trace.spansLocation' AND value = 'ARCHIVE_REPO'",
        why="the spans of these traces are in MLflow's trace archive, and stay there; the traces themselves came",
    ),
)


def not_taken(tables: MlflowTables) -> Iterator[NotTaken]:
    """The rows of a source that are not taken over, by their tables, each with the reason."""
    for rest in RESTS:
        if all(tables.has(table) for table in (rest.table, *rest.needs)):
            yield from _told(tables, rest.table, rest.why, rest.where)
    if code := left_scorers(tables):
        why = f"they hold code, or are no JSON: {', '.join(code[:20])}"
        yield NotTaken(table="scorer_versions", rows=len(code), why=why)
    for table in sorted(tables.names - TAKEN.keys() - MADE_ANEW - OTHERS):
        why = LEFT.get(table, "this release of Airside does not know the table: it is not of MLflow up to 3.17")
        yield from _told(tables, table, why)


def _told(tables: MlflowTables, table: str, why: str, where: str = "1 = 1") -> Iterator[NotTaken]:
    rows = tables.count(table, where)
    if rows:
        yield NotTaken(table=table, rows=rows, why=why)
