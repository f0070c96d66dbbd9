"""Who changed what: one line for each change, written in the transaction of the change."""

from collections.abc import Mapping

from airside.core.ids import ModelName
from airside.core.operation import Context
from airside.core.paging import cut, number_in, page_size
from airside.registry import queries
from airside.registry.records import ChangePage

MAX_TEXT = 1000


def record(  # noqa: PLR0913 -- the columns of one line
    ctx: Context,
    name: ModelName,
    version: int | None = None,
    *,
    what: str,
    key: str = "",
    before: str = "",
    after: str = "",
    reason: str = "",
) -> None:
    """Write a line; long texts are cut, the audit log has the whole."""
    told = (before[:MAX_TEXT], after[:MAX_TEXT], reason[:MAX_TEXT])
    line = (name, version, what, key, *told, ctx.actor.name, ctx.now_ms())
    queries.insert_change(ctx.tx, line)


def record_first(
    ctx: Context, name: ModelName, version: int | None, description: str | None, tags: Mapping[str, str]
) -> None:
    """Write what a new model or version was given from its beginning."""
    if description:
        record(ctx, name, version, what="description", after=description)
    for key, value in tags.items():
        record(ctx, name, version, what="tag", key=key, after=value)


def page(
    ctx: Context, name: ModelName, version: int | None, what: str, max_results: int, page_token: str
) -> ChangePage:
    """A page of a model's lines, newest first.

    Raises:
        Invalid: the page size or the token is not one.
    """
    size = page_size(max_results)
    found = queries.changes(ctx.tx, name, version, what, number_in(page_token, 2**63 - 1), size + 1)
    items, following = cut(found, size, lambda change: change.sequence)
    return ChangePage(items=items, next_page_token=following)
