"""Compiled models answer with the bits of their originals."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    SplineTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tests.inference.making import COLUMNS, as_rows, table

from airside.core.errors import Invalid
from airside.inference.compiled.compilers import ensemble
from airside.inference.compiled.compilers.table import NotCompiled, compile_model
from airside.inference.compiled.compilers.trees import doubled
from airside.inference.compiled.model import Evaluator, read_evaluator
from airside.inference.original import Original

TREES: dict[str, Any] = {
    "tree": DecisionTreeClassifier(max_depth=3),
    "tree regression": DecisionTreeRegressor(max_depth=6),
    "forest": RandomForestClassifier(12, min_samples_leaf=3),
    "forest regression": RandomForestRegressor(12, max_depth=8),
    "extra trees": ExtraTreesClassifier(12, max_depth=6),
    "boosting": GradientBoostingClassifier(n_estimators=12),
    "boosting regression": GradientBoostingRegressor(n_estimators=12),
    "histogram": HistGradientBoostingClassifier(max_iter=12),
    "histogram with categories": HistGradientBoostingClassifier(max_iter=12, categorical_features=[1]),
    "histogram regression": HistGradientBoostingRegressor(max_iter=12),
}
GAPS = {"tree", "forest", "extra trees", "histogram", "histogram with categories", "histogram regression"}


def compiled(model: Any) -> Evaluator:
    found = compile_model(model, COLUMNS)
    return Evaluator(found.spec, found.arrays)


def fitted(model: Any, x: Any, y: Any) -> Any:
    if "random_state" in model.get_params():
        model.set_params(random_state=0)
    return model.fit(x, y)


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("is_walked", [False, True])
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10_000), classes=st.sampled_from([2, 3]))
def test_trees_give_the_bits_of_the_original_alone_and_in_a_batch(
    name: str, is_walked: bool, seed: int, classes: int
) -> None:
    x, y = table(200, seed)
    x[:, 1] = np.where(x[:, 2] > 45, 3, x[:, 1])
    model = fitted(TREES[name], x, y if classes == 2 else y + (x[:, 0] > 60))
    unseen, _ = table(70, seed + 1)
    unseen[:5, 1] = 17
    if name in GAPS:
        unseen[5:9, 0] = np.nan
    rows = as_rows(unseen)

    limit, ensemble.MAX_MASK_BYTES = ensemble.MAX_MASK_BYTES, 0 if is_walked else ensemble.MAX_MASK_BYTES
    try:
        evaluator = compiled(model)
    finally:
        ensemble.MAX_MASK_BYTES = limit
    answer = evaluator.predict(rows)

    assert type(evaluator.spec.estimator).__name__ == ("NodesSpec" if is_walked else "MasksSpec")
    wanted = Original(model, COLUMNS).predict(rows)
    assert answer.scores == wanted.scores
    assert answer.labels == wanted.labels
    assert answer.probabilities == wanted.probabilities
    alone = [evaluator.predict({name: [values[i]] for name, values in rows.items()}) for i in range(20)]
    assert [one.scores[0] for one in alone] == answer.scores[:20]
    assert [one.labels[0] for one in alone] == answer.labels[:20]


PREPARED: dict[str, Any] = {
    "scaled": StandardScaler(),
    "scaled to a range": MinMaxScaler(clip=True),
    "one-hot then scaled": make_pipeline(
        ColumnTransformer(
            [("c", OneHotEncoder(handle_unknown="ignore"), [1])], remainder="passthrough", sparse_threshold=0
        ),
        StandardScaler(),
    ),
    "spline": ColumnTransformer([("s", SplineTransformer(n_knots=5, degree=3, include_bias=False), [0, 2])]),
    "quadratic spline": SplineTransformer(n_knots=4, degree=2, knots="quantile"),
    "bins": KBinsDiscretizer(4, encode="onehot-dense", quantile_method="averaged_inverted_cdf"),
    "imputed with indicator": make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()),
    "nothing": "passthrough",
}


@pytest.mark.parametrize("name", PREPARED)
@pytest.mark.parametrize("classes", [2, 3])
def test_linear_models_agree_within_the_bound_and_in_every_label(name: str, classes: int) -> None:
    x, y = table(250, 3)
    if name == "imputed with indicator":
        x[::9, 2] = np.nan
    model = make_pipeline(PREPARED[name], LogisticRegression(max_iter=3000, C=0.1))
    model.fit(x, y if classes == 2 else y + (x[:, 0] > 60))
    rows = as_rows(x[:100])

    evaluator = compiled(model)
    answer = evaluator.predict(rows)

    wanted = Original(model, COLUMNS).predict(rows)
    assert answer.labels == wanted.labels
    np.testing.assert_allclose(answer.scores, wanted.scores, rtol=0, atol=2e-13)
    assert answer.probabilities is not None
    assert wanted.probabilities is not None
    np.testing.assert_allclose(answer.probabilities, wanted.probabilities, rtol=0, atol=2e-13)
    assert evaluator.predict({name: values[:1] for name, values in rows.items()}).scores[0] == answer.scores[0]


@pytest.mark.parametrize("name", ["spline", "quadratic spline", "bins", "scaled to a range"])
def test_features_have_the_bits_of_the_original(name: str) -> None:
    x, _ = table(200, 5)
    transformer = PREPARED[name].fit(x)
    wide = transformer.transform(x).shape[1]
    unseen = np.vstack([table(50, 6)[0], [[1e6] * 3], [[-1e6] * 3], x.min(axis=0)[None], x.max(axis=0)[None]])

    for output in range(wide):
        target = transformer.transform(x)[:, output] + 1.0
        model = make_pipeline(transformer, LinearRegression().fit(transformer.transform(x), target))
        model[-1].coef_ = np.eye(wide)[output]
        model[-1].intercept_ = 0.0
        assert compiled(model).predict(as_rows(unseen)).scores == transformer.transform(unseen)[:, output].tolist()


def test_texts_and_missing_texts_are_looked_up_as_the_training_data_had_them() -> None:
    x = np.array([["red", 1.0], ["blue", 2.0], [np.nan, 3.0], ["red", 4.0]] * 10, dtype=object)
    y = [0, 1, 1, 0] * 10
    parts = [("c", OneHotEncoder(handle_unknown="ignore"), [0]), ("n", "passthrough", [1])]
    model = make_pipeline(ColumnTransformer(parts), DecisionTreeClassifier(random_state=0)).fit(x, y)

    found = compile_model(model, ("colour", "n"))
    answer = Evaluator(found.spec, found.arrays).predict({"colour": ["red", None, "green"], "n": [4.0, 3.0, 2.0]})

    asked = np.array([["red", 4.0], [np.nan, 3.0], ["green", 2.0]], dtype=object)
    assert answer.probabilities == model.predict_proba(asked).tolist()


def test_codes_of_an_encoder_may_be_encoded_again() -> None:
    x, y = table(200, 8)
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    parts = ColumnTransformer([("c", encoder, [1])], remainder="passthrough")
    model = make_pipeline(parts, HistGradientBoostingClassifier(max_iter=8, categorical_features=[0])).fit(x, y)
    x[:4, 1] = 9

    assert compiled(model).predict(as_rows(x)).probabilities == model.predict_proba(x).tolist()


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (AdaBoostClassifier(n_estimators=2), "no compiler"),
        (make_pipeline(FunctionTransformer(np.log1p), Ridge()), "calls a function"),
        (make_pipeline(OneHotEncoder(handle_unknown="error"), Ridge()), "handle_unknown"),
        (make_pipeline(SplineTransformer(extrapolation="linear"), Ridge()), "extrapolation"),
        (HistGradientBoostingRegressor(loss="poisson", max_iter=2), "loss"),
    ],
)
def test_what_is_not_in_the_table_is_not_compiled_and_the_reason_is_told(model: Any, reason: str) -> None:
    x, y = table(60)
    model.fit(x, y)

    with pytest.raises(NotCompiled, match=reason):
        compile_model(model, COLUMNS)


def test_a_class_of_the_same_name_from_elsewhere_is_not_compiled() -> None:
    class StandardScaler:
        mean_ = scale_ = (0.0,)

    with pytest.raises(NotCompiled, match="no compiler"):
        compile_model(make_pipeline(StandardScaler(), LinearRegression()), ("a",))


def test_a_missing_value_is_refused_where_the_original_refuses_it() -> None:
    x, y = table(100)
    linear = compiled(LogisticRegression(max_iter=2000).fit(x, y))
    boosting = compiled(GradientBoostingClassifier(n_estimators=3).fit(x, y))

    for evaluator in (linear, boosting):
        for pay in ([None], [math.nan], [None, 2.0]):
            count = len(pay)
            with pytest.raises(Invalid, match="Row 0, column 'pay': expected a value, got null"):
                evaluator.predict({"age": [30] * count, "code": [1] * count, "pay": pay})


def test_a_missing_column_is_named() -> None:
    x, y = table(100)
    evaluator = compiled(LogisticRegression(max_iter=2000).fit(x, y))

    with pytest.raises(Invalid, match="needs the columns 'code', which"):
        evaluator.predict({"age": [30], "pay": [2.0]})


@pytest.mark.parametrize("model", [LinearRegression(), DecisionTreeClassifier(max_depth=4), TREES["histogram"]])
@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({"age": [], "code": [], "pay": []}, "no rows"),
        ({"age": [1], "code": [1, 2], "pay": [1.0]}, "'code' has 2 values"),
        ({"age": ["30"], "code": [1], "pay": [2.0]}, "expected a number, got str"),
        ({"age": ["30", 1], "code": [1, 1], "pay": [2.0, 3.0]}, "expected a number, got str"),
        ({"age": [10**400], "code": [1], "pay": [2.0]}, "'age'"),
    ],
)
def test_rows_that_are_none_are_refused(model: Any, rows: Any, says: str) -> None:
    x, y = table(100)

    with pytest.raises(Invalid, match=says):
        compiled(fitted(model, x, y)).predict(rows)


def test_a_value_of_no_known_kind_is_refused(logistic: Any) -> None:
    evaluator = compiled(logistic)

    with pytest.raises(Invalid, match="neither a number, a text nor null"):
        evaluator.predict({"age": [30], "code": [[1]], "pay": [2.0]})


@given(st.floats(-1e30, 1e30), st.integers(-3, 3))
def test_a_doubled_threshold_compares_as_the_rounded_value_does(threshold: float, ulps: int) -> None:
    value = float(np.float32(threshold))
    for _ in range(abs(ulps)):
        value = float(np.nextafter(value, math.copysign(math.inf, ulps)))
    middle = (value + float(np.nextafter(np.float32(value), np.float32(np.inf)))) / 2

    folded = doubled(np.array([threshold]))[0]

    for x in (value, middle, np.nextafter(middle, math.inf), threshold):
        assert bool(x <= folded) == bool(float(np.float32(x)) <= threshold)


def test_arrays_are_never_unpickled(tmp_path: Path) -> None:
    compile_model(LinearRegression().fit(*table(50)), COLUMNS).write(tmp_path)
    np.save(tmp_path / "intercept.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)

    with pytest.raises(Invalid, match=r"'intercept\.npy' is no plain array"):
        read_evaluator(tmp_path)
