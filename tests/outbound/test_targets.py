"""What may be called: each rule, and the setting that lifts it."""

import socket
import threading
from typing import Any

import pytest

from airside.core.errors import Invalid
from airside.outbound.records import Rules
from airside.outbound.targets import read, target_of

REFUSED = [
    ("", "URL cannot be empty or just whitespace: ''"),
    ("  ", "URL cannot be empty or just whitespace: '  '"),
    ("http://example.org/", "Invalid URL scheme: 'http'. Allowed schemes are: https."),
    ("file:///etc/passwd", "Invalid URL scheme: 'file'"),
    ("https://", "URL must include a hostname: 'https://'"),
    ("https:///path", "URL must include a hostname"),
    ("https://[::1", "Invalid URL 'https://[::1'"),
    ("https://example.org:99999/", "Invalid URL"),
    ("https://example.org:22/", "outbound_allow = ['example.org:22']"),
    ("https://me:secret@example.org/", "must not hold a user name or a password"),
    ("https://@example.org/", "must not hold a user name or a password"),
    ("https://exa mple.org/", "blanks or control characters"),
    ("https://example.org/\r\nX: y", "blanks or control characters"),
    ("https://exam{ple.org/", "is not a host's name"),
    ("https://example.org/" + "a" * 3000, "longer than 2048"),
]


@pytest.mark.parametrize(("url", "why"), REFUSED)
def test_an_address_that_may_not_be_called_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(url, Rules())
    assert why in refused.value.message
    assert "secret" not in refused.value.message


SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "0",
    "localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
]


@pytest.mark.parametrize("host", SPELLINGS)
def test_loopback_is_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(Invalid, match="Hook must not resolve to a non-public IP address"):
        target_of(f"https://{host}/", Rules(), "hook")


def test_a_name_is_refused_when_one_of_its_addresses_is_private(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kw: answers)
    with pytest.raises(Invalid, match=r"'two\.example' resolves to 10\.0\.0\.1"):
        target_of("https://two.example/", Rules())
    allowed = target_of("https://two.example/", Rules(allow=("10.0.0.1:443",)))
    assert allowed.addresses == ("8.8.8.8", "10.0.0.1")


def test_a_name_that_does_not_resolve_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_args: Any, **_kw: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    with pytest.raises(
        Invalid, match=r"Cannot resolve URL hostname 'no\.example': \[Errno -2\] Name or service not known"
    ):
        target_of("https://no.example/", Rules())


def test_a_name_server_that_says_nothing_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def slow(*_args: Any, **_kw: Any) -> Any:
        released.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with pytest.raises(Invalid, match=r"no answer within 0\.01 seconds"):
        target_of("https://slow.example/", Rules(timeout_s=0.01))
    released.set()


@pytest.mark.parametrize("allow", ["*", "localhost", "LOCALHOST:8443", "localhost:8443"])
def test_what_the_operator_lists_may_be_called(allow: str) -> None:
    assert "127.0.0.1" in target_of("https://localhost:8443/a?b=c", Rules(allow=(allow,))).addresses


def test_a_path_is_sent_in_ascii_and_a_name_in_its_wire_form() -> None:
    target = read("https://bücher.example/ä b%20?q=é#part".replace(" ", ""), Rules())
    assert (target.host, target.path) == ("xn--bcher-kva.example", "/%C3%A4b%20?q=%C3%A9")
