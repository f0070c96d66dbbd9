"""Scoring a file: Parquet or CSV in, a table with the answers out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet

from airside.core.errors import Invalid
from airside.inference.predictor import Predictor
from airside.inference.rules import fitted, input_names

ROWS = 4096
"""Scored at once, so that a file of any length fits into memory but for its answers."""


def score_file(predictor: Predictor, path: Path, *, keep: tuple[str, ...] = ()) -> pa.Table:
    """The answers for every row of a file, in its order.

    Args:
        predictor: what answers.
        path: `.parquet` or `.csv`; other columns than the signature's are ignored.
        keep: columns of the file that the answer repeats, e.g. a row's id.

    Returns:
        A table with `prediction`, and with `probability_<class>` for a classifier, behind the kept columns.

    Raises:
        Invalid: the file's kind is another, or its rows do not fit the signature.
    """
    parts = [_scored(predictor, batch, keep) for batch in _batches(path, (*input_names(predictor.signature), *keep))]
    if not parts:
        raise Invalid("The file has no rows.")
    return pa.concat_tables(parts)


def _batches(path: Path, wanted: tuple[str, ...]) -> Iterator[pa.Table]:
    kind = path.suffix.lower().lstrip(".")
    if kind not in {"parquet", "csv"}:
        raise Invalid(f"A file of kind {path.suffix!r} is not scored; give .parquet or .csv.")
    source = pyarrow.dataset.dataset(path, format=kind)
    columns = [name for name in source.schema.names if name in set(wanted)]
    for batch in source.to_batches(columns=columns, batch_size=ROWS):
        if batch.num_rows:
            yield pa.Table.from_batches([batch])


def _scored(predictor: Predictor, table: pa.Table, keep: tuple[str, ...]) -> pa.Table:
    rows, _ = fitted(predictor.signature, table.to_pydict())
    prediction = predictor.predict(rows)
    found: dict[str, Any] = {name: table[name] for name in keep} | {"prediction": pa.array(prediction.labels)}
    for i, label in enumerate(prediction.classes):
        found[f"probability_{label}"] = pa.array([row[i] for row in prediction.probabilities or ()])
    return pa.table(found)
