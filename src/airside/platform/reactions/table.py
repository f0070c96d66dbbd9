"""Every reaction, in one table."""

from airside.platform.reacting import Reaction
from airside.platform.reactions import proving, registering, renaming, triggers, watching
from airside.platform.reactions.serving import SERVING

REACTIONS: tuple[Reaction, ...] = (
    *SERVING,
    *watching.REACTIONS,
    *proving.REACTIONS,
    *registering.REACTIONS,
    *renaming.REACTIONS,
    *triggers.REACTIONS,
)
