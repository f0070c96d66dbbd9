"""Finding registered models and versions: MLflow's grammar, with prompts left out unless they are asked for."""

import re

from airside.core.errors import Invalid
from airside.core.operation import Context
from airside.core.search import (
    LISTED,
    NULLABLE,
    NUMERIC,
    TEXTUAL,
    Comparison,
    Field,
    Grammar,
    Order,
    PageToken,
    parse_filter,
    parse_orders,
    read_token,
    write_token,
)
from airside.registry import queries, rules
from airside.registry.queries.finding import Wanted
from airside.registry.records import ModelPage, VersionPage

MAX_MODELS = 1000
MAX_VERSIONS = 200_000
MAX_FILTER_BYTES = 64 << 10
MAX_COMPARISONS = 100

_ENTITIES = {"attribute": "attribute", "tag": "tag", "tags": "tag"}

_NUMBERED = re.compile(r"(\bversion_number\s*(?:=|!=|[<>]=?)\s*)(['\"])(\d{1,18})\2", re.ASCII)
"""A number in quotes, which MLflow takes for the number."""

MODELS = Grammar(
    entities=_ENTITIES,
    fields={"attribute": {"name": Field(operators=LISTED)}, "tag": Field(operators=NULLABLE)},
    aliases={"timestamp": "last_updated_timestamp"},
    orderable=("name", "timestamp", "last_updated_timestamp"),
    quotes_clauses=False,
    no_order="Invalid order by key '{key}' specified. Valid keys are '{{{keys}}}'",
)
VERSIONS = Grammar(
    entities=_ENTITIES,
    fields={
        "attribute": {
            "name": Field(operators=LISTED),
            "run_id": Field(operators=LISTED),
            "source_path": Field(operators=TEXTUAL),
            "version_number": Field(kind="integer", operators=NUMERIC),
        },
        "tag": Field(operators=NULLABLE),
    },
    orderable=("name", "version_number", "creation_timestamp", "last_updated_timestamp"),
    quotes_clauses=False,
)


def models(ctx: Context, text: str, max_results: int, order_by: tuple[str, ...], page_token: str) -> ModelPage:
    """A page of registered models.

    Raises:
        Invalid: something of it cannot be read.
    """
    if max_results > MAX_MODELS:
        raise Invalid(
            f"Invalid value for request parameter max_results. It must be at most {MAX_MODELS}, "
            f"but got value {max_results}"
        )
    _check_positive(max_results)
    prompts, comparisons = _comparisons(text, MODELS, "registered model")
    orders = parse_orders(order_by, MODELS) or (Order(entity="attribute", key="name"),)
    orders = _ending(orders, Order(entity="attribute", key="name"))
    wanted = Wanted(
        comparisons=comparisons,
        prompts=prompts,
        orders=orders,
        offset=read_token(page_token).offset,
        limit=max_results + 1,
    )
    names = queries.model_names(ctx.tx, wanted)
    shown = queries.models_of(ctx.tx, names[:max_results])
    return ModelPage(items=shown, next_page_token=_next(wanted, len(names), max_results))


def versions(ctx: Context, text: str, max_results: int, order_by: tuple[str, ...], page_token: str) -> VersionPage:
    """A page of versions.

    Raises:
        Invalid: something of it cannot be read.
    """
    _check_positive(max_results)
    if max_results > MAX_VERSIONS:
        raise Invalid(
            f"Invalid value for request parameter max_results. It must be at most {MAX_VERSIONS}, "
            f"but got value {max_results}"
        )
    prompts, comparisons = _comparisons(text, VERSIONS, "model version")
    orders = parse_orders(order_by, VERSIONS) or (
        Order(entity="attribute", key="last_updated_timestamp", is_ascending=False),
    )
    orders = _ending(orders, Order(entity="attribute", key="name"))
    orders = _ending(orders, Order(entity="attribute", key="version_number", is_ascending=False))
    wanted = Wanted(
        comparisons=comparisons,
        prompts=prompts,
        orders=orders,
        offset=read_token(page_token).offset,
        limit=max_results + 1,
    )
    keys = queries.version_keys(ctx.tx, wanted)
    shown = queries.versions_of(ctx.tx, keys[:max_results])
    return VersionPage(items=shown, next_page_token=_next(wanted, len(keys), max_results))


def _comparisons(text: str, grammar: Grammar, what: str) -> tuple[bool, tuple[Comparison, ...]]:
    """Whether prompts are asked for, and the other conditions of a filter."""
    if len(text.encode("utf-8", "replace")) > MAX_FILTER_BYTES:
        raise Invalid("The filter is longer than 64 KiB. Split the search.")
    comparisons = parse_filter(_NUMBERED.sub(r"\1\3", text), grammar)
    if len(comparisons) > MAX_COMPARISONS:
        raise Invalid(f"A filter has at most {MAX_COMPARISONS} comparisons, got {len(comparisons)}.")
    if any(each.operator.endswith("NULL") for each in comparisons):
        raise Invalid(f"IS NULL / IS NOT NULL is not supported for {what} search.")
    return _without_prompt_tag(comparisons)


def _without_prompt_tag(comparisons: tuple[Comparison, ...]) -> tuple[bool, tuple[Comparison, ...]]:
    """Whether prompts are asked for, and the other comparisons.

    >>> _without_prompt_tag(parse_filter("tags.`mlflow.prompt.is_prompt` = 'true'", MODELS))
    (True, ())
    """
    rest = tuple(each for each in comparisons if (each.entity, each.key) != ("tag", rules.PROMPT_TAG))
    asked = [each for each in comparisons if each not in rest]
    return any((each.operator, str(each.value).lower()) in {("=", "true"), ("!=", "false")} for each in asked), rest


def _ending(orders: tuple[Order, ...], tie: Order) -> tuple[Order, ...]:
    return orders if any(order.key == tie.key for order in orders) else (*orders, tie)


def _check_positive(max_results: int) -> None:
    if max_results < 1:
        raise Invalid(f"Invalid value for max_results. It must be a positive integer, but got {max_results}")


def _next(wanted: Wanted, found: int, max_results: int) -> str:
    return write_token(PageToken(offset=wanted.offset + max_results)) if found > max_results else ""
