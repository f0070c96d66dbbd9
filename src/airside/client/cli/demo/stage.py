"""What the story stands on: the server, the client, the journal, and patience when a process was killed."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from airside.client.cli.demo.telling import Figure, Journal, Teller
from airside.client.http import HttpTransport
from airside.client.transport import Client
from airside.core.errors import AirsideError, Unavailable
from airside.core.estimate import Estimate
from airside.core.record import Ask
from airside.platform.home import is_owned, server_of
from airside.platform.house import GetAbout

T = TypeVar("T")
START_S = 20.0
PATIENCE_S = 60.0


class Failed(AirsideError):
    """A link of the loop did not do what it should."""


class Stage:
    """One run of the story on one home.

    Attributes:
        table: the labelled table that the story plays on, as a pyarrow Table.
    """

    def __init__(self, home: Path, port: int, teller: Teller) -> None:
        self.home = home
        self.teller = teller
        self.journal = Journal(home / "demo" / "journal.json")
        self.journal_id = self.journal.result("id") or secrets.token_hex(8)
        self.journal.keep("id", self.journal_id)
        self._port = port
        self._server: subprocess.Popen[bytes] | None = None
        self._client: Client | None = None
        self.patiently(self.ensure_server)

    @property
    def client(self) -> Client:
        """The client of the home's server."""
        if self._client is None:
            raise Unavailable("The server is not running.")
        return self._client

    @property
    def url(self) -> str:
        """Where the server answers."""
        return self.client.url

    @property
    def serving_url(self) -> str:
        """Where the serving process answers."""
        return self.ask(GetAbout()).serving_url

    def ask(self, ask: Ask[T], *, key: str = "") -> T:
        """Ask the platform, patiently; `key` makes it act once over restarts too."""
        return self.patiently(lambda: self.client.call(ask, idempotency_key=f"demo:{key}" if key else ""))

    def once(self, key: str, make: Callable[[], T], kind: Any = Any) -> T:
        """Do a part of the story, or take what it came to before the demo was interrupted."""
        known = self.journal.result(key)
        if known is None:
            made = self.patiently(make)
            self.journal.keep(key, made)
            return made
        taken: T = msgspec.convert(known, kind, strict=False) if kind is not Any else known
        return taken

    def patiently(self, work: Callable[[], T]) -> T:
        """Do something that needs the server; when it went away, bring it back and do it again."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return work()
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
                with suppress(Unavailable):  # killed again while it started: the next round tries again
                    self.ensure_server()

    def wait_for(self, what: str, look: Callable[[], T | None], *, timeout_s: float = 60.0) -> T:
        """Look until something is there.

        Raises:
            Failed: it did not come in time.
        """
        deadline = time.monotonic() + timeout_s
        while (found := self.patiently(look)) is None:
            if time.monotonic() > deadline:
                raise Failed(f"{what} did not come within {timeout_s:.0f} s.")
            time.sleep(0.1)
        return found

    def figure(
        self, step: int, name: str, value: float | str | Estimate, kind: str, identity: str, *, unit: str = "1"
    ) -> None:
        """Write a figure down, with the record behind it."""
        if isinstance(value, Estimate):
            made = Figure(
                step=step, name=name, value=value.value, unit=unit, low=value.low, high=value.high, n=value.n,
                kind=kind, id=identity,
            )  # fmt: skip
        else:
            made = Figure(step=step, name=name, value=value, unit=unit, kind=kind, id=identity)
        self.journal.figure(made)

    def ensure_server(self) -> None:
        """A server that answers on this home: the one that runs, else a new one."""
        facts = server_of(self.home) if is_owned(self.home) else None
        if facts is None or not self._answers(facts):
            self._start()
            facts = server_of(self.home) or {}
        if self._client is None or self._client.url != facts["url"]:
            self._client = Client(HttpTransport(facts["url"], facts.get("token", "")))

    def _start(self) -> None:
        if self._server is not None:
            self._server.wait()
        self.home.mkdir(parents=True, exist_ok=True)
        log = self.home / "demo-server.log"
        command = [sys.executable, "-m", "airside", "server", "--home", str(self.home), "--port", str(self._port)]
        with log.open("ab") as output:
            self._server = subprocess.Popen(  # noqa: S603 -- our own interpreter and command
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            facts = server_of(self.home)
            if facts is not None and facts.get("pid") == self._server.pid and self._answers(facts):
                return
            if (self._server.poll() or 0) < 0:
                raise Unavailable("The server was killed while it started.")
            if self._server.returncode is not None:
                raise Failed(f"The server could not start: {log.read_text('utf-8').strip().splitlines()[-1]}")
            time.sleep(0.02)
        raise Failed(f"The server did not answer within {START_S:.0f} s.")

    @staticmethod
    def _answers(facts: dict[str, Any]) -> bool:
        try:
            Client(HttpTransport(facts["url"], facts.get("token", ""), retries=0)).call(GetAbout())
        except AirsideError:
            return False
        return True

    def close(self) -> None:
        """End the server, if it was started here."""
        if self._server is not None and self._server.poll() is None:
            self._server.terminate()
            self._server.wait()

    def stay(self) -> None:
        """Wait until the server ends or the person has seen enough."""
        if self._server is not None:
            self._server.wait()
