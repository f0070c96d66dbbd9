"""Everything that the unmodified MLflow client reads of traces, assessments, evaluation datasets, scorers, webhooks."""

from typing import Any

import mlflow
from mlflow import MlflowClient

Facts = dict[str, Any]
SEARCHES = ("", "status = 'ERROR'", "tags.nr = '1'", "name = 'answer 3'", "timestamp_ms > 0")
NEW_SEARCHES = (
    "name LIKE 'answer%'",
    "span.type = 'RETRIEVER'",
    "feedback.relevant = 'false'",
    "expectation.plain = 'yes'",
    "span.attributes.k LIKE '%3%'",
    "trace.text LIKE '%hëllo 2%'",
)
BY_PLACE = {"mlflow.artifactLocation"}


def everything(client: MlflowClient, ids: list[str]) -> Facts:
    """Traces with spans and assessments, searches, evaluation datasets with records, scorers, webhooks."""
    mlflow.set_tracking_uri(client.tracking_uri)
    mlflow.set_registry_uri(client.tracking_uri)
    traces = client.search_traces(experiment_ids=ids, max_results=500)
    is_new = hasattr(client, "create_webhook") and not str(client.tracking_uri).startswith("file:")
    facts: Facts = {
        "traces": {each.info.request_id: trace_facts(client, each) for each in traces},
        "trace_searches": {text: _found(client, ids, text) for text in (*SEARCHES, *(NEW_SEARCHES if is_new else ()))},
    }
    if is_new:
        facts |= {
            "datasets": {each.dataset_id: dataset_facts(each) for each in client.search_datasets(experiment_ids=ids)},
            "scorers": {number: _scorers(number) for number in ids if _is_active(client, number)},
            "webhooks": {each.webhook_id: webhook_facts(each) for each in client.list_webhooks()},
            "runs": {
                run.info.run_id: sorted(
                    each.info.request_id for each in client.search_traces(experiment_ids=ids, run_id=run.info.run_id)
                )
                for run in client.search_runs(ids)
            },
        }
    return facts


def _found(client: MlflowClient, ids: list[str], text: str) -> list[str]:
    return [each.info.request_id for each in client.search_traces(experiment_ids=ids, filter_string=text)]


def trace_facts(client: MlflowClient, found: Any) -> Facts:
    """A trace as a search and as a call for it alone tell it."""
    alone = client.get_trace(found.info.request_id)
    return {"searched": _told(found), "alone": _told(alone)}


def _told(trace: Any) -> Facts:
    info = trace.info
    names = ("experiment_id", "timestamp_ms", "execution_time_ms", "status", "client_request_id", "request_preview")
    return {
        **{name: str(getattr(info, name, None)) for name in (*names, "response_preview")},
        "tags": {key: value for key, value in info.tags.items() if key not in BY_PLACE},
        "metadata": dict(getattr(info, "trace_metadata", None) or info.request_metadata),
        "assessments": sorted(
            (sorted(each.to_dictionary().items(), key=repr) for each in getattr(info, "assessments", ())), key=repr
        ),
        "spans": [each.to_dict() for each in trace.data.spans],
    }


def dataset_facts(each: Any) -> Facts:
    """An evaluation dataset with its records."""
    names = ("name", "digest", "schema", "profile", "created_time", "last_update_time", "created_by", "last_updated_by")
    return {
        **{name: getattr(each, name) for name in names},
        "tags": each.tags,
        "experiments": sorted(each.experiment_ids),
        "records": {record.dataset_record_id: record.to_dict() for record in each.records},
    }


def _is_active(client: MlflowClient, experiment_id: str) -> bool:
    return bool(client.get_experiment(experiment_id).lifecycle_stage == "active")


def _scorers(experiment_id: str) -> list[Any]:
    from mlflow.tracking._tracking_service.utils import _get_store

    store = _get_store()
    return [
        (
            version.scorer_id,
            version.scorer_name,
            version.scorer_version,
            version._serialized_scorer,
            version.creation_time,
        )
        for newest in store.list_scorers(experiment_id)
        for version in store.list_scorer_versions(experiment_id, newest.scorer_name)
    ]


def webhook_facts(each: Any) -> Facts:
    """A webhook; no client is told its secret."""
    names = ("name", "url", "description", "status", "creation_timestamp", "last_updated_timestamp")
    return {**{name: str(getattr(each, name)) for name in names}, "events": sorted(str(event) for event in each.events)}
