"""Every reaction, in one table."""

from airside.platform.reacting import Reaction
from airside.platform.reactions.serving import SERVING

REACTIONS: tuple[Reaction, ...] = (*SERVING,)
