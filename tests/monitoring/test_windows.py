"""Windows and the alerts that they open."""

from datetime import timedelta

import pytest
from tests.monitoring.making import START, figure, finding, flagged
from tests.monitoring.serving import MONITOR, events, record, world

from airside.core.clock import FixedClock
from airside.core.errors import Conflict, Invalid, NotFound
from airside.core.ids import AlertId, MonitorName
from airside.core.operation import LOCAL
from airside.monitoring.operations.alerts import AcknowledgeAlert, CloseAlert, GetAlert, ListAlerts
from airside.monitoring.operations.series import ListSeries, PushSeries, ReadSeries
from airside.monitoring.operations.windows import GetWindow, ListWindows
from airside.monitoring.records import Alert, Dimension, SeriesPoint, WindowId
from airside.platform.wiring import Platform


def alerts(platform: Platform, state: str = "") -> tuple[Alert, ...]:
    return platform.call(LOCAL, ListAlerts(state=state)).items  # type: ignore[arg-type]


def test_a_window_comes_back_as_it_was_recorded(platform: Platform) -> None:
    world(platform)
    made = record(platform, "a", flagged(), finding("SEX"), figures=(figure("accuracy", "estimated", 0.8),))

    assert platform.call(LOCAL, GetWindow(window_id=made.window_id)) == made
    assert (made.sequence, made.flagged) == (1, ("ANC",))


def test_windows_are_listed_newest_first_page_by_page(platform: Platform) -> None:
    world(platform)
    made = [record(platform, name).window_id for name in "abc"]

    first = platform.call(LOCAL, ListWindows(monitor=MONITOR, max_results=2))
    second = platform.call(LOCAL, ListWindows(monitor=MONITOR, max_results=2, page_token=first.next_page_token))

    assert [one.window_id for one in (*first.items, *second.items)] == made[::-1]


def test_a_list_without_columns_has_all_but_those(platform: Platform) -> None:
    world(platform)
    record(platform, "a", flagged(effect=0.06), figures=(figure("accuracy", "estimated", 0.8),))

    (head,) = platform.call(LOCAL, ListWindows(monitor=MONITOR, with_columns=False)).items

    assert (head.columns, head.flagged, head.worst, len(head.figures)) == ((), ("ANC",), 2.0, 1)


def test_the_same_delivery_again_is_the_same_window_told_anew(platform: Platform) -> None:
    world(platform)
    first = record(platform, "a")
    again = record(platform, "a", figures=(figure("accuracy", "realised", 0.8),), labelled=4000)

    assert (again.window_id, again.sequence, again.labelled) == (first.window_id, 1, 4000)
    assert len(platform.call(LOCAL, ListWindows(monitor=MONITOR, delivery="a")).items) == 1


def test_a_window_is_never_compared_with_two_references(platform: Platform) -> None:
    world(platform)
    record(platform, "a")
    with pytest.raises(Conflict, match="compared with v1"):
        record(platform, "a", reference=2)


def test_an_unknown_window_monitor_or_alert_is_not_found(platform: Platform) -> None:
    for ask in (
        GetWindow(window_id=WindowId("w-0")),
        ListWindows(monitor=MonitorName("none")),
        GetAlert(alert_id=AlertId("al-0")),
    ):
        with pytest.raises(NotFound):
            platform.call(LOCAL, ask)


def test_two_flagged_windows_open_one_alert_a_third_confirms_it(platform: Platform, clock: FixedClock) -> None:
    world(platform)
    made = []
    for name in "abc":
        clock.advance(seconds=60)
        made.append(record(platform, name, flagged()).window_id)

    (alert,) = alerts(platform)

    assert (alert.kind, alert.severity, alert.title, alert.columns) == ("drift", "warning", "ANC drifts", ("ANC",))
    assert alert.windows == tuple(made)
    assert alert.seen_at - alert.opened_at == timedelta(seconds=61)
    assert "of no consequence for the model" in alert.text
    assert "retrain all the same" in alert.text
    assert events(platform).count("AlertOpened") == 1


