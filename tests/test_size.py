"""What `pip install airside` brings along, watched against the figure that README tells."""

import ast
import re
import tomllib
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PIP_MB = 30
"""README's figure is of a whole environment: pip and setuptools are in it."""
BASE = [
    re.split(r"[\s<>=!~\[(;]", line, maxsplit=1)[0]
    for line in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
]
MODULES = {"markdown-it-py": "markdown_it", "pyyaml": "yaml"}
"""What is imported under another name than it is installed by."""


def _closure() -> dict[str, Distribution]:
    found: dict[str, Distribution] = {}
    waiting = [*BASE]
    while waiting:
        name = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found:
            continue
        try:
            found[key] = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform
        for line in found[key].requires or ():
            requirement, _, marker = line.partition(";")
            if "extra ==" not in marker:
                waiting.append(re.split(r"[\s<>=!~\[(;]", requirement.strip(), maxsplit=1)[0])
    return found


@cache
def _imported() -> frozenset[str]:
    """The packages that some file of the source imports, by a statement or by their names."""
    found: set[str] = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            match node:
                case ast.Import(names=names):
                    found.update(name.name.partition(".")[0] for name in names)
                case ast.ImportFrom(module=str(module)):
                    found.add(module.partition(".")[0])
                case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(module)), *_]):
                    found.add(module.partition(".")[0])
    return frozenset(found)


def test_the_base_install_is_as_large_as_readme_says() -> None:
    told = re.search(r"\| installed \| (\d+) MB, (\d+) packages", (ROOT / "README.md").read_text("utf-8"))
    assert told is not None
    packages = _closure()
    size_mb = 0.0
    for package in packages.values():
        paths = [Path(str(package.locate_file(file))) for file in package.files or ()]
        size_mb += sum(path.stat().st_size for path in paths if path.is_file()) / 2**20
    assert size_mb <= int(told[1]) + PIP_MB, f"{size_mb:.0f} MB"
    assert len(packages) <= int(told[2]) + 1, sorted(packages)


@pytest.mark.parametrize("name", BASE)
def test_every_package_of_the_base_is_imported_somewhere(name: str) -> None:
    assert MODULES.get(name, name) in _imported()
