"""Docstrings as people read them elsewhere: in `--help`, and on the reference pages."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Example|Examples|Yields):$", re.MULTILINE)
_ENTRY = re.compile(r"(?:^|(?<=\.) )([a-zA-Z_][\w, `]*): ")


def sections(thing: Any) -> dict[str, str]:
    """The sections of a docstring, by their heading; what comes before the first one is under the empty text."""
    own = thing.__doc__ if isinstance(thing, type) else getattr(thing, "__doc__", "")
    text = inspect.cleandoc(own or "")
    parts = _SECTION.split(text)
    found = {"": parts[0].strip()}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        found[name] = inspect.cleandoc("\n" + body).strip()
    return found


def entries(body: str) -> Iterator[tuple[str, str]]:
    """The `name: text` entries of a section; several may share a line, and one may go over several."""
    for block in re.split(r"\n(?=\S)", body):
        line = " ".join(block.split())
        parts = _ENTRY.split(line)
        for names, text in zip(parts[1::2], parts[2::2], strict=True):
            for name in names.split(","):
                yield name.strip(" `"), text.strip()
