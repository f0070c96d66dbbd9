"""What follows for monitors: the reactions on the real prediction log, called as the reactor calls them."""

from datetime import timedelta

import numpy as np
import pytest
from tests.monitoring.making import START, batch, rows_of, training_reference
from tests.monitoring.serving import (
    ENDPOINT,
    MODEL,
    MONITOR,
    complete,
    label,
    promote,
    real_world,
    serve,
    version,
    world,
)

from airside.core.clock import FixedClock
from airside.core.ids import EndpointName
from airside.core.operation import LOCAL
from airside.monitoring.operations.alerts import ListAlerts
from airside.monitoring.operations.monitors import GetMonitor, UpdateMonitor
from airside.monitoring.operations.windows import ListWindows
from airside.monitoring.records import Window, WindowPlan
from airside.platform.reactions import watching
from airside.platform.wiring import Platform
from airside.registry.events import VersionPromoted
from airside.serving.events import DeliveryCompleted, LabelsArrived


def delivered(platform: Platform, name: str) -> None:
    complete(platform, name)
    event = DeliveryCompleted(endpoint=ENDPOINT, model=MODEL, delivery=name, rows=0, batches=0)
    watching.analyse_delivery(platform, event, 1)


def labelled(platform: Platform, *names: str) -> None:
    event = LabelsArrived(endpoint=ENDPOINT, deliveries=names, requests=1, rows=1)
    watching.complete_windows(platform, event, 2)


def windows(platform: Platform) -> tuple[Window, ...]:
    return platform.call(LOCAL, ListWindows(monitor=MONITOR)).items


def test_the_deliveries_of_2016_alert_after_the_fifth_batch(platform: Platform) -> None:
    real_world(platform)
    opened = []
    for number in range(1, 6):
        name = f"2016-{number:02d}"
        serve(platform, name, rows_of(batch(2016, number)), at=START + timedelta(days=number))
        delivered(platform, name)
        opened.append([one.columns for one in platform.call(LOCAL, ListAlerts()).items])

    assert opened == [[], [], [], [], [("ANC",)]]
    assert [set(one.flagged) for one in reversed(windows(platform))] == [set(), {"ANC"}, set(), {"ANC"}, {"ANC"}]
    assert sum(one.rows for one in windows(platform)) == sum(int(batch(2016, n).sum()) for n in range(1, 6))


def test_labels_that_come_later_complete_the_window_and_change_nothing_else(platform: Platform) -> None:
    real_world(platform, segments=("SEX",))
    asked = serve(platform, "a", rows_of(batch(2016, 1)))
    delivered(platform, "a")
    (before,) = windows(platform)

    label(platform, asked)
    labelled(platform, "a")
    (after,) = windows(platform)

    assert (before.labelled, after.labelled) == (0, before.rows)
    assert (after.window_id, after.columns) == (before.window_id, before.columns)
    bases = {(one.basis, bool(one.segment)) for one in after.figures}
    assert bases == {("estimated", False), ("realised", False), ("realised", True)}


def test_labels_that_came_before_the_delivery_was_complete_are_in_its_window(platform: Platform) -> None:
    real_world(platform)
    asked = serve(platform, "a", rows_of(batch(2016, 1)))
    label(platform, asked[:3])
    delivered(platform, "a")

    assert windows(platform)[0].labelled == sum(rows for _, rows in asked[:3])


def test_shadows_are_left_out_and_the_version_with_most_rows_names_the_window(platform: Platform) -> None:
    real_world(platform)
    columns = rows_of(batch(2016, 1))
    first = {name: values[:1000] for name, values in columns.items()}
    rest = {name: values[1000:] for name, values in columns.items()}
    serve(platform, "a", first)
    serve(platform, "a", rest, role="canary", number=2, prefix="canary-")
    serve(platform, "a", columns, role="shadow", number=3, prefix="shadow-")
    delivered(platform, "a")

    assert (windows(platform)[0].rows, windows(platform)[0].version) == (len(columns["SEX"]), 2)


