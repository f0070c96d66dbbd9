"""Golden predictions: the rows on which a compiled model was compared with its original, and its answers to them.

They are computed again at every load; any difference refuses the compiled form.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from airside.core.errors import AirsideError, Invalid
from airside.core.ids import BlobId
from airside.inference.compiled.compilers.table import Compiled
from airside.inference.compiled.linear import Linear
from airside.inference.compiled.model import Evaluator, read_evaluator
from airside.inference.compiled.spec import LinearSpec, LookupSpec, MasksSpec, NumberSpec
from airside.inference.model_dir.digests import digests, verify
from airside.inference.model_dir.mlmodel import read_mlmodel
from airside.inference.predictor import Predictor
from airside.inference.records import Comparison, Golden, Prediction, Signature

GOLDEN_FILE = "airside/golden.json"
COMPILED_FOLDER = "airside/compiled"
BATCH_SIZES = (1, 2, 64, 1000)
MAX_EDGES = 64
_EPSILON = float(np.finfo(np.float64).eps)
_ULPS = 4
"""Allowed in probabilities: they pass through the C library's `exp`, which may differ by machine. Scores may not."""

Columns = dict[str, list[Any]]


def edge_rows(spec: Any, arrays: Mapping[str, Any], rows: Columns) -> Iterator[Columns]:
    """Rows like the first one, each with one column on an edge: missing, unknown, on a threshold and beside it.

    Args:
        spec: the compiled model's description.
        arrays: its arrays.
        rows: at least one row.
    """
    base = {name: values[0] for name, values in rows.items()}
    for at, block in enumerate(spec.blocks):
        for value in (None, math.nan, *_edges_of(spec, arrays, at, block)):
            yield {name: [value if name == block.column else kept] for name, kept in base.items()}


