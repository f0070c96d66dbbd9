"""What other tracers call things: their span attributes, told in our words, when a span is stored.

Tables of the public conventions: OpenTelemetry's for generative AI, OpenInference, OpenLLMetry (Traceloop).
"""

from collections.abc import Mapping
from typing import Any

import msgspec

TYPE = "mlflow.spanType"
INPUTS = "mlflow.spanInputs"
OUTPUTS = "mlflow.spanOutputs"
USAGE = "mlflow.chat.tokenUsage"
COST = "mlflow.llm.cost"
MODEL = "mlflow.llm.model"
PROVIDER = "mlflow.llm.provider"
TRACE_TAG = "mlflow.traceTag."
REQUEST_ID = "mlflow.traceRequestId"

USED = ("input_tokens", "output_tokens", "total_tokens")
USED_BESIDES = ("cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation_input_tokens_above_1hr")
COSTS = ("input_cost", "output_cost", "total_cost")

_SAME = ("TOOL", "CHAIN", "LLM", "RETRIEVER", "EMBEDDING", "AGENT", "RERANKER", "UNKNOWN", "GUARDRAIL", "EVALUATOR")
TYPES: dict[str, dict[str, str]] = {
    "gen_ai.operation.name": {
        "chat": "CHAT_MODEL",
        "create_agent": "AGENT",
        "embeddings": "EMBEDDING",
        "execute_tool": "TOOL",
        "generate_content": "LLM",
        "invoke_agent": "AGENT",
        "text_completion": "LLM",
        "response": "LLM",
    },
    "openinference.span.kind": {word: word for word in _SAME},
    "traceloop.span.kind": {
        "workflow": "WORKFLOW",
        "task": "TASK",
        "agent": "AGENT",
        "tool": "TOOL",
    },
}
"""By the attribute that says what a span is: its words and ours."""

USAGES: tuple[dict[str, tuple[str, ...]], ...] = (
    {
        "input_tokens": ("gen_ai.usage.input_tokens",),
        "output_tokens": ("gen_ai.usage.output_tokens",),
        "cache_read_input_tokens": ("gen_ai.usage.cache_read.input_tokens",),
        "cache_creation_input_tokens": (
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.cache_creation.input_tokens",
        ),
    },
    {
        "input_tokens": ("llm.token_count.prompt",),
        "output_tokens": ("llm.token_count.completion",),
        "total_tokens": ("llm.token_count.total",),
    },
    {
        "input_tokens": ("gen_ai.usage.prompt_tokens",),
        "output_tokens": ("gen_ai.usage.completion_tokens",),
        "total_tokens": ("llm.usage.total_tokens",),
    },
)
"""Of each convention: where its counts of tokens are."""

FIRST_OF: dict[str, tuple[str, ...]] = {
    INPUTS: ("gen_ai.input.messages", "gen_ai.tool.call.arguments", "input.value", "traceloop.entity.input"),
    OUTPUTS: ("gen_ai.output.messages", "gen_ai.tool.call.result", "output.value", "traceloop.entity.output"),
    MODEL: ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "embedding.model_name"),
    PROVIDER: ("gen_ai.provider.name", "llm.provider"),
}
"""Our word for an attribute, and where to look for it."""


def translated(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes with ours beside them; what a client said in our words stands.

    >>> translated({"gen_ai.operation.name": "chat"})["mlflow.spanType"]
    'CHAT_MODEL'
    """
    told = {key: opened(value) for key, value in attributes.items()}
    kind = _type(told)
    if kind and told.get(TYPE) in {None, "", "UNKNOWN"}:
        told[TYPE] = kind
    for ours, theirs in FIRST_OF.items():
        if ours not in told:
            found = next((told[key] for key in theirs if told.get(key)), None)
            if found is not None:
                told[ours] = found
    usage = {} if USAGE in told else _usage(told)
    if usage:
        told[USAGE] = usage
    return told


def opened(value: Any) -> Any:
    """A text that is the JSON of an object, a list or a text stands for it: many tracers can send texts alone.

    >>> opened('{"a": 1}'), opened("1"), opened("plain")
    ({'a': 1}, '1', 'plain')
    """
    if not isinstance(value, str) or value[:1] not in {"{", "[", '"'}:
        return value
    try:
        inside = msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return value
    return inside if isinstance(inside, dict | list | str) else value


def _type(attributes: Mapping[str, Any]) -> str:
    for key, words in TYPES.items():
        word = attributes.get(key)
        if isinstance(word, str) and word in words:
            return words[word]
    return ""


def _usage(attributes: Mapping[str, Any]) -> dict[str, int]:
    for places in USAGES:
        found = {word: count for word, keys in places.items() if (count := _count(attributes, keys)) is not None}
        if not found.keys() & set(USED):
            continue
        if "total_tokens" not in found and {"input_tokens", "output_tokens"} <= found.keys():
            found["total_tokens"] = found["input_tokens"] + found["output_tokens"]
        return {word: found[word] for word in (*USED, *USED_BESIDES) if word in found}
    return {}


def _count(attributes: Mapping[str, Any], keys: tuple[str, ...]) -> int | None:
    for key in keys:
        value = attributes.get(key)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None
