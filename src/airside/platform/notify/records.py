"""The nouns of webhooks."""

from datetime import datetime
from typing import Literal, NewType

from airside.core.record import Record

Sealed = NewType("Sealed", str)
"""A secret as it is stored (`store.sealing`); empty for none."""
WebhookStatus = Literal["ACTIVE", "DISABLED"]
DeliveryState = Literal["waiting", "delivered", "dead"]


class Webhook(Record):
    """An address that is told what happens in the registry. Its secret is never shown.

    Attributes:
        events: what it is told: `registered_model.created`, `model_version_alias.deleted`, …
        has_secret: whether what it gets is signed.
    """

    id: str
    name: str
    url: str
    events: tuple[str, ...]
    status: WebhookStatus = "ACTIVE"
    description: str | None = None
    has_secret: bool = False
    created_by: str
    created_ms: int
    updated_ms: int


class ImportedWebhook(Record):
    """A webhook of another store, with its secret; that is not shown where the record is."""

    webhook: Webhook
    secret: str = ""

    def __repr__(self) -> str:
        return f"ImportedWebhook({self.webhook!r}, …)"


class WebhookPage(Record):
    """A page of webhooks, newest first."""

    items: tuple[Webhook, ...]
    next_page_token: str = ""


class WebhookDelivery(Record):
    """One thing told to one webhook, or still to be told.

    Attributes:
        id: what the receiver gets as `X-MLflow-Delivery-Id`, the same in every attempt.
        status: of the last answer; 0 when none came.
        error: why the last attempt failed.
        answer: the beginning of what the receiver answered.
        due_at: when the next attempt is made; None when there is none.
    """

    id: str
    webhook_id: str
    event: str
    state: DeliveryState
    attempts: int = 0
    status: int = 0
    error: str = ""
    due_at: datetime | None = None
    created_at: datetime
    finished_at: datetime | None = None
    answer: str = ""
    body: str = ""
    is_test: bool = False


class DeliveryPage(Record):
    """A page of deliveries, newest first, without their bodies."""

    items: tuple[WebhookDelivery, ...]
    next_page_token: str = ""


class WebhookTest(Record):
    """What came of a trial. `status` and `answer` are None when nothing was answered, `error` when all went well."""

    success: bool
    status: int | None = None
    answer: str | None = None
    error: str | None = None
