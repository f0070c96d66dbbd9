"""Captures are kept with their run, bounded, and told; on both databases."""

import pytest

from airside.core.errors import Invalid, NotFound
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.tracking.capture import operations
from airside.tracking.capture.operations import GetCaptures, KeepCapture
from airside.tracking.capture.records import Capture, CodeState, Command, Environment, Fact
from airside.tracking.operations.runs import CreateRun, GetRun, StartRun
from airside.tracking.records import Tag

BLOB = "b3:" + "a" * 64
FULL = Capture(
    source="host:1",
    at_ms=5,
    code=CodeState(commit="c" * 40, kind="changes", bundle=BLOB),
    environment=Environment(lock=BLOB),
    command=Command(arguments=("python", "a\0b")),
    seeds=(Fact(name="random", value="1"),),
)


def new_run(platform: Platform) -> str:
    return platform.call(LOCAL, CreateRun(experiment_id="0")).info.run_id


def test_the_captures_of_a_run_are_told_the_oldest_first_and_the_same_source_replaces_its_own(
    platform: Platform,
) -> None:
    run = new_run(platform)
    later = Capture(source="host:2", at_ms=6)
    for capture in (Capture(source="host:1", at_ms=1), later, FULL):
        platform.call(LOCAL, KeepCapture(run_id=run, capture=capture))
    assert platform.call(LOCAL, GetCaptures(run_id=run)).items == (FULL, later)


@pytest.mark.parametrize(
    ("capture", "why"),
    [
        (Capture(source=""), "source"),
        (Capture(source="x" * 251), "source"),
        (Capture(source="x", seeds=(Fact(name="n", value="v" * 300_000),)), "256 KiB"),
        (Capture(source="x", code=CodeState(bundle="../../etc/passwd")), "no"),
    ],
)
def test_a_capture_that_cannot_be_is_refused(platform: Platform, capture: Capture, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        platform.call(LOCAL, KeepCapture(run_id=new_run(platform), capture=capture))


def test_a_run_has_a_bounded_number_of_captures(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MAX_CAPTURES", 2)
    run = new_run(platform)
    for source in "aab":
        platform.call(LOCAL, KeepCapture(run_id=run, capture=Capture(source=source)))
    with pytest.raises(Invalid, match="has 2 captures"):
        platform.call(LOCAL, KeepCapture(run_id=run, capture=Capture(source="c")))


def test_an_unknown_run_has_none(platform: Platform) -> None:
    with pytest.raises(NotFound):
        platform.call(LOCAL, GetCaptures(run_id="f" * 32))


def test_a_run_starts_under_a_chosen_id_in_an_experiment_that_is_made_and_again_changes_nothing(
    platform: Platform,
) -> None:
    ask = StartRun(experiment="fresh", run_id="a1" * 16, name="mine", start_time_ms=7, tags=(Tag(key="k", value="v"),))
    first = platform.call(LOCAL, ask)
    again = platform.call(LOCAL, StartRun(experiment="other", run_id="a1" * 16, name="else"))
    assert (first.info.run_id, first.info.name, first.info.start_time_ms) == ("a1" * 16, "mine", 7)
    assert again.info == first.info == platform.call(LOCAL, GetRun(run_id="a1" * 16)).info
    other = platform.call(LOCAL, StartRun(experiment="fresh"))
    assert other.info.experiment_id == first.info.experiment_id


@pytest.mark.parametrize("wrong", ["x", "A1" * 16, "../" * 11, "a" * 33])
def test_a_chosen_id_has_the_form_of_an_id(platform: Platform, wrong: str) -> None:
    with pytest.raises(Invalid, match="32 hexadecimal digits"):
        platform.call(LOCAL, StartRun(run_id=wrong))
