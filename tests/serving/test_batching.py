import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from airside.core.errors import DeadlineExceeded, Overloaded
from airside.inference.records import Prediction
from airside.serving.process import batching
from airside.serving.process.batching import Batcher

T = TypeVar("T")


class Slow:
    """A model that waits until it is let go, and remembers how many rows came together."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun = threading.Event()
        self.sizes: list[int] = []

    def predict(self, columns: dict[str, list[Any]]) -> Prediction:
        self.sizes.append(len(columns["x"]))
        self.begun.set()
        assert self.gate.wait(20)
        return Prediction(labels=columns["x"], scores=columns["x"])


def play(model: Slow, scene: Callable[[Batcher], Awaitable[T]]) -> T:
    with ThreadPoolExecutor(1) as thread:

        async def run() -> T:
            batcher = Batcher(model.predict, thread)
            batcher._batch_s = 1.0  # it is known to be slow, so it runs on the thread
            return await scene(batcher)

        return asyncio.run(run())


def rows(*values: int) -> dict[str, list[Any]]:
    return {"x": list(values)}


def test_what_comes_while_a_batch_runs_is_the_next_batch() -> None:
    model = Slow()

    async def scene(batcher: Batcher) -> list[list[Any]]:
        first = batcher.submit(rows(0), 1, 60)
        await asyncio.to_thread(model.begun.wait, 20)
        others = [batcher.submit(rows(i, -i), 2, 60) for i in range(1, 5)]
        model.gate.set()
        return [(await each).labels for each in (first, *others)]

    assert play(model, scene) == [[0], [1, -1], [2, -2], [3, -3], [4, -4]]
    assert model.sizes == [1, 8]


def test_more_than_may_wait_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "MAX_WAITING_ROWS", 10)
    model = Slow()

    async def scene(batcher: Batcher) -> int:
        first = batcher.submit(rows(*range(50)), 50, 60)
        await asyncio.to_thread(model.begun.wait, 20)
        second = batcher.submit(rows(*range(8)), 8, 60)
        with pytest.raises(Overloaded, match="8 rows wait"):
            batcher.submit(rows(1, 2, 3), 3, 60)
        model.gate.set()
        return len((await first).labels) + len((await second).labels)

    assert play(model, scene) == 58


def test_who_waits_too_long_is_told_and_its_work_is_left_out() -> None:
    model = Slow()

    async def scene(batcher: Batcher) -> None:
        first = batcher.submit(rows(1), 1, 60)
        await asyncio.to_thread(model.begun.wait, 20)
        late = batcher.submit(rows(2), 1, -1)
        batcher.expire()
        with pytest.raises(DeadlineExceeded):
            await late
        model.gate.set()
        await first
        assert (await batcher.submit(rows(3), 1, 60)).labels == [3]

    play(model, scene)
    assert model.sizes == [1, 1]


def test_a_model_that_hangs_is_not_waited_for_beyond_the_deadline() -> None:
    model = Slow()

    async def scene(batcher: Batcher) -> None:
        stuck = batcher.submit(rows(1), 1, -1)
        await asyncio.to_thread(model.begun.wait, 20)
        batcher.expire()
        with pytest.raises(DeadlineExceeded):
            await stuck
        model.gate.set()

    play(model, scene)


def test_what_takes_microseconds_is_answered_without_queueing_and_what_takes_longer_is_not() -> None:
    model = Slow()
    model.gate.set()

    async def scene(batcher: Batcher) -> tuple[Prediction | None, Prediction | None]:
        slow = batcher.at_once(rows(1), 1)
        batcher._batch_s = 0.0
        return slow, batcher.at_once(rows(2), 1)

    slow, quick = play(model, scene)
    assert slow is None
    assert quick is not None
    assert quick.labels == [2]


def test_one_interrupted_batch_does_not_make_a_model_slow() -> None:
    with ThreadPoolExecutor(1) as thread:
        batcher = Batcher(Slow().predict, thread)
        for seconds in (0.00001, 0.00001, 0.5):
            batcher._learn(1, seconds)
        assert batcher._batch_s == 0.00001
        batcher._learn(1, 0.5)
        assert batcher._batch_s == 0.5
