"""What has a name: one box for every record."""

from airside.server.web.page import Call, Crumb, PageQuery, Table, View
from airside.server.web.pages.lineage import KINDS
from airside.tower.operations.chain import Find
from airside.tower.records import FoundPage

ICONS = {
    **{kind: icon for kind, (_, icon, _) in KINDS.items()},
    "experiment": "flask-conical",
    "registered_model": "package",
    "dataset": "database",
}


def search(call: Call, query: PageQuery) -> View:
    """`/search?q=`: by a part of the name, or the beginning of an id."""
    text = query.arguments.get("q", "").strip()
    found = call(Find(text=text, max_results=50)) if text else FoundPage(items=())
    heads = ("kind", "id", "name", "link")
    return View(
        template="search.html",
        title=f"Search: {text}" if text else "Search",
        crumbs=(Crumb(text="Search"),),
        shows={"found": found, "text": text, "icons": ICONS},
        data=found,
        table=Table(heads=heads, rows=tuple((one.kind, one.id, one.name, one.link) for one in found.items)),
    )
