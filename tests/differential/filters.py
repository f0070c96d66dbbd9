"""Filters and orders, good and bad, for each search."""

RUNS = (
    """
|   |metrics.a > 0|metrics.a >= 1.0|metrics.a != 0|metrics.a = 1|metric.a < 1e10|metrics.`k é` > -1|metrics."x-y" <= 7
|metrics.a = '1'|metrics.a LIKE '1'|metrics.a > 1e400|metrics.a > +1|metrics.a > NaN|metrics.a > 0x1|metrics.a > .5
|params.a = '1'|params.a = 1|params.lr != 'v'|param.a LIKE '%v%'|parameters.a ILIKE 'V'|params.a IS NULL
|params.a IS NOT NULL|params.a > '1'|params.`a/b` = "v"|params.a = ''|params.a IN ('1', 'v')|params.a = `v`
|params.order = 'x'|params.a = 'it''s'|tags.a = 'v'|tags.a != 'v'|tag.a LIKE 'x%'|tags.`a:b` = 'v'
|tags.mlflow.runName = 'one'|tags.a IS NULL|tags.`mlflow.note.content` LIKE '%'|tags.a is not null|tags.A = '1'
|tags.a = "two words"|tags."a" = 'v'|tags.'a' = 'v'|tags.k é = '1'|tags.p.q = 'v'|attributes.status = 'FINISHED'
|status = 'RUNNING'|status != 'running'|attr.status LIKE 'FIN%'|run.status = 'FAILED'|status = 3|start_time > 0
|attributes.start_time >= 1700000000001|start_time = '1'|created > 1|Created > 1|end_time > 0|end_time != 5
|start_time > 1.5|run_name = 'one'|attributes.`run name` = 'one'|`Run name` LIKE '%e'|run_name ILIKE 'ONE'
|run_name IS NULL|run_id = '<run:0>'|run_id IN ('<run:0>', '<run:1>')|run_id NOT IN ('<run:0>')|run_id IN ()
|run_id IN ('<run:0>'|status IN ('RUNNING')|run_id IN (1, 2)|run_name IN ('one')|user_id = 'v'
|attributes.user_id != ''|artifact_uri LIKE 's3%'|experiment_id = '1'|lifecycle_stage = 'active'|dataset.name = 'one'
|datasets.digest = 'd1'|dataset.context = 'v'|dataset.name IN ('one', 'two')|dataset.digest NOT IN ('d1')
|dataset.name LIKE 'o%'|dataset.nothing = 'x'|dataset.name > 'a'|dataset.context != 'v'|dataset.name IS NULL
|metrics.a > 0 AND params.a = '1'|metrics.a > 0 and metrics.a < 2|metrics.a > 0 OR metrics.a < 1|NOT metrics.a > 0
|(metrics.a > 0)|metrics.a > 0 AND|AND metrics.a > 0|metrics.a > 0 params.a = '1'|metrics.a > 0 AND AND params.a = '1'
|metrics.a|metrics.a >|> 0|0 < metrics.a|foo.a = 'x'|acc > 1|metrics. > 1|.a > 1|metrics.a == 1|metrics.a <> 1
|metrics.a BETWEEN 0 AND 1|metrics.a NOT LIKE 'x'|params.a RLIKE 'x'|metrics.a > 0;|metrics.a > 0; metrics.b > 0
|metrics.a > 0 -- x|'a' = 'a'|1 = 1|params.a = v|params.a = 'v|params.a = "v'|\t|params.a='1'AND metrics.a>0
|Metrics.a > 0|METRICS.a > 0|Params.a = '1'|`params`.a = '1'|params.a = 'V' AND params.a = 'v'|tags.x/y = '1'
|params.a LIKE 'a_b'|params.a LIKE '\\%'|params.a NOT IN ('1')|metrics.a IS NULL|metrics.a IS NOT NULL
|start_time IS NULL|params.a = TRUE|params.a = null|metrics.a > 1 = 2|metrics.a > 'x'|metrics.a != 1e400
|metrics.`a` > 0|metrics."a > 0|select * from runs|DROP TABLE runs|attributes.run_id != 'x'|run_id > 'a'|status > 'A'
|attributes.created >= 0|attributes.nothing = 'x'|params.é = '1'
""".strip("\n")
    .replace("\n", "")
    .split("|")
)

