"""A fitted model and its directory."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer
from tests.inference.making import as_rows, table

from airside.inference.writing import Draft, write_directory


@pytest.fixture(scope="session")
def logistic() -> Any:
    x, y = table()
    parts = [
        ("codes", OneHotEncoder(handle_unknown="ignore"), [1]),
        ("age", SplineTransformer(n_knots=4), [0]),
        ("pay", "passthrough", [2]),
    ]
    return make_pipeline(ColumnTransformer(parts), LogisticRegression(max_iter=1000)).fit(x, y)


@pytest.fixture(scope="session")
def model_folder(logistic: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A written model directory of the logistic model; copy it before changing it."""
    x, _ = table()
    folder = tmp_path_factory.mktemp("model") / "model"
    write_directory(folder, Draft(model=logistic, rows=as_rows(x[:40]), created_at=datetime(2026, 1, 2, tzinfo=UTC)))
    return folder
