"""SQL of evaluation datasets and scorers."""

from collections.abc import Iterable, Sequence

import msgspec

from airside.core.errors import Invalid
from airside.core.ids import ExperimentId
from airside.core.operation import Context, Row, Transaction
from airside.core.search import (
    Comparison,
    Order,
    PageToken,
    check_orders,
    parse_filter,
    parse_order,
    read_token,
    write_token,
)
from airside.store.sql.conditions import compared, placeholders
from airside.tracking.evaluation.records import (
    EvaluationDataset,
    EvaluationDatasetPage,
    EvaluationRecord,
    EvaluationRecordPage,
    RecordSource,
    ScorerVersion,
)
from airside.tracking.evaluation.rules import DATASETS, input_hash
from airside.tracking.queries.matching import Condition, Term, after, ordered, selected
from airside.tracking.queries.run_search import check_max_results, digest
from airside.tracking.records import Tag

MAX_SEARCH = 50_000
COLUMNS = (
    "d.dataset_id, d.name, d.digest, d.schema_text, d.record_count, d.created_by, d.updated_by, d.created_ms, "
    "d.updated_ms"
)
FIELDS = {
    "name": "d.name",
    "created_by": "d.created_by",
    "last_updated_by": "d.updated_by",
    "created_time": "d.created_ms",
    "last_update_time": "d.updated_ms",
}
RECORD_COLUMNS = (
    "record_id, dataset_id, inputs, outputs, expectations, tags, source, created_by, updated_by, created_ms, updated_ms"
)
_N_COLUMNS = 9
_encode = msgspec.json.Encoder().encode


def _json(value: object) -> str | None:
    return None if value is None else _encode(value).decode()


# --- datasets ------------------------------------------------------------------------------------------------------


def add(tx: Transaction, made: EvaluationDataset) -> None:
    """Write a new dataset with its tags and experiments."""
    tx.run(
        "INSERT INTO evaluation_dataset (dataset_id, name, digest, schema_text, record_count, created_by, updated_by, "
        "created_ms, updated_ms) VALUES (?, ?, ?, NULL, NULL, ?, ?, ?, ?)",
        (made.dataset_id, made.name, made.digest, made.created_by, made.updated_by, made.created_ms, made.updated_ms),
    )
    set_tags(tx, made.dataset_id, made.tags)
    add_experiments(tx, made.dataset_id, [int(each) for each in made.experiment_ids])


def one(tx: Transaction, dataset_id: str) -> EvaluationDataset | None:
    """A dataset without its experiments."""
    row = tx.one(f"SELECT {COLUMNS} FROM evaluation_dataset d WHERE d.dataset_id = ?", (dataset_id,))
    return _dataset(tx, row) if row else None


def whole(tx: Transaction, dataset_id: str) -> EvaluationDataset | None:
    """A dataset with its experiments."""
    found = one(tx, dataset_id)
    return found and msgspec.structs.replace(found, experiment_ids=experiments(tx, dataset_id))


def _dataset(tx: Transaction, row: Row) -> EvaluationDataset:
    tags = tx.all("SELECT key, value FROM evaluation_dataset_tag WHERE dataset_id = ? ORDER BY key", (row[0],))
    return EvaluationDataset(
        dataset_id=row[0],
        name=row[1],
        digest=row[2],
        fields=None if row[3] is None else msgspec.json.decode(row[3]),
        n_records=row[4],
        created_by=row[5],
        updated_by=row[6],
        created_ms=row[7],
        updated_ms=row[8],
        tags=tuple(Tag(key=key, value=value) for key, value in tags),
    )


def update(tx: Transaction, changed: EvaluationDataset) -> None:
    """Write a changed dataset."""
    tx.run(
        "UPDATE evaluation_dataset SET digest = ?, schema_text = ?, record_count = ?, updated_by = ?, updated_ms = ? "
        "WHERE dataset_id = ?",
        (
            changed.digest,
            _json(changed.fields),
            changed.n_records,
            changed.updated_by,
            changed.updated_ms,
            changed.dataset_id,
        ),
    )


