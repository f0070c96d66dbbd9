"""Webhooks: who may have one, what is kept secret, what is told of what happened, and what a failed call leads to."""

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.clock import FixedClock
from airside.core.errors import Conflict, Denied, Invalid, NotFound
from airside.core.operation import LOCAL, Actor
from airside.core.record import Ask
from airside.outbound.records import Answer, Rules
from airside.platform import courier
from airside.platform.courier import announce, attempt, forget_old
from airside.platform.house import ListAudit
from airside.platform.notify import imports, queries, rules, secrets
from airside.platform.notify import operations as ops
from airside.platform.notify.records import ImportedWebhook, Webhook, WebhookDelivery
from airside.platform.notify.telling import EXAMPLES
from airside.platform.wiring import Platform
from airside.registry.operations.aliases import DeleteAlias, SetAlias
from airside.registry.operations.models import CreateModel, DeleteModelTag, SetModelTag
from airside.registry.operations.versions import CreateVersion, DeleteVersionTag, SetVersionTag
from airside.tracking.imports.journal import BeginImport

URL = "https://93.184.216.34/hook"
EVERY = tuple(f"{entity}.{action}" for entity, actions in rules.ACTIONS.items() for action in actions)
PROMPT = {"mlflow.prompt.is_prompt": "true"}


class Post:
    """Stands for the network: remembers what is sent, answers what a test wants."""

    def __init__(self, *answers: Answer) -> None:
        self.sent: list[tuple[str, str, Mapping[str, str]]] = []
        self._answers = list(answers) or [Answer(status=200, body=b"thanks")]

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str], _rules: Rules, _what: str) -> Answer:
        self.sent.append((url, body.decode(), headers))
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def made(platform: Platform, *events: str, **more: Any) -> Webhook:
    ask = ops.CreateWebhook(name="ci", url=URL, events=events or EVERY, **more)
    return platform.call(LOCAL, ask)


def deliveries(platform: Platform, **which: Any) -> tuple[WebhookDelivery, ...]:
    return platform.call(LOCAL, ops.ListDeliveries(**which)).items


def deliver(platform: Platform, post: Post) -> int:
    """What the courier does in one round, on this thread; how many calls it made."""
    while announce(platform):
        pass
    now_ms = platform.clock.now_ms()
    claimed = platform.change(
        lambda ctx: queries.claim(ctx.tx, "test", now_ms=now_ms, until_ms=now_ms + 1000, limit=100)
    )
    for each in claimed:
        attempt(platform, each, "test", post)
    return len(claimed)


# --- making and changing -------------------------------------------------------------------------------------------


def test_a_secret_is_in_no_answer_no_text_and_no_audit_record(platform: Platform) -> None:
    ask = ops.CreateWebhook(name="ci", url=URL, events=("prompt.created",), secret="tell-nobody")
    webhook = platform.call(LOCAL, ask)
    answers = [
        webhook,
        platform.call(LOCAL, ops.GetWebhook(id=webhook.id)),
        platform.call(LOCAL, ops.ListWebhooks()),
        platform.call(LOCAL, ops.UpdateWebhook(id=webhook.id, secret="tell-nobody-either")),
        platform.call(LOCAL, ListAudit()),
    ]
    assert webhook.has_secret
    assert "tell-nobody" not in repr([ask, ops.UpdateWebhook(id="x", secret="tell-nobody"), *answers])


def test_webhooks_are_the_owners(platform: Platform) -> None:
    asks: tuple[Ask[Any], ...] = (
        ops.CreateWebhook(name="n", url=URL, events=EVERY),
        ops.GetWebhook(id="x"),
        ops.ListWebhooks(),
        ops.UpdateWebhook(id="x"),
        ops.DeleteWebhook(id="x"),
        ops.TryWebhook(id="x"),
        ops.ListDeliveries(),
        ops.GetDelivery(id="x"),
        ops.Redeliver(id="x"),
    )
    for ask in asks:
        with pytest.raises(Denied):
            platform.call(Actor(name="v", role="viewer"), ask)


