"""What is refused before anything is parsed: hostile hosts and origins, heads that are too large, smuggled bodies.

Rules: security facts, sections 2 (8, 16), 6 and 10; MLflow contract, section 1.9.
"""

import ipaddress
from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from airside.core.errors import AirsideError, Denied, Invalid
from airside.server.crossing import Origins
from airside.server.message import Scope

MAX_HEAD_BYTES = 64 << 10
MAX_FIELDS = 100
MAX_URL_BYTES = 32 << 10
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class HeadTooLarge(AirsideError):
    """The request's head is larger than 64 KiB or has more than 100 fields."""

    code, status = "REQUEST_TOO_LARGE", 431


class UrlTooLong(AirsideError):
    """The address is longer than 32 KiB."""

    code, status = "REQUEST_TOO_LARGE", 414


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


class Guard:
    """Decides whether a request may be looked at.

    Args:
        listening: the host that the server listens on.
        allowed_hosts: further Host names; `*` is a wildcard.
        allowed_origins: origins of other sites whose pages may call.
    """

    def __init__(self, listening: str, allowed_hosts: Iterable[str], allowed_origins: Iterable[str]) -> None:
        self._listening = listening
        self._patterns = tuple(host.lower() for host in allowed_hosts)
        self.origins = Origins(allowed_origins, allows_loopback=is_loopback(listening))
        self._known: dict[bytes, bool] = {}

    def check(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """Let pass, or raise.

        Raises:
            HeadTooLarge, UrlTooLong: the limits. Invalid: two ways to tell the body's length.
            Denied: a Host that is not this server's, or a write that another site's page started.
        """
        fields = scope["headers"]
        if len(fields) > MAX_FIELDS or sum(len(name) + len(value) for name, value in fields) > MAX_HEAD_BYTES:
            raise HeadTooLarge
        if len(scope["raw_path"] or b"") + len(scope["query_string"]) > MAX_URL_BYTES:
            raise UrlTooLong
        if b"content-length" in headers and b"transfer-encoding" in headers:
            raise Invalid("The request has both Content-Length and Transfer-Encoding.")
        if scope["path"] != "/health":
            self._check_host(headers.get(b"host", b""))
        if scope["method"] not in SAFE_METHODS:
            self._check_origin(headers)

    def _check_host(self, host: bytes) -> None:
        is_known = self._known.get(host)
        if is_known is None:
            is_known = self._is_ours(host.decode("latin-1"))
            if len(self._known) < 1000:
                self._known[host] = is_known
        if not is_known:
            raise Denied(
                "Invalid Host header - possible DNS rebinding attack detected. "
                "The operator can allow a host with --allowed-hosts."
            )

    def _is_ours(self, host: str) -> bool:
        name = (urlsplit(f"//{host}").hostname or "").lower()
        if name in ("localhost", self._listening.lower()):
            return True
        if any(fnmatchcase(name, pattern) or fnmatchcase(host.lower(), pattern) for pattern in self._patterns):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or address.is_private

    def _check_origin(self, headers: dict[bytes, bytes]) -> None:
        origin = headers.get(b"origin", b"").decode("latin-1")
        if self.origins.allows(origin):
            return
        site = headers.get(b"sec-fetch-site", b"none")
        own = headers.get(b"host", b"").decode("latin-1")
        is_foreign_origin = bool(origin) and urlsplit(origin).netloc != own
        if site not in (b"same-origin", b"none") or is_foreign_origin:
            raise Denied("Cross-origin request blocked. The operator can allow an origin with --cors-allowed-origins.")
