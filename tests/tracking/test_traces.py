"""Traces: what is kept of them, how they are found again, and how they go. On both databases."""

import json
from typing import Any

import pytest

from airside.core.clock import FixedClock
from airside.core.errors import AlreadyExists, Invalid, NotFound, TooLarge
from airside.core.ids import ExperimentId, RunId
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.tracking.operations.experiments import CreateExperiment
from airside.tracking.traces import rules
from airside.tracking.traces.operations.assessments import (
    CreateAssessment,
    DeleteAssessment,
    GetAssessment,
    UpdateAssessment,
)
from airside.tracking.traces.operations.labels import LinkPromptsToTrace, LinkTracesToRun, SetTraceTag
from airside.tracking.traces.operations.reading import GetTrace, GetTraceInfo, GetTraces, SearchTraces
from airside.tracking.traces.operations.writing import CreateTrace, DeleteTraces, EndTrace, LogSpans, StartTrace
from airside.tracking.traces.records import NewAssessment, PromptRef, Span, TraceInfo

ZERO = ExperimentId("0")
S = 1_000_000_000


def span(trace: int, own: int, name: str = "s", parent: int = 0, **more: Any) -> Span:
    times = {"start_ns": own * S, "end_ns": (own + 1) * S, **more.pop("times", {})}
    return Span(
        trace_id=f"{trace:032x}",
        span_id=f"{own:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        name=name,
        **times,
        **more,
    )


def log(platform: Platform, *spans: Span, experiment: str = "0", **more: Any) -> None:
    platform.call(LOCAL, LogSpans(experiment_id=ExperimentId(experiment), spans=spans, **more))


def info(platform: Platform, trace: int) -> TraceInfo:
    return platform.call(LOCAL, GetTraceInfo(trace_id=f"tr-{trace:032x}"))


def start(platform: Platform, trace: int, **more: Any) -> TraceInfo:
    return platform.call(
        LOCAL, StartTrace(trace_id=f"tr-{trace:032x}", experiment_id=ZERO, **{"request_ms": 5, **more})
    )


def found(platform: Platform, text: str = "", *order: str, **more: Any) -> list[str]:
    page = platform.call(LOCAL, SearchTraces(experiment_ids=(ZERO,), filter=text, order_by=order, **more))
    return [each.trace_id.lstrip("tr-0") for each in page.items]


# --- spans ---------------------------------------------------------------------------------------------------------


def test_spans_make_a_trace_of_their_times_and_their_root(platform: Platform) -> None:
    log(platform, span(1, 3, parent=2), span(1, 2, attributes={"mlflow.spanInputs": {"q": 1}}, status="ERROR"))

    made = info(platform, 1)

    assert (made.request_ms, made.duration_ms, made.state) == (2000, 2000, "ERROR")
    assert made.request_preview == '{"q": 1}'
    assert made.tags["mlflow.trace.spansLocation"] == "TRACKING_STORE"


def test_a_trace_without_its_root_is_in_progress_until_the_root_comes(platform: Platform) -> None:
    log(platform, span(1, 3, parent=2, times={"end_ns": None}))
    before = info(platform, 1)
    log(platform, span(1, 2))

    after = info(platform, 1)

    assert (before.state, before.duration_ms) == ("IN_PROGRESS", None)
    assert (after.state, after.request_ms, after.duration_ms) == ("OK", 2000, 1000)


def test_what_the_maker_said_of_a_trace_stands_whichever_came_first(platform: Platform) -> None:
    told = {"request_ms": 7, "duration_ms": 9, "state": "OK", "metadata": {"mlflow.trace.session": "a"}}
    start(platform, 1, **told)
    for trace in (1, 2):
        log(platform, span(trace, 1, attributes={"session.id": "b", "user.id": "u"}))
    start(platform, 2, **told)

    for trace in (1, 2):
        made = info(platform, trace)
        assert (made.request_ms, made.duration_ms, made.state) == (7, 9, "OK")
        assert (made.metadata["mlflow.trace.session"], made.metadata["mlflow.trace.user"]) == ("a", "u")


def test_a_span_that_comes_again_is_overwritten(platform: Platform) -> None:
    log(platform, span(1, 1, "first", attributes={"a": 1}))
    log(platform, span(1, 1, "second", attributes={"b": [True, None, {"c": 2.5}]}))

    trace = platform.call(LOCAL, GetTrace(trace_id=info(platform, 1).trace_id))

    assert [(each.name, each.attributes.get("b")) for each in trace.spans] == [("second", [True, None, {"c": 2.5}])]


