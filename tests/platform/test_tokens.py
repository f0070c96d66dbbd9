"""Tokens, and the one check."""

import pytest

from airside.core.clock import FixedClock
from airside.core.errors import Conflict, Denied, Unauthenticated
from airside.core.operation import LOCAL, Actor
from airside.platform.access.tokens import CreateToken, ListTokens, RevokeToken, actor_of
from airside.platform.house import GetAbout, VerifyAudit
from airside.platform.wiring import Platform
from airside.tracking.operations.experiments import CreateExperiment


def test_a_token_opens_what_its_role_may(platform: Platform) -> None:
    made = platform.call(LOCAL, CreateToken(name="ci", role="viewer"))
    actor = platform.read(lambda ctx: actor_of(ctx.tx, made.text, now_ms=ctx.now_ms()))
    assert actor == Actor(name="ci", role="viewer", token_id=made.token.id)
    assert platform.call(actor, GetAbout()).version
    with pytest.raises(Denied, match="token:create"):
        platform.call(actor, CreateToken(name="more"))


def test_an_expired_revoked_or_altered_token_opens_nothing(platform: Platform, clock: FixedClock) -> None:
    made = platform.call(LOCAL, CreateToken(name="ci", days=1))
    for text in (made.text + "x", made.text.replace("air_", "bir_"), "", "air_"):
        with pytest.raises(Unauthenticated):
            platform.read(lambda ctx, text=text: actor_of(ctx.tx, text, now_ms=ctx.now_ms()))
    clock.advance(seconds=86_401)
    with pytest.raises(Unauthenticated, match="expired"):
        platform.read(lambda ctx: actor_of(ctx.tx, made.text, now_ms=ctx.now_ms()))
    platform.call(LOCAL, RevokeToken(token_id=made.token.id))
    assert platform.call(LOCAL, ListTokens()).items == ()


def test_the_audit_chain_holds_and_names_what_was_changed(platform: Platform) -> None:
    for name in ("a", "b", "c"):
        platform.call(LOCAL, CreateToken(name=name))
    assert platform.call(LOCAL, VerifyAudit()).holds
    platform.change(lambda ctx: ctx.tx.run("UPDATE audit SET actor = ? WHERE seq = ?", ("mallory", 2)))
    assert platform.call(LOCAL, VerifyAudit()).findings[0].endswith("record 2 was changed.")


def test_a_repeated_request_acts_once(platform: Platform) -> None:
    first = platform.call(LOCAL, CreateExperiment(name="e"), idempotency_key="k1")
    assert platform.call(LOCAL, CreateExperiment(name="e"), idempotency_key="k1") == first


def test_the_text_of_a_token_is_stored_nowhere_not_even_for_a_repeat(platform: Platform) -> None:
    made = platform.call(LOCAL, CreateToken(name="ci"), idempotency_key="k1")
    with pytest.raises(Conflict, match="shown once"):
        platform.call(LOCAL, CreateToken(name="ci"), idempotency_key="k1")
    rows = platform.read(lambda ctx: ctx.tx.all("SELECT answer FROM idempotency"))
    assert made.text not in str(rows)
    assert len(platform.call(LOCAL, ListTokens()).items) == 1