def test_what_is_not_there_is_not_found(platform: Platform) -> None:
    asks: tuple[Ask[Any], ...] = (
        ops.GetWebhook(id="x"),
        ops.UpdateWebhook(id="x", name="y"),
        ops.UpdateWebhook(id="x", url=URL),
        ops.DeleteWebhook(id="x"),
        ops.TryWebhook(id="x"),
    )
    for ask in asks:
        with pytest.raises(NotFound, match=r"Webhook with ID x not found\."):
            platform.call(LOCAL, ask)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": "a b"}, "Webhook name 'a b' is invalid."),
    ({"url": "http://93.184.216.34/"}, "Invalid webhook URL scheme: 'http'. Allowed schemes are: https."),
    ({"url": "https://127.0.0.1/"}, "Webhook URL must not resolve to a non-public IP address."),
    ({"events": ()}, "Webhook events must be a non-empty list of WebhookEvent objects: []."),
    ({"events": ("run.created",)}, "No webhook event 'run.created'"),
    ({"events": ("prompt.set",)}, "Invalid action 'set' for entity 'prompt'. Valid actions are: ['created']"),
    ({"secret": "s" * 5001}, "secret has at most"),
    ({"description": "s" * 5001}, "description has at most"),
]


def test_what_is_not_allowed_is_refused_when_it_is_made_and_when_it_is_changed(platform: Platform) -> None:
    webhook = made(platform)
    for changed, why in REFUSED:
        for ask in (
            ops.CreateWebhook(**{"name": "ci", "url": URL, "events": EVERY, **changed}),
            ops.UpdateWebhook(id=webhook.id, **changed),
        ):
            with pytest.raises(Invalid) as refused:
                platform.call(LOCAL, ask)
            assert why in refused.value.message
    assert platform.call(LOCAL, ops.GetWebhook(id=webhook.id)) == webhook


def test_an_update_changes_what_it_names(platform: Platform, clock: FixedClock) -> None:
    webhook = made(platform, "prompt.created", description="d", secret="s")
    clock.advance(seconds=1)
    changed = platform.call(LOCAL, ops.UpdateWebhook(id=webhook.id, events=("prompt_tag.set",), secret=""))
    assert (changed.name, changed.url, changed.description, changed.status) == ("ci", URL, "d", "ACTIVE")
    assert (changed.events, changed.has_secret) == (("prompt_tag.set",), False)
    assert changed.updated_ms == webhook.created_ms + 1000
    assert platform.call(LOCAL, ops.GetWebhook(id=webhook.id)) == changed


def test_a_secret_does_not_follow_to_another_host(platform: Platform) -> None:
    webhook = made(platform, secret="s")
    elsewhere = ops.UpdateWebhook(id=webhook.id, url="https://8.8.8.8/hook")
    with pytest.raises(Invalid, match="belongs to the host"):
        platform.call(LOCAL, elsewhere)
    platform.call(LOCAL, ops.UpdateWebhook(id=webhook.id, url=URL + "/elsewhere"))
    moved = platform.call(LOCAL, ops.UpdateWebhook(id=webhook.id, url="https://8.8.8.8/hook", secret="another"))
    assert moved.url == "https://8.8.8.8/hook"


def test_pages_are_whole_and_newest_first(platform: Platform, clock: FixedClock) -> None:
    ids = []
    for _ in range(3):
        ids.append(made(platform).id)
        clock.advance(seconds=1)
    first = platform.call(LOCAL, ops.ListWebhooks(max_results=2))
    second = platform.call(LOCAL, ops.ListWebhooks(max_results=2, page_token=first.next_page_token))
    assert [each.id for each in (*first.items, *second.items)] == ids[::-1]
    assert second.next_page_token == ""
    for wrong in (0, 1001):
        with pytest.raises(Invalid, match=r"max_results must be between 1 and 1000\."):
            platform.call(LOCAL, ops.ListWebhooks(max_results=wrong))


def test_there_are_not_too_many(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "MAX_WEBHOOKS", 1)
    made(platform)
    with pytest.raises(Conflict, match="1 webhooks already"):
        made(platform)


# --- what is told --------------------------------------------------------------------------------------------------