def test_a_critical_alert_opens_at_once_when_codes_are_new(platform: Platform) -> None:
    world(platform)
    found = finding("RELP", unseen_rows=4000, p_unseen=0.0, importance=flagged(importance=0.051).importance)
    record(platform, "a", found)

    assert [(one.kind, one.severity) for one in alerts(platform)] == [("unseen", "critical")]


def test_labels_that_come_late_can_open_a_quality_alert(platform: Platform) -> None:
    world(platform)
    reference = figure("accuracy", "reference", 0.79)
    record(platform, "a", figures=(reference,))
    assert alerts(platform) == ()

    record(platform, "a", figures=(reference, figure("accuracy", "realised", 0.4)), labelled=4000)

    assert [(one.kind, one.severity) for one in alerts(platform)] == [("quality", "critical")]


def test_a_window_of_an_old_reference_opens_nothing(platform: Platform) -> None:
    world(platform)
    record(platform, "a", flagged(), reference=7)
    record(platform, "b", flagged(), reference=7)

    assert alerts(platform) == ()


def test_an_alert_is_acknowledged_then_closed_once(platform: Platform) -> None:
    world(platform)
    record(platform, "a", finding("SEX", missing=400, p_missing=0.0))
    alert_id = alerts(platform)[0].alert_id

    seen = platform.call(LOCAL, AcknowledgeAlert(alert_id=alert_id, note="mine"))
    assert (seen.state, seen.acknowledged_by, seen.note) == ("acknowledged", "local", "mine")
    with pytest.raises(Conflict):
        platform.call(LOCAL, AcknowledgeAlert(alert_id=alert_id))
    assert [one.alert_id for one in alerts(platform, "active")] == [alert_id]

    closed = platform.call(LOCAL, CloseAlert(alert_id=alert_id, note="upstream mended it"))
    assert (closed.state, closed.closed_by) == ("closed", "local")
    assert closed.closed_at is not None
    assert alerts(platform, "active") == ()
    with pytest.raises(Conflict):
        platform.call(LOCAL, CloseAlert(alert_id=alert_id))


def test_a_closed_alert_opens_again_when_the_next_window_gives_reason(platform: Platform) -> None:
    world(platform)
    found = finding("SEX", missing=400, p_missing=0.0)
    record(platform, "a", found)
    platform.call(LOCAL, CloseAlert(alert_id=alerts(platform)[0].alert_id))
    record(platform, "b", found)

    assert [one.state for one in alerts(platform)] == ["open", "closed"]


def test_pushed_series_are_read_back_newest_first_cut_and_in_order(platform: Platform) -> None:
    north = (Dimension(name="region", value="north"),)
    points = tuple(SeriesPoint(value=float(i), at=START + timedelta(hours=i), dimensions=north) for i in range(5))
    platform.call(LOCAL, PushSeries(name="revenue", unit="EUR", points=points))

    read = platform.call(LOCAL, ReadSeries(name="revenue", max_results=3))

    assert (read.items, read.unit, read.is_complete) == (points[2:], "EUR", False)
    assert [(one.name, one.points) for one in platform.call(LOCAL, ListSeries()).items] == [("revenue", 5)]
    assert platform.call(LOCAL, ReadSeries(name="revenue", to_at=START + timedelta(hours=2))).items == points[:2]


def test_a_push_that_makes_no_sense_is_refused(platform: Platform) -> None:
    point = SeriesPoint(value=1.0, at=START)
    platform.call(LOCAL, PushSeries(name="revenue", unit="EUR", points=(point,)))
    for ask in (
        PushSeries(name="revenue", unit="USD", points=(point,)),
        PushSeries(name="revenue", unit="EUR", points=()),
        PushSeries(name="", points=(point,)),
        PushSeries(name="x", points=(SeriesPoint(value=float("nan"), at=START),)),
    ):
        with pytest.raises(Invalid):
            platform.call(LOCAL, ask)
    with pytest.raises(NotFound):
        platform.call(LOCAL, ReadSeries(name="none"))