def test_tokens_are_summed_over_the_tree_also_when_it_comes_in_parts(platform: Platform) -> None:
    used = {"gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 1}
    log(platform, span(1, 2, parent=1, attributes=used))
    log(platform, span(1, 3, parent=1, attributes=used))
    apart = info(platform, 1).metadata["mlflow.trace.tokenUsage"]
    log(platform, span(1, 1, attributes={"gen_ai.usage.input_tokens": 6, "gen_ai.usage.output_tokens": 2}))

    together = info(platform, 1).metadata["mlflow.trace.tokenUsage"]

    assert json.loads(apart) == {"input_tokens": 6, "output_tokens": 2, "total_tokens": 8}
    assert json.loads(together) == json.loads(apart)  # the root speaks for all below it


def test_a_circle_of_parents_is_summed_once() -> None:
    nodes = [("a", "b", {"n": 1}), ("b", "a", None), ("c", "c", {"n": 2}), ("d", "c", {"n": 4})]

    assert rules.summed(nodes, ["n"]) in ({"n": 1}, {})


def test_all_spans_of_a_call_are_kept_or_none(platform: Platform) -> None:
    with pytest.raises(NotFound, match="No Experiment with id=9"):
        log(platform, span(1, 1), span(2, 1), experiment="9")
    with pytest.raises(Invalid, match="hexadecimal"):
        log(platform, span(1, 1), Span(trace_id="x", span_id="y", name="", start_ns=0))

    assert found(platform) == []


def test_too_many_or_too_large_spans_are_refused(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_SPANS", 2)
    log(platform, span(1, 1), span(1, 2))
    with pytest.raises(Invalid, match="at most 2 spans"):
        log(platform, span(1, 3))
    with pytest.raises(TooLarge, match="8 MiB"):
        log(platform, span(2, 1, attributes={"x": "y" * (9 << 20)}))


def test_a_trace_is_not_whole_before_all_announced_spans_are_there(platform: Platform) -> None:
    stats = {"mlflow.trace.sizeStats": '{"num_spans": 2}'}
    trace_id = start(platform, 1, metadata=stats).trace_id
    log(platform, span(1, 1))
    with pytest.raises(NotFound, match="not fully exported"):
        platform.call(LOCAL, GetTrace(trace_id=trace_id))
    assert platform.call(LOCAL, GetTraces(trace_ids=(trace_id,))).items == ()
    log(platform, span(1, 2, parent=1))

    assert len(platform.call(LOCAL, GetTrace(trace_id=trace_id)).spans) == 2
    assert len(platform.call(LOCAL, GetTraces(trace_ids=(trace_id, "tr-0"))).items) == 1


def test_a_resource_and_the_root_name_tags_but_never_the_servers_own(platform: Platform) -> None:
    resource = {"service.name": "svc", "telemetry.sdk.name": "x", "mlflow.artifactLocation": "x", "bad$": "x"}
    told = {"mlflow.traceTag.colour": "red", "mlflow.traceTag.mlflow.trace.spansLocation": "x"}
    log(platform, span(1, 1, attributes=told), resources={f"{1:032x}": resource})

    tags = info(platform, 1).tags

    assert (tags.pop("service.name"), tags.pop("colour")) == ("svc", "red")
    assert tags == {
        "mlflow.trace.spansLocation": "TRACKING_STORE",
        "mlflow.artifactLocation": f"mlflow-artifacts:/0/traces/tr-{1:032x}/artifacts",
    }


def test_a_trace_moves_to_another_experiment_with_all_that_belongs_to_it(platform: Platform) -> None:
    other = platform.call(LOCAL, CreateExperiment(name="other")).experiment_id
    log(platform, span(1, 1, "x"), experiment=other)
    start(platform, 1, tags={"a": "b"})

    assert found(platform, "tags.a = 'b' AND span.name = 'x'") == ["1"]


def test_a_trace_of_version_2_begins_and_ends(platform: Platform) -> None:
    made = platform.call(LOCAL, CreateTrace(request_ms=10, tags={"a": "b"}))
    ended = platform.call(LOCAL, EndTrace(trace_id=made.trace_id, end_ms=35, state="ERROR", tags={"c": "d"}))

    assert (made.state, made.duration_ms) == ("IN_PROGRESS", None)
    assert (ended.state, ended.duration_ms, ended.tags["a"], ended.tags["c"]) == ("ERROR", 25, "b", "d")


# --- searching -----------------------------------------------------------------------------------------------------


@pytest.fixture
def world(platform: Platform) -> Platform:
    """Five traces, 1 the oldest; 5 has no end, no tags and no spans."""
    for n in range(1, 5):
        tags = {"team": f"T{n % 2}", "mlflow.traceName": f"trace {n}"} if n != 3 else {"other": "x" * 300 + str(n)}
        start(
            platform,
            n,
            request_ms=n * 1000,
            duration_ms=100 * (n % 3),
            state="ERROR" if n == 2 else "OK",
            client_request_id=f"c{n}",
            tags=tags,
            metadata={"mlflow.trace.session": f"s{n % 2}", "mlflow.sourceRun": "r" * n},
        )
        log(
            platform,
            span(n, 1, f"root {n}", attributes={"k": n, "t": "Hé\0llo", "mlflow.spanType": "CHAIN"}),
            span(n, 2, "leaf", 1, status="ERROR" if n == 2 else "UNSET", attributes={"mlflow.spanType": "TOOL"}),
        )
    start(platform, 5, request_ms=5000)
    assess(platform, 1, "good", True)
    assess(platform, 2, "score", 0.5)
    assess(platform, 3, "grade", "A+", metadata={"mlflow.trace.session": "s1"})
    assess(platform, 4, "answer", {"a": 1}, kind="expectation")
    assess(platform, 4, "iss-1", "slow", kind="issue")
    platform.call(LOCAL, LinkTracesToRun(trace_ids=(f"tr-{1:032x}",), run_id=RunId("linked")))
    platform.call(LOCAL, LinkPromptsToTrace(trace_id=f"tr-{2:032x}", prompts=(PromptRef(name="p", version="3"),)))
    return platform


def assess(platform: Platform, trace: int, name: str, value: Any, **more: Any) -> str:
    given = NewAssessment(name=name, value=value, **{"kind": "feedback", **more})
    return platform.call(LOCAL, CreateAssessment(trace_id=f"tr-{trace:032x}", assessment=given)).assessment_id


FOUND = {
    "": "54321",
    "status = 'ERROR'": "2",
    "status IN ('ERROR', 'OK')": "4321",
    "status NOT IN ('OK')": "52",
    "timestamp_ms > 2000": "543",
    "timestamp >= 2000 AND timestamp < 4000": "32",
    "execution_time > 100": "2",
    "execution_time_ms = 0": "3",
    "end_time <= 2200": "21",
    f"request_id = 'tr-{3:032x}'": "3",
    "request_id LIKE '%3'": "3",
    "client_request_id = 'c4'": "4",
    "client_request_id != 'c4'": "321",
    "client_request_id RLIKE '^c[12]$'": "21",
    "name = 'trace 1'": "1",
    "name LIKE 'trace%'": "421",
    "name ILIKE 'TRACE _'": "421",
    "name RLIKE 'e [14]'": "41",
    "name RLIKE 'race'": "421",
    "name IN ('trace 1', 'trace 2')": "21",
    "trace.name IS NULL": "53",
    "run_id = 'linked'": "1",
    "run_id = 'rr'": "2",
    "run_id IN ('rr', 'linked')": "21",
    "run_id != 'r'": "432",
    "prompt = 'p/3'": "2",
    "prompt = 'p/4'": "",
    "tags.team = 'T1'": "1",
    "tags.team != 'T1'": "42",
    "tags.team IS NOT NULL": "421",
    "tags.nobody IS NULL": "54321",
    "tags.nobody = 'x'": "",
    f"tags.other = '{'x' * 300}3'": "3",
    f"tags.other = '{'x' * 300}4'": "",
    f"tags.other LIKE '{'x' * 250}%'": "3",
    "metadata.`mlflow.trace.session` = 's1'": "31",
    "request_metadata.`mlflow.sourceRun` = 'linked'": "1",
    "feedback.good = 'true'": "1",
    "feedback.good != 'true'": "",
    "feedback.good IS NULL": "5432",
    "feedback.score > 0.4": "2",
    "feedback.score <= 0.4": "",
    "feedback.grade = 'A+'": "31",
    "feedback.grade LIKE '%A%'": "31",
    "feedback.grade IS NULL": "542",
    "expectation.answer IS NOT NULL": "4",
    """expectation.answer = '{"a": 1}'""": "4",
    "issue.id = 'iss-1'": "4",
    "span.name = 'root 2'": "2",
    "span.name LIKE 'root%'": "4321",
    "span.name IN ('root 1', 'root 4')": "41",
    "span.type = 'TOOL'": "4321",
    "span.type = 'TOOL' AND span.status = 'ERROR'": "2",
    "span.type = 'CHAIN' AND span.status = 'ERROR'": "",
    "span.content LIKE '%Hé%'": "4321",
    "text LIKE '%root 3%'": "3",
    "span.attributes.k = '3'": "3",
    "span.attributes.`mlflow.spanType` = 'CHAIN'": "4321",
    "span.attributes.k RLIKE '^[34]$'": "43",
    "span.attributes.nobody = 'x'": "",
    "tags.team = 'T0' AND feedback.score = '0.5' AND status = 'ERROR'": "2",
}


def test_a_filter_finds_the_traces_that_match_newest_first(world: Platform) -> None:
    assert {text: "".join(found(world, text)) for text in FOUND} == FOUND


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("timestamp_ms ASC", "12345"),
        ("execution_time", "34125"),
        ("execution_time_ms DESC", "24135"),
        ("end_time", "12345"),
        ("status", "24315"),
        ("name DESC", "42153"),
        ("tags.team", "42153"),
        ("tags.team DESC", "14253"),
        ("metadata.`mlflow.trace.session`", "42315"),
        ("request_id DESC", "54321"),
        ("run_id", "12345"),
    ],
)
def test_an_order_holds_over_all_pages(world: Platform, order: str, expected: str) -> None:
    pages, token = "", "start"
    while token:
        asked = SearchTraces(
            experiment_ids=(ZERO,), order_by=(order,), max_results=2, page_token="" if token == "start" else token
        )
        page = world.call(LOCAL, asked)
        pages += "".join(each.trace_id[-1] for each in page.items)
        token = page.next_page_token

    assert pages == expected


