"""How this machine's own processes reach the server of a home."""

from typing import NamedTuple


class Reach(NamedTuple):
    """An address, and the certificate that answers there.

    Attributes:
        url: of the server.
        fingerprint: the SHA-256 digest of its certificate; empty without TLS. Whoever is on this machine knows the
            server by it, whatever name the certificate bears and whoever signed it.
    """

    url: str
    fingerprint: str = ""