def test_the_reference_follows_the_champion_and_stays_when_it_has_no_profile(platform: Platform) -> None:
    world(platform)
    second = version(platform, training_reference())
    promote(platform, second)
    watching.follow_champion(platform, VersionPromoted(name=MODEL, version=second, previous=1), 3)
    assert platform.call(LOCAL, GetMonitor(name=MONITOR)).reference_version == second

    third = version(platform, reference=None)
    promote(platform, third)
    watching.follow_champion(platform, VersionPromoted(name=MODEL, version=third, previous=second), 4)
    assert platform.call(LOCAL, GetMonitor(name=MONITOR)).reference_version == second


def test_late_labels_of_a_window_before_the_move_are_compared_with_its_own_reference(platform: Platform) -> None:
    real_world(platform)
    asked = serve(platform, "a", rows_of(batch(2016, 1)))
    delivered(platform, "a")
    second = version(platform, training_reference(2016))
    promote(platform, second)
    watching.follow_champion(platform, VersionPromoted(name=MODEL, version=second, previous=1), 3)

    label(platform, asked)
    labelled(platform, "a")

    assert (windows(platform)[0].reference_version, windows(platform)[0].labelled) == (1, windows(platform)[0].rows)


def test_a_monitor_that_is_off_or_of_another_endpoint_sees_nothing(platform: Platform) -> None:
    real_world(platform)
    platform.call(LOCAL, UpdateMonitor(name=MONITOR, is_enabled=False))
    serve(platform, "a", rows_of(batch(2016, 1)))
    delivered(platform, "a")
    other = DeliveryCompleted(endpoint=EndpointName("other"), model=MODEL, delivery="a", rows=0, batches=0)
    watching.analyse_delivery(platform, other, 5)

    assert windows(platform) == ()


def test_windows_of_rows_are_cut_when_full_and_the_rest_waits(platform: Platform) -> None:
    real_world(platform, plan=WindowPlan(by="rows", size=1000))
    columns = {name: values[:2750] for name, values in rows_of(batch(2016, 1)).items()}
    for start in range(0, 2750, 250):
        part = {name: values[start : start + 250] for name, values in columns.items()}
        serve(platform, "", part, at=platform.clock.now() + timedelta(seconds=1 + start))

    watching.cut_windows(platform)
    assert [one.rows for one in windows(platform)] == [1000, 1000]
    watching.cut_windows(platform)
    assert len(windows(platform)) == 2


def test_windows_of_time_are_looked_at_when_they_are_over(platform: Platform, clock: FixedClock) -> None:
    real_world(platform, plan=WindowPlan(by="time", size=60))
    columns = {name: np.asarray(values[:200]) for name, values in rows_of(batch(2016, 1)).items()}
    for minute in range(3):
        serve(platform, "", columns, at=clock.now() + timedelta(minutes=minute, seconds=1))

    watching.cut_windows(platform)
    assert windows(platform) == ()
    clock.advance(seconds=130)
    watching.cut_windows(platform)

    assert [one.rows for one in windows(platform)] == [200, 200]


def test_labels_complete_windows_of_rows_too(platform: Platform) -> None:
    real_world(platform, plan=WindowPlan(by="rows", size=500))
    columns = {name: values[:500] for name, values in rows_of(batch(2016, 1)).items()}
    asked = serve(platform, "", columns, at=platform.clock.now() + timedelta(seconds=1))
    watching.cut_windows(platform)

    label(platform, asked)
    labelled(platform)

    assert [(one.rows, one.labelled) for one in windows(platform)] == [(500, 500)]


@pytest.mark.parametrize(("sizes", "cut"), [([3, 3, 3], [2]), ([10], [1]), ([1, 1], []), ([2, 2, 2, 2], [2, 2])])
def test_requests_are_cut_into_windows_of_at_least_the_size(sizes: list[int], cut: list[int]) -> None:
    class Batch:
        def __init__(self, rows: int, at: int) -> None:
            self.rows, self.received_at = rows, START + timedelta(seconds=at)

    batches = [Batch(rows, at) for at, rows in enumerate(sizes)]

    assert [len(one) for one in watching.cut_by_rows(batches, 4)] == cut  # type: ignore[arg-type]
