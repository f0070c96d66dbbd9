"""Traces: their tree, what was said in them, and the pages."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.web.test_pages import Reader, ask
from tests.web.trace_records import BROKEN, ROOT, TRACE, many_spans, span
from tests.web.world import World, full

from airside.core.errors import Invalid, TooLarge
from airside.server.web.drawing.timeline import WIDTH, timeline
from airside.server.web.pages.said import MAX_CHARACTERS, said
from airside.server.web.pages.traces import SPANS_SHOWN
from airside.tracking.traces.operations.assessments import CreateAssessment
from airside.tracking.traces.operations.reading import GetTrace, SearchTraces

ids = st.sampled_from("abcdefgh")


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(ids, st.tuples(ids, st.integers(0, 100), st.none() | st.integers(0, 100)), max_size=8))
def test_every_span_has_one_row_within_the_axis_whatever_its_parent(
    given: dict[str, tuple[str, int, int | None]],
) -> None:
    spans = [span(own, own, start, end, parent_id=parent) for own, (parent, start, end) in given.items()]
    bars = timeline(spans)
    assert sorted(bar.span.span_id for bar in bars) == sorted(given)
    for bar in bars:
        assert bar.x >= 0
        assert bar.width > 0
        assert bar.x + bar.width <= WIDTH + 0.1


def test_a_span_stands_below_its_parent_and_before_its_parents_next() -> None:
    spans = [span("r", "r", 0, 9), span("b", "b", 5, 9, parent_id="r"), span("a", "a", 1, 4, parent_id="r")]
    bars = timeline([*spans, span("x", "x", 2, 3, parent_id="a")])
    assert [(bar.span.name, bar.depth) for bar in bars] == [("r", 0), ("a", 1), ("x", 2), ("b", 1)]


@pytest.mark.parametrize(
    "value",
    [
        [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        {"choices": [{"message": {"role": "user", "content": "hi"}}]},
        {"messages": [{"role": "user", "content": "hi"}]},
        {"role": "user", "content": "hi"},
    ],
)
def test_a_conversation_is_read_as_one(value: object) -> None:
    assert [(part.who, part.text) for part in said(value).parts] == [("user", "hi")]


@pytest.mark.parametrize("value", [[{"role": 1}], {"messages": "x"}, [], {}, 0, False, "text", [{"page_content": 7}]])
def test_what_is_no_conversation_is_its_json(value: object) -> None:
    read = said(value)
    assert read.parts == ()
    assert read.text == (value if isinstance(value, str) else json.dumps(value, indent=1))


def test_a_long_text_is_cut_and_says_so() -> None:
    read = said("x" * (MAX_CHARACTERS + 7))
    assert (len(read.text), read.n_left_out) == (MAX_CHARACTERS, 7)


def test_the_opened_span_tells_why_it_failed() -> None:
    body = ask(World(full(text="no order 7")), f"/traces/{TRACE}?span={BROKEN}").body.decode()
    assert "KeyError: no order 7" in body
    assert body.count('aria-current="true"') == 1


def test_a_long_trace_is_shown_in_parts_and_the_opened_span_is_among_them() -> None:
    answers = full()
    answers[GetTrace] = lambda ask: many_spans(450)
    body = ask(World(answers), f"/traces/{TRACE}?span={440:016x}").body
    assert len([attrs for attrs in Reader(body).of("a") if "step" in (attrs.get("class") or "")]) <= SPANS_SHOWN
    assert f"spans {2 * SPANS_SHOWN + 1} to 450 of 450".encode() in body


def test_a_trace_whose_spans_are_too_large_still_shows_its_head() -> None:
    answers = full()

    def refuse(_: object) -> object:
        raise TooLarge("The traces are larger than 128 MiB together.")

    answers[GetTrace] = refuse
    page = ask(World(answers), f"/traces/{TRACE}")
    assert page.status == 200
    assert b"larger than 128 MiB" in page.body
    assert b"1,306" in page.body


def test_a_wrong_filter_is_told_under_the_field() -> None:
    answers = full()

    def refuse(_: object) -> object:
        raise Invalid("No attribute 'boo'.")

    answers[SearchTraces] = refuse
    body = ask(World(answers), "/experiments/1/traces?filter=boo").body.decode()
    assert "No attribute &#39;boo&#39;." in body
    assert 'aria-describedby="wrong"' in body


@pytest.mark.parametrize(("typed", "value"), [("yes", True), ("No", False), ("0.5", 0.5), ("so so", "so so")])
def test_feedback_of_the_reader_is_an_assessment(typed: str, value: object) -> None:
    world = World(full())
    form = {"name": " helpful ", "value": typed, "rationale": "", "span": ROOT}
    page = ask(world, f"/traces/{TRACE}", method="POST", form=form)
    made = next(one.assessment for one in world.asked if isinstance(one, CreateAssessment))
    assert (made.name, made.value, made.span_id, made.source_type) == ("helpful", value, ROOT, "HUMAN")
    assert dict(page.headers)["Location"] == f"/traces/{TRACE}?span={ROOT}#assessments"


def test_feedback_without_a_name_is_refused() -> None:
    assert ask(World(full()), f"/traces/{TRACE}", method="POST", form={"name": " "}).status == 400
