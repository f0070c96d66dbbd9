"""A compiled model: read from its folder, evaluated with numpy alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from airside.core.errors import Invalid, quoted
from airside.inference.compiled.blocks import Floats
from airside.inference.compiled.heads import Head
from airside.inference.compiled.linear import Linear
from airside.inference.compiled.masks import Masks
from airside.inference.compiled.nodes import Nodes
from airside.inference.compiled.spec import FORMAT, LinearSpec, MasksSpec, ModelSpec, SumSpec
from airside.inference.records import Prediction

Arrays = Mapping[str, npt.NDArray[Any]]
MODEL_FILE = "model.json"


class Evaluator:
    """Answers rows with plain arrays. Thread-safe; a row's answer does not depend on the other rows."""

    def __init__(self, spec: ModelSpec, arrays: Arrays) -> None:
        self.spec = spec
        self._names = spec.columns
        self._head = Head(spec.head)
        self._linear: Linear | None = None
        match spec.estimator:
            case LinearSpec():
                self._linear = Linear(spec.estimator, spec.blocks, arrays)
            case MasksSpec():
                self._trees: Masks | Nodes = Masks(spec.estimator, spec.blocks, arrays)
            case _:
                self._trees = Nodes(spec.estimator, spec.blocks, arrays)
        if spec.sum is not None:
            self._sum = _Sum(spec.sum, arrays)

    def predict(self, columns: Mapping[str, list[Any]]) -> Prediction:
        """The answers for rows given as equally long lists.

        Raises:
            Invalid: a column is missing, or a value is missing where the model was not made for it.
        """
        try:
            return self._predict(columns)
        except KeyError:
            missing = [name for name in self.spec.columns if name not in columns]
            raise Invalid(f"The model needs the columns {quoted(missing)}, which the rows do not have.") from None
        except TypeError as wrong:
            raise Invalid("A value of the rows is neither a number, a text nor null.", code="BAD_REQUEST") from wrong

    def _predict(self, columns: Mapping[str, list[Any]]) -> Prediction:
        rows = self._rows(columns)
        if self._linear is not None:
            if rows == 1:
                score = self._linear.one(columns)
                if score is not None:
                    return self._head.one(score)
            return self._head.many(self._linear.scores(columns, rows))
        values = self._trees.leaf_values(columns, rows)
        if rows == 1 and self._head.takes_one:
            return self._head.one(*self._sum.one(values))
        return self._head.many(self._sum.many(values))

    def _rows(self, columns: Mapping[str, list[Any]]) -> int:
        rows = len(columns[self._names[0]])
        for name in self._names:
            if len(columns[name]) != rows:
                raise Invalid(
                    f"The column {name[:200]!r} has {len(columns[name])} values, the first column has {rows}."
                )
        if rows == 0:
            raise Invalid("There are no rows. Send at least one.", code="BAD_REQUEST")
        return rows


class _Sum:
    """Adds the values of the leaves tree by tree: another order would change the last bits."""

    def __init__(self, spec: SumSpec, arrays: Arrays) -> None:
        self._initial = np.ascontiguousarray(arrays[spec.initial])
        self._start: list[float] = self._initial.tolist()
        self._scores = spec.scores
        self._mean = spec.mean

    def one(self, values: Floats) -> list[float]:
        """The scores of the only row: for so few numbers plain additions are faster than arrays."""
        scores: list[float] = []
        for score, each in zip(self._start, values.reshape(-1, self._scores).T.tolist(), strict=True):
            for value in each:
                score += value  # noqa: PLW2901 -- the running sum
            scores.append(score / len(each) if self._mean else score)
        return scores

    def many(self, values: Floats) -> Floats:
        rows, trees = values.shape[:2]
        steps = values.reshape(rows, -1, self._scores)  # leaves of one value belong to the classes in turn
        running = np.empty((rows, steps.shape[1] + 1, self._scores))
        running[:, 0] = self._initial
        running[:, 1:] = steps
        total: Floats = np.add.accumulate(running, axis=1)[:, -1]  # adds in order; `sum` would add pairwise
        return total / trees if self._mean else total


def read_spec(folder: Path) -> ModelSpec:
    """`model.json` of a folder.

    Raises:
        Invalid: it is not there, not readable, or of another format.
    """
    try:
        spec = msgspec.json.decode((folder / MODEL_FILE).read_bytes(), type=ModelSpec)
    except FileNotFoundError:
        raise Invalid("The folder holds no compiled model: model.json is missing.") from None
    except msgspec.DecodeError as wrong:
        raise Invalid(f"model.json of the compiled model cannot be read: {wrong}.") from None
    if spec.format != FORMAT:
        raise Invalid(f"The compiled model has format {spec.format}; this version reads {FORMAT}. Compile it again.")
    return spec


def read_arrays(folder: Path) -> dict[str, npt.NDArray[Any]]:
    """Every `.npy` of a folder by its name, mapped into memory, never unpickled.

    Raises:
        Invalid: a file is no plain array.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    for path in sorted(folder.glob("*.npy")):
        try:
            arrays[path.stem] = np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
        except (ValueError, OSError, EOFError):
            raise Invalid(f"The compiled model's file {path.name!r} is no plain array.") from None
    return arrays


def read_evaluator(folder: Path) -> Evaluator:
    """The evaluator of a compiled model's folder, not yet checked against its golden predictions.

    Raises:
        Invalid: the folder cannot be read as a compiled model.
    """
    spec = read_spec(folder)
    try:
        return Evaluator(spec, read_arrays(folder))
    except (KeyError, IndexError, ValueError, TypeError, OverflowError) as wrong:
        raise Invalid(f"The compiled model's arrays do not fit its model.json ({type(wrong).__name__}).") from None
