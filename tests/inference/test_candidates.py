"""The demo's four candidates are all compiled, and equal to their originals on real people."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from airside.client.cli import demo
from airside.client.cli.demo.project.candidates import fitted
from airside.inference.golden import load_compiled
from airside.inference.writing import Draft, write_directory

NOT_FEATURES = {"row_id", "household", "year", "batch", "employed"}


@pytest.fixture(scope="module")
def people() -> tuple[list[str], Any, Any]:
    """Four thousand adults of 2015: the names of the features, (rows, 16), labels."""
    table = pq.read_table(Path(demo.__file__).parent / "data/acs_ma_employment.parquet")
    table = table.filter(pc.and_(pc.equal(table["year"], 2015), pc.greater_equal(table["AGEP"], 16))).slice(0, 4000)
    names = [name for name in table.column_names if name not in NOT_FEATURES]
    x = np.column_stack([table[name].to_numpy().astype(np.float64) for name in names])
    return names, x, table["employed"].to_numpy().astype(int)


@pytest.mark.parametrize(
    ("kind", "agreement"),
    [("tree", "bit-equal"), ("logistic", "labels-equal"), ("forest", "bit-equal"), ("boosting", "bit-equal")],
)
def test_a_candidate_is_compiled_and_equal(kind: str, agreement: str, people: Any, tmp_path: Path) -> None:
    names, x, y = people
    codes = [i for i, name in enumerate(names) if name != "AGEP"]
    model = fitted(kind, x[:3000], y[:3000], codes)
    rows = {name: x[:, i].astype(int).tolist() for i, name in enumerate(names)}
    example = {name: values[:60] for name, values in rows.items()}

    written = write_directory(tmp_path / "m", Draft(model=model, rows=example, created_at=datetime.now(UTC)))
    answer = load_compiled(tmp_path / "m").predict(rows)

    assert written.comparison.agreement == agreement
    assert answer.labels == model.predict(x).tolist()
    assert np.abs(np.array(answer.probabilities) - model.predict_proba(x)).max() <= (kind == "logistic") * 1e-14
