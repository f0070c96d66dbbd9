"""Rule 16: what two servers in a row could read differently is refused, and the connection ends with it.

Each row is played to the control plane and to a serving process; behind it hides a request that must never be answered.
"""

from collections.abc import Iterator

import pytest
from tests.conftest import RunningServer
from tests.security.serving import RunningServing
from tests.security.wire import HOST, SMUGGLED, get, post, sent

CHUNKED = b"Transfer-Encoding: chunked\r\n"
REFUSED = {
    "length and chunks": post(b"Content-Length: 5\r\n" + CHUNKED, b"0\r\n\r\n" + SMUGGLED),
    "chunks and length": post(CHUNKED + b"Content-Length: 5\r\n", b"0\r\n\r\n" + SMUGGLED),
    "two lengths": post(b"Content-Length: 2\r\nContent-Length: 7\r\n", b"{}" + SMUGGLED),
    "the same length twice": post(b"Content-Length: 2\r\nContent-Length: 2\r\n", b"{}" + SMUGGLED),
    "a list of lengths": post(b"Content-Length: 2, 2\r\n", b"{}" + SMUGGLED),
    "a length with a sign": post(b"Content-Length: +2\r\n", b"{}" + SMUGGLED),
    "a negative length": post(b"Content-Length: -1\r\n", SMUGGLED),
    "a length in hexadecimal": post(b"Content-Length: 0x2\r\n", b"{}" + SMUGGLED),
    "a length without digits": post(b"Content-Length: \r\n", SMUGGLED),
    "a length with a blank inside": post(b"Content-Length: 1 0\r\n", b"{}" + SMUGGLED),
    "a length beyond 64 bits": post(b"Content-Length: 99999999999999999999999\r\n"),
    "a blank before the colon": post(b"Content-Length : 2\r\n", b"{}" + SMUGGLED),
    "two codings": post(CHUNKED + b"Transfer-Encoding: identity\r\n", b"0\r\n\r\n" + SMUGGLED),
    "an unknown coding": post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "a coding before the chunks": post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "a coding behind the chunks": post(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n" + SMUGGLED),
    "chunks in chunks": post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "identity": post(b"Transfer-Encoding: identity\r\n", b"0\r\n\r\n" + SMUGGLED),
    "a coding in quotes": post(b'Transfer-Encoding: "chunked"\r\n', b"0\r\n\r\n" + SMUGGLED),
    "a vertical tab before the coding": post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "chunks in HTTP/1.0": post(CHUNKED, b"2\r\n{}\r\n0\r\n\r\n" + SMUGGLED, version=b"1.0"),
    "a folded coding": post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "a bare line end in a chunk": post(CHUNKED, b"2\n{}\n0\n\n" + SMUGGLED),
    "a line end in a chunk's extension": post(CHUNKED, b"2;a\nb\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
    "a chunk without its end": post(CHUNKED, b"2\r\n{}0\r\n\r\n" + SMUGGLED),
    "a chunk's size in words": post(CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
    "a negative chunk": post(CHUNKED, b"-2\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
    "a chunk's size with 0x": post(CHUNKED, b"0x2\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
    "a chunk beyond 64 bits": post(CHUNKED, b"10000000000000002\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
    "a folded field": get(b"X-A: b\r\n c\r\n") + SMUGGLED,
    "bare line ends": b"GET /health HTTP/1.1\nHost: 127.0.0.1\n\n" + SMUGGLED,
    "one bare line end": b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\nX: y\r\n\r\n" + SMUGGLED,
    "a bare carriage return": get(b"X-A: b\rX-B: c\r\n") + SMUGGLED,
    "NUL in a value": get(b"X-A: b\x00c\r\n") + SMUGGLED,
    "a control character in a value": get(b"X-A: b\x01c\r\n") + SMUGGLED,
    "DEL in a value": get(b"X-A: b\x7fc\r\n") + SMUGGLED,
    "NUL in a name": get(b"X\x00A: b\r\n") + SMUGGLED,
    "a blank in a name": get(b"X A: b\r\n") + SMUGGLED,
    "a field before the first": b"GET /health HTTP/1.1\r\n Host: 127.0.0.1\r\n\r\n" + SMUGGLED,
    "no colon": get(b"nocolon\r\n") + SMUGGLED,
    "no name": get(b": b\r\n") + SMUGGLED,
    "two hosts": get(host=b"Host: evil.example\r\n" + HOST) + SMUGGLED,
    "two hosts the other way": get(host=HOST + b"Host: evil.example\r\n") + SMUGGLED,
    "the same host twice": get(host=HOST + HOST) + SMUGGLED,
    "an address of another server": get(path=b"http://evil.example/health") + SMUGGLED,
    "an address and a foreign Host": get(path=b"http://127.0.0.1/health", host=b"Host: evil.example\r\n") + SMUGGLED,
    "a fragment": get(path=b"/health#/../x") + SMUGGLED,
    "CONNECT": b"CONNECT 127.0.0.1:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + SMUGGLED,
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/1.2": get(version=b"1.2") + SMUGGLED,
    "HTTP/2.0 in words": get(version=b"2.0") + SMUGGLED,
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method in small letters": get().replace(b"GET", b"get", 1) + SMUGGLED,
    "tabs in the first line": b"GET\t/health\tHTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
    "a blank in the address": b"GET /he alth HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
}


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """A control plane's, and that of a serving process beside it."""
    home = tmp_path_factory.mktemp("wire")
    running = RunningServer(home / "home", "--no-serving", "--no-runner")
    serving = RunningServing(home / "spool", running.url)
    yield running.port, serving.port
    serving.close()
    running.stop()


@pytest.mark.parametrize("bytes_sent", REFUSED.values(), ids=REFUSED.keys())
def test_what_can_be_read_in_two_ways_is_refused_and_the_connection_ends(
    ports: tuple[int, int], bytes_sent: bytes
) -> None:
    for port in ports:
        told = sent(port, bytes_sent)
        assert told.statuses == (400,)
        assert told.is_closed
        assert b"INVALID_PARAMETER_VALUE" in told.text


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c", b"TLS/1.2"])
def test_an_upgrade_is_not_made_and_what_follows_is_not_read(ports: tuple[int, int], upgrade: bytes) -> None:
    for port in ports:
        fields = b"Connection: Upgrade\r\nUpgrade: " + upgrade + b"\r\n"
        told = sent(port, get(fields, path=b"/version") + SMUGGLED)
        assert (told.statuses, told.is_closed) == ((200,), True)


def test_what_comes_behind_a_last_request_is_dropped_and_the_request_is_answered(ports: tuple[int, int]) -> None:
    for port in ports:
        told = sent(port, get(b"Connection: close\r\n", path=b"/version") + SMUGGLED)
        assert (told.statuses, told.is_closed) == ((200,), True)


def test_what_came_before_a_broken_request_is_answered_first(ports: tuple[int, int]) -> None:
    for port in ports:
        told = sent(port, get(path=b"/version") * 3 + b"XXXXX", answers=4)
        assert (told.statuses, told.is_closed) == ((200, 200, 200, 400), True)


def test_a_flood_of_requests_at_once_is_cut_behind_its_first_answers(ports: tuple[int, int]) -> None:
    for port in ports:
        told = sent(port, get(path=b"/version") * 200, answers=201)
        assert told.statuses[-1] == 400
        assert set(told.statuses[:-1]) == {200}
        assert len(told.statuses) < 100


HEADS = {
    "many fields": (get(b"".join(b"X-%d: y\r\n" % number for number in range(101))), 431),
    "a long field": (get(b"X: " + b"y" * 70_000 + b"\r\n"), 431),
    "a longer field": (get(b"X: " + b"y" * 300_000 + b"\r\n"), 431),
    "a long address": (get(path=b"/version?" + b"a" * 33_000), 414),
    "a length beyond the limit": (post(b"Content-Length: 17825793\r\n", b"x"), 413),
}


@pytest.mark.parametrize(("bytes_sent", "status"), HEADS.values(), ids=HEADS.keys())
def test_what_is_too_large_is_refused_by_its_head(ports: tuple[int, int], bytes_sent: bytes, status: int) -> None:
    told = sent(ports[0], bytes_sent)
    assert told.statuses[:1] == (status,)


FIRST = b'{"max_results":1}'
HONEST = {
    "chunks": post(CHUNKED, b"11\r\n" + FIRST + b"\r\n0\r\n\r\n"),
    "chunks in capitals": post(b"TRANSFER-ENCODING: CHUNKED\r\n", b"11\r\n" + FIRST + b"\r\n0\r\n\r\n"),
    "a chunk's extension": post(CHUNKED, b"11;a=b\r\n" + FIRST + b"\r\n0\r\n\r\n"),
    "a body": post(b"Content-Length: 17\r\n", FIRST),
    "a tab in a value": get(b"X-A: b\tc\r\n"),
    "line ends before the request": b"\r\n\r\n" + get(),
    "the whole address": get(path=b"http://127.0.0.1/api/2.0/mlflow/experiments/get?experiment_id=0"),
    "HTTP/1.0": get(version=b"1.0"),
    "a promise to wait": post(b"Expect: 100-continue\r\nContent-Length: 17\r\n", FIRST),
}


@pytest.mark.parametrize("bytes_sent", HONEST.values(), ids=HONEST.keys())
def test_what_clients_send_is_answered(ports: tuple[int, int], bytes_sent: bytes) -> None:
    assert sent(ports[0], bytes_sent).statuses[-1] == 200
