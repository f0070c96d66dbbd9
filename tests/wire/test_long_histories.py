"""A history longer than a page of ours leaves in pieces, and is one answer to the client."""

import asyncio
from typing import Any

import msgspec
import pytest

from airside.core.operation import LOCAL
from airside.core.record import Ask
from airside.platform.wiring import Platform
from airside.server.mlflow import histories as wire
from airside.server.mlflow.wire import WireRequest
from airside.tracking.operations import histories
from airside.tracking.operations.logging import LogHistory
from airside.tracking.operations.runs import CreateRun

ROUTE = next(route for route in wire.ROUTES if route.path.endswith("/get-history"))


@pytest.mark.parametrize("wanted", ["", "7", "8", "20", "29", "30", "100"])
def test_a_long_history_comes_in_pieces(platform: Platform, monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    monkeypatch.setattr(histories, "MAX_POINTS", 7)
    monkeypatch.setattr(wire, "ROWS_AT_ONCE", 3)
    run_id = platform.call(LOCAL, CreateRun()).info.run_id
    numbers = tuple(range(30))
    values = tuple(None if number == 5 else number / 2 for number in numbers)
    platform.call(LOCAL, LogHistory(run_id=run_id, key="m", timestamps_ms=numbers, steps=numbers, values=values))

    query = {"run_id": [run_id], "metric_key": ["m"], **({"max_results": [wanted]} if wanted else {})}
    told = msgspec.json.decode(answered(platform, WireRequest(method="GET", query=query)))

    assert (
        told["metrics"]
        == [
            {"key": "m", "value": "NaN" if value is None else value, "timestamp": number, "step": number}
            for number, value in zip(numbers, values, strict=True)
        ][: int(wanted or 30)]
    )
    assert ("next_page_token" in told) == (wanted not in {"", "30", "100"})


def answered(platform: Platform, request: WireRequest) -> bytes:
    async def asking(ask: Ask[Any]) -> Any:
        return platform.call(LOCAL, ask)

    async def whole() -> bytes:
        ask = ROUTE.decode(request)
        answer = await asking(ask)
        assert ROUTE.stream is not None
        pieces = ROUTE.stream(ask, answer, asking)
        encoded = ROUTE.encode(answer)
        assert isinstance(encoded, bytes)
        return encoded if pieces is None else b"".join([piece async for piece in pieces])

    return asyncio.run(whole())
