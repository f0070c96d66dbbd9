"""Airside: the whole life of a machine-learning model in one place.

The public names, imported when they are first used (PEP 562), so that `import airside` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

from airside.core.version import VERSION

if TYPE_CHECKING:
    from airside.client.transport import Client, connect
    from airside.client.transport import open_home as open  # noqa: A004 -- `airside.open("home")`

__version__ = VERSION

_PUBLIC = {
    "Client": "airside.client.transport:Client",
    "connect": "airside.client.transport:connect",
    "open": "airside.client.transport:open_home",
}

__all__ = ["Client", "__version__", "connect", "open"]


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
