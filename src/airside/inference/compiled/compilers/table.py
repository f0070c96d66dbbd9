"""Which estimators are compiled, and by what."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from airside.core.plugin import load
from airside.inference.compiled.compilers.composition import transformed
from airside.inference.compiled.compilers.features import Arrays, Feature, NotCompiled, Source, refuse
from airside.inference.compiled.model import MODEL_FILE
from airside.inference.compiled.spec import ModelSpec

_HERE = "airside.inference.compiled.compilers"

ESTIMATORS = {
    "DecisionTreeClassifier": f"{_HERE}.trees:decision_tree",
    "DecisionTreeRegressor": f"{_HERE}.trees:decision_tree",
    "ElasticNet": f"{_HERE}.linear:regression",
    "ElasticNetCV": f"{_HERE}.linear:regression",
    "ExtraTreeClassifier": f"{_HERE}.trees:decision_tree",
    "ExtraTreeRegressor": f"{_HERE}.trees:decision_tree",
    "ExtraTreesClassifier": f"{_HERE}.trees:forest",
    "ExtraTreesRegressor": f"{_HERE}.trees:forest",
    "GradientBoostingClassifier": f"{_HERE}.trees:gradient_boosting",
    "GradientBoostingRegressor": f"{_HERE}.trees:gradient_boosting",
    "HistGradientBoostingClassifier": f"{_HERE}.histogram:histogram_boosting",
    "HistGradientBoostingRegressor": f"{_HERE}.histogram:histogram_boosting",
    "Lasso": f"{_HERE}.linear:regression",
    "LassoCV": f"{_HERE}.linear:regression",
    "LinearRegression": f"{_HERE}.linear:regression",
    "LogisticRegression": f"{_HERE}.linear:logistic",
    "LogisticRegressionCV": f"{_HERE}.linear:logistic",
    "RandomForestClassifier": f"{_HERE}.trees:forest",
    "RandomForestRegressor": f"{_HERE}.trees:forest",
    "Ridge": f"{_HERE}.linear:regression",
    "RidgeCV": f"{_HERE}.linear:regression",
}
"""Class of scikit-learn → what compiles it, `(estimator, features, arrays) -> ModelSpec`."""


@dataclass(frozen=True, eq=False)
class Compiled:
    """A compiled model in memory: its description and its arrays."""

    spec: ModelSpec
    arrays: dict[str, npt.NDArray[Any]]

    def write(self, folder: Path) -> None:
        """As a folder of `.npy` files and `model.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in self.arrays.items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        (folder / MODEL_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(self.spec), indent=1))


def compile_model(model: Any, columns: tuple[str, ...]) -> Compiled:
    """A fitted estimator, or a pipeline that ends in one, as plain arrays.

    Args:
        model: fitted.
        columns: the names of its input columns, in the order in which it was fitted.

    Raises:
        NotCompiled: something in it is not in the tables, with the reason.
    """
    features = [Feature(Source(name)) for name in columns]
    estimator = model
    while type(estimator).__name__ == "Pipeline":
        for _, step in estimator.steps[:-1]:
            features = transformed(step, features)
        estimator = estimator.steps[-1][1]
    path = ESTIMATORS.get(type(estimator).__name__)
    if path is None or not type(estimator).__module__.startswith("sklearn."):
        refuse(estimator, "there is no compiler for it")
    arrays = Arrays()
    try:
        spec: ModelSpec = load(path)(estimator, features, arrays)
    except AttributeError as unfitted:
        raise NotCompiled(f"{type(estimator).__name__} is not compiled: {unfitted}. Was it fitted?") from unfitted
    return Compiled(spec, arrays.by_name)


__all__ = ["ESTIMATORS", "Compiled", "NotCompiled", "compile_model"]
