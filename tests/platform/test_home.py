"""A home has one owner at a time, and says who it is."""

import json
import os
import stat
from pathlib import Path

import pytest

from airside.core.clock import FixedClock
from airside.core.errors import Conflict, Invalid, Unavailable
from airside.core.settings import Settings
from airside.platform.home import FOLDERS, Home, is_owned, server_of
from airside.platform.wiring import Platform


def test_a_home_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "a" / "home")
    assert {path.name for path in home.path.iterdir()} == set(FOLDERS)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (home.path, *home.path.iterdir())}
    assert modes == {0o700}
    home.close()


def test_of_two_owners_the_second_is_told_where_the_first_answers(tmp_path: Path) -> None:
    first = Home(tmp_path)
    with pytest.raises(Conflict, match=r"in use by another process\. Talk to that one, stop it, or name another"):
        Home(tmp_path)
    first.announce(url="http://127.0.0.1:5000", token="t")
    with pytest.raises(Conflict, match=r"which answers at http://127\.0\.0\.1:5000"):
        Home(tmp_path)
    first.close()
    Home(tmp_path).close()


def test_the_servers_address_is_told_privately_and_forgotten_at_the_end(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert server_of(tmp_path) is None
    home.announce(url="u", token="t")
    assert server_of(tmp_path) == {"pid": os.getpid(), "url": "u", "token": "t"}
    assert stat.S_IMODE((tmp_path / "run" / "server.json").stat().st_mode) == 0o600
    home.close()
    assert server_of(tmp_path) is None


def test_whether_a_home_is_owned_is_known_without_taking_it(tmp_path: Path) -> None:
    assert not is_owned(tmp_path / "nowhere")
    home = Home(tmp_path)
    assert is_owned(tmp_path)
    home.close()
    assert not is_owned(tmp_path)


@pytest.mark.parametrize("content", ["", "no json", "[]", '"text"'])
def test_a_torn_address_is_no_address(tmp_path: Path, content: str) -> None:
    Home(tmp_path).close()
    (tmp_path / "run" / "server.json").write_text(content, "utf-8")
    assert server_of(tmp_path) is None


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(json.dumps({}), "utf-8")
    with pytest.raises(Unavailable, match=r"cannot be written: Not a directory. Name another folder with --home"):
        Home(tmp_path / "file" / "home")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"database": "oracle://x"}, "No database of the kind"),
        ({"blobs": "/proc/nowhere"}, "cannot be opened"),
        ({"artifacts_destination": "/proc/nowhere"}, "cannot be opened"),
    ],
)
def test_a_home_whose_stores_cannot_be_opened_is_given_back(tmp_path: Path, flags: dict[str, str], told: str) -> None:
    with pytest.raises((Invalid, Unavailable), match=told):
        Platform.open(tmp_path, settings=Settings.load(None, environment={}, flags=flags))
    Platform.open(tmp_path, settings=Settings.load(None, environment={}), clock=FixedClock()).close()


def test_a_home_whose_first_records_cannot_be_written_leaves_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    def bad(_ctx: object) -> None:
        raise Invalid("bad seed")

    before = set(threading.enumerate())
    monkeypatch.setattr("airside.platform.wiring.SEEDS", (bad,))
    with pytest.raises(Invalid, match="bad seed"):
        Platform.open(tmp_path, settings=Settings.load(None, environment={}))
    assert set(threading.enumerate()) == before
    assert not is_owned(tmp_path)
