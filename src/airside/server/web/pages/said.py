"""What went in and came out of a span, as people read it: a conversation, passages, a text, or JSON."""

import json
from typing import Any

from airside.core.record import Record

MAX_CHARACTERS = 20_000
MAX_PARTS = 100


class Part(Record):
    """A message of a conversation, or a passage that was found. `who` is its role or source."""

    who: str
    text: str
    note: str = ""


class Said(Record):
    """A value to be read.

    Attributes:
        parts: messages or passages, where the value has them; else `text`.
        is_passages: whether the parts were found, not said.
        n_left_out: how many characters, or parts, are not shown.
    """

    parts: tuple[Part, ...] = ()
    is_passages: bool = False
    text: str = ""
    n_left_out: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to read."""
        return not self.parts and not self.text


def said(value: Any) -> Said:
    r"""A value of any JSON, as it is best read.

    >>> said({"messages": [{"role": "user", "content": "hi"}]}).parts
    (Part(who='user', text='hi', note=''),)
    >>> said({"x": 1}).text
    '{\n "x": 1\n}'
    """
    if value is None:
        return Said()
    messages = _messages(value)
    passages = [] if messages else _passages(value)
    parts = messages or passages
    if parts:
        return Said(
            parts=tuple(parts[:MAX_PARTS]), is_passages=bool(passages), n_left_out=max(len(parts) - MAX_PARTS, 0)
        )
    text = written(value)
    return Said(text=text[:MAX_CHARACTERS], n_left_out=max(len(text) - MAX_CHARACTERS, 0))


def written(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def _messages(value: Any) -> list[Part]:
    """The messages of a chat's request or answer; nothing where one of them is none."""
    given = value
    if isinstance(value, dict):
        choices = value.get("choices")
        if isinstance(choices, list) and choices:
            given = [choice.get("message") for choice in choices if isinstance(choice, dict)]
        elif "messages" in value:
            given = value["messages"]
        elif "role" in value:
            given = [value]
    if not isinstance(given, list) or not given or not all(_is_message(each) for each in given):
        return []
    return [Part(who=str(each["role"]), text=_content(each)[:MAX_CHARACTERS]) for each in given]


def _is_message(value: Any) -> bool:
    return (
        isinstance(value, dict) and isinstance(value.get("role"), str) and ("content" in value or "tool_calls" in value)
    )


def _content(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list) and all(isinstance(part, dict) and "text" in part for part in content):
        content = "\n".join(str(part["text"]) for part in content)
    calls = message.get("tool_calls")
    words = [] if content is None else [written(content)]
    return "\n".join([*words, written(calls)] if calls else words)


def _passages(value: Any) -> list[Part]:
    """What a retriever found."""
    if not isinstance(value, list) or not value:
        return []
    if not all(isinstance(each, dict) and isinstance(each.get("page_content"), str) for each in value):
        return []
    return [_passage(each, number) for number, each in enumerate(value, 1)]


def _passage(found: dict[str, Any], number: int) -> Part:
    about = found.get("metadata")
    about = about if isinstance(about, dict) else {}
    source = str(about.get("doc_uri") or about.get("source") or found.get("id") or f"passage {number}")
    rest = {key: value for key, value in about.items() if key not in {"doc_uri", "source"}}
    note = ", ".join(f"{key} {value}" for key, value in list(rest.items())[:5])
    return Part(who=source[:200], text=found["page_content"][:MAX_CHARACTERS], note=note[:300])
