"""What a search across rooms sees of each room: one view for each noun, in words that people use.

`tower/nouns.py` says how they hang together. A view hides how its room keeps its rows; a change of a room's tables
changes its view here, and nothing else. One text for both dialects; every view is a plain selection, so that both
databases reach through it to the tables' indexes.
"""

from airside.store.sql.schema.base import METADATA

DELETED = "CASE WHEN {0}.is_deleted THEN 'deleted' ELSE 'active' END"
PROMPT = "mlflow.prompt.is_prompt"
"""The tag of what is no model but a prompt that lies among the models."""
INPUT_ID = "CASE WHEN i.source_type = 'airside' THEN i.source ELSE 'input-' || i.id END"
NOUNS = {
    "noun_experiment": (
        f"SELECT e.id AS no, CAST(e.id AS TEXT) AS id, e.name, {DELETED.format('e')} AS stage, e.created_ms AS created"
        " FROM experiment e"
    ),
    "noun_run": (
        f"SELECT r.id AS no, r.run_id AS id, r.name, r.user_id AS owner, r.status, {DELETED.format('r')} AS stage,"
        " r.start_ms AS started, r.end_ms AS ended, r.experiment_no, e.name AS experiment"
        " FROM run r JOIN experiment e ON e.id = r.experiment_no"
    ),
    "noun_metric": (
        "SELECT m.run_no, k.name AS key, m.value FROM metric_latest m JOIN key_name k ON k.id = m.key_no"
        " WHERE NOT m.is_nan"
    ),
    "noun_param": "SELECT p.run_no, k.name AS key, p.value FROM run_param p JOIN key_name k ON k.id = p.key_no",
    "noun_tag": "SELECT t.run_no, k.name AS key, t.value FROM run_tag t JOIN key_name k ON k.id = t.key_no",
    "found_metric": "SELECT m.experiment_no, m.key_no, m.run_no, m.value FROM metric_latest m WHERE m.is_nan = FALSE",
    "found_param": (
        "SELECT p.experiment_no, p.key_no, p.run_no, substr(p.value, 1, 200) AS start, p.value FROM run_param p"
    ),
    "found_tag": "SELECT t.experiment_no, t.key_no, t.run_no, substr(t.value, 1, 200) AS start, t.value FROM run_tag t",
    "noun_key": "SELECT k.id AS no, k.name FROM key_name k",
    "noun_input": "SELECT d.run_no, d.dataset_no, d.context FROM dataset_input d",
    "noun_source": f"SELECT i.id AS no, {INPUT_ID} AS dataset_id FROM input_dataset i",
    "noun_dataset": (
        "SELECT v.id, v.dataset AS name, v.version, v.digest, d.owner, v.row_count AS rows_held, v.size_bytes,"
        " v.created_by, v.created_at AS created"
        " FROM dataset_version v JOIN dataset d ON d.name = v.dataset"
        " UNION ALL SELECT 'input-' || i.id, i.name, NULL, i.digest, '', NULL, NULL, '', NULL"
        " FROM input_dataset i WHERE i.source_type <> 'airside'"
    ),
    "noun_logged_model": (
        f"SELECT l.model_id AS id, l.name, l.model_type AS type, l.status, {DELETED.format('l')} AS stage,"
        " l.source_run_id AS run_id, l.created_ms AS created FROM logged_model l"
    ),
    "noun_model": (
        "SELECT m.name AS id, m.name, m.last_version AS newest, m.created_by, m.created_ms AS created,"
        " m.updated_ms AS updated FROM registered_model m WHERE NOT EXISTS (SELECT 1 FROM registered_model_tag t"
        f" WHERE t.name = m.name AND t.key = '{PROMPT}')"
    ),
    "noun_version": (
        "SELECT v.name || '@' || v.version AS id, v.name, v.version, v.stage, v.status, v.source, v.run_id,"
        " v.model_id, v.created_by, v.created_ms AS created, v.updated_ms AS updated FROM model_version v"
        f" WHERE NOT EXISTS (SELECT 1 FROM model_version_tag t WHERE t.name = v.name AND t.version = v.version"
        f" AND t.key = '{PROMPT}')"
    ),
    "noun_alias": "SELECT a.name AS model, a.version, a.alias AS name FROM model_alias a",
    "noun_gate": (
        "SELECT g.id, g.model, g.version, g.outcome, g.decided_by, g.decided_at AS decided FROM gate_decision g"
    ),
    "noun_approval": (
        "SELECT a.id, a.subject, a.state, a.asked_by, a.decided_by, a.asked_ms AS asked, a.decided_ms AS decided"
        " FROM approval a WHERE a.subject_kind = 'version'"
    ),
    "noun_card": (
        "SELECT e.id, e.model, e.version, e.subject, e.kind, e.status, e.signed_by, e.created_at AS created,"
        " e.valid_until FROM evidence e"
    ),
    "noun_endpoint": (
        "SELECT e.name AS id, e.name, e.model, e.version, e.state, e.created_by, e.created_at_ms AS created,"
        " e.updated_at_ms AS updated FROM endpoint e"
    ),
    "noun_rollout": (
        "SELECT r.id, r.endpoint, r.model, r.from_version, r.to_version AS version, r.state, r.weight, r.started_by,"
        " r.started_at_ms AS started, r.ended_at_ms AS ended FROM rollout r"
    ),
    "noun_prediction": (
        "SELECT p.id, p.request_id, p.endpoint, p.model, p.version, p.role, p.delivery, p.row_count AS rows_answered,"
        " p.latency_ms, p.error, p.labelled_rows, p.right_rows, p.received_at_ms AS received FROM prediction_batch p"
    ),
    "noun_monitor": (
        "SELECT m.name AS id, m.name, m.endpoint, m.model, m.reference, m.policy,"
        " CASE WHEN m.is_enabled THEN 'on' ELSE 'off' END AS state, m.created_at AS created FROM monitor m"
    ),
    "noun_window": (
        "SELECT w.id, w.monitor, w.model, w.version, w.endpoint, w.delivery, w.rows AS rows_seen, w.worst,"
        " CASE WHEN w.flagged = '[]' THEN 'calm' ELSE 'flagged' END AS state, w.analysed_at AS analysed"
        " FROM monitor_window w"
    ),
    "noun_alert": (
        "SELECT a.id, a.monitor, a.model, a.version, a.endpoint, a.kind, a.severity, a.state, a.title, a.weight,"
        " a.opened_at AS opened, a.closed_at AS closed FROM alert a"
    ),
    "noun_pipeline_run": (
        "SELECT p.id, p.pipeline AS name, p.version, p.state, p.cause_kind AS cause, p.tracking_run, p.host,"
        " p.created_ms AS created, p.ended_ms AS ended FROM pipeline_run p"
    ),
    "noun_model_tag": "SELECT t.name AS model, t.key, t.value FROM registered_model_tag t",
    "noun_version_tag": "SELECT t.name AS model, t.version, t.key, t.value FROM model_version_tag t",
    "noun_experiment_tag": "SELECT t.experiment_no, t.key, t.value FROM experiment_tag t",
    "noun_logged_metric": "SELECT m.model_id, m.key, m.value FROM logged_model_metric m WHERE NOT m.is_nan",
    "noun_logged_param": "SELECT p.model_id, p.key, p.value FROM logged_model_param p",
    "noun_logged_tag": "SELECT t.model_id, t.key, t.value FROM logged_model_tag t",
}

METADATA.info.setdefault("views", []).extend(f"CREATE VIEW {name} AS\n{text}" for name, text in NOUNS.items())