EXPERIMENTS = (
    """
|name = 'one'|name != 'one'|name ILIKE '%ONE'|attribute.name LIKE '%e%'|attributes.name LIKE '%e%'|attr.name = 'one'
|name > 'a'|name = 1|creation_time > 0|creation_time >= '1'|creation_time > 1.5|last_update_time > 0
|attribute.last_update_time < 1|creation_time LIKE '1'|experiment_id = '0'|experiment_id IN ('1', '2')
|experiment_id NOT IN ('0')|experiment_id > 1|experiment_id = 1|experiment_id = 'abc'|experiment_id IN ('a')
|tags.a = 'v'|tag.a LIKE '%v%'|tags.`k é` = '1'|tags.a IS NULL|tags.a IS NOT NULL|tags.a > 'x'|tags.a IN ('v')
|tags.a = 1|tags."a/b" = 'v'|lifecycle_stage = 'active'|artifact_location = 'x'|metrics.a > 0|params.a = '1'|foo = 'x'
|foo.a = 'x'|name = 'a' OR name = 'b'|(name = 'a')|name LIKE '%'|name IS NULL|name IN ('a')|AND|name = one
|name = "one"|'one' = name|NAME = 'one'|name LIKE 'o_e'|;|name = 'a' AND
""".strip("\n")
    .replace("\n", "")
    .split("|")
)

MODELS = (
    """
|name = 'one'|name != 'x'|name ILIKE '%M%'|name IN ('a', 'b')|name NOT IN ('a')|name LIKE '%m1'|attribute.name = 'x'
|attributes.name = 'x'|`name` = 'x'|tags.a = 'v'|tag.a != 'v'|tags.a LIKE '%'|tags.a ILIKE 'V'|tags.a IS NULL
|tags.`k é` = '1'|tags.a IN ('v')|tags.a > 'x'|tags.a = 1|run_id = 'x'|version_number = 1|creation_timestamp > 0
|description = 'x'|name > 'a'|name = 1|name = one|foo = 'x'|foo.a = 'x'|OR|(name = 'a')|name IS NULL|name IN ()
|name IN (1)|metrics.a > 0|tags.`mlflow.prompt.is_prompt` = 'true'|tags.`mlflow.prompt.is_prompt` = 'false'|;
|name = 'a' AND
""".strip("\n")
    .replace("\n", "")
    .split("|")
)

VERSIONS = (
    """
|name = 'one'|name != 'x'|name ILIKE '%M%'|name IN ('a', 'b')|name NOT IN ('a')|run_id = '<run:0>'
|run_id IN ('<run:0>')|run_id != 'x'|run_id LIKE '%'|source_path = 's3://bucket/m'|source_path LIKE 's3%'|source = 'x'
|source_path IN ('x')|version_number = 1|version_number > 1|version_number = '1'|version_number >= 1.5
|version_number = 'a'|version_number LIKE '1'|version_number IN ('1')|version = 1|status = 'READY'
|current_stage = 'None'|tags.a = 'v'|tag.a != 'v'|tags.a LIKE '%'|tags.a IS NULL|tags.`k é` = '1'|tags.a IN ('v')
|tags.a > 'x'|creation_timestamp > 0|foo = 'x'|foo.a = 'x'|attribute.name = 'x'|attributes.name = 'x'
|attribute.version_number = 1|name > 'a'|name = 1|OR|(name = 'a')|;|name = 'a' AND|run_id IS NULL
""".strip("\n")
    .replace("\n", "")
    .split("|")
)

LOGGED = (
    """
|name = 'lm'|attributes.name LIKE 'l%'|attribute.name = 'lm'|model_id = '<lm:0>'|model_id IN ('<lm:0>')
|model_type = 'v'|model_type != ''|status = 'READY'|status = 'PENDING'|status = 'ready'|status LIKE 'R%'
|status != 'FAILED'|source_run_id = '<run:0>'|source_run_id NOT IN ('x')|experiment_id = '1'|creation_timestamp > 0
|creation_time > 0|last_updated_timestamp > 0|creation_timestamp = '1'|metrics.a > 0|metrics.a = 1|metrics.a = '1'
|metric.a > 0|metrics.`k é` > 0|params.a = 'v'|params.a != 'v'|params.a LIKE '%'|params.a IN ('v', '1')|params.a > '1'
|param.a = 'v'|params.`a/b` = 'v'|tags.a = 'v'|tags.a != 'v'|tags.a ILIKE 'V'|tags.a IS NULL|tag.a = 'v'|tags.a = 1
|name = lm|name > 'a'|name ILIKE 'LM'|OR|(name = 'a')|name = 'a' AND|;|metrics.a > 0 AND metrics.a < 2
|params.a = 'v' AND tags.a = 'v'|metrics.a IS NULL|attributes.status IN ('READY')|metrics.a != 1
""".strip("\n")
    .replace("\n", "")
    .split("|")
)

