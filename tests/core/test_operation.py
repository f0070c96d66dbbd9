"""The verb: declared once, and everything else read off it."""

import msgspec
import pytest

from airside.core.clock import FixedClock
from airside.core.event import Event
from airside.core.operation import LOCAL, Context, operation, operation_of
from airside.core.record import Ask, Record
from airside.platform.operations import BY_NAME, OPERATIONS


class Sum(Record):
    value: int


class Add(Ask[Sum]):
    values: tuple[int, ...] = ()


@operation("numbers.add", needs="number:read")
def add(ctx: Context, ask: Add) -> Sum:
    """Add numbers.

    Returns:
        Their sum.
    """
    return Sum(value=sum(ask.values))


def context() -> Context:
    return Context(None, FixedClock(1000), bytes, LOCAL, {})  # type: ignore[arg-type]


def test_a_declaration_tells_all_that_others_need() -> None:
    assert (add.name, add.noun, add.verb, add.is_read, add.audit) == ("numbers.add", "number", "read", True, "read")
    assert (add.ask_type, add.answer_type, add.summary) == (Add, Sum, "Add numbers.")
    assert operation_of(Add) is add
    assert repr(add) == "<operation numbers.add>"


def test_calling_it_runs_the_function_in_the_callers_context() -> None:
    assert add(context(), Add(values=(1, 2))) == Sum(value=3)


def test_a_write_is_audited_unless_it_says_otherwise() -> None:
    class Put(Ask[Sum]):
        pass

    def put(ctx: Context, ask: Put) -> Sum:
        return Sum(value=0)

    assert operation("numbers.put", needs="number:write")(put).audit == "change"
    assert operation("numbers.put", needs="number:write", audit="measure")(put).audit == "measure"


def test_a_context_makes_ids_by_its_own_clock_and_chance() -> None:
    ctx = context()
    assert ctx.new_hex() == "0000000003e870008000000000000000"
    assert ctx.new_id("alert") == "al-0000000003e870008000000000000000"
    event = Event()
    ctx.announce(event)
    assert ctx.announced == [event]
    assert event.topics() == ()


def test_every_operation_of_the_table_has_a_name_and_an_ask_of_its_own() -> None:
    assert len(BY_NAME) == len(OPERATIONS)
    assert len({op.ask_type for op in OPERATIONS}) == len(OPERATIONS)
    assert all(operation_of(op.ask_type) is op for op in OPERATIONS)


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_every_operation_says_what_it_does_and_what_it_needs(op: object) -> None:
    from airside.core.operation import Operation

    assert isinstance(op, Operation)
    noun, _, verb = op.name.partition(".")
    assert noun.islower()
    assert verb.islower()
    assert (op.noun != "", op.verb != "", op.summary.endswith(".")) == (True, True, True)
    assert issubclass(op.ask_type, Ask)
    assert msgspec.json.schema(op.ask_type)
    assert msgspec.json.schema(op.answer_type)
