"""The records of evaluation datasets."""

import msgspec

from airside.core.errors import Invalid
from airside.core.operation import AnyOperation, Context, operation
from airside.core.paging import page_size
from airside.core.record import Ask
from airside.tracking.evaluation import queries, rules
from airside.tracking.evaluation.operations.datasets import get
from airside.tracking.evaluation.records import (
    DeletedRecords,
    EvaluationRecord,
    EvaluationRecordPage,
    NewEvaluationRecord,
    UpsertedRecords,
)

MAX_PAGE = 10_000


class UpsertEvaluationRecords(Ask[UpsertedRecords]):
    """Records to be kept; one with the inputs of another is merged into it."""

    dataset_id: str
    records: tuple[NewEvaluationRecord, ...]


@operation("evaluation_datasets.upsert_records", needs="evaluation:write")
def upsert_evaluation_records(ctx: Context, ask: UpsertEvaluationRecords) -> UpsertedRecords:
    """Add records, or add to those that have the same inputs.

    Raises:
        NotFound: there is no such dataset.
        Invalid: there are too many records.
    """
    dataset = get(ctx, ask.dataset_id)
    rules.check_records(ask.records)
    now_ms = ctx.now_ms()
    n_inserted = 0
    for given in ask.records:
        before = queries.record_of(ctx.tx, ask.dataset_id, rules.input_hash(given.inputs))
        n_inserted += before is None
        queries.put_record(
            ctx.tx, _new(ctx, ask.dataset_id, given) if before is None else rules.merged(before, given, now_ms)
        )
    users = [user for given in ask.records if (user := rules.user_of(given.tags))]
    changed = msgspec.structs.replace(
        dataset,
        digest=rules.digest_of(dataset.name, now_ms),
        fields=rules.fields_after(dataset.fields, ask.records) if ask.records else dataset.fields,
        n_records=queries.count_records(ctx.tx, ask.dataset_id) or dataset.n_records,
        updated_by=users[-1] if users else None,
        updated_ms=now_ms,
    )
    queries.update(ctx.tx, changed)
    return UpsertedRecords(n_inserted=n_inserted, n_updated=len(ask.records) - n_inserted)


def _new(ctx: Context, dataset_id: str, given: NewEvaluationRecord) -> EvaluationRecord:
    now_ms, user = ctx.now_ms(), rules.user_of(given.tags)
    return EvaluationRecord(
        record_id=ctx.new_id("evaluation_record"),
        dataset_id=dataset_id,
        inputs=given.inputs,
        outputs=given.outputs if given.has_outputs or given.outputs is not None else {},
        expectations=given.expectations,
        tags=given.tags,
        source=given.source,
        created_ms=now_ms,
        updated_ms=now_ms,
        created_by=user,
        updated_by=user,
    )


class ListEvaluationRecords(Ask[EvaluationRecordPage]):
    """Ask for the records of an evaluation dataset, oldest first."""

    dataset_id: str
    max_results: int = 1000
    page_token: str = ""


@operation("evaluation_datasets.records", needs="evaluation:read")
def list_evaluation_records(ctx: Context, ask: ListEvaluationRecords) -> EvaluationRecordPage:
    """The records of an evaluation dataset, a page at a time.

    Raises:
        NotFound: there is no such dataset.
        Invalid: the page token cannot be read, or the page is too large.
    """
    size = page_size(ask.max_results, MAX_PAGE)
    get(ctx, ask.dataset_id)
    return queries.records(ctx.tx, ask.dataset_id, size, ask.page_token)


class DeleteEvaluationRecords(Ask[DeletedRecords]):
    """Ask to delete records of an evaluation dataset."""

    dataset_id: str
    record_ids: tuple[str, ...]


@operation("evaluation_datasets.delete_records", needs="evaluation:write")
def delete_evaluation_records(ctx: Context, ask: DeleteEvaluationRecords) -> DeletedRecords:
    """Delete records; those that are not there count as none.

    Raises:
        Invalid: there are too many.
    """
    if len(ask.record_ids) > rules.MAX_RECORDS:
        raise Invalid(f"At most {rules.MAX_RECORDS} records can be deleted at once, got {len(ask.record_ids)}.")
    n_deleted = queries.delete_records(ctx.tx, ask.dataset_id, ask.record_ids)
    dataset = queries.one(ctx.tx, ask.dataset_id)
    if dataset is not None and n_deleted:
        left = queries.count_records(ctx.tx, ask.dataset_id)
        queries.update(ctx.tx, msgspec.structs.replace(dataset, n_records=left or None))
    return DeletedRecords(n_deleted=n_deleted)


OPERATIONS: tuple[AnyOperation, ...] = (
    upsert_evaluation_records,
    list_evaluation_records,
    delete_evaluation_records,
)
