"""`MLmodel` files: MLflow's are read, hostile ones refused, ours loaded by MLflow."""

import contextlib
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.inference.making import as_rows, table

from airside.core.errors import Invalid
from airside.inference.model_dir.mlmodel import read_mlmodel, safe_yaml, write_mlmodel
from airside.inference.model_dir.signature import infer_columns, parse_signature, signature_texts
from airside.inference.records import ColumnSpec, MLmodel, ParamSpec, Signature, TensorSpec

OF_MLFLOW = b"""\
artifact_path: mlflow-artifacts:/1/models/m-1/artifacts
flavors:
  python_function:
    loader_module: mlflow.sklearn
    model_path: model.pkl
  sklearn: {pickled_model: model.pkl, serialization_format: cloudpickle}
is_signature_from_type_hint: false
model_id: m-1
model_uuid: abc
signature:
  inputs: '[{"type": "double", "name": "x", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
  params: null
utc_time_created: 2026-01-02 03:04:05.678
something_new: [1]
"""


def test_mlflows_file_is_read() -> None:
    found = read_mlmodel(OF_MLFLOW)

    assert found.signature == Signature(
        inputs=(ColumnSpec(name="x", type="double"),), outputs=(TensorSpec(dtype="int64", shape=(-1,)),)
    )
    assert (found.model_id, found.flavors["sklearn"]["pickled_model"]) == ("m-1", "model.pkl")
    assert found.utc_time_created.startswith("2026-01-02 03:04:05")


LAUGHS = b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (98 + i, 98 + i, 97 + i, 97 + i) for i in range(20))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS, "alias"),
        (b"a: &a [*a]", "alias"),
        (b"!!python/object/apply:os.system ['true']", "cannot be read"),
        (b"flavors: !!python/name:os.system", "cannot be read"),
        (b"[" * 5000, "deeper"),
        (b"- 1\n" * 60_000, "too large"),
        (b"a: " + b"x" * 2**20, "at most"),
        (b"a: 'open", "cannot be read"),
        (b"\x00\xff", "cannot be read"),
        (b"flavors: []", "names no flavors"),
        (b"", "names no flavors"),
        (b"flavors: {sklearn: 3}", "map of settings"),
        (b"flavors: {a: {}}\nsignature: {inputs: 'oh'}", "no JSON list"),
        (b'flavors: {a: {}}\nsignature: {inputs: \'[{"type": "tensor"}]\'}', "tensor-spec"),
        (b'flavors: {a: {}}\nsignature: {params: \'[{"name": "p", "type": "no"}]\'}', "cannot be read"),
    ],
)
def test_a_hostile_or_broken_file_is_refused(text: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        read_mlmodel(text)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_refused(text: bytes) -> None:
    with contextlib.suppress(Invalid):
        safe_yaml(text)


COLUMN = st.builds(
    ColumnSpec, name=st.text(min_size=1, max_size=9), type=st.sampled_from(["long", "double"]), required=st.booleans()
)


@given(st.lists(COLUMN, max_size=4), st.booleans())
def test_a_signature_survives_its_texts(columns: list[ColumnSpec], has_tensor: bool) -> None:
    outputs: Any = (TensorSpec(dtype="float64", shape=(-1, 2), name="y"),) if has_tensor else ()
    listed = ParamSpec(name="of", type="double", default=[1.5], shape=(-1,))
    params = (ParamSpec(name="top", type="long", default=3), listed)
    signature = Signature(inputs=tuple(columns), outputs=outputs, params=params)

    assert parse_signature(signature_texts(signature)) == signature


def test_a_written_file_is_read_as_it_was() -> None:
    model = MLmodel(
        flavors={"python_function": {"loader_module": "mlflow.sklearn"}},
        signature=Signature(inputs=(ColumnSpec(name="x", type="long"),)),
        model_id="m-1",
        run_id="r",
        metadata={"airside": {"compiled": "bit-equal"}},
        utc_time_created="2026-01-02 03:04:05.678000",
    )

    assert read_mlmodel(write_mlmodel(model)) == model


def test_a_signature_is_inferred_as_mlflow_does() -> None:
    columns = infer_columns({"a": [1, 2], "b": [1, None], "c": ["x", None], "d": [True, False], "e": [1, 0.5]})

    assert [(c.type, c.required) for c in columns] == [
        ("long", True),
        ("double", False),
        ("string", False),
        ("boolean", True),
        ("double", True),
    ]


def test_mlflow_loads_what_we_write(model_folder: Path, logistic: Any) -> None:
    mlflow = pytest.importorskip("mlflow")
    pandas = pytest.importorskip("pandas")
    x, _ = table(20, 7)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about names that the model was not fitted with
        loaded = mlflow.pyfunc.load_model(str(model_folder))
        found = loaded.predict(pandas.DataFrame(as_rows(x)))

    assert list(found) == logistic.predict(x).tolist()
    assert loaded.metadata.signature.inputs.input_names() == ["age", "code", "pay"]
