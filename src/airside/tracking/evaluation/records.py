"""The nouns of evaluation."""

from typing import Any, Literal

from airside.core.ids import ExperimentId
from airside.core.record import Record
from airside.tracking.records import Tag

SourceType = Literal["UNSPECIFIED", "TRACE", "HUMAN", "DOCUMENT", "CODE"]


class EvaluationDataset(Record):
    """A named set of inputs with what is expected of them; names need not be unique.

    Attributes:
        digest: another one after each change.
        fields: the kinds of the fields of inputs, outputs and expectations; None before the first record.
        n_records: None before the first record.
        experiment_ids: in the order in which they were added.
    """

    dataset_id: str
    name: str
    digest: str
    created_ms: int
    updated_ms: int
    created_by: str | None = None
    updated_by: str | None = None
    fields: dict[str, Any] | None = None
    n_records: int | None = None
    tags: tuple[Tag, ...] = ()
    experiment_ids: tuple[ExperimentId, ...] = ()


class EvaluationDatasetPage(Record):
    """A page of evaluation datasets."""

    items: tuple[EvaluationDataset, ...]
    next_page_token: str = ""


class RecordSource(Record):
    """Where a record of an evaluation dataset comes from."""

    source_type: SourceType = "UNSPECIFIED"
    source_data: dict[str, Any] = {}


class NewEvaluationRecord(Record):
    """A record as it is given.

    Attributes:
        outputs: left out, it stays as it is; None takes it away.
        has_outputs: whether outputs are given.
    """

    inputs: dict[str, Any]
    outputs: Any = None
    has_outputs: bool = False
    expectations: dict[str, Any] | None = None
    tags: dict[str, str] = {}
    source: RecordSource | None = None


class EvaluationRecord(Record):
    """One input of an evaluation dataset, with what is expected."""

    record_id: str
    dataset_id: str
    inputs: dict[str, Any]
    outputs: Any = None
    expectations: dict[str, Any] | None = None
    tags: dict[str, str] = {}
    source: RecordSource | None = None
    created_ms: int
    updated_ms: int
    created_by: str | None = None
    updated_by: str | None = None


class EvaluationRecordPage(Record):
    """A page of records, oldest first."""

    items: tuple[EvaluationRecord, ...]
    next_page_token: str = ""


class UpsertedRecords(Record):
    """How many records were new, and how many were there already."""

    n_inserted: int
    n_updated: int


class DeletedRecords(Record):
    """How many records were deleted."""

    n_deleted: int


class ExperimentIds(Record):
    """Some experiments."""

    items: tuple[ExperimentId, ...]


class ScorerVersion(Record):
    """A version of a scorer: a judge of traces, as the text that its maker's library reads."""

    scorer_id: str
    experiment_id: ExperimentId
    name: str
    version: int
    serialized: str
    created_ms: int


class ScorerVersions(Record):
    """Some versions of scorers."""

    items: tuple[ScorerVersion, ...]
