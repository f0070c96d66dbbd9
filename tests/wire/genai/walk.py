"""Walks the steps against a server and makes two servers' answers comparable."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import urllib3
from tests.wire.genai.steps import KEEP, STEPS, Step

HEADERS = {"Content-Type": "application/json", "x-mlflow-experiment-id": "1"}
TIMES = {
    "create_time", "last_update_time", "created_time", "creation_time", "digest", "creation_timestamp",
    "last_updated_timestamp",
}  # fmt: skip
_MADE = re.compile(r"\b(a|d|dr)-[0-9a-f]{32}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{32}\b")
_SETS = re.compile(r"\{('[^{}]*')\}")


class Walk:
    """One pass over the steps against one server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(retries=False)
        self._words: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def answers(self, steps: tuple[Step, ...] = STEPS) -> Iterator[tuple[str, int, Any]]:
        """Each step's name, status and comparable answer."""
        for name, method, path, sent in steps:
            answer = self._send(method, self._filled(path), self._filled(sent))
            body = _read(answer)
            if name in KEEP and answer.status == 200:
                word, where = KEEP[name]
                self._words[word] = str(_at(body, where))
            if name == "the records" and answer.status == 200:
                self._words["record"] = json.loads(body["records"])[0]["dataset_record_id"]
            yield name, answer.status, self._plain(_short(name, body))
        self._pool.clear()

    def _send(self, method: str, path: str, sent: Any) -> urllib3.BaseHTTPResponse:
        if method == "GET":
            query = urlencode(sent, doseq=True)
            return self._pool.request("GET", f"{self._url}{path}{'?' if query else ''}{query}")
        body = None if sent is None else json.dumps(sent).encode()
        return self._pool.request(method, self._url + path, body=body, headers=HEADERS if body else {})

    def _filled(self, sent: Any) -> Any:
        if isinstance(sent, str):
            for word, value in self._words.items():
                sent = sent.replace(f"{{{word}}}", value)
            return sent
        if isinstance(sent, dict):
            return {key: self._filled(value) for key, value in sent.items()}
        return [self._filled(each) for each in sent] if isinstance(sent, list) else sent

    def _plain(self, value: Any, key: str = "") -> Any:  # noqa: PLR0911 -- one for each kind of value
        if isinstance(value, dict):
            return {name: self._plain(each, name) for name, each in sorted(value.items())}
        if isinstance(value, list):
            if key in {"tags", "request_metadata"}:  # MLflow 2's pairs, in any order
                value = sorted(value, key=lambda pair: str(pair["key"]))
            return [self._plain(each) for each in value]
        if key in TIMES:
            return "T"
        if key == "next_page_token":
            return "TOKEN"
        if key in {"records", "tags", "schema", "profile"} and isinstance(value, str) and value[:1] in "{[":
            return self._plain(json.loads(value))
        if isinstance(value, str):
            return _SETS.sub(_sorted, _MADE.sub(self._named, value))
        return value

    def _named(self, match: re.Match[str]) -> str:
        found = match.group()
        if len(set(found)) == 1:
            return found
        return self._names.setdefault(found, f"id{len(self._names)}")


def _sorted(match: re.Match[str]) -> str:
    return "{" + ", ".join(sorted(re.findall(r"'[^']*'", match[1]))) + "}"


def _read(answer: urllib3.BaseHTTPResponse) -> Any:
    try:
        return json.loads(answer.data)
    except ValueError:
        return {"text": answer.data[:60].decode("utf-8", "replace")}


def _short(name: str, body: Any) -> Any:
    """Of what searches found only the ids: the first search shows the traces whole."""
    found = body.get("traces", body.get("datasets")) if isinstance(body, dict) else None
    if found is None or not name.startswith(("search ", "order by ")) or name in {"search all", "search datasets"}:
        return body
    ids = [each.get("trace_id") or each.get("request_id") or each.get("dataset_id") for each in found]
    return {**body, "datasets" if "datasets" in body else "traces": ids}


def _at(body: Any, where: tuple[str, ...]) -> Any:
    for key in where:
        body = body[key]
    return body
