"""What the settings come to before a server starts: checked, with lines for the person who starts it."""

import hashlib
import re
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from airside.core.aliases import Taken
from airside.core.errors import WrongUse
from airside.core.hosts import is_loopback
from airside.core.settings import Settings
from airside.server.login import AdminLogin, login_of

FRAMES = ("SAMEORIGIN", "DENY", "NONE")
SYNCHRONOUS = ("FULL", "NORMAL", "EXTRA")
"""SQLite takes any other word in silence, and is then less durable than asked."""
SCHEMES = ("https", "http")
BOUNDS: Mapping[str, tuple[float, float]] = {
    "port": (0, 65_535),
    "serving_port": (0, 65_535),
    "head_seconds": (1, 86_400),
    "stall_seconds": (1, 86_400),
    "connections": (1, 1_000_000),
    "body_limit_mib": (1, 4096),
    "artifact_location_limit": (1, 1_000_000),
    "reader_threads": (1, 1000),
    "outbound_timeout_s": (0.1, 600),
    "webhook_retries": (0, 100),
}
"""The numbers that a server can run with."""
Say = Callable[[str], None]


class Tls:
    """The server's side of https.

    Args:
        certfile, keyfile: PEM files of the operator's.

    Attributes:
        context: for the sockets.
        fingerprint: the SHA-256 digest of the certificate, by which this machine's own processes know it.
    """

    def __init__(self, certfile: str, keyfile: str) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self.context.load_cert_chain(certfile, keyfile or None, password=_no_passphrase)
            self.fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(_first(Path(certfile)))).hexdigest()
        except (OSError, ValueError, ssl.SSLError) as error:
            raise WrongUse(
                f"The certificate '{certfile}' with the key '{keyfile or certfile}' cannot be used: {error}. Name PEM "
                "files that belong together, the key without a passphrase."
            ) from error


def _no_passphrase() -> str:
    raise ValueError("the key needs a passphrase")


def _first(certfile: Path) -> str:
    found = re.search("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", certfile.read_text("ascii"), re.DOTALL)
    if found is None:
        raise ValueError("it holds no certificate")
    return found[0]


def tls_of(settings: Settings) -> Tls | None:
    """The https that the settings ask for.

    Raises:
        WrongUse: only the key is named, or the files cannot be used.
    """
    certfile, keyfile = settings["ssl_certfile"], settings["ssl_keyfile"]
    if keyfile and not certfile:
        raise WrongUse("A key (ssl_keyfile) needs its certificate: name it with --ssl-certfile.")
    return Tls(certfile, keyfile) if certfile else None


def checked_login(settings: Settings, environment: Mapping[str, str]) -> AdminLogin | None:
    """The password login that the settings ask for.

    Raises:
        WrongUse: it has no usable password, or authentication is off.
    """
    if not settings["admin_login"]:
        return None
    if settings["auth"] == "off":
        raise WrongUse(
            "Signing in with a password (basic-auth) and authentication off contradict each other: choose one."
        )
    return login_of(environment)


def check(settings: Settings) -> None:
    """Refuse what no server can run with.

    Raises:
        WrongUse: a number lies outside its bounds, or the prefix, a word or a pattern is none.
    """
    prefix: str = settings["static_prefix"]
    if prefix and (not prefix.startswith("/") or prefix.endswith("/") or re.search(r"[{}?#%\s]|//", prefix)):
        raise WrongUse(
            f"The static prefix is '{prefix}'. It begins with '/', does not end with '/', and has no braces: /airside"
        )
    if settings["x_frame_options"].upper() not in FRAMES:
        raise WrongUse(f"x_frame_options is '{settings['x_frame_options']}'. It is one of: {', '.join(FRAMES)}.")
    for name, (least, most) in BOUNDS.items():
        if not least <= settings[name] <= most:
            raise WrongUse(f"{name} is {settings[name]}. It is {least} or more, and at most {most}.")
    if settings["synchronous"].upper() not in SYNCHRONOUS:
        raise WrongUse(f"synchronous is '{settings['synchronous']}'. It is one of: {', '.join(SYNCHRONOUS)}.")
    if not set(settings["outbound_schemes"]) <= set(SCHEMES):
        raise WrongUse(
            f"outbound_schemes is '{', '.join(settings['outbound_schemes'])}'. It names https, http or both."
        )
    if settings["outbound_ca_file"] and not Path(settings["outbound_ca_file"]).is_file():
        raise WrongUse(f"outbound_ca_file is '{settings['outbound_ca_file']}', which is no file. Name a PEM file.")
    try:
        re.compile(settings["version_source_pattern"])
    except re.error as error:
        raise WrongUse(f"version_source_pattern is no regular expression: {error}.") from None


def left_behind(folder: Path) -> str:
    """A line about what `mlflow server` would have gone on with in the folder it is started in; empty for nothing."""
    for name, source in (("mlflow.db", "sqlite:///mlflow.db"), ("mlruns", "./mlruns")):
        if (folder / name).exists():
            return f"{name} in this folder is not used. Take over what it holds with: airside import mlflow {source}"
    return ""


def warn_of(settings: Settings, taken: Taken, warn: Say) -> None:
    """Tell what was passed over, and what is dangerous."""
    for line in taken.lines:
        warn(line)
    for value in settings.values():
        given = taken.values.get(value.setting.name)
        if given is not None and value.origin != "mlflow":
            warn(f"{given[1]} is not used: the setting {value.setting.name} is given by Airside's own {value.origin}.")
    if "*" in settings["allowed_hosts"]:
        warn("WARNING: every Host name is accepted: pages of other sites may reach this server by DNS rebinding.")
    if "*" in settings["allowed_origins"]:
        warn("WARNING: pages of every site may call this server, without credentials.")
    if settings["x_frame_options"].upper() == "NONE":
        warn("WARNING: any site may show MLflow's paths in a frame.")
    if settings["auth"] == "off" and not is_loopback(settings["host"]):
        warn("WARNING: authentication is off on an address that others can reach.")
