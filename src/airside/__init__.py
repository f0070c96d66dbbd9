"""Airside: the whole life of a machine-learning model in one place.

The public names, imported when they are first used (PEP 562), so that `import airside` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

from airside.core.version import VERSION

if TYPE_CHECKING:
    from airside.client.recording.run import Run
    from airside.client.recording.stack import active_run
    from airside.client.recording.start import init, start_run
    from airside.client.transport import Client, connect
    from airside.client.transport import open_home as open  # noqa: A004 -- `airside.open("home")`

__version__ = VERSION

_PUBLIC = {
    "Client": "airside.client.transport:Client",
    "Run": "airside.client.recording.run:Run",
    "active_run": "airside.client.recording.stack:active_run",
    "connect": "airside.client.transport:connect",
    "init": "airside.client.recording.start:init",
    "open": "airside.client.transport:open_home",
    "start_run": "airside.client.recording.start:start_run",
}

__all__ = ["Client", "Run", "__version__", "active_run", "connect", "init", "open", "start_run"]


def __getattr__(name: str) -> Any:
    try:
        module, _, attribute = _PUBLIC[name].partition(":")
    except KeyError:
        raise AttributeError(f"module 'airside' has no attribute {name!r}") from None
    value = getattr(importlib.import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
