"""Every reaction, in one table."""

from airside.platform.reacting import Reaction

REACTIONS: tuple[Reaction, ...] = ()
