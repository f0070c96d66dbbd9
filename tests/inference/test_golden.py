"""A compiled model is loaded only when its files and its golden predictions hold."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression
from tests.inference.making import COLUMNS, as_rows, table

from airside.core.errors import Invalid
from airside.inference.compiled.compilers.table import Compiled, compile_model
from airside.inference.golden import load_compiled, make_golden, read_golden, write_golden
from airside.inference.model_dir.digests import digests
from airside.inference.original import Original
from airside.inference.predictor import Predictor
from airside.inference.records import Golden


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "copy"))


def tampered(folder: Path, *, forget_digests: bool) -> None:
    """Change one weight a little; perhaps with the digests made to fit."""
    path = folder / "airside/compiled/weights_1.npy"
    weights = np.load(path)
    np.save(path, weights * (1 + 1e-12))
    if forget_digests:
        write_golden(folder, read_golden(folder))


def test_a_written_model_loads_and_answers_as_the_original(folder: Path, logistic: Any) -> None:
    x, _ = table(50, 9)
    model = load_compiled(folder, files=digests(folder))

    assert isinstance(model, Predictor)
    assert model.form == "compiled"
    assert model.classes == (0, 1)
    assert model.predict(as_rows(x)).labels == logistic.predict(x).tolist()


def test_a_changed_file_is_refused_and_named(folder: Path) -> None:
    tampered(folder, forget_digests=False)

    with pytest.raises(Invalid, match=r"'weights_1\.npy' differ"):
        load_compiled(folder)


def test_other_golden_predictions_are_refused_even_when_the_digests_fit(folder: Path) -> None:
    tampered(folder, forget_digests=True)

    with pytest.raises(Invalid, match="gives other scores for its golden rows"):
        load_compiled(folder)


def test_digests_of_the_registry_are_verified(folder: Path) -> None:
    files = digests(folder)
    tampered(folder, forget_digests=True)

    with pytest.raises(Invalid, match=r"airside/compiled/weights_1\.npy"):
        load_compiled(folder, files=files)


@pytest.mark.parametrize("name", ["weights_0.npy", "intercept.npy", "model.json"])
def test_a_broken_compiled_form_is_refused_not_served(folder: Path, name: str) -> None:
    (folder / "airside/compiled" / name).write_bytes(b"\x93NUMPY")
    write_golden(folder, read_golden(folder))

    with pytest.raises(Invalid):
        load_compiled(folder)


def test_arrays_of_another_shape_are_refused(folder: Path) -> None:
    np.save(folder / "airside/compiled/weights_0.npy", np.zeros((1, 1)))
    write_golden(folder, read_golden(folder))

    with pytest.raises(Invalid):
        load_compiled(folder)


def test_without_golden_predictions_nothing_is_served(folder: Path) -> None:
    (folder / "airside/golden.json").unlink()

    with pytest.raises(Invalid, match="no golden predictions"):
        load_compiled(folder)


def golden_of(model: Any, rows: int = 30) -> tuple[Compiled, Golden]:
    x, _ = table(rows, 4)
    found = compile_model(model, COLUMNS)
    return found, make_golden(found, Original(model, COLUMNS), as_rows(x), {"scikit-learn": "1"})


def test_edge_rows_are_among_the_golden_ones() -> None:
    x, y = table(200)
    _, golden = golden_of(HistGradientBoostingClassifier(max_iter=5, categorical_features=[1]).fit(x, y))

    assert golden.comparison.agreement == "bit-equal"
    assert golden.comparison.rows == len(golden.labels) > 30
    assert {"$": "nan"} in golden.columns["age"]
    assert None in golden.columns["pay"]
    assert 6 in golden.columns["code"]
    assert msgspec.json.decode(msgspec.json.encode(golden), type=Golden) == golden


def test_a_compiled_form_that_disagrees_is_refused() -> None:
    x, y = table(200)
    model = LinearRegression().fit(x, y)
    found, _ = golden_of(model)
    found.arrays["weights_0"] = found.arrays["weights_0"] + 1e-9

    comparison = make_golden(found, Original(model, COLUMNS), as_rows(x[:20]), {}).comparison

    assert (comparison.agreement, comparison.reason) == ("refused", "labels differ")


def test_a_wrong_leaf_is_refused() -> None:
    x, y = table(200)
    model = HistGradientBoostingClassifier(max_iter=5).fit(x, y)
    found, _ = golden_of(model)
    found.arrays["values"] = found.arrays["values"] * (1 + 1e-15)

    assert make_golden(found, Original(model, COLUMNS), as_rows(x[:20]), {}).comparison.agreement == "refused"


def test_the_directory_says_what_it_holds(folder: Path) -> None:
    assert {path for path in digests(folder) if not path.startswith("airside/compiled/")} == {
        "MLmodel",
        "airside/golden.json",
        "conda.yaml",
        "input_example.json",
        "model.pkl",
        "python_env.yaml",
        "requirements.txt",
        "serving_input_example.json",
    }
    example = json.loads((folder / "serving_input_example.json").read_text())["dataframe_split"]
    assert (example["columns"], len(example["data"])) == (list(COLUMNS), 5)
