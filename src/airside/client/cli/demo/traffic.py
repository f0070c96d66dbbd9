"""Callers of an endpoint: rows of a table as real requests, answers, and the truth that follows."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pyarrow as pa
import urllib3

from airside.client.transport import Client
from airside.core.errors import Unavailable
from airside.core.ids import EndpointName
from airside.core.record import Record
from airside.serving.operations.predictions import LabelPredictions, LabelsOfRequest

TIMEOUT_S = 30.0
LABEL_EVERY = 50
"""Requests whose truth is sent in one call."""
CALLERS = 4
"""Callers that ask at the same time."""


class Sent(Record):
    """What became of some requests.

    Attributes:
        by_version: rows answered, by the version that answered.
        right: rows whose answer was the true label.
    """

    requests: int = 0
    rows: int = 0
    right: int = 0
    errors: int = 0
    by_version: dict[str, int] = {}

    def __add__(self, other: "Sent") -> "Sent":
        """Both together."""
        versions = {*self.by_version, *other.by_version}
        return Sent(
            requests=self.requests + other.requests,
            rows=self.rows + other.rows,
            right=self.right + other.right,
            errors=self.errors + other.errors,
            by_version={one: self.by_version.get(one, 0) + other.by_version.get(one, 0) for one in sorted(versions)},
        )


class Caller:
    """Sends rows of labelled tables to one endpoint.

    Args:
        url: of the serving process.
        features, label: the columns that are asked with, and the one that tells the truth.
    """

    def __init__(self, client: Client, url: str, endpoint: str, features: list[str], label: str) -> None:
        self._client = client
        self._url = f"{url}/endpoints/{endpoint}/invocations"
        self._endpoint = EndpointName(endpoint)
        self._features, self._label = features, label
        self._pool = urllib3.PoolManager(retries=False, timeout=TIMEOUT_S, maxsize=CALLERS)
        self._callers = ThreadPoolExecutor(CALLERS, thread_name_prefix="demo-caller")

    def send(
        self,
        table: pa.Table,
        *,
        size: int,
        delivery: str = "",
        is_over: Callable[[], bool] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Sent:
        """Send the rows in requests of `size`, then their truth; stop early when `is_over` says so.

        Raises:
            Unavailable: nobody answers.
        """
        sent = Sent()
        parts = list(_parts(table, size))
        for start in range(0, len(parts), LABEL_EVERY):
            if is_over is not None and is_over():
                break
            group = parts[start : start + LABEL_EVERY]
            answers = list(self._callers.map(lambda part: self._one(part, delivery), group))
            waiting = [answer.truth for answer in answers if answer.truth is not None]
            if waiting:
                self._client.call(LabelPredictions(endpoint=self._endpoint, items=tuple(waiting)))
            sent = sum((answer.sent for answer in answers), sent)
            if progress is not None:
                progress(sent.rows)
        return sent

    def _one(self, part: pa.Table, delivery: str) -> "_Answered":
        rows = {"columns": self._features, "data": _rows(part, self._features)}
        headers = {"Content-Type": "application/json"}
        if delivery:
            headers["X-Airside-Delivery"] = delivery
        try:
            answer = self._pool.request(
                "POST", self._url, body=msgspec.json.encode({"dataframe_split": rows}), headers=headers
            )
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"The serving process does not answer at {self._url}: {error}") from error
        if answer.status in (502, 503, 429):
            raise Unavailable(f"The endpoint is not ready: {answer.data[:300].decode(errors='replace')}")
        truth = part[self._label].to_pylist()
        if answer.status != 200:
            return _Answered(sent=Sent(requests=1, rows=len(truth), errors=1))
        labels = msgspec.json.decode(answer.data)["predictions"]
        right = sum(given == true for given, true in zip(labels, truth, strict=True))
        by_version = {answer.headers.get("X-Airside-Version", ""): len(truth)}
        return _Answered(
            sent=Sent(requests=1, rows=len(truth), right=right, by_version=by_version),
            truth=LabelsOfRequest(request_id=answer.headers["X-Airside-Request-Id"], labels=tuple(truth)),
        )


class _Answered(Record):
    """What became of one request, and what is to be told about it."""

    sent: Sent
    truth: LabelsOfRequest | None = None


def _parts(table: pa.Table, size: int) -> Iterator[pa.Table]:
    for start in range(0, table.num_rows, size):
        yield table.slice(start, size)


def _rows(table: pa.Table, names: list[str]) -> list[list[Any]]:
    return [list(row) for row in zip(*(table[name].to_pylist() for name in names), strict=True)]
