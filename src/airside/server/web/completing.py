"""What may stand next in a filter that is being written: pure, without a look at any record."""

import re
from typing import Literal

from airside.core.record import Record

_TOKEN = re.compile(
    r"""(?P<quoted>'(?:[^']|'')*'?|"[^"]*"?)|(?P<sign>!=|<=|>=|=|<|>)|(?P<list>\([^)]*\)?)"""
    r"""|(?P<word>(?:`[^`]*`?|[^\s'"=<>!()`])+)|(?P<other>\S)"""
)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
NUMERIC = ("=", "!=", ">", ">=", "<", "<=")
TEXTUAL = ("=", "!=", "LIKE", "ILIKE", "IN", "IS NOT NULL")
STATES = ("FINISHED", "RUNNING", "FAILED", "KILLED", "SCHEDULED")
OWN = {
    "attributes.status": TEXTUAL[:2],
    "attributes.run_name": TEXTUAL[:4],
    "attributes.user_id": TEXTUAL[:4],
    "attributes.start_time": NUMERIC,
    "attributes.end_time": NUMERIC,
    "attributes.run_id": ("=", "!=", "IN"),
    "dataset.name": TEXTUAL[:5],
    "dataset.digest": TEXTUAL[:5],
    "dataset.context": TEXTUAL[:5],
}
"""What every run has, and what may be asked of it."""


class Wanted(Record):
    """What is to be completed.

    Attributes:
        what: a key, an operator, a value, or the AND before the next comparison.
        start: where the word that is being written begins.
        word: what of it is written.
        key: the key of the comparison, once it is written.
    """

    what: Literal["key", "operator", "value", "and"]
    start: int
    word: str
    key: str = ""


def wanted(text: str) -> Wanted:
    """What stands at the end of a text.

    >>> wanted("metrics.a").what, wanted("metrics.auc ").what, wanted("params.model = 'fo").word
    ('key', 'operator', 'fo')
    >>> wanted("metrics.auc > 0.8 ").what, wanted("metrics.auc > 0.8 AND par").word
    ('and', 'par')
    """
    state: Literal["key", "operator", "value", "and"] = "key"
    key = ""
    tokens = list(_TOKEN.finditer(text))
    for at, token in enumerate(tokens):
        is_last = at == len(tokens) - 1 and token.end() == len(text)
        said = token.group()
        if is_last and _is_open(state, token):
            word = said[1:].replace("''", "'") if token["quoted"] else said
            return Wanted(what=state, start=token.start(), word=word, key=key)
        if state == "key":
            key, state = said, "operator"
        elif state == "operator":
            state = "value" if token["sign"] or said.lower() in {"like", "ilike", "in"} else "operator"
            state = "and" if said.lower() == "null" else state
        elif state == "value":
            state = "and"
        elif said.lower() == "and":
            key, state = "", "key"
    return Wanted(what=state, start=len(text), word="", key=key)


def _is_open(state: str, token: re.Match[str]) -> bool:
    """Whether the last token is still being written."""
    said = token.group()
    if token["quoted"]:
        return len(said) == 1 or said[-1] != said[0]
    if state == "operator":
        return bool(token["word"]) and said.lower() not in {"like", "ilike", "in"}
    return bool(token["word"])


def operators(key: str) -> tuple[str, ...]:
    """What may be asked of a key.

    >>> operators("metrics.`val/auc`")[2], operators("tags.team")[2]
    ('>', 'LIKE')
    """
    return NUMERIC if key.startswith("metrics.") else OWN.get(key, TEXTUAL)


def keyed(kind: str, name: str) -> str:
    """A name as a key of the search language.

    >>> keyed("metrics", "auc"), keyed("params", "max depth")
    ('metrics.auc', 'params.`max depth`')
    """
    return f"{kind}.{name}" if _PLAIN.fullmatch(name) else f"{kind}.`{name}`"


def split(key: str) -> tuple[str, str]:
    """The kind and the name of a key, half written or whole.

    >>> split("params.`max de"), split("lo")
    (('params', 'max de'), ('', 'lo'))
    """
    kind, dot, name = key.partition(".")
    return (kind, name.strip("`")) if dot else ("", key.strip("`"))


def quoted(text: str) -> str:
    """A text as a value of the search language.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"
