"""Prompts: their versions, and what changed between two of them."""

import difflib
import re
from collections.abc import Sequence

from airside.core.clock import from_ms
from airside.core.errors import NotFound
from airside.core.ids import ModelName
from airside.core.record import Record
from airside.registry.operations.models import GetModel, SearchModels
from airside.registry.operations.versions import SearchVersions
from airside.registry.records import ModelVersion
from airside.registry.rules import PROMPT_TAG, PROMPT_TEXT_TAG, is_prompt
from airside.server.web.completing import quoted
from airside.server.web.page import Call, Crumb, PageQuery, Table, View
from airside.server.web.pages.said import said, written
from airside.server.web.pages.versions import version_number
from airside.tracking.traces.conventions import opened

MAX_LINES = 1000
_PROMPTS = f"tags.`{PROMPT_TAG}` = 'true'"
_VARIABLE = re.compile(r"\{\{\s*([^\s{}]{1,60})\s*\}\}")
HEADS = ("name", "version", "aliases", "created_by", "created_at", "message", "text")


class DiffLine(Record):
    """A line of a difference: `mark` is `+`, `-`, `@` (lines were left out) or a blank."""

    mark: str
    text: str


def prompts(call: Call, query: PageQuery) -> View:
    """Every prompt, `filter=` a part of its name."""
    text = query.arguments.get("filter", "").strip()
    named = f" AND name ILIKE {quoted(f'%{text}%')}" if text else ""
    page = call(SearchModels(filter=_PROMPTS + named, max_results=50, page_token=query.arguments.get("after", "")))
    heads = ("name", "description", "newest", "updated_ms")
    return View(
        template="prompts.html",
        title="Prompts",
        place="Prompts",
        crumbs=(Crumb(text="Prompts"),),
        shows={"page": page, "text": text, "newest": newest, "topics": ("models",)},
        data=page,
        table=Table(
            heads=heads,
            rows=tuple((one.name, one.description, newest(one.latest_versions), one.updated_ms) for one in page.items),
        ),
    )


def newest(versions: Sequence[ModelVersion]) -> int | None:
    """The highest number."""
    return max((one.version for one in versions), default=None)


def prompt(call: Call, query: PageQuery) -> View:
    """One prompt: the text of a version, and how it differs from another (`from=`).

    Raises:
        NotFound: there is no such prompt.
    """
    name = ModelName(query.names["name"])
    found = call(GetModel(name=name))
    if not is_prompt(found.tags):
        raise NotFound(f"'{name[:200]}' is a model, not a prompt: it is in the catalog.")
    page = call(
        SearchVersions(
            filter=f"name = {quoted(name)} AND {_PROMPTS}",
            order_by=("version_number DESC",),
            max_results=50,
            page_token=query.arguments.get("after", ""),
        )
    )
    shown = _chosen(page.items, query.arguments.get("version", ""))
    before = (
        _chosen(page.items, query.arguments.get("from", ""))
        if query.arguments.get("from")
        else _older(page.items, shown)
    )
    text = text_of(shown)
    return View(
        template="prompt.html",
        title=name,
        place="Prompts",
        crumbs=(Crumb(text="Prompts", href="/prompts"), Crumb(text=name)),
        shows={
            "prompt": found,
            "page": page,
            "shown": shown,
            "before": before,
            "said": said(opened(text)),
            "variables": tuple(dict.fromkeys(_VARIABLE.findall(text)))[:100],
            "lines": difference(text_of(before), text) if before and shown else (),
            "from_ms": from_ms,
            "topics": (f"model:{name}",),
        },
        data={"prompt": found, "versions": page},
        table=Table(heads=HEADS, rows=tuple(_cells(one) for one in page.items)),
    )


def _chosen(versions: Sequence[ModelVersion], text: str) -> ModelVersion | None:
    """The version of a number; the newest of the page where none was asked for."""
    if not text:
        return next(iter(versions), None)
    number = version_number(text)
    return next((one for one in versions if one.version == number), None)


def _older(versions: Sequence[ModelVersion], shown: ModelVersion | None) -> ModelVersion | None:
    return next((one for one in versions if shown and one.version < shown.version), None)


def text_of(version: ModelVersion | None) -> str:
    """The template of a version; of a chat its messages as JSON, a line each."""
    raw = version.tags.get(PROMPT_TEXT_TAG, "") if version else ""
    return written(opened(raw))


def difference(before: str, after: str) -> tuple[DiffLine, ...]:
    r"""What changed, line by line, with three lines around each change; of long texts the first thousand lines.

    >>> [(line.mark, line.text) for line in difference("a\nb", "a\nc")]
    [(' ', 'a'), ('-', 'b'), ('+', 'c')]
    """
    lines = difflib.unified_diff(before.splitlines()[:MAX_LINES], after.splitlines()[:MAX_LINES], lineterm="", n=3)
    body = [line for i, line in enumerate(lines) if i > 1][1:]  # without the names of the files and the first place
    return tuple(DiffLine(mark=line[:1], text="" if line.startswith("@@") else line[1:]) for line in body)


def _cells(one: ModelVersion) -> tuple[object, ...]:
    head = (one.name, one.version, " ".join(one.aliases), one.created_by, from_ms(one.created_ms))
    return (*head, one.description, one.tags.get(PROMPT_TEXT_TAG, ""))
