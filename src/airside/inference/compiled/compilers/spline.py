"""`SplineTransformer`."""

from typing import Any

import numpy as np

from airside.inference.compiled.compilers.features import Feature, Source, Spline, refuse


def spline(transformer: Any, features: list[Feature]) -> list[Feature]:
    """The B-spline basis of each feature, constant beyond the outer knots."""
    if transformer.extrapolation != "constant":
        refuse(transformer, f"extrapolation is {transformer.extrapolation!r}, only 'constant' is compiled")
    if getattr(transformer, "handle_missing", "error") != "error":
        refuse(transformer, "missing values are handled by it")
    found: list[Feature] = []
    for feature, curve in zip(features, transformer.bsplines_, strict=True):
        outputs = curve.c.shape[1]
        if not isinstance(feature.block, Source) or not np.array_equal(curve.c, np.eye(outputs)):
            refuse(transformer, "it takes what is no plain number")
        block = Spline(feature.block.column, feature.steps, np.asarray(curve.t, np.float64), int(curve.k), outputs)
        found += [Feature(block, output) for output in range(outputs if transformer.include_bias else outputs - 1)]
    return found
