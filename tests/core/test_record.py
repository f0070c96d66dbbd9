"""Nouns: frozen, named by keyword, the same in Python and in JSON."""

import msgspec
import pytest

from airside.core.record import DONE, Ask, Done, Record


class Point(Record):
    x: int
    y: int = 0


class MovePoint(Ask[Point]):
    by: int


def test_a_record_is_never_changed_in_place() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        Point(x=1).x = 2  # type: ignore[misc]


def test_a_record_is_made_by_keywords_alone() -> None:
    with pytest.raises(TypeError, match="positional"):
        Point(1, 2)  # type: ignore[misc]


def test_a_required_field_may_follow_an_optional_one_of_the_class_above() -> None:
    class Named(Point):
        name: str

    assert Named(x=1, name="a") == Named(x=1, y=0, name="a")


def test_a_record_is_compared_by_value_and_can_be_a_key() -> None:
    assert {Point(x=1): "a"}[Point(x=1)] == "a"
    assert Point(x=1) != Point(x=2)


def test_json_and_back_is_the_same_record() -> None:
    assert msgspec.json.decode(msgspec.json.encode(Point(x=1, y=2)), type=Point) == Point(x=1, y=2)


def test_an_ask_refuses_a_field_that_it_does_not_know_and_an_answer_does_not() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `to`"):
        msgspec.json.decode(b'{"by":1,"to":2}', type=MovePoint)
    assert msgspec.json.decode(b'{"x":1,"new":2}', type=Point) == Point(x=1)


def test_done_has_nothing_to_tell() -> None:
    assert Done() == DONE
    assert msgspec.json.encode(DONE) == b"{}"
