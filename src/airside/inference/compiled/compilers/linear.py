"""Linear and logistic regression."""

from collections.abc import Callable
from typing import Any

import numpy as np

from airside.inference.compiled.blocks import Floats
from airside.inference.compiled.compilers.features import Arrays, Bins, Feature, Lookup, Source, Spline, refuse
from airside.inference.compiled.compilers.layout import Group, grouped
from airside.inference.compiled.heads import as_label
from airside.inference.compiled.spec import FORMAT, HeadSpec, LinearSpec, ModelSpec


def regression(estimator: Any, features: list[Feature], arrays: Arrays) -> ModelSpec:
    """`LinearRegression`, `Ridge`, `Lasso`, `ElasticNet` and those with built-in cross-validation."""
    coefficients = np.asarray(estimator.coef_, dtype=np.float64)
    if coefficients.ndim == 2 and coefficients.shape[0] != 1:
        refuse(estimator, "it has several outputs")
    return _model(estimator, coefficients.reshape(1, -1), features, arrays, HeadSpec(link="none", finite=True))


def logistic(estimator: Any, features: list[Feature], arrays: Arrays) -> ModelSpec:
    """`LogisticRegression` and `LogisticRegressionCV`."""
    coefficients = np.asarray(estimator.coef_, dtype=np.float64)
    classes = tuple(as_label(label) for label in estimator.classes_.tolist())
    multi = getattr(estimator, "multi_class", "auto")
    is_ovr = multi == "ovr" or estimator.solver == "liblinear"
    if len(classes) == 2 and multi == "multinomial":
        refuse(estimator, "two classes with multi_class='multinomial'")
    link: Any = "logistic" if len(classes) == 2 else "ovr" if is_ovr else "softmax"
    return _model(estimator, coefficients, features, arrays, HeadSpec(link=link, classes=classes, finite=True))


def _model(estimator: Any, coefficients: Floats, features: list[Feature], arrays: Arrays, head: HeadSpec) -> ModelSpec:
    if coefficients.shape[1] != len(features):
        refuse(estimator, f"it takes {coefficients.shape[1]} features, {len(features)} were compiled")
    intercept = np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64), (coefficients.shape[0],))
    groups = grouped(features, arrays, nullable=False)
    weights = tuple(
        arrays.add(f"weights_{i}", _WEIGHTS[type(group.block)](group, coefficients.T)) for i, group in enumerate(groups)
    )
    return ModelSpec(
        format=FORMAT,
        columns=tuple(dict.fromkeys(group.spec.column for group in groups)),
        blocks=tuple(group.spec for group in groups),
        estimator=LinearSpec(intercept=arrays.add("intercept", intercept), weights=weights),
        head=head,
        exact=False,
        compiled_from=type(estimator).__name__,
    )


def _of_number(group: Group, coefficients: Floats) -> Floats:
    ((position, _),) = group.members
    return coefficients[position : position + 1]


def _of_table(group: Group, coefficients: Floats) -> Floats:
    """What a value contributes through all the features that are made of it."""
    total = np.zeros((len(group.members[0][1].rows()), coefficients.shape[1]))
    for position, feature in group.members:
        total = total + feature.rows()[:, None] * coefficients[position]
    return total


def _of_spline(group: Group, coefficients: Floats) -> Floats:
    if not isinstance(group.block, Spline):
        raise TypeError(type(group.block).__name__)
    weights = np.zeros((group.block.outputs, coefficients.shape[1]))
    for position, feature in group.members:
        if feature.steps:
            refuse(group.block, "a spline is scaled afterwards")
        weights[feature.output] = coefficients[position]
    return weights


_WEIGHTS: dict[type, Callable[[Group, Floats], Floats]] = {
    Source: _of_number,
    Lookup: _of_table,
    Bins: _of_table,
    Spline: _of_spline,
}
