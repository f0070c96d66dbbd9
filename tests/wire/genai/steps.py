"""Requests of MLflow's GenAI calls, in order: sent to a real `mlflow server` once (`record.py`), to ours in the tests.

A step is `(name, method, path, what is sent)`. `{word}` in it stands for what an earlier step was answered; `KEEP`
says which. A GET's dictionary is its query; `otlp` sends OTLP-JSON to `/v1/traces`.
"""

from typing import Any

Step = tuple[str, str, str, Any]

V2, V3 = "/api/2.0/mlflow/", "/api/3.0/mlflow/"
T1, T2, T3 = "1" * 32, "2" * 32, "3" * 32
HERE = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "1"}}
JUDGE = {"source_type": "LLM_JUDGE", "source_id": "m"}
HUMAN = {"source_type": "HUMAN", "source_id": "ann"}


def span(trace: str, own: str, name: str, parent: str = "", **more: Any) -> dict[str, Any]:
    """A span of OTLP-JSON."""
    made: dict[str, Any] = {
        "traceId": trace,
        "spanId": own * 16,
        "name": name,
        "kind": 1,
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000001500000000",
        **more,
    }
    return {**made, "parentSpanId": parent * 16} if parent else made


def attributes(**texts: Any) -> list[dict[str, Any]]:
    """Attributes of OTLP-JSON."""
    kinds = {str: "stringValue", bool: "boolValue", int: "intValue", float: "doubleValue"}
    return [{"key": key.replace("__", "."), "value": {kinds[type(v)]: v}} for key, v in texts.items()]


def otlp(*spans: dict[str, Any], resource: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """An export request of OTLP-JSON."""
    return {"resourceSpans": [{"resource": {"attributes": resource or []}, "scopeSpans": [{"spans": list(spans)}]}]}


EVERY_KIND = [
    *attributes(text='hé "q"', yes=True, whole=7, part=0.5, mlflow__spanType='"LLM"'),
    {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "3"}]}}},
    {"key": "map", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"doubleValue": 1.5}}]}}},
    {"key": "bytes", "value": {"bytesValue": "AAEC"}},
    {"key": "none", "value": {}},
    {"key": "empty", "value": {"arrayValue": {}}},
]
TRACE = {
    "trace_id": "tr-" + T1,
    "client_request_id": "c1",
    "trace_location": HERE,
    "request_preview": '{"q": 1}',
    "response_preview": '"a"',
    "request_time": "2023-11-14T22:13:20Z",
    "execution_duration": "1.5s",
    "state": "OK",
    "trace_metadata": {"mlflow.trace.session": "s1", "user": "u", "mlflow.trace.tokenUsage": '{"input_tokens": 1}'},
    "tags": {"mlflow.traceName": "chain", "team": "core"},
}


def trace(**changed: Any) -> dict[str, Any]:
    """The body of a start."""
    return {"trace": {"trace_info": {**TRACE, **changed}}}


def feedback(name: str, value: Any, **more: Any) -> dict[str, Any]:
    """The body of a new feedback."""
    return {"assessment": {"assessment_name": name, "source": JUDGE, "feedback": {"value": value}, **more}}


def found(name: str, text: str, **more: Any) -> Step:
    """A search of traces."""
    return (name, "POST", V3 + "traces/search", {"locations": [HERE], "filter": text, **more})


TR1, TR2, TR3 = f"tr-{T1}", f"tr-{T2}", f"tr-{T3}"
ONE = V3 + f"traces/{TR1}"

SETTING: tuple[Step, ...] = (
    ("an experiment", "POST", V2 + "experiments/create", {"name": "gen"}),
    ("a run", "POST", V2 + "runs/create", {"experiment_id": "1", "run_name": "r", "start_time": 1}),
)