def delete(tx: Transaction, dataset_id: str) -> None:
    """Delete a dataset with all that belongs to it."""
    for table in (
        "evaluation_record",
        "evaluation_dataset_tag",
        "evaluation_dataset_experiment",
        "evaluation_dataset",
    ):
        tx.run(f"DELETE FROM {table} WHERE dataset_id = ?", (dataset_id,))


def set_tags(tx: Transaction, dataset_id: str, tags: Iterable[Tag]) -> None:
    """Set some tags."""
    tx.many(
        "INSERT INTO evaluation_dataset_tag (dataset_id, key, value) VALUES (?, ?, ?) "
        "ON CONFLICT (dataset_id, key) DO UPDATE SET value = excluded.value",
        [(dataset_id, tag.key, tag.value) for tag in tags],
    )


def drop_tag(tx: Transaction, dataset_id: str, key: str) -> None:
    """Remove a tag."""
    tx.run("DELETE FROM evaluation_dataset_tag WHERE dataset_id = ? AND key = ?", (dataset_id, key))


def experiments(tx: Transaction, dataset_id: str) -> tuple[ExperimentId, ...]:
    """The experiments of a dataset, in the order in which they were added."""
    rows = tx.all(
        "SELECT experiment_no FROM evaluation_dataset_experiment WHERE dataset_id = ? ORDER BY id", (dataset_id,)
    )
    return tuple(ExperimentId(str(number)) for (number,) in rows)


def add_experiments(tx: Transaction, dataset_id: str, numbers: Sequence[int]) -> None:
    """Add a dataset to experiments; twice is once."""
    tx.many(
        "INSERT INTO evaluation_dataset_experiment (dataset_id, experiment_no) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(dataset_id, number) for number in numbers],
    )


def remove_experiments(tx: Transaction, dataset_id: str, numbers: Sequence[int]) -> int:
    """Remove a dataset from experiments; from how many."""
    return sum(
        tx.run(
            "DELETE FROM evaluation_dataset_experiment WHERE dataset_id = ? AND experiment_no = ?",
            (dataset_id, number),
        )
        for number in numbers
    )


def page(
    ctx: Context, numbers: tuple[int, ...], filter_text: str, order_by: tuple[str, ...], window: tuple[int, str]
) -> EvaluationDatasetPage:
    """A page of the datasets that match; of some experiments, or of any when none is named."""
    check_max_results(window[0], MAX_SEARCH)
    where = [_condition(ctx, each) for each in parse_filter(filter_text, DATASETS)]
    check_orders(order_by)
    terms = _terms([parse_order(text, DATASETS) for text in order_by])
    token = read_token(window[1], digest(filter_text, order_by))
    if token.after and len(token.after) != 2 * len(terms):
        raise Invalid("Invalid page token: it belongs to a search with another order. Start again without it.")
    if numbers:
        marks = placeholders(len(numbers))
        within = "SELECT 1 FROM evaluation_dataset_experiment e WHERE e.dataset_id = d.dataset_id AND e.experiment_no"
        where.append((f"EXISTS ({within} IN ({marks}))", numbers))
    where += [after(terms, token.after)] if token.after else []
    rows = ctx.tx.all(
        f"SELECT {COLUMNS}, {selected(terms)} FROM evaluation_dataset d "
        f"WHERE {' AND '.join(['1 = 1', *(sql for sql, _ in where)])} ORDER BY {ordered(terms)} LIMIT ? OFFSET ?",
        [*(value for _, values in where for value in values), window[0] + 1, token.offset],
    )
    shown = rows[: window[0]]
    following = ""
    if len(rows) > len(shown):
        following = write_token(PageToken(after=shown[-1][_N_COLUMNS:], of=digest(filter_text, order_by)))
    return EvaluationDatasetPage(items=tuple(_dataset(ctx.tx, row) for row in shown), next_page_token=following)


