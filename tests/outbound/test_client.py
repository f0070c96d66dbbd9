"""Calls to a real receiver on loopback, which the rules of the test allow."""

import socket
import time
from typing import Any

import pytest
from tests.outbound.receiver import CERTIFICATE, answering, receiving

from airside.outbound.client import MAX_READ, MAX_SENT, post
from airside.outbound.records import Answer, Rules

OPEN = Rules(schemes=("https", "http"), allow=("*",), timeout_s=20, ca_file=str(CERTIFICATE))


def test_a_call_over_tls_arrives_as_it_was_sent() -> None:
    with receiving(tls=True) as receiver:
        answer = post(receiver.url + "/in?a=1", b'{"a":1}', {"Content-Type": "application/json", "X-A": "b"}, OPEN)
    ((path, headers, body),) = receiver.got
    assert (answer.status, answer.body, answer.error) == (200, b"ok", "")
    assert (path, body, headers["X-A"], headers["Content-Type"]) == ("/in?a=1", b'{"a":1}', "b", "application/json")
    assert headers["Host"] == receiver.url.removeprefix("https://")


def test_a_certificate_of_nobody_known_is_refused() -> None:
    with receiving(tls=True) as receiver:
        answer = post(receiver.url, b"", {}, Rules(allow=("*",)))
    assert (answer.status, answer.error) == (0, "The certificate is not trusted: self-signed certificate")
    assert receiver.got == []


def test_a_certificate_of_another_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(tls=True) as receiver:
        port = receiver.url.rpartition(":")[2]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", int(port)))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kw: found)
        answer = post(f"https://other.example:{port}/", b"", {}, OPEN)
    assert answer.status == 0
    assert "not trusted" in answer.error


def test_the_call_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that answers otherwise the second time is never asked a second time."""
    asked: list[str] = []
    with receiving() as receiver:
        port = int(receiver.url.rpartition(":")[2])
        real = socket.getaddrinfo

        def rebinding(host: str, *args: Any, **kw: Any) -> Any:
            if host != "rebinding.example":
                return real(host, *args, **kw)
            asked.append(host)
            address = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        rules = Rules(schemes=("http",), allow=(f"127.0.0.1:{port}", f"rebinding.example:{port}"))
        assert post(f"http://rebinding.example:{port}/", b"", {}, rules).status == 200
    assert asked == ["rebinding.example"]
    assert receiver.got[0][1]["Host"] == f"rebinding.example:{port}"


def test_a_redirect_is_told_and_not_followed() -> None:
    with receiving() as receiver:
        receiver.responses = [answering(302, b"", Location=receiver.url + "/elsewhere")]
        assert post(receiver.url, b"", {}, OPEN).status == 302
    assert [path for path, _, _ in receiver.got] == ["/"]


def test_of_a_long_answer_only_the_beginning_is_read() -> None:
    with receiving() as receiver:
        receiver.responses = [answering(200, b"a" * (MAX_READ + 10))]
        assert len(post(receiver.url, b"", {}, OPEN).body) == MAX_READ


def test_a_body_that_is_too_long_is_not_sent() -> None:
    with receiving() as receiver:
        assert "at most" in post(receiver.url, b"a" * (MAX_SENT + 1), {}, OPEN).error
    assert receiver.got == []


def test_a_receiver_that_drips_is_cut_off() -> None:
    """Each byte comes in time; the whole does not."""

    def drip(handler: Any) -> None:
        for _ in range(600):
            handler.wfile.write(b"H")
            handler.wfile.flush()
            time.sleep(0.1)

    with receiving() as receiver:
        receiver.responses = [drip]
        answer = post(receiver.url, b"", {}, Rules(schemes=("http",), allow=("*",), timeout_s=0.5))
    assert answer == Answer(error="No answer within 0.5 seconds.")


def test_a_receiver_that_is_not_there_is_an_error_in_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening: nobody else gets the port
        answer = post(f"http://127.0.0.1:{taken.getsockname()[1]}/", b"", {}, OPEN)
    assert answer.status == 0
    assert answer.error.startswith("ConnectionRefusedError")


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with receiving() as receiver:
        assert post(receiver.url, b"", {}, OPEN).status == 200


@pytest.mark.parametrize(("sent", "read"), [("7", 7.0), ("99999", 3600.0), ("Wed, 21 Oct 2015", None), ("-1", None)])
def test_the_pause_that_a_receiver_asks_for_is_told(sent: str, read: float | None) -> None:
    with receiving() as receiver:
        receiver.responses = [answering(429, b"", Retry_After=sent)]
        assert post(receiver.url, b"", {}, OPEN).retry_after_s == read


def test_what_may_not_be_called_is_not_called() -> None:
    with receiving() as receiver:
        answer = post(receiver.url, b"", {}, Rules(schemes=("http",)))
    assert "outbound_allow" in answer.error
    assert receiver.got == []
