"""Encoders of categories, and bins: tables with a row for each known value."""

import math
from typing import Any

import numpy as np

from airside.inference.compiled.blocks import Floats
from airside.inference.compiled.compilers.features import (
    MAX_CELLS,
    Bins,
    Feature,
    Lookup,
    Source,
    refusal,
    refuse,
)


def one_hot(encoder: Any, features: list[Feature]) -> list[Feature]:
    """`OneHotEncoder(handle_unknown="ignore")`."""
    if encoder.drop is not None or encoder.min_frequency is not None or encoder.max_categories is not None:
        refuse(encoder, "drop, min_frequency or max_categories is set")
    if encoder.handle_unknown != "ignore":
        refuse(encoder, f"handle_unknown is {encoder.handle_unknown!r}, only 'ignore' is compiled")
    found: list[Feature] = []
    for feature, known in zip(features, encoder.categories_, strict=True):
        levels = _levels(known)
        width = len(levels)
        if (width + 3) * width > MAX_CELLS:
            refuse(encoder, f"a column has {width} categories")
        rows = np.vstack([np.eye(width), np.zeros((1, width))])
        block = _block(encoder, feature, levels, rows)
        found += [Feature(block, output) for output in range(width)]
    return found


def ordinal(encoder: Any, features: list[Feature]) -> list[Feature]:
    """`OrdinalEncoder(handle_unknown="use_encoded_value")`."""
    if encoder.min_frequency is not None or encoder.max_categories is not None:
        refuse(encoder, "min_frequency or max_categories is set")
    if encoder.handle_unknown != "use_encoded_value":
        refuse(encoder, f"handle_unknown is {encoder.handle_unknown!r}, only 'use_encoded_value' is compiled")
    found: list[Feature] = []
    for feature, known in zip(features, encoder.categories_, strict=True):
        levels = _levels(known)
        codes = [float(encoder.encoded_missing_value) if _is_missing(v) else float(i) for i, v in enumerate(levels)]
        rows = np.array([*codes, float(encoder.unknown_value)])[:, None].astype(encoder.dtype).astype(np.float64)
        found.append(Feature(_block(encoder, feature, levels, rows)))
    return found


def _levels(known: Any) -> list[Any]:
    return [value.item() if isinstance(value, np.generic) else value for value in known.tolist()]


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _block(encoder: Any, feature: Feature, levels: list[Any], rows: Floats) -> Lookup | Bins:
    """A table of what each value of the feature's column becomes; the last of `rows` is for an unknown value."""
    at = {_key(level): i for i, level in enumerate(levels)}
    unknown = len(levels)
    match feature.block:
        case Lookup() | Bins():
            index = [at.get(_key(value), unknown) for value in feature.rows().tolist()]
            return _mapped(feature.block, rows[index])
        case Source():
            keys = [level for level in levels if not _is_missing(level)]
            none, nan = _missing_rows(encoder, feature, at, unknown)
            index = [at[_key(key)] for key in keys]
            return Lookup(feature.block.column, tuple(keys), rows[[*index, unknown, none, nan]])
    raise refusal(encoder, "it encodes a spline")


def _mapped(block: Lookup | Bins, table: Floats) -> Lookup | Bins:
    if isinstance(block, Lookup):
        return Lookup(block.column, block.keys, table)
    return Bins(block.column, block.steps, block.edges, table)


def _key(value: Any) -> Any:
    return "nan" if isinstance(value, float) and math.isnan(value) else ("value", value)


def _missing_rows(encoder: Any, feature: Feature, at: dict[Any, int], unknown: int) -> tuple[int, int]:
    """The rows for None and NaN: JSON's `null` becomes what the training frame had."""
    source = feature.block
    if isinstance(source, Source) and source.fill is not None:
        row = at.get(_key(source.fill), unknown)
        return row, row
    if feature.steps:
        if any(step.kind != "impute" for step in feature.steps):
            refuse(encoder, "it encodes a number that was scaled before")
        row = at.get(_key(feature.steps[0].a), unknown)
        return row, row
    nan = at.get("nan", unknown)
    return at.get(_key(None), nan), nan


def bins(discretizer: Any, features: list[Feature]) -> list[Feature]:
    """`KBinsDiscretizer`."""
    found: list[Feature] = []
    for feature, edges, count in zip(features, discretizer.bin_edges_, discretizer.n_bins_, strict=True):
        if not isinstance(feature.block, Source) or feature.block.fill is not None:
            refuse(discretizer, "it takes what is no plain number")
        inner = np.asarray(edges[1:-1], dtype=np.float64)
        rows = np.arange(count, dtype=np.float64)[:, None] if discretizer.encode == "ordinal" else np.eye(int(count))
        table = np.vstack([rows, np.full((1, rows.shape[1]), np.nan)])
        block = Bins(feature.block.column, feature.steps, inner, table)
        found += [Feature(block, output) for output in range(rows.shape[1])]
    return found
