"""What may be called: an address is read, its name looked up once, and every answer checked."""

import socket
import threading
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from airside.core.errors import Invalid
from airside.outbound.addresses import is_public
from airside.outbound.records import Rules, Target

MAX_URL = 2048
PORTS: Final = {"https": 443, "http": 80}
EVERYTHING: Final = "*"
_LOOK_UPS = threading.BoundedSemaphore(16)
"""How many names may be looked up at once: a slow one keeps its thread until the system gives it up."""


def target_of(url: str, rules: Rules, what: str = "URL") -> Target:
    """Read an address and look its name up.

    Args:
        url: the address.
        rules: what may be called.
        what: names the address in the texts, e.g. `webhook URL`.

    Raises:
        Invalid: it is no address, or one that may not be called; the text says which setting would allow it.
    """
    target = read(url, rules, what)
    addresses = _look_up(target, rules.timeout_s, what)
    if not is_listed(target.host, target.port, rules):
        for address in addresses:
            if not is_public(address) and not is_listed(address, target.port, rules):
                raise Invalid(
                    f"{_capital(what)} must not resolve to a non-public IP address. "
                    f"{target.host!r} resolves to {ip_address(address)}."
                )
    return Target(scheme=target.scheme, host=target.host, port=target.port, path=target.path, addresses=addresses)


def read(url: str, rules: Rules, what: str = "URL") -> Target:
    """Read an address without looking its name up.

    >>> read("https://example.org/hook?a=1", Rules()).path
    '/hook?a=1'
    >>> read("http://example.org/", Rules(), "webhook URL")
    Traceback (most recent call last):
    airside.core.errors.Invalid: Invalid webhook URL scheme: 'http'. Allowed schemes are: https.

    Raises:
        Invalid: it is not one that may be called.
    """
    name = _capital(what)
    if not url.strip():
        raise Invalid(f"{name} cannot be empty or just whitespace: {url!r}")
    if len(url) > MAX_URL:
        raise Invalid(f"{name} is longer than {MAX_URL} characters.")
    if any(ord(character) <= 32 or ord(character) == 127 for character in url):
        raise Invalid(f"{name} must not hold blanks or control characters: {url!r}")
    parts = _split(url, what)
    if parts.scheme not in rules.schemes or parts.scheme not in PORTS:
        raise Invalid(
            f"Invalid {what} scheme: {parts.scheme!r}. Allowed schemes are: "
            f"{', '.join(scheme for scheme in rules.schemes if scheme in PORTS)}."
        )
    if not parts.hostname:
        raise Invalid(f"{name} must include a hostname: {url!r}")
    if "@" in parts.netloc:
        raise Invalid(f"{name} must not hold a user name or a password.")
    host = _ascii(parts.hostname, url, what)
    port = parts.port or PORTS[parts.scheme]
    if port != PORTS[parts.scheme] and not is_listed(host, port, rules):
        raise Invalid(
            f"{name} names the port {port}; {parts.scheme} has {PORTS[parts.scheme]}. The operator can allow it: "
            f"outbound_allow = ['{host}:{port}']"
        )
    return Target(scheme=parts.scheme, host=host, port=port, path=_path(parts))


def is_listed(host: str, port: int, rules: Rules) -> bool:
    """Whether the operator lists a host, with the port or with all of them.

    >>> is_listed("hooks.lan", 8443, Rules(allow=("hooks.lan:8443",)))
    True
    >>> is_listed("hooks.lan", 22, Rules(allow=("hooks.lan:8443",)))
    False
    """
    named = f"[{host}]" if ":" in host else host
    mine = {EVERYTHING, host, named, f"{named}:{port}"}
    return any(entry.lower() in mine for entry in rules.allow)


def _split(url: str, what: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Invalid(f"Invalid {what} {url!r}: {error!r}") from error
    return parts


def _ascii(hostname: str, url: str, what: str) -> str:
    try:
        host = hostname if hostname.isascii() else hostname.encode("idna").decode()
    except UnicodeError as error:
        raise Invalid(f"Invalid {what} {url!r}: {error!r}") from error
    if not all(character.isalnum() or character in "-._~:" for character in host):
        raise Invalid(f"Invalid {what} {url!r}: {hostname!r} is not a host's name.")
    return host.lower()


def _path(parts: SplitResult) -> str:
    """Path and query in ASCII; what is encoded stays as it is."""
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return f"{path}?{query}" if query else path


def _look_up(target: Target, timeout_s: float, what: str) -> tuple[str, ...]:
    """Every address of a name, in the system's order."""
    found: list[str] = []
    trouble: list[Exception] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(answer[4][0]) for answer in answers))
        except (OSError, UnicodeError, ValueError) as error:
            trouble.append(error)
        finally:
            _LOOK_UPS.release()

    if not _LOOK_UPS.acquire(timeout=timeout_s):
        raise Invalid(f"Cannot resolve {_capital(what)} hostname {target.host!r}: too many look-ups are under way.")
    thread = threading.Thread(target=ask, name="airside-look-up", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if found:
        return tuple(found)
    why = trouble[0] if trouble else f"no answer within {timeout_s:g} seconds"
    raise Invalid(f"Cannot resolve {_capital(what)} hostname {target.host!r}: {why}")


def _capital(what: str) -> str:
    return what[:1].upper() + what[1:]
