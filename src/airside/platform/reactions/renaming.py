"""Rooms that keep a model's name follow it when it changes."""

from collections.abc import Callable
from functools import partial
from typing import Final

from airside.core.ids import ModelName
from airside.core.operation import Context
from airside.governance.renaming import follow_rename as in_governance
from airside.monitoring.renaming import follow_rename as in_monitoring
from airside.pipelines.renaming import follow_rename as in_pipelines
from airside.platform.reacting import Reaction
from airside.platform.wiring import Platform
from airside.quality.renaming import follow_rename as in_quality
from airside.registry.events import ModelRenamed
from airside.serving.renaming import follow_rename as in_serving

Follow = Callable[[Context, ModelName, ModelName], bool]
"""Renames in one short transaction; True if there is more to do."""

FOLLOWERS: Final[tuple[Follow, ...]] = (in_serving, in_monitoring, in_quality, in_pipelines, in_governance)
"""Endpoints first: they answer requests. The catalog reads its rows anew by itself."""


def follow_rename(platform: Platform, event: ModelRenamed, _seq: int) -> None:
    """Call the model by its new name everywhere. What has it already is left alone."""
    for follow in FOLLOWERS:
        while platform.change(partial(_follow, follow, ModelName(event.old_name), ModelName(event.name))):
            pass


def _follow(follow: Follow, name: ModelName, new_name: ModelName, ctx: Context) -> bool:
    return follow(ctx, name, new_name)


REACTIONS: tuple[Reaction, ...] = (Reaction(name="follow_rename", event=ModelRenamed, handle=follow_rename),)
