"""Whatever answers rows: a compiled model, an original in its worker."""

from typing import Any, Protocol, runtime_checkable

from airside.inference.records import Prediction, Signature


@runtime_checkable
class Predictor(Protocol):
    """Answers rows given as columns. Thread-safe.

    A row's answer does not depend on the other rows (compiled), or does in its last bits (original).
    """

    @property
    def signature(self) -> Signature:
        """What it takes and gives."""

    @property
    def form(self) -> str:
        """`compiled` or `original`."""

    def predict(self, columns: dict[str, list[Any]]) -> Prediction:
        """The answers for rows given as equally long lists by column name.

        Args:
            columns: at least the required columns of the signature; others are ignored.

        Raises:
            Invalid: a column is missing or a value is of another kind; the text names row, column, expected, got.
        """
