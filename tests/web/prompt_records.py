"""Prompts and webhooks, by hand."""

from tests.web.model_records import version
from tests.web.moment import ago, ms

from airside.core.ids import ModelName
from airside.platform.notify.records import DeliveryState, Webhook, WebhookDelivery
from airside.registry.records import ModelVersion, RegisteredModel

IS_PROMPT = {"mlflow.prompt.is_prompt": "true"}


def prompt(name: str, text: str) -> RegisteredModel:
    return RegisteredModel(
        name=ModelName(name),
        created_by="local",
        created_ms=ms(days=2),
        updated_ms=ms(hours=1),
        description=text,
        tags=IS_PROMPT,
        aliases={"production": 2},
        latest_versions=prompt_versions(name, text)[:1],
    )


def prompt_versions(name: str, text: str) -> tuple[ModelVersion, ...]:
    return tuple(
        ModelVersion(
            name=ModelName(name),
            version=number,
            source="dummy-source",
            created_by=version().created_by,
            created_ms=ms(hours=10 - number),
            updated_ms=ms(hours=10 - number),
            description=text,
            aliases=("production",) if number == 2 else (),
            tags={**IS_PROMPT, "mlflow.prompt.text": f"You are {text}.\nAnswer {{{{question}}}} in {number} words."},
        )
        for number in (3, 2, 1)
    )


def webhook(text: str) -> Webhook:
    return Webhook(
        id="wh-1",
        name=text,
        url="https://hooks.example.org/team",
        events=("model_version.created", "model_version_alias.created"),
        description=text,
        has_secret=True,
        created_by="local",
        created_ms=ms(days=1),
        updated_ms=ms(days=1),
    )


def delivery(text: str, state: DeliveryState) -> WebhookDelivery:
    return WebhookDelivery(
        id=f"de-{state}",
        webhook_id="wh-1",
        event="model_version.created",
        state=state,
        attempts=4,
        status=503,
        error=text,
        created_at=ago(hours=2),
        due_at=ago(hours=-1) if state == "waiting" else None,
    )
