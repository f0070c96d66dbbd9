"""Four candidates of different kinds, from the simplest that is worth beating to the strongest.

Each takes the table's features as one matrix of float64, shape (n_rows, n_features), in the order of the columns.
"""

from typing import Any

import numpy as np

BASELINE = "tree"
KINDS = [BASELINE, "logistic", "forest", "boosting"]
SEED = 7


def fitted(kind: str, x: "np.ndarray[Any, Any]", y: "np.ndarray[Any, Any]", codes: list[int]) -> Any:
    """A candidate of a kind, fitted.

    Args:
        kind: one of `KINDS`.
        x: features, shape (n_rows, n_features).
        y: labels 0 and 1, shape (n_rows,).
        codes: the indices of the features that are codes, not quantities.
    """
    # Imported here, so that drawing the pipeline costs nobody the memory of scikit-learn.
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415
    from sklearn.preprocessing import OneHotEncoder, SplineTransformer  # noqa: PLC0415
    from sklearn.tree import DecisionTreeClassifier  # noqa: PLC0415

    numbers = [index for index in range(x.shape[1]) if index not in codes]
    made: dict[str, Any] = {
        "tree": DecisionTreeClassifier(max_depth=3, random_state=SEED),
        "logistic": Pipeline(
            [
                (
                    "columns",
                    ColumnTransformer(
                        [
                            ("codes", OneHotEncoder(handle_unknown="ignore", sparse_output=False), codes),
                            ("numbers", SplineTransformer(n_knots=6, degree=3), numbers),
                        ]
                    ),
                ),
                ("model", LogisticRegression(max_iter=500, C=1.0)),
            ]
        ),
        "forest": RandomForestClassifier(n_estimators=60, min_samples_leaf=20, random_state=SEED, n_jobs=1),
        "boosting": HistGradientBoostingClassifier(max_iter=150, categorical_features=codes, random_state=SEED),
    }
    return made[kind].fit(x, y)
