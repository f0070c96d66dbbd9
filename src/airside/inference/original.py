"""A scikit-learn model run by scikit-learn: the reference of the compiled form, and what a model worker runs."""

import math
from typing import Any

import numpy as np

from airside.core.errors import Invalid
from airside.inference.compiled.heads import as_label
from airside.inference.records import Prediction


class Original:
    """Answers rows with the fitted estimator itself. Not thread-safe; last bits may depend on the batch."""

    def __init__(self, model: Any, columns: tuple[str, ...]) -> None:
        """`columns`: the input columns in the order in which the model was fitted."""
        self.model = model
        self._columns = columns
        _single_threaded(model)

    def predict(self, columns: dict[str, list[Any]]) -> Prediction:
        """The answers.

        Raises:
            Invalid: the model refuses the rows; the text is the kind of its error, not the rows.
        """
        try:
            return self._predict(self._matrix(columns))
        except (ValueError, TypeError) as refused:
            raise Invalid(f"The model refuses the rows ({type(refused).__name__}).", code="BAD_REQUEST") from refused

    def _predict(self, x: Any) -> Prediction:
        labels = [as_label(label) for label in np.asarray(self.model.predict(x)).tolist()]
        classes = getattr(self.model, "classes_", None)
        if classes is None or not hasattr(self.model, "predict_proba"):
            return Prediction(labels=labels, scores=labels)
        probabilities = self.model.predict_proba(x).tolist()
        decide = getattr(self.model, "decision_function", None)
        return Prediction(
            labels=labels,
            probabilities=probabilities,
            scores=probabilities if decide is None else decide(x).tolist(),
            classes=tuple(as_label(label) for label in classes.tolist()),
        )

    def _matrix(self, columns: dict[str, list[Any]]) -> Any:
        given = {name: columns[name] for name in self._columns}
        if hasattr(self.model, "feature_names_in_"):
            return _frame(given)
        rows = list(zip(*given.values(), strict=True))
        if any(isinstance(value, str) for row in rows for value in row):
            return np.array([[math.nan if v is None else v for v in row] for row in rows], dtype=object)
        return np.array([[math.nan if v is None else float(v) for v in row] for row in rows])


def _frame(columns: dict[str, list[Any]]) -> Any:
    import pandas as pd  # noqa: PLC0415 -- only a model that was fitted on frames needs it, and then it is there

    return pd.DataFrame(columns)


def _single_threaded(model: Any) -> None:
    """A forest's threads add in the order in which they finish, so its last bits would not be stable."""
    names = [name for name in model.get_params(deep=True) if name.split("__")[-1] == "n_jobs"]
    model.set_params(**dict.fromkeys(names, 1))
    for member in getattr(model, "steps", ()):
        if hasattr(member[1], "n_jobs"):
            member[1].n_jobs = 1
