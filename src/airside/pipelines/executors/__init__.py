"""Who runs a body: this process (`inline`), warm worker processes (`pool`), a fresh one for each (`process`)."""

from typing import Any

from airside.core.plugin import resolve

NAMES = {
    "inline": "airside.pipelines.executors.inline:InlineExecutor",
    "pool": "airside.pipelines.executors.pool:PoolExecutor",
    "process": "airside.pipelines.executors.pool:ProcessExecutor",
}


def executor_class(name: str) -> Any:
    """The class of an executor.

    Raises:
        Invalid: there is none of that name.
    """
    return resolve(NAMES, name, group="airside.executors")
