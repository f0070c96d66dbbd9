"""Runs by their parameters and results at a glance: parallel coordinates."""

from collections.abc import Sequence

from airside.core.record import Record
from airside.server.web.drawing.parallel import Parallel, Value, parallel
from airside.tracking.records import Run

MAX_PARAMS, MAX_METRICS = 7, 3
SYSTEM = "system/"


class Spread(Record):
    """A drawing of runs, their names by id, and how many columns were left out."""

    drawing: Parallel
    names: dict[str, str]
    n_hidden: int = 0


def metric_names(runs: Sequence[Run]) -> tuple[str, ...]:
    """The metrics that can be the last axis, at most a hundred."""
    return tuple(sorted({one.key for run in runs for one in run.metrics if not one.key.startswith(SYSTEM)})[:100])


def spread(runs: Sequence[Run], last: str = "") -> Spread | None:
    """The runs as lines over what differs between them; None where nothing does.

    Args:
        runs: at least two.
        last: the metric of the last axis, by which the lines are coloured; the commonest one where it is none.
    """
    params = _differing([{one.key: _value(one.value) for one in run.params} for run in runs])
    metrics = _differing(
        [{one.key: one.value for one in run.metrics if not one.key.startswith(SYSTEM)} for run in runs]
    )
    names = [*sorted(params, key=lambda name: _order(params, name))[:MAX_PARAMS]]
    results = sorted(metrics, key=lambda name: (name != last, *_order(metrics, name)))[:MAX_METRICS][::-1]
    if len(runs) < 2 or len(names) + len(results) < 2:
        return None
    rows: dict[str, list[Value]] = {
        run.info.run_id: [*(params[name][i] for name in names), *(metrics[name][i] for name in results)]
        for i, run in enumerate(runs)
    }
    hidden = len(params) + len(metrics) - len(names) - len(results)
    known: dict[str, str] = {run.info.run_id: run.info.name or run.info.run_id for run in runs}
    return Spread(drawing=parallel([*names, *results], rows), names=known, n_hidden=hidden)


def _differing(every: list[dict[str, Value]]) -> dict[str, list[Value]]:
    """The values of each name that has more than one, in the order of the runs."""
    names = dict.fromkeys(name for one in every for name in one)
    found = {name: [one.get(name) for one in every] for name in names}
    return {name: values for name, values in found.items() if len({str(value) for value in values}) > 1}


def _order(columns: dict[str, list[Value]], name: str) -> tuple[int, str]:
    return (columns[name].count(None), name)


def _value(text: str) -> Value:
    try:
        return float(text)
    except ValueError:
        return text[:40]
