"""The catalog: one row for each model, recomputed from what the rooms know, then only read."""

from airside.core.errors import Invalid, NotFound
from airside.core.ids import ModelName
from airside.core.operation import Context, operation
from airside.core.record import Ask
from airside.registry.operations.models import GetModel, get_model
from airside.registry.rules import is_prompt
from airside.tower import facts, queries, rules
from airside.tower.records import CatalogPage, CatalogRow, CatalogSummary, State

MAX_PAGE = 1_000


class RefreshRow(Ask[CatalogRow]):
    """A model whose row shall be computed again.

    Attributes:
        score: its ML Test Score; None keeps what is known.
    """

    name: ModelName
    score: float | None = None


@operation("catalog.refresh", needs="catalog:write", audit="measure")
def refresh_row(ctx: Context, ask: RefreshRow) -> CatalogRow:
    """Compute a model's row from what the rooms know now. The row of a model that is gone is removed.

    A prompt is registered as a model is, but it is none: it has a page of its own, and no row here.

    Raises:
        NotFound: there is no such model; its row is gone too.
    """
    known = queries.row(ctx.tx, ask.name)
    score = ask.score if ask.score is not None or known is None else known.score
    model = get_model(ctx, GetModel(name=ask.name))
    row = rules.row_of(facts.gather(ctx, model, score))
    if is_prompt(model.tags):
        queries.drop_row(ctx.tx, ask.name)
    else:
        queries.put_row(ctx.tx, row)
    return row


class ForgetRow(Ask[CatalogSummary]):
    """A model that is gone, or has another name now."""

    name: ModelName


@operation("catalog.forget", needs="catalog:write", audit="measure")
def forget_row(ctx: Context, ask: ForgetRow) -> CatalogSummary:
    """Remove the row of a model that is gone; nothing happens when there is none."""
    queries.drop_row(ctx.tx, ask.name)
    return rules.summary_of(queries.all_rows(ctx.tx))


class GetRow(Ask[CatalogRow]):
    """A model's row."""

    name: ModelName


@operation("catalog.get", needs="catalog:read")
def get_row(ctx: Context, ask: GetRow) -> CatalogRow:
    """A model at a glance, as of its last refresh.

    Raises:
        NotFound: the catalog has no row of that name.
    """
    found = queries.row(ctx.tx, ask.name)
    if found is None:
        raise NotFound(f"The catalog has no model '{ask.name}'. List them with: catalog.list")
    return found


class ListRows(Ask[CatalogPage]):
    """Rows; an empty field matches every one. The page token is the last name seen, behind its rank.

    Attributes:
        text: a part of the name, whatever its case.
    """

    state: State | None = None
    project: str = ""
    text: str = ""
    max_results: int = 100
    page_token: str = ""


@operation("catalog.list", needs="catalog:read")
def list_rows(ctx: Context, ask: ListRows) -> CatalogPage:
    """The catalog, what needs action first, then by name.

    Raises:
        Invalid: the page's size or token cannot be read.
    """
    if not 1 <= ask.max_results <= MAX_PAGE:
        raise Invalid(f"max_results is {ask.max_results}; it must be within 1 and {MAX_PAGE}.")
    found = queries.rows(ctx.tx, ask.state or "", ask.project, ask.text, _key(ask.page_token), ask.max_results + 1)
    items = tuple(found[: ask.max_results])
    more = len(found) > len(items)
    return CatalogPage(items=items, next_page_token=f"{rules.RANK[items[-1].state]}:{items[-1].name}" if more else "")


def _key(token: str) -> tuple[int, str]:
    """The key behind which a page begins.

    >>> _key("1:churn:eu"), _key("")
    ((1, 'churn:eu'), (-1, ''))
    """
    if not token:
        return -1, ""
    rank, colon, name = token.partition(":")
    if not colon or rank not in {str(one) for one in rules.RANK.values()}:
        raise Invalid(f"The page token '{token[:40]}' is none of ours. Leave it out to begin anew.")
    return int(rank), name


class SummariseCatalog(Ask[CatalogSummary]):
    """The catalog in figures, of one project or of all."""

    project: str = ""


@operation("catalog.summary", needs="catalog:read")
def summarise(ctx: Context, ask: SummariseCatalog) -> CatalogSummary:
    """How many models are in which state, alerts, traffic of 24 hours, the median score."""
    return rules.summary_of([row for row in queries.all_rows(ctx.tx) if ask.project in {"", row.project}])
