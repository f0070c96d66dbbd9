"""What is made of other transformers: pipelines, column transformers, passthrough."""

from typing import Any

from airside.core.plugin import load
from airside.inference.compiled.compilers.features import Feature, refuse

_HERE = "airside.inference.compiled.compilers"

TRANSFORMERS = {
    "ColumnTransformer": f"{_HERE}.composition:columns",
    "FunctionTransformer": f"{_HERE}.composition:passthrough",
    "KBinsDiscretizer": f"{_HERE}.encoding:bins",
    "MaxAbsScaler": f"{_HERE}.scaling:max_abs",
    "MinMaxScaler": f"{_HERE}.scaling:min_max",
    "OneHotEncoder": f"{_HERE}.encoding:one_hot",
    "OrdinalEncoder": f"{_HERE}.encoding:ordinal",
    "Pipeline": f"{_HERE}.composition:pipeline",
    "RobustScaler": f"{_HERE}.scaling:robust",
    "SimpleImputer": f"{_HERE}.scaling:impute",
    "SplineTransformer": f"{_HERE}.spline:spline",
    "StandardScaler": f"{_HERE}.scaling:standard",
}
"""Class of scikit-learn → what compiles it, `(transformer, features) -> features`."""


def transformed(transformer: Any, features: list[Feature]) -> list[Feature]:
    """The features after a transformer.

    Raises:
        NotCompiled: its class or one of its options is not in the table.
    """
    if transformer is None or transformer == "passthrough":
        return features
    path = TRANSFORMERS.get(type(transformer).__name__)
    if path is None or not type(transformer).__module__.startswith("sklearn."):
        refuse(transformer, "there is no compiler for it")
    done: list[Feature] = load(path)(transformer, features)
    return done


def pipeline(pipe: Any, features: list[Feature]) -> list[Feature]:
    """Every step in order."""
    for _, step in pipe.steps:
        features = transformed(step, features)
    return features


def columns(transformer: Any, features: list[Feature]) -> list[Feature]:
    """`ColumnTransformer`: the outputs of its parts, in their order."""
    if transformer.transformer_weights:
        refuse(transformer, "transformer_weights is set")
    positions: dict[str, list[int]] = transformer._transformer_to_input_indices  # noqa: SLF001 -- there is no public way
    found: list[Feature] = []
    for name, part, _ in transformer.transformers_:
        at = positions.get(name, [])
        if (isinstance(part, str) and part == "drop") or len(at) == 0:
            continue
        made = transformed(part, [features[i] for i in at])
        declared = transformer.output_indices_[name]
        if declared.stop - declared.start != len(made):
            refuse(transformer, f"its part {name!r} gives {declared.stop - declared.start} columns, not {len(made)}")
        found += made
    return found


def passthrough(transformer: Any, features: list[Feature]) -> list[Feature]:
    """`FunctionTransformer` without a function, which is what scikit-learn makes of "passthrough"."""
    if transformer.func is not None:
        refuse(transformer, "it calls a function")
    return features
