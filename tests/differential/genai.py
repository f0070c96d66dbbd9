"""Calls of traces, assessments, evaluation datasets and scorers, as rows of `making.calls` are."""

import hashlib
import json
from typing import Any

from hypothesis import strategies as st
from tests.differential.peers import Step

V2, V3 = "2.0/mlflow/", "3.0/mlflow/"
HELD_TRACES = 4
KEYS = ("a", "b", "team", "k é", "x-y", "a/b", "mlflow.traceName", "mlflow.trace.session", "mlflow.sourceRun")
TEXTS = ("", "1", "v", "two words", "é🙂", "line\nbreak", '{"a": [1]}', "'", "x" * 300)

keys = st.sampled_from(KEYS)
texts = st.sampled_from(TEXTS)
wrong = st.sampled_from([None, 5, 1.5, True, [], ["a"], {}, {"a": 1}, "abc", "", -1, 2**63, "0"])
json_values = st.sampled_from(
    [True, False, None, 0, 1, 3, -2.5, 0.1, "yes", "", "é", "1", [], [1, "a", None], {}, {"k": 2, "b": [True]}, 1e300]
)
ratings = st.sampled_from(["good", "score", "grade", "with blank", "é"])
sources = st.one_of(
    st.sampled_from([{"source_type": "HUMAN", "source_id": "ann"}, {"source_type": "CODE"}]),
    st.sampled_from([{"source_type": "LLM_JUDGE", "source_id": "m"}, {"source_type": 1, "source_id": ""}]),
)
stamps = st.sampled_from(["2023-11-14T22:13:20Z", "2023-11-14T22:13:21.5Z", "2023-11-14T22:13:22.123456Z"])
states = st.sampled_from(["OK", "ERROR", "IN_PROGRESS", "STATE_UNSPECIFIED", 1, 2])


def mostly(usual: Any, odd: Any, odds: int = 12) -> Any:
    """One in `odds` is odd."""
    return st.integers(0, odds).flatmap(lambda drawn: odd if drawn == odds else usual)


def trace_id(session: str, number: int) -> str:
    """The id that a session gives to its trace of that number."""
    return "tr-" + hashlib.md5(f"{session}/{number}".encode(), usedforsecurity=False).hexdigest()


@st.composite
def spans(draw: Any, known: Any) -> Step:
    """Spans of one trace as an exporter of OpenTelemetry sends them (OTLP, as JSON)."""
    trace = trace_id(known.name, draw(st.integers(0, HELD_TRACES - 1))).removeprefix("tr-")
    made = []
    for number in range(draw(st.integers(1, 3))):
        begun = 1_700_000_000_000_000_000 + draw(st.integers(0, 5)) * 1_000_000
        span: dict[str, Any] = {
            "traceId": trace,
            "spanId": f"{number + 1:016x}",
            "name": draw(st.sampled_from(["root", "step", "é"])),
            "kind": 1,
            "startTimeUnixNano": str(begun),
            "endTimeUnixNano": str(begun + draw(st.integers(1, 3)) * 1_000_000),
            "status": draw(st.sampled_from([{}, {"code": 1}, {"code": 2, "message": "m"}])),
            "attributes": draw(st.lists(_attributes, max_size=3, unique_by=lambda one: one["key"])),
        }
        if number:
            span["parentSpanId"] = f"{1:016x}"
        made.append(span)
    told = {"resourceSpans": [{"scopeSpans": [{"spans": made}]}]}
    held = draw(mostly(known.ref("exp"), st.sampled_from(["", "x", "99999"]), 20))
    headers = (("x-mlflow-experiment-id", held),)
    return Step(path="v1/traces", prefix="/", raw=json.dumps(told), headers=headers)


