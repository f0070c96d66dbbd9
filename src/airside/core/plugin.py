"""Names for things that are imported when they are used: built in, or from an installed package's entry points."""

import importlib
from typing import Any

from airside.core.errors import Invalid, quoted


def load(path: str) -> Any:
    """The object at `package.module:name`.

    >>> load("airside.core.plugin:load").__name__
    'load'
    """
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def resolve(names: dict[str, str], name: str, *, group: str, hint: str = "") -> Any:
    """The object that a name stands for in a table, else in the entry points of `group`.

    Raises:
        Invalid: nobody knows the name, or what it needs is not installed (the text has the pip line).
    """
    path = names.get(name)
    if path is None:
        entry_points = load("importlib.metadata:entry_points")  # slow to import, and rarely asked
        found = {point.name: point.value for point in entry_points(group=group)}
        path = found.get(name)
        if path is None:
            raise Invalid(f"No {group.rpartition('.')[2]} '{name}'. There are: {quoted(sorted({*names, *found}))}.")
    try:
        return load(path)
    except ModuleNotFoundError as missing:
        raise Invalid(f"'{name}' needs the package {missing.name!r}. Install it with: pip install {hint}") from missing
