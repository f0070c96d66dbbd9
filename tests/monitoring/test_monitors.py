"""Monitors: created against the champion's profile, changed, moved."""

import pytest
from tests.monitoring.making import flagged
from tests.monitoring.serving import ENDPOINT, MODEL, MONITOR, SMALL, events, promote, record, version, world

from airside.core.errors import AlreadyExists, Conflict, Invalid, NotFound
from airside.core.ids import EndpointName, MonitorName
from airside.core.operation import LOCAL
from airside.monitoring.operations.alerts import ListAlerts
from airside.monitoring.operations.monitors import (
    CreateMonitor,
    GetMonitor,
    ListMonitors,
    SetReference,
    UpdateMonitor,
)
from airside.monitoring.records import AlertRule, WindowPlan
from airside.platform.wiring import Platform
from airside.registry.operations.models import CreateModel
from airside.serving.operations.endpoints import CreateEndpoint


def test_a_monitor_takes_the_champions_profile_as_its_reference(platform: Platform) -> None:
    made = world(platform)

    assert (made.model, made.reference_version) == (MODEL, 1)
    assert platform.call(LOCAL, GetMonitor(name=MONITOR)) == made


def test_a_second_monitor_of_the_name_is_refused(platform: Platform) -> None:
    world(platform)
    with pytest.raises(AlreadyExists):
        platform.call(LOCAL, CreateMonitor(name=MONITOR, endpoint=ENDPOINT))


def test_a_monitor_without_endpoint_name_or_sense_is_refused(platform: Platform) -> None:
    world(platform)
    with pytest.raises(NotFound):
        platform.call(LOCAL, CreateMonitor(name=MonitorName("m"), endpoint=EndpointName("none")))
    with pytest.raises(Invalid):
        platform.call(LOCAL, CreateMonitor(name=MonitorName(""), endpoint=ENDPOINT))
    with pytest.raises(Invalid):
        platform.call(LOCAL, CreateMonitor(name=MonitorName("m"), endpoint=ENDPOINT, window=WindowPlan(by="rows")))


def test_without_a_champion_or_without_its_profile_there_is_nothing_to_compare_with(platform: Platform) -> None:
    platform.call(LOCAL, CreateModel(name=MODEL))
    platform.call(LOCAL, CreateEndpoint(name=ENDPOINT, model=MODEL))
    with pytest.raises(Conflict, match="no champion"):
        platform.call(LOCAL, CreateMonitor(name=MONITOR, endpoint=ENDPOINT))
    promote(platform, version(platform, reference=None))
    with pytest.raises(Conflict, match="no profile"):
        platform.call(LOCAL, CreateMonitor(name=MONITOR, endpoint=ENDPOINT))


def test_an_update_changes_what_it_names_and_nothing_else(platform: Platform) -> None:
    before = world(platform)

    after = platform.call(LOCAL, UpdateMonitor(name=MONITOR, rule=AlertRule(consecutive=3), is_enabled=False))

    assert (after.rule.consecutive, after.is_enabled) == (3, False)
    assert (after.policy, after.window, after.reference) == (before.policy, before.window, before.reference)
    assert platform.call(LOCAL, GetMonitor(name=MONITOR)) == after


def test_monitors_are_listed_by_name_page_by_page(platform: Platform) -> None:
    world(platform)
    platform.call(LOCAL, CreateMonitor(name=MonitorName("a"), endpoint=ENDPOINT))

    first = platform.call(LOCAL, ListMonitors(max_results=1))
    second = platform.call(LOCAL, ListMonitors(max_results=1, page_token=first.next_page_token))

    assert [one.name for one in (*first.items, *second.items)] == ["a", MONITOR]
    assert second.next_page_token == ""
    assert platform.call(LOCAL, ListMonitors(endpoint="other")).items == ()


def test_a_moved_reference_closes_the_alerts_about_the_old_one_and_is_told(platform: Platform) -> None:
    world(platform)
    record(platform, "a", flagged())
    record(platform, "b", flagged())
    number = version(platform, SMALL)
    promote(platform, number)

    moved = platform.call(LOCAL, SetReference(name=MONITOR))

    assert moved.reference_version == number
    assert [one.state for one in platform.call(LOCAL, ListAlerts()).items] == ["closed"]
    assert events(platform)[-2:] == ["AlertClosed", "ReferenceMoved"]
    platform.call(LOCAL, SetReference(name=MONITOR))
    assert events(platform).count("ReferenceMoved") == 1


def test_windows_in_a_row_count_anew_after_the_reference_moved(platform: Platform) -> None:
    world(platform)
    record(platform, "a", flagged())
    promote(platform, version(platform, SMALL))
    platform.call(LOCAL, SetReference(name=MONITOR))

    record(platform, "b", flagged(), reference=2)
    assert platform.call(LOCAL, ListAlerts()).items == ()
    record(platform, "c", flagged(), reference=2)
    assert len(platform.call(LOCAL, ListAlerts()).items) == 1