def happen(platform: Platform) -> None:
    """Everything that webhooks can be told of a model and of a prompt."""
    for name, tags in (("m", {"a": "1"}), ("p", {**PROMPT, "_mlflow_prompt_type": "text", "a": "1"})):
        platform.call(LOCAL, CreateModel(name=name, tags=tags))
        source = "dummy-source" if name == "p" else "s3://b/m"
        text = {"mlflow.prompt.text": "Hello"} if name == "p" else {}
        platform.call(LOCAL, CreateVersion(name=name, source=source, tags={**tags, **text}, description="first"))
        platform.call(LOCAL, SetModelTag(name=name, key="k", value="v"))
        platform.call(LOCAL, DeleteModelTag(name=name, key="k"))
        platform.call(LOCAL, SetVersionTag(name=name, version=1, key="k", value="v"))
        platform.call(LOCAL, DeleteVersionTag(name=name, version=1, key="k"))
        platform.call(LOCAL, SetAlias(name=name, alias="live", version=1))
        platform.call(LOCAL, DeleteAlias(name=name, alias="live"))


def test_every_event_is_told_once_with_its_data_in_mlflows_form(platform: Platform) -> None:
    made(platform)
    happen(platform)
    post = Post()
    assert deliver(platform, post) == 14
    told = {f"{body['entity']}.{body['action']}": body for body in (json.loads(body) for _, body, _ in post.sent)}
    assert set(told) == set(EVERY) - {"budget_policy.exceeded"}
    assert [set(body["data"]) == set(EXAMPLES[event]) for event, body in told.items()] == [True] * 14
    assert told["registered_model.created"]["data"] == {"name": "m", "tags": {"a": "1"}, "description": ""}
    assert told["prompt_version.created"]["data"]["template"] == "Hello"
    assert told["prompt_version.created"]["data"]["tags"] == {"a": "1"}
    assert told["model_version.created"]["data"]["run_id"] is None
    assert told["model_version_alias.created"]["data"] == {"name": "m", "alias": "live", "version": "1"}
    assert told["model_version.created"]["timestamp"] == "2025-06-15T15:06:40+00:00"
    assert deliver(platform, post) == 0


def test_a_webhook_is_told_what_it_asked_for_from_its_beginning_on(platform: Platform) -> None:
    platform.call(LOCAL, CreateModel(name="before"))
    first = made(platform, "registered_model.created")
    platform.call(LOCAL, CreateModel(name="between"))
    made(platform, "prompt.created")
    second = made(platform, "registered_model.created")
    platform.call(LOCAL, CreateModel(name="after"))
    post = Post()
    deliver(platform, post)
    names = {
        webhook.id: {
            json.loads(platform.call(LOCAL, ops.GetDelivery(id=each.id)).body)["data"]["name"]
            for each in deliveries(platform, webhook_id=webhook.id)
        }
        for webhook in (first, second)
    }
    assert names == {first.id: {"between", "after"}, second.id: {"after"}}


def test_a_disabled_webhook_is_told_nothing_not_even_later(platform: Platform) -> None:
    webhook = made(platform)
    platform.call(LOCAL, ops.UpdateWebhook(id=webhook.id, status="DISABLED"))
    platform.call(LOCAL, CreateModel(name="unseen"))
    assert deliver(platform, Post()) == 0
    platform.call(LOCAL, ops.UpdateWebhook(id=webhook.id, status="ACTIVE"))
    assert deliver(platform, Post()) == 0


def test_what_changes_nothing_is_not_told(platform: Platform) -> None:
    platform.call(LOCAL, CreateModel(name="m"))
    platform.call(LOCAL, CreateVersion(name="m", source="s3://b/m"))
    platform.call(LOCAL, SetAlias(name="m", alias="live", version=1))
    made(platform)
    platform.call(LOCAL, SetAlias(name="m", alias="live", version=1))
    platform.call(LOCAL, DeleteVersionTag(name="m", version=1, key="none"))
    platform.call(LOCAL, DeleteAlias(name="m", alias="none"))
    assert deliver(platform, Post()) == 0