def _terms(orders: list[Order]) -> list[Term]:
    for order in orders:
        if order.entity != "attribute":
            raise Invalid(f"Invalid order_by entity: {order.entity}")
    distinct = {order.key: order.is_ascending for order in reversed(orders)}
    keys = dict.fromkeys(order.key for order in orders)
    terms = [Term(FIELDS[key], is_ascending=distinct[key]) for key in keys]
    return [*(terms or [Term("d.created_ms", is_ascending=False)]), Term("d.dataset_id", is_ascending=False)]


def _condition(ctx: Context, each: Comparison) -> Condition:
    if each.entity == "attribute":
        return compared(FIELDS[each.key], each.operator, each.value, ctx.tx.dialect)
    text, values = compared("t.value", each.operator, each.value, ctx.tx.dialect)
    probe = f"SELECT 1 FROM evaluation_dataset_tag t WHERE t.dataset_id = d.dataset_id AND t.key = ? AND {text}"
    return f"EXISTS ({probe})", [each.key, *values]


# --- records -------------------------------------------------------------------------------------------------------


def record_of(tx: Transaction, dataset_id: str, inputs_hash: str) -> EvaluationRecord | None:
    """The record of some inputs."""
    row = tx.one(
        f"SELECT {RECORD_COLUMNS} FROM evaluation_record WHERE dataset_id = ? AND input_hash = ?",
        (dataset_id, inputs_hash),
    )
    return _record(row) if row else None


def put_record(tx: Transaction, record: EvaluationRecord) -> None:
    """Write a record, new or changed."""
    tx.run(
        f"INSERT INTO evaluation_record ({RECORD_COLUMNS}, input_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (record_id) DO UPDATE SET outputs = excluded.outputs, expectations = excluded.expectations, "
        "tags = excluded.tags, updated_by = excluded.updated_by, updated_ms = excluded.updated_ms",
        (
            record.record_id,
            record.dataset_id,
            _json(record.inputs),
            _json(record.outputs),
            _json(record.expectations),
            _json(record.tags),
            _json(record.source),
            record.created_by,
            record.updated_by,
            record.created_ms,
            record.updated_ms,
            input_hash(record.inputs),
        ),
    )


def _record(row: Row) -> EvaluationRecord:
    return EvaluationRecord(
        record_id=row[0],
        dataset_id=row[1],
        inputs=msgspec.json.decode(row[2]),
        outputs=None if row[3] is None else msgspec.json.decode(row[3]),
        expectations=None if row[4] is None else msgspec.json.decode(row[4]),
        tags=msgspec.json.decode(row[5]),
        source=None if row[6] is None else msgspec.json.decode(row[6], type=RecordSource),
        created_by=row[7],
        updated_by=row[8],
        created_ms=row[9],
        updated_ms=row[10],
    )


def count_records(tx: Transaction, dataset_id: str) -> int:
    """How many records a dataset has."""
    row = tx.one("SELECT COUNT(*) FROM evaluation_record WHERE dataset_id = ?", (dataset_id,))
    return int(row[0]) if row else 0


def records(tx: Transaction, dataset_id: str, max_results: int, page_token: str) -> EvaluationRecordPage:
    """A page of records, oldest first."""
    token = read_token(page_token, dataset_id)
    rows = tx.all(
        f"SELECT {RECORD_COLUMNS}, id FROM evaluation_record WHERE dataset_id = ? AND id > ? "
        "ORDER BY id LIMIT ? OFFSET ?",
        [dataset_id, token.after[0] if token.after else 0, max_results + 1, token.offset],
    )
    shown = rows[:max_results]
    following = write_token(PageToken(after=(shown[-1][-1],), of=dataset_id)) if len(rows) > max_results else ""
    return EvaluationRecordPage(items=tuple(_record(row) for row in shown), next_page_token=following)


def delete_records(tx: Transaction, dataset_id: str, record_ids: Iterable[str]) -> int:
    """Delete records; how many were there."""
    return sum(
        tx.run("DELETE FROM evaluation_record WHERE dataset_id = ? AND record_id = ?", (dataset_id, record_id))
        for record_id in record_ids
    )


