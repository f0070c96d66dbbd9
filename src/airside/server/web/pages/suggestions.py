"""What a filter of runs could go on with: names that the experiment's runs have, operators, values."""

from typing import Literal

from airside.core.ids import ExperimentId
from airside.core.record import Record
from airside.server.web import completing
from airside.server.web.page import Call, PageQuery, View, address, attempt, known
from airside.tracking.operations.naming import ListNames, ListValues
from airside.tracking.records import Names

MOST = 12
MAX_TEXT = 4000
KINDS: tuple[Literal["metrics", "params", "tags"], ...] = ("metrics", "params", "tags")
NOTES = {"metrics": "metric", "params": "parameter", "tags": "tag"}
QUIET = "mlflow."
"""Tags that clients set for themselves: offered when they are asked for."""


class Suggestion(Record):
    """What could be written from `start` on."""

    text: str
    note: str = ""


class Suggestions(Record):
    """Suggestions, and where what they replace begins."""

    start: int
    items: tuple[Suggestion, ...] = ()


def suggestions(call: Call, query: PageQuery) -> View:
    """`/experiments/E/suggestions.json?text=…`: the text up to the cursor. There is no page of it."""
    if query.twin == "html":
        return View(redirect=address("/experiments/{}/runs", query.names["experiment"]))
    text = query.arguments.get("text", "")[:MAX_TEXT]
    asked = completing.wanted(text)
    of = ExperimentId(query.names["experiment"])
    if asked.what == "key":
        items = _keys(call, of, asked.word)
    elif asked.what == "operator":
        items = [Suggestion(text=one) for one in completing.operators(asked.key) if asked.word.upper() in one]
    elif asked.what == "value":
        items = _values(call, of, asked)
    else:
        items = [Suggestion(text="AND")] if not asked.word or "AND".startswith(asked.word.upper()) else []
    return View(data=Suggestions(start=asked.start, items=tuple(items[:MOST])))


def _keys(call: Call, of: ExperimentId, word: str) -> list[Suggestion]:
    root, text = completing.split(word)
    own = [one for one in completing.OWN if word.lower() in one]
    kinds = [kind for kind in KINDS if not root or kind.startswith(root)]
    found = {kind: _names(call, of, kind, text) for kind in kinds}
    each = MOST if root else MOST // 4
    items = [
        Suggestion(text=completing.keyed(kind, name), note=NOTES[kind])
        for kind, names in found.items()
        for name in names[:each]
    ]
    return [*items, *(Suggestion(text=one) for one in own)]


def _names(call: Call, of: ExperimentId, kind: Literal["metrics", "params", "tags"], text: str) -> list[str]:
    found = known(attempt(call, ListNames(experiment_id=of, kind=kind, text=text)), Names(items=())).items
    is_asked = bool(text) and (QUIET.startswith(text) or text.startswith(QUIET))
    return [name for name in found if is_asked or not name.startswith(QUIET)]


def _values(call: Call, of: ExperimentId, asked: completing.Wanted) -> list[Suggestion]:
    kind, name = completing.split(asked.key)
    if asked.key in {"attributes.status", "status"}:
        found: tuple[str, ...] = tuple(one for one in completing.STATES if one.startswith(asked.word.upper()))
    elif kind in {"params", "tags"}:
        ask = ListValues(experiment_id=of, kind=kind, key=name, text=asked.word, max_results=MOST)  # type: ignore[arg-type]
        found = known(attempt(call, ask), Names(items=())).items
    else:
        found = ()
    return [Suggestion(text=completing.quoted(one)) for one in found]
