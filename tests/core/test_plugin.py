"""Names that stand for things which are imported when they are used."""

import pytest

from airside.core.errors import Invalid
from airside.core.plugin import load, resolve

NAMES = {"inline": "airside.core.plugin:load", "away": "no_such_package.adapter:Thing"}


def test_a_name_of_the_table_is_imported_when_it_is_used() -> None:
    assert resolve(NAMES, "inline", group="airside.executors") is load


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(Invalid, match=r"No executors 'x'. There are: 'away', 'inline'"):
        resolve(NAMES, "x", group="airside.executors")


def test_a_missing_package_is_told_with_the_line_that_installs_it() -> None:
    with pytest.raises(Invalid, match=r"'away' needs the package 'no_such_package'. .*pip install 'airside\[away\]'"):
        resolve(NAMES, "away", group="airside.executors", hint="'airside[away]'")


def test_an_installed_package_may_add_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    point = EntryPoint(name="theirs", value="airside.core.plugin:resolve", group="airside.executors")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point] if group == point.group else [])
    assert resolve(NAMES, "theirs", group="airside.executors") is resolve
