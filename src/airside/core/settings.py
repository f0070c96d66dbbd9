"""The settings: one table, read from MLflow's variables and flags, a file, the environment and flags, in that order."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from airside.core.aliases import Taken, from_variables
from airside.core.errors import WrongUse, quoted
from airside.core.record import Record

Kind = Literal["text", "whole", "number", "switch", "list"]
Origin = Literal["default", "mlflow", "file", "environment", "flag"]
"""Where a value comes from; `mlflow` is a flag or variable of `mlflow server` (`core.aliases`)."""


class Setting(Record):
    """One setting.

    Its name is the flag (`--serving-port`), the key in the file and, in capitals behind `AIRSIDE_`, the variable.
    """

    name: str
    kind: Kind
    default: Any
    help: str


def _s(name: str, kind: Kind, default: Any, text: str) -> Setting:
    return Setting(name=name, kind=kind, default=default, help=text)


SETTINGS: tuple[Setting, ...] = (
    _s("host", "text", "127.0.0.1", "Address to listen on. Any but loopback turns authentication on."),
    _s("port", "whole", 5000, "Port of the control plane; 0 takes a free one."),
    _s("serving_port", "whole", 0, "Port of the serving process; 0 takes a free one."),
    _s("database", "text", "", "URL of the metadata store: empty is HOME/airside.db; postgresql://USER@HOST/NAME."),
    _s("blobs", "text", "", "Where blobs are kept: empty is HOME/blobs; or a folder."),
    _s(
        "artifacts_destination",
        "text",
        "",
        "Where proxied artifacts lie as plain files: empty is HOME/artifacts; or a path, file:, s3://BUCKET/PREFIX.",
    ),
    _s(
        "default_artifact_root",
        "text",
        "",
        "Root of the artifacts of new experiments: empty is mlflow-artifacts:/ (through the server); or a path or URI.",
    ),
    _s(
        "secret_key_file",
        "text",
        "",
        "Key that seals stored secrets: empty is HOME/secret.key; servers that share a database name one file.",
    ),
    _s("artifact_roots", "list", (), "Further roots whose artifacts the server may read, list and delete."),
    _s("serve_artifacts", "switch", True, "Whether the server moves artifacts for its clients."),
    _s("artifacts_only", "switch", False, "Whether the server moves artifacts and does nothing else."),
    _s("artifacts_presigned_only", "switch", False, "Whether artifacts in S3 move by presigned addresses alone."),
    _s("s3_endpoint_url", "text", "", "Address of the object store; empty is that of the AWS region."),
    _s("s3_ignore_tls", "switch", False, "Whether the object store's certificate is left unchecked."),
    _s("synchronous", "text", "FULL", "SQLite's synchronous: FULL survives power loss; NORMAL only a crash."),
    _s("reader_threads", "whole", 3, "Threads that answer queries, each with its own connection."),
    _s("run_memory_mib", "whole", 64, "How much of the runs that were read is kept in memory, in MiB; 0 keeps none."),
    _s("auth", "text", "auto", "auto: on unless every address is loopback; on; off."),
    _s("admin_login", "switch", False, "Whether `admin` signs in with the password of MLFLOW_AUTH_ADMIN_PASSWORD."),
    _s("ssl_certfile", "text", "", "Certificate chain of the server (PEM): with it, it speaks https."),
    _s("ssl_keyfile", "text", "", "Key of the certificate (PEM, without a passphrase)."),
    _s("allowed_hosts", "list", (), "Further Host names to answer to, with * as a wildcard."),
    _s("allowed_origins", "list", (), "Origins of other sites whose pages may call the API."),
    _s("x_frame_options", "text", "SAMEORIGIN", "X-Frame-Options of MLflow's paths: SAMEORIGIN, DENY or NONE."),
    _s("static_prefix", "text", "", "A path in front of all others, e.g. /airside."),
    _s("head_seconds", "whole", 10, "How long the head of a request may take; then 408."),
    _s("stall_seconds", "whole", 20, "How long a body or an answer may crawl (below 1 KiB/s); then it is cut."),
    _s("connections", "whole", 2000, "How many connections may be open; further ones are closed."),
    _s("body_limit_mib", "whole", 16, "Largest JSON body, in MiB."),
    _s("truncate_long_values", "switch", True, "Whether over-long values of parameters and tags are cut; else 400."),
    _s("artifact_location_limit", "whole", 2048, "Most characters of an experiment's artifact location."),
    _s("location_schemes", "list", (), "Schemes that name a host (hdfs, ftp, …) allowed in artifact locations."),
    _s("version_source_pattern", "text", "", "A regular expression that the source of each model version must match."),
    _s("allow_pickle", "switch", False, "Whether model workers may unpickle models registered here."),
    _s("runner", "switch", True, "Whether the server starts a local pipeline runner when a run waits."),
    _s("serving", "switch", True, "Whether the server starts a serving process when an endpoint exists."),
    _s("outbound_schemes", "list", ("https",), "Schemes that webhooks may have: https, and http where you must."),
    _s("outbound_allow", "list", (), "HOST or HOST:PORT that webhooks may call though private or unusual; * is all."),
    _s("outbound_timeout_s", "number", 10.0, "Seconds that a call to the outside may take in all."),
    _s("outbound_ca_file", "text", "", "A PEM file of further authorities that receivers' certificates may have."),
    _s("webhook_retries", "whole", 11, "How often a failed webhook is tried again; 11 with growing pauses is a day."),
    _s("log_level", "text", "info", "debug, info, warning or error."),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}
_IN_WORDS: Mapping[Kind, str] = {
    "text": "text",
    "whole": "whole number",
    "number": "number",
    "switch": "switch: true or false",
    "list": "list of texts",
}
_TRUE, _FALSE = {"1", "true", "yes", "on", "t", "y"}, {"0", "false", "no", "off", "f", "n"}


class Value(Record):
    """What a setting is, and where it came from."""

    setting: Setting
    value: Any
    origin: Origin


class Settings:
    """The values of all settings.

    >>> Settings.load(None, environment={"AIRSIDE_PORT": "7000"})["port"]
    7000
    """

    def __init__(self, values: dict[str, Value]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:
        return self._values[name].value

    def values(self) -> list[Value]:
        """Every setting, in the order of the table."""
        return [self._values[setting.name] for setting in SETTINGS]

    @classmethod
    def load(
        cls,
        home: Path | None,
        *,
        environment: Mapping[str, str] | None = None,
        flags: Mapping[str, Any] | None = None,
        taken: Taken | None = None,
    ) -> "Settings":
        """Read MLflow's words, `HOME/airside.toml`, then the environment, then the flags; a later one wins.

        Args:
            home: whose file is read.
            environment: the variables, without which the process's own are read.
            flags: by the setting's name; those that are None were not given.
            taken: what MLflow's words come to; without it, its variables are read.

        Raises:
            WrongUse: a name that no setting has, or a value of the wrong kind; says where it stands.
        """
        values = {s.name: Value(setting=s, value=s.default, origin="default") for s in SETTINGS}

        def put(name: str, raw: Any, origin: Origin, where: str) -> None:
            setting = BY_NAME.get(name)
            if setting is None:
                raise WrongUse(f"No setting '{name}' ({where}). There are: {quoted(BY_NAME)}.")
            values[name] = Value(setting=setting, value=_parsed(setting, raw, where), origin=origin)

        variables = os.environ if environment is None else environment
        for name, (raw, where) in (taken or from_variables(variables)).values.items():
            put(name, raw, "mlflow", where)
        for name, raw in _from_file(home).items():
            put(name, raw, "file", "airside.toml")
        for variable, raw in variables.items():
            name = variable.removeprefix("AIRSIDE_").lower()
            if variable.startswith("AIRSIDE_") and name in BY_NAME:
                put(name, raw, "environment", variable)
        for name, raw in (flags or {}).items():
            if raw is not None:
                put(name, raw, "flag", f"--{name.replace('_', '-')}")
        return cls(values)


def _from_file(home: Path | None) -> dict[str, Any]:
    path = home / "airside.toml" if home is not None else None
    if path is None or not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WrongUse(f"airside.toml cannot be read: {error}. Mend it or move it away.") from error


def _parsed(setting: Setting, raw: Any, where: str) -> Any:
    """The value of a text, by the setting's kind."""
    try:
        match setting.kind:
            case "whole":
                return _whole(raw)
            case "number":
                return float(raw)
            case "switch":
                return _switch(raw)
            case "list":
                parts = raw.split(",") if isinstance(raw, str) else raw
                return tuple(str(part).strip() for part in parts if str(part).strip())
            case _:
                return _text(raw)
    except (TypeError, ValueError):
        raise WrongUse(
            f"{where} is '{raw}', but {setting.name} is a {_IN_WORDS[setting.kind]}. {setting.help}"
        ) from None


def _whole(raw: Any) -> int:
    if isinstance(raw, bool | float):
        raise TypeError
    return int(raw)


def _text(raw: Any) -> str:
    if not isinstance(raw, str | os.PathLike):
        raise TypeError
    return os.fspath(raw)


def _switch(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).lower()
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE
