"""What a run logs: points of metrics with the latest beside them, parameters, tags, inputs and outputs."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from airside.core.operation import Context, Transaction
from airside.tracking.queries import series
from airside.tracking.queries.keys import key_of, keys_of, known_key
from airside.tracking.queries.rows import certain
from airside.tracking.queries.series import RunNumbers
from airside.tracking.records import DatasetInput, ModelOutput, Param, Tag
from airside.tracking.rules import Point

_PARAM = (
    "INSERT INTO run_param (run_no, key_no, experiment_no, value) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (run_no, key_no) DO NOTHING"
)
_PARAM_VALUE = "SELECT value FROM run_param WHERE run_no = ? AND key_no = ?"
_TAG = (
    "INSERT INTO run_tag (run_no, key_no, experiment_no, value) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (run_no, key_no) DO UPDATE SET value = excluded.value"
)
_TAG_VALUE = "SELECT value FROM run_tag WHERE run_no = ? AND key_no = ?"
_DROP_TAG = "DELETE FROM run_tag WHERE run_no = ? AND key_no = ?"
_DATASET = (
    "INSERT INTO input_dataset (experiment_no, name, digest, source_type, source, schema_text, profile_text) "
    "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (experiment_no, name, digest) DO NOTHING"
)
_DATASET_NUMBER = "SELECT id FROM input_dataset WHERE experiment_no = ? AND name = ? AND digest = ?"
_DATASET_INPUT = (
    "INSERT INTO dataset_input (run_no, dataset_no, context, tags) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (run_no, dataset_no) DO NOTHING"
)
_MODEL_INPUT = "INSERT INTO model_input (run_no, model_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
_MODEL_OUTPUT = (
    "INSERT INTO model_output (run_no, model_id, step) VALUES (?, ?, ?) "
    "ON CONFLICT (run_no, model_id) DO UPDATE SET step = excluded.step"
)


def add_points(ctx: Context, run: RunNumbers, by_name: Mapping[str, Sequence[Point]]) -> None:
    """Append points of some metrics, in any order; the latest of each moves forward."""
    keys = keys_of(ctx, by_name)
    series.add(ctx.tx, run, {keys[name]: points for name, points in by_name.items()})


def add_point(ctx: Context, run: RunNumbers, name: str, point: Point) -> None:
    """Append one point of a metric."""
    series.add_one(ctx.tx, run, key_of(ctx, name), point)


def add_param(ctx: Context, run: RunNumbers, param: Param) -> str | None:
    """Write a parameter once; the value that it has already, if that is another."""
    key = key_of(ctx, param.key)
    if ctx.tx.run(_PARAM, (run[0], key, run[1], param.value)):
        return None
    row = ctx.tx.one(_PARAM_VALUE, (run[0], key))
    return None if row is None or row[0] == param.value else str(row[0])


def set_tags(ctx: Context, run: RunNumbers, tags: Sequence[Tag]) -> None:
    """Set tags."""
    keys = keys_of(ctx, (tag.key for tag in tags))
    rows = [(run[0], keys[tag.key], run[1], tag.value) for tag in tags]
    if len(rows) == 1:
        ctx.tx.run(_TAG, rows[0])
    elif rows:
        ctx.tx.many(_TAG, rows)


def tag_value(ctx: Context, number: int, key: str) -> str | None:
    """The value of a tag, None when the run has none of that key."""
    known = known_key(ctx, key)
    row = None if known is None else ctx.tx.one(_TAG_VALUE, (number, known))
    return str(row[0]) if row else None


def drop_tag(ctx: Context, number: int, key: str) -> bool:
    """Remove a tag; False when the run has none of that key."""
    known = known_key(ctx, key)
    return known is not None and ctx.tx.run(_DROP_TAG, (number, known)) > 0


def add_dataset_inputs(tx: Transaction, run: RunNumbers, inputs: Iterable[DatasetInput], context_tag: str) -> None:
    """Note the datasets that a run read; what is known of a dataset or of the pair stays as it is."""
    for given in inputs:
        data = given.dataset
        identity = (run[1], data.name, data.digest)
        tx.run(_DATASET, (*identity, data.source_type, data.source, data.schema, data.profile))
        row = certain(tx.one(_DATASET_NUMBER, identity))
        context = next((tag.value for tag in given.tags if tag.key == context_tag), None)
        tx.run(_DATASET_INPUT, (run[0], row[0], context, msgspec.json.encode(given.tags).decode()))


def add_model_inputs(tx: Transaction, number: int, model_ids: Iterable[str]) -> None:
    """Note the logged models that a run read."""
    for model_id in model_ids:
        tx.run(_MODEL_INPUT, (number, model_id))


def set_model_outputs(tx: Transaction, number: int, outputs: Iterable[ModelOutput]) -> None:
    """Note the logged models that a run made; of the same model the last step counts."""
    for output in outputs:
        tx.run(_MODEL_OUTPUT, (number, output.model_id, output.step))
