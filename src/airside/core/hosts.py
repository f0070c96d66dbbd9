"""Which names a server answers to, and which page is its own: what ends DNS rebinding and forged requests.

A name must be one that the operator gave. A literal address of this machine or of a private network needs no
permission: rebinding needs a name.
"""

import ipaddress
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from airside.core.errors import WrongUse

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?\Z")
_MOST_REMEMBERED = 1000


def name_in(host: str) -> str:
    """The name or address in a `Host`, without its port; empty when it is none.

    >>> name_in("Models.example:5000"), name_in("[::1]:5000"), name_in("evil.example@127.0.0.1")
    ('models.example', '::1', '')
    """
    found = _HOST.match(host)
    return (found[1] or found[2]).lower() if found else ""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def needs_authentication(mode: str, host: str) -> bool:
    """Whether callers must say who they are, where a server listens.

    >>> needs_authentication("auto", "127.0.0.1"), needs_authentication("auto", "0.0.0.0")
    (False, True)

    Raises:
        WrongUse: the mode is none of auto, on, off.
    """
    if mode not in ("auto", "on", "off"):
        raise WrongUse(f"--auth is '{mode}'. It is one of: auto, on, off.")
    return mode == "on" or (mode == "auto" and not is_loopback(host))


class HostCheck:
    """Decides whether a request names this server.

    Args:
        allowed: further names than this machine's own; `*` is a wildcard.
        listening: the address that it listens on.

    >>> HostCheck(["models.example"])(b"127.0.0.1:5001"), HostCheck([])(b"evil.example")
    (True, False)
    """

    def __init__(self, allowed: Iterable[str] = (), *, listening: str = "") -> None:
        self._patterns = tuple(host.lower() for host in allowed)
        self._own = frozenset(filter(None, ("localhost", listening.lower())))
        self._known: dict[bytes, bool] = {}

    def __call__(self, host: bytes) -> bool:
        """Whether a header `Host` names this server."""
        known = self._known.get(host)
        if known is None:
            known = self._decide(host.decode("latin-1"))
            if len(self._known) < _MOST_REMEMBERED:
                self._known[host] = known
        return known

    def _decide(self, host: str) -> bool:
        name = name_in(host)
        if not name:
            return False
        if name in self._own:
            return True
        if any(fnmatchcase(name, pattern) or fnmatchcase(host.lower(), pattern) for pattern in self._patterns):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return (address.is_loopback or address.is_private) and not address.is_unspecified


def is_own_page(origin: bytes, host: bytes) -> bool:
    """Whether a page's origin is the very address that the request goes to.

    >>> is_own_page(b"http://127.0.0.1:5000", b"127.0.0.1:5000"), is_own_page(b"null", b"127.0.0.1:5000")
    (True, False)
    """
    return bool(host) and origin.lower() in (b"http://" + host.lower(), b"https://" + host.lower())
