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

SYMBOL = re.compile(r"<(exp|run|lm|page):(\d+)>")
INVENTED = re.compile(r"^[a-z]+-[a-z]+-\d+$")
TIMES = frozenset(
    {
        "creation_time",
        "last_update_time",
        "creation_timestamp",
        "last_updated_timestamp",
        "creation_timestamp_ms",
        "last_updated_timestamp_ms",
    }
)
SETS = frozenset({"tags", "params", "metrics", "aliases", "dataset_summaries"})
"""Lists whose order means nothing to clients."""
IN_URI = r"(mlflow-artifacts:/){}(?=/|$)"
IN_TEXTS = {
    "message": r"((?:[Ee]xperiment|id|ID|artifact:)[ =]'?){}(?!\w)",
    "artifact_uri": IN_URI,
    "artifact_location": IN_URI,
    "root_uri": IN_URI,
    "source": IN_URI,
}
"""Where the number of an experiment stands in a text."""
NOWHERE = {"exp": "987654", "run": "0" * 32, "lm": "m-" + "0" * 32, "page": "none"}
MADE = {
    "2.0/mlflow/experiments/create": ("exp", ("experiment_id",)),
    "2.0/mlflow/runs/create": ("run", ("run", "info", "run_id")),
    "2.0/mlflow/logged-models": ("lm", ("model", "info", "model_id")),
}


SET = re.compile(r"\{([^{}:]*)\}")
"""A set of Python in a text, whose order is chance."""


def _in_order(found: "re.Match[str]") -> str:
    return "{" + ", ".join(sorted(item.strip(" '") for item in found[1].split(","))) + "}"


class Side:
    """One server's half of a session."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._known: dict[str, list[str]] = {"exp": [], "run": [], "lm": [], "page": []}

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
        if not isinstance(answer.body, dict):
            return
        if step.path in MADE and step.method == "POST":
            kind, path = MADE[step.path]
            value: Any = answer.body
            for part in path:
                value = value.get(part, {})
            if isinstance(value, str):
                self._known[kind].append(value)
            else:
                self._known[kind].append(NOWHERE[kind])
        if answer.body.get("next_page_token"):
            self._known["page"].append(answer.body["next_page_token"])

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
            return "<time>" if isinstance(value, int) and value > 1_000_000_000_000 else value
        if key == "next_page_token":
            return "<token>" if value else value
        if key == "experiment_id" and value in self._known["exp"]:
            return f"<exp:{self._known['exp'].index(value)}>"
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
        for kind in ("run", "lm"):
            for number, known in enumerate(self._known[kind]):
                if known != NOWHERE[kind]:
                    text = text.replace(known, f"<{kind}:{number}>")
        if path and path[-1] in IN_TEXTS:
            for number, known in enumerate(self._known["exp"]):
                text = re.sub(IN_TEXTS[path[-1]].format(known), rf"\g<1><exp:{number}>", text)
        return text
