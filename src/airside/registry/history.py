"""Who changed what: one line for each change, written in the transaction of the change."""

from collections.abc import Mapping

from airside.core.errors import Invalid
from airside.core.ids import ModelName
from airside.core.operation import Context
from airside.registry import queries
from airside.registry.records import ChangePage

MAX_PAGE = 1000
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
) -> None:
    """Write a line; long texts are cut, the audit log has the whole."""
    line = (name, version, what, key, before[:MAX_TEXT], after[:MAX_TEXT], ctx.actor.name, ctx.now_ms())
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
    if not 1 <= max_results <= MAX_PAGE:
        raise Invalid(f"max_results must be between 1 and {MAX_PAGE}, got {max_results}.")
    if page_token and not (page_token.isascii() and page_token.isdigit() and len(page_token) < 19):
        raise Invalid("Invalid page token. Send the next_page_token of the page before, or none.")
    below = int(page_token) if page_token else 2**63 - 1
    found = queries.changes(ctx.tx, name, version, what, below, max_results + 1)
    shown = found[:max_results]
    return ChangePage(items=shown, next_page_token=str(shown[-1].sequence) if len(found) > max_results else "")
