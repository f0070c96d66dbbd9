"""The catalog: every model, its status at a glance with the reason in words."""

from airside.core.estimate import Estimate
from airside.core.record import Record
from airside.server.web.drawing.spark import Spark, spark
from airside.server.web.format import figure
from airside.server.web.page import Call, Crumb, PageQuery, Table, View, address, attempt, known
from airside.tower.operations.catalog import ListRows, SummariseCatalog
from airside.tower.records import CatalogPage, CatalogRow, CatalogSummary, State

STATES: tuple[State, ...] = ("bad", "warn", "info", "idle", "ok")
HEADS = (
    *(
        "name",
        "project",
        "owner",
        "state",
        "reasons",
        "champion_version",
        "newest_version",
        "metric",
        "value",
        "low",
        "high",
    ),
    *("n", "basis", "drift_column", "drift_effect", "drift_threshold", "predictions_24h", "errors_24h", "p95_ms"),
    *("open_alerts", "ml_test_score_of_7", "refreshed_at"),
)


class Row(Record):
    """A row as it is shown: the record and its spark line."""

    it: CatalogRow
    line: Spark
    sentence: str


def catalog(call: Call, query: PageQuery) -> View:
    """Every model, what needs action first."""
    state = next((one for one in STATES if one == query.arguments.get("state")), None)
    page = call(
        ListRows(
            state=state,
            project=query.arguments.get("project", ""),
            text=query.arguments.get("filter", ""),
            max_results=query.number("size", 50, least=1, most=200),
            page_token=query.arguments.get("after", ""),
        )
    )
    summary = attempt(call, SummariseCatalog())
    return View(
        template="catalog.html",
        title="Catalog",
        place="Catalog",
        crumbs=(Crumb(text="Catalog"),),
        shows={
            "rows": tuple(_row(row) for row in page.items),
            "page": page,
            "summary": known(summary, _counted(page)),
            "state": state,
            "topics": ("catalog", "models", "alerts", "rollouts"),
        },
        data=page,
        table=Table(heads=HEADS, rows=tuple(_cells(row) for row in page.items)),
    )


def _row(row: CatalogRow) -> Row:
    if not row.spark:
        return Row(it=row, line=spark(()), sentence="no labels yet" if row.champion else "not served yet")
    sentence = f"{row.spark_of}: {figure(row.spark[0])} to {figure(row.spark[-1])} in {len(row.spark)} windows"
    return Row(it=row, line=spark(row.spark, row.spark_reference), sentence=sentence)


def _counted(page: CatalogPage) -> CatalogSummary:
    """What the rows at hand say, when the whole could not be asked."""
    states = [row.state for row in page.items]
    return CatalogSummary(
        models=len(states),
        ok=states.count("ok"),
        warn=states.count("warn"),
        bad=states.count("bad"),
        info=states.count("info"),
        idle=states.count("idle"),
        open_alerts=sum(row.open_alerts for row in page.items),
        predictions_24h=sum(row.predictions_24h or 0 for row in page.items),
        errors_24h=sum(row.errors_24h or 0 for row in page.items),
        median_score=None,
    )


def _cells(row: CatalogRow) -> tuple[object, ...]:
    quality = row.quality or Estimate(value=float("nan"))
    has = row.quality is not None
    drift = row.drift
    return (
        *(row.name, row.project, row.owner, row.state, "; ".join(reason.text for reason in row.reasons)),
        *(row.champion or None, row.newest or None, row.metric),
        *((quality.value, quality.low, quality.high, quality.n) if has else (None,) * 4),
        row.quality_basis,
        *((drift.column, drift.value, drift.threshold) if drift else (None,) * 3),
        *(row.predictions_24h, row.errors_24h, row.p95_ms, row.open_alerts, row.score, row.refreshed_at),
    )


def models(call: Call, query: PageQuery) -> View:
    """`/models` is the catalog's other name; its twins live there."""
    if query.twin == "html":
        return View(redirect=address("/", **query.arguments))
    return catalog(call, query)
