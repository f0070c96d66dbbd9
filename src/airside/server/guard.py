"""What is refused before anything is parsed: hostile hosts and origins, heads that are too large, smuggled bodies.

Rules: security facts, sections 2 (8, 16), 6 and 10; MLflow contract, section 1.9.
"""

from collections.abc import Iterable
from itertools import chain

from airside.core.errors import AirsideError, Denied, Invalid
from airside.core.hosts import HostCheck, is_loopback, is_own_page
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


class Guard:
    """Decides whether a request may be looked at.

    Args:
        listening: the host that the server listens on.
        allowed_hosts: further Host names; `*` is a wildcard.
        allowed_origins: origins of other sites whose pages may call.
    """

    def __init__(self, listening: str, allowed_hosts: Iterable[str], allowed_origins: Iterable[str]) -> None:
        self._is_ours = HostCheck(allowed_hosts, listening=listening)
        self.origins = Origins(allowed_origins, allows_loopback=is_loopback(listening))

    def check(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """Let pass, or raise.

        Raises:
            HeadTooLarge, UrlTooLong: the limits. Invalid: two ways to tell the body's length.
            Denied: a Host that is not this server's, or a write that another site's page started.
        """
        fields = scope["headers"]
        if len(fields) > MAX_FIELDS or sum(map(len, chain.from_iterable(fields))) > MAX_HEAD_BYTES:
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
        if not self._is_ours(host):
            raise Denied(
                "Invalid Host header - possible DNS rebinding attack detected. "
                "The operator can allow a host with --allowed-hosts."
            )

    def _check_origin(self, headers: dict[bytes, bytes]) -> None:
        origin = headers.get(b"origin", b"")
        if not origin and b"sec-fetch-site" not in headers:  # no browser
            return
        if self.origins.allows(origin.decode("latin-1")):
            return
        is_foreign = bool(origin) and not is_own_page(origin, headers.get(b"host", b""))
        if is_foreign or headers.get(b"sec-fetch-site", b"none") not in (b"same-origin", b"none"):
            raise Denied("Cross-origin request blocked. The operator can allow an origin with --cors-allowed-origins.")
