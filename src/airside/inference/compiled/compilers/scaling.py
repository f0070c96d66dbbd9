"""Scalers and imputers: steps on a number."""

from typing import Any

import numpy as np

from airside.inference.compiled.compilers.features import Feature, Source, refuse
from airside.inference.compiled.spec import Step


def standard(scaler: Any, features: list[Feature]) -> list[Feature]:
    """`StandardScaler`: (x - mean) / scale."""
    if scaler.with_mean:
        features = _each(features, "subtract", scaler.mean_)
    return _each(features, "divide", scaler.scale_) if scaler.with_std else features


def min_max(scaler: Any, features: list[Feature]) -> list[Feature]:
    """`MinMaxScaler`: x · scale + min, clipped if asked."""
    features = _each(_each(features, "multiply", scaler.scale_), "add", scaler.min_)
    if not scaler.clip:
        return features
    low, high = scaler.feature_range
    return [feature.then(Step(kind="clip", a=float(low), b=float(high))) for feature in features]


def max_abs(scaler: Any, features: list[Feature]) -> list[Feature]:
    """`MaxAbsScaler`: x / scale."""
    if getattr(scaler, "clip", False):
        refuse(scaler, "clip is on")
    return _each(features, "divide", scaler.scale_)


def robust(scaler: Any, features: list[Feature]) -> list[Feature]:
    """`RobustScaler`: (x - centre) / scale."""
    if scaler.with_centering:
        features = _each(features, "subtract", scaler.center_)
    return _each(features, "divide", scaler.scale_) if scaler.with_scaling else features


def _each(features: list[Feature], kind: Any, values: Any) -> list[Feature]:
    numbers = np.asarray(values, dtype=np.float64).tolist()
    return [feature.then(Step(kind=kind, a=a)) for feature, a in zip(features, numbers, strict=True)]


def impute(imputer: Any, features: list[Feature]) -> list[Feature]:
    """`SimpleImputer`: a statistic instead of a missing value; indicators behind all."""
    if not (isinstance(imputer.missing_values, float) and np.isnan(imputer.missing_values)):
        refuse(imputer, "missing_values is not NaN")
    filled = [_filled(feature, value) for feature, value in zip(features, imputer.statistics_, strict=True)]
    kept: list[Feature] = [feature for feature in filled if feature is not None]
    if len(kept) < len(filled) and imputer.keep_empty_features:
        refuse(imputer, "a column was empty when it was fitted")
    if imputer.add_indicator:
        kept += [_indicator(features[i]) for i in imputer.indicator_.features_.tolist()]
    return kept


def _filled(feature: Feature, value: Any) -> Feature | None:
    if isinstance(value, str):
        if not isinstance(feature.block, Source) or feature.steps:
            refuse(feature.block, "a text is imputed into what is no plain column")
        return Feature(Source(feature.block.column, fill=str(value)))
    number = float(value)
    return None if np.isnan(number) else feature.then(Step(kind="impute", a=number))


def _indicator(feature: Feature) -> Feature:
    return feature.then(Step(kind="missing"))