_attributes: Any = st.sampled_from(
    [
        {"key": "a", "value": {"stringValue": "v"}},
        {"key": "mlflow.spanInputs", "value": {"stringValue": '{"q": 1}'}},
        {"key": "mlflow.spanOutputs", "value": {"stringValue": '"out"'}},
        {"key": "mlflow.spanType", "value": {"stringValue": '"LLM"'}},
        {"key": "n", "value": {"intValue": "7"}},
        {"key": "d", "value": {"doubleValue": 0.5}},
        {"key": "b", "value": {"boolValue": True}},
        {"key": "l", "value": {"arrayValue": {"values": [{"stringValue": "x"}, {"intValue": "1"}]}}},
    ]
)


def _texts_map() -> Any:
    return st.dictionaries(keys, texts, max_size=3)


def _pairs() -> Any:
    return st.lists(st.fixed_dictionaries({"key": keys, "value": texts}), max_size=3, unique_by=lambda one: one["key"])


def _location(experiment: Any) -> Any:
    return experiment.map(lambda one: {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": one}})


def _valued() -> Any:
    feedback = st.fixed_dictionaries({"feedback": st.fixed_dictionaries({"value": json_values})})
    failure = st.just({"feedback": {"error": {"error_code": "E", "error_message": "m"}}})
    expectation = st.fixed_dictionaries({"expectation": st.fixed_dictionaries({"value": json_values})})
    text = json_values.map(json.dumps)
    held = text.map(lambda one: {"serialized_value": {"serialization_format": "JSON_FORMAT", "value": one}})
    return st.one_of(feedback, feedback, failure, expectation, held.map(lambda one: {"expectation": one}))


@st.composite
def assessments(draw: Any, known: Any) -> dict[str, Any]:
    """An assessment as a client sends it."""
    made = {"assessment_name": draw(mostly(ratings, st.just(""), 30)), "source": draw(mostly(sources, wrong, 40))}
    made |= draw(mostly(_valued(), st.just({}), 30))
    for field, strategy in (
        ("rationale", texts),
        ("metadata", _texts_map()),
        ("span_id", st.sampled_from(["aaaaaaaaaaaaaaaa", ""])),
        ("create_time", stamps),
        ("last_update_time", stamps),
        ("overrides", known.ref("as")),
        ("valid", st.booleans()),
    ):
        if draw(st.integers(0, 4)) == 0:
            made[field] = draw(strategy)
    return made


@st.composite
def _infos(draw: Any, known: Any) -> dict[str, Any]:
    info = {
        "trace_id": trace_id(known.name, draw(st.integers(0, HELD_TRACES - 1))),
        "trace_location": draw(_location(known.ref("exp"))),
        "request_time": draw(stamps),
        "state": draw(mostly(states, wrong, 60)),
    }
    for field, strategy in (
        ("execution_duration", st.sampled_from(["1.5s", "0s", "0.001s", "2s"])),
        ("client_request_id", st.sampled_from(["c1", "c2", ""])),
        ("request_preview", texts),
        ("response_preview", texts),
        ("trace_metadata", _texts_map()),
        ("tags", _texts_map()),
        ("unknown_field", wrong),
    ):
        if draw(st.integers(0, 1)) == 0:
            info[field] = draw(strategy)
    return {"trace_info": info}


def _trace_ids(known: Any) -> Any:
    ours = st.integers(0, HELD_TRACES - 1).map(lambda number: trace_id(known.name, number))
    return mostly(st.one_of(ours, ours, known.ref("trace")), st.sampled_from(["tr-0", "x", "get", "é"]), 20)


def _records() -> Any:
    inputs = st.sampled_from([{"q": 1}, {"q": "a"}, {"q": [1, {"b": 2}]}, {"é": "🙂", "n": None}, {}])
    tags = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["", "1", "é"]), max_size=2)
    record = st.fixed_dictionaries(
        {"inputs": inputs},
        optional={
            "expectations": st.dictionaries(st.sampled_from(["e", "f"]), json_values, max_size=2),
            "outputs": st.sampled_from([{"o": 1}, "text", 5, [1], None]),
            "tags": tags,
            "source": st.sampled_from(
                [
                    {"source_type": "HUMAN", "source_data": {"user_name": "ann"}},
                    {"source_type": "TRACE", "source_data": {"trace_id": "tr-1"}},
                    {"source_type": "bogus", "source_data": {}},
                ]
            ),
        },
    )
    good = st.lists(record, max_size=3).map(json.dumps)
    return mostly(good, st.sampled_from(["", "{", "{}", "null", "5", '[{"a": 1}]', "[[]]"]), 15)


