"""Trees of every library in one form."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from airside.inference.compiled.blocks import Floats


@dataclass(frozen=True, eq=False)
class Tree:
    """One tree.

    Attributes:
        feature: (nodes,), -1 in a leaf.
        threshold: (nodes,), left if `value <= threshold`.
        left, right: (nodes,).
        missing_left: (nodes,), whether a missing value goes left.
        left_sets: node → (256,) whether a code goes left, for categorical nodes.
        values: (nodes, n_values).
    """

    feature: npt.NDArray[np.intp]
    threshold: Floats
    left: npt.NDArray[np.intp]
    right: npt.NDArray[np.intp]
    missing_left: npt.NDArray[np.bool_]
    left_sets: dict[int, npt.NDArray[np.bool_]]
    values: Floats


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trees and how their leaves become scores."""

    trees: list[Tree]
    initial: Floats
    mean: bool
    takes_missing: bool
