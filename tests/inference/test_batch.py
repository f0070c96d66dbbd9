"""Scoring a file."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from tests.inference.making import as_rows, table

from airside.core.errors import Invalid
from airside.inference.batch import score_file
from airside.inference.golden import load_compiled


@pytest.fixture
def rows() -> dict[str, Any]:
    x, _ = table(60, 2)
    return as_rows(x) | {"row_id": list(range(60)), "noise": ["x"] * 60}


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_every_row_is_scored_in_order(kind: str, rows: dict[str, Any], model_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / f"rows.{kind}"
    write = pyarrow.parquet.write_table if kind == "parquet" else pyarrow.csv.write_csv
    write(pa.table(rows), path)
    model = load_compiled(model_folder)

    found = score_file(model, path, keep=("row_id",))

    wanted = model.predict(rows)
    assert found.column_names == ["row_id", "prediction", "probability_0", "probability_1"]
    assert found["row_id"].to_pylist() == rows["row_id"]
    assert found["prediction"].to_pylist() == wanted.labels
    assert wanted.probabilities is not None
    assert found["probability_1"].to_pylist() == [row[1] for row in wanted.probabilities]


def test_a_file_without_a_needed_column_is_refused(rows: dict[str, Any], model_folder: Path, tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"age": rows["age"]}), tmp_path / "rows.parquet")

    with pytest.raises(Invalid, match="needs the columns 'code', 'pay'"):
        score_file(load_compiled(model_folder), tmp_path / "rows.parquet")


def test_another_kind_of_file_is_refused(model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"give \.parquet or \.csv"):
        score_file(load_compiled(model_folder), tmp_path / "rows.xlsx")
