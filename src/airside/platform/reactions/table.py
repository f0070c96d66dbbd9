"""Every reaction, in one table."""

from airside.platform.reacting import Reaction
from airside.platform.reactions import proving, watching

REACTIONS: tuple[Reaction, ...] = (*watching.REACTIONS, *proving.REACTIONS)
