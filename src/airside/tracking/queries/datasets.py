"""The datasets that runs used."""

from collections.abc import Sequence

from airside.core.ids import ExperimentId
from airside.core.operation import Transaction
from airside.tracking.records import DatasetSummary

_SUMMARIES = (
    "SELECT DISTINCT d.name, d.digest, i.context FROM input_dataset d JOIN dataset_input i ON i.dataset_no = d.id "
    "JOIN run r ON r.id = i.run_no WHERE d.experiment_no = ? AND r.is_deleted = ? ORDER BY 1, 2, 3 LIMIT 1000"
)


def summaries(tx: Transaction, experiments: Sequence[int]) -> tuple[DatasetSummary, ...]:
    """The datasets that active runs of some experiments used, and for what."""
    return tuple(
        DatasetSummary(experiment_id=ExperimentId(str(number)), name=name, digest=digest, context=context)
        for number in experiments
        for name, digest, context in tx.all(_SUMMARIES, (number, False))
    )
