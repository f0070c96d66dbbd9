"""Decision trees, forests and boosted trees, brought to one form."""

from typing import Any

import numpy as np

from airside.inference.compiled.blocks import Floats
from airside.inference.compiled.compilers.ensemble import compiled_ensemble
from airside.inference.compiled.compilers.features import Arrays, Feature, refuse
from airside.inference.compiled.compilers.forms import Ensemble, Tree
from airside.inference.compiled.heads import as_label
from airside.inference.compiled.spec import HeadSpec, ModelSpec


def doubled(thresholds: Floats) -> Floats:
    """For each threshold t the largest double that is still <= t after rounding to a float.

    scikit-learn rounds the matrix to float32 before it compares; with these thresholds nothing needs rounding.

    >>> t = doubled(np.array([0.1]))[0]
    >>> float(np.float32(t)) <= 0.1, float(np.float32(np.nextafter(t, 1.0))) <= 0.1
    (True, False)
    """
    with np.errstate(over="ignore"):
        below = thresholds.astype(np.float32)
    below = np.where(below.astype(np.float64) > thresholds, np.nextafter(below, np.float32(-np.inf)), below)
    with np.errstate(over="ignore"):
        above = np.nextafter(below, np.float32(np.inf))
    step = np.where(np.isinf(above), below.astype(np.float64) + 2.0**104, above.astype(np.float64))
    middle = (below.astype(np.float64) + step) / 2
    # Of two floats equally far, rounding takes the one whose last bit is 0.
    is_even = (below.view(np.uint32) & 1) == 0 if below.dtype == np.float32 else np.zeros(len(below), bool)
    found: Floats = np.where(is_even, middle, np.nextafter(middle, -np.inf))
    return found


def of_sklearn(tree: Any, values: Floats) -> Tree:
    """A `sklearn.tree._tree.Tree`, with the values that its leaves give."""
    missing = getattr(tree, "missing_go_to_left", None)
    count = tree.node_count
    return Tree(
        feature=np.where(tree.children_left < 0, -1, tree.feature).astype(np.intp),
        threshold=doubled(np.asarray(tree.threshold, np.float64)),
        left=tree.children_left.astype(np.intp),
        right=tree.children_right.astype(np.intp),
        missing_left=np.asarray(missing, bool) if missing is not None else np.zeros(count, bool),
        left_sets={},
        values=values,
    )


def decision_tree(estimator: Any, features: list[Feature], arrays: Arrays) -> ModelSpec:
    """`DecisionTreeClassifier`, `DecisionTreeRegressor` and the extra-randomised ones."""
    return _averaged(estimator, [estimator], features, arrays)


def forest(estimator: Any, features: list[Feature], arrays: Arrays) -> ModelSpec:
    """`RandomForest…`, `ExtraTrees…`."""
    return _averaged(estimator, estimator.estimators_, features, arrays)


def _averaged(estimator: Any, members: list[Any], features: list[Feature], arrays: Arrays) -> ModelSpec:
    if estimator.n_outputs_ != 1:
        refuse(estimator, "it has several outputs")
    head, scores = HeadSpec(link="none"), 1
    if hasattr(estimator, "classes_"):
        classes = tuple(as_label(label) for label in estimator.classes_.tolist())
        head, scores = HeadSpec(link="fractions", classes=classes), len(classes)
    if getattr(estimator, "monotonic_cst", None) is not None:
        refuse(estimator, "monotonic_cst is set")
    trees = [of_sklearn(m.tree_, np.asarray(m.tree_.value[:, 0, :scores], np.float64)) for m in members]
    ensemble = Ensemble(trees=trees, initial=np.zeros(scores), mean=True, takes_missing=True)
    return compiled_ensemble(estimator, ensemble, features, head, arrays)


def gradient_boosting(estimator: Any, features: list[Feature], arrays: Arrays) -> ModelSpec:
    """`GradientBoostingClassifier`, `GradientBoostingRegressor`."""
    if isinstance(estimator.init, str):
        if estimator.init != "zero":
            refuse(estimator, f"init is {estimator.init!r}")
    elif not type(estimator.init_).__name__.startswith("Dummy"):
        refuse(estimator, "init is an estimator of its own")
    head = HeadSpec(link="none")
    if hasattr(estimator, "classes_"):
        if estimator.loss != "log_loss":
            refuse(estimator, f"loss is {estimator.loss!r}")
        classes = tuple(as_label(label) for label in estimator.classes_.tolist())
        head = HeadSpec(link="logistic" if len(classes) == 2 else "softmax", classes=classes, zero_is_positive=True)
    start = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), np.float32))  # noqa: SLF001 -- its only home
    rate = float(estimator.learning_rate)
    trees = [
        of_sklearn(member.tree_, rate * np.asarray(member.tree_.value[:, 0, :], np.float64))
        for member in estimator.estimators_.ravel()
    ]
    ensemble = Ensemble(trees=trees, initial=np.asarray(start, np.float64)[0], mean=False, takes_missing=False)
    return compiled_ensemble(estimator, ensemble, features, head, arrays)
