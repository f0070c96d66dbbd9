"""Log, register and load a model from Python, on a platform in this process."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sklearn.ensemble import AdaBoostClassifier, HistGradientBoostingClassifier
from tests.inference.making import COLUMNS, as_rows, table

import airside
from airside.client.sdk.models import LoggedModelRef, load_model, load_original, log_model, register
from airside.client.sdk.rows import as_columns
from airside.client.transport import Client
from airside.core.errors import Denied, Invalid, NotFound
from airside.core.ids import ExperimentId, ModelName, RunId
from airside.inference.model_dir.mlmodel import read_mlmodel
from airside.registry.operations.aliases import SetAlias
from airside.tracking.logged_models.operations import GetLoggedModel, SearchLoggedModels
from airside.tracking.operations.runs import CreateRun


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with airside.open(tmp_path / "home") as client:
        yield client


@pytest.fixture
def run_id(client: Client) -> RunId:
    return client.call(CreateRun(experiment_id=ExperimentId("0"))).info.run_id


@pytest.fixture(scope="module")
def boosting() -> Any:
    x, y = table(200)
    return HistGradientBoostingClassifier(max_iter=6, categorical_features=[1], random_state=0).fit(x, y)


@pytest.fixture
def logged(client: Client, run_id: RunId, boosting: Any) -> LoggedModelRef:
    x, _ = table(400, 3)
    return log_model(
        client,
        boosting,
        run_id=run_id,
        name="jobs",
        example=as_rows(x),
        reference=b"{}",
        extra_files={"a/note.txt": b"x"},
    )


def test_a_logged_model_is_ready_with_its_files(client: Client, run_id: RunId, logged: LoggedModelRef) -> None:
    stored = client.call(GetLoggedModel(model_id=logged.model_id))
    path = stored.artifact_uri.removeprefix("mlflow-artifacts:/") + "/MLmodel"
    described = read_mlmodel(client.download_artifact(path))

    assert (stored.status, stored.source_run_id) == ("READY", run_id)
    assert (described.model_id, described.run_id, described.signature) == (logged.model_id, run_id, logged.signature)
    assert logged.comparison.agreement == "bit-equal"
    assert client.get_blob(logged.files["a/note.txt"]) == b"x"
    assert client.get_blob(logged.reference) == b"{}"


def test_a_registered_version_loads_by_alias_and_number_without_unpickling(
    client: Client, logged: LoggedModelRef, boosting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = register(client, "jobs", logged, description="first")
    client.call(SetAlias(name=ModelName("jobs"), alias="champion", version=version.version))
    monkeypatch.setattr("pickle.load", None)
    monkeypatch.setattr("pickle.loads", None)

    x, _ = table(30, 5)
    for what in ("jobs@champion", "jobs@1", "jobs"):
        assert load_model(client, what).predict(as_rows(x)).probabilities == boosting.predict_proba(x).tolist()
    assert (version.golden, version.files, version.model_id) == (
        f"bit-equal on {logged.comparison.rows} golden rows",
        logged.files,
        logged.model_id,
    )


def test_the_next_version_of_a_name_has_the_next_number(client: Client, logged: LoggedModelRef) -> None:
    assert [register(client, "jobs", logged).version for _ in range(2)] == [1, 2]


def test_the_original_is_unpickled_only_when_asked_to(
    client: Client, logged: LoggedModelRef, boosting: Any, tmp_path: Path
) -> None:
    register(client, "jobs", logged)
    x, _ = table(30, 5)

    with pytest.raises(Denied, match="allow_pickle=True"):
        load_original(client, "jobs@1", folder=tmp_path / "m")
    model = load_original(client, "jobs@1", folder=tmp_path / "m", allow_pickle=True)

    assert model.predict(x).tolist() == boosting.predict(x).tolist()


def test_a_model_without_a_compiled_form_says_so(client: Client, run_id: RunId) -> None:
    x, y = table(60)
    model = AdaBoostClassifier(n_estimators=2).fit(x, y)
    logged = log_model(client, model, run_id=run_id, name="ada", example=x, training_columns=COLUMNS)

    version = register(client, "ada", logged)

    assert version.golden.startswith("not compiled: AdaBoostClassifier is not compiled: there is no compiler for it")
    with pytest.raises(Invalid, match="no compiled form"):
        load_model(client, "ada@1")


def test_a_model_that_cannot_be_logged_is_marked_failed(client: Client, run_id: RunId, boosting: Any) -> None:
    with pytest.raises(Invalid, match="refuses the rows"):
        log_model(client, boosting, run_id=run_id, name="jobs", example={"age": [1, 2]})

    (left,) = client.call(SearchLoggedModels(experiment_ids=(ExperimentId("0"),))).items
    assert (left.status, left.status_message) == ("FAILED", "Invalid")


@pytest.mark.parametrize("what", ["nobody@1", "nobody@champion"])
def test_an_unknown_model_is_told(client: Client, what: str) -> None:
    with pytest.raises(NotFound, match="nobody"):
        load_model(client, what)


def test_examples_come_in_many_forms() -> None:
    pandas = pytest.importorskip("pandas")
    rows = {"a": [1, 2], "b": ["x", "y"]}

    for example in (rows, pandas.DataFrame(rows), pa.table(rows), [[1, "x"], [2, "y"]]):
        assert as_columns(example, ("a", "b")) == rows
    refused: tuple[Any, ...] = ({}, {"a": []}, {"a": [1], "b": [1, 2]}, 3, [[1], [1, 2]])
    for wrong in refused:
        with pytest.raises(Invalid):
            as_columns(wrong)
