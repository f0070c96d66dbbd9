"""The chain of records as views over the rooms' tables: no copy, so it can never disagree with them.

`lineage`: every arrow of docs/decisions/0002, from what came first to what came of it. `findable`: what has a name.
`prediction_traffic`: what the catalog counts. One text for both dialects.
"""

from collections.abc import Iterable

from airside.store.sql.schema.base import METADATA

VERSION = "name || '@' || version"


def arrow(kinds: str, relation: str, ends: tuple[str, str], source: str) -> str:
    """One arrow of the chain.

    >>> arrow("a > b", "made", ("x", "y"), "t")
    "SELECT 'a' AS from_kind, x AS from_id, 'made' AS relation, 'b' AS to_kind, y AS to_id FROM t"
    """
    start, _, end = kinds.partition(" > ")
    return (
        f"SELECT '{start}' AS from_kind, {ends[0]} AS from_id, '{relation}' AS relation,"
        f" '{end}' AS to_kind, {ends[1]} AS to_id FROM {source}"
    )


DELIVERY = "endpoint || '/' || delivery"
ARROWS = (
    arrow(
        "dataset_version > run",
        "input of",
        ("i.source", "r.run_id"),
        "dataset_input d JOIN input_dataset i ON i.id = d.dataset_no JOIN run r ON r.id = d.run_no"
        " WHERE i.source_type = 'airside'",
    ),
    arrow(
        "run > logged_model",
        "logged",
        ("source_run_id", "model_id"),
        "logged_model WHERE source_run_id <> ''",
    ),
    arrow(
        "run > model_version",
        "registered as",
        ("run_id", VERSION),
        "model_version WHERE run_id <> ''",
    ),
    arrow(
        "logged_model > model_version",
        "registered as",
        ("model_id", VERSION),
        "model_version WHERE model_id <> ''",
    ),
    arrow("model_version > gate", "judged by", ("model || '@' || version", "id"), "gate_decision"),
    arrow("model_version > rollout", "rolled out by", ("model || '@' || to_version", "id"), "rollout"),
    arrow("endpoint > rollout", "changed by", ("endpoint", "id"), "rollout"),
    arrow(
        "model_version > delivery",
        "answered",
        ("model || '@' || version", DELIVERY),
        "(SELECT DISTINCT model, version, endpoint, delivery FROM prediction_batch"
        " WHERE delivery <> '' AND role <> 'shadow') answered",
    ),
    arrow(
        "delivery > prediction",
        "holds",
        (DELIVERY, "id"),
        "prediction_batch WHERE delivery <> ''",
    ),
    arrow(
        "model_version > prediction",
        "answered",
        ("model || '@' || version", "id"),
        "prediction_batch WHERE delivery = ''",
    ),
    arrow(
        "rollout > prediction",
        "asked for",
        ("rollout_id", "id"),
        "prediction_batch WHERE rollout_id <> '' AND delivery = ''",
    ),
    arrow(
        "prediction > ground_truth",
        "turned out as",
        ("p.id", "g.request_id"),
        "prediction_batch p JOIN ground_truth g ON g.request_id = p.request_id",
    ),
    arrow(
        "delivery > window",
        "watched by",
        (DELIVERY, "id"),
        "monitor_window WHERE delivery <> ''",
    ),
    arrow(
        "model_version > window",
        "watched by",
        ("model || '@' || version", "id"),
        "monitor_window WHERE delivery = ''",
    ),
    arrow("monitor > window", "looked at", ("monitor", "id"), "monitor_window"),
    arrow("window > alert", "opened", ("window_id", "alert"), "alert_window"),
    arrow(
        "alert > pipeline_run",
        "started",
        ("cause_event", "id"),
        "pipeline_run WHERE cause_kind = 'alert'",
    ),
    arrow(
        "dataset_version > pipeline_run",
        "started",
        ("cause_event", "id"),
        "pipeline_run WHERE cause_kind = 'dataset'",
    ),
    arrow(
        "model_version > pipeline_run",
        "started",
        ("cause_event", "id"),
        "pipeline_run WHERE cause_kind = 'promotion'",
    ),
    arrow("trigger > pipeline_run", "started", ("cause_trigger", "id"), "pipeline_run WHERE cause_trigger <> ''"),
    arrow("pipeline > pipeline_run", "ran as", ("pipeline", "id"), "pipeline_run"),
    arrow("pipeline_run > run", "tracked as", ("id", "tracking_run"), "pipeline_run WHERE tracking_run <> ''"),
    arrow(
        "pipeline_run > run",
        "tracked as",
        ("t.value", "r.run_id"),
        "run_tag t JOIN key_name k ON k.id = t.key_no JOIN run r ON r.id = t.run_no"
        " JOIN pipeline_run p ON p.id = t.value WHERE k.name = 'airside.pipelineRun' AND p.tracking_run <> r.run_id",
    ),
)

NAMED = (
    ("experiment", "CAST(id AS TEXT)", "name", "experiment"),
    ("run", "run_id", "name", "run"),
    ("registered_model", "name", "name", "registered_model"),
    ("model_version", VERSION, VERSION, "model_version"),
    ("dataset", "name", "name", "dataset"),
    ("dataset_version", "id", "dataset || '@' || version", "dataset_version"),
    ("pipeline", "name", "name", "(SELECT DISTINCT name FROM pipeline) pipelines"),
    ("pipeline_run", "id", "pipeline || ' ' || id", "pipeline_run"),
    ("endpoint", "name", "name", "endpoint"),
    ("monitor", "name", "name", "monitor"),
    ("alert", "id", "title", "alert"),
)


def view(name: str, parts: Iterable[str]) -> str:
    """The DDL of a view that is the union of its parts."""
    return f"CREATE VIEW {name} AS\n" + "\nUNION ALL\n".join(parts)


LINEAGE = view("lineage", ARROWS)
FINDABLE = view(
    "findable",
    (f"SELECT '{kind}' AS kind, {id_} AS id, {name} AS name FROM {source}" for kind, id_, name, source in NAMED),
)
TRAFFIC = view(
    "prediction_traffic",
    (
        (
            "SELECT endpoint, received_at_ms, row_count, latency_ms,"
            " CASE WHEN error = '' THEN 0 ELSE row_count END AS failed_count"
            " FROM prediction_batch WHERE role <> 'shadow'"
        ),
    ),
)

_RUN_OF_VERSION = "model_version m JOIN run r ON r.run_id = m.run_id"
ORIGIN = view(
    "version_origin",
    (
        (
            "SELECT m.name, m.version, 'dataset' AS kind, i.name AS what, i.digest, i.source_type, i.source,"
            f" d.context FROM {_RUN_OF_VERSION} JOIN dataset_input d ON d.run_no = r.id"
            " JOIN input_dataset i ON i.id = d.dataset_no"
        ),
        (
            "SELECT m.name, m.version, 'commit' AS kind, t.value AS what, '' AS digest, '' AS source_type,"
            f" '' AS source, '' AS context FROM {_RUN_OF_VERSION} JOIN run_tag t ON t.run_no = r.id"
            " JOIN key_name k ON k.id = t.key_no WHERE k.name = 'mlflow.source.git.commit'"
        ),
    ),
)
"""What each registered version was made from, by way of its run: datasets and commits."""

METADATA.info.setdefault("views", []).extend((LINEAGE, FINDABLE, TRAFFIC, ORIGIN))
