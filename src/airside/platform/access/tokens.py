"""Access tokens: `air_<id>_<secret>`, shown once, kept as a digest."""

import base64
import hmac
from datetime import datetime
from typing import ClassVar

from airside.core.clock import from_ms
from airside.core.credentials import Admitted, digest_of, token_parts
from airside.core.errors import Invalid, NotFound, Unauthenticated
from airside.core.operation import Actor, AnyOperation, Context, Transaction, operation
from airside.core.record import DONE, Ask, Done, Record
from airside.platform.access.rights import ROLES


class Token(Record):
    """What is known of a token; its secret is not."""

    id: str
    name: str
    role: str
    created_at: datetime
    expires_at: datetime | None = None


class NewToken(Record):
    """A token that was just made. The text is shown this once."""

    HOLDS_SECRET: ClassVar[bool] = True
    token: Token
    text: str


class TokenPage(Record):
    """Every token, oldest first."""

    items: tuple[Token, ...]


MAX_DAYS = 36_500


class CreateToken(Ask[NewToken]):
    """Ask for a token. `days` is how long it holds; 0 is without end."""

    name: str
    role: str = "viewer"
    days: int = 90


class ListTokens(Ask[TokenPage]):
    """Ask which tokens there are."""


class AdmittedTokens(Record):
    """Every token that holds, by its digest."""

    items: tuple[Admitted, ...]


class ListAdmitted(Ask[AdmittedTokens]):
    """Ask whom a process that checks its callers itself lets in: a serving process."""


class RevokeToken(Ask[Done]):
    """Ask to end a token at once."""

    token_id: str


@operation("tokens.create", needs="token:create")
def create_token(ctx: Context, ask: CreateToken) -> NewToken:
    """Make a token; its text is in the answer and nowhere else.

    Raises:
        Invalid: the role is unknown, the name is empty, or it would hold longer than a hundred years.
    """
    if ask.role not in ROLES or ask.role == "service":
        raise Invalid(f"No role '{ask.role[:100]}'. There are: caller, owner, viewer.")
    if not 1 <= len(ask.name) <= 250:
        raise Invalid("A token needs a name of 1 to 250 characters, so that it can be told from others.")
    if not 0 <= ask.days <= MAX_DAYS:
        raise Invalid(f"A token holds for 1 to {MAX_DAYS} days, or without end with 0; got {ask.days}.")
    identity = ctx.new_id("token")
    secret = base64.urlsafe_b64encode(ctx.random(32)).decode().rstrip("=")
    now = ctx.now_ms()
    expires = now + ask.days * 86_400_000 if ask.days else None
    ctx.tx.run(
        "INSERT INTO access_token (id, name, role, digest, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (identity, ask.name, ask.role, digest_of(secret), now, expires),
    )
    return NewToken(token=_token((identity, ask.name, ask.role, now, expires)), text=f"air_{identity}_{secret}")


@operation("tokens.list", needs="token:list")
def list_tokens(ctx: Context, _ask: ListTokens) -> TokenPage:
    """Every token, oldest first; never a secret."""
    rows = ctx.tx.all("SELECT id, name, role, created_at_ms, expires_at_ms FROM access_token ORDER BY created_at_ms")
    return TokenPage(items=tuple(_token(row) for row in rows))


@operation("tokens.admitted", needs="token:list", audit="read")
def list_admitted(ctx: Context, _ask: ListAdmitted) -> AdmittedTokens:
    """The tokens that hold, with the verbs of their roles, by digest; never a secret."""
    now = ctx.now_ms()
    rows = ctx.tx.all("SELECT id, role, digest, COALESCE(expires_at_ms, 0) FROM access_token ORDER BY id")
    return AdmittedTokens(
        items=tuple(
            Admitted(id=id_, verbs=tuple(sorted(ROLES.get(role, ()))), digest=digest, expires_ms=expires)
            for id_, role, digest, expires in rows
            if not expires or expires > now
        )
    )


@operation("tokens.revoke", needs="token:revoke")
def revoke_token(ctx: Context, ask: RevokeToken) -> Done:
    """End a token at once.

    Raises:
        NotFound: there is no such token.
    """
    if not ctx.tx.run("DELETE FROM access_token WHERE id = ?", (ask.token_id,)):
        raise NotFound(f"No token '{ask.token_id}'. List them with: airside tokens list")
    known: dict[str, object] = ctx.memory.setdefault("tokens", {})
    ctx.tx.on_commit(known.clear)
    return DONE


def actor_of(tx: Transaction, text: str, *, now_ms: int) -> Actor:
    """Whose token it is.

    Raises:
        Unauthenticated: it is not a token of this server, or no longer one.
    """
    identity, secret = token_parts(text)
    row = tx.one("SELECT name, role, digest, expires_at_ms FROM access_token WHERE id = ?", (identity,))
    if row is None or not hmac.compare_digest(row[2], digest_of(secret)):
        raise Unauthenticated("This token is not known here. Ask the owner of the server for one.")
    if row[3] is not None and row[3] <= now_ms:
        raise Unauthenticated("This token has expired. Ask the owner of the server for a new one.")
    return Actor(name=row[0], role=row[1], token_id=identity)


def _token(row: tuple[str, str, str, int, int | None]) -> Token:
    return Token(
        id=row[0],
        name=row[1],
        role=row[2],
        created_at=from_ms(row[3]),
        expires_at=from_ms(row[4]) if row[4] is not None else None,
    )


OPERATIONS: tuple[AnyOperation, ...] = (create_token, list_tokens, list_admitted, revoke_token)
