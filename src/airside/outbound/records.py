"""The nouns of calls to the outside."""

from airside.core.record import Record


class Rules(Record):
    """What the operator lets the platform call.

    Attributes:
        schemes: `https`, and perhaps `http`.
        allow: `HOST` or `HOST:PORT` that may be called although the address is private or the port unusual; `*`: all.
        timeout_s: for all of a call, from the look-up of the name to the last byte.
        ca_file: further certificate authorities, as a PEM file; empty: the system's alone.
    """

    schemes: tuple[str, ...] = ("https",)
    allow: tuple[str, ...] = ()
    timeout_s: float = 10.0
    ca_file: str = ""


class Target(Record):
    """An address that may be called.

    Attributes:
        host: as the certificate and the header `Host` name it.
        path: with the query.
        addresses: what the host resolved to; every one was checked. The call goes to these and to no other.
    """

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...] = ()


class Answer(Record):
    """What came of a call.

    Attributes:
        status: of the answer; 0 when none came.
        body: its beginning.
        retry_after_s: when the receiver says it wants to be asked again; None when it does not say.
        error: why no answer came; empty when one did.
    """

    status: int = 0
    body: bytes = b""
    retry_after_s: float | None = None
    error: str = ""
