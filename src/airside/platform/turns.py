"""Whose turn it is, where several servers share a database: what must happen in one place only."""

from contextlib import suppress

from airside.core.errors import AirsideError
from airside.platform.wiring import Platform
from airside.store import lease


class Turns:
    """Takes and gives up leases for this process. On SQLite it owns the home, so that every turn is its own."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._owner = platform.random(8).hex()
        self._is_alone = platform.database.dialect == "sqlite"

    def take(self, name: str, *, ttl_ms: int) -> bool:
        """Whether it is this process's turn, for as long as `ttl_ms` from now."""
        if self._is_alone:
            return True
        return self._platform.change(
            lambda ctx: lease.acquire(ctx.tx, name, self._owner, now_ms=ctx.now_ms(), ttl_ms=ttl_ms)
        )

    def give_up(self, name: str) -> None:
        """Let the next server go on at once."""
        if not self._is_alone:
            with suppress(AirsideError):  # it expires by itself
                self._platform.change(lambda ctx: lease.release(ctx.tx, name, self._owner))
