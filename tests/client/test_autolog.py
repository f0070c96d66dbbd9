"""A run of ours becomes the active run of `mlflow`: at once, or when that is imported; and leaves it as it was."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airside.client.recording.autolog import Joined

URL = "http://127.0.0.1:5000"
FAKE = """
from types import SimpleNamespace
from mlflow import tracking
said, _runs = [], []
def get_tracking_uri(): return tracking.uri
def set_tracking_uri(uri): tracking.uri = uri
def active_run(): return _runs[-1] if _runs else None
def start_run(run_id=None, nested=False, log_system_metrics=None):
    if run_id == "bad": raise RuntimeError("no")
    said.append(("start", run_id, nested, log_system_metrics))
    _runs.append(SimpleNamespace(info=SimpleNamespace(run_id=run_id)))
def end_run(status): said.append(("end", _runs.pop().info.run_id, status))
"""


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package that stands in for mlflow; the real one is back afterwards."""
    (tmp_path / "mlflow").mkdir()
    (tmp_path / "mlflow" / "__init__.py").write_text(FAKE)
    (tmp_path / "mlflow" / "tracking.py").write_text("uri = ''\ndef is_tracking_uri_set(): return bool(uri)\n")
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "mlflow"}
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "mlflow"]:
        del sys.modules[name]
    sys.modules.update(kept)


def fake_run(run_id: str = "r1", *, is_there: bool = True) -> Any:
    client = SimpleNamespace(url=URL)
    return SimpleNamespace(run_id=run_id, name="n", url=f"{URL}/runs/r1", client=client, flush=lambda: is_there)


def test_it_joins_when_mlflow_is_imported_and_leaves_no_watcher_behind() -> None:
    finders = list(sys.meta_path)
    joined = Joined(fake_run())
    joined.start()
    mlflow = importlib.import_module("mlflow")
    assert sys.meta_path == finders
    joined.stop("FINISHED")
    assert mlflow.said == [("start", "r1", False, False), ("end", "r1", "FINISHED")]
    assert mlflow.get_tracking_uri() == URL


def test_it_joins_at_once_when_mlflow_is_there() -> None:
    mlflow = importlib.import_module("mlflow")
    joined = Joined(fake_run())
    joined.start()
    assert mlflow.active_run().info.run_id == "r1"
    joined.stop("FAILED")
    assert mlflow.active_run() is None


def test_a_run_that_ends_before_mlflow_is_imported_stops_watching() -> None:
    finders = list(sys.meta_path)
    joined = Joined(fake_run())
    joined.start()
    joined.stop("FINISHED")
    assert sys.meta_path == finders
    assert importlib.import_module("mlflow").said == []


@pytest.mark.parametrize("case", ["elsewhere", "own run", "away", "broken"])
def test_what_keeps_it_out_is_told_and_changes_nothing(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    mlflow = importlib.import_module("mlflow")
    if case == "elsewhere":
        mlflow.set_tracking_uri("http://other:5000")
    if case == "own run":
        mlflow.start_run("theirs")
    before = list(mlflow.said)
    joined = Joined(fake_run("bad" if case == "broken" else "r1", is_there=case != "away"))
    joined.start()
    joined.stop("FINISHED")
    assert mlflow.said == before
    assert "not logged into" in capsys.readouterr().err or case == "elsewhere"


def test_without_a_server_there_is_nothing_to_join() -> None:
    mlflow = importlib.import_module("mlflow")
    embedded = fake_run()
    embedded.url = ""
    Joined(embedded).start()
    assert mlflow.said == []