def test_a_deleted_webhook_is_told_nothing_more_and_its_history_stays(platform: Platform) -> None:
    webhook = made(platform)
    platform.call(LOCAL, CreateModel(name="m"))
    announce(platform)
    platform.call(LOCAL, ops.DeleteWebhook(id=webhook.id))
    assert deliver(platform, Post()) == 0
    (delivery,) = deliveries(platform, webhook_id=webhook.id)
    assert (delivery.state, delivery.error) == ("dead", "The webhook was deleted.")
    with pytest.raises(NotFound):
        platform.call(LOCAL, ops.Redeliver(id=delivery.id))


# --- calls ---------------------------------------------------------------------------------------------------------


def test_what_is_sent_is_signed_over_id_time_and_body(platform: Platform) -> None:
    made(platform, secret="s3cret")
    platform.call(LOCAL, CreateModel(name="m"))
    post = Post()
    deliver(platform, post)
    ((url, body, headers),) = post.sent
    (delivery,) = deliveries(platform)
    assert (url, delivery.state, delivery.status, delivery.answer) == (URL, "delivered", 200, "thanks")
    assert headers["X-MLflow-Delivery-Id"] == delivery.id
    again = rules.headers_of(delivery.id, body, "s3cret", platform.clock.now_ms())
    assert headers == again
    assert "X-MLflow-Signature" not in rules.headers_of(delivery.id, body, "", 0)


def test_a_failed_call_is_made_again_later_under_the_same_id(platform: Platform, clock: FixedClock) -> None:
    made(platform)
    platform.call(LOCAL, CreateModel(name="m"))
    post = Post(Answer(status=500), Answer(error="No answer within 10 seconds."), Answer(status=200))
    assert deliver(platform, post) == 1
    (delivery,) = deliveries(platform)
    assert (delivery.state, delivery.attempts, delivery.error) == ("waiting", 1, "The receiver answered 500.")
    assert deliver(platform, post) == 0
    for pause_s in (2, 8):
        clock.advance(seconds=pause_s)
        assert deliver(platform, post) == 1
    (delivery,) = deliveries(platform)
    assert (delivery.state, delivery.attempts, delivery.status, delivery.error) == ("delivered", 3, 200, "")
    assert len({headers["X-MLflow-Delivery-Id"] for _, _, headers in post.sent}) == 1
    assert len({headers["X-MLflow-Timestamp"] for _, _, headers in post.sent}) == 3


def test_an_answer_that_will_not_change_is_the_last(platform: Platform) -> None:
    made(platform)
    for status in (301, 400, 404, 410):
        platform.call(LOCAL, CreateModel(name=f"m{status}"))
        deliver(platform, Post(Answer(status=status)))
    assert [each.state for each in deliveries(platform)] == ["dead"] * 4


def test_what_cannot_be_delivered_is_dead_within_a_day(platform: Platform, clock: FixedClock) -> None:
    made(platform)
    platform.call(LOCAL, CreateModel(name="m"))
    post = Post(Answer(status=503))
    for _ in range(40):
        deliver(platform, post)
        clock.advance(seconds=2500)
    (delivery,) = deliveries(platform, state="dead")
    assert delivery.attempts > 5
    assert re.search("Given up after|could not be delivered within a day", delivery.error)


def test_a_delivery_that_lay_too_long_is_not_made(platform: Platform, clock: FixedClock) -> None:
    made(platform)
    platform.call(LOCAL, CreateModel(name="m"))
    announce(platform)
    clock.advance(seconds=86_401)
    post = Post()
    deliver(platform, post)
    assert post.sent == []
    assert [each.error for each in deliveries(platform)] == ["It could not be delivered within a day."]


def test_a_person_may_have_it_delivered_again(platform: Platform, clock: FixedClock) -> None:
    made(platform)
    platform.call(LOCAL, CreateModel(name="m"))
    deliver(platform, Post(Answer(status=404)))
    (delivery,) = deliveries(platform)
    clock.advance(seconds=90_000)
    assert platform.call(LOCAL, ops.Redeliver(id=delivery.id)).state == "waiting"
    with pytest.raises(Conflict, match="waits already"):
        platform.call(LOCAL, ops.Redeliver(id=delivery.id))
    post = Post()
    deliver(platform, post)
    assert post.sent[0][2]["X-MLflow-Delivery-Id"] == delivery.id


