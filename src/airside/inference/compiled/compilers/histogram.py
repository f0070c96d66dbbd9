"""Histogram-based gradient boosting."""

from typing import Any

import numpy as np
import numpy.typing as npt

from airside.inference.compiled.compilers.encoding import ordinal
from airside.inference.compiled.compilers.ensemble import compiled_ensemble
from airside.inference.compiled.compilers.features import Arrays, Feature, refuse
from airside.inference.compiled.compilers.forms import Ensemble, Tree
from airside.inference.compiled.heads import as_label
from airside.inference.compiled.spec import HeadSpec, ModelSpec

_IDENTITY_LOSSES = {"squared_error", "absolute_error", "quantile"}


def histogram_boosting(estimator: Any, features: list[Feature], arrays: Arrays) -> ModelSpec:
    """`HistGradientBoostingClassifier`, `HistGradientBoostingRegressor`."""
    head = HeadSpec(link="none")
    if hasattr(estimator, "classes_"):
        if estimator.loss != "log_loss":
            refuse(estimator, f"loss is {estimator.loss!r}")
        classes = tuple(as_label(label) for label in estimator.classes_.tolist())
        head = HeadSpec(link="logistic" if len(classes) == 2 else "softmax", classes=classes)
    elif estimator.loss not in _IDENTITY_LOSSES:
        refuse(estimator, f"loss is {estimator.loss!r}")
    trees = [_tree(predictor) for iteration in estimator._predictors for predictor in iteration]  # noqa: SLF001 -- their only home
    initial = np.asarray(estimator._baseline_prediction, np.float64).reshape(-1)  # noqa: SLF001 -- its only home
    ensemble = Ensemble(trees=trees, initial=initial, mean=False, takes_missing=True)
    return compiled_ensemble(estimator, ensemble, _encoded(estimator, features), head, arrays)


def _encoded(estimator: Any, features: list[Feature]) -> list[Feature]:
    """Categories as codes, in front of the numbers, as the estimator itself arranges them."""
    preprocessor = estimator._preprocessor  # noqa: SLF001 -- its only home
    if preprocessor is None:
        return features
    positions = preprocessor._transformer_to_input_indices  # noqa: SLF001 -- there is no public way
    parts = {name: part for name, part, _ in preprocessor.transformers_}
    return ordinal(parts["encoder"], [features[i] for i in positions["encoder"]]) + [
        features[i] for i in positions.get("numerical", [])
    ]


def _tree(predictor: Any) -> Tree:
    nodes = predictor.nodes
    is_leaf = nodes["is_leaf"].astype(bool)
    is_category = nodes["is_categorical"].astype(bool) & ~is_leaf
    sets = {
        int(node): _bits(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]])
        for node in np.flatnonzero(is_category)
    }
    return Tree(
        feature=np.where(is_leaf, -1, nodes["feature_idx"].astype(np.intp)),
        threshold=nodes["num_threshold"].astype(np.float64),
        left=nodes["left"].astype(np.intp),
        right=nodes["right"].astype(np.intp),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        left_sets=sets,
        values=nodes["value"].astype(np.float64)[:, None],
    )


def _bits(words: Any) -> npt.NDArray[np.bool_]:
    """(8,) 32-bit words as (256,) booleans, the lowest bit first."""
    return np.unpackbits(np.asarray(words, "<u4").view(np.uint8), bitorder="little").astype(bool)
