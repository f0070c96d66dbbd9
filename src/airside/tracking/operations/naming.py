"""What the runs of an experiment are called by: for a choice of columns, and for a filter that completes itself."""

from typing import Literal

from airside.core.errors import Invalid
from airside.core.ids import ExperimentId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.record import Ask
from airside.tracking import rules
from airside.tracking.queries import keys, naming
from airside.tracking.records import Names

MAX_NAMES = 2000
MAX_VALUES = 100
INDEXED = 200


class ListNames(Ask[Names]):
    """The names of the metrics, parameters or tags of an experiment's runs.

    Attributes:
        text: what the names contain, in capitals or not; every one when it is empty.
    """

    experiment_id: ExperimentId
    kind: Literal["metrics", "params", "tags"]
    text: str = ""
    max_results: int = 200


@operation("runs.names", needs="run:read")
def list_names(ctx: Context, ask: ListNames) -> Names:
    """Names in their order; those that begin with the text come first. Of very many, 2,000 are looked at.

    Raises:
        Invalid: the number of results is not within 1 and 2,000.
    """
    _check(ask.max_results, MAX_NAMES)
    every = naming.names(ctx.tx, ask.kind, rules.experiment_no(ask.experiment_id), MAX_NAMES)
    found = rules.containing(every, ask.text)
    return Names(items=tuple(found[: ask.max_results]), is_cut=len(found) > ask.max_results)


class ListValues(Ask[Names]):
    """The values of a parameter or tag of an experiment's runs that begin with a text."""

    experiment_id: ExperimentId
    kind: Literal["params", "tags"]
    key: str
    text: str = ""
    max_results: int = 12


@operation("runs.values", needs="run:read")
def list_values(ctx: Context, ask: ListValues) -> Names:
    """Values in their order; of long ones the first 200 characters.

    Raises:
        Invalid: the number of results is not within 1 and 100.
    """
    _check(ask.max_results, MAX_VALUES)
    number = keys.known_key(ctx, ask.key)
    if number is None:
        return Names(items=())
    key = (rules.experiment_no(ask.experiment_id), number)
    found = naming.values(ctx.tx, ask.kind, key, ask.text[:INDEXED], ask.max_results + 1)
    return Names(items=tuple(found[: ask.max_results]), is_cut=len(found) > ask.max_results)


def _check(asked: int, most: int) -> None:
    if not 1 <= asked <= most:
        raise Invalid(f"max_results is {asked}; it must be within 1 and {most}.")


OPERATIONS: tuple[AnyOperation, ...] = (list_names, list_values)
