"""The serving process that the server starts: what it is told on its command line."""

import socket
from pathlib import Path

from airside.client.cli.serve import _how, serve
from airside.client.transport import connect
from airside.core.settings import Settings
from airside.platform.wiring import Platform
from airside.server.children import kinds_of
from airside.server.connection import Limits


def test_the_serving_process_has_the_servers_own_limits(tmp_path: Path) -> None:
    flags = {"head_seconds": 3, "stall_seconds": 4, "connections": 5}
    settings = Settings.load(None, environment={}, flags=flags)
    platform = Platform.open(tmp_path, settings=settings)
    with socket.socket() as listening:
        (kind, _runner) = kinds_of(platform, listening, needs_token=False)
    platform.close()

    given = serve.make_context("serve", [*kind.arguments]).params
    for own in ("control", "token", "port", "spool", "descriptor", "parent"):
        del given[own]
    with connect("http://127.0.0.1:1", "air_x") as client:
        how = _how(client, **given)

    assert how.listener.keywords == {"limits": Limits(connections=5, head_s=3, stall_s=4)}
