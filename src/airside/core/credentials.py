"""What a caller shows: a token `air_<id>_<secret>`, of which only the digest is known, or a name with a password."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

from airside.core.errors import Unauthenticated
from airside.core.record import Record


def credentials_of(authorization: str) -> tuple[str, str]:
    """The user and the secret in an Authorization header: `Bearer TOKEN` (of nobody named), or `Basic`.

    Raises:
        Unauthenticated: there is none, or it cannot be read.

    >>> credentials_of("Bearer air_x_y"), credentials_of("Basic YWRtaW46YTpi")
    (('', 'air_x_y'), ('admin', 'a:b'))
    """
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer" and rest:
        return "", rest.strip()
    if scheme.lower() == "basic":
        try:
            user, _, secret = base64.b64decode(rest, validate=True).decode().partition(":")
            return user, secret
        except (binascii.Error, ValueError):
            pass
    raise Unauthenticated


def token_parts(text: str) -> tuple[str, str]:
    r"""The id and the secret of a token; empty when it is none.

    >>> token_parts("air_7_s3_cret"), token_parts("password"), token_parts("air_\0_x")
    (('7', 's3_cret'), ('', ''), ('', ''))
    """
    prefix, _, rest = text.partition("_")
    identity, _, secret = rest.partition("_")
    return (identity, secret) if prefix == "air" and secret and "\0" not in text else ("", "")


def digest_of(secret: str) -> str:
    """What is kept of a secret: enough, as it has 32 random bytes."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


class Admitted(Record):
    """A token by its digest, for a process that checks callers itself. `expires_ms` is 0 for one without end."""

    id: str
    verbs: tuple[str, ...]
    digest: str
    expires_ms: int = 0


class Admissions:
    """Decides whether a caller may ask something, by the tokens that were told last."""

    def __init__(self, admitted: Iterable[Admitted] = ()) -> None:
        self._by_id = {each.id: each for each in admitted}

    def verbs_of(self, authorization: str, now_ms: int) -> tuple[str, ...]:
        """What the caller's token lets it do; `*` is all.

        Raises:
            Unauthenticated: there is no token, or not one that holds.
        """
        identity, secret = token_parts(credentials_of(authorization)[1])
        known = self._by_id.get(identity)
        if known is None or not hmac.compare_digest(known.digest, digest_of(secret)):
            raise Unauthenticated("This token is not known here. Ask the owner of the server for one.")
        if known.expires_ms and known.expires_ms <= now_ms:
            raise Unauthenticated("This token has expired. Ask the owner of the server for a new one.")
        return known.verbs
