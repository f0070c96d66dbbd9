"""Secrets at rest: sealed with a key that lies beside the database and never in it.

The key file (0600) holds a key a line, in base64: the first seals, every one opens. What is sealed is bound to what
it belongs to (the host that a secret is for), so that a sealed text moved to another row opens there no more.
"""

import os
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from airside.core.errors import Conflict, Unavailable

KEY_FILE = "secret.key"
KEY_BYTES, NONCE_BYTES = 32, 12
_FORM = "s1"


class Unsealable(Conflict):
    """A stored secret cannot be opened with the key of this server."""


class Vault:
    """Seals texts and opens them.

    Args:
        path: the key file; it is made when there is none.

    Raises:
        Unavailable: it cannot be read or made, or others may read it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._keys = _read(path) if path.exists() else _make(path)

    def seal(self, text: str, bound_to: str) -> str:
        """A text as it may be stored; an empty one stays empty."""
        if not text:
            return ""
        key, nonce = self._keys[0], os.urandom(NONCE_BYTES)
        closed = AESGCM(key).encrypt(nonce, text.encode(), bound_to.encode())
        return f"{_FORM}.{_name(key)}.{urlsafe_b64encode(nonce + closed).decode()}"

    def open(self, sealed: str, bound_to: str) -> str:
        """The text again.

        Raises:
            Unsealable: it was sealed with a key that is not in the file, for something else, or was changed.
        """
        if not sealed:
            return ""
        form, _, rest = sealed.partition(".")
        name, _, closed = rest.partition(".")
        with suppress(ValueError, InvalidTag):
            content = urlsafe_b64decode(closed)
            for key in self._keys:
                if form == _FORM and _name(key) == name:
                    opened = AESGCM(key).decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], bound_to.encode())
                    return opened.decode()
        raise Unsealable(
            "A stored secret cannot be opened with the key of this server. Bring the key file back that it was sealed "
            "with (the setting secret_key_file), or give the secret again."
        )

    def renew(self, stored: Iterable[str]) -> None:
        """Seal with a new key from now on; of the others, those stay that something stored was sealed with."""
        used = {sealed.split(".")[1] for sealed in stored if sealed.count(".") == 2}
        keys = [os.urandom(KEY_BYTES), *(key for key in self._keys if _name(key) in used)]
        _write(self.path, keys)
        self._keys = keys


def key_path(setting: str, home: Path) -> Path:
    """Where the key file is."""
    return Path(setting).expanduser() if setting else home / KEY_FILE


def _name(key: bytes) -> str:
    """By which key something was sealed; tells nothing of the key."""
    return sha256(b"airside key\0" + key).hexdigest()[:8]


def _read(path: Path) -> list[bytes]:
    try:
        if path.stat().st_mode & 0o077:
            raise Unavailable(f"Others may read the key file {path.name}. Close it: chmod 600 {path.name}")
        keys = [b64decode(line, validate=True) for line in path.read_bytes().split()]
    except (OSError, ValueError) as error:
        raise Unavailable(f"The key file {path.name} cannot be read: {error}.") from error
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise Unavailable(f"The key file {path.name} holds no key of {KEY_BYTES} bytes. Bring the right one back.")
    return keys


def _make(path: Path) -> list[bytes]:
    """A new file; of two processes that make it at once, the first wins."""
    temporary = _written(path, [os.urandom(KEY_BYTES)])
    try:
        with suppress(FileExistsError):
            os.link(temporary, path)
    except OSError as error:
        raise Unavailable(f"The key file {path.name} cannot be made: {error.strerror}.") from error
    finally:
        temporary.unlink()
    return _read(path)


def _write(path: Path, keys: list[bytes]) -> None:
    _written(path, keys).replace(path)


def _written(path: Path, keys: list[bytes]) -> Path:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Unavailable(f"The key file {path.name} cannot be written: {error.strerror}.") from error
    with os.fdopen(handle, "wb") as file:
        file.write(b"".join(b64encode(key) + b"\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    return temporary