def calls(known: Any, filters: dict[str, Any], orders: dict[str, list[str]]) -> list[Any]:
    """Weight, method, path, fields that are nearly always sent, fields that are sent now and then."""
    exp, run, trace = known.ref("exp"), known.ref("run"), _trace_ids(known)
    rated, held = known.ref("as"), known.ref("ds")
    sizes = mostly(st.sampled_from([1, 2, 100, 500]), st.sampled_from([0, -1, 501, "2", "abc", None]), 8)
    tokens = st.sampled_from(["", "", "<page:0>", "!!!", "e30=", "eyJvZmZzZXQiOiAxfQ=="])
    page = {"max_results": sizes, "page_token": tokens}
    order = st.lists(st.sampled_from(orders["traces"]), max_size=2)
    masks = st.lists(
        st.sampled_from(["feedback", "expectation", "rationale", "metadata", "assessment_name", "assessmentName"]),
        min_size=1,
        max_size=2,
        unique=True,
    ).map(",".join)
    ids = st.lists(trace, max_size=3)
    experiments = st.lists(exp, max_size=3)
    key = {"key": mostly(keys, st.sampled_from(["", "a$", "k" * 251, "mlflow.artifactLocation"]), 8)}
    tag = {**key, "value": mostly(texts, st.just("v" * 8001), 20)}
    dataset_name = st.sampled_from([f"{known.name}-d0", f"{known.name}-d1", "", " "])
    tags_text = st.sampled_from(["", "{}", '{"a": "v"}', '{"b": "1", "a": null}', "x", "[]", '{"n": 1}'])
    scorer = {"experiment_id": exp, "name": st.sampled_from(["s1", "s2", "é", ""])}
    version = st.sampled_from([1, 2, 99, 0, "1", "x"])
    serialized = st.sampled_from(['{"name": "s"}', "{}", "", "x", '{"a": [1]}'])
    own = st.sampled_from(
        ["", f"name LIKE '{known.name}-%'", "name = 'x'", "tags.a = 'v'", "foo = 1", "created_by = ''"]
    )
    return [
        (6, "POST", V3 + "traces", {"trace": _infos(known)}, {}),
        (3, "GET", (V3 + "traces/{}", trace), {}, {}),
        (2, "GET", V3 + "traces/get", {"trace_id": trace}, {"allow_partial": st.sampled_from(["true", "False", "x"])}),
        (2, "GET", V3 + "traces/batchGet", {"trace_ids": ids}, {"experiment_ids": experiments}),
        (2, "POST", V3 + "traces/batchGetInfos", {"trace_ids": ids}, {"experiment_ids": experiments}),
        (
            9,
            "POST",
            V3 + "traces/search",
            {"locations": st.lists(_location(exp), max_size=2), "filter": filters["traces"]},
            {**page, "order_by": order},
        ),
        (2, "PATCH", (V3 + "traces/{}/tags", trace), tag, {}),
        (1, "PATCH", (V2 + "traces/{}/tags", trace), tag, {}),
        (1, "DELETE", (V3 + "traces/{}/tags", trace), key, {}),
        (1, "DELETE", (V2 + "traces/{}/tags", trace), key, {}),
        (
            1,
            "POST",
            V3 + "traces/delete-traces",
            {"experiment_id": exp},
            {
                "request_ids": ids,
                "max_timestamp_millis": st.sampled_from([1_700_000_000_000, 0, -1, "1700000001000"]),
                "max_traces": st.sampled_from([1, 0, -1, 5]),
            },
        ),
        (2, "POST", V2 + "traces/link-to-run", {"trace_ids": ids, "run_id": run}, {}),
        (
            3,
            "POST",
            V2 + "traces",
            {
                "experiment_id": exp,
                "timestamp_ms": st.sampled_from([1_700_000_000_500, 0, "1700000000501"]),
                "request_metadata": _pairs(),
                "tags": _pairs(),
            },
            {},
        ),
        (
            2,
            "PATCH",
            (V2 + "traces/{}", trace),
            {
                "timestamp_ms": st.sampled_from([1_700_000_001_500, "1700000002000"]),
                "status": st.sampled_from(["OK", "ERROR", "IN_PROGRESS", 1]),
                "request_metadata": _pairs(),
                "tags": _pairs(),
            },
            {"request_id": trace},
        ),
        (2, "GET", (V2 + "traces/{}/info", trace), {}, {}),
        (
            3,
            "GET",
            V2 + "traces",
            {"experiment_ids": st.lists(exp, min_size=1, max_size=2), "filter": filters["traces"]},
            {**page, "order_by": order},
        ),
        (7, "POST", (V3 + "traces/{}/assessments", trace), {"assessment": assessments(known)}, {}),
        (3, "GET", (V3 + "traces/{}/assessments/{}", trace, rated), {}, {}),
        (
            3,
            "PATCH",
            (V3 + "traces/{}/assessments/{}", trace, rated),
            {"assessment": assessments(known), "update_mask": mostly(masks, wrong, 12)},
            {},
        ),
        (1, "DELETE", (V3 + "traces/{}/assessments/{}", trace, rated), {}, {}),
        (
            3,
            "POST",
            V3 + "datasets/create",
            {"name": dataset_name, "experiment_ids": experiments},
            {"tags": tags_text, "source": texts, "created_by": texts},
        ),
        (2, "GET", (V3 + "datasets/{}", held), {}, {}),
        (1, "DELETE", (V3 + "datasets/{}", held), {}, {}),
        (
            3,
            "POST|GET",
            V3 + "datasets/search",
            {"experiment_ids": st.lists(exp, min_size=1, max_size=2), "filter_string": own},
            {
                "max_results": st.sampled_from([1, 2, 1000, 0, -1]),
                "page_token": tokens,
                "order_by": st.lists(st.sampled_from(orders["datasets"]), max_size=2),
            },
        ),
        (1, "PATCH", (V3 + "datasets/{}/tags", held), {"tags": tags_text}, {}),
        (1, "DELETE", (V3 + "datasets/{}/tags/a", held), {}, {}),
        (3, "POST", (V3 + "datasets/{}/records", held), {"records": _records()}, {"updated_by": texts}),
        (
            2,
            "GET",
            (V3 + "datasets/{}/records", held),
            {},
            {"max_results": st.sampled_from([100, 1000]), "page_token": st.sampled_from(["", "!!!"])},
        ),
        (
            1,
            "DELETE",
            (V3 + "datasets/{}/records", held),
            {"dataset_record_ids": st.lists(st.sampled_from(["<rec:0>", "<rec:1>", "dr-0"]), max_size=2)},
            {},
        ),
        (1, "GET", (V3 + "datasets/{}/experiment-ids", held), {}, {}),
        (1, "POST", (V3 + "datasets/{}/add-experiments", held), {"experiment_ids": experiments}, {}),
        (1, "POST", (V3 + "datasets/{}/remove-experiments", held), {"experiment_ids": experiments}, {}),
        (3, "POST", V3 + "scorers/register", {**scorer, "serialized_scorer": serialized}, {}),
        (2, "GET", V3 + "scorers/list", {"experiment_id": exp}, {}),
        (1, "GET", V3 + "scorers/list", {"experiment_ids": st.lists(exp, min_size=1, max_size=2)}, {}),
        (2, "GET", V3 + "scorers/versions", scorer, {}),
        (2, "GET", V3 + "scorers/get", scorer, {"version": version}),
        (1, "DELETE", V3 + "scorers/delete", scorer, {"version": version}),
    ]
