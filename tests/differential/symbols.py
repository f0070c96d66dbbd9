"""Ids and times out of requests and answers, so that two servers can be compared.

A session names what it made by symbols: the first run is `<run:0>`, the second `<run:1>`; so for experiments (`exp`)
and logged models (`lm`). `<page:0>` is the page token that the first answer with one gave.
"""

import json
import re
from typing import Any
from urllib.parse import quote

import msgspec
from tests.differential.peers import Answered, Step, Wire

SYMBOL = re.compile(r"<(exp|run|lm|page|trace|as|ds|sc|wh|rec):(\d+)>")
INVENTED = re.compile(r"^[a-z]+-[a-z]+-\d+$")
TIMES = frozenset(
    {
        "creation_time",
        "last_update_time",
        "creation_timestamp",
        "last_updated_timestamp",
        "creation_timestamp_ms",
        "last_updated_timestamp_ms",
        "created_time",
        "create_time",
    }
)
NOW = re.compile(r"^20(2[5-9]|[3-9]\d)-")
"""A time that is none of those that sessions send."""
SETS = frozenset({"tags", "params", "metrics", "aliases", "dataset_summaries", "request_metadata", "records"})
"""Lists whose order means nothing to clients."""
IN_URI = r"(mlflow-artifacts:/){}(?=/|$)"
IN_TEXTS = {
    "message": r"((?:[Ee]xperiment|id|ID|artifact:)[ =]'?){}(?!\w)",
    "artifact_uri": IN_URI,
    "artifact_location": IN_URI,
    "root_uri": IN_URI,
    "source": IN_URI,
    "value": IN_URI,
    "mlflow.artifactLocation": IN_URI,
}
"""Where the number of an experiment stands in a text."""
NOWHERE = {
    "exp": "987654",
    "run": "0" * 32,
    "lm": "m-" + "0" * 32,
    "page": "none",
    "trace": "tr-" + "0" * 32,
    "as": "a-" + "0" * 32,
    "ds": "d-" + "0" * 32,
    "sc": "0" * 32,
    "wh": "00000000-0000-4000-8000-000000000000",
    "rec": "dr-" + "0" * 32,
}
MADE = (
    (re.compile(r"2\.0/mlflow/experiments/create"), "exp", ("experiment_id",)),
    (re.compile(r"2\.0/mlflow/runs/create"), "run", ("run", "info", "run_id")),
    (re.compile(r"2\.0/mlflow/logged-models"), "lm", ("model", "info", "model_id")),
    (re.compile(r"2\.0/mlflow/traces"), "trace", ("trace_info", "request_id")),
    (re.compile(r"3\.0/mlflow/traces/[^/]*/assessments"), "as", ("assessment", "assessment_id")),
    (re.compile(r"3\.0/mlflow/datasets/create"), "ds", ("dataset", "dataset_id")),
    (re.compile(r"3\.0/mlflow/scorers/register"), "sc", ("scorer_id",)),
    (re.compile(r"2\.0/mlflow/webhooks"), "wh", ("webhook", "webhook_id")),
)
JSON_TEXTS = frozenset({"records", "tags", "schema", "profile"})
"""Fields of evaluation datasets that hold JSON as a text."""


KNOWN_BY_TEXT = ("run", "lm", "trace", "as", "ds", "sc", "wh", "rec")


def _inputs(record: dict[str, Any]) -> str:
    return json.dumps(record.get("inputs"), sort_keys=True)


SET = re.compile(r"\{([^{}:]*)\}")
"""A set of Python in a text, whose order is chance."""


def _in_order(found: "re.Match[str]") -> str:
    return "{" + ", ".join(sorted(item.strip(" '") for item in found[1].split(","))) + "}"


