"""MLflow's calls of webhooks (contract, section 13): a table of routes."""

from typing import Any

from airside.platform.notify.operations import (
    CreateWebhook,
    DeleteWebhook,
    GetWebhook,
    ListWebhooks,
    TryWebhook,
    UpdateWebhook,
)
from airside.platform.notify.records import Webhook, WebhookPage, WebhookTest
from airside.platform.notify.rules import checked_events
from airside.server.mlflow.wire import (
    Message,
    WireRequest,
    WireRoute,
    enum,
    int32,
    message,
    nothing,
    present,
    read,
    repeated,
    string,
    write,
)

DEFAULT_PAGE = 100

_ENTITY = enum(
    REGISTERED_MODEL=1,
    MODEL_VERSION=2,
    MODEL_VERSION_TAG=3,
    MODEL_VERSION_ALIAS=4,
    PROMPT=5,
    PROMPT_VERSION=6,
    PROMPT_TAG=7,
    PROMPT_VERSION_TAG=8,
    PROMPT_ALIAS=9,
    BUDGET_POLICY=10,
)
_ACTION = enum(CREATED=1, UPDATED=2, DELETED=3, SET=4, EXCEEDED=5)
_STATUS = enum(ACTIVE=1, DISABLED=2)
_EVENT = message(required=("entity", "action"), entity=_ENTITY, action=_ACTION)


# --- what is answered ----------------------------------------------------------------------------------------------


def webhook_of(webhook: Webhook) -> dict[str, Any]:
    """A webhook on the wire."""
    return present(
        webhook_id=webhook.id,
        name=webhook.name,
        description=webhook.description or None,
        url=webhook.url,
        events=[_pair(event) for event in webhook.events],
        status=webhook.status,
        creation_timestamp=webhook.created_ms,
        last_updated_timestamp=webhook.updated_ms,
    )


def _pair(event: str) -> dict[str, str]:
    entity, _, action = event.upper().partition(".")
    return {"entity": entity, "action": action}


def _webhook(answer: Webhook) -> bytes:
    return write({"webhook": webhook_of(answer)})


def _page(answer: WebhookPage) -> bytes:
    return write(
        present(
            webhooks=[webhook_of(webhook) for webhook in answer.items], next_page_token=answer.next_page_token or None
        )
    )


def _result(answer: WebhookTest) -> bytes:
    result = present(
        success=answer.success,
        response_status=answer.status,
        response_body=answer.answer,
        error_message=answer.error if answer.status is None else None,
    )
    return write({"result": result})


# --- what is asked -------------------------------------------------------------------------------------------------


def _event(sent: dict[str, str]) -> str:
    return f"{sent['entity']}.{sent['action']}".lower()


def _events(sent: list[dict[str, str]]) -> tuple[str, ...]:
    return checked_events(_event(each) for each in sent)


def _described(*required: str) -> Message:
    return message(
        required=required,
        name=string,
        url=string,
        events=repeated(_EVENT),
        description=string,
        secret=string,
        status=_STATUS,
    )


_CREATE = _described("name", "url", "events")
_UPDATE = _described()


def _create(request: WireRequest) -> CreateWebhook:
    sent = read(request, _CREATE)
    return CreateWebhook(**{**sent, "events": _events(sent["events"])})


_LIST = message(max_results=int32, page_token=string)


def _list(request: WireRequest) -> ListWebhooks:
    sent = read(request, _LIST)
    return ListWebhooks(max_results=sent.get("max_results") or DEFAULT_PAGE, page_token=sent.get("page_token", ""))


def _id(request: WireRequest) -> str:
    return request.path_args["webhook_id"]


def _update(request: WireRequest) -> UpdateWebhook:
    sent = read(request, _UPDATE)
    changed = {name: value for name, value in sent.items() if value or name in {"description", "secret"}}
    if "events" in changed:
        changed["events"] = _events(changed["events"])
    return UpdateWebhook(id=_id(request), **changed)


_TEST = message(event=_EVENT)


def _test(request: WireRequest) -> TryWebhook:
    sent = read(request, _TEST)
    (event,) = _events([sent["event"]]) if "event" in sent else ("",)
    return TryWebhook(id=_id(request), event=event)


_W = "2.0/mlflow/webhooks"


ROUTES: tuple[WireRoute, ...] = (
    WireRoute("POST", _W, _create, _webhook, CreateWebhook),
    WireRoute("GET", _W, _list, _page, ListWebhooks),
    WireRoute("GET", f"{_W}/{{webhook_id}}", lambda request: GetWebhook(id=_id(request)), _webhook, GetWebhook),
    WireRoute("PATCH", f"{_W}/{{webhook_id}}", _update, _webhook, UpdateWebhook),
    WireRoute("DELETE", f"{_W}/{{webhook_id}}", lambda request: DeleteWebhook(id=_id(request)), nothing, DeleteWebhook),
    WireRoute("POST", f"{_W}/{{webhook_id}}/test", _test, _result, TryWebhook),
)
