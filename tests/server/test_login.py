"""Whoever guesses the administrator's password is slowed down, and no restart helps."""

import asyncio
from base64 import b64encode

import pytest

from airside.core.clock import FixedClock
from airside.core.errors import DiskFull, Unauthenticated
from airside.core.settings import Settings
from airside.platform.access import tries
from airside.platform.wiring import Platform
from airside.server.app import App, Route
from airside.server.guard import Guard
from airside.server.login import FREE_TRIES, LONGEST_PAUSE_S, AdminLogin, TooManyTries
from airside.server.message import Answer, Message, Request

PASSWORD = "nobody guesses this"


def login_at(clock: FixedClock) -> AdminLogin:
    return AdminLogin(PASSWORD, now=lambda: clock.now_ms() / 1000)


def wrong(login: AdminLogin, source: str = "10.0.0.1") -> None:
    with pytest.raises(Unauthenticated):
        login.actor("admin", "wrong", source)


async def hello(_request: Request) -> Answer:
    return Answer(200, b"hello")


def answered(platform: Platform, clock: FixedClock, *passwords: str) -> list[int]:
    """The statuses of requests with these passwords to a server that has just started."""
    app = App(Settings.load(None, environment={}), Guard("127.0.0.1", (), ()), needs_token=True, login=login_at(clock))
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def run() -> None:
        app.open(platform, [Route("GET", "/api", hello)])
        head = {"type": "http", "method": "GET", "query_string": b"", "path": "/api", "raw_path": b"/api"}
        for password in passwords:
            shown = b"Basic " + b64encode(f"admin:{password}".encode())
            headers = [(b"host", b"localhost"), (b"authorization", shown)]
            await app({**head, "headers": headers, "client": ("10.0.0.1", 1)}, receive, send)

    asyncio.run(run())
    return [message["status"] for message in sent if "status" in message]


def test_after_some_wrong_passwords_each_costs_a_longer_pause(clock: FixedClock) -> None:
    login = login_at(clock)
    for _ in range(FREE_TRIES):
        wrong(login)
    for pause_s in (1, 2, 4, 8, 16, 32, 60, 60):
        with pytest.raises(TooManyTries, match=f"in {pause_s} s"):
            login.actor("admin", PASSWORD, "10.0.0.1")
        assert login.actor("admin", PASSWORD, "10.0.0.2").name == "admin"
        clock.advance(seconds=pause_s)
        wrong(login)
    clock.advance(seconds=LONGEST_PAUSE_S)
    assert login.actor("admin", PASSWORD, "10.0.0.1").name == "admin"
    wrong(login)  # from the beginning


def test_a_thousand_wrong_passwords_pause_no_longer_and_a_clock_put_back_locks_nobody_out(clock: FixedClock) -> None:
    login = login_at(clock)
    login.tries["10.0.0.1"] = tries.Tries(count=2_000, until_ms=clock.now_ms())
    wrong(login)
    clock.advance(seconds=-86_400)
    assert login.actor("admin", PASSWORD, "10.0.0.1").name == "admin"


def test_a_restart_forgets_no_wrong_password(platform: Platform, clock: FixedClock) -> None:
    assert answered(platform, clock, *["wrong"] * 6) == [401] * 5 + [429]
    assert answered(platform, clock, PASSWORD) == [429]
    clock.advance(seconds=1)
    assert answered(platform, clock, "wrong", PASSWORD) == [401, 429]
    clock.advance(seconds=2)
    assert answered(platform, clock, PASSWORD) == [200]
    assert answered(platform, clock, *["wrong"] * 5) == [401] * 5


def test_what_is_older_than_a_day_is_forgotten(platform: Platform, clock: FixedClock) -> None:
    answered(platform, clock, *["wrong"] * 6)
    clock.advance(seconds=86_500)
    assert platform.read(lambda ctx: tries.remembered(ctx.tx, now_ms=ctx.now_ms())) == {}
    assert answered(platform, clock, *["wrong"] * 5) == [401] * 5


def test_of_very_many_addresses_the_newest_are_kept(
    platform: Platform, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tries, "MAX_KEPT", 3)
    for last in range(1, 7):
        one = tries.Tries(count=1, until_ms=clock.now_ms() + last)
        platform.change(lambda ctx, last=last, one=one: tries.remember(ctx.tx, f"10.0.0.{last}", one, now_ms=1))  # type: ignore[misc]
    assert platform.read(lambda ctx: ctx.tx.all("SELECT count(*) FROM wrong_password")) == [(3,)]
    kept = platform.read(lambda ctx: tries.remembered(ctx.tx, now_ms=ctx.now_ms()))
    assert list(kept) == ["10.0.0.4", "10.0.0.5", "10.0.0.6"]


def test_a_full_disk_keeps_the_administrator_from_nothing(
    platform: Platform, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_change: object) -> None:
        raise DiskFull

    monkeypatch.setattr(platform, "change", full)
    assert answered(platform, clock, "wrong", PASSWORD) == [401, 200]
