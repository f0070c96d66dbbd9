"""Every operation of the API, asked with values of the types that its OpenAPI names and of others: never a 5xx."""

import json
import random
from typing import Any

import msgspec
import pytest

from airside.core.errors import AirsideError
from airside.core.operation import LOCAL
from airside.platform.operations import OPERATIONS
from airside.platform.wiring import Platform
from airside.server.api import decode, openapi

TEXTS = (
    "",
    "0",
    "a",
    "é🙂",
    "x" * 300,
    "a/b",
    "../x",
    "a\x00b",
    "2026-01-01T00:00:00Z",
    "2026-01-01",
    "b3:" + "0" * 64,
    "0" * 32,
    "m-" + "0" * 32,
    "metrics.a > 1",
    "eyJvZmZzZXQiOiAxfQ==",
    "* * * * *",
    "https://example.org/x",
    "s3://bucket/x",
    "models:/m/1",
    "m@1",
)
NUMBERS = (0, 1, -1, 2, 100, 2**31, 2**53, 2**63 - 1, -(2**63), 0.5, -1.5, 1e308)
ODD: tuple[object, ...] = (None, True, "", 0, -1, [], {}, "x", 2**64, 1e400, [None], {"a": None})
ROUNDS = 6
"""How often each operation is asked, in any order."""


class Maker:
    """Values of a schema, and now and then of none."""

    def __init__(self, schemas: dict[str, Any], chance: random.Random) -> None:
        self._schemas, self._chance = schemas, chance
        self._seen: dict[str, list[Any]] = {}

    def see(self, value: Any, name: str = "") -> None:
        """Remember what an answer told, under the name of its field."""
        if isinstance(value, dict):
            for key, item in value.items():
                self.see(item, key)
        elif isinstance(value, list):
            for item in value[:5]:
                self.see(item, name)
        elif isinstance(value, str | int) and not isinstance(value, bool) and len(str(value)) < 400:
            self._seen.setdefault(name, []).append(value)

    def made(self, schema: dict[str, Any], depth: int = 0) -> Any:
        """A value of a schema."""
        if self._chance.random() < 0.04 and depth:
            return self._chance.choice(ODD)
        if "$ref" in schema:
            return self.made(self._schemas[schema["$ref"].rpartition("/")[2]], depth)
        if "anyOf" in schema:
            return self.made(self._chance.choice(schema["anyOf"]), depth)
        if "enum" in schema or "const" in schema:
            return self._chance.choice(schema.get("enum", [schema.get("const")]))
        return self._of_type(schema, depth)

    def _of_type(self, schema: dict[str, Any], depth: int) -> Any:
        kind = schema.get("type")
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            items = schema.get("items") or (schema.get("prefixItems") or [{}])[0]
            return [self.made(items or {}, depth + 1) for _ in range(self._chance.randint(0, 2 if depth < 4 else 0))]
        if kind == "boolean":
            return self._chance.random() < 0.5
        if kind in {"integer", "number"}:
            return self._chance.choice([number for number in NUMBERS if kind == "number" or isinstance(number, int)])
        if kind == "null":
            return None
        return self._chance.choice(TEXTS)

    def _field(self, name: str, schema: dict[str, Any], depth: int) -> Any:
        seen = self._seen.get(name) or self._seen.get(name.removesuffix("s"))
        if seen and self._chance.random() < 0.6:
            chosen = self._chance.choice(seen)
            return [chosen] if schema.get("type") == "array" else chosen
        return self.made(schema, depth)

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        made = {
            name: self._field(name, part, depth + 1)
            for name, part in schema.get("properties", {}).items()
            if name in required or self._chance.random() < 0.6
        }
        more = schema.get("additionalProperties")
        if isinstance(more, dict) and depth < 4:
            made[self._chance.choice(TEXTS)] = self.made(more, depth + 1)
        return made


@pytest.mark.parametrize("seed", range(3))
def test_whatever_an_operation_is_asked_it_answers_or_says_what_is_wrong(platform: Platform, seed: int) -> None:
    described = json.loads(openapi())
    chance = random.Random(seed)
    maker = Maker(described["components"]["schemas"], chance)
    failures = []
    operations = [*OPERATIONS] * ROUNDS
    chance.shuffle(operations)
    for operation in operations:
        body = described["paths"][f"/api/v1/{operation.name}"]["post"]["requestBody"]["content"]["application/json"]
        decoder = msgspec.json.Decoder(operation.ask_type)
        sent = json.dumps(maker.made(body["schema"])).encode()
        try:
            answer = msgspec.json.encode(platform.call(LOCAL, decode(decoder, sent, operation.name)))
        except AirsideError as error:
            if error.status >= 500 and error.status != 503:  # 503: not yet, ask again
                failures.append(f"{operation.name} {sent[:500]!r}: {error.status} {error.message}")
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is what is looked for
            failures.append(f"{operation.name} {sent[:500]!r}: {type(error).__name__} {error}")
        else:
            maker.see(msgspec.json.decode(answer))
    assert not failures, "\n".join(failures)