def test_several_experiments_are_one_list(world: Platform) -> None:
    other = world.call(LOCAL, CreateExperiment(name="other")).experiment_id
    log(world, span(9, 3), experiment=other)
    asked = SearchTraces(experiment_ids=(ZERO, other), max_results=4)
    first = world.call(LOCAL, asked)
    rest = world.call(
        LOCAL, SearchTraces(experiment_ids=(ZERO, other), max_results=4, page_token=first.next_page_token)
    )

    assert "".join(each.trace_id[-1] for each in (*first.items, *rest.items)) == "543921"


@pytest.mark.parametrize(
    "text",
    [
        "foo.x = 'a'",
        "state = 'OK'",
        "status > 'OK'",
        "status = 'OK' OR status = 'ERROR'",
        "tags.a RLIKE '(' ",
        f"tags.a RLIKE '{'a' * 1001}'",
        "span.kind = 'x'",
        "span.attributes.`a\"b` = 'x'",
        "feedback.good > 'x'",
        "prompt = 'x'",
        "issue.id LIKE 'x'",
        "  ",
    ],
)
def test_a_filter_that_cannot_be_read_is_told(platform: Platform, text: str) -> None:
    log(platform, span(1, 1, attributes={"a": 1}), resources={f"{1:032x}": {"a": "b"}})
    with pytest.raises(Invalid):
        found(platform, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prompt LIKE 'a/1'", "Invalid comparator 'LIKE' for prompts filter. Only '=' is supported with format:"),
        ("span.content = 'x'", "span.content comparator '=' not one of '{LIKE, "),
        ("span.duration = 'x'", "Invalid span attribute 'duration'. Supported attributes: name, status, type, attr"),
    ],
)
def test_a_filter_of_traces_is_refused_in_mlflows_words(platform: Platform, text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        found(platform, text)
    assert message in caught.value.message


def test_orders_and_pages_that_cannot_be_are_told(platform: Platform) -> None:
    for order in (("status", "status"), ("foo",), ("feedback.x",), ("name", "tags.`mlflow.traceName`")):
        with pytest.raises(Invalid):
            found(platform, "", *order)
    for size in (0, 501):
        with pytest.raises(Invalid):
            found(platform, max_results=size)


# --- assessments and labels ----------------------------------------------------------------------------------------


def test_an_override_puts_the_older_one_out_of_force_until_it_goes(platform: Platform) -> None:
    trace_id = start(platform, 1).trace_id
    old = assess(platform, 1, "good", True)
    new = assess(platform, 1, "good", False, overrides=old)
    here = GetAssessment(trace_id=trace_id, assessment_id=old)
    overridden = platform.call(LOCAL, here)
    platform.call(LOCAL, DeleteAssessment(trace_id=trace_id, assessment_id=new))
    platform.call(LOCAL, DeleteAssessment(trace_id=trace_id, assessment_id=new))

    assert (overridden.is_valid, platform.call(LOCAL, here).is_valid) == (False, True)


def test_a_change_keeps_what_is_not_given(platform: Platform, clock: FixedClock) -> None:
    trace_id = start(platform, 1).trace_id
    one = assess(platform, 1, "score", 1, rationale="r", metadata={"a": "b"}, source_id="ann")
    clock.advance(seconds=1)
    asked = UpdateAssessment(trace_id=trace_id, assessment_id=one, kind="feedback", value=2.5, metadata={"c": "d"})

    changed = platform.call(LOCAL, asked)

    assert (changed.value, changed.rationale, changed.metadata) == (2.5, "r", {"a": "b", "c": "d"})
    assert changed.updated_ms == changed.created_ms + 1000
    assert platform.call(LOCAL, GetAssessment(trace_id=trace_id, assessment_id=one)) == changed
    with pytest.raises(Invalid, match="Cannot update expectation value on a Feedback assessment"):
        platform.call(LOCAL, UpdateAssessment(trace_id=trace_id, assessment_id=one, kind="expectation"))


def test_assessments_come_with_a_trace_and_are_not_doubled(platform: Platform) -> None:
    given = NewAssessment(assessment_id="a-1", name="x", kind="feedback", value=1)
    start(platform, 1, assessments=(given,))
    start(platform, 1, assessments=(given,))

    assert [each.assessment_id for each in info(platform, 1).assessments] == ["a-1"]
    with pytest.raises(AlreadyExists):
        start(platform, 2, assessments=(given,))


def test_what_is_not_there_is_told(platform: Platform) -> None:
    with pytest.raises(NotFound, match="Trace with ID 'tr-0' not found"):
        platform.call(LOCAL, SetTraceTag(trace_id="tr-0", key="a"))
    with pytest.raises(NotFound, match="Trace with request_id 'tr-0' not found"):
        platform.call(LOCAL, GetAssessment(trace_id="tr-0", assessment_id="a"))
    start(platform, 1)
    with pytest.raises(NotFound, match="Assessment with ID 'a-0' not found"):
        assess(platform, 1, "x", 1, overrides="a-0")
    with pytest.raises(Invalid, match="immutable"):
        platform.call(LOCAL, SetTraceTag(trace_id=f"tr-{1:032x}", key="mlflow.artifactLocation", value="x"))


# --- deletion ------------------------------------------------------------------------------------------------------


def test_deleted_traces_leave_nothing_behind(world: Platform) -> None:
    deleted = world.call(LOCAL, DeleteTraces(experiment_id=ZERO, until_ms=3000, max_traces=2))
    named = world.call(LOCAL, DeleteTraces(experiment_id=ZERO, trace_ids=(f"tr-{3:032x}", f"tr-{4:032x}", "tr-0")))
    world.call(LOCAL, DeleteTraces(experiment_id=ZERO, until_ms=9000))
    tables = ("trace", "trace_tag", "trace_metadata", "span", "assessment", "trace_run", "trace_prompt")

    left = world.read(lambda ctx: [ctx.tx.one(f"SELECT COUNT(*) FROM {table}") for table in tables])

    assert (deleted.n_deleted, named.n_deleted) == (2, 2)
    assert left == [(0,)] * len(tables)


def test_a_deletion_says_plainly_which(platform: Platform) -> None:
    for asked in (
        {},
        {"until_ms": 1, "trace_ids": ("a",)},
        {"trace_ids": ("a",), "max_traces": 1},
        {"until_ms": 1, "max_traces": 0},
    ):
        with pytest.raises(Invalid):
            platform.call(LOCAL, DeleteTraces(experiment_id=ZERO, **asked))


def test_the_name_of_a_session_has_at_most_250_characters(platform: Platform) -> None:
    start(platform, 77, metadata={"mlflow.trace.session": "s" * 250})
    with pytest.raises(Invalid, match="'Session ID' exceeds the maximum length of 250 characters"):
        start(platform, 78, metadata={"mlflow.trace.session": "s" * 251})
