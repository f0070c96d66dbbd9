"""The command line: what it answers, how it refuses, and never a traceback."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from airside.client.cli.generated import _command
from airside.client.cli.main import main
from airside.client.cli.output import show
from airside.core.settings import SETTINGS
from airside.core.version import VERSION
from airside.platform.operations import OPERATIONS
from airside.platform.wiring import Platform


class Said(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, on a home of its own."""
    monkeypatch.setenv("AIRSIDE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("AIRSIDE_URL", "AIRSIDE_TRACKING_URI", "AIRSIDE_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["airside", *arguments])
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        out, err = capsys.readouterr()
        return Said(status, out, err)

    return command


def test_help_lists_every_command_and_the_version_is_told(run: Run) -> None:
    said = run("--help")
    assert said.status == 0
    nouns = {operation.name.partition(".")[0].replace("_", "-") for operation in OPERATIONS}
    assert {"server", "demo", "doctor", "settings"} | nouns <= set(said.out.split())
    assert VERSION in run("--version").out


def test_people_read_instants_and_whole_ids(run: Run) -> None:
    run("experiments", "create", "e")
    said = run("audit", "list").out
    assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", said)
    assert re.search(r'"at_ms":\d{13}', run("audit", "list", "--json").out)


def test_help_tells_whole_jobs_from_the_verbs_of_nouns(run: Run) -> None:
    jobs, _, verbs = run("--help").out.partition("Verbs, by noun:")
    assert "doctor" in jobs
    assert "get, list, verify" in verbs


def test_the_help_of_a_verb_says_what_its_fields_are_and_may_be(run: Run) -> None:
    said = run("models", "rollback", "--help").out
    assert "Which alias moves." in said
    assert "Raises" not in said
    assert "[active|deleted|all]" in run("runs", "search", "--help").out
    assert run("runs", "search", "--view", "gone").status == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("modles",), "No command 'modles'. Did you mean: models"),
        (("zzzzzz",), "List them with: airside --help"),
        (("models", "creat"), "No such command 'creat'"),
        (("models", "create", "--colour", "red", "m"), "No such option"),
        (("models", "create"), "Missing argument"),
        (("tokens", "create", "x", "--days", "many"), "not a valid integer"),
        (("completion", "cmd"), "'cmd' is not one of"),
        (("server", "--port", "many"), "not a valid integer"),
        (("db", "upgrade", "sqlite:///mlflow.db"), "the schema is brought up to date whenever the server starts"),
        (("gc", "--backend-store-uri", "sqlite:///mlflow.db"), "Name the server with --url"),
    ],
)
def test_wrong_use_is_told_with_status_2(run: Run, arguments: tuple[str, ...], told: str) -> None:
    said = run(*arguments)
    assert (said.status, said.out) == (2, "")
    assert told in said.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("models", "get", "nothing"), "nothing"),
        (("tokens", "create", "x", "--role", "king"), "There are: caller, owner, viewer"),
        (("gc", "--tracking-uri", "http://127.0.0.1:1"), "No server answers at http://127.0.0.1:1"),
        (("tokens", "list", "--url", "localhost:1"), "is not the address of a server"),
        (("experiments", "get", "x"), "Invalid experiment ID"),
    ],
)
def test_a_command_that_fails_says_why_with_status_1(run: Run, arguments: tuple[str, ...], told: str) -> None:
    said = run(*arguments)
    assert (said.status, said.out) == (1, "")
    assert told in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("setting", ["--blobs", "--artifacts-destination"])
