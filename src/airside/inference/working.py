"""The worker process itself: `python -m airside.inference.working FOLDER PARENT`. Loads the original and answers."""

import ctypes
import os
import pickle
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from airside.core.errors import Invalid
from airside.inference.model_dir.mlmodel import read_mlmodel
from airside.inference.original import Original
from airside.inference.records import MLmodel, Prediction
from airside.inference.rules import input_names
from airside.inference.worker import LENGTH, Answer

_PR_SET_PDEATHSIG = 1
_PICKLES = {"pickle", "cloudpickle"}


class Frames:
    """An MLflow python_function: rows in as a frame, its `predict` out."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, columns: dict[str, list[Any]]) -> Prediction:
        """The labels; a python_function tells neither probabilities nor classes."""
        import pandas as pd  # noqa: PLC0415 -- MLflow brings it

        found = self.model.predict(pd.DataFrame(columns))
        labels = np.asarray(found).ravel().tolist()
        return Prediction(labels=labels, scores=labels)


def original_of(folder: Path) -> Original | Frames:
    """The original of a model directory. This runs whatever code the directory holds.

    Raises:
        Invalid: nothing here can load it.
    """
    described = read_mlmodel((folder / "MLmodel").read_bytes())
    flavor = described.flavors.get("sklearn", {})
    path = (folder / str(flavor.get("pickled_model", ""))).resolve()
    if flavor.get("serialization_format") in _PICKLES and path.is_relative_to(folder.resolve()):
        with path.open("rb") as file:
            model = pickle.load(file)  # noqa: S301 -- the operator allowed it, the digest was verified
        return Original(model, _columns(model, described))
    try:
        import mlflow.pyfunc  # noqa: PLC0415 -- optional, for flavors of others
    except ModuleNotFoundError:
        raise Invalid("Loading this flavor needs MLflow. Install it with: pip install 'airside[mlflow]'") from None
    return Frames(mlflow.pyfunc.load_model(str(folder)))


def _columns(model: Any, described: MLmodel) -> tuple[str, ...]:
    fitted = getattr(model, "feature_names_in_", None)
    if fitted is not None:
        return tuple(str(name) for name in fitted)
    if described.signature is None:
        raise Invalid("The model directory has no signature, so the order of its columns is not known.")
    return input_names(described.signature)


def answer(model: Original | Frames, request: bytes) -> Answer:
    """The answer to one request; whatever the model raises becomes one."""
    try:
        return Answer(prediction=model.predict(msgspec.msgpack.decode(request)))
    except Invalid as refused:
        return Answer(refused=refused.message)
    except Exception as failed:  # noqa: BLE001 -- the edge: foreign code may raise anything
        traceback.print_exc()
        return Answer(failed=type(failed).__name__)


def serve(model: Original | Frames, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer frames until the pipe ends."""
    while len(head := requests.read(LENGTH)) == LENGTH:
        found = msgspec.msgpack.encode(answer(model, requests.read(int.from_bytes(head, "little"))))
        answers.write(len(found).to_bytes(LENGTH, "little") + found)
        answers.flush()


def die_with(parent: int) -> None:
    """End when the parent ends, however it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def main() -> None:
    """The process."""
    folder, parent = sys.argv[1:]
    die_with(int(parent))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the model prints must not get between the frames
    serve(original_of(Path(folder)), sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
