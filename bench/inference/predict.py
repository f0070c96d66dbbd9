"""What one prediction costs: the demo's four candidates, compiled, beside scikit-learn, in one process.

    python bench/inference/predict.py

CPU time, best of several rounds; lists in, labels and probabilities out (scikit-learn: its own array in, array out).
Every answer is compared with scikit-learn's before anything is timed.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import tempfile
import time
import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from airside.client.cli import demo
from airside.client.cli.demo.project.candidates import fitted
from airside.inference.golden import CompiledModel, load_compiled
from airside.inference.writing import Draft, write_directory

DATA = Path(demo.__file__).parent / "data/acs_ma_employment.parquet"
NOT_FEATURES = {"row_id", "household", "year", "batch", "employed"}
KINDS = ("tree", "logistic", "forest", "boosting")


def best_us(call: Callable[[], object], number: int, rounds: int) -> float:
    return min(timeit.repeat(call, number=number, repeat=rounds, timer=time.process_time)) / number * 1e6


def measured(compiled: CompiledModel, model: Any, test: Any, given: list[dict[str, list[int]]]) -> list[float]:
    one, many, thousand = given
    return [
        best_us(lambda: compiled.predict(one), 500, 7),
        best_us(lambda: model.predict_proba(test[:1]), 3, 5),
        best_us(lambda: compiled.predict(many), 10, 7),
        best_us(lambda: model.predict_proba(test[:500]), 3, 5),
        best_us(lambda: compiled.predict(thousand), 5, 5),
    ]


def main() -> None:
    table = pq.read_table(DATA)
    table = table.filter(pc.and_(pc.equal(table["year"], 2015), pc.greater_equal(table["AGEP"], 16)))
    names = [name for name in table.column_names if name not in NOT_FEATURES]
    x = np.column_stack([table[name].to_numpy().astype(np.float64) for name in names])
    y = table["employed"].to_numpy().astype(int)
    training = table["household"].to_numpy() % 5 != 0
    codes = [i for i, name in enumerate(names) if name != "AGEP"]
    test = x[~training]

    def rows(of: Any) -> dict[str, list[int]]:
        return {name: of[:, i].astype(int).tolist() for i, name in enumerate(names)}

    print(
        "| candidate | verdict | 1 row, us | scikit-learn | 500 rows, us | scikit-learn | 1,000 rows, us | load, ms |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for kind in KINDS:
        model = fitted(kind, x[training], y[training], codes)
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "m"
            written = write_directory(
                folder, Draft(model=model, rows=rows(x[training][:200]), created_at=datetime.now(UTC))
            )
            start = time.process_time()
            compiled = load_compiled(folder)
            load_ms = (time.process_time() - start) * 1e3
        every = compiled.predict(rows(test))
        assert every.labels == model.predict(test).tolist()
        assert np.abs(np.array(every.probabilities) - model.predict_proba(test)).max() < 1e-14
        figures = measured(compiled, model, test, [rows(test[:count]) for count in (1, 500, 1000)])
        told = " | ".join(f"{figure:,.1f}" if figure < 100 else f"{figure:,.0f}" for figure in figures)
        print(f"| {kind} | {written.comparison.agreement}, {written.comparison.rows} rows | {told} | {load_ms:.0f} |")


if __name__ == "__main__":
    main()
