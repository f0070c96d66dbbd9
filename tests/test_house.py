"""The package as a whole: one version everywhere, and all its files in the wheel."""

import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest

from airside.core.version import VERSION

ROOT = Path(__file__).parents[1]


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    newest = re.search(r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert (project["version"], newest[1]) == (VERSION, VERSION)


def needed() -> set[str]:
    """Every file of the package that is not byte code, as it is named in a wheel."""
    root = ROOT / "src"
    every = (path for path in (root / "airside").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(root).as_posix() for path in every}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed: pip install hatchling")
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=100,
    )
    (made,) = target.glob("*.whl")
    return zipfile.ZipFile(made)


def test_the_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert needed() - names == set()
    assert {"airside/py.typed", "airside/store/sql/ddl/sqlite.sql", "airside/store/sql/ddl/postgresql.sql"} <= names
    assert [name for name in names if name.endswith("licenses/LICENSE")] != []
    assert [name for name in names if name.startswith("tests/")] == []


def test_the_wheel_holds_the_demos_data_and_the_pages(wheel: zipfile.ZipFile) -> None:
    kinds = {Path(name).suffix for name in wheel.namelist()}
    assert {".parquet", ".html", ".css", ".js", ".sql"} <= kinds


def test_types_are_for_users_too() -> None:
    assert files("airside").joinpath("py.typed").is_file()


def test_the_command_is_where_the_package_says() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    module, _, name = scripts["airside"].partition(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_every_decision_that_the_project_names_is_written_down() -> None:
    named = re.findall(r"docs/decisions/[\w-]+\.md", (ROOT / "pyproject.toml").read_text("utf-8"))
    assert all((ROOT / name).is_file() for name in named)
