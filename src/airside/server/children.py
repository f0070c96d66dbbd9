"""The processes that the server starts when they are first needed, and keeps alive: serving, the local runner."""

from airside.platform.wiring import Platform


class Children:
    """Supervises child processes until it is closed."""

    def __init__(self, platform: Platform, url: str, token: str) -> None:
        self._platform = platform
        self._url = url
        self._token = token

    def close(self) -> None:
        """End every child: SIGTERM, then SIGKILL."""
