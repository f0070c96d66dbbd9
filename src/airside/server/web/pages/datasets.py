"""Datasets and their versions: rows, size, what changed against the last, a profile for each column."""

from airside.core.ids import DatasetName, DatasetVersionId
from airside.core.record import Record
from airside.data.operations.datasets import GetDataset, SearchDatasets
from airside.data.operations.versions import DiffDatasetVersions, GetDatasetVersion, ListDatasetVersions
from airside.data.records import ColumnSummary, DatasetVersion
from airside.server.web.page import Call, Crumb, PageQuery, Table, Trouble, View, address, attempt, block
from airside.server.web.pages.lineage import neighbourhood
from airside.server.web.pages.versions import version_number

PROFILE_HEADS = ("column", "type", "role", "rows", "missing", "distinct", "minimum", "maximum", "mean", "deviation")


class ColumnRow(Record):
    """A column with what it holds."""

    name: str
    type: str
    role: str
    sensitive: bool
    summary: ColumnSummary | None
    top_share: float


def datasets(call: Call, query: PageQuery) -> View:
    """Every dataset, by name."""
    text = query.arguments.get("filter", "")
    page = call(SearchDatasets(text=text, max_results=50, page_token=query.arguments.get("after", "")))
    heads = ("name", "owner", "newest", "created_by", "created_at", "updated_at", "description")
    return View(
        template="datasets.html",
        title="Datasets",
        place="Datasets",
        crumbs=(Crumb(text="Datasets"),),
        shows={"page": page, "text": text, "topics": ("datasets",)},
        data=page,
        table=Table(heads=heads, rows=tuple(tuple(getattr(one, head) for head in heads) for one in page.items)),
    )


def dataset(call: Call, query: PageQuery) -> View:
    """One dataset with its versions."""
    found = call(GetDataset(name=DatasetName(query.names["name"])))
    page = call(ListDatasetVersions(name=found.name, max_results=50, page_token=query.arguments.get("after", "")))
    before = {new.version: old.rows for new, old in zip(page.items, page.items[1:], strict=False)}
    heads = ("version", "id", "rows", "size_bytes", "digest", "created_by", "created_at", "note")
    return View(
        template="dataset.html",
        title=found.name,
        place="Datasets",
        crumbs=(Crumb(text="Datasets", href="/datasets"), Crumb(text=found.name)),
        shows={"dataset": found, "page": page, "before": before, "topics": ("datasets", f"dataset:{found.name}")},
        data={"dataset": found, "versions": page},
        table=Table(heads=heads, rows=tuple(tuple(getattr(one, head) for head in heads) for one in page.items)),
    )


def dataset_version(call: Call, query: PageQuery) -> View:
    """One version: findings, schema with a profile of each column, files, difference to the one before, users."""
    name, number = DatasetName(query.names["name"]), version_number(query.names["version"])
    found = call(GetDatasetVersion(name=name, version=number))
    rows = columns_of(found)
    diff = attempt(call, DiffDatasetVersions(name=name, before=number - 1, after=number)) if number > 1 else None
    return View(
        template="dataset_version.html",
        title=f"{name}@{number}",
        place="Datasets",
        crumbs=(
            Crumb(text="Datasets", href="/datasets"),
            Crumb(text=name, href=address("/datasets/{}", name)),
            Crumb(text=f"version {number}"),
        ),
        shows={
            "version": found,
            "rows": rows,
            "diff": diff,
            "chain": block(lambda: neighbourhood(call, "dataset_version", found.id, hops=2)),
        },
        data={"version": found, "diff": None if isinstance(diff, Trouble) else diff},
        table=Table(heads=PROFILE_HEADS, rows=tuple(_cells(one) for one in rows)),
    )


def columns_of(found: DatasetVersion) -> tuple[ColumnRow, ...]:
    """The columns of the schema with their summaries, in the schema's order."""
    summaries = {one.name: one for one in found.summaries}
    return tuple(
        ColumnRow(
            name=one.name,
            type=one.type,
            role=one.role,
            sensitive=one.sensitive,
            summary=summaries.get(one.name),
            top_share=_top(summaries.get(one.name)),
        )
        for one in found.columns
    )


def _top(summary: ColumnSummary | None) -> float:
    return summary.top[0].rows / summary.rows if summary and summary.top and summary.rows else 0.0


def _cells(one: ColumnRow) -> tuple[object, ...]:
    it = one.summary
    figures = (it.rows, it.missing, it.distinct, it.minimum, it.maximum, it.mean, it.deviation) if it else (None,) * 7
    return (one.name, one.type, one.role, *figures)


def by_id(call: Call, query: PageQuery) -> View:
    """`/dataset-versions/dv-…` leads to the version's page."""
    found = call(GetDatasetVersion(id=DatasetVersionId(query.names["id"])))
    return View(redirect=address("/datasets/{}/versions/{}", found.name, str(found.version)), data=found)
