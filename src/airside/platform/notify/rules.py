"""What webhooks decide, without I/O. The texts are those of MLflow's wire where it has one."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from airside.core.clock import from_ms
from airside.core.errors import Invalid
from airside.core.record import Record
from airside.outbound.records import Answer
from airside.platform.notify.records import DeliveryState

ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "registered_model": ("created",),
    "model_version": ("created",),
    "model_version_tag": ("deleted", "set"),
    "model_version_alias": ("created", "deleted"),
    "prompt": ("created",),
    "prompt_version": ("created",),
    "prompt_tag": ("deleted", "set"),
    "prompt_version_tag": ("deleted", "set"),
    "prompt_alias": ("created", "deleted"),
    "budget_policy": ("exceeded",),
}
"""Entity -> what of it can be told. `budget_policy` is of MLflow's gateway: it may be asked for, and never comes."""

PAUSES_S: Final = (1, 4, 16, 64, 256, 1024, 4096, 16384, 21600)
"""Between the attempts; the last one again and again."""
LIFE_MS: Final = 24 * 3600 * 1000
MAX_ANSWER: Final = 1000
MAX_DESCRIPTION: Final = 5000
MAX_SECRET: Final = 5000

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?\Z")


def check_name(name: str) -> None:
    """Refuse what cannot be a webhook's name.

    >>> check_name("ci")
    >>> check_name("-ci")
    Traceback (most recent call last):
    airside.core.errors.Invalid: Webhook name '-ci' is invalid. It must start and end with a letter or digit, be less \
than 63 characters long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-).

    Raises:
        Invalid: a character or the length.
    """
    if not _NAME.match(name):
        raise Invalid(
            f"Webhook name {name[:200]!r} is invalid. It must start and end with a letter or digit, be less than 63 "
            "characters long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-)."
        )


def check_texts(description: str | None, secret: str | None) -> None:
    """Refuse texts that are too long.

    Raises:
        Invalid: one is.
    """
    if len(description or "") > MAX_DESCRIPTION:
        raise Invalid(f"A webhook's description has at most {MAX_DESCRIPTION} characters.")
    if len(secret or "") > MAX_SECRET:
        raise Invalid(f"A webhook's secret has at most {MAX_SECRET} characters.")


def checked_events(events: Iterable[str]) -> tuple[str, ...]:
    """The events, each once, in the order in which MLflow lists them.

    >>> checked_events(["model_version.created", "model_version.created"])
    ('model_version.created',)
    >>> checked_events(["registered_model.set"])
    Traceback (most recent call last):
    airside.core.errors.Invalid: Invalid action 'set' for entity 'registered_model'. Valid actions are: ['created']

    Raises:
        Invalid: there is none, or one that there is not.
    """
    every = tuple(sorted(dict.fromkeys(events), key=lambda event: event.split(".")))
    for event in every:
        entity, _, action = event.partition(".")
        if entity not in ACTIONS:
            raise Invalid(f"No webhook event '{event[:100]}'. The entities are: {', '.join(ACTIONS)}.")
        if action not in ACTIONS[entity]:
            raise Invalid(
                f"Invalid action '{action[:100]}' for entity '{entity}'. Valid actions are: {list(ACTIONS[entity])}"
            )
    if not every:
        raise Invalid("Webhook events must be a non-empty list of WebhookEvent objects: [].")
    return every


def check_move(before: str, after: str, *, has_secret: bool, tells_secret: bool) -> None:
    """Refuse to take a secret along to another host: it belongs to the one that it was made for.

    Raises:
        Invalid: the host changes, and no secret came with it.
    """
    if has_secret and not tells_secret and urlsplit(before).netloc.lower() != urlsplit(after).netloc.lower():
        raise Invalid(
            "The webhook's secret belongs to the host of its present url. To move it to another host, send the secret "
            "for that one as well ('' for none)."
        )


def body_of(event: str, at_ms: int, data: Mapping[str, Any]) -> str:
    """What is sent: MLflow's envelope around what happened.

    >>> body_of("prompt_alias.deleted", 0, {"name": "p", "alias": "a"})
    '{"entity": "prompt_alias", "action": "deleted", "timestamp": "1970-01-01T00:00:00+00:00", \
"data": {"name": "p", "alias": "a"}}'
    """
    entity, _, action = event.partition(".")
    return json.dumps({"entity": entity, "action": action, "timestamp": from_ms(at_ms).isoformat(), "data": data})


def headers_of(delivery_id: str, body: str, secret: str, now_ms: int) -> dict[str, str]:
    """What is said beside the body; the signature covers the id, the time of the attempt and the body.

    >>> headers_of("d", "{}", "s", 5000)["X-MLflow-Timestamp"]
    '5'
    """
    timestamp = str(now_ms // 1000)
    headers = {
        "Content-Type": "application/json",
        "X-MLflow-Delivery-Id": delivery_id,
        "X-MLflow-Timestamp": timestamp,
    }
    if secret:
        signed = f"{delivery_id}.{timestamp}.{body}".encode()
        digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
        headers["X-MLflow-Signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


class Outcome(Record):
    """What an attempt leads to."""

    state: DeliveryState
    due_ms: int = 0
    error: str = ""


def outcome(answer: Answer, *, attempts: int, retries: int, created_ms: int, now_ms: int, chance: float) -> Outcome:
    """What follows from an attempt.

    Args:
        answer: what came back.
        attempts: how many were made, this one included.
        retries: how many may follow the first.
        created_ms: when the delivery was made; it is dead after a day.
        now_ms: now.
        chance: 0 … 1, so that those that failed together are not tried again together.
    """
    if 200 <= answer.status < 300:
        return Outcome(state="delivered")
    why = trouble(answer)
    if answer.status and answer.status != 429 and answer.status < 500:
        return Outcome(state="dead", error=why)
    pause_s = PAUSES_S[min(attempts, len(PAUSES_S)) - 1] * (0.8 + 0.4 * chance)
    due_ms = now_ms + round(max(pause_s, answer.retry_after_s or 0.0) * 1000)
    if attempts > retries or due_ms > created_ms + LIFE_MS:
        return Outcome(state="dead", error=f"{why} Given up after {attempts} attempts.")
    return Outcome(state="waiting", due_ms=due_ms, error=why)


def trouble(answer: Answer) -> str:
    """Why an attempt failed.

    >>> trouble(Answer(status=302))
    'The receiver answered 302. Redirects are not followed: give the address that it leads to.'
    """
    if not answer.status:
        return answer.error
    if 300 <= answer.status < 400:
        return f"The receiver answered {answer.status}. Redirects are not followed: give the address that it leads to."
    return f"The receiver answered {answer.status}."


def answer_text(answer: Answer, most: int = MAX_ANSWER) -> str:
    """The beginning of what was answered, as text that any database takes."""
    return answer.body.decode("utf-8", "replace").replace("\0", "�")[:most]
