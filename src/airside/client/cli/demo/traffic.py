"""Callers of an endpoint: rows of a table as real requests, answers, and the truth that follows."""

from collections.abc import Callable, Iterator
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
        self._pool = urllib3.PoolManager(retries=False, timeout=TIMEOUT_S)

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
        waiting: list[LabelsOfRequest] = []
        for number, part in enumerate(_parts(table, size)):
            if number % LABEL_EVERY == 0:
                self._tell_truth(waiting)
                if is_over is not None and is_over():
                    break
            sent = self._one(part, delivery, sent, waiting)
            if progress is not None:
                progress(sent.rows)
        self._tell_truth(waiting)
        return sent

    def _one(self, part: pa.Table, delivery: str, sent: Sent, waiting: list[LabelsOfRequest]) -> Sent:
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
            return msgspec.structs.replace(
                sent, requests=sent.requests + 1, rows=sent.rows + len(truth), errors=sent.errors + 1
            )
        labels = msgspec.json.decode(answer.data)["predictions"]
        version = answer.headers.get("X-Airside-Version", "")
        waiting.append(LabelsOfRequest(request_id=answer.headers["X-Airside-Request-Id"], labels=tuple(truth)))
        by_version = {**sent.by_version, version: sent.by_version.get(version, 0) + len(truth)}
        right = sum(given == true for given, true in zip(labels, truth, strict=True))
        return Sent(
            requests=sent.requests + 1,
            rows=sent.rows + len(truth),
            right=sent.right + right,
            errors=sent.errors,
            by_version=by_version,
        )

    def _tell_truth(self, waiting: list[LabelsOfRequest]) -> None:
        if waiting:
            self._client.call(LabelPredictions(endpoint=self._endpoint, items=tuple(waiting)))
            waiting.clear()


def _parts(table: pa.Table, size: int) -> Iterator[pa.Table]:
    for start in range(0, table.num_rows, size):
        yield table.slice(start, size)


def _rows(table: pa.Table, names: list[str]) -> list[list[Any]]:
    return [list(row) for row in zip(*(table[name].to_pylist() for name in names), strict=True)]
