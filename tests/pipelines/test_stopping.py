"""A runner is told to stop by signals, at any moment and as often as they come."""

import signal
from collections.abc import Iterator

import pytest

from airside.pipelines.runner import stop_when_told

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    for number, handler in zip(SIGNALS, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_interrupts_who_waits_stops_the_runner(number: signal.Signals) -> None:
    stop = stop_when_told()
    with stop._cond:  # type: ignore[attr-defined]  # as the main thread holds it when it begins and ends to wait
        signal.raise_signal(number)
        signal.raise_signal(number)
    assert stop.wait(10)
