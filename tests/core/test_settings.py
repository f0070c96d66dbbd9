"""Settings: the file, then the environment, then the flags; a mistake says where it stands."""

from pathlib import Path

import pytest

from airside.core.errors import Invalid
from airside.core.settings import SETTINGS, Settings


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "airside.toml").write_text('port = 1\nhost = "a"\nlog_level = "debug"\n', "utf-8")
    return tmp_path


def test_a_flag_wins_over_the_environment_and_that_over_the_file(home: Path) -> None:
    settings = Settings.load(home, environment={"AIRSIDE_PORT": "2", "AIRSIDE_HOST": "b"}, flags={"port": 3})
    assert (settings["port"], settings["host"], settings["log_level"]) == (3, "b", "debug")
    origins = {value.setting.name: value.origin for value in settings.values()}
    assert (origins["port"], origins["host"], origins["log_level"], origins["auth"]) == (
        "flag",
        "environment",
        "file",
        "default",
    )


def test_every_setting_has_a_default_of_its_own_kind() -> None:
    kinds = {"text": str, "whole": int, "number": float, "switch": bool, "list": tuple}
    settings = Settings.load(None, environment={})
    assert [value.setting for value in settings.values()] == list(SETTINGS)
    assert all(isinstance(value.value, kinds[value.setting.kind]) for value in settings.values())


def test_a_flag_that_was_not_given_changes_nothing(home: Path) -> None:
    assert Settings.load(home, environment={}, flags={"port": None})["port"] == 1


def test_an_unknown_name_in_the_file_is_told_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "airside.toml").write_text("prot = 1\n", "utf-8")
    with pytest.raises(Invalid, match=r"No setting 'prot' \(airside.toml\). There are: 'host', 'port'"):
        Settings.load(tmp_path, environment={})


def test_other_variables_of_the_environment_are_left_alone() -> None:
    assert Settings.load(None, environment={"AIRSIDE_TOKEN": "x", "PORT": "1"})["port"] == 5000


@pytest.mark.parametrize(
    ("flags", "environment", "told"),
    [
        ({"port": "many"}, {}, r"--port is 'many', but port is a whole number\. Port of the control plane"),
        ({"serve_artifacts": "perhaps"}, {}, r"--serve-artifacts is 'perhaps', but serve_artifacts is a switch"),
        ({}, {"AIRSIDE_BODY_LIMIT_MIB": "1.5"}, r"AIRSIDE_BODY_LIMIT_MIB is '1.5', but body_limit_mib is a whole"),
        ({"port": True}, {}, r"--port is 'True', but port is a whole"),
        ({"port": 1.5}, {}, r"--port is '1.5', but port is a whole"),
        ({"allowed_hosts": 3}, {}, r"--allowed-hosts is '3', but allowed_hosts is a list"),
        ({"host": ["a"]}, {}, r"--host is '\['a'\]', but host is a text"),
    ],
)
def test_a_wrong_value_is_told_where_it_stands(
    flags: dict[str, object], environment: dict[str, str], told: str
) -> None:
    with pytest.raises(Invalid, match=told):
        Settings.load(None, environment=environment, flags=flags)


@pytest.mark.parametrize("content", [b"port = = 1", b'host = "\xff"'])
def test_a_file_that_is_no_toml_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "airside.toml").write_bytes(content)
    with pytest.raises(Invalid, match=r"airside\.toml cannot be read: .* Mend it or move it away"):
        Settings.load(tmp_path, environment={})


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "airside.toml").mkdir()
    with pytest.raises(Invalid, match=r"airside\.toml cannot be read"):
        Settings.load(tmp_path, environment={})


@pytest.mark.parametrize(("word", "value"), [("1", True), ("Yes", True), ("ON", True), ("no", False), ("0", False)])
def test_a_switch_understands_the_usual_words(word: str, value: bool) -> None:
    assert Settings.load(None, environment={"AIRSIDE_RUNNER": word})["runner"] is value


def test_a_list_is_cut_at_commas_and_a_file_may_hold_a_real_one(tmp_path: Path) -> None:
    (tmp_path / "airside.toml").write_text('allowed_hosts = ["a", "b"]\n', "utf-8")
    settings = Settings.load(tmp_path, environment={"AIRSIDE_ALLOWED_ORIGINS": " c, ,d "})
    assert (settings["allowed_hosts"], settings["allowed_origins"]) == (("a", "b"), ("c", "d"))