TRACES = (
    """
|status = 'ERROR'|status IN ('OK', 'ERROR')|status NOT IN ('OK')|attributes.status = 'OK'|trace.status != 'OK'
|timestamp_ms > 1700000000000|timestamp <= 1700000000000|execution_time >= 1500|request_id LIKE 'tr-1%'
|client_request_id = 'c1'|client_request_id IN ('c1')|name LIKE 'v%'|name ILIKE 'V%'|name RLIKE '^v.*$'
|run_id = '<run:0>'|run_id != 'x'|prompt = 'p/3'|tags.team = 'v'|tag.team LIKE 'v%'|tags.team IS NULL
|tags.team IS NOT NULL|tags.`team` != 'x'|metadata.a = 'v'|request_metadata.a != 'v'|metadata.a IS NULL
|metadata.`mlflow.trace.session` IS NOT NULL|feedback.good = 'true'|feedback.good != 'true'|feedback.score > 0.7
|feedback.score = '0.1'|feedback.grade LIKE '%es%'|feedback.good IS NULL|feedback.good IS NOT NULL
|expectation.good IS NOT NULL|span.name = 'child'|span.type = 'LLM'|span.status = 'ERROR'|span.name IN ('child')
|span.name = 'child' AND span.status = 'ERROR'|state = 'OK'|trace_id = 'x'|foo.bar = 'x'|status > 'OK'|status = OK
|tags.team = 1|status = 'OK' OR name = 'x'|status IN ()|experiment_id = '1'|feedback.score >= 3
""".strip("\n")
    .replace("\n", "")
    .split("|")
)

FILTERS = {
    "runs": RUNS,
    "experiments": EXPERIMENTS,
    "models": MODELS,
    "versions": VERSIONS,
    "logged": LOGGED,
    "traces": TRACES,
}

ORDERS = {
    "runs": [
        "metrics.a",
        "metrics.a DESC",
        "params.a ASC",
        "tags.a desc",
        "start_time",
        "start_time DESC",
        "attributes.start_time asc",
        "end_time DESC",
        "status",
        "run_name",
        "created",
        "`Run Name`",
        "metrics.a UP",
        "foo.a",
        "metrics.",
        "",
        "a b c",
        "metrics.`k é` DESC",
        'metrics."x-y"',
        "params.k é",
        "artifact_uri",
        "user_id",
        "dataset.name",
        "experiment_id",
        "metrics.a, metrics.b",
        "nothing",
        "attribute.status",
        "tag.a",
    ],
    "experiments": [
        "name",
        "name DESC",
        "experiment_id",
        "creation_time DESC",
        "last_update_time",
        "attributes.name",
        "attribute.name ASC",
        "foo",
        "name UP",
        "tags.a",
        "",
        "name asc",
        "lifecycle_stage",
        "name, experiment_id",
    ],
    "models": [
        "name",
        "name DESC",
        "timestamp",
        "last_updated_timestamp DESC",
        "creation_timestamp",
        "foo",
        "name UP",
        "tags.a",
        "",
        "name ASC, timestamp",
        "timestamp asc",
    ],
    "versions": [
        "name",
        "name DESC",
        "version_number DESC",
        "version_number ASC",
        "creation_timestamp",
        "last_updated_timestamp DESC",
        "foo",
        "name UP",
        "",
        "version",
    ],
    "logged": [
        "name",
        "creation_timestamp",
        "creation_time",
        "last_updated_timestamp",
        "metrics.a",
        "params.a",
        "model_type",
        "status",
        "source_run_id",
        "experiment_id",
        "foo",
        "tags.a",
        "",
        "attributes.name",
    ],
    "traces": [
        "timestamp_ms",
        "timestamp DESC",
        "timestamp_ms ASC",
        "execution_time DESC",
        "status",
        "name",
        "tags.team DESC",
        "metadata.a",
        "request_id DESC",
        "experiment_id",
        "client_request_id",
        "foo",
        "timestamp UP",
        "",
    ],
    "datasets": ["name", "name DESC", "created_time", "last_update_time DESC", "foo", "name UP", ""],
}
