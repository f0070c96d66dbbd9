"""The verbs of the room `monitoring`."""

from airside.core.operation import AnyOperation
from airside.monitoring.operations.alerts import acknowledge_alert, close_alert, get_alert, list_alerts
from airside.monitoring.operations.monitors import (
    create_monitor,
    get_monitor,
    list_monitors,
    set_reference,
    update_monitor,
)
from airside.monitoring.operations.series import list_series, push_series, read_series
from airside.monitoring.operations.windows import get_window, list_windows, record_window

OPERATIONS: tuple[AnyOperation, ...] = (
    create_monitor,
    get_monitor,
    list_monitors,
    update_monitor,
    set_reference,
    record_window,
    list_windows,
    get_window,
    list_alerts,
    get_alert,
    acknowledge_alert,
    close_alert,
    push_series,
    list_series,
    read_series,
)
