"""A scikit-learn model as an MLflow model directory with its compiled form; the only place that pickles."""

import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from airside.core.errors import Invalid
from airside.inference.compiled.compilers.table import NotCompiled, compile_model
from airside.inference.golden import COMPILED_FOLDER, make_golden, write_golden
from airside.inference.model_dir.environment import environment_files, mlflow_version, versions
from airside.inference.model_dir.mlmodel import write_mlmodel
from airside.inference.model_dir.signature import infer_columns
from airside.inference.original import Original
from airside.inference.records import Comparison, MLmodel, Prediction, Signature

MODEL_PICKLE = "model.pkl"
PACKAGES = ("scikit-learn", "numpy", "scipy", "cloudpickle", "pandas")
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a model directory is made of.

    Attributes:
        model: a fitted scikit-learn estimator or pipeline.
        rows: the input example and, behind it, rows sampled from the training data, column by column, in the order of
            columns in which the model was fitted.
        signature: inferred from the rows and the model's answers when None.
        model_id, run_id, artifact_path: of the logged model; null in the file when empty.
        extra_files: path below the directory → bytes.
        metadata: kept in `MLmodel` under `metadata`.
    """

    model: Any
    rows: dict[str, list[Any]]
    signature: Signature | None = None
    model_id: str = ""
    run_id: str = ""
    artifact_path: str = ""
    created_at: datetime
    extra_files: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Written:
    """A written model directory."""

    signature: Signature
    comparison: Comparison


def write_directory(folder: Path, draft: Draft) -> Written:
    """Write the directory: MLflow's files, the compiled form and its golden predictions.

    What cannot be compiled, or is not equal on the golden rows, has no compiled form; the comparison says why.

    Raises:
        Invalid: cloudpickle is not installed, the model was not fitted, or an extra file's path leaves the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _extra(folder, draft.extra_files)
    original = Original(_pickled(folder, draft.model), tuple(draft.rows))
    answer = original.predict(draft.rows)
    signature = draft.signature or infer_signature(draft.rows, answer)
    comparison = _compile(folder, draft, original)
    _describe(folder, draft, signature, comparison)
    return Written(signature=signature, comparison=comparison)


def infer_signature(rows: dict[str, list[Any]], answer: Prediction) -> Signature:
    """Columns of rows, and the predicted label.

    >>> infer_signature({"age": [1, 2]}, Prediction(labels=[0, 1])).outputs
    (ColumnSpec(type='long', name='', required=True),)
    """
    (label,) = infer_columns({"": answer.labels})
    return Signature(inputs=infer_columns(rows), outputs=(label,))


def _pickled(folder: Path, model: Any) -> Any:
    """Write the pickle; give back what it loads as, so that the caller's own model stays as it is."""
    try:
        import cloudpickle  # noqa: PLC0415 -- optional, only whoever logs a model needs it
    except ModuleNotFoundError:
        raise Invalid("Logging a model needs cloudpickle. Install it with: pip install 'airside[sklearn]'") from None
    text: bytes = cloudpickle.dumps(model)
    (folder / MODEL_PICKLE).write_bytes(text)
    return cloudpickle.loads(text)


def _compile(folder: Path, draft: Draft, original: Original) -> Comparison:
    try:
        compiled = compile_model(original.model, tuple(draft.rows))
    except NotCompiled as reason:
        return Comparison(agreement="refused", reason=reason.message)
    golden = make_golden(compiled, original, draft.rows, versions(PACKAGES))
    if golden.comparison.agreement != "refused":
        compiled.write(folder / COMPILED_FOLDER)
        write_golden(folder, golden)
    return golden.comparison


def _describe(folder: Path, draft: Draft, signature: Signature, comparison: Comparison) -> None:
    packages = versions(PACKAGES)
    for name, text in environment_files(packages).items():
        (folder / name).write_text(text)
    names = list(draft.rows)
    shown = [list(row) for row in zip(*(values[:_SHOWN] for values in draft.rows.values()), strict=True)]
    example = {"columns": names, "data": shown}
    (folder / "input_example.json").write_bytes(msgspec.json.encode(example))
    (folder / "serving_input_example.json").write_bytes(msgspec.json.encode({"dataframe_split": example}))
    (folder / "MLmodel").write_bytes(
        write_mlmodel(
            MLmodel(
                flavors=_flavors(packages),
                signature=signature,
                saved_input_example_info={
                    "artifact_path": "input_example.json",
                    "type": "dataframe",
                    "pandas_orient": "split",
                    "serving_input_path": "serving_input_example.json",
                },
                model_uuid=draft.model_id.removeprefix("m-"),
                utc_time_created=draft.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
                mlflow_version=mlflow_version(),
                run_id=draft.run_id,
                model_id=draft.model_id or None,
                artifact_path=draft.artifact_path,
                metadata=draft.metadata | {"airside": {"compiled": comparison.agreement, "reason": comparison.reason}},
            )
        )
    )


def _flavors(packages: dict[str, str]) -> dict[str, dict[str, Any]]:
    python = {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}
    return {
        "python_function": {
            "loader_module": "mlflow.sklearn",
            "model_path": MODEL_PICKLE,
            "predict_fn": "predict",
            "python_version": platform.python_version(),
            "env": python,
        },
        "sklearn": {
            "pickled_model": MODEL_PICKLE,
            "serialization_format": "cloudpickle",
            "sklearn_version": packages.get("scikit-learn", ""),
            "code": None,
        },
    }


def _extra(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        target = (folder / name).resolve()
        if not target.is_relative_to(folder.resolve()):
            raise Invalid(f"The extra file {name[:200]!r} would lie outside the model directory.")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
