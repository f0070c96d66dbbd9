"""Records by what they hang together with: one filter over every room."""

from datetime import datetime

from airside.core.errors import Invalid
from airside.server.web.page import Call, Crumb, PageQuery, Table, Trouble, View, attempt
from airside.server.web.pages.experiments import head_order
from airside.tower.operations.finding import ListSearchable, SearchRecords
from airside.tower.records import MatchPage

EXAMPLES = {
    "versions": "dataset.name = 'people' AND dataset.version = 3 AND metrics.auc > 0.8 AND endpoint.state = 'serving'",
    "runs": "dataset.name = 'people' AND metrics.auc > 0.8 AND started > '-7d'",
    "endpoints": "version.stage = 'Production' AND alert.state = 'open'",
    "predictions": "endpoint.name = 'jobs' AND received > '-24h' AND error != ''",
}
HIDDEN = frozenset({"id", "run_id", "model_id", "source", "request_id"})
"""Long ids: they are behind the link, in the filter and in the twins."""


def finding(call: Call, query: PageQuery) -> View:
    """`/find/versions?filter=…&order=…`: a search across rooms. What is wrong with a filter stands under it."""
    noun, text, order = query.names["noun"], query.arguments.get("filter", ""), query.arguments.get("order", "")
    searchable = call(ListSearchable()).items
    known = {one.find: one for one in searchable if one.find}
    if noun not in known:
        raise Invalid(f"There is nothing called '{noun[:80]}' to search. Search one of: {', '.join(known)}.")
    found = attempt(
        call,
        SearchRecords(find=noun, filter=text, order_by=order, page_token=query.arguments.get("after", "")),
    )
    page = MatchPage(items=()) if isinstance(found, Trouble) else found
    heads = tuple(page.items[0].values) if page.items else tuple(known[noun].fields)
    return View(
        template="finding.html",
        title=f"Find {noun}",
        crumbs=(Crumb(text="Find", href="/find/versions"), Crumb(text=noun)),
        shows={
            "noun": noun,
            "nouns": tuple(known),
            "searchable": searchable,
            "found": found,
            "page": page,
            "kinds": known[noun].fields,
            "instant": datetime.fromisoformat,
            "shown": tuple(head for head in heads if head not in HIDDEN),
            "text": text,
            "order": order,
            "example": EXAMPLES.get(noun, ""),
            "head_order": head_order,
            "topics": (),
        },
        data=found,
        table=Table(heads=heads, rows=tuple(tuple(one.values.values()) for one in page.items)),
    )
