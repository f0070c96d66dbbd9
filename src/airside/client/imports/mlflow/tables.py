"""The columns of MLflow's tables that an import reads: what a folder is staged into."""

TABLES = {
    "experiments": (
        "experiment_id INTEGER PRIMARY KEY, name, artifact_location, lifecycle_stage, creation_time, last_update_time"
    ),
    "experiment_tags": '"key", value, experiment_id, PRIMARY KEY (experiment_id, "key")',
    "runs": (
        "run_uuid TEXT PRIMARY KEY, name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri, "
        "experiment_id"
    ),
    "params": '"key", value, run_uuid, PRIMARY KEY (run_uuid, "key")',
    "tags": '"key", value, run_uuid, PRIMARY KEY (run_uuid, "key")',
    "metrics": (
        '"key", value, "timestamp", step, is_nan, run_uuid, '
        'PRIMARY KEY (run_uuid, "key", "timestamp", step, value, is_nan)'
    ),
    "datasets": (
        "dataset_uuid, experiment_id, name, digest, dataset_source_type, dataset_source, dataset_schema, "
        "dataset_profile, PRIMARY KEY (experiment_id, dataset_uuid)"
    ),
    "inputs": "input_uuid TEXT PRIMARY KEY, source_type, source_id, destination_type, destination_id, step",
    "input_tags": "input_uuid, name, value, PRIMARY KEY (input_uuid, name)",
    "logged_models": (
        "model_id TEXT PRIMARY KEY, experiment_id, name, artifact_location, creation_timestamp_ms, "
        "last_updated_timestamp_ms, status, lifecycle_stage, model_type, source_run_id, status_message"
    ),
    "logged_model_params": "model_id, param_key, param_value, PRIMARY KEY (model_id, param_key)",
    "logged_model_tags": "model_id, tag_key, tag_value, PRIMARY KEY (model_id, tag_key)",
    "logged_model_metrics": (
        "model_id, metric_name, metric_timestamp_ms, metric_step, metric_value, run_id, dataset_name, dataset_digest, "
        "PRIMARY KEY (model_id, metric_name, metric_timestamp_ms, metric_step, metric_value, run_id)"
    ),
    "trace_info": (
        "request_id TEXT PRIMARY KEY, experiment_id, timestamp_ms, execution_time_ms, status, client_request_id, "
        "request_preview, response_preview"
    ),
    "trace_tags": '"key", value, request_id, PRIMARY KEY (request_id, "key")',
    "trace_request_metadata": '"key", value, request_id, PRIMARY KEY (request_id, "key")',
    "assessments": (
        "assessment_id TEXT PRIMARY KEY, trace_id, name, assessment_type, value, error, created_timestamp, "
        "last_updated_timestamp, source_type, source_id, span_id, rationale, overrides, valid, assessment_metadata"
    ),
    "registered_models": "name TEXT PRIMARY KEY, creation_time, last_updated_time, description",
    "registered_model_tags": 'name, "key", value, PRIMARY KEY (name, "key")',
    "registered_model_aliases": "name, alias, version, PRIMARY KEY (name, alias)",
    "model_versions": (
        "name, version INTEGER, creation_time, last_updated_time, description, user_id, current_stage, source, "
        "storage_location, run_id, run_link, status, status_message, PRIMARY KEY (name, version)"
    ),
    "model_version_tags": 'name, version INTEGER, "key", value, PRIMARY KEY (name, version, "key")',
}
DDL = (
    *(f"CREATE TABLE {name} ({columns})" for name, columns in TABLES.items()),
    "CREATE INDEX inputs_by_destination ON inputs (destination_id)",
    "CREATE INDEX inputs_by_source ON inputs (source_id)",
    "CREATE INDEX assessments_by_trace ON assessments (trace_id)",
    "CREATE INDEX datasets_by_id ON datasets (dataset_uuid)",
)
