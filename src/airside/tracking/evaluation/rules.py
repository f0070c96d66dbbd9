"""What is decided about evaluation datasets and scorers, without I/O."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airside.core.errors import Invalid
from airside.core.search import NUMERIC, TEXTUAL, Field, Grammar
from airside.tracking.evaluation.records import EvaluationRecord, NewEvaluationRecord
from airside.tracking.rules import check_length

USER = "mlflow.user"
MAX_NAME = 255
MAX_RECORDS = 1000
MAX_TAGS = 1000
MAX_EXPERIMENTS = 1000
MAX_SCORER = 1 << 20
JUDGES = ("instructions_judge_pydantic_data", "builtin_scorer_pydantic_data", "third_party_scorer_data")
"""Where the texts of MLflow's scorers name the language model that judges."""
_MOMENT = Field(kind="integer", operators=NUMERIC)
_SORTED = Field(operators=(*TEXTUAL, ">", ">=", "<", "<="))

DATASETS = Grammar(
    entities={"tags": "tag"},
    fields={
        "tag": Field(operators=TEXTUAL),
        "attribute": {
            "name": Field(operators=(*_SORTED.operators, "IN")),
            "created_by": _SORTED,
            "last_updated_by": _SORTED,
            "created_time": _MOMENT,
            "last_update_time": _MOMENT,
        },
    },
    orderable=("name", "created_time", "last_update_time"),
    quotes_clauses=False,
)
"""What the search of evaluation datasets understands."""


def check_name(name: str) -> None:
    """Refuse an empty or over-long name.

    Raises:
        Invalid: it is.
    """
    if not name:
        raise Invalid("An evaluation dataset needs a name.")
    check_length(name, "name", MAX_NAME)


def digest_of(name: str, now_ms: int) -> str:
    """A dataset's digest after a change.

    >>> digest_of("a", 0)
    '0ed32d33'
    """
    return hashlib.sha256(f"{name}:{now_ms}".encode()).hexdigest()[:8]


def input_hash(inputs: Mapping[str, Any]) -> str:
    """What equal inputs share, whatever the order of their keys.

    >>> input_hash({"a": 1, "b": 2}) == input_hash({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def check_records(records: Sequence[NewEvaluationRecord]) -> None:
    """Refuse too many records, or a tag that is too long.

    Raises:
        Invalid: there are.
    """
    if len(records) > MAX_RECORDS:
        raise Invalid(f"At most {MAX_RECORDS} records can be sent at once, got {len(records)}.")


def user_of(tags: Mapping[str, str]) -> str | None:
    """Who made it, when its tags say so."""
    return tags.get(USER)


def fields_after(known: Mapping[str, Any] | None, records: Iterable[NewEvaluationRecord]) -> dict[str, Any]:
    """The kinds of all fields, those known and those of new records; a field keeps the kind that it was seen with.

    >>> fields_after(None, [NewEvaluationRecord(inputs={"q": "x"})])["inputs"]
    {'q': 'string'}
    """
    fields: dict[str, Any] = {"inputs": {}, "outputs": {}, "expectations": {}, "version": "1.0", **(known or {})}
    fields |= {part: dict(fields[part]) for part in ("inputs", "expectations")}
    for record in records:
        for part, given in (("inputs", record.inputs), ("expectations", record.expectations or {})):
            fields[part] |= {key: kind_of(value) for key, value in given.items() if key not in fields[part]}
        outputs, before = record.outputs, fields["outputs"]
        if isinstance(outputs, dict) and isinstance(before, dict):
            fields["outputs"] = {**{key: kind_of(value) for key, value in outputs.items()}, **before}
        elif outputs is not None and not before:
            fields["outputs"] = kind_of(outputs)
    return fields


def kind_of(value: object) -> str:
    """The kind of a JSON value.

    >>> [kind_of(value) for value in (None, True, 1, 1.5, "a", [], {})]
    ['null', 'boolean', 'integer', 'float', 'string', 'array', 'object']
    """
    kinds = {bool: "boolean", int: "integer", float: "float", str: "string", list: "array", dict: "object"}
    return "null" if value is None else kinds.get(type(value), "unknown")


def merged(before: EvaluationRecord, given: NewEvaluationRecord, now_ms: int) -> EvaluationRecord:
    """A record after the same inputs came again: new outputs in place of old ones, expectations and tags added."""
    return EvaluationRecord(
        record_id=before.record_id,
        dataset_id=before.dataset_id,
        inputs=before.inputs,
        outputs=given.outputs if given.has_outputs else before.outputs,
        expectations={**(before.expectations or {}), **given.expectations}
        if given.expectations
        else before.expectations,
        tags={**before.tags, **given.tags},
        source=before.source,
        created_ms=before.created_ms,
        updated_ms=now_ms,
        created_by=before.created_by,
        updated_by=user_of(given.tags) or before.updated_by,
    )


def check_scorer(name: str, serialized: str) -> None:
    """Refuse a scorer without a name, one that is no JSON or names no model, and one that is code where it is read.

    Raises:
        Invalid: it is.
    """
    if not name.strip():
        raise Invalid("Scorer name cannot be empty or contain only whitespace.")
    check_length(name, "name", MAX_NAME)
    if len(serialized) > MAX_SCORER:
        raise Invalid(f"A scorer has at most {MAX_SCORER} characters, got {len(serialized)}.")
    try:
        data = json.loads(serialized)
    except (ValueError, RecursionError):
        raise Invalid("serialized_scorer must be valid JSON") from None
    if _has_code(data):
        raise Invalid(
            "Custom scorer registration (using @scorer decorator) is disabled: whoever loads such a scorer runs the "
            "code in it. Keep its code in a repository and import it, or use a built-in scorer or make_judge()."
        )
    model = _model_of(data)
    if model is not None and not isinstance(model, str):
        raise Invalid(f"Scorer model must be a string, got {kind_of(model)}.")
    if model is not None and not model.strip():
        raise Invalid("Scorer model cannot be empty or contain only whitespace.")


def _model_of(data: object) -> object:
    """The language model that judges, where the scorer names one.

    >>> _model_of({"memory_augmented_judge_data": {"base_judge": {"builtin_scorer_pydantic_data": {"model": "x:/y"}}}})
    'x:/y'
    """
    if not isinstance(data, dict):
        return None
    for kind in JUDGES:
        if isinstance(part := data.get(kind), dict) and part:
            return part.get("model")
    inner = data.get("memory_augmented_judge_data")
    return _model_of(inner.get("base_judge")) if isinstance(inner, dict) else None


def _has_code(data: object) -> bool:
    """Whether source code is anywhere in it."""
    if isinstance(data, dict):
        return bool(data.get("call_source")) or any(_has_code(value) for value in data.values())
    return isinstance(data, list) and any(_has_code(value) for value in data)