class Side:
    """One server's half of a session."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._known: dict[str, list[str]] = {kind: [] for kind in NOWHERE}

    def ask(self, step: Step) -> Answered:
        """Send a step with this server's ids, and the answer without them."""
        answer = self._wire.send(self._placed(step))
        self._learn(step, answer)
        return Answered(answer.status, self._plain(answer.body, ()), answer.content_type)

    def _placed(self, step: Step) -> Step:
        return msgspec.structs.replace(
            step,
            path=SYMBOL.sub(lambda found: quote(self._id(found), safe=""), step.path),
            body=self._deep(step.body),
            query=None if step.query is None else tuple((key, self._deep(value)) for key, value in step.query),
            raw=self._deep(step.raw),
            headers=tuple((name, self._deep(value)) for name, value in step.headers),
        )

    def _id(self, found: "re.Match[str]") -> str:
        kind, number = found[1], int(found[2])
        known = self._known[kind]
        return known[number] if number < len(known) else NOWHERE[kind]

    def _deep(self, value: Any) -> Any:
        if isinstance(value, str):
            return SYMBOL.sub(self._id, value)
        if isinstance(value, list):
            return [self._deep(item) for item in value]
        if isinstance(value, dict):
            return {key: self._deep(item) for key, item in value.items()}
        return value

    def _learn(self, step: Step, answer: Answered) -> None:
        body = answer.body if isinstance(answer.body, dict) else {}
        for pattern, kind, where in MADE:
            if step.method == "POST" and pattern.fullmatch(step.path):
                value: Any = body
                for part in where:
                    value = value.get(part, {})
                self._known[kind].append(value if isinstance(value, str) else NOWHERE[kind])
        if isinstance(body.get("records"), str):
            listed = sorted(json.loads(body["records"]), key=_inputs)
            self._known["rec"] = [record["dataset_record_id"] for record in listed]
        if body.get("next_page_token"):
            self._known["page"].append(body["next_page_token"])

    def _plain(self, value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, dict):
            plain = {key: self._plain_field(key, item, path) for key, item in value.items()}
            return self._named(plain)
        if isinstance(value, list):
            items = [self._plain(item, path) for item in value]
            if path and path[-1] in SETS and "history" not in path:
                return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
            return items
        return self._text(value, path) if isinstance(value, str) else value

    def _plain_field(self, key: str, value: Any, path: tuple[str, ...]) -> Any:
        if key in TIMES:
            is_now = value > 1_000_000_000_000 if isinstance(value, int) else NOW.match(str(value))
            return "<time>" if is_now else value
        if key in JSON_TEXTS and isinstance(value, str) and value[:1] in {"{", "["}:
            value = json.loads(value)
        if key == "digest" and path[:1] in {("dataset",), ("datasets",)}:
            return "<digest>"
        if key == "next_page_token":
            return "<token>" if value else value
        if key == "experiment_id" and str(value) in self._known["exp"]:
            return f"<exp:{self._known['exp'].index(str(value))}>"
        if key == "experiment_ids":
            return sorted(f"<exp:{self._known['exp'].index(i)}>" if i in self._known["exp"] else i for i in value)
        return self._plain(value, (*path, key))

    @staticmethod
    def _named(plain: dict[str, Any]) -> dict[str, Any]:
        for field in ("run_name", "name"):
            if INVENTED.match(str(plain.get(field, ""))):
                plain[field] = "<invented>"
        if plain.get("key") == "mlflow.runName" and INVENTED.match(str(plain.get("value", ""))):
            plain["value"] = "<invented>"
        return plain

    def _text(self, text: str, path: tuple[str, ...]) -> str:
        text = text.replace(str(self._wire.folder), "<folder>")
        if path and path[-1] == "message":
            text = SET.sub(_in_order, text)
        for kind in KNOWN_BY_TEXT:
            for number, known in enumerate(self._known[kind]):
                if known != NOWHERE[kind]:
                    text = text.replace(known, f"<{kind}:{number}>")
        if path and path[-1] in IN_TEXTS:
            for number, known in enumerate(self._known["exp"]):
                text = re.sub(IN_TEXTS[path[-1]].format(known), rf"\g<1><exp:{number}>", text)
        return text
