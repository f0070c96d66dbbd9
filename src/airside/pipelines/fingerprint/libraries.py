"""What a module is: the project's, Python's own, an installed distribution's, or loose files."""

import importlib.metadata
import re
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from blake3 import blake3

_STDLIB = tuple(str(Path(sysconfig.get_paths()[name]).resolve()) for name in ("stdlib", "platstdlib"))
_SITES = ("site-packages", "dist-packages")
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)(.*)", re.DOTALL)
OWN = "airside"
_OFTEN = {"sklearn": "scikit-learn", "yaml": "PyYAML", "PIL": "pillow", "dateutil": "python-dateutil"}
"""Modules whose distribution has another name, so that the slow look through all distributions is seldom needed."""


def is_standard(module_name: str, file: str | None) -> bool:
    """Whether a module is part of Python itself: its version stands for it."""
    top = module_name.partition(".")[0]
    if top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return True
    return file is not None and file.startswith(_STDLIB) and not is_installed(file)


def is_installed(file: str) -> bool:
    """Whether a file is of an installed distribution."""
    return any(f"/{site}/" in file.replace("\\", "/") for site in _SITES)


def file_of(module: ModuleType) -> str | None:
    """The resolved file of a module, or its folder for a package without one."""
    file = getattr(module, "__file__", None)
    if file:
        return str(Path(file).resolve())
    paths = list(getattr(module, "__path__", []))
    return str(Path(paths[0]).resolve()) if paths else None


@lru_cache(maxsize=1)
def _packages() -> dict[str, list[str]]:
    return {top: list(names) for top, names in importlib.metadata.packages_distributions().items()}


@lru_cache(maxsize=256)
def _distribution(name: str) -> importlib.metadata.Distribution | None:
    try:
        return importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def library_parts(top: str) -> dict[str, str]:
    """The versions of the distribution that a top-level module belongs to, and of all that it requires.

    >>> sorted(library_parts("msgspec"))
    ['library:msgspec']
    """
    parts: dict[str, str] = {}
    name = _OFTEN.get(top, top)
    waiting = [name] if _distribution(name) else _packages().get(top, [])
    while waiting:
        name = waiting.pop()
        found = _distribution(name)
        key = f"library:{re.sub(r'[-_.]+', '-', name).lower()}"
        if found is None or key in parts:
            continue
        parts[key] = found.version
        waiting += [_required(line) for line in found.requires or () if _required(line)]
    return parts


def _required(line: str) -> str:
    """The name in a requirement, unless it is for an extra only."""
    found = _REQUIREMENT.match(line)
    if found is None or "extra" in found[2].partition(";")[2]:
        return ""
    return found[1]


@lru_cache(maxsize=256)
def tree_digest(path: str) -> str:
    """The content of a loose module: its file, or every Python file of its package."""
    hasher = blake3()
    place = Path(path)
    root = place.parent if place.name == "__init__.py" else place
    for file in sorted(root.rglob("*.py")) if root.is_dir() else [place]:
        hasher.update(str(file.relative_to(root.parent)).encode())
        hasher.update(file.read_bytes())
    return hasher.hexdigest(length=12)
