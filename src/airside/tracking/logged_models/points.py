"""Points of metrics that belong to a logged model: `runs.log_metric` and `runs.log_batch` hand them over."""

from collections.abc import Iterable

from airside.core.errors import NotFound
from airside.core.ids import RunId
from airside.core.operation import Context
from airside.tracking.logged_models import queries, rules
from airside.tracking.logged_models.records import ModelMetric
from airside.tracking.records import LoggedMetric
from airside.tracking.rules import stored_value


def keep(ctx: Context, run_id: RunId, points: Iterable[LoggedMetric]) -> None:
    """Keep those points, checked before, that name a logged model.

    Raises:
        NotFound: one names a model that is not there.
    """
    named = []
    for metric in points:
        if not metric.model_id:
            continue
        value, is_nan = stored_value(metric.value)
        named.append(
            ModelMetric(
                key=metric.key,
                value=None if is_nan else value,
                timestamp_ms=metric.timestamp_ms,
                step=metric.step,
                model_id=metric.model_id,
                dataset_name=metric.dataset_name,
                dataset_digest=metric.dataset_digest,
                run_id=run_id,
            )
        )
    if not named:
        return
    missing = queries.missing_ids(ctx.tx, (point.model_id for point in named))
    if missing:
        raise NotFound(rules.not_found(missing[0]))
    queries.put_points(ctx.tx, named)
