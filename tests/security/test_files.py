"""Rule 15: what lies in a home is this user's alone, whatever the umask that the server was started with."""

import os
from pathlib import Path

from tests.conftest import RunningServer

from airside.client.transport import connect
from airside.platform.notify.operations import CreateWebhook
from airside.store import private


def test_nobody_else_may_read_what_a_server_writes(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        home = tmp_path / "home"
        (home / "logs").mkdir(parents=True)  # as an operator may have made it, open to all
        home.chmod(0o777)
        running = RunningServer(home)
    finally:
        os.umask(before)
    try:
        with connect(running.url) as client:
            client.put_blob(Path(__file__))
            client.call(CreateWebhook(name="w", url="https://8.8.8.8/", events=("prompt.created",), secret="s"))
        wide = [path for path in home.rglob("*") if path.lstat().st_mode & 0o077]
        assert wide == []
        assert {path.name for path in home.iterdir()} >= {"airside.db", "secret.key", "logs", "run"}
    finally:
        running.stop()


def test_a_file_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "f"
    private.make(path)
    path.write_text("x")
    private.make(path)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("x", 0o600)
