"""From a view to bytes: Jinja2 with strict autoescape, named blocks as fragments, the twins as data."""

import csv
import io
import json
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import jinja2
import jinja2.nodes
import msgspec
from markupsafe import Markup

from airside.core.clock import from_ms
from airside.core.errors import AirsideError, NotFound
from airside.server.web import format as words
from airside.server.web.links import chain_href
from airside.server.web.markdown import markdown
from airside.server.web.page import Crumb, Page, PageQuery, View, address, as_data
from airside.server.web.shell import NAVIGATION
from airside.server.web.static import static_url
from airside.server.web.status import light

PARTS = (
    "parts/marks.html",
    "parts/layout.html",
    "parts/pictures.html",
    "parts/watching.html",
    "parts/captures.html",
    "parts/tables.html",
    "parts/traces.html",
    "parts/forms.html",
)
"""The files of components; their macros are `ui.<name>` in every template."""

VARY = (("Vary", "HX-Request, HX-Target, Cookie"),)
HTML = "text/html; charset=utf-8"

_IN_SCRIPT = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def script_json(value: Any) -> Markup:
    r"""Data for a module, for inside `<script type="application/json">`: nothing in it can end the element.

    >>> script_json({"a": "</script>"})
    Markup('{"a":"\\u003c/script\\u003e"}')
    """
    text = json.dumps(as_data(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(_IN_SCRIPT))  # noqa: S704 -- every character that HTML could act on is escaped


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """The templates with the words that they may use."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("airside.server.web", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(
        address=address,
        light_of=light,
        static=static_url,
        navigation=NAVIGATION,
        dash=words.DASH,
        script_json=script_json,
        chain_href=chain_href,
    )
    made.filters.update(
        {
            name: getattr(words, name)
            for name in (
                *("number", "figure", "count", "compact", "share", "signed", "points", "estimate", "duration"),
                *("milliseconds", "size", "instant", "day", "since", "short", "plural"),
            )
        },
        markdown=markdown,
        from_ms=from_ms,
    )
    components: dict[str, Any] = {}
    made.globals["ui"] = ui = SimpleNamespace()
    for part in PARTS:
        module = made.get_template(part).module
        components = {name: macro for name, macro in vars(module).items() if not name.startswith("_")}
        ui.__dict__.update(components)
    return made


def render(view: View, query: PageQuery) -> Page:
    """Write a view in the form that was asked for: a page, one block of it, or its twin.

    Raises:
        NotFound: the page has no table, or no block of that name.
    """
    if view.redirect:
        return Page(body=b"", status=303, headers=(("Location", view.redirect),))
    if query.twin == "json":
        return Page(body=_json(view.data), content_type="application/json", status=view.status)
    if query.twin == "csv":
        return _csv(view)
    shows = {"view": view, "query": query, **view.shows}
    if query.fragment:
        text = render_block(view.template, query.fragment, shows)
    else:
        text = environment().get_template(view.template).render(shows)
    return Page(body=text.encode(), status=view.status, headers=VARY)


def render_block(template: str, name: str, shows: dict[str, Any]) -> str:
    """One named block of a template, its own or inherited, alone.

    Raises:
        NotFound: there is no block of that name.
    """
    chain = [environment().get_template(one) for one in ancestry(template)]
    context = chain[0].new_context(shows)
    for parent in chain[1:]:
        for key, block in parent.blocks.items():
            context.blocks.setdefault(key, []).append(block)
    if name not in context.blocks:
        raise NotFound(f"No part '{name[:60]}' of this page. Load the page again.")
    return "".join(context.blocks[name][0](context))


@lru_cache(maxsize=256)
def ancestry(template: str) -> tuple[str, ...]:
    """A template and those that it extends, the nearest first."""
    made = environment()
    source, _, _ = made.loader.get_source(made, template)  # type: ignore[union-attr]  # it has a loader
    parents = [node.template.value for node in made.parse(source).find_all(jinja2.nodes.Extends)]  # type: ignore[attr-defined]  # a constant
    return (template, *(ancestry(parents[0]) if parents else ()))


def _json(data: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(as_data(data)), indent=1)


def _csv(view: View) -> Page:
    """The page's table: unrounded, ISO times, and nothing that a spreadsheet would take for a formula."""
    if view.table is None:
        raise NotFound("This page has no table. Its data are at the same address with .json.")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(view.table.heads)
    writer.writerows([_cell(value) for value in row] for row in view.table.rows)
    return Page(body=text.getvalue().encode(), content_type="text/csv; charset=utf-8")


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    plain = as_data(value)
    if isinstance(plain, str) and plain.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + plain
    return plain


def render_error(error: AirsideError, query: PageQuery) -> Page:
    """An error in the form that was asked for: a page, a block in its place, or the API's JSON."""
    if query.twin != "html":
        return Page(body=msgspec.json.encode(error.body()), content_type="application/json", status=error.status)
    shows = {"trouble": error.body(), "status": error.status}
    titles = {401: "Sign in", 403: "No right to see this", 404: "Not found"}
    view = View(
        template="error.html",
        title=titles.get(error.status, "Could not be shown"),
        crumbs=(Crumb(text="Could not be shown"),),
        shows=shows,
        status=error.status,
    )
    if query.fragment:
        text = render_block(view.template, "in_place", {"view": view, "query": query, **shows})
        return Page(body=text.encode(), status=error.status, headers=VARY)
    return render(view, query)