def test_a_call_under_way_is_nobody_elses_until_its_lease_ends(platform: Platform, clock: FixedClock) -> None:
    made(platform)
    platform.call(LOCAL, CreateModel(name="m"))
    announce(platform)

    def claim(owner: str) -> int:
        now_ms = clock.now_ms()
        take = {"now_ms": now_ms, "until_ms": now_ms + 1000, "limit": 9}
        return len(platform.change(lambda ctx: queries.claim(ctx.tx, owner, **take)))

    assert (claim("one"), claim("two")) == (1, 0)
    clock.advance(seconds=2)
    assert claim("two") == 1
    result = queries.Result(state="dead", due_ms=0, status=0, error="late", answer="")
    (delivery,) = deliveries(platform)
    platform.change(lambda ctx: queries.settle(ctx.tx, delivery.id, "one", result, 0))
    assert [each.state for each in deliveries(platform)] == ["waiting"]


def test_what_was_written_down_twice_is_told_once(platform: Platform) -> None:
    webhook = made(platform)
    row = queries.NewDelivery("d1", webhook.id, 7, "prompt.created", "{}", 0)
    platform.change(lambda ctx: queries.insert_deliveries(ctx.tx, [row, row._replace(id="d2")]))
    assert [each.id for each in deliveries(platform)] == ["d1"]


def test_deliveries_that_are_over_are_forgotten_after_a_month(platform: Platform, clock: FixedClock) -> None:
    made(platform)
    platform.call(LOCAL, CreateModel(name="m"))
    deliver(platform, Post())
    clock.advance(seconds=29 * 86_400)
    forget_old(platform)
    assert len(deliveries(platform)) == 1
    clock.advance(seconds=2 * 86_400)
    forget_old(platform)
    assert deliveries(platform) == ()


def test_pages_of_deliveries_are_whole_and_newest_first(platform: Platform, clock: FixedClock) -> None:
    made(platform)
    for name in "abc":
        platform.call(LOCAL, CreateModel(name=name))
        announce(platform)
        clock.advance(seconds=1)
    first = platform.call(LOCAL, ops.ListDeliveries(max_results=2))
    second = platform.call(LOCAL, ops.ListDeliveries(max_results=2, page_token=first.next_page_token))
    every = [each.id for each in (*first.items, *second.items)]
    assert (len(every), every) == (3, sorted(every, reverse=True))
    with pytest.raises(NotFound, match="airside webhooks deliveries"):
        platform.call(LOCAL, ops.GetDelivery(id="x"))


@settings(max_examples=50)
@given(
    status=st.sampled_from([0, 429, 500, 503]),
    attempts=st.integers(1, 30),
    chance=st.floats(0, 1),
    age_ms=st.integers(0, rules.LIFE_MS),
)
def test_a_failed_delivery_waits_within_its_day_or_is_dead(
    status: int, attempts: int, chance: float, age_ms: int
) -> None:
    answer = Answer(status=status, error="" if status else "away")
    made_ms, now_ms = 1000, 1000 + age_ms
    what = rules.outcome(answer, attempts=attempts, retries=11, created_ms=made_ms, now_ms=now_ms, chance=chance)
    assert what.error
    if what.state == "waiting":
        assert now_ms < what.due_ms <= made_ms + rules.LIFE_MS
    else:
        assert (what.state, "Given up" in what.error) == ("dead", True)


# --- trials and the thread -----------------------------------------------------------------------------------------


