"""What a folder of MLflow's holds, file by file: facts in YAML, and texts that are named by their files."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from airside.client.imports.trust import Trust
from airside.core.errors import Invalid

META = "meta.yaml"
_FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_META_BYTES = 1 << 20
MAX_TEXT_BYTES = 16 << 20
FAST_BYTES = 8192
"""Up to here the loader in C may read: it has no limit of depth, and ends the process where it is too deep."""

Put = Callable[[str, Sequence[Any]], None]
"""Writes a row of a table."""


def facts_of(trust: Trust, path: Path) -> dict[str, Any]:
    """The facts in a file of YAML.

    Raises:
        Invalid: it is missing, or holds none.
    """
    if not trust.is_file(path):
        raise Invalid(f"{path} is missing, or no file of this folder. Restore it from a backup, or remove its folder.")
    try:
        if path.stat().st_size > MAX_META_BYTES:
            raise Invalid(f"{path} is larger than {MAX_META_BYTES >> 20} MiB: no facts of MLflow's are. Mend it.")
        text = path.read_bytes()
        loader = _FAST if len(text) <= FAST_BYTES else yaml.SafeLoader
        found = yaml.load(text, Loader=loader)  # noqa: S506 -- one of the safe loaders
    except (yaml.YAMLError, ValueError, RecursionError):  # a date that is none is a ValueError of the loader's
        found = None
    if not isinstance(found, dict):
        raise Invalid(f"{path} is damaged: it holds no facts. Restore it from a backup, or remove its folder.")
    return found


def whole(value: object, path: Path) -> int:
    """A whole number that a file holds.

    Raises:
        Invalid: it is none.
    """
    try:
        return int(str(value))
    except ValueError:
        raise Invalid(f"{path}: '{str(value)[:80]}' is not a number.") from None


def texts(trust: Trust, folder: Path) -> Iterator[tuple[str, str]]:
    """Name -> text, of the files in a folder.

    Raises:
        Invalid: one is no UTF-8, or larger than any.
    """
    for key, path in files(trust, folder):
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise Invalid(f"{path} is larger than {MAX_TEXT_BYTES >> 20} MiB: no text of MLflow's is. Remove it.")
        try:
            yield key, path.read_text("utf-8")
        except UnicodeDecodeError:
            raise Invalid(f"{path} is damaged: it is no text in UTF-8. Mend it, or remove it.") from None


def files(trust: Trust, folder: Path) -> Iterator[tuple[str, Path]]:
    """Name -> file; a name with a slash is a file in a folder."""
    for path in trust.files(folder):
        yield path.relative_to(folder).as_posix(), path
