"""SQL of the search of logged models, composed of what a filter asks."""

from collections.abc import Iterator, Sequence

from airside.core.ids import LoggedModelId
from airside.core.operation import Dialect, Transaction
from airside.core.record import Record
from airside.core.search import Comparison
from airside.store.sql.conditions import Condition, both, compared
from airside.tracking.logged_models.records import DatasetFilter, ModelOrder

_COLUMNS = {
    "name": "m.name",
    "model_id": "m.model_id",
    "model_type": "m.model_type",
    "status": "m.status",
    "source_run_id": "m.source_run_id",
    "experiment_id": "CAST(m.experiment_no AS TEXT)",
    "creation_timestamp": "m.created_ms",
    "last_updated_timestamp": "m.updated_ms",
}
_ORDERED = {
    **_COLUMNS,
    "status": "CASE m.status WHEN 'PENDING' THEN 1 WHEN 'READY' THEN 2 WHEN 'FAILED' THEN 3 ELSE 0 END",
    "experiment_id": "m.experiment_no",
}
_PAIRS = {"param": "logged_model_param", "tag": "logged_model_tag"}
_NEWEST = "ORDER BY p.step DESC, p.time_ms DESC, p.value DESC LIMIT 1"


class Wanted(Record):
    """What a search asks. `orders` name an attribute, or `metrics.K`."""

    experiments: tuple[int, ...]
    comparisons: tuple[Comparison, ...]
    datasets: tuple[DatasetFilter, ...]
    orders: tuple[ModelOrder, ...]
    offset: int
    limit: int


def model_ids(tx: Transaction, wanted: Wanted) -> tuple[LoggedModelId, ...]:
    """The ids of the models that match, in order."""
    where, args = both(_conditions(wanted, tx.dialect))
    order, order_args = _order(wanted)
    rows = tx.all(
        f"SELECT m.model_id FROM logged_model m WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",
        (*args, *order_args, wanted.limit, wanted.offset),
    )
    return tuple(model_id for (model_id,) in rows)


def _conditions(wanted: Wanted, dialect: Dialect) -> Iterator[Condition]:
    yield f"m.experiment_no IN ({', '.join('?' * len(wanted.experiments))})", wanted.experiments
    yield "m.is_deleted = ?", (False,)
    metrics = [each for each in wanted.comparisons if each.entity == "metric"]
    for each in wanted.comparisons:
        if each.entity == "attribute":
            yield compared(_COLUMNS[each.key], each.operator, each.value, dialect)
        elif each.entity in _PAIRS:
            sql, values = compared("p.value", each.operator, each.value, dialect)
            table = _PAIRS[each.entity]
            yield (
                f"EXISTS (SELECT 1 FROM {table} p WHERE p.model_id = m.model_id AND p.key = ? AND {sql})",
                (
                    each.key,
                    *values,
                ),
            )
    for each in metrics:
        yield _latest(each, wanted.datasets, dialect)
    if wanted.datasets and not metrics:
        sql, values = _measured_on(wanted.datasets)
        yield f"EXISTS (SELECT 1 FROM logged_model_metric p WHERE p.model_id = m.model_id AND {sql})", values


def _latest(each: Comparison, datasets: Sequence[DatasetFilter], dialect: Dialect) -> Condition:
    """That the latest point of a metric, on the datasets if there are any, compares so. NaN matches only `!=`."""
    measured, measured_args = _measured_on(datasets)
    sql, values = compared("l.value", each.operator, each.value, dialect)
    finite = "(l.is_nan = ? OR " if each.operator == "!=" else "(l.is_nan = ? AND "
    latest = f"p.model_id = m.model_id AND p.key = ? AND {measured} {_NEWEST}"
    exists = f"EXISTS (SELECT 1 FROM (SELECT p.value, p.is_nan FROM logged_model_metric p WHERE {latest}) l "
    return f"{exists}WHERE {finite}{sql}))", (each.key, *measured_args, each.operator == "!=", *values)


def _measured_on(datasets: Sequence[DatasetFilter]) -> Condition:
    """That a point was measured on one of the datasets; without any, it may be any point."""
    parts, args = [], []
    for dataset in datasets:
        parts.append("p.dataset_name = ? AND p.dataset_digest = ?" if dataset.dataset_digest else "p.dataset_name = ?")
        args += [dataset.dataset_name, dataset.dataset_digest] if dataset.dataset_digest else [dataset.dataset_name]
    return (f"({' OR '.join(parts)})", tuple(args)) if parts else ("1 = 1", ())


def _order(wanted: Wanted) -> Condition:
    """The order: what is missing last in both directions, then the newest, then the id."""
    parts: list[str] = []
    args: list[object] = []
    for order in wanted.orders:
        way = "ASC" if order.ascending else "DESC"
        key = order.field_name.removeprefix("metrics.")
        if key == order.field_name:
            parts.append(f"{_ORDERED[key]} {way}")
            continue
        on = DatasetFilter(dataset_name=order.dataset_name, dataset_digest=order.dataset_digest)
        measured, measured_args = _measured_on((on,) if order.dataset_name else ())
        value = (
            "(SELECT CASE WHEN p.is_nan THEN NULL ELSE p.value END FROM logged_model_metric p "
            f"WHERE p.model_id = m.model_id AND p.key = ? AND {measured} {_NEWEST})"
        )
        parts.append(f"{value} {way} NULLS LAST")
        args += [key, *measured_args]
    return ", ".join([*parts, "m.created_ms DESC", "m.model_id ASC"]), tuple(args)
