"""One request to a checked address. `ssl` and `http` are imported with this file: by who sends, not at the start."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import lru_cache

from airside.core.errors import Invalid
from airside.core.version import VERSION
from airside.outbound.records import Answer, Rules, Target
from airside.outbound.targets import PORTS, target_of

MAX_SENT = 256 << 10
MAX_READ = 64 << 10
MAX_RETRY_AFTER_S = 3600.0
USER_AGENT = f"Airside/{VERSION}"


def post(url: str, body: bytes, headers: Mapping[str, str], rules: Rules, what: str = "URL") -> Answer:
    """Send a body to an address: its name is looked up and checked anew, and the call goes to what was checked.

    Never raises for what the other side, the network or the rules do: the answer's `error` says it.
    """
    if len(body) > MAX_SENT:
        return Answer(error=f"The body has {len(body)} bytes; at most {MAX_SENT} are sent.")
    until = time.monotonic() + rules.timeout_s
    try:
        target = target_of(url, rules, what)
        with closing(_connected(target, until)) as plain, _ended_at(plain, until):
            return _exchanged(plain, target, rules, body, headers)
    except Invalid as refused:
        return Answer(error=refused.message)
    except ssl.SSLCertVerificationError as error:
        return Answer(error=f"The certificate is not trusted: {error.verify_message}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        if time.monotonic() >= until or isinstance(error, TimeoutError):
            return Answer(error=f"No answer within {rules.timeout_s:g} seconds.")
        return Answer(error=f"{type(error).__name__}: {error}"[:500])


def _exchanged(plain: socket.socket, target: Target, rules: Rules, body: bytes, headers: Mapping[str, str]) -> Answer:
    with closing(_secured(plain, target, rules)) as connection:
        talk = http.client.HTTPConnection(target.host, target.port)
        talk.default_port = PORTS[target.scheme]  # leaves the port out of the header Host
        talk.sock = connection
        talk.request("POST", target.path, body, {"User-Agent": USER_AGENT, "Connection": "close", **headers})
        with closing(talk.getresponse()) as response:
            return Answer(
                status=response.status,
                body=response.read(MAX_READ),
                retry_after_s=_seconds(response.headers.get("Retry-After", "")),
            )


def _connected(target: Target, until: float) -> socket.socket:
    """A connection to the first of the checked addresses that takes one."""
    trouble = OSError("the name has no address")
    for address in target.addresses:
        try:
            return socket.create_connection((address, target.port), timeout=_left(until))
        except OSError as error:
            trouble = error
    raise trouble


def _secured(plain: socket.socket, target: Target, rules: Rules) -> socket.socket:
    """The same connection, with TLS where the address says so."""
    if target.scheme != "https":
        return plain
    return _context(rules.ca_file).wrap_socket(plain, server_hostname=target.host)


@lru_cache(maxsize=4)
def _context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


@contextmanager
def _ended_at(connection: socket.socket, until: float) -> Iterator[None]:
    """Cut the connection at an instant: a receiver that sends a byte now and then must not hold the sender."""
    connection.settimeout(_left(until))
    with closing(connection.dup()) as same:  # TLS takes the first handle over

        def cut() -> None:
            with suppress(OSError):
                same.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(_left(until), cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _seconds(text: str) -> float | None:
    """The pause that a receiver asks for, at most an hour; a date is not read.

    >>> _seconds("7"), _seconds("soon"), _seconds("1e99")
    (7.0, None, None)
    """
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return None
    return min(float(text), MAX_RETRY_AFTER_S)