# --- scorers -------------------------------------------------------------------------------------------------------

_VERSIONS = (
    "SELECT s.scorer_id, s.experiment_no, s.name, v.version, v.serialized, v.created_ms "
    "FROM scorer s JOIN scorer_version v ON v.scorer_id = s.scorer_id"
)
_NEWEST = "v.version = (SELECT MAX(w.version) FROM scorer_version w WHERE w.scorer_id = s.scorer_id)"


def scorer_id(tx: Transaction, experiment_no: int, name: str) -> str | None:
    """The id of a scorer."""
    row = tx.one("SELECT scorer_id FROM scorer WHERE experiment_no = ? AND name = ?", (experiment_no, name))
    return str(row[0]) if row else None


def add_scorer(tx: Transaction, new_id: str, experiment_no: int, name: str) -> None:
    """Write a new scorer, without a version."""
    tx.run("INSERT INTO scorer (scorer_id, experiment_no, name) VALUES (?, ?, ?)", (new_id, experiment_no, name))


def add_scorer_version(tx: Transaction, known_id: str, serialized: str, now_ms: int) -> None:
    """Write the next version of a scorer."""
    tx.run(
        "INSERT INTO scorer_version (scorer_id, version, serialized, created_ms) "
        "SELECT ?, COALESCE(MAX(version), 0) + 1, ?, ? FROM scorer_version WHERE scorer_id = ?",
        (known_id, serialized, now_ms, known_id),
    )


def put_scorer_version(tx: Transaction, known_id: str, given: ScorerVersion) -> None:
    """Write a version of a scorer under its own number."""
    tx.run(
        "INSERT INTO scorer_version (scorer_id, version, serialized, created_ms) VALUES (?, ?, ?, ?)",
        (known_id, given.version, given.serialized, given.created_ms),
    )


def scorer(tx: Transaction, known_id: str, version: int | None) -> ScorerVersion | None:
    """A version of a scorer; the newest when none is named."""
    which, values = (_NEWEST, []) if version is None else ("v.version = ?", [version])
    row = tx.one(f"{_VERSIONS} WHERE s.scorer_id = ? AND {which}", (known_id, *values))
    return _version(row) if row else None


def scorer_versions(tx: Transaction, known_id: str) -> tuple[ScorerVersion, ...]:
    """Every version of a scorer, oldest first."""
    return tuple(_version(row) for row in tx.all(f"{_VERSIONS} WHERE s.scorer_id = ? ORDER BY v.version", (known_id,)))


def newest_scorers(tx: Transaction, numbers: Sequence[int] | None) -> tuple[ScorerVersion, ...]:
    """The newest version of each scorer of some active experiments, or of all active ones."""
    where = "" if numbers is None else f" AND s.experiment_no IN ({', '.join('?' * len(numbers))})"
    rows = tx.all(
        f"{_VERSIONS} JOIN experiment e ON e.id = s.experiment_no WHERE e.is_deleted = ? AND {_NEWEST}{where} "
        "ORDER BY s.experiment_no, s.name LIMIT 10000",
        (False, *(numbers or ())),
    )
    return tuple(_version(row) for row in rows)


def delete_scorer(tx: Transaction, known_id: str, version: int | None) -> bool:
    """Delete a version, or the scorer with all of them; False when there is no such version."""
    if version is not None:
        return tx.run("DELETE FROM scorer_version WHERE scorer_id = ? AND version = ?", (known_id, version)) > 0
    tx.run("DELETE FROM scorer_version WHERE scorer_id = ?", (known_id,))
    return tx.run("DELETE FROM scorer WHERE scorer_id = ?", (known_id,)) > 0


def _version(row: Row) -> ScorerVersion:
    return ScorerVersion(
        scorer_id=row[0],
        experiment_id=ExperimentId(str(row[1])),
        name=row[2],
        version=row[3],
        serialized=row[4],
        created_ms=row[5],
    )
