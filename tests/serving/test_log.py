import math
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.errors import Invalid, NotFound
from airside.core.ids import EndpointName, ModelName, PredictionId
from airside.serving import log
from airside.serving.records import LoggedColumns, PredictionBatch

VALUES = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=5))


def batch(place: log.Place, *, error: str = "") -> PredictionBatch:
    return PredictionBatch(
        id=PredictionId("p-1"),
        request_id="r",
        endpoint=EndpointName("jobs"),
        model=ModelName("people"),
        version=1,
        role="champion",
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        rows=1,
        latency_ms=1,
        error=error,
        file=place.file,
        offset=place.offset,
        size_bytes=place.size_bytes,
    )


@given(st.dictionaries(st.text(max_size=8), st.lists(VALUES, min_size=2, max_size=2), max_size=4))
@settings(max_examples=50, deadline=None)
def test_every_value_comes_back_bit_for_bit(inputs: dict[str, list[object]]) -> None:
    back = log.decode_body(log.encode_body(LoggedColumns(inputs=inputs))).inputs
    assert repr(back) == repr(inputs)


def test_nan_and_infinity_survive() -> None:
    back = log.decode_body(log.encode_body(LoggedColumns(inputs={"x": [math.nan, math.inf, -0.0]}))).inputs["x"]
    assert math.isnan(back[0])
    assert (back[1], math.copysign(1, back[2])) == (math.inf, -1.0)


def test_bodies_of_one_file_are_read_by_offset_and_stacked(tmp_path: Path) -> None:
    bodies = [
        log.encode_body(LoggedColumns(inputs={"x": [i], "y": [i]}, labels=[i], probabilities=[[0.5, 0.5]]))
        for i in range(3)
    ]
    places = log.write_bodies(tmp_path, "jobs", "2026-01-01", bodies)
    batches = [batch(places[2]), batch(places[0]), batch(places[1], error="ModelFailed")]
    columns = log.read_batches(tmp_path, batches)
    assert columns.inputs == {"x": [2, 0], "y": [2, 0]}
    assert columns.labels == [2, 0]
    assert columns.probabilities == [[0.5, 0.5]] * 2


def test_writing_the_same_again_changes_nothing_and_a_file_is_private(tmp_path: Path) -> None:
    first = log.write_bodies(tmp_path, "a/../b", "2026-01-01", [b"one", b"two"])
    again = log.write_bodies(tmp_path, "a/../b", "2026-01-01", [b"one", b"two"])
    assert first == again
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert file.read_bytes() == b"onetwo"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.is_relative_to(tmp_path / "predictions")


def test_what_is_damaged_or_gone_is_said(tmp_path: Path) -> None:
    whole = log.encode_body(LoggedColumns(inputs={"x": [1]}))
    with pytest.raises(Invalid):
        log.decode_body(whole[:-3])
    with pytest.raises(Invalid):
        log.decode_body(b"nonsense")
    with pytest.raises(NotFound, match="p-1"):
        log.read_body(tmp_path, batch(log.Place("jobs/x.log", 0, 3)))