TRACES: tuple[Step, ...] = (
    ("start a trace", "POST", V3 + "traces", trace()),
    ("start it again", "POST", V3 + "traces", trace(tags={"more": "1"}, trace_metadata={"user": "v"}, state="ERROR")),
    (
        "start in an unknown experiment",
        "POST",
        V3 + "traces",
        trace(trace_location={"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "99"}}),
    ),
    ("start nothing", "POST", V3 + "traces", {}),
    (
        "start with assessments",
        "POST",
        V3 + "traces",
        trace(
            trace_id="tr-" + "4" * 32,
            tags={},
            trace_metadata={},
            request_time="2023-11-14T22:13:21Z",
            assessments=[
                {
                    "assessment_name": "g",
                    "source": HUMAN,
                    "feedback": {"value": True},
                    "create_time": "2023-11-14T22:13:20Z",
                    "last_update_time": "2023-11-14T22:13:20Z",
                }
            ],
        ),
    ),
    ("get the info", "GET", ONE, {}),
    ("get an unknown one", "GET", V3 + "traces/tr-0", {}),
    ("get it with spans before there are any", "GET", V3 + "traces/get", {"trace_id": TR1, "allow_partial": "true"}),
    (
        "send spans",
        "POST",
        "/v1/traces",
        otlp(
            span(
                T1,
                "a",
                "root",
                attributes=EVERY_KIND,
                status={"code": 1},
                events=[
                    {
                        "timeUnixNano": "1700000000100000000",
                        "name": "e",
                        "attributes": attributes(exception__type="ValueError", n=1),
                    }
                ],
                links=[{"traceId": T2, "spanId": "c" * 16, "attributes": attributes(why="x")}],
            ),
            span(
                T1,
                "b",
                "child",
                "a",
                status={"code": 2, "message": "boom"},
                attributes=attributes(mlflow__spanInputs='{"x": 1}'),
            ),
            resource=attributes(service__name="svc", telemetry__sdk__name="otel"),
        ),
    ),
    (
        "send spans of a new trace",
        "POST",
        "/v1/traces",
        otlp(
            span(
                T2,
                "a",
                "solo",
                attributes=attributes(
                    mlflow__spanInputs='{"messages": [{"role": "user", "content": "hi"}]}',
                    mlflow__spanOutputs='"out"',
                    mlflow__traceTag__colour="red",
                ),
            ),
            span(
                T2,
                "b",
                "llm",
                "a",
                attributes=attributes(
                    gen_ai__operation__name="chat",
                    gen_ai__usage__input_tokens=3,
                    gen_ai__usage__output_tokens=4,
                    gen_ai__request__model="m1",
                ),
            ),
        ),
    ),
    ("send an open span", "POST", "/v1/traces", otlp(span(T3, "b", "late", "a", endTimeUnixNano="0"))),
    ("send no spans", "POST", "/v1/traces", {"resourceSpans": []}),
    ("send a span without an id", "POST", "/v1/traces", otlp(span(T3, "", "bad"))),
    ("get it with spans", "GET", V3 + "traces/get", {"trace_id": TR1}),
    ("get the new one with spans", "GET", V3 + "traces/get", {"trace_id": TR2, "allow_partial": "false"}),
    ("get the open one", "GET", V3 + "traces/get", {"trace_id": TR3, "allow_partial": "true"}),
    ("get no trace", "GET", V3 + "traces/get", {}),
    ("get an unknown trace", "GET", V3 + "traces/get", {"trace_id": "tr-0", "allow_partial": "true"}),
    ("get several", "GET", V3 + "traces/batchGet", {"trace_ids": [TR2, "tr-0", TR1]}),
    ("get several of no experiment", "GET", V3 + "traces/batchGet", {"trace_ids": [TR2], "experiment_ids": ["0"]}),
    ("get none", "GET", V3 + "traces/batchGet", {}),
    ("get several infos", "POST", V3 + "traces/batchGetInfos", {"trace_ids": [TR2, "tr-0", TR3]}),
    ("get infos of an experiment", "POST", V3 + "traces/batchGetInfos", {"trace_ids": [TR2], "experiment_ids": ["0"]}),
    ("get no infos", "POST", V3 + "traces/batchGetInfos", {}),
    ("set a tag", "PATCH", ONE + "/tags", {"key": "colour", "value": "blue"}),
    ("set a tag by version 2", "PATCH", V2 + f"traces/{TR1}/tags", {"key": "colour", "value": "green"}),
    ("set a managed tag", "PATCH", ONE + "/tags", {"key": "mlflow.trace.spansLocation", "value": "x"}),
    ("set a tag without a key", "PATCH", ONE + "/tags", {"value": "x"}),
    ("set a tag with a bad key", "PATCH", ONE + "/tags", {"key": "a$", "value": "x"}),
    ("set a tag with a long key", "PATCH", ONE + "/tags", {"key": "k" * 251, "value": "x"}),
    ("set a long tag", "PATCH", ONE + "/tags", {"key": "long", "value": "x" * 9000}),
    ("set a tag of an unknown trace", "PATCH", V3 + "traces/tr-0/tags", {"key": "a", "value": "x"}),
    ("rename", "PATCH", ONE + "/tags", {"key": "mlflow.traceName", "value": "renamed"}),
    ("delete a tag", "DELETE", ONE + "/tags", {"key": "long"}),
    ("delete it again", "DELETE", ONE + "/tags", {"key": "long"}),
    ("delete a managed tag", "DELETE", ONE + "/tags", {"key": "mlflow.trace.spansLocation"}),
    ("delete a tag of an unknown trace", "DELETE", V2 + "traces/tr-0/tags", {"key": "x"}),
    ("the tags afterwards", "GET", ONE, {}),
    ("link to a run", "POST", V2 + "traces/link-to-run", {"trace_ids": [TR2, "tr-0"], "run_id": "{run}"}),
    ("link again", "POST", V2 + "traces/link-to-run", {"trace_ids": [TR2], "run_id": "{run}"}),
    ("link to an unknown run", "POST", V2 + "traces/link-to-run", {"trace_ids": [TR2], "run_id": "nope"}),
    ("link too many", "POST", V2 + "traces/link-to-run", {"trace_ids": [f"tr-{n}" for n in range(101)], "run_id": "r"}),
    ("link nothing", "POST", V2 + "traces/link-to-run", {"trace_ids": [], "run_id": "{run}"}),
    ("link without a run", "POST", V2 + "traces/link-to-run", {"trace_ids": [TR2]}),
    (
        "link prompts",
        "POST",
        V2 + "traces/link-prompts",
        {"trace_id": TR1, "prompt_versions": [{"name": "p", "version": "3"}]},
    ),
    (
        "link prompts of an unknown trace",
        "POST",
        V2 + "traces/link-prompts",
        {"trace_id": "tr-0", "prompt_versions": [{"name": "p", "version": "3"}]},
    ),
    ("link prompts without a version", "POST", V2 + "traces/link-prompts", {"trace_id": TR1, "prompt_versions": []}),
)

ASSESSMENTS: tuple[Step, ...] = (
    ("give feedback", "POST", ONE + "/assessments", feedback("good", True, rationale="why", metadata={"a": "b"})),
    ("give a number", "POST", ONE + "/assessments", feedback("score", 0.5, span_id="aaaaaaaaaaaaaaaa")),
    ("give a whole number", "POST", ONE + "/assessments", feedback("whole", 3)),
    ("give a text", "POST", ONE + "/assessments", feedback("grade", "yes")),
    ("give a list", "POST", ONE + "/assessments", feedback("list", [1, "a", None, {"k": 2.5}])),
    ("give nothing", "POST", ONE + "/assessments", feedback("none", None)),
    (
        "give an error",
        "POST",
        ONE + "/assessments",
        {
            "assessment": {
                "assessment_name": "bad",
                "source": {"source_type": "CODE"},
                "feedback": {"error": {"error_code": "E", "error_message": "m", "stack_trace": "s"}},
            }
        },
    ),
    (
        "expect a text",
        "POST",
        ONE + "/assessments",
        {"assessment": {"assessment_name": "answer", "source": HUMAN, "expectation": {"value": "42"}}},
    ),
    (
        "expect a list",
        "POST",
        ONE + "/assessments",
        {
            "assessment": {
                "assessment_name": "facts",
                "source": HUMAN,
                "expectation": {"serialized_value": {"serialization_format": "JSON_FORMAT", "value": '{"a": [1]}'}},
            }
        },
    ),
    (
        "expect a serialised number",
        "POST",
        ONE + "/assessments",
        {
            "assessment": {
                "assessment_name": "n",
                "source": HUMAN,
                "expectation": {"serialized_value": {"serialization_format": "XML", "value": "1"}},
            }
        },
    ),
    (
        "refer to an issue",
        "POST",
        ONE + "/assessments",
        {"assessment": {"assessment_name": "iss-1", "source": HUMAN, "issue": {"issue_name": "slow"}}},
    ),
    ("assess nothing", "POST", ONE + "/assessments", {"assessment": {"assessment_name": "x", "source": HUMAN}}),
    ("send no assessment", "POST", ONE + "/assessments", {}),
    (
        "assess without a name",
        "POST",
        ONE + "/assessments",
        {"assessment": {"source": HUMAN, "feedback": {"value": 1}}},
    ),
    (
        "assess without a source",
        "POST",
        ONE + "/assessments",
        {"assessment": {"assessment_name": "x", "feedback": {"value": 1}}},
    ),
    (
        "assess with an odd source",
        "POST",
        ONE + "/assessments",
        {"assessment": {"assessment_name": "x", "source": {"source_type": "DOG"}, "feedback": {"value": 1}}},
    ),
    ("assess an unknown trace", "POST", V3 + "traces/tr-0/assessments", feedback("good", True)),
    ("keep the id that was sent", "POST", ONE + "/assessments", feedback("kept", 1, assessment_id="a-mine")),
    ("the same id again", "POST", ONE + "/assessments", feedback("kept", 1, assessment_id="a-mine")),
    ("get it", "GET", ONE + "/assessments/{good}", {}),
    ("get an unknown assessment", "GET", ONE + "/assessments/a-0", {}),
    ("get one of an unknown trace", "GET", V3 + "traces/tr-0/assessments/a-0", {}),
    ("override", "POST", ONE + "/assessments", feedback("good", False, overrides="{good}")),
    ("override an unknown one", "POST", ONE + "/assessments", feedback("good", False, overrides="a-0")),
    ("the overridden one", "GET", ONE + "/assessments/{good}", {}),
    (
        "change a feedback",
        "PATCH",
        ONE + "/assessments/{score}",
        {
            "assessment": {"feedback": {"value": 0.75}, "rationale": "r2", "metadata": {"x": "y"}},
            "update_mask": "feedback,rationale,metadata",
        },
    ),
    (
        "change its name",
        "PATCH",
        ONE + "/assessments/{score}",
        {"assessment": {"assessment_name": "score2", "metadata": {"z": "1"}}, "update_mask": "assessmentName,metadata"},
    ),
    (
        "change an expectation",
        "PATCH",
        ONE + "/assessments/{answer}",
        {"assessment": {"expectation": {"value": "43"}}, "update_mask": "expectation"},
    ),
    (
        "change to the wrong kind",
        "PATCH",
        ONE + "/assessments/{answer}",
        {"assessment": {"feedback": {"value": "43"}}, "update_mask": "feedback"},
    ),
    ("change without a mask", "PATCH", ONE + "/assessments/{answer}", {"assessment": {"rationale": "x"}}),
    (
        "change an unknown one",
        "PATCH",
        ONE + "/assessments/a-0",
        {"assessment": {"rationale": "x"}, "update_mask": "rationale"},
    ),
    (
        "change what cannot change",
        "PATCH",
        ONE + "/assessments/{score}",
        {"assessment": {"span_id": "x"}, "update_mask": "span_id"},
    ),
    ("all of them", "GET", ONE, {}),
    ("delete the override", "DELETE", ONE + "/assessments/{over}", None),
    ("delete the override again", "DELETE", ONE + "/assessments/{over}", None),
    ("delete one of an unknown trace", "DELETE", V3 + "traces/tr-0/assessments/a-0", None),
    ("the overridden one is valid again", "GET", ONE + "/assessments/{good}", {}),
)

_FILTERS = (
    "status = 'ERROR'", "status IN ('OK', 'ERROR')", "status NOT IN ('OK')", "attributes.status = 'OK'",
    "trace.status != 'OK'", "timestamp_ms > 1700000000000", "timestamp <= 1700000000000", "execution_time >= 1500",
    "execution_time_ms < 1500", "end_time > 1700000001500", "end_time_ms = 1700000001500",
    f"request_id = '{TR1}'", f"request_id IN ('{TR1}', '{TR2}')", "request_id LIKE 'tr-1%'",
    "client_request_id = 'c1'",
    "client_request_id != 'zz'", "client_request_id IN ('c1')", "name = 'renamed'", "name LIKE 'ren%'",
    "name ILIKE 'REN%'", "name RLIKE '^ren.*d$'", "name IN ('renamed', 'x')", "name != 'x'", "run_id = '{run}'",
    "run_id = 'nope'", "run_id != 'x'", "prompt = 'p/3'", "prompt = 'p'", "prompt LIKE 'p%'", "tags.team = 'core'",
    "tag.team LIKE 'c%'", "tags.team ILIKE 'CO%'", "tags.team RLIKE 'c.r'", "tags.team IS NULL",
    "tags.team IS NOT NULL", "tags.`team` != 'x'", "tags.`mlflow.traceName` = 'renamed'", "metadata.user = 'v'",
    "request_metadata.user != 'v'", "metadata.user IS NULL", "metadata.`mlflow.trace.session` = 's1'",
    "metadata.`mlflow.trace.session` IS NOT NULL", "feedback.good = 'true'", "feedback.good != 'true'",
    "feedback.score2 > 0.7", "feedback.score2 <= 0.7", "feedback.score2 = '0.75'", "feedback.grade = 'yes'",
    "feedback.grade LIKE '%es%'", "feedback.good IS NULL", "feedback.good IS NOT NULL", "feedback.grade > 1",
    "feedback.score2 > 'x'", "feedback.score2 = 0.75", "expectation.answer = '43'", "expectation.answer IS NOT NULL",
    "expectation.facts LIKE '%1%'", "span.name = 'child'", "span.name LIKE '%il%'", "span.name IN ('child', 'llm')",
    "span.type = 'LLM'", "span.type = 'CHAT_MODEL'", "span.status = 'ERROR'", "span.content LIKE '%boom%'",
    "span.content ILIKE '%BOOM%'", "span.content = 'x'", "span.attributes.text LIKE '%q%'",
    "span.attributes.whole = '7'", "span.attributes.whole LIKE '%7%'", "span.attributes.`text` RLIKE 'h'",
    "span.name = 'child' AND span.status = 'ERROR'", "span.name = 'root' AND span.status = 'ERROR'",
    "span.kind = 'x'", "span.attributes. = 'x'", "text LIKE '%boom%'", "trace.text LIKE '%hi%'", "issue.id = 'iss-1'",
    "issue.id != 'iss-1'", "issue.name = 'x'", "status = 'OK' AND tags.colour = 'red'", "state = 'OK'",
    "trace_id = 'x'", "foo.bar = 'x'", "status > 'OK'", "status = OK", "timestamp_ms = '1'", "timestamp_ms LIKE '1'",
    "tags.team = 1", "tags.team > 'x'", "metadata.user > 'x'", "feedback.good IN ('a')", "status = 'OK' OR name = 'x'",
    "name = 'a' name = 'b'", "   ", "tags.team IN ('core')", "metadata.user IN ('v')", "name IS NULL", "name > 'x'",
    "text = 'boom'", "issue.id LIKE 'x'", "status IN ()", "run_id IN ('{run}')", "feedback.good RLIKE 't'",
    "timestamp_ms > 1.5", "experiment_id = '1'", "end_time IN ('1')", "expectation.answer > 40",
    "feedback.whole >= 3", "feedback.whole = '3'", "feedback.whole = '3.0'",
)  # fmt: skip
_ORDERS = (
    ["timestamp_ms ASC"], ["execution_time DESC"], ["status"], ["name"], ["name DESC"], ["tags.team"],
    ["tags.team DESC"],
    ["metadata.user DESC"], ["request_id DESC"], ["run_id"], ["end_time"], ["experiment_id"], ["status", "status"],
    ["foo"], ["client_request_id"], ["timestamp UP"], ["feedback.good"], ["attributes.timestamp", "name"],
    ["metadata.`mlflow.trace.session`"], ["span.name"], ["timestamp", "timestamp_ms"], ["trace.status DESC"],
)  # fmt: skip

SEARCHES: tuple[Step, ...] = (
    found("search all", ""),
    *(found(f"search {text}", text) for text in _FILTERS),
    *(found(f"order by {order}", "", order_by=order) for order in _ORDERS),
    ("search nowhere", "POST", V3 + "traces/search", {"locations": []}),
    ("search without locations", "POST", V3 + "traces/search", {}),
    (
        "search an unknown experiment",
        "POST",
        V3 + "traces/search",
        {"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "99"}}]},
    ),
    (
        "search a strange experiment",
        "POST",
        V3 + "traces/search",
        {"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "x"}}]},
    ),
    (
        "search a table",
        "POST",
        V3 + "traces/search",
        {"locations": [{"type": "INFERENCE_TABLE", "inference_table": {"full_table_name": "a.b"}}]},
    ),
    found("search too many", "", max_results=501),
    found("search none", "", max_results=0),
    found("search less than none", "", max_results=-1),
    found("search with a strange token", "", page_token="!"),
    found("search the first page", "", max_results=2),
    ("search as version 2 did", "GET", V2 + "traces", {"experiment_ids": ["1"], "filter": "status = 'OK'"}),
    ("search as version 2 did, too many", "GET", V2 + "traces", {"experiment_ids": ["1"], "max_results": "501"}),
    ("search as version 2 did, nowhere", "GET", V2 + "traces", {}),
)

OLD: tuple[Step, ...] = (
    (
        "start as version 2 did",
        "POST",
        V2 + "traces",
        {
            "experiment_id": "1",
            "timestamp_ms": 1600000000000,
            "request_metadata": [{"key": "a", "value": "b"}],
            "tags": [{"key": "mlflow.traceName", "value": "old"}],
        },
    ),
    (
        "end it",
        "PATCH",
        V2 + "traces/{old}",
        {
            "timestamp_ms": 1600000000250,
            "status": "OK",
            "request_metadata": [{"key": "c", "value": "d"}],
            "tags": [{"key": "t", "value": "u"}],
        },
    ),
    ("its info", "GET", V2 + "traces/{old}/info", {}),
    ("its info by version 3", "GET", V3 + "traces/{old}", {}),
    ("its spans", "GET", V3 + "traces/get", {"trace_id": "{old}", "allow_partial": "true"}),
    ("end an unknown one", "PATCH", V2 + "traces/zz", {"timestamp_ms": 1, "status": "OK"}),
    ("an unknown info", "GET", V2 + "traces/zz/info", {}),
    (
        "start in an unknown experiment as version 2 did",
        "POST",
        V2 + "traces",
        {"experiment_id": "99", "timestamp_ms": 1, "request_metadata": [], "tags": []},
    ),
    (
        "start with an unnamed tag",
        "POST",
        V2 + "traces",
        {"experiment_id": "1", "timestamp_ms": 1, "request_metadata": [], "tags": [{"value": "x"}]},
    ),
)

DELETES: tuple[Step, ...] = (
    ("delete without saying which", "POST", V3 + "traces/delete-traces", {"experiment_id": "1"}),
    (
        "delete in two ways",
        "POST",
        V3 + "traces/delete-traces",
        {"experiment_id": "1", "max_timestamp_millis": 1, "request_ids": ["a"]},
    ),
    (
        "delete as many of named ones",
        "POST",
        V3 + "traces/delete-traces",
        {"experiment_id": "1", "max_traces": 1, "request_ids": ["a"]},
    ),
    (
        "delete no more than none",
        "POST",
        V3 + "traces/delete-traces",
        {"experiment_id": "1", "max_timestamp_millis": 1, "max_traces": 0},
    ),
    ("delete without an experiment", "POST", V3 + "traces/delete-traces", {"request_ids": ["a"]}),
    ("delete unknown ones", "POST", V3 + "traces/delete-traces", {"experiment_id": "1", "request_ids": ["tr-0"]}),
    (
        "delete in an unknown experiment",
        "POST",
        V3 + "traces/delete-traces",
        {"experiment_id": "99", "request_ids": ["tr-0"]},
    ),
    ("delete one", "POST", V2 + "traces/delete-traces", {"experiment_id": "1", "request_ids": [TR3]}),
    (
        "delete the oldest",
        "POST",
        V3 + "traces/delete-traces",
        {"experiment_id": "1", "max_timestamp_millis": 1700000000000, "max_traces": 1},
    ),
    ("what is left", "POST", V3 + "traces/search", {"locations": [HERE]}),
    (
        "delete all up to now",
        "POST",
        V3 + "traces/delete-traces",
        {"experiment_id": "1", "max_timestamp_millis": 1900000000000},
    ),
    ("nothing is left", "POST", V3 + "traces/search", {"locations": [HERE]}),
    ("its assessment is gone too", "GET", ONE + "/assessments/{good}", {}),
)

D = V3 + "datasets/"
_DATASET_FILTERS = (
    "name = 'set'", "name != 'set'", "name LIKE 's%'", "name ILIKE 'S%'", "name IN ('set', 'x')", "name > 'a'",
    "tags.a = 'b'", "tags.a != 'b'", "tags.a LIKE 'b%'", "tags.z = 'x'", "created_time > 1", "created_time > 1.5",
    "created_time = '1'", "created_by = 'bob'", "last_updated_by = 'bob'", "foo = 'x'", "attributes.name = 'set'",
    "last_update_time >= 0", "name NOT IN ('set')", "name IS NULL", "tags.a IS NULL",
)  # fmt: skip

DATASETS: tuple[Step, ...] = (
    (
        "a dataset",
        "POST",
        D + "create",
        {"name": "set", "experiment_ids": ["1"], "tags": '{"a": "b", "mlflow.user": "bob"}'},
    ),
    ("another dataset", "POST", D + "create", {"name": "set"}),
    ("a dataset without a name", "POST", D + "create", {"experiment_ids": ["1"]}),
    ("a dataset with broken tags", "POST", D + "create", {"name": "t", "tags": "[]"}),
    ("get the dataset", "GET", D + "{set}", {}),
    ("get an unknown dataset", "GET", D + "d-0", {}),
    ("its experiments", "GET", D + "{set}/experiment-ids", {}),
    ("add experiments", "POST", D + "{set}/add-experiments", {"experiment_ids": ["0", "1"]}),
    ("add an unknown experiment", "POST", D + "{set}/add-experiments", {"experiment_ids": ["99"]}),
    ("add to an unknown dataset", "POST", D + "d-0/add-experiments", {"experiment_ids": ["0"]}),
    ("its experiments then", "GET", D + "{set}/experiment-ids", {}),
    ("remove an experiment", "POST", D + "{set}/remove-experiments", {"experiment_ids": ["0", "99"]}),
    ("remove from an unknown dataset", "POST", D + "d-0/remove-experiments", {"experiment_ids": ["0"]}),
    ("set tags", "PATCH", D + "{set}/tags", {"tags": '{"a": "c", "n": 5, "gone": null}'}),
    ("set tags of an unknown dataset", "PATCH", D + "d-0/tags", {"tags": "{}"}),
    ("set no tags", "PATCH", D + "{set}/tags", {}),
    ("the tags of it", "GET", D + "{set}", {}),
    ("delete a dataset's tag", "DELETE", D + "{set}/tags/n", None),
    ("delete an unknown tag", "DELETE", D + "{set}/tags/zz", None),
    ("delete a tag of an unknown dataset", "DELETE", D + "d-0/tags/zz", None),
    (
        "add records",
        "POST",
        D + "{set}/records",
        {
            "records": (
                '[{"inputs": {"q": "a", "n": 1}, "expectations": {"e": 1.5}, "tags": {"mlflow.user": "bob"},'
                ' "source": {"source_type": "trace", "source_data": {"trace_id": "tr-9"}}},'
                ' {"inputs": {"q": "b"}, "outputs": {"o": true}}, {"inputs": {"q": "c"}, "outputs": "text"}]'
            )
        },
    ),
    (
        "add them again, changed",
        "POST",
        D + "{set}/records",
        {
            "records": (
                '[{"inputs": {"n": 1, "q": "a"}, "expectations": {"f": [1]}, "outputs": [1]}, {"inputs": {"q": "d"}}]'
            )
        },
    ),
    ("add broken records", "POST", D + "{set}/records", {"records": "[1]"}),
    ("add no records", "POST", D + "{set}/records", {}),
    ("add to an unknown one", "POST", D + "d-0/records", {"records": "[]"}),
    ("the dataset then", "GET", D + "{set}", {}),
    ("the records", "GET", D + "{set}/records", {}),
    ("the first records", "GET", D + "{set}/records", {"max_results": "2"}),
    ("records of an unknown one", "GET", D + "d-0/records", {}),
    ("delete a record", "DELETE", D + "{set}/records", {"dataset_record_ids": ["{record}", "dr-0"]}),
    ("delete no record", "DELETE", D + "{set}/records", {"dataset_record_ids": ["dr-0"]}),
    ("delete from an unknown one", "DELETE", D + "d-0/records", {"dataset_record_ids": ["dr-0"]}),
    ("the profile then", "GET", D + "{set}", {}),
    ("search datasets", "POST", D + "search", {}),
    ("search datasets of an experiment", "POST", D + "search", {"experiment_ids": ["1"]}),
    ("search datasets of another", "GET", D + "search", {"experiment_ids": ["0"]}),
    ("search one dataset", "POST", D + "search", {"max_results": 1, "order_by": ["last_update_time DESC"]}),
    ("search datasets badly", "POST", D + "search", {"max_results": 50001}),
    ("order datasets badly", "POST", D + "search", {"order_by": ["digest"]}),
    ("order datasets by tags", "POST", D + "search", {"order_by": ["tags.a"]}),
    *((f"search datasets {text}", "POST", D + "search", {"filter_string": text}) for text in _DATASET_FILTERS),
    ("delete the dataset", "DELETE", D + "{set}", None),
    ("delete it once more", "DELETE", D + "{set}", None),
    ("its experiments are gone", "GET", D + "{set}/experiment-ids", {}),
)

S = V3 + "scorers/"
SCORER = '{"name": "s", "instructions_judge_pydantic_data": {"model": "openai:/x"}}'

SCORERS: tuple[Step, ...] = (
    ("register a scorer", "POST", S + "register", {"experiment_id": "1", "name": "s", "serialized_scorer": SCORER}),
    ("register it again", "POST", S + "register", {"experiment_id": "1", "name": "s", "serialized_scorer": SCORER}),
    ("register another", "POST", S + "register", {"experiment_id": "1", "name": "b", "serialized_scorer": "{}"}),
    ("register elsewhere", "POST", S + "register", {"experiment_id": "0", "name": "s", "serialized_scorer": "{}"}),
    (
        "register code",
        "POST",
        S + "register",
        {"experiment_id": "1", "name": "c", "serialized_scorer": '{"call_source": "x"}'},
    ),
    ("register no JSON", "POST", S + "register", {"experiment_id": "1", "name": "s", "serialized_scorer": "x"}),
    ("register a blank name", "POST", S + "register", {"experiment_id": "1", "name": " ", "serialized_scorer": "{}"}),
    ("register without a name", "POST", S + "register", {"experiment_id": "1", "serialized_scorer": "{}"}),
    (
        "register in an unknown experiment",
        "POST",
        S + "register",
        {"experiment_id": "99", "name": "s", "serialized_scorer": "{}"},
    ),
    ("list scorers", "GET", S + "list", {"experiment_id": "1"}),
    ("list scorers of several", "GET", S + "list", {"experiment_ids": ["1", "0", "99"]}),
    ("list scorers of all", "GET", S + "list", {}),
    ("list scorers in two ways", "GET", S + "list", {"experiment_id": "1", "experiment_ids": ["0"]}),
    ("list scorers of an unknown one", "GET", S + "list", {"experiment_id": "99"}),
    ("list versions", "GET", S + "versions", {"experiment_id": "1", "name": "s"}),
    ("list versions of none", "GET", S + "versions", {"experiment_id": "1", "name": "zz"}),
    ("get a scorer", "GET", S + "get", {"experiment_id": "1", "name": "s"}),
    ("get a version", "GET", S + "get", {"experiment_id": "1", "name": "s", "version": "1"}),
    ("get an unknown version", "GET", S + "get", {"experiment_id": "1", "name": "s", "version": "9"}),
    ("get an unknown scorer", "GET", S + "get", {"experiment_id": "1", "name": "zz"}),
    ("delete a version", "DELETE", S + "delete", {"experiment_id": "1", "name": "s", "version": 2}),
    ("delete an unknown version", "DELETE", S + "delete", {"experiment_id": "1", "name": "s", "version": 9}),
    (
        "register after a deletion",
        "POST",
        S + "register",
        {"experiment_id": "1", "name": "s", "serialized_scorer": "{}"},
    ),
    ("delete a scorer", "DELETE", S + "delete", {"experiment_id": "1", "name": "s"}),
    ("delete an unknown scorer", "DELETE", S + "delete", {"experiment_id": "1", "name": "s"}),
)

STEPS: tuple[Step, ...] = (
    *SETTING, *TRACES, *ASSESSMENTS, *SEARCHES, *OLD, *DELETES, *DATASETS, *SCORERS,
)  # fmt: skip

KEEP: dict[str, tuple[str, tuple[str, ...]]] = {
    "a run": ("run", ("run", "info", "run_id")),
    "give feedback": ("good", ("assessment", "assessment_id")),
    "give a number": ("score", ("assessment", "assessment_id")),
    "expect a text": ("answer", ("assessment", "assessment_id")),
    "override": ("over", ("assessment", "assessment_id")),
    "start as version 2 did": ("old", ("trace_info", "request_id")),
    "a dataset": ("set", ("dataset", "dataset_id")),
}
"""Which answer is remembered, under which word, and where it stands in it."""
