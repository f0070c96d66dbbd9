"""The secrets of webhooks: sealed before they are stored, opened by who signs, each for the host that it was given for.

The cipher is imported with the first secret: it costs the start of a server that has none.
"""

from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from airside.core.plugin import load
from airside.platform.notify.records import Sealed


class Keeper(Protocol):
    """What knows where the key is: the services of a preparation, a platform."""

    @property
    def home(self) -> Path:
        """The home folder."""

    @property
    def settings(self) -> Any:
        """What the operator set."""


def seal(keeper: Keeper, secret: str | None, url: str) -> Sealed:
    """A secret as it is stored.

    Raises:
        Unavailable: there is no usable key.
    """
    return Sealed(vault_of(keeper).seal(secret, bound_to(url)) if secret else "")


def opened(keeper: Keeper, sealed: Sealed, url: str) -> str:
    """The secret again; empty when there is none.

    Raises:
        Unsealable: it is not for this host, or the key is another one. Unavailable: there is no usable key.
    """
    text: str = vault_of(keeper).open(sealed, bound_to(url)) if sealed else ""
    return text


def vault_of(keeper: Keeper) -> Any:
    """What seals and opens (`airside.store.sealing.Vault`)."""
    path = load("airside.store.sealing:key_path")(keeper.settings["secret_key_file"], keeper.home)
    return load("airside.store.sealing:Vault")(path)


def bound_to(url: str) -> str:
    """What a secret belongs to.

    >>> bound_to("https://Hooks.example/a?b=1")
    'webhook hooks.example'
    """
    return f"webhook {urlsplit(url).netloc.lower()}"
