"""The original of a model in a process of its own."""

import pickle
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sklearn.ensemble import AdaBoostClassifier
from tests.inference.making import COLUMNS, as_rows, table

from airside.core.errors import DeadlineExceeded, Denied, Invalid, Unavailable
from airside.inference.golden import load_compiled
from airside.inference.model_dir.digests import digests
from airside.inference.worker import ModelWorker
from airside.inference.writing import Draft, write_directory


class Stuck:
    """Pickles to something that sleeps when it is loaded."""

    def __reduce__(self) -> Any:
        return time.sleep, (600,)


class Dead:
    def __reduce__(self) -> Any:
        return exec, ("import os; os._exit(3)",)


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "copy"))


def test_a_pickle_is_not_loaded_unless_the_operator_allows_it(folder: Path) -> None:
    with pytest.raises(Denied, match=r"allow_pickle"):
        ModelWorker(folder, allow_pickle=False)


def test_a_changed_pickle_is_not_loaded(folder: Path) -> None:
    files = digests(folder)
    (folder / "model.pkl").write_bytes(pickle.dumps(Stuck()))

    with pytest.raises(Invalid, match=r"'model\.pkl' differ"):
        ModelWorker(folder, allow_pickle=True, files=files)


def test_a_worker_answers_refuses_bad_rows_and_goes_on(folder: Path, logistic: Any) -> None:
    x, _ = table(10, 6)
    worker = ModelWorker(folder, allow_pickle=True, files=digests(folder))
    try:
        answer = worker.predict(as_rows(x))
        with pytest.raises(Invalid, match="The model refuses the rows"):
            worker.predict({name: [None] for name in COLUMNS})
        again = worker.predict(as_rows(x))
    finally:
        worker.close()

    assert answer.probabilities == logistic.predict_proba(x).tolist()
    assert again == answer


def test_what_is_not_compiled_is_served_by_its_original(tmp_path: Path) -> None:
    x, y = table(80)
    model = AdaBoostClassifier(n_estimators=3, random_state=0).fit(x, y)
    written = write_directory(tmp_path / "m", Draft(model=model, rows=as_rows(x[:5]), created_at=datetime.now(UTC)))
    worker = ModelWorker(tmp_path / "m", allow_pickle=True)
    try:
        answer = worker.predict(as_rows(x))
    finally:
        worker.close()

    assert "no compiler" in written.comparison.reason
    assert answer.labels == model.predict(x).tolist()
    with pytest.raises(Invalid, match="no compiled form"):
        load_compiled(tmp_path / "m")


def test_a_model_that_hangs_is_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "model.pkl").write_bytes(pickle.dumps(Stuck()))
    monkeypatch.setattr("airside.inference.worker.START_S", 0.0)
    worker = ModelWorker(folder, allow_pickle=True, limit_s=0.2)

    with pytest.raises(DeadlineExceeded, match="its worker was stopped"):
        worker.predict({name: [1] for name in COLUMNS})
    worker.close()


def test_a_model_that_dies_is_told(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(pickle.dumps(Dead()))
    worker = ModelWorker(folder, allow_pickle=True)

    with pytest.raises(Unavailable, match="worker ended"):
        worker.predict({name: [1] for name in COLUMNS})
    worker.close()


def test_the_worker_sees_no_secret(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRSIDE_TOKEN", "secret")
    worker = ModelWorker(folder, allow_pickle=True)
    try:
        worker.predict({"age": [30], "code": [1], "pay": [2.0]})
        process = worker._process
        assert process is not None
        environment = Path(f"/proc/{process.pid}/environ").read_bytes()
    finally:
        worker.close()

    assert b"secret" not in environment
