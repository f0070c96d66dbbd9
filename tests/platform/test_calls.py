"""The one way in: authorised, whole, audited, and once for each key."""

import pytest

from airside.core.clock import FixedClock
from airside.core.errors import AlreadyExists, Denied, Invalid, Unprocessable
from airside.core.operation import LOCAL, Actor
from airside.platform.access.tokens import CreateToken, ListTokens
from airside.platform.house import GetAbout, ListAudit, VerifyAudit
from airside.platform.repeat import forget_old
from airside.platform.wiring import Platform
from airside.registry.operations.models import CreateModel, DeleteModel
from airside.tracking.operations.experiments import CreateExperiment

VIEWER = Actor(name="guest", role="viewer")


def experiments(platform: Platform) -> int:
    row = platform.read(lambda ctx: ctx.tx.one("SELECT COUNT(*) FROM experiment"))
    assert row is not None
    return int(row[0])


def test_a_repeated_key_gets_the_first_answer_and_acts_once(platform: Platform) -> None:
    ask = CreateExperiment(name="x")
    first = platform.call(LOCAL, ask, idempotency_key="k")
    events = platform.call(LOCAL, GetAbout()).events
    assert platform.call(LOCAL, ask, idempotency_key="k") == first
    assert platform.call(LOCAL, GetAbout()).events == events


def test_a_key_used_with_another_request_is_refused(platform: Platform) -> None:
    platform.call(LOCAL, CreateExperiment(name="x"), idempotency_key="k")
    with pytest.raises(Unprocessable, match="'k' was used before"):
        platform.call(LOCAL, CreateExperiment(name="y"), idempotency_key="k")
    assert experiments(platform) == 2


def test_keys_of_two_callers_are_two_keys(platform: Platform) -> None:
    other = Actor(name="other", role="owner")
    platform.call(LOCAL, CreateExperiment(name="x"), idempotency_key="k")
    platform.call(other, CreateExperiment(name="y"), idempotency_key="k")
    assert experiments(platform) == 3


def test_keys_of_two_tokens_of_one_name_are_two_keys(platform: Platform) -> None:
    for name in ("x", "y"):
        actor = Actor(name="ci", role="owner", token_id=f"tok-{name}")
        platform.call(actor, CreateExperiment(name=name), idempotency_key="k")
    assert experiments(platform) == 3


def test_a_request_that_failed_may_be_tried_again_with_its_key(platform: Platform) -> None:
    platform.call(LOCAL, CreateExperiment(name="x"))
    with pytest.raises(AlreadyExists):
        platform.call(LOCAL, CreateExperiment(name="x"), idempotency_key="k")
    platform.call(LOCAL, CreateExperiment(name="y"), idempotency_key="k")
    assert experiments(platform) == 3


def test_a_key_is_free_again_after_a_day(platform: Platform, clock: FixedClock) -> None:
    platform.call(LOCAL, CreateExperiment(name="x"), idempotency_key="k")
    clock.advance(seconds=24 * 3600 + 1)
    assert platform.change(lambda ctx: forget_old(ctx.tx, now_ms=ctx.now_ms())) == 1
    with pytest.raises(AlreadyExists):
        platform.call(LOCAL, CreateExperiment(name="x"), idempotency_key="k")


def test_a_denied_attempt_is_told_and_written_down(platform: Platform) -> None:
    with pytest.raises(Denied, match=r"needs the right model:\w+; 'guest' is a viewer"):
        platform.call(VIEWER, CreateModel(name="m"))
    platform.change(lambda _ctx: None)  # behind the attempt's record
    (line,) = (line for line in platform.call(VIEWER, ListAudit()).items if line.actor == "guest")
    assert (line.operation, line.resource, line.outcome) == ("models.create", "m", "denied")


def test_a_denied_attempt_of_any_text_harms_nobody_in_its_group(platform: Platform) -> None:
    for name in ("a\0b", "\ud800", "x" * 100_000):
        with pytest.raises(Denied):
            platform.call(VIEWER, DeleteModel(name=name))
        platform.call(LOCAL, CreateExperiment(name=f"beside {len(name)}"))
    assert experiments(platform) == 4
    assert platform.call(LOCAL, VerifyAudit()).holds


def test_a_change_has_one_record_in_the_log_and_a_failed_one_none(platform: Platform) -> None:
    before = platform.call(LOCAL, GetAbout()).audit_records
    platform.call(LOCAL, CreateToken(name="x"))
    with pytest.raises(Invalid):
        platform.call(LOCAL, CreateToken(name=""))
    assert platform.call(LOCAL, GetAbout()).audit_records == before + 1


def test_a_reader_sees_its_own_write(platform: Platform) -> None:
    for number in range(10):
        platform.call(LOCAL, CreateToken(name=f"t{number}"))
        assert len(platform.call(LOCAL, ListTokens()).items) == number + 1


def test_an_unknown_role_may_nothing(platform: Platform) -> None:
    with pytest.raises(Denied):
        platform.call(Actor(name="x", role="nonsense"), GetAbout())
