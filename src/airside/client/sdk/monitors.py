"""Monitors from Python: watch an endpoint, wait for a window, see what is open.

create_monitor(client, "employment-inputs", endpoint="employment", policy="retrain all the same")
window = wait_window(client, "employment-inputs", delivery="2016-05")
for alert in alerts(client, monitor="employment-inputs"):
    print(alert.title)
    print(alert.text)
"""

import time
from collections.abc import Callable, Collection, Iterator
from typing import Literal

from airside.client.transport import Client
from airside.core.errors import AlreadyExists, DeadlineExceeded
from airside.core.ids import AlertId, EndpointName, ModelName, MonitorName
from airside.core.paging import every
from airside.governance.operations.cards import GetCard
from airside.governance.operations.scores import GetScore
from airside.governance.records import MlTestScore, ModelCard
from airside.monitoring.operations.alerts import AcknowledgeAlert, CloseAlert, ListAlerts
from airside.monitoring.operations.monitors import CreateMonitor, GetMonitor
from airside.monitoring.operations.windows import ListWindows
from airside.monitoring.records import Alert, AlertRule, Monitor, Window, WindowPlan

LOOK_EVERY_S = 0.2
PAGE = 100


def create_monitor(  # noqa: PLR0913 -- what is watched, how, and what shall follow, by name
    client: Client,
    name: str,
    *,
    endpoint: str,
    rule: AlertRule | None = None,
    window: WindowPlan | None = None,
    segments: Collection[str] = (),
    policy: str = "",
    reference_version: int = 0,
) -> Monitor:
    """Watch an endpoint; a monitor of that name that watches the same endpoint already is answered as it is.

    Args:
        client: the platform.
        name: the monitor's.
        endpoint: what is watched.
        rule: when a finding becomes an alert; None is the default.
        window: what one window holds; None is a delivery.
        segments: columns whose values split the realised quality.
        policy: in words, what shall happen when it alerts.
        reference_version: whose training profile to compare with; 0 is the champion's.

    Raises:
        AlreadyExists: the name is taken by a monitor of another endpoint.
        NotFound: there is no such endpoint or version.
        Conflict: there is no profile to compare with.
    """
    try:
        return client.call(
            CreateMonitor(
                name=MonitorName(name),
                endpoint=EndpointName(endpoint),
                rule=rule or AlertRule(),
                window=window or WindowPlan(),
                segments=tuple(segments),
                policy=policy,
                reference_version=reference_version,
            )
        )
    except AlreadyExists:
        known = client.call(GetMonitor(name=MonitorName(name)))
        if known.endpoint != endpoint:
            raise
        return known


def windows(client: Client, monitor: str) -> Iterator[Window]:
    """Every window of a monitor, newest first.

    Raises:
        NotFound: there is no such monitor.
    """
    yield from every(client.call, ListWindows(monitor=MonitorName(monitor), max_results=PAGE))


def wait_window(
    client: Client,
    monitor: str,
    *,
    delivery: str,
    timeout_s: float = 60.0,
    until: Callable[[Window], bool] = lambda _: True,
) -> Window:
    """The window of a delivery, once it was analysed and `until` holds, e.g. `lambda w: w.labelled == w.rows`.

    Raises:
        NotFound: there is no such monitor.
        DeadlineExceeded: it took longer than allowed.
    """
    end = time.monotonic() + timeout_s
    while True:
        found = client.call(ListWindows(monitor=MonitorName(monitor), delivery=delivery)).items
        if found and until(found[0]):
            return found[0]
        if time.monotonic() >= end:
            state = "is not as asked" if found else "was not analysed"
            raise DeadlineExceeded(
                f"The delivery '{delivery}' {state} by the monitor '{monitor}' within {timeout_s:g} s. "
                "Is the delivery complete (deliveries.complete), and does the server run?"
            )
        time.sleep(LOOK_EVERY_S)


def alerts(
    client: Client,
    *,
    monitor: str = "",
    model: str = "",
    state: Literal["", "active", "open", "acknowledged", "closed"] = "active",
) -> list[Alert]:
    """Alerts, newest first: those that are not closed, unless told otherwise."""
    return list(every(client.call, ListAlerts(monitor=monitor, model=model, state=state, max_results=PAGE)))


def acknowledge(client: Client, alert: Alert | str, note: str = "") -> Alert:
    """Take an alert on.

    Raises:
        NotFound: there is none of that id. Conflict: it is not open.
    """
    return client.call(AcknowledgeAlert(alert_id=_id(alert), note=note))


def close(client: Client, alert: Alert | str, note: str = "") -> Alert:
    """Close an alert.

    Raises:
        NotFound: there is none of that id. Conflict: it is closed already.
    """
    return client.call(CloseAlert(alert_id=_id(alert), note=note))


def _id(alert: Alert | str) -> AlertId:
    return AlertId(alert) if isinstance(alert, str) else alert.alert_id


def model_card(client: Client, model: str, version: int = 0) -> ModelCard:
    """What the system knows of a version (0: the champion); `.markdown` is for people.

    Raises:
        NotFound: there is no such model or version.
    """
    return client.call(GetCard(name=ModelName(model), version=version))


def ml_test_score(client: Client, model: str, version: int = 0) -> MlTestScore:
    """The ML Test Score of a version (0: the champion).

    Raises:
        NotFound: there is no such model or version.
    """
    return client.call(GetScore(model=ModelName(model), version=version))
