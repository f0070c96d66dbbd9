"""Finding logged models: a stricter grammar than that of runs, and page tokens that know their search."""

import base64
import binascii
from typing import Protocol

import msgspec

from airside.core.errors import Invalid
from airside.core.ids import ExperimentId
from airside.core.operation import Transaction
from airside.core.record import Record
from airside.core.search import LISTED, NUMERIC, Comparison, Field, Grammar, parse_filter
from airside.tracking.logged_models import finding, queries
from airside.tracking.logged_models.records import DatasetFilter, LoggedModelPage, ModelOrder
from airside.tracking.rules import experiment_no

MAX_COMPARISONS = 100
MAX_FILTER_BYTES = 64 << 10
MAX_PAGE = 10_000
STATUSES = ("PENDING", "READY", "FAILED")

_EQUAL = ("=", "!=", "IN", "NOT IN")
_NUMBER = Field(kind="number", operators=NUMERIC)
GRAMMAR = Grammar(
    takes_bare=True,
    entities={"attributes": "attribute", "metrics": "metric", "params": "param", "tags": "tag"},
    fields={
        "attribute": {
            "name": Field(operators=LISTED),
            "model_id": Field(operators=LISTED),
            "model_type": Field(operators=LISTED),
            "status": Field(operators=_EQUAL),  # type: ignore[arg-type]  # operators, spelt above
            "source_run_id": Field(operators=LISTED),
            "experiment_id": Field(operators=LISTED),
            "creation_timestamp": _NUMBER,
            "last_updated_timestamp": _NUMBER,
        },
        "metric": _NUMBER,
        "param": Field(operators=LISTED),
        "tag": Field(operators=LISTED),
    },
    aliases={"creation_time": "creation_timestamp"},
    quotes_clauses=False,
)


class Question(Protocol):
    """What a search asks: the fields of the ask `SearchLoggedModels`."""

    @property
    def experiment_ids(self) -> tuple[ExperimentId, ...]: ...  # noqa: D102 -- the ask's own

    @property
    def filter(self) -> str: ...  # noqa: D102 -- the ask's own

    @property
    def datasets(self) -> tuple[DatasetFilter, ...]: ...  # noqa: D102 -- the ask's own

    @property
    def max_results(self) -> int: ...  # noqa: D102 -- the ask's own

    @property
    def order_by(self) -> tuple[ModelOrder, ...]: ...  # noqa: D102 -- the ask's own

    @property
    def page_token(self) -> str: ...  # noqa: D102 -- the ask's own


class Token(Record):
    """Where the next page begins, and the search that it belongs to."""

    offset: int = 0
    experiment_ids: tuple[str, ...] | None = None
    filter_string: str = ""
    order_by: tuple[ModelOrder, ...] = ()


def page(tx: Transaction, ask: Question) -> LoggedModelPage:
    """A page of logged models.

    Raises:
        Invalid: the filter, the order or the page token cannot be read, or the token is of another search.
    """
    if not 1 <= ask.max_results <= MAX_PAGE:
        raise Invalid(f"max_results must be between 1 and {MAX_PAGE}, got {ask.max_results}.")
    offset = _offset(ask) if ask.page_token else 0
    numbers = tuple(dict.fromkeys(experiment_no(each) for each in ask.experiment_ids))
    if not numbers:
        return LoggedModelPage(items=())
    wanted = finding.Wanted(
        experiments=numbers,
        comparisons=_comparisons(ask.filter),
        datasets=ask.datasets,
        orders=tuple(_checked(order) for order in ask.order_by),
        offset=offset,
        limit=ask.max_results + 1,
    )
    ids = finding.model_ids(tx, wanted)
    more = len(ids) > ask.max_results
    return LoggedModelPage(
        items=queries.some(tx, ids[: ask.max_results]),
        next_page_token=_token(ask, offset + ask.max_results) if more else "",
    )


def _comparisons(text: str) -> tuple[Comparison, ...]:
    if len(text.encode("utf-8", "replace")) > MAX_FILTER_BYTES:
        raise Invalid("The filter is longer than 64 KiB. Split the search.")
    comparisons = parse_filter(text, GRAMMAR)
    if len(comparisons) > MAX_COMPARISONS:
        raise Invalid(f"A filter has at most {MAX_COMPARISONS} comparisons, got {len(comparisons)}.")
    for each in comparisons:
        if (each.entity, each.key) == ("attribute", "status"):
            for status in each.value if isinstance(each.value, tuple) else (each.value,):
                if status not in STATUSES:
                    raise Invalid(f"Unknown model status in filter: '{status}'")
    return comparisons


def _checked(order: ModelOrder) -> ModelOrder:
    """An order whose field is one that can be ordered by; the alias of an attribute resolved."""
    entity, dot, key = order.field_name.partition(".")
    key = key.strip("`") if dot else order.field_name.strip("`")
    if not dot:
        known = GRAMMAR.aliases.get(key, key)
        attributes = GRAMMAR.fields["attribute"]
        if isinstance(attributes, dict) and known in attributes:
            return msgspec.structs.replace(order, field_name=known)
        raise Invalid(f"Invalid order by field name: {order.field_name}.")
    if entity != "metrics" or not key:
        raise Invalid(f"Invalid order by field name: {order.field_name}. Only metrics are supported.")
    return msgspec.structs.replace(order, field_name=f"metrics.{key}")


def _token(ask: Question, offset: int) -> str:
    token = Token(offset=offset, experiment_ids=ask.experiment_ids, filter_string=ask.filter, order_by=ask.order_by)
    return base64.b64encode(msgspec.json.encode(token)).decode()


def _offset(ask: Question) -> int:
    try:
        token = msgspec.json.decode(base64.b64decode(ask.page_token.encode("ascii", "replace")), type=Token)
    except (msgspec.DecodeError, binascii.Error, ValueError, RecursionError):
        raise Invalid(f"Invalid page token: {ask.page_token[:200]}. It is not one of this server's.") from None
    found_ids = None if token.experiment_ids is None else list(token.experiment_ids)
    for what, found, expected in (
        (
            "Experiment IDs in the page token do not match the requested experiment IDs",
            found_ids,
            [*ask.experiment_ids],
        ),
        (
            "Filter string in the page token does not match the requested filter string",
            token.filter_string or None,
            ask.filter or None,
        ),
        ("Order by in the page token does not match the requested order by", token.order_by, ask.order_by),
    ):
        if found != expected:
            raise Invalid(f"{what}. Expected: {str(expected)[:500]}. Found: {str(found)[:500]}")
    if not 0 < token.offset < 2**53:
        raise Invalid(f"Invalid page token, parsed value={token.offset}")
    return token.offset
