"""Many writers at once, and readers beside them."""

from concurrent.futures import ThreadPoolExecutor

from airside.core.errors import Invalid
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.tracking.operations.histories import GetMetricHistory
from airside.tracking.operations.logging import LogBatch, LogMetric, LogParam
from airside.tracking.operations.runs import CreateRun, GetRun, SearchRuns
from airside.tracking.records import LoggedMetric, Param


def test_of_racing_writers_of_a_parameter_exactly_one_wins(platform: Platform) -> None:
    run_id = platform.call(LOCAL, CreateRun()).info.run_id

    def write(value: int) -> bool:
        try:
            platform.call(LOCAL, LogParam(run_id=run_id, key="p", value=str(value)))
        except Invalid:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(write, range(16)))
    assert sum(won) == 1
    assert platform.call(LOCAL, GetRun(run_id=run_id)).params == (Param(key="p", value=str(won.index(True))),)


def test_everything_that_was_answered_is_there_and_readers_see_whole_batches(platform: Platform) -> None:
    run_id = platform.call(LOCAL, CreateRun()).info.run_id

    def write(writer: int) -> None:
        for step in range(10):
            platform.call(LOCAL, LogMetric(run_id=run_id, key=f"m{writer}", value=1.0, timestamp_ms=step, step=step))
            batch = tuple(
                LoggedMetric(key=key, value=float(step), timestamp_ms=step, step=step)
                for key in (f"a{writer}", f"b{writer}")
            )
            platform.call(LOCAL, LogBatch(run_id=run_id, metrics=batch))

    def read(_: int) -> None:
        (run,) = platform.call(LOCAL, SearchRuns(experiment_ids=(run_zero,))).items
        steps = {metric.key: metric.step for metric in run.metrics}
        assert all(steps.get(f"b{key[1:]}") == step for key, step in steps.items() if key.startswith("a"))

    run_zero = platform.call(LOCAL, GetRun(run_id=run_id)).info.experiment_id
    with ThreadPoolExecutor(12) as pool:
        writing = [pool.submit(write, writer) for writer in range(8)]
        reading = [pool.submit(read, index) for index in range(40)]
        for future in (*writing, *reading):
            future.result()
    for writer in range(8):
        for key in (f"m{writer}", f"a{writer}", f"b{writer}"):
            assert len(platform.call(LOCAL, GetMetricHistory(run_id=run_id, key=key)).items) == 10


def test_a_key_that_many_writers_meet_first_is_one_key(platform: Platform) -> None:
    runs = [platform.call(LOCAL, CreateRun()).info.run_id for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda run_id: platform.call(LOCAL, LogParam(run_id=run_id, key="new", value="1")), runs))
    found = platform.call(
        LOCAL,
        SearchRuns(
            experiment_ids=(platform.call(LOCAL, GetRun(run_id=runs[0])).info.experiment_id,), filter="params.new = '1'"
        ),
    )
    assert {run.info.run_id for run in found.items} == set(runs)