def test_a_server_whose_stores_cannot_be_opened_says_so_and_ends(tmp_path: Path, setting: str) -> None:
    command = [sys.executable, "-m", "airside", "server", "--home", str(tmp_path), "--port", "0"]
    done = subprocess.run([*command, setting, "/proc/nowhere"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "cannot be opened" in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr


def test_answers_are_tables_for_people_and_json_for_programs(run: Run) -> None:
    made = json.loads(run("tokens", "create", "first", "--json").out)
    assert made["token"]["name"] == "first"
    assert [item["name"] for item in json.loads(run("tokens", "list", "--json").out)["items"]] == ["first"]
    table = run("tokens", "list").out
    assert ("first" in table, "created at" in table) == (True, True)
    assert run("tokens", "revoke", made["token"]["id"]).out == "Done.\n"
    assert run("tokens", "list").out == "None.\n"


def test_every_command_has_help(run: Run) -> None:
    for operation in OPERATIONS:
        noun, _, verb = operation.name.replace("_", "-").partition(".")
        said = run(noun, verb, "--help")
        assert (said.status, "--json" in said.out) == (0, True), operation.name


def test_no_two_parameters_of_a_command_share_a_name_or_a_flag() -> None:
    for operation in OPERATIONS:
        params = _command(operation).params
        names = [param.name for param in params]
        flags = [flag for param in params if isinstance(param, click.Option) for flag in param.opts]
        assert len(set(names)) == len(names), operation.name
        assert len(set(flags)) == len(flags), operation.name


def test_settings_tell_each_value_and_its_origin(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "airside.toml").write_text("port = 7001\n", "utf-8")
    monkeypatch.setenv("AIRSIDE_LOG_LEVEL", "debug")
    said = run("settings", "--home", str(tmp_path / "home"))
    lines = {line.split()[0]: line for line in said.out.splitlines()[1:] if line.split()}
    assert lines.keys() >= {setting.name for setting in SETTINGS}
    assert ("7001" in lines["port"], "file" in lines["port"]) == (True, True)
    assert ("debug" in lines["log_level"], "environment" in lines["log_level"]) == (True, True)
    values = json.loads(run("settings", "--home", str(tmp_path / "home"), "--json").out)
    assert {(v["setting"]["name"], v["origin"]) for v in values} >= {("port", "file"), ("host", "default")}


def test_a_mistake_in_the_settings_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "airside.toml").write_text("prot = 7001\n", "utf-8")
    said = run("settings", "--home", str(tmp_path / "home"))
    assert (said.status, "No setting 'prot'" in said.err) == (2, True)


def test_a_password_in_the_settings_is_not_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRSIDE_DATABASE", "postgresql://me:hush@db.example/airside")
    for arguments in (("settings",), ("settings", "--json")):
        out = run(*arguments).out
        assert ("hush" in out, "db.example" in out) == (False, True)


def test_the_doctor_finds_a_home_that_is_not_there_yet_healthy(run: Run, tmp_path: Path) -> None:
    said = run("doctor", "--home", str(tmp_path / "nowhere"))
    assert (said.status, "is not there yet" in said.out) == (0, True)
    assert not (tmp_path / "nowhere").exists()


def test_the_doctor_finds_a_good_home_healthy(run: Run, tmp_path: Path) -> None:
    Platform.open(tmp_path / "home").close()
    said = run("doctor", "--home", str(tmp_path / "home"), "--json")
    found = {one["what"]: one for one in json.loads(said.out)}
    assert (said.status, found["database"]["found"], found["server"]["found"]) == (0, "ok", "not running")
    assert all(one["is_fine"] for one in found.values())


def test_the_doctor_finds_a_broken_database_ill(run: Run, tmp_path: Path) -> None:
    Platform.open(tmp_path / "home").close()
    (tmp_path / "home" / "airside.db").write_bytes(b"no database" * 1000)
    said = run("doctor", "--home", str(tmp_path / "home"))
    assert (said.status, "Restore it from a backup" in said.out) == (1, True)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE schema_version SET revision = '9999'", "9999"),
        ("DELETE FROM schema_version", "schema"),
        ("DROP TABLE schema_version", "schema_version"),
    ],
)
def test_the_doctor_finds_a_strange_schema_ill(run: Run, tmp_path: Path, statement: str, told: str) -> None:
    Platform.open(tmp_path / "home").close()
    with closing(sqlite3.connect(tmp_path / "home" / "airside.db")) as db:
        db.execute(statement)
        db.commit()
    said = run("doctor", "--home", str(tmp_path / "home"))
    assert (said.status, told in said.out) == (1, True)


def test_the_doctor_looks_at_the_database_that_the_settings_name(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("AIRSIDE_DATABASE", "postgresql://me:hush@127.0.0.1:1/airside")
    said = run("doctor", "--home", str(tmp_path / "home"))
    assert (said.status, "does not answer" in said.out, "hush" in said.out) == (1, True, False)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_is_for_this_program(run: Run, shell: str) -> None:
    said = run("completion", shell)
    assert said.status == 0
    assert "_AIRSIDE_COMPLETE" in said.out


def test_completion_completes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "airside"]
    environment = {**os.environ, "_AIRSIDE_COMPLETE": "bash_complete", "COMP_WORDS": "airside mod", "COMP_CWORD": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert "models" in done.stdout, done.stderr


def test_a_reader_that_went_away_is_no_traceback(run: Run, tmp_path: Path) -> None:
    command = f"{sys.executable} -m airside --help | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    assert "Traceback" not in done.stderr


def test_anything_can_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    show("a text", as_json=False)
    show({"a": 1}, as_json=True)
    assert capsys.readouterr().out == 'a text\n{"a":1}\n'


def test_a_name_does_not_steer_the_terminal(run: Run) -> None:
    assert run("experiments", "create", "a\x1b[2Jb").status == 0
    for said in (run("experiments", "search"), run("find", "experiments"), run("experiments", "create", "a\x1b[2Jb")):
        assert "\x1b" not in said.out + said.err
        assert "a\\x1b[2Jb" in said.out + said.err


@pytest.mark.parametrize("given", ["\udce9", "[" * 10_000])
def test_an_argument_that_is_no_text_or_no_json_is_told(run: Run, given: str) -> None:
    for command in (("experiments", "create", given), ("runs", "log-batch", "r", "--params", given)):
        said = run(*command)
        assert said.status in (1, 2)
        assert said.err
