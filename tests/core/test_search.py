"""The filter language: text to comparisons, with the texts of errors that clients show."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.errors import Invalid
from airside.core.search import (
    NUMERIC,
    Comparison,
    Order,
    PageToken,
    parse_filter,
    parse_order,
    parse_orders,
    read_token,
    write_token,
)
from airside.tracking.grammars import EXPERIMENTS, RUNS
from airside.tracking.traces.grammar import TRACES


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("params.LR='0.1'AND metrics.acc>0", [("parameter", "LR", "=", "0.1"), ("metric", "acc", ">", 0)]),
        ("tags.mlflow.parentRunId = 'x'", [("tag", "mlflow.parentRunId", "=", "x")]),
        ("metrics.2x >= .9", [("metric", "2x", ">=", 0.9)]),
        ("metrics.`a b` < -1e-1", [("metric", "a b", "<", -0.1)]),
        ('metrics."a b" != 1', [("metric", "a b", "!=", 1)]),
        ("metrics.'a/b' = 1e400", [("metric", "a/b", "=", float("inf"))]),
        ('`params`.order = "it\'s"', [("parameter", "order", "=", "it's")]),
        ("params.q = 'it''s'", [("parameter", "q", "=", "it''s")]),
        ("tags.a ilike 'X%' and", [("tag", "a", "ILIKE", "X%")]),
        ("tags.a = 'x' tags.b = 'y'", [("tag", "a", "=", "x"), ("tag", "b", "=", "y")]),
        ("AND params.a is  not null", [("parameter", "a", "IS NOT NULL", None)]),
        ("`Run name` LIKE 'a%'", [("attribute", "run_name", "LIKE", "a%")]),
        ("run_id IN ('a', ',,')", [("attribute", "run_id", "IN", ("a", ",,"))]),
        ("run.run_id NOT IN ('a','b')", [("attribute", "run_id", "NOT IN", ("a", "b"))]),
        ("Created > 1.5", [("attribute", "start_time", ">", 1.5)]),
        ("datasets.context = 'train'", [("dataset", "context", "=", "train")]),
        ("", []),
    ],
)
def test_a_filter_is_read(text: str, found: list[tuple[str, str, str, object]]) -> None:
    assert [(c.entity, c.key, c.operator, c.value) for c in parse_filter(text, RUNS)] == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  ", "Invalid filter '  '. Could not be parsed."),
        ("metrics.a > 1 OR metrics.b < 2", "Invalid clause(s) in filter string: 'OR'"),
        ("metrics.a", "Invalid clause(s) in filter string: 'metrics.a'"),
        ("(metrics.a > 1)", "Invalid clause(s) in filter string: '(metrics.a > 1)'"),
        ("metrics.a > 1; metrics.b > 2", "Search filter contained multiple expression"),
        (
            "foo.a = 1",
            "Invalid entity type 'foo'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
        ),
        ("acc = 1", "Invalid attribute key 'acc' specified. Valid keys are '{"),
        ("params.a > '1'", "Invalid comparator '>' not one of '{"),
        ("params.a == '1'", "Invalid comparator '==' not one of '{"),
        ("params.a NOT LIKE '1'", "Invalid comparator 'NOT LIKE' not one of '{"),
        ("params.a = 0.1", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 0.1"),
        ("params.a = b", "Parameter value is either not quoted or unidentified quote types used for string value b."),
        ("metrics.a > '0.5'", "Expected numeric value type for metric. Found '0.5'"),
        ("start_time > '100'", "Expected numeric value type for numeric attribute: start_time. Found '100'"),
        ("status = 1", "Expected a quoted string value for attributes. Got value 1"),
        ("dataset.name = 1", "Expected a quoted string value for dataset attributes. Got value 1"),
        ("status IN ('a')", "Only ['run_id'] attributes support comparison with a list of quoted string values."),
        ("run_id = ('a')", "Expected a quoted string value for attributes. Got value ('a')"),
        ("dataset.name LIKE ('a', 'b')", "Expected a quoted string value for dataset attributes. Got value ('a', 'b')"),
        ("run_id IN ()", "expected a non-empty list of string values, but got empty list"),
        ("run_id IN (1)", "expected string value, punctuation, or whitespace, but got different type in list: (1,)"),
        ("run_id IN (,)", "expected a non-empty list of string values, but got ill-formed list"),
        ("run_id IN ('a,,b',,'b')", "but got ill-formed list"),
        ("acc = true", "Invalid clause(s) in filter string: 'acc', '=', 'true'"),
        ("run_id IN 'a'", "Invalid comparison clause. IN needs a list"),
        ("1 = 1", "Invalid comparison clause. Expected 'Identifier' found '1'"),
        ("metrics.a IS NULL", "IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric' 'a'"),
        ("params.a BETWEEN '1' AND '2'", "Invalid clause(s) in filter string: 'params.a', 'BETWEEN', ''1'', ''2''"),
        ("dataset.foo = 'x'", "Invalid dataset key 'foo' specified. Valid keys are '{"),
    ],
)
def test_what_cannot_be_understood_is_told_in_mlflows_words(text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_filter(text, RUNS)
    assert message in caught.value.message


def test_searches_of_experiments_print_stray_clauses_bare() -> None:
    with pytest.raises(Invalid, match=r"Invalid clause\(s\) in filter string: OR$"):
        parse_filter("name = 'a' OR name = 'b'", EXPERIMENTS)
    with pytest.raises(Invalid, match=r"Invalid value for numeric attribute 'creation_time': '1\.5'"):
        parse_filter("creation_time > 1.5", EXPERIMENTS)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("metrics.acc", Order(entity="metric", key="acc")),
        ("metrics.`a b`  desc", Order(entity="metric", key="a b", is_ascending=False)),
        ("attribute.Created ASC", Order(entity="attribute", key="start_time")),
        ("run_name DESC", Order(entity="attribute", key="run_name", is_ascending=False)),
    ],
)
def test_an_order_is_read(text: str, order: Order) -> None:
    assert parse_order(text, RUNS) == order


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metrics.acc UP", "Invalid ordering key in order_by clause 'metrics.acc UP'."),
        ("a b c", "Invalid order_by clause 'a b c'. Could not be parsed."),
        ("", "Invalid order_by clause ''. Could not be parsed."),
        ("`Run Name`", "Invalid attribute key 'Run Name' specified."),
        ("dataset.name", "Invalid order_by entity type 'dataset'"),
    ],
)
def test_a_bad_order_says_why(text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_order(text, RUNS)
    assert message in caught.value.message


def test_the_same_field_twice_is_refused() -> None:
    with pytest.raises(Invalid, match="`order_by` contains duplicate fields"):
        parse_orders(("created", "start_time DESC"), RUNS)


keys = st.text(st.characters(codec="utf-8", exclude_characters="`", exclude_categories=["C"]), min_size=1)
plain = st.text(st.characters(codec="utf-8", exclude_characters="'\\", exclude_categories=["Cs"]))


@given(key=keys, value=plain)
@settings(max_examples=50)
def test_quoted_keys_and_texts_come_back_as_they_were(key: str, value: str) -> None:
    found = parse_filter(f"tags.`{key}` = '{value}'", RUNS)
    assert found == (Comparison(entity="tag", key=key, operator="=", value=value),)


@given(value=st.floats(allow_nan=False, allow_infinity=False), operator=st.sampled_from(NUMERIC))
@settings(max_examples=50)
def test_numbers_come_back_as_they_were(value: float, operator: str) -> None:
    (found,) = parse_filter(f"metrics.m {operator} {value!r}", RUNS)
    assert (found.operator, found.value) == (operator, value)


@given(text=st.text())
@settings(max_examples=50)
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (lambda: parse_filter(text, RUNS), lambda: parse_order(text, RUNS), lambda: read_token(text)):
        try:
            read()
        except Invalid:
            continue


texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"))
sort_values = st.lists(st.none() | st.integers(-(2**63), 2**63 - 1) | texts, min_size=1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("feedback.score > 0.5", ("feedback", "score", ">", 0.5)),
        ("feedback.score = '0.5'", ("feedback", "score", "=", "0.5")),
        ("span.attributes.a.b = 'x'", ("span", "attributes.a.b", "=", "x")),
        ("span.attributes.`a b` RLIKE '^x'", ("span", "attributes.`a b`", "RLIKE", "^x")),
        ("trace.name IN ('a')", ("attribute", "name", "IN", ("a",))),
    ],
)
def test_a_field_may_be_a_number_or_a_text_and_may_have_any_key_below_it(
    text: str, found: tuple[str, str, str, object]
) -> None:
    assert [(c.entity, c.key, c.operator, c.value) for c in parse_filter(text, TRACES)] == [found]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "feedback.score > 'x'",
            "Expected a numeric value for feedback when using comparator '>'. Got value 'x'",
        ),
        (
            "feedback.score = 0.5",
            "Expected a quoted string value for feedback (e.g. 'my-value'). Got value 0.5",
        ),
    ],
)
def test_a_value_of_the_other_kind_is_told(text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_filter(text, TRACES)
    assert caught.value.message == message


@given(values=sort_values)
@settings(max_examples=50)
def test_a_token_names_the_place_it_was_made_of(values: list[object]) -> None:
    assert read_token(write_token(PageToken(after=tuple(values), of="x")), "x").after == tuple(values)


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("a", "Invalid page token, could not base64-decode"),
        ("YWJj", "Invalid page token, decoded value=b'abc'"),
        ("e30=", "Invalid page token, parsed value={}"),
        ("eyJvZmZzZXQiOiAwfQ==", "Invalid page token, parsed value={'offset': 0}"),
    ],
)
def test_bad_tokens_are_told_in_mlflows_words(token: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_token(token)
    assert caught.value.message == message


def test_an_offset_token_of_mlflow_is_understood() -> None:
    assert read_token("eyJvZmZzZXQiOiA1MH0=").offset == 50
