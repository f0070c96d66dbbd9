import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airside.core.clock import from_ms
from airside.core.errors import Invalid, Unavailable
from airside.core.ids import EndpointName, ModelName, PredictionId
from airside.serving.process.spool import Spool
from airside.serving.records import NewBatch
from airside.store.frames import frame, frames


class Answered:
    """An answered request."""

    rows = 1

    def __init__(self, number: int) -> None:
        self.number = number

    def to_batch(self) -> NewBatch:
        return NewBatch(
            id=PredictionId(f"p-{self.number}"),
            request_id=f"r{self.number}",
            endpoint=EndpointName("jobs"),
            model=ModelName("people"),
            version=1,
            role="champion",
            received_at=from_ms(1_750_000_000_000),
            rows=1,
            labels=(1,),
            latency_ms=1,
            body=b"x" * 100,
        )


class Plane:
    """A control plane that remembers, and may be away."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.is_away = False
        self.refuses = ""
        self.changed = threading.Condition()

    def __call__(self, batches: tuple[NewBatch, ...]) -> None:
        if self.is_away:
            raise Unavailable
        if any(batch.id == self.refuses for batch in batches):
            raise Invalid("this one is bad")
        with self.changed:
            self.ids += [batch.id for batch in batches]
            self.changed.notify_all()

    def wait(self, is_done: Callable[[], bool]) -> bool:
        with self.changed:
            return self.changed.wait_for(is_done, timeout=20)


@pytest.fixture
def plane() -> Plane:
    return Plane()


@pytest.fixture
def spool(tmp_path: Path, plane: Plane) -> Iterator[Spool]:
    opened = Spool(tmp_path / "log", plane)
    yield opened
    opened.close()


def test_what_is_put_is_handed_over_once_in_order_and_removed(spool: Spool, plane: Plane, tmp_path: Path) -> None:
    for number in range(500):
        spool.put(Answered(number))
    assert plane.wait(lambda: len(plane.ids) >= 500)
    assert plane.ids == [f"p-{number}" for number in range(500)]
    spool.close()
    assert list((tmp_path / "log").glob("*.spool")) == []


def test_what_the_control_plane_never_took_is_handed_over_after_a_restart(tmp_path: Path, plane: Plane) -> None:
    plane.is_away = True
    first = Spool(tmp_path / "log", plane)
    for number in range(20):
        first.put(Answered(number))
    first.close(patience_s=0.5)
    plane.is_away = False
    second = Spool(tmp_path / "log", plane)
    assert plane.wait(lambda: len(plane.ids) >= 20)
    second.close()
    assert plane.ids == [f"p-{number}" for number in range(20)]


def test_one_that_is_refused_does_not_hold_up_the_others(spool: Spool, plane: Plane, tmp_path: Path) -> None:
    plane.refuses = "p-7"
    for number in range(20):
        spool.put(Answered(number))
    assert plane.wait(lambda: len(plane.ids) >= 19)
    assert sorted(plane.ids) == sorted(f"p-{number}" for number in range(20) if number != 7)
    assert spool.rejected == 1
    assert (tmp_path / "log" / "rejected.log").exists()


def test_a_torn_tail_is_left_out_and_what_came_before_it_is_kept(tmp_path: Path, plane: Plane) -> None:
    import msgspec

    folder = tmp_path / "log"
    folder.mkdir()
    whole = b"".join(frame(msgspec.msgpack.encode(Answered(number).to_batch())) for number in range(3))
    (folder / "000000000001.spool").write_bytes(whole + frame(b"half of one")[:-4])
    opened = Spool(folder, plane)
    assert plane.wait(lambda: len(plane.ids) >= 3)
    opened.close()
    assert plane.ids == ["p-0", "p-1", "p-2"]


def test_a_changed_frame_ends_the_reading() -> None:
    content = bytearray(frame(b"one") + frame(b"two"))
    content[-1] ^= 1
    assert [payload for _, payload in frames(bytes(content))] == [b"one"]
