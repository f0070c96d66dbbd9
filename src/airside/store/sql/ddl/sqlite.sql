CREATE TABLE access_token (
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  digest TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT,
  PRIMARY KEY (id)
);

CREATE TABLE alert (
  id TEXT NOT NULL,
  monitor TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  kind TEXT NOT NULL,
  severity TEXT NOT NULL,
  state TEXT NOT NULL,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  columns TEXT NOT NULL,
  weight DOUBLE,
  version BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  acknowledged_by TEXT NOT NULL,
  closed_at BIGINT,
  closed_by TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX alert_model ON alert (model, state);

CREATE INDEX alert_monitor ON alert (monitor, state);

CREATE TABLE alert_window (
  alert TEXT NOT NULL,
  window_id TEXT NOT NULL,
  PRIMARY KEY (alert, window_id)
);

CREATE INDEX alert_window_window ON alert_window (window_id);

CREATE TABLE approval (
  id TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  question TEXT NOT NULL,
  approvers TEXT NOT NULL,
  state TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  asked_ms BIGINT NOT NULL,
  decided_by TEXT NOT NULL,
  decided_ms BIGINT,
  comment TEXT NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX approval_by_state ON approval (state, id);

CREATE INDEX approval_by_subject ON approval (subject_kind, subject);

CREATE TABLE assessment (
  id INTEGER NOT NULL,
  assessment_id TEXT NOT NULL,
  trace_no BIGINT NOT NULL,
  experiment_no BIGINT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  figure DOUBLE,
  error TEXT,
  source_type TEXT NOT NULL,
  source_id TEXT,
  span_id TEXT,
  rationale TEXT,
  metadata TEXT NOT NULL,
  is_of_session BOOLEAN NOT NULL,
  overrides TEXT,
  is_valid BOOLEAN NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (assessment_id)
);

CREATE INDEX assessment_name ON assessment (experiment_no, kind, name, trace_no);

CREATE INDEX assessment_trace ON assessment (trace_no, id);

CREATE TABLE audit (
  chain TEXT NOT NULL,
  seq BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  actor TEXT NOT NULL,
  token_id TEXT NOT NULL,
  operation TEXT NOT NULL,
  resource TEXT NOT NULL,
  outcome TEXT NOT NULL,
  digest TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (chain, seq)
);

CREATE INDEX audit_by_resource ON audit (resource, at_ms);

CREATE TABLE catalog_row (
  name TEXT NOT NULL,
  project TEXT NOT NULL,
  owner TEXT NOT NULL,
  state TEXT NOT NULL,
  rank BIGINT NOT NULL,
  open_alerts BIGINT NOT NULL,
  body TEXT NOT NULL,
  refreshed_at BIGINT NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX catalog_row_rank ON catalog_row (rank, name);

CREATE TABLE dataset (
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  description TEXT NOT NULL,
  newest BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE dataset_file (
  version_id TEXT NOT NULL,
  path TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (version_id, path)
);

CREATE INDEX dataset_file_digest ON dataset_file (digest);

CREATE TABLE dataset_input (
  run_no BIGINT NOT NULL,
  dataset_no BIGINT NOT NULL,
  context TEXT,
  tags TEXT NOT NULL,
  PRIMARY KEY (run_no, dataset_no)
)
 WITHOUT ROWID;

CREATE INDEX dataset_input_dataset ON dataset_input (dataset_no, run_no);

CREATE TABLE dataset_version (
  id TEXT NOT NULL,
  dataset TEXT NOT NULL,
  version BIGINT NOT NULL,
  digest TEXT NOT NULL,
  row_count BIGINT NOT NULL,
  size_bytes BIGINT NOT NULL,
  schema_columns TEXT NOT NULL,
  summaries TEXT NOT NULL,
  findings TEXT NOT NULL,
  note TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (dataset, version)
);

CREATE INDEX dataset_version_digest ON dataset_version (digest);

CREATE TABLE delivery (
  endpoint TEXT NOT NULL,
  name TEXT NOT NULL,
  row_count BIGINT NOT NULL,
  batch_count BIGINT NOT NULL,
  completed_at_ms BIGINT NOT NULL,
  PRIMARY KEY (endpoint, name)
);

CREATE TABLE endpoint (
  name TEXT NOT NULL,
  model TEXT NOT NULL,
  version BIGINT NOT NULL,
  previous_version BIGINT NOT NULL,
  state TEXT NOT NULL,
  "plan" TEXT NOT NULL,
  transform TEXT NOT NULL,
  rollout_id TEXT NOT NULL,
  revision BIGINT NOT NULL,
  salt TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX endpoint_by_model ON endpoint (model);

CREATE TABLE evaluation_dataset (
  dataset_id TEXT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  schema_text TEXT,
  record_count BIGINT,
  created_by TEXT,
  updated_by TEXT,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  PRIMARY KEY (dataset_id)
);

CREATE INDEX evaluation_dataset_name ON evaluation_dataset (substr(name, 1, 200));

CREATE INDEX evaluation_dataset_newest ON evaluation_dataset (created_ms DESC, dataset_id DESC);

CREATE TABLE evaluation_dataset_experiment (
  id INTEGER NOT NULL,
  dataset_id TEXT NOT NULL,
  experiment_no BIGINT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (dataset_id, experiment_no)
);

CREATE INDEX evaluation_dataset_of_experiment ON evaluation_dataset_experiment (experiment_no, dataset_id);

CREATE TABLE evaluation_dataset_tag (
  dataset_id TEXT NOT NULL,
  "key" TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (dataset_id, "key")
)
 WITHOUT ROWID;

CREATE TABLE evaluation_record (
  id INTEGER NOT NULL,
  record_id TEXT NOT NULL,
  dataset_id TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  inputs TEXT NOT NULL,
  outputs TEXT,
  expectations TEXT,
  tags TEXT NOT NULL,
  source TEXT,
  created_by TEXT,
  updated_by TEXT,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (dataset_id, input_hash),
  UNIQUE (record_id)
);

CREATE INDEX evaluation_record_page ON evaluation_record (dataset_id, id);

CREATE TABLE event (
  seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  actor TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);

CREATE INDEX event_by_name ON event (name, seq);

CREATE TABLE evidence (
  id TEXT NOT NULL,
  digest TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  model TEXT NOT NULL,
  version BIGINT NOT NULL,
  kind TEXT NOT NULL,
  cause TEXT NOT NULL,
  status TEXT NOT NULL,
  produced_by TEXT NOT NULL,
  signed_by TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  valid_until BIGINT,
  PRIMARY KEY (id)
);

CREATE UNIQUE INDEX evidence_digest ON evidence (digest);

CREATE INDEX evidence_model ON evidence (model, version, id);

CREATE INDEX evidence_subject ON evidence (subject_kind, subject);

CREATE TABLE experiment (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  artifact_location TEXT NOT NULL,
  is_deleted BOOLEAN NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  is_sweeping BOOLEAN NOT NULL,
  UNIQUE (name)
);

CREATE INDEX experiment_newest ON experiment (is_deleted, created_ms DESC, id);

CREATE TABLE experiment_tag (
  experiment_no BIGINT NOT NULL,
  "key" TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (experiment_no, "key")
)
 WITHOUT ROWID;

CREATE TABLE gate_decision (
  id TEXT NOT NULL,
  model TEXT NOT NULL,
  version BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  summary TEXT NOT NULL,
  results TEXT NOT NULL,
  compared_with BIGINT NOT NULL,
  run_id TEXT,
  dataset_versions TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  decided_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX gate_decision_model ON gate_decision (model, version, id);

CREATE TABLE ground_truth (
  request_id TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  labels BLOB NOT NULL,
  received_at_ms BIGINT NOT NULL,
  PRIMARY KEY (request_id)
);

CREATE TABLE idempotency (
  actor TEXT NOT NULL,
  "key" TEXT NOT NULL,
  digest TEXT NOT NULL,
  answer TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (actor, "key")
);

CREATE INDEX idempotency_by_age ON idempotency (at_ms);

CREATE TABLE import_job (
  import_id TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  started_by TEXT NOT NULL,
  started_ms BIGINT NOT NULL,
  ended_ms BIGINT,
  report TEXT NOT NULL,
  PRIMARY KEY (import_id),
  UNIQUE (fingerprint)
);

CREATE TABLE import_part (
  import_id TEXT NOT NULL,
  part TEXT NOT NULL,
  after_key TEXT NOT NULL,
  done BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  is_complete BOOLEAN NOT NULL,
  PRIMARY KEY (import_id, part)
);

CREATE TABLE input_dataset (
  id INTEGER NOT NULL,
  experiment_no BIGINT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  source_type TEXT NOT NULL,
  source TEXT NOT NULL,
  schema_text TEXT,
  profile_text TEXT,
  PRIMARY KEY (id),
  UNIQUE (experiment_no, name, digest)
);

CREATE INDEX input_dataset_source ON input_dataset (substr(source, 1, 200), source_type);

CREATE TABLE key_name (
  id INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (name)
);

CREATE TABLE lease (
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE logged_model (
  model_id TEXT NOT NULL,
  experiment_no BIGINT NOT NULL,
  name TEXT NOT NULL,
  artifact_uri TEXT NOT NULL,
  status TEXT NOT NULL,
  status_message TEXT NOT NULL,
  model_type TEXT NOT NULL,
  source_run_id TEXT NOT NULL,
  is_deleted BOOLEAN NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  PRIMARY KEY (model_id)
);

CREATE INDEX logged_model_deleted ON logged_model (updated_ms, model_id) WHERE is_deleted;

CREATE INDEX logged_model_newest ON logged_model (experiment_no, is_deleted, created_ms, model_id);

CREATE INDEX logged_model_run ON logged_model (source_run_id);

CREATE TABLE logged_model_metric (
  model_id TEXT NOT NULL,
  "key" TEXT NOT NULL,
  step BIGINT NOT NULL,
  time_ms BIGINT NOT NULL,
  value DOUBLE NOT NULL,
  is_nan BOOLEAN NOT NULL,
  run_id TEXT NOT NULL,
  dataset_name TEXT NOT NULL,
  dataset_digest TEXT NOT NULL,
  PRIMARY KEY (model_id, "key", step, time_ms, value, is_nan, run_id)
)
 WITHOUT ROWID;

CREATE TABLE logged_model_param (
  model_id TEXT NOT NULL,
  "key" TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model_id, "key")
)
 WITHOUT ROWID;

CREATE TABLE logged_model_tag (
  model_id TEXT NOT NULL,
  "key" TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model_id, "key")
)
 WITHOUT ROWID;

CREATE TABLE metric_chunk (
  id INTEGER NOT NULL,
  run_no BIGINT NOT NULL,
  key_no BIGINT NOT NULL,
  n_points BIGINT NOT NULL,
  first_ms BIGINT NOT NULL,
  first_step BIGINT NOT NULL,
  first_value DOUBLE NOT NULL,
  first_nan BOOLEAN NOT NULL,
  last_ms BIGINT NOT NULL,
  last_step BIGINT NOT NULL,
  last_value DOUBLE NOT NULL,
  last_nan BOOLEAN NOT NULL,
  low_step BIGINT NOT NULL,
  high_step BIGINT NOT NULL,
  is_by_step BOOLEAN NOT NULL,
  is_finite BOOLEAN NOT NULL,
  least_value DOUBLE NOT NULL,
  least_ms BIGINT NOT NULL,
  least_step BIGINT NOT NULL,
  greatest_value DOUBLE NOT NULL,
  greatest_ms BIGINT NOT NULL,
  greatest_step BIGINT NOT NULL,
  points BLOB NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX metric_chunk_order ON metric_chunk (run_no, key_no, first_ms, first_step, first_value, first_nan, last_ms, last_step, n_points, is_by_step, id);

CREATE TABLE metric_latest (
  run_no BIGINT NOT NULL,
  key_no BIGINT NOT NULL,
  experiment_no BIGINT NOT NULL,
  step BIGINT NOT NULL,
  time_ms BIGINT NOT NULL,
  value DOUBLE NOT NULL,
  is_nan BOOLEAN NOT NULL,
  n_since_packed BIGINT NOT NULL,
  packed_ms BIGINT NOT NULL,
  PRIMARY KEY (run_no, key_no)
)
 WITHOUT ROWID;

CREATE INDEX metric_latest_value ON metric_latest (experiment_no, key_no, is_nan, value, run_no);

CREATE TABLE metric_point (
  run_no BIGINT NOT NULL,
  key_no BIGINT NOT NULL,
  time_ms BIGINT NOT NULL,
  step BIGINT NOT NULL,
  value DOUBLE NOT NULL,
  is_nan BOOLEAN NOT NULL,
  PRIMARY KEY (run_no, key_no, time_ms, step, value, is_nan)
)
 WITHOUT ROWID;

CREATE TABLE model_alias (
  name TEXT NOT NULL,
  alias TEXT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (name, alias)
);

CREATE INDEX model_alias_by_version ON model_alias (name, version);

CREATE TABLE model_input (
  run_no BIGINT NOT NULL,
  model_id TEXT NOT NULL,
  PRIMARY KEY (run_no, model_id)
)
 WITHOUT ROWID;

CREATE INDEX model_input_model ON model_input (model_id, run_no);

CREATE TABLE model_output (
  run_no BIGINT NOT NULL,
  model_id TEXT NOT NULL,
  step BIGINT NOT NULL,
  PRIMARY KEY (run_no, model_id)
)
 WITHOUT ROWID;

CREATE INDEX model_output_model ON model_output (model_id, run_no);

CREATE TABLE model_version (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  source TEXT NOT NULL,
  storage_location TEXT NOT NULL,
  run_id TEXT NOT NULL,
  model_id TEXT NOT NULL,
  status TEXT NOT NULL,
  status_message TEXT NOT NULL,
  stage TEXT NOT NULL,
  description TEXT,
  run_link TEXT NOT NULL,
  files TEXT NOT NULL,
  reference TEXT NOT NULL,
  golden TEXT NOT NULL,
  signature TEXT NOT NULL,
  approvers TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  PRIMARY KEY (name, version)
);

CREATE INDEX model_version_by_model ON model_version (model_id);

CREATE INDEX model_version_by_run ON model_version (run_id);

CREATE INDEX model_version_by_update ON model_version (updated_ms, name, version);

CREATE TABLE model_version_tag (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  "key" TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (name, version, "key")
);

CREATE TABLE monitor (
  name TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  "plan" TEXT NOT NULL,
  rule TEXT NOT NULL,
  reference TEXT NOT NULL,
  reference_version BIGINT NOT NULL,
  segments TEXT NOT NULL,
  policy TEXT NOT NULL,
  is_enabled BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX monitor_endpoint ON monitor (endpoint);

CREATE INDEX monitor_model ON monitor (model);

CREATE TABLE monitor_window (
  id TEXT NOT NULL,
  monitor TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  "key" TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  delivery TEXT NOT NULL,
  from_at BIGINT NOT NULL,
  to_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  reference_version BIGINT NOT NULL,
  rows BIGINT NOT NULL,
  labelled BIGINT NOT NULL,
  flagged TEXT NOT NULL,
  worst DOUBLE NOT NULL,
  found TEXT NOT NULL,
  measured TEXT NOT NULL,
  analysed_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);

CREATE UNIQUE INDEX monitor_window_key ON monitor_window (monitor, "key");

CREATE INDEX monitor_window_model ON monitor_window (model, version);

CREATE UNIQUE INDEX monitor_window_sequence ON monitor_window (monitor, sequence);

CREATE TABLE pipeline (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  entry TEXT NOT NULL,
  code TEXT NOT NULL,
  graph TEXT NOT NULL,
  parameters TEXT NOT NULL,
  description TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  made_with TEXT,
  PRIMARY KEY (name, version)
);

CREATE TABLE pipeline_run (
  id TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  version BIGINT NOT NULL,
  state TEXT NOT NULL,
  parameters TEXT NOT NULL,
  cause_kind TEXT NOT NULL,
  cause_actor TEXT NOT NULL,
  cause_trigger TEXT NOT NULL,
  cause_event TEXT NOT NULL,
  cause_text TEXT NOT NULL,
  tracking_run TEXT NOT NULL,
  attempt BIGINT NOT NULL,
  worker TEXT NOT NULL,
  host TEXT NOT NULL,
  lease_until_ms BIGINT NOT NULL,
  error TEXT NOT NULL,
  result TEXT NOT NULL,
  steps_total BIGINT NOT NULL,
  steps_done BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  started_ms BIGINT,
  ended_ms BIGINT,
  PRIMARY KEY (id)
);

CREATE INDEX pipeline_run_by_event ON pipeline_run (cause_event);

CREATE INDEX pipeline_run_by_pipeline ON pipeline_run (pipeline, id);

CREATE INDEX pipeline_run_by_state ON pipeline_run (state, id);

CREATE INDEX pipeline_run_by_tracking_run ON pipeline_run (tracking_run);

CREATE INDEX pipeline_run_by_trigger ON pipeline_run (cause_trigger, id);

CREATE TABLE pipeline_trigger (
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  kind TEXT NOT NULL,
  monitor TEXT NOT NULL,
  dataset TEXT NOT NULL,
  model TEXT NOT NULL,
  cron TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  wait_for_dataset TEXT NOT NULL,
  parameters TEXT NOT NULL,
  enabled BOOLEAN NOT NULL,
  next_fire_ms BIGINT,
  created_ms BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (name)
);

CREATE INDEX pipeline_trigger_by_kind ON pipeline_trigger (kind);

CREATE INDEX pipeline_trigger_by_time ON pipeline_trigger (next_fire_ms);

CREATE TABLE prediction_batch (
  id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  version BIGINT NOT NULL,
  role TEXT NOT NULL,
  rollout_id TEXT NOT NULL,
  phase TEXT NOT NULL,
  delivery TEXT NOT NULL,
  received_at_ms BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  latency_ms DOUBLE NOT NULL,
  error TEXT NOT NULL,
  paired_id TEXT NOT NULL,
  transform TEXT NOT NULL,
  labels BLOB NOT NULL,
  labelled_rows BIGINT NOT NULL,
  right_rows BIGINT NOT NULL,
  file TEXT NOT NULL,
  file_offset BIGINT NOT NULL,
  size_bytes BIGINT NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX prediction_by_delivery ON prediction_batch (endpoint, delivery, received_at_ms, id);

CREATE INDEX prediction_by_request ON prediction_batch (request_id);

CREATE INDEX prediction_by_time ON prediction_batch (endpoint, received_at_ms, id);

CREATE INDEX prediction_by_version ON prediction_batch (model, version);

CREATE TABLE reaction_cursor (
  reaction TEXT NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (reaction)
);

CREATE TABLE reaction_failure (
  reaction TEXT NOT NULL,
  seq BIGINT NOT NULL,
  error TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (reaction, seq)
);

CREATE TABLE registered_model (
  name TEXT NOT NULL,
  description TEXT,
  requires TEXT NOT NULL,
  last_version BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE registered_model_tag (
  name TEXT NOT NULL,
  "key" TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (name, "key")
);

CREATE TABLE registry_change (
  id INTEGER NOT NULL,
  name TEXT NOT NULL,
  version BIGINT,
  what TEXT NOT NULL,
  "key" TEXT NOT NULL,
  before_value TEXT NOT NULL,
  after_value TEXT NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX registry_change_by_name ON registry_change (name, id);

CREATE TABLE removal (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  number BIGINT NOT NULL,
  artifact_uri TEXT NOT NULL,
  is_swept BOOLEAN NOT NULL,
  at_ms BIGINT NOT NULL
);

CREATE INDEX removal_unswept ON removal (is_swept, id);

CREATE TABLE rollout (
  id TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  from_version BIGINT NOT NULL,
  to_version BIGINT NOT NULL,
  state TEXT NOT NULL,
  step BIGINT NOT NULL,
  weight BIGINT NOT NULL,
  "plan" TEXT NOT NULL,
  transform TEXT NOT NULL,
  evidence TEXT NOT NULL,
  recent TEXT NOT NULL,
  paused_in TEXT NOT NULL,
  reason TEXT NOT NULL,
  started_by TEXT NOT NULL,
  started_at_ms BIGINT NOT NULL,
  step_started_at_ms BIGINT NOT NULL,
  looked_at_ms BIGINT,
  ended_at_ms BIGINT,
  acknowledged_by TEXT NOT NULL,
  acknowledged_at_ms BIGINT,
  PRIMARY KEY (id)
);

CREATE INDEX rollout_by_end ON rollout (ended_at_ms);

CREATE INDEX rollout_by_endpoint ON rollout (endpoint, id);

CREATE INDEX rollout_by_version ON rollout (model, to_version);

CREATE TABLE rollout_decision (
  rollout_id TEXT NOT NULL,
  number BIGINT NOT NULL,
  decision TEXT NOT NULL,
  PRIMARY KEY (rollout_id, number)
);

CREATE TABLE rollout_tally (
  rollout_id TEXT NOT NULL,
  phase TEXT NOT NULL,
  metric TEXT NOT NULL,
  role TEXT NOT NULL,
  row_count BIGINT NOT NULL,
  bad_count BIGINT NOT NULL,
  PRIMARY KEY (rollout_id, phase, metric, role)
);

CREATE TABLE routing (
  id BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE run (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  run_id TEXT NOT NULL,
  experiment_no BIGINT NOT NULL,
  name TEXT NOT NULL,
  user_id TEXT NOT NULL,
  status TEXT NOT NULL,
  start_ms BIGINT NOT NULL,
  end_ms BIGINT,
  artifact_uri TEXT NOT NULL,
  is_deleted BOOLEAN NOT NULL,
  revision BIGINT NOT NULL,
  deleted_ms BIGINT,
  UNIQUE (run_id)
);

CREATE INDEX run_deleted ON run (deleted_ms, id) WHERE deleted_ms IS NOT NULL;

CREATE INDEX run_newest ON run (experiment_no, is_deleted, start_ms DESC, run_id);

CREATE TABLE run_capture (
  run_no BIGINT NOT NULL,
  source TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  code_blob TEXT NOT NULL,
  lock_blob TEXT NOT NULL,
  facts TEXT NOT NULL,
  PRIMARY KEY (run_no, source)
)
 WITHOUT ROWID;

CREATE INDEX run_capture_code ON run_capture (code_blob);

CREATE TABLE run_param (
  run_no BIGINT NOT NULL,
  key_no BIGINT NOT NULL,
  experiment_no BIGINT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_no, key_no)
)
 WITHOUT ROWID;

CREATE INDEX run_param_value ON run_param (experiment_no, key_no, substr(value, 1, 200), run_no);

CREATE TABLE run_tag (
  run_no BIGINT NOT NULL,
  key_no BIGINT NOT NULL,
  experiment_no BIGINT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_no, key_no)
)
 WITHOUT ROWID;

CREATE INDEX run_tag_value ON run_tag (experiment_no, key_no, substr(value, 1, 200), run_no);

CREATE TABLE schema_version (
  revision TEXT NOT NULL,
  PRIMARY KEY (revision)
);

CREATE TABLE scorer (
  scorer_id TEXT NOT NULL,
  experiment_no BIGINT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (scorer_id),
  UNIQUE (experiment_no, name)
);

CREATE TABLE scorer_version (
  scorer_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  serialized TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (scorer_id, version)
)
 WITHOUT ROWID;

CREATE TABLE series (
  name TEXT NOT NULL,
  unit TEXT NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE series_point (
  id INTEGER NOT NULL,
  series TEXT NOT NULL,
  at BIGINT NOT NULL,
  value DOUBLE NOT NULL,
  dimensions TEXT NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX series_point_at ON series_point (series, at);

CREATE TABLE span (
  trace_no BIGINT NOT NULL,
  span_id TEXT NOT NULL,
  experiment_no BIGINT NOT NULL,
  parent_id TEXT NOT NULL,
  name TEXT NOT NULL,
  span_type TEXT NOT NULL,
  status TEXT NOT NULL,
  start_ns BIGINT NOT NULL,
  end_ns BIGINT,
  usage TEXT,
  cost TEXT,
  content TEXT NOT NULL,
  PRIMARY KEY (trace_no, span_id)
);

CREATE INDEX span_name ON span (experiment_no, substr(name, 1, 200), trace_no);

CREATE INDEX span_type ON span (experiment_no, span_type, trace_no);

CREATE TABLE step_cache (
  "key" TEXT NOT NULL,
  run TEXT NOT NULL,
  step TEXT NOT NULL,
  outputs TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY ("key")
);

CREATE TABLE step_run (
  run TEXT NOT NULL,
  step TEXT NOT NULL,
  attempt BIGINT NOT NULL,
  position BIGINT NOT NULL,
  node TEXT NOT NULL,
  label TEXT NOT NULL,
  state TEXT NOT NULL,
  "key" TEXT NOT NULL,
  cached BOOLEAN NOT NULL,
  cached_from TEXT NOT NULL,
  infrastructure BOOLEAN NOT NULL,
  outputs TEXT NOT NULL,
  error TEXT NOT NULL,
  reason TEXT NOT NULL,
  opaque TEXT NOT NULL,
  parts TEXT NOT NULL,
  log TEXT NOT NULL,
  seconds DOUBLE NOT NULL,
  started_ms BIGINT,
  ended_ms BIGINT,
  PRIMARY KEY (run, step, attempt)
);

CREATE INDEX step_run_by_position ON step_run (run, position);

CREATE TABLE suite (
  model TEXT NOT NULL,
  checks TEXT NOT NULL,
  set_by TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  PRIMARY KEY (model)
);

CREATE TABLE trace (
  id INTEGER NOT NULL,
  trace_id TEXT NOT NULL,
  experiment_no BIGINT NOT NULL,
  request_ms BIGINT NOT NULL,
  duration_ms BIGINT,
  state TEXT NOT NULL,
  client_request_id TEXT,
  request_preview TEXT,
  response_preview TEXT,
  PRIMARY KEY (id),
  UNIQUE (trace_id)
);

CREATE INDEX trace_client_request ON trace (experiment_no, client_request_id);

CREATE INDEX trace_duration ON trace (experiment_no, duration_ms);

CREATE INDEX trace_ended ON trace (experiment_no, (request_ms + COALESCE(duration_ms, 0)));

CREATE INDEX trace_newest ON trace (experiment_no, request_ms DESC, trace_id);

CREATE INDEX trace_state ON trace (experiment_no, state, request_ms DESC, trace_id);

CREATE TABLE trace_metadata (
  trace_no BIGINT NOT NULL,
  key_no BIGINT NOT NULL,
  experiment_no BIGINT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (trace_no, key_no)
)
 WITHOUT ROWID;

CREATE INDEX trace_metadata_value ON trace_metadata (experiment_no, key_no, substr(value, 1, 200), trace_no);

CREATE TABLE trace_prompt (
  prompt TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  PRIMARY KEY (prompt, trace_id)
)
 WITHOUT ROWID;

CREATE INDEX trace_prompt_trace ON trace_prompt (trace_id);

CREATE TABLE trace_run (
  run_id TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  PRIMARY KEY (run_id, trace_id)
)
 WITHOUT ROWID;

CREATE INDEX trace_run_trace ON trace_run (trace_id);

CREATE TABLE trace_tag (
  trace_no BIGINT NOT NULL,
  key_no BIGINT NOT NULL,
  experiment_no BIGINT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (trace_no, key_no)
)
 WITHOUT ROWID;

CREATE INDEX trace_tag_value ON trace_tag (experiment_no, key_no, substr(value, 1, 200), trace_no);

CREATE TABLE trigger_fire (
  trigger_id TEXT NOT NULL,
  "key" TEXT NOT NULL,
  state TEXT NOT NULL,
  event TEXT NOT NULL,
  text TEXT NOT NULL,
  happening TEXT NOT NULL,
  wait_for_dataset TEXT NOT NULL,
  newer_than BIGINT NOT NULL,
  run TEXT NOT NULL,
  noted_ms BIGINT NOT NULL,
  fired_ms BIGINT,
  PRIMARY KEY (trigger_id, "key")
);

CREATE INDEX trigger_fire_by_state ON trigger_fire (state, wait_for_dataset);

CREATE INDEX trigger_fire_by_time ON trigger_fire (noted_ms);

CREATE TABLE verdict (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  gate TEXT NOT NULL,
  passed BOOLEAN NOT NULL,
  decision_id TEXT NOT NULL,
  summary TEXT NOT NULL,
  left_by TEXT NOT NULL,
  left_ms BIGINT NOT NULL,
  PRIMARY KEY (name, version, gate)
);

CREATE TABLE webhook (
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  url TEXT NOT NULL,
  events TEXT NOT NULL,
  status TEXT NOT NULL,
  secret TEXT NOT NULL,
  since_seq BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  deleted_ms BIGINT,
  PRIMARY KEY (id)
);

CREATE INDEX webhook_by_age ON webhook (created_ms);

CREATE TABLE webhook_delivery (
  id TEXT NOT NULL,
  webhook_id TEXT NOT NULL,
  seq BIGINT,
  event TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  due_ms BIGINT NOT NULL,
  leased_by TEXT NOT NULL,
  leased_until_ms BIGINT NOT NULL,
  status BIGINT NOT NULL,
  error TEXT NOT NULL,
  answer TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  finished_ms BIGINT,
  PRIMARY KEY (id)
);

CREATE INDEX webhook_delivery_by_due ON webhook_delivery (state, due_ms);

CREATE INDEX webhook_delivery_by_webhook ON webhook_delivery (webhook_id, id);

CREATE UNIQUE INDEX webhook_delivery_once ON webhook_delivery (webhook_id, seq);

CREATE TABLE wrong_password (
  source TEXT NOT NULL,
  count BIGINT NOT NULL,
  until_ms BIGINT NOT NULL,
  PRIMARY KEY (source)
);

CREATE INDEX wrong_password_by_age ON wrong_password (until_ms);

CREATE VIEW lineage AS
SELECT 'dataset_version' AS from_kind, i.source AS from_id, 'input of' AS relation, 'run' AS to_kind, r.run_id AS to_id FROM dataset_input d JOIN input_dataset i ON i.id = d.dataset_no JOIN run r ON r.id = d.run_no WHERE i.source_type = 'airside'
UNION ALL
SELECT 'run' AS from_kind, source_run_id AS from_id, 'logged' AS relation, 'logged_model' AS to_kind, model_id AS to_id FROM logged_model WHERE source_run_id <> ''
UNION ALL
SELECT 'run' AS from_kind, run_id AS from_id, 'registered as' AS relation, 'model_version' AS to_kind, name || '@' || version AS to_id FROM model_version WHERE run_id <> ''
UNION ALL
SELECT 'logged_model' AS from_kind, model_id AS from_id, 'registered as' AS relation, 'model_version' AS to_kind, name || '@' || version AS to_id FROM model_version WHERE model_id <> ''
UNION ALL
SELECT 'model_version' AS from_kind, model || '@' || version AS from_id, 'judged by' AS relation, 'gate' AS to_kind, id AS to_id FROM gate_decision
UNION ALL
SELECT 'model_version' AS from_kind, model || '@' || to_version AS from_id, 'rolled out by' AS relation, 'rollout' AS to_kind, id AS to_id FROM rollout
UNION ALL
SELECT 'endpoint' AS from_kind, endpoint AS from_id, 'changed by' AS relation, 'rollout' AS to_kind, id AS to_id FROM rollout
UNION ALL
SELECT 'model_version' AS from_kind, model || '@' || version AS from_id, 'answered' AS relation, 'delivery' AS to_kind, endpoint || '/' || delivery AS to_id FROM (SELECT DISTINCT model, version, endpoint, delivery FROM prediction_batch WHERE delivery <> '' AND role <> 'shadow') answered
UNION ALL
SELECT 'delivery' AS from_kind, endpoint || '/' || delivery AS from_id, 'holds' AS relation, 'prediction' AS to_kind, id AS to_id FROM prediction_batch WHERE delivery <> ''
UNION ALL
SELECT 'model_version' AS from_kind, model || '@' || version AS from_id, 'answered' AS relation, 'prediction' AS to_kind, id AS to_id FROM prediction_batch WHERE delivery = ''
UNION ALL
SELECT 'rollout' AS from_kind, rollout_id AS from_id, 'asked for' AS relation, 'prediction' AS to_kind, id AS to_id FROM prediction_batch WHERE rollout_id <> '' AND delivery = ''
UNION ALL
SELECT 'prediction' AS from_kind, p.id AS from_id, 'turned out as' AS relation, 'ground_truth' AS to_kind, g.request_id AS to_id FROM prediction_batch p JOIN ground_truth g ON g.request_id = p.request_id
UNION ALL
SELECT 'delivery' AS from_kind, endpoint || '/' || delivery AS from_id, 'watched by' AS relation, 'window' AS to_kind, id AS to_id FROM monitor_window WHERE delivery <> ''
UNION ALL
SELECT 'model_version' AS from_kind, model || '@' || version AS from_id, 'watched by' AS relation, 'window' AS to_kind, id AS to_id FROM monitor_window WHERE delivery = ''
UNION ALL
SELECT 'monitor' AS from_kind, monitor AS from_id, 'looked at' AS relation, 'window' AS to_kind, id AS to_id FROM monitor_window
UNION ALL
SELECT 'window' AS from_kind, window_id AS from_id, 'opened' AS relation, 'alert' AS to_kind, alert AS to_id FROM alert_window
UNION ALL
SELECT 'alert' AS from_kind, cause_event AS from_id, 'started' AS relation, 'pipeline_run' AS to_kind, id AS to_id FROM pipeline_run WHERE cause_kind = 'alert'
UNION ALL
SELECT 'dataset_version' AS from_kind, cause_event AS from_id, 'started' AS relation, 'pipeline_run' AS to_kind, id AS to_id FROM pipeline_run WHERE cause_kind = 'dataset'
UNION ALL
SELECT 'model_version' AS from_kind, cause_event AS from_id, 'started' AS relation, 'pipeline_run' AS to_kind, id AS to_id FROM pipeline_run WHERE cause_kind = 'promotion'
UNION ALL
SELECT 'trigger' AS from_kind, cause_trigger AS from_id, 'started' AS relation, 'pipeline_run' AS to_kind, id AS to_id FROM pipeline_run WHERE cause_trigger <> ''
UNION ALL
SELECT 'pipeline' AS from_kind, pipeline AS from_id, 'ran as' AS relation, 'pipeline_run' AS to_kind, id AS to_id FROM pipeline_run
UNION ALL
SELECT 'pipeline_run' AS from_kind, id AS from_id, 'tracked as' AS relation, 'run' AS to_kind, tracking_run AS to_id FROM pipeline_run WHERE tracking_run <> ''
UNION ALL
SELECT 'pipeline_run' AS from_kind, t.value AS from_id, 'tracked as' AS relation, 'run' AS to_kind, r.run_id AS to_id FROM run_tag t JOIN key_name k ON k.id = t.key_no JOIN run r ON r.id = t.run_no JOIN pipeline_run p ON p.id = t.value WHERE k.name = 'airside.pipelineRun' AND p.tracking_run <> r.run_id;

CREATE VIEW findable AS
SELECT 'experiment' AS kind, CAST(id AS TEXT) AS id, name AS name FROM experiment
UNION ALL
SELECT 'run' AS kind, run_id AS id, name AS name FROM run
UNION ALL
SELECT 'registered_model' AS kind, name AS id, name AS name FROM registered_model
UNION ALL
SELECT 'model_version' AS kind, name || '@' || version AS id, name || '@' || version AS name FROM model_version
UNION ALL
SELECT 'dataset' AS kind, name AS id, name AS name FROM dataset
UNION ALL
SELECT 'dataset_version' AS kind, id AS id, dataset || '@' || version AS name FROM dataset_version
UNION ALL
SELECT 'pipeline' AS kind, name AS id, name AS name FROM (SELECT DISTINCT name FROM pipeline) pipelines
UNION ALL
SELECT 'pipeline_run' AS kind, id AS id, pipeline || ' ' || id AS name FROM pipeline_run
UNION ALL
SELECT 'endpoint' AS kind, name AS id, name AS name FROM endpoint
UNION ALL
SELECT 'monitor' AS kind, name AS id, name AS name FROM monitor
UNION ALL
SELECT 'alert' AS kind, id AS id, title AS name FROM alert;

CREATE VIEW prediction_traffic AS
SELECT endpoint, received_at_ms, row_count, latency_ms, CASE WHEN error = '' THEN 0 ELSE row_count END AS failed_count FROM prediction_batch WHERE role <> 'shadow';

CREATE VIEW version_origin AS
SELECT m.name, m.version, 'dataset' AS kind, i.name AS what, i.digest, i.source_type, i.source, d.context FROM model_version m JOIN run r ON r.run_id = m.run_id JOIN dataset_input d ON d.run_no = r.id JOIN input_dataset i ON i.id = d.dataset_no
UNION ALL
SELECT m.name, m.version, 'commit' AS kind, t.value AS what, '' AS digest, '' AS source_type, '' AS source, '' AS context FROM model_version m JOIN run r ON r.run_id = m.run_id JOIN run_tag t ON t.run_no = r.id JOIN key_name k ON k.id = t.key_no WHERE k.name = 'mlflow.source.git.commit';

CREATE VIEW noun_experiment AS
SELECT e.id AS no, CAST(e.id AS TEXT) AS id, e.name, CASE WHEN e.is_deleted THEN 'deleted' ELSE 'active' END AS stage, e.created_ms AS created FROM experiment e;

CREATE VIEW noun_run AS
SELECT r.id AS no, r.run_id AS id, r.name, r.user_id AS owner, r.status, CASE WHEN r.is_deleted THEN 'deleted' ELSE 'active' END AS stage, r.start_ms AS started, r.end_ms AS ended, r.experiment_no, e.name AS experiment FROM run r JOIN experiment e ON e.id = r.experiment_no;

CREATE VIEW noun_metric AS
SELECT m.run_no, k.name AS key, m.value FROM metric_latest m JOIN key_name k ON k.id = m.key_no WHERE NOT m.is_nan;

CREATE VIEW noun_param AS
SELECT p.run_no, k.name AS key, p.value FROM run_param p JOIN key_name k ON k.id = p.key_no;

CREATE VIEW noun_tag AS
SELECT t.run_no, k.name AS key, t.value FROM run_tag t JOIN key_name k ON k.id = t.key_no;

CREATE VIEW found_metric AS
SELECT m.experiment_no, m.key_no, m.run_no, m.value FROM metric_latest m WHERE m.is_nan = FALSE;

CREATE VIEW found_param AS
SELECT p.experiment_no, p.key_no, p.run_no, substr(p.value, 1, 200) AS start, p.value FROM run_param p;

CREATE VIEW found_tag AS
SELECT t.experiment_no, t.key_no, t.run_no, substr(t.value, 1, 200) AS start, t.value FROM run_tag t;

CREATE VIEW noun_key AS
SELECT k.id AS no, k.name FROM key_name k;

CREATE VIEW noun_input AS
SELECT d.run_no, d.dataset_no, d.context FROM dataset_input d;

CREATE VIEW noun_source AS
SELECT i.id AS no, CASE WHEN i.source_type = 'airside' THEN i.source ELSE 'input-' || i.id END AS dataset_id FROM input_dataset i;

CREATE VIEW noun_dataset AS
SELECT v.id, v.dataset AS name, v.version, v.digest, d.owner, v.row_count AS rows_held, v.size_bytes, v.created_by, v.created_at AS created FROM dataset_version v JOIN dataset d ON d.name = v.dataset UNION ALL SELECT 'input-' || i.id, i.name, NULL, i.digest, '', NULL, NULL, '', NULL FROM input_dataset i WHERE i.source_type <> 'airside';

CREATE VIEW noun_logged_model AS
SELECT l.model_id AS id, l.name, l.model_type AS type, l.status, CASE WHEN l.is_deleted THEN 'deleted' ELSE 'active' END AS stage, l.source_run_id AS run_id, l.created_ms AS created FROM logged_model l;

CREATE VIEW noun_model AS
SELECT m.name AS id, m.name, m.last_version AS newest, m.created_by, m.created_ms AS created, m.updated_ms AS updated FROM registered_model m WHERE NOT EXISTS (SELECT 1 FROM registered_model_tag t WHERE t.name = m.name AND t.key = 'mlflow.prompt.is_prompt');

CREATE VIEW noun_version AS
SELECT v.name || '@' || v.version AS id, v.name, v.version, v.stage, v.status, v.source, v.run_id, v.model_id, v.created_by, v.created_ms AS created, v.updated_ms AS updated FROM model_version v WHERE NOT EXISTS (SELECT 1 FROM model_version_tag t WHERE t.name = v.name AND t.version = v.version AND t.key = 'mlflow.prompt.is_prompt');

CREATE VIEW noun_alias AS
SELECT a.name AS model, a.version, a.alias AS name FROM model_alias a;

CREATE VIEW noun_gate AS
SELECT g.id, g.model, g.version, g.outcome, g.decided_by, g.decided_at AS decided FROM gate_decision g;

CREATE VIEW noun_approval AS
SELECT a.id, a.subject, a.state, a.asked_by, a.decided_by, a.asked_ms AS asked, a.decided_ms AS decided FROM approval a WHERE a.subject_kind = 'version';

CREATE VIEW noun_card AS
SELECT e.id, e.model, e.version, e.subject, e.kind, e.status, e.signed_by, e.created_at AS created, e.valid_until FROM evidence e;

CREATE VIEW noun_endpoint AS
SELECT e.name AS id, e.name, e.model, e.version, e.state, e.created_by, e.created_at_ms AS created, e.updated_at_ms AS updated FROM endpoint e;

CREATE VIEW noun_rollout AS
SELECT r.id, r.endpoint, r.model, r.from_version, r.to_version AS version, r.state, r.weight, r.started_by, r.started_at_ms AS started, r.ended_at_ms AS ended FROM rollout r;

CREATE VIEW noun_prediction AS
SELECT p.id, p.request_id, p.endpoint, p.model, p.version, p.role, p.delivery, p.row_count AS rows_answered, p.latency_ms, p.error, p.labelled_rows, p.right_rows, p.received_at_ms AS received FROM prediction_batch p;

CREATE VIEW noun_monitor AS
SELECT m.name AS id, m.name, m.endpoint, m.model, m.reference, m.policy, CASE WHEN m.is_enabled THEN 'on' ELSE 'off' END AS state, m.created_at AS created FROM monitor m;

CREATE VIEW noun_window AS
SELECT w.id, w.monitor, w.model, w.version, w.endpoint, w.delivery, w.rows AS rows_seen, w.worst, CASE WHEN w.flagged = '[]' THEN 'calm' ELSE 'flagged' END AS state, w.analysed_at AS analysed FROM monitor_window w;

CREATE VIEW noun_alert AS
SELECT a.id, a.monitor, a.model, a.version, a.endpoint, a.kind, a.severity, a.state, a.title, a.weight, a.opened_at AS opened, a.closed_at AS closed FROM alert a;

CREATE VIEW noun_pipeline_run AS
SELECT p.id, p.pipeline AS name, p.version, p.state, p.cause_kind AS cause, p.tracking_run, p.host, p.created_ms AS created, p.ended_ms AS ended FROM pipeline_run p;

CREATE VIEW noun_model_tag AS
SELECT t.name AS model, t.key, t.value FROM registered_model_tag t;

CREATE VIEW noun_version_tag AS
SELECT t.name AS model, t.version, t.key, t.value FROM model_version_tag t;

CREATE VIEW noun_experiment_tag AS
SELECT t.experiment_no, t.key, t.value FROM experiment_tag t;

CREATE VIEW noun_logged_metric AS
SELECT m.model_id, m.key, m.value FROM logged_model_metric m WHERE NOT m.is_nan;

CREATE VIEW noun_logged_param AS
SELECT p.model_id, p.key, p.value FROM logged_model_param p;

CREATE VIEW noun_logged_tag AS
SELECT t.model_id, t.key, t.value FROM logged_model_tag t;
