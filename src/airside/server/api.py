"""Routes made from the table of operations, and their OpenAPI description."""

import asyncio
from functools import lru_cache
from typing import Any

import msgspec

from airside.core.errors import ErrorBody, Invalid
from airside.core.operation import AnyOperation
from airside.core.version import VERSION
from airside.platform.operations import OPERATIONS
from airside.server.message import Answer, Handler, Request, json_answer
from airside.server.replies import Replies

MAX_KEY_LENGTH = 255
PARSE_IN_THREAD_BYTES = 256 << 10
PREFIX = "/api/v1/"


def operation_handler(operation: AnyOperation, replies: Replies) -> Handler:
    """The handler of `POST /api/v1/<operation>`: the body is the ask, the answer is the answer."""
    decoder = msgspec.json.Decoder(operation.ask_type)

    async def handle(request: Request) -> Answer:
        body = await request.body()
        if len(body) > PARSE_IN_THREAD_BYTES:
            ask = await asyncio.to_thread(decode, decoder, body, operation.name)
        else:
            ask = decode(decoder, body, operation.name)
        key = request.header(b"idempotency-key")
        if len(key) > MAX_KEY_LENGTH:
            raise Invalid(f"The Idempotency-Key has {len(key)} characters; the most is {MAX_KEY_LENGTH}.")
        return json_answer(await replies.ask(request.actor, ask, idempotency_key=key))

    return handle


def decode(decoder: "msgspec.json.Decoder[Any]", body: bytes, name: str) -> Any:
    """The ask in a body.

    Raises:
        Invalid: it is not JSON, or not what the operation asks for; says where.
    """
    try:
        return decoder.decode(body or b"{}")
    except msgspec.ValidationError as error:
        raise Invalid(f"{name}: {error}. What it takes: GET /api/openapi.json") from error
    except RecursionError as error:
        raise Invalid(f"{name}: the JSON is nested too deeply.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{name}: the body is not JSON: {error}.") from error


@lru_cache(maxsize=1)
def openapi() -> bytes:
    """The OpenAPI 3.1 description of every operation, made once."""
    types = [kind for operation in OPERATIONS for kind in (operation.ask_type, operation.answer_type)]
    schemas, components = msgspec.json.schema_components(
        [*types, ErrorBody], ref_template="#/components/schemas/{name}"
    )
    error = {"description": "What was asked, what was found, what to do.", "content": _json_of(schemas[-1])}
    paths = {}
    for operation, ask, answer in zip(OPERATIONS, schemas[::2], schemas[1::2], strict=False):
        paths[f"{PREFIX}{operation.name}"] = {
            "post": {
                "operationId": operation.name,
                "summary": operation.summary,
                "tags": [operation.name.partition(".")[0]],
                "requestBody": {"required": True, "content": _json_of(ask)},
                "responses": {
                    "200": {"description": "Done.", "content": _json_of(answer)},
                    **{str(status): error for status in (400, 401, 403, 404, 409, 413, 422, 429, 503, 507)},
                },
            }
        }
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Airside", "version": VERSION},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}, {}],
    }
    return msgspec.json.encode(document)


def _json_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
