"""The kinds of what is captured unasked, and how they are chosen."""

import os
from collections.abc import Collection

from airside.core.errors import Invalid, quoted

KINDS = ("code", "command", "environment", "machine", "seeds", "threads", "metrics")
"""`metrics` are the machine's own, sampled while the run lasts."""
_ALL, _NOTHING = {"all", "1", "true", "yes", "on"}, {"none", "0", "false", "no", "off"}


def chosen(asked: bool | Collection[str] | None) -> frozenset[str]:  # noqa: FBT001 -- what people say
    """The kinds to capture: as asked, else as `AIRSIDE_CAPTURE` says, else all.

    >>> sorted(chosen(["code", "seeds"])), sorted(chosen(False))
    (['code', 'seeds'], [])

    Raises:
        Invalid: there is no such kind.
    """
    if isinstance(asked, bool):
        return frozenset(KINDS) if asked else frozenset()
    if asked is not None and not isinstance(asked, str):
        return _known(asked)
    return parsed(asked if asked is not None else os.environ.get("AIRSIDE_CAPTURE", ""))


def parsed(text: str) -> frozenset[str]:
    """The kinds that a text names: `all`, `none`, some, or all but some.

    >>> sorted(parsed("code, machine")), sorted(parsed("-code,-environment,-metrics"))
    (['code', 'machine'], ['command', 'machine', 'seeds', 'threads'])

    Raises:
        Invalid: there is no such kind.
    """
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    if not words or words == ["all"] or (len(words) == 1 and words[0] in _ALL):
        return frozenset(KINDS)
    if len(words) == 1 and words[0] in _NOTHING:
        return frozenset()
    without = _known([word[1:] for word in words if word.startswith("-")])
    named = _known([word for word in words if not word.startswith("-")])
    return (named or frozenset(KINDS)) - without


def told(asked: bool | Collection[str]) -> str:  # noqa: FBT001 -- what people say
    """The choice as `AIRSIDE_CAPTURE` says it.

    >>> told(False), told(["seeds", "code"])
    ('none', 'code,seeds')
    """
    return ",".join(sorted(chosen(asked))) or "none"


def _known(kinds: Collection[str]) -> frozenset[str]:
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise Invalid(f"There is no kind of capture {quoted(unknown)}. There are: {quoted(KINDS)}; also all and none.")
    return frozenset(kinds)
