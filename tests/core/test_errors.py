"""The tree of errors: as its docstring draws it, the same on both sides of the wire, with texts that help."""

import re

import pytest

from airside.core import errors
from airside.core.errors import MAX_TEXT, AirsideError, Conflict, Invalid, NotFound, Overloaded, from_wire, quoted

DRAWN = re.findall(r"── (\w+) +(\d{3}) (\w+)", errors.__doc__ or "")
CLASSES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, AirsideError) and kind is not AirsideError
]


def test_the_drawn_tree_is_the_real_one() -> None:
    assert {(kind.__name__, str(kind.status), kind.code) for kind in CLASSES} == set(DRAWN)


@pytest.mark.parametrize("kind", CLASSES)
def test_the_docstring_is_the_default_text(kind: type[AirsideError]) -> None:
    first_line = (kind.__doc__ or "").splitlines()[0]
    assert kind().message == first_line
    assert str(kind()) == first_line != ""


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_is_the_same_behind_the_wire(kind: type[AirsideError]) -> None:
    body = kind("what was found").body()
    back = from_wire(kind.status, body.error_code, body.message)
    assert (type(back), back.message, back.code) == (kind, "what was found", kind.code)


def test_an_unknown_code_is_told_by_its_status_and_an_unknown_status_by_the_root() -> None:
    assert type(from_wire(404, "ENDPOINT_NOT_FOUND", "x")) is NotFound
    assert type(from_wire(400, "SOMETHING_ELSE", "x")) is Invalid
    assert type(from_wire(418, "", "x")) is AirsideError


def test_an_error_may_carry_an_older_word_for_the_same_thing() -> None:
    error = Conflict("x", code="INVALID_STATE")
    assert (error.body().error_code, Conflict.code) == ("INVALID_STATE", "RESOURCE_CONFLICT")


def test_a_text_without_end_is_cut() -> None:
    message = Invalid("x" * 100_000).message
    assert len(message) <= MAX_TEXT
    assert message.endswith("… (cut)")


def test_only_what_may_be_tried_again_says_when() -> None:
    again = {kind.__name__ for kind in CLASSES if kind.retry_after_s is not None}
    assert again == {"Overloaded", "Unavailable"}
    assert Overloaded.retry_after_s == 1


def test_quoted_names_are_few_and_short() -> None:
    text = quoted(["x" * 1000] * 50)
    assert text.endswith("… and 40 more")
    assert len(text) < 10 * 210 + 20
    assert quoted([]) == ""
