"""What many commands take: which platform to talk to, and how to tell the answer."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from airside.core.plugin import load

if TYPE_CHECKING:
    from airside.client.transport import Client

DEFAULT_HOME = os.environ.get("AIRSIDE_HOME", "~/.airside")

# Their parameters have names that no field of an ask has: `steps commit` takes a token of its own.
PLATFORM_OPTIONS: tuple[Callable[[], click.Option], ...] = (
    lambda: click.Option(
        ["--url", "platform_url"], default="", help="The server to ask; else $AIRSIDE_URL, else the home's own."
    ),
    lambda: click.Option(["--token", "platform_token"], default="", help="The access token; else $AIRSIDE_TOKEN."),
    lambda: click.Option(
        ["--home", "platform_home"], default="", help=f"The home to open when no server is named ({DEFAULT_HOME})."
    ),
    lambda: click.Option(["--json", "as_json"], is_flag=True, help="Tell the answer as JSON."),
)


def client_of(options: dict[str, Any]) -> "Client":
    """The client that the options of a command name; takes its options out of the dictionary."""
    url, token, home = (options.pop(f"platform_{name}") for name in ("url", "token", "home"))
    # Imported when a platform is asked: `airside server` starts without an HTTP client.
    made: Client = (
        load("airside.client.transport:open_home")(home)
        if home and not url
        else load("airside.client.transport:connect")(url, token)
    )
    return made
