"""Monitors: what is watched, against what, by which rule."""

from typing import Any

import msgspec

from airside.core.errors import AlreadyExists, Conflict, Invalid, NotFound
from airside.core.ids import BlobId, EndpointName, ModelName, MonitorName, is_blob_id
from airside.core.operation import Context, operation
from airside.core.paging import cut, page_size
from airside.core.record import Ask
from airside.monitoring import queries
from airside.monitoring.events import AlertClosed, ReferenceMoved
from airside.monitoring.records import AlertRule, Monitor, MonitorPage, WindowPlan
from airside.monitoring.rules import check_plan, check_rule
from airside.registry.operations.models import GetModel, get_model
from airside.registry.operations.versions import GetVersion, get_version
from airside.registry.records import CHAMPION
from airside.serving.operations.endpoints import GetEndpoint, get_endpoint

MOST_ALERTS = 1_000


class CreateMonitor(Ask[Monitor]):
    """What shall be watched.

    Attributes:
        reference_version: the version whose training profile is the reference; 0 is the serving champion.
        reference: the profile's blob; empty is the one that the registry keeps with that version.
        segments: `COLUMN=VALUE`, for each of which the realised quality is told apart.
        policy: in words, what shall happen when it alerts.
    """

    name: MonitorName
    endpoint: EndpointName
    window: WindowPlan = WindowPlan()
    rule: AlertRule = AlertRule()
    reference_version: int = 0
    reference: BlobId = BlobId("")
    segments: tuple[str, ...] = ()
    policy: str = ""


@operation("monitors.create", needs="monitor:write")
def create_monitor(ctx: Context, ask: CreateMonitor) -> Monitor:
    """Watch an endpoint.

    Raises:
        AlreadyExists: a monitor has the name.
        NotFound: there is no such endpoint or version.
        Invalid: the window or the rule makes no sense.
        Conflict: there is no reference to compare with.
    """
    if not ask.name:
        raise Invalid("The monitor's name is empty. Give it one, e.g. 'employment-inputs'.")
    check_plan(ask.window)
    check_rule(ask.rule)
    if queries.monitor(ctx.tx, ask.name) is not None:
        raise AlreadyExists(f"A monitor '{ask.name}' exists. Change it with: monitors.update")
    model = get_endpoint(ctx, GetEndpoint(name=ask.endpoint)).model
    version, reference = _reference(ctx, model, ask.reference_version, ask.reference)
    now = ctx.clock.now()
    monitor = Monitor(
        name=ask.name,
        endpoint=ask.endpoint,
        model=model,
        window=ask.window,
        rule=ask.rule,
        reference=reference,
        reference_version=version,
        segments=ask.segments,
        policy=ask.policy,
        created_at=now,
        updated_at=now,
    )
    queries.put_monitor(ctx.tx, monitor)
    return monitor


def _reference(ctx: Context, model: ModelName, version: int, blob: BlobId) -> tuple[int, BlobId]:
    """The version and the blob to compare with."""
    number = version or get_model(ctx, GetModel(name=model)).aliases.get(CHAMPION, 0)
    if not number:
        raise Conflict(f"'{model}' has no champion, so there is no reference. Promote a version, or name one.")
    found = get_version(ctx, GetVersion(name=model, version=number))
    reference = blob or found.reference
    if not is_blob_id(reference):
        raise Conflict(
            f"'{model}@{number}' has no profile of its training data. Log the model with airside/reference.json, "
            "or name the profile's blob."
        )
    return number, reference


class GetMonitor(Ask[Monitor]):
    """A monitor by its name."""

    name: MonitorName


@operation("monitors.get", needs="monitor:read")
def get_monitor(ctx: Context, ask: GetMonitor) -> Monitor:
    """A monitor.

    Raises:
        NotFound: there is none of that name.
    """
    found = queries.monitor(ctx.tx, ask.name)
    if found is None:
        raise NotFound(f"No monitor '{ask.name}'. List them with: monitors.list")
    return found


class ListMonitors(Ask[MonitorPage]):
    """Monitors; an empty field matches every one. The page token is the last name seen."""

    endpoint: str = ""
    model: str = ""
    max_results: int = 100
    page_token: str = ""


@operation("monitors.list", needs="monitor:read")
def list_monitors(ctx: Context, ask: ListMonitors) -> MonitorPage:
    """Monitors by name.

    Raises:
        Invalid: the page's size is out of bounds.
    """
    size = page_size(ask.max_results)
    found = queries.monitors(ctx.tx, ask.endpoint, ask.model, ask.page_token, size + 1)
    items, following = cut(found, size, lambda monitor: monitor.name)
    return MonitorPage(items=items, next_page_token=following)


class UpdateMonitor(Ask[Monitor]):
    """What shall change of a monitor; None leaves it."""

    name: MonitorName
    window: WindowPlan | None = None
    rule: AlertRule | None = None
    segments: tuple[str, ...] | None = None
    policy: str | None = None
    is_enabled: bool | None = None


@operation("monitors.update", needs="monitor:write")
def update_monitor(ctx: Context, ask: UpdateMonitor) -> Monitor:
    """Change a monitor's window, rule, segments, policy, or switch it off and on.

    Raises:
        NotFound: there is none of that name.
        Invalid: the window or the rule makes no sense.
    """
    monitor = get_monitor(ctx, GetMonitor(name=ask.name))
    if ask.window is not None:
        check_plan(ask.window)
    if ask.rule is not None:
        check_rule(ask.rule)
    fields = ("window", "rule", "segments", "policy", "is_enabled")
    changes: dict[str, Any] = {name: getattr(ask, name) for name in fields if getattr(ask, name) is not None}
    changed = msgspec.structs.replace(monitor, **changes, updated_at=ctx.clock.now())
    queries.put_monitor(ctx.tx, changed)
    return changed


class SetReference(Ask[Monitor]):
    """The version whose training profile a monitor shall compare with; 0 is the champion.

    Attributes:
        reference: the profile's blob; empty is the one that the registry keeps with that version.
    """

    name: MonitorName
    version: int = 0
    reference: BlobId = BlobId("")


@operation("monitors.set_reference", needs="monitor:write")
def set_reference(ctx: Context, ask: SetReference) -> Monitor:
    """Compare with another version from now on. Alerts about the old reference close, and windows in a row count anew.

    Raises:
        NotFound: there is no such monitor or version.
        Conflict: the version has no profile.
    """
    monitor = get_monitor(ctx, GetMonitor(name=ask.name))
    version, reference = _reference(ctx, monitor.model, ask.version, ask.reference)
    if (version, reference) == (monitor.reference_version, monitor.reference):
        return monitor
    moved = msgspec.structs.replace(monitor, reference=reference, reference_version=version, updated_at=ctx.clock.now())
    queries.put_monitor(ctx.tx, moved)
    note = f"The reference moved from v{monitor.reference_version} to v{version}."
    for alert in queries.alerts(ctx.tx, monitor.name, "", "active", "", MOST_ALERTS):
        queries.move_alert(ctx.tx, alert.alert_id, "closed", ctx.actor.name, note, ctx.now_ms())
        ctx.announce(AlertClosed(alert_id=alert.alert_id, monitor=monitor.name, model=monitor.model, note=note))
    ctx.announce(
        ReferenceMoved(
            monitor=monitor.name,
            model=monitor.model,
            from_version=monitor.reference_version,
            to_version=version,
            reference=reference,
        )
    )
    return moved