def _edges_of(spec: Any, arrays: Mapping[str, Any], at: int, block: Any) -> list[Any]:
    match block:
        case LookupSpec(keys=keys):
            numbers = [key for key in keys if not isinstance(key, str)]
            return [max(numbers, default=0) + 1 if len(numbers) == len(keys) else "no such level"]
        case NumberSpec(steps=()) if isinstance(spec.estimator, MasksSpec):
            thresholds = arrays[spec.estimator.thresholds[at]]
            chosen = thresholds[:: max(1, len(thresholds) // 3)][:3]
            return [float(near) for t in chosen for near in (np.nextafter(t, -np.inf), t, np.nextafter(t, np.inf))]
        case _:
            return [-1e6, 0.0, 1e6]


def make_golden(compiled: Compiled, original: Predictor | Any, rows: Columns, versions: dict[str, str]) -> Golden:
    """Compare a compiled model with its original, and keep the rows with the answers.

    Args:
        compiled: the compiled model.
        original: answers the same rows (`inference.original.Original`).
        rows: the input example and rows sampled from the training data; the edge rows are made from them.
        versions: the libraries that fitted and compiled it.
    """
    evaluator = Evaluator(compiled.spec, compiled.arrays)
    kept, reason = _with_edges(evaluator, compiled, original, rows)
    answer, wanted = evaluator.predict(kept), original.predict(kept)
    comparison = _compared(compiled, kept, answer, wanted) if not reason else _refused(reason)
    if comparison.agreement != "refused" and not _same_in_batches(evaluator, kept, answer):
        comparison = _refused("a row's answer depends on the rows beside it")
    return Golden(
        columns={name: [_written(value) for value in values] for name, values in kept.items()},
        labels=answer.labels,
        scores=answer.scores,
        probabilities=answer.probabilities,
        batch_sizes=BATCH_SIZES,
        versions=versions,
        comparison=comparison,
    )


def _refused(reason: str) -> Comparison:
    return Comparison(agreement="refused", reason=reason)


def _with_edges(evaluator: Evaluator, compiled: Compiled, original: Any, rows: Columns) -> tuple[Columns, str]:
    """The rows with those edge rows that both forms answer; a reason where only one refuses a missing value."""
    edges = list(itertools.islice(edge_rows(compiled.spec, compiled.arrays, rows), MAX_EDGES))
    ours, theirs = _accepted(evaluator, edges), _accepted(original, edges)
    for i in ours - theirs:
        if any(value is None or value != value for (value,) in edges[i].values()):  # noqa: PLR0124 -- NaN
            return rows, "the original refuses a missing value that the compiled form answers"
    if theirs - ours:
        return rows, "the compiled form refuses a row that the original answers"
    return _joined([rows, *(edges[i] for i in sorted(ours & theirs))]), ""


def _joined(parts: list[Columns]) -> Columns:
    return {name: [value for part in parts for value in part[name]] for name in parts[0]}


def _accepted(form: Any, edges: list[Columns], start: int = 0) -> set[int]:
    """Which rows a form answers. A batch that it refuses is halved: one row costs an original some milliseconds."""
    try:
        if edges:
            form.predict(_joined(edges))
    except AirsideError:
        if len(edges) == 1:
            return set()
        half = len(edges) // 2
        return _accepted(form, edges[:half], start) | _accepted(form, edges[half:], start + half)
    return set(range(start, start + len(edges)))


def _compared(compiled: Compiled, rows: Columns, answer: Prediction, wanted: Prediction) -> Comparison:
    count = len(answer.labels)
    difference = _difference(answer.scores, wanted.scores)
    if answer.labels != wanted.labels:
        return Comparison(agreement="refused", rows=count, difference=difference, reason="labels differ")
    same_probabilities = answer.probabilities == wanted.probabilities
    if difference == 0 and same_probabilities:
        return Comparison(agreement="bit-equal", rows=count)
    bounds = _bounds(compiled, rows, count)
    if difference == 0:
        return Comparison(agreement="labels-equal", rows=count, bound=_ULPS * _EPSILON)
    gaps = np.abs(np.array(answer.scores, float) - np.array(wanted.scores, float)).reshape(count, -1)
    if (gaps > bounds).any():
        return Comparison(
            agreement="refused", rows=count, bound=float(bounds.max()), difference=difference, reason="scores differ"
        )
    return Comparison(agreement="labels-equal", rows=count, bound=float(bounds.max()), difference=difference)


def _bounds(compiled: Compiled, rows: Columns, count: int) -> Any:
    """4 ε Σ|xᵢwᵢ| for a linear model, whose sum may run in another order; 0 for all others."""
    spec = compiled.spec
    if not isinstance(spec.estimator, LinearSpec):
        return np.zeros((count, 1))
    of_sum = {spec.estimator.intercept, *spec.estimator.weights}
    arrays = {name: np.abs(array) if name in of_sum else array for name, array in compiled.arrays.items()}
    return 4 * _EPSILON * Linear(spec.estimator, spec.blocks, arrays).magnitudes(rows, count)


def _difference(left: list[Any], right: list[Any]) -> float:
    return float(np.abs(np.array(left, float) - np.array(right, float)).max(initial=0.0)) if left != right else 0.0


def _same_in_batches(evaluator: Evaluator, rows: Columns, answer: Prediction) -> bool:
    count = len(answer.labels)
    for size in BATCH_SIZES:
        for start in range(0, count, size) if size > 1 else range(min(count, 32)):
            index = [(start + i) % count for i in range(size)]
            found = evaluator.predict({name: [values[i] for i in index] for name, values in rows.items()})
            if found != _picked(answer, index):
                return False
    return True


def _picked(answer: Prediction, index: list[int]) -> Prediction:
    return Prediction(
        labels=[answer.labels[i] for i in index],
        probabilities=None if answer.probabilities is None else [answer.probabilities[i] for i in index],
        scores=[answer.scores[i] for i in index],
        classes=answer.classes,
    )


def _written(value: Any) -> Any:
    """A value that JSON can say; NaN is not `null` here, as the two may be different categories."""
    return {"$": "nan"} if isinstance(value, float) and math.isnan(value) else value


def _read(value: Any) -> Any:
    return math.nan if isinstance(value, dict) else value


def check_golden(evaluator: Evaluator, golden: Golden) -> None:
    """Compute the golden predictions again.

    Raises:
        Invalid: a label, score or probability is another one than when the model was compiled.
    """
    if golden.comparison.agreement == "refused":
        raise Invalid(f"The compiled form was refused when it was made: {golden.comparison.reason}.")
    rows = {name: [_read(value) for value in values] for name, values in golden.columns.items()}
    found = evaluator.predict(rows)
    for name, is_same in (
        ("labels", found.labels == golden.labels),
        ("scores", found.scores == golden.scores),
        ("probabilities", _close(found.probabilities, golden.probabilities)),
    ):
        if not is_same:
            raise Invalid(f"The compiled model gives other {name} for its golden rows than when it was made; refused.")
    for i in range(min(8, len(found.labels))):
        alone = evaluator.predict({column: [values[i]] for column, values in rows.items()})
        if alone.scores[0] != found.scores[i]:
            raise Invalid("The compiled model answers a golden row differently alone and in a batch; refused.")


def _close(found: list[list[float]] | None, wanted: list[list[float]] | None) -> bool:
    if found is None or wanted is None:
        return found is wanted
    left, right = np.array(found), np.array(wanted)
    return left.shape == right.shape and bool(np.allclose(left, right, rtol=_ULPS * _EPSILON, atol=1e-300))


class CompiledModel:
    """A compiled model whose golden predictions held. Thread-safe; a row's answer does not depend on its neighbours."""

    form = "compiled"

    def __init__(self, evaluator: Evaluator, signature: Signature, golden: Golden) -> None:
        self._evaluator = evaluator
        self.signature = signature
        self.golden = golden
        self.predict = evaluator.predict
        """`(columns) -> Prediction`."""

    @property
    def classes(self) -> tuple[Any, ...]:
        """The labels in the order of the probabilities; empty for a regression."""
        return self._evaluator.spec.head.classes


def load_compiled(folder: Path, *, files: Mapping[str, BlobId] | None = None) -> CompiledModel:
    """The compiled form of a model directory.

    Args:
        folder: the model directory (with `MLmodel` and `airside/`).
        files: path → digest, as registered; those below `airside/` and `MLmodel` are verified.

    Raises:
        Invalid: there is no compiled form, a file was changed, or a golden prediction differs.
    """
    if not (folder / COMPILED_FOLDER).is_dir():
        raise Invalid("The model directory has no compiled form. Serve the original, or compile it with log_model.")
    if files is not None:
        verify(folder, {name: b for name, b in files.items() if name == "MLmodel" or name.startswith("airside/")})
    golden = read_golden(folder)
    verify(folder / COMPILED_FOLDER, golden.files)
    evaluator = read_evaluator(folder / COMPILED_FOLDER)
    try:
        check_golden(evaluator, golden)
    except (IndexError, ValueError, TypeError, FloatingPointError) as broken:
        raise Invalid(f"The compiled model fails on its golden rows ({type(broken).__name__}); refused.") from None
    described = read_mlmodel((folder / "MLmodel").read_bytes())
    return CompiledModel(evaluator, described.signature or Signature(), golden)


def read_golden(folder: Path) -> Golden:
    """The golden predictions of a model directory.

    Raises:
        Invalid: there are none, or they cannot be read.
    """
    try:
        return msgspec.json.decode((folder / GOLDEN_FILE).read_bytes(), type=Golden)
    except FileNotFoundError:
        raise Invalid("The model directory has no golden predictions; its compiled form is not used.") from None
    except msgspec.DecodeError as wrong:
        raise Invalid(f"The golden predictions cannot be read: {wrong}.") from None


def write_golden(folder: Path, golden: Golden) -> Golden:
    """Write them into a model directory, with the digests of the compiled files."""
    done = msgspec.structs.replace(golden, files=digests(folder / COMPILED_FOLDER))
    (folder / GOLDEN_FILE).write_bytes(msgspec.json.encode(done))
    return done