def test_a_trial_sends_an_example_and_is_kept(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    post = Post()
    monkeypatch.setattr(ops, "load", lambda _path: post)
    webhook = made(platform, secret="s")
    for event in EVERY:
        result = platform.call(LOCAL, ops.TryWebhook(id=webhook.id, event=event))
        assert (result.success, result.status, result.answer, result.error) == (True, 200, "thanks", None)
        assert json.loads(post.sent[-1][1])["data"] == EXAMPLES[event]
    kept = deliveries(platform)
    assert {(each.is_test, each.state) for each in kept} == {(True, "delivered")}
    assert {each.event for each in kept} == set(EVERY)
    with pytest.raises(Invalid, match="Valid actions are"):
        platform.call(LOCAL, ops.TryWebhook(id=webhook.id, event="prompt.set"))


def test_a_trial_that_fails_says_why(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "load", lambda _path: Post(Answer(status=302), Answer(error="away")))
    webhook = made(platform)
    result = platform.call(LOCAL, ops.TryWebhook(id=webhook.id))
    assert (result.success, result.status) == (False, 302)
    assert "Redirects are not followed" in (result.error or "")


def test_the_courier_delivers_what_happens_and_what_waited_while_it_was_away(platform: Platform) -> None:
    import threading

    heard = threading.Semaphore(0)
    sent: list[str] = []

    def post(_url: str, body: bytes, _headers: Mapping[str, str], _rules: Rules, _what: str) -> Answer:
        sent.append(json.loads(body)["data"]["name"])
        heard.release()
        return Answer(status=200)

    made(platform, "registered_model.created")
    platform.call(LOCAL, CreateModel(name="earlier"))
    running = courier.Courier(platform, post)
    assert heard.acquire(timeout=60)
    platform.call(LOCAL, CreateModel(name="now"))
    assert heard.acquire(timeout=60)
    running.close()
    assert sent == ["earlier", "now"]
    assert [each.state for each in deliveries(platform)] == ["delivered", "delivered"]
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("airside-webhook")] == []


def stored(platform: Platform) -> str:
    return str(platform.read(lambda ctx: ctx.tx.all("SELECT secret FROM webhook")))


def test_the_database_holds_no_secret_that_can_be_read(platform: Platform) -> None:
    webhook = made(platform, secret="tell-nobody")
    platform.call(LOCAL, ops.UpdateWebhook(id=webhook.id, secret="tell-nobody-either"))
    assert "tell" not in stored(platform)
    for file in platform.home.rglob("*"):
        assert not file.is_file() or b"tell-nobody" not in file.read_bytes()


def test_a_secret_that_was_moved_to_another_host_in_the_database_signs_nothing(platform: Platform) -> None:
    webhook = made(platform, secret="s")
    platform.change(lambda ctx: ctx.tx.run("UPDATE webhook SET url = 'https://1.1.1.1/evil'"))
    with pytest.raises(Conflict, match="cannot be opened"):
        platform.call(LOCAL, ops.TryWebhook(id=webhook.id))


def test_a_new_key_seals_every_secret_anew(platform: Platform) -> None:
    webhook = made(platform, secret="s")
    before, key = stored(platform), (platform.home / "secret.key").read_bytes()
    assert platform.call(LOCAL, ops.RenewKey()).secrets == 1
    assert stored(platform) != before
    assert not (platform.home / "secret.key").read_bytes().startswith(key)
    assert platform.call(LOCAL, ops.UpdateWebhook(id=webhook.id, name="still")).has_secret
    kept = platform.read(lambda ctx: queries.secret_of(ctx.tx, webhook.id))
    assert secrets.opened(platform, kept, webhook.url) == "s"


def test_an_import_that_is_repeated_counts_what_is_here_once(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MAX_WEBHOOKS", 1)
    begun = platform.call(LOCAL, BeginImport(source="s", kind="mlflow-database", fingerprint="f"))
    one = Webhook(id="w-1", name="ci", url=URL, events=EVERY, created_by="ann", created_ms=5, updated_ms=5)
    ask = imports.ImportWebhooks(import_id=begun.import_id, items=(ImportedWebhook(webhook=one),))
    other = msgspec.structs.replace(one, id="w-2")

    added = [platform.call(LOCAL, ask).added for _ in range(2)]

    assert added == [1, 0]
    with pytest.raises(Conflict, match="more than 1 webhooks"):
        platform.call(LOCAL, msgspec.structs.replace(ask, items=(ImportedWebhook(webhook=other),)))
