"""What the room announces."""

from typing import ClassVar

from airside.core.event import Event
from airside.core.ids import AlertId, BlobId, EndpointName, ModelName, MonitorName
from airside.monitoring.records import AlertKind, Severity, WindowId


class WindowAnalysed(Event):
    """A window was compared with the reference, or compared again because labels arrived."""

    NAME: ClassVar[str] = "WindowAnalysed"
    monitor: MonitorName
    model: ModelName
    endpoint: EndpointName
    window_id: WindowId
    version: int
    delivery: str = ""

    def topics(self) -> tuple[str, ...]:
        """The live topics of the event."""
        return ("monitors", f"monitor:{self.monitor}")


class AlertOpened(Event):
    """Somebody should look."""

    NAME: ClassVar[str] = "AlertOpened"
    alert_id: AlertId
    monitor: MonitorName
    model: ModelName
    endpoint: EndpointName
    version: int
    kind: AlertKind
    severity: Severity
    title: str
    columns: tuple[str, ...]
    window_id: WindowId
    delivery: str = ""

    def topics(self) -> tuple[str, ...]:
        """The live topics of the event."""
        return ("alerts", f"alert:{self.alert_id}", f"monitor:{self.monitor}")


class AlertClosed(Event):
    """An alert is over: a person closed it, or its reference moved."""

    NAME: ClassVar[str] = "AlertClosed"
    alert_id: AlertId
    monitor: MonitorName
    model: ModelName
    note: str = ""

    def topics(self) -> tuple[str, ...]:
        """The live topics of the event."""
        return ("alerts", f"alert:{self.alert_id}", f"monitor:{self.monitor}")


class ReferenceMoved(Event):
    """A monitor compares with another version's reference from now on."""

    NAME: ClassVar[str] = "ReferenceMoved"
    monitor: MonitorName
    model: ModelName
    from_version: int
    to_version: int
    reference: BlobId

    def topics(self) -> tuple[str, ...]:
        """The live topics of the event."""
        return ("monitors", f"monitor:{self.monitor}")
