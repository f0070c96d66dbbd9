"""The nouns of the room: signatures, model directories, predictions, golden predictions."""

from typing import Any, Literal

import msgspec

from airside.core.column import ColumnType
from airside.core.ids import BlobId
from airside.core.record import Record

PredictMethod = Literal["predict", "predict_proba", "decision_function"]


class ColumnSpec(Record):
    """One named column of a signature. `name` is empty for the single column of a plain list."""

    type: ColumnType | Literal["any"]
    name: str = ""
    required: bool = True


class TensorSpec(Record):
    """One tensor of a signature; -1 is a free dimension."""

    dtype: str
    shape: tuple[int, ...]
    name: str = ""


class ParamSpec(Record):
    """One inference parameter with its default; `shape` is None for a scalar, else `(-1,)`."""

    name: str
    type: ColumnType
    default: Any = None
    shape: tuple[int, ...] | None = None


class Signature(Record):
    """What a model takes and gives. Columns and tensors are not mixed in one direction.

    >>> signature = Signature(inputs=(ColumnSpec(name="age", type="long"),))
    >>> signature.columns[0].name
    'age'
    """

    inputs: tuple[ColumnSpec, ...] | tuple[TensorSpec, ...] = ()
    outputs: tuple[ColumnSpec, ...] | tuple[TensorSpec, ...] = ()
    params: tuple[ParamSpec, ...] = ()

    @property
    def columns(self) -> tuple[ColumnSpec, ...]:
        """The named or single input columns; empty for a tensor signature."""
        return tuple(spec for spec in self.inputs if isinstance(spec, ColumnSpec))

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        """The input tensors; empty for a column signature."""
        return tuple(spec for spec in self.inputs if isinstance(spec, TensorSpec))


class MLmodel(Record):
    """The file `MLmodel` of a model directory, as far as the server reads it."""

    flavors: dict[str, dict[str, Any]]
    signature: Signature | None = None
    saved_input_example_info: dict[str, Any] | None = None
    model_uuid: str = ""
    utc_time_created: str = ""
    mlflow_version: str = ""
    run_id: str = ""
    model_id: str | None = None
    artifact_path: str = ""
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


class Prediction(Record):
    """The answer for some rows, in their order.

    Attributes:
        labels: the predicted class (or value of a regression) of each row.
        probabilities: for each row the probability of each of `classes`; None for a regression.
        scores: for each row the decision value(s) before they became a probability: one for a binary model, else one
            for each class; for a regression the labels.
        classes: the labels in the order of the probabilities; empty for a regression.
    """

    labels: list[Any]
    probabilities: list[list[float]] | None = None
    scores: list[Any] = msgspec.field(default_factory=list)
    classes: tuple[Any, ...] = ()


class ScoringRequest(Record):
    """A decoded scoring request: columns by name, checked and converted by the signature.

    Attributes:
        columns: name → the values of the rows; only columns of the signature, all of equal length.
        rows: how many.
        method: what the caller asked for (`params.predict_method`).
        params: the inference parameters, checked by the signature, defaults filled in.
    """

    columns: dict[str, list[Any]]
    rows: int
    method: PredictMethod = "predict"
    params: dict[str, Any] = msgspec.field(default_factory=dict)


class V2Output(Record):
    """One output that a V2 request asks for."""

    name: str
    binary: bool = False


class V2Request(Record):
    """A decoded Open Inference Protocol V2 request."""

    columns: dict[str, list[Any]]
    rows: int
    id: str = ""
    outputs: tuple[V2Output, ...] = ()
    binary_output: bool = False
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)


Agreement = Literal["bit-equal", "labels-equal", "refused"]


class Comparison(Record):
    """The verdict of compiled against original, on the golden rows.

    Attributes:
        agreement: `bit-equal`; `labels-equal` (linear models: scores within `bound`); or `refused`.
        rows: how many rows were compared, edge rows included.
        bound: the largest difference of scores that was allowed.
        difference: the largest difference of scores that was found.
        reason: why it was refused.
    """

    agreement: Agreement
    rows: int = 0
    bound: float = 0.0
    difference: float = 0.0
    reason: str = ""


class Golden(Record):
    """Golden predictions: rows, the answers of the compiled model, the comparison with the original.

    Attributes:
        columns: the rows, column by column; what JSON cannot say is written as `{"$": "nan"}`.
        labels, probabilities, scores: the expected answers.
        batch_sizes: at which the answers were found to be the same.
        versions: the libraries that fitted and compiled the model.
        files: digests of the compiled form's files.
    """

    columns: dict[str, list[Any]]
    labels: list[Any]
    scores: list[Any]
    probabilities: list[list[float]] | None = None
    batch_sizes: tuple[int, ...] = (1, 2, 64, 1000)
    versions: dict[str, str] = msgspec.field(default_factory=dict)
    files: dict[str, BlobId] = msgspec.field(default_factory=dict)
    comparison: Comparison = Comparison(agreement="refused", reason="not compared")
