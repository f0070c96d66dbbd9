"""What drives a pipeline's run is captured with its tracked run, and a run that a step starts becomes its child."""

from pathlib import Path

import pytest

import airside
from airside.client.sdk.pipelines import register_pipeline, run_inline
from airside.pipelines.define import pipeline, step
from airside.pipelines.operations.pipelines import GetPipeline
from airside.tracking.capture.operations import GetCaptures
from airside.tracking.capture.records import CodeState
from airside.tracking.operations.runs import GetRun

PROJECT = """
from airside.pipelines.define import pipeline, step

@step
def one() -> int:
    return 1

@pipeline
def main() -> int:
    return one()
"""


@step(cache=False)
def seven() -> int:
    """A number."""
    return 7


@pipeline
def small() -> int:
    """One step."""
    return seven()


def test_a_run_here_and_now_captures_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("AIRSIDE_CAPTURE", "machine,environment,threads")
    with airside.open(tmp_path / "home") as client:
        run = run_inline(client, small)
        (capture,) = client.call(GetCaptures(run_id=run.tracking_run)).items
        tags = {tag.key: tag.value for tag in client.call(GetRun(run_id=run.tracking_run)).tags}
    assert (run.result, capture.source.startswith("driver "), capture.code) == (7, True, None)
    assert capture.machine is not None
    assert capture.environment is not None
    assert tags["airside.environment"] == capture.environment.lock


def test_a_registration_says_where_its_repository_stands_without_making_a_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "capturedpipe.py").write_text(PROJECT)
    states = iter([CodeState(commit="a" * 40, is_dirty=True), CodeState(commit="b" * 40), None])
    monkeypatch.setattr("airside.client.sdk.pipelines._code_state", lambda *_: next(states))
    with airside.open(tmp_path / "home") as client:
        entry = f"{tmp_path / 'project' / 'capturedpipe.py'}:main"
        registered = [register_pipeline(client, entry) for _ in range(3)]
        stored = client.call(GetPipeline(name="main"))
    assert [one.version for one in registered] == [1, 1, 1]
    assert [one.made_with.commit[0] for one in registered if one.made_with] == ["a", "b", "b"]
    assert stored == registered[-1]
