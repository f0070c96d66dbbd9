"""The flags and variables of `mlflow server`, and what each does here: one table.

A unit file or a compose file changes one word (`mlflow server` to `airside server`). An alias sets a setting of ours,
or is ignored with a line that says so, or ends the command with the way out; nothing is passed over in silence.
A flag wins over its variable; our own setting, where one is given as well, wins over both.

Source: MLflow REST contract, section 19.
"""

import shlex
from collections.abc import Callable, Mapping
from typing import Any

from airside.core.errors import WrongUse, quoted
from airside.core.record import Record


class Sent(Record):
    """An alias as it was given.

    Attributes:
        alias: which one.
        where: the flag or the variable, for texts.
        value: what was given with it.
        others: what was given for the other aliases, by their names.
    """

    alias: "Alias"
    where: str
    value: Any
    others: Mapping[str, Any]


class Effect(Record):
    """What an alias does: values for settings of ours, and lines for the person who started the server."""

    values: Mapping[str, Any] = {}
    lines: tuple[str, ...] = ()


class Alias(Record):
    """A flag of `mlflow server`, its variable, and what becomes of it.

    Attributes:
        flag: with its dashes; empty for what is a variable alone.
        short: its short form.
        variable: empty for what is a flag alone.
        is_switch: whether the flag takes no value.
        off: the flag that says the opposite.
        does: what it does here, in words: for the reference.
        take: what it does here.
    """

    does: str
    take: Callable[[Sent], Effect]
    flag: str = ""
    short: str = ""
    variable: str = ""
    is_switch: bool = False
    off: str = ""

    @property
    def name(self) -> str:
        """What it is called among the others."""
        return self.flag.lstrip("-").replace("-", "_") or self.variable

    @property
    def sets(self) -> str:
        """The setting that the alias is another name of; empty when it is none."""
        return self.take.setting if isinstance(self.take, Sets) else ""


class Sets:
    """Gives the value to a setting of ours."""

    def __init__(self, setting: str) -> None:
        self.setting = setting

    def __call__(self, sent: Sent) -> Effect:
        """The value, as it was given."""
        return Effect(values={self.setting: sent.value})


def is_yes(value: Any) -> bool:
    """Whether a switch that MLflow reads from a variable is on.

    >>> is_yes(True), is_yes("false"), is_yes("0"), is_yes("1")
    (True, False, False, True)
    """
    return value is True or str(value).strip().lower() not in ("", "0", "f", "false", "n", "no", "off", "none")


def _when_on(**values: Any) -> Callable[[Sent], Effect]:
    """A switch that stands for values of settings."""
    return lambda sent: Effect(values=values) if is_yes(sent.value) else Effect()


def _ignored(why: str) -> Callable[[Sent], Effect]:
    return lambda sent: Effect(lines=(f"{sent.where} is ignored: {why}",))


def _refused(way_out: str) -> Callable[[Sent], Effect]:
    def refuse(sent: Sent) -> Effect:
        if not sent.alias.is_switch or is_yes(sent.value):
            raise WrongUse(f"{sent.where} cannot be honoured: {way_out}")
        return Effect()

    return refuse


def _registry(sent: Sent) -> Effect:
    backend = sent.others.get("backend_store_uri")
    if backend is not None and str(sent.value).rstrip("/") == str(backend).rstrip("/"):
        return Effect(lines=(f"{sent.where} is ignored: it names the same store as --backend-store-uri.",))
    raise WrongUse(
        f"{sent.where} names another store than --backend-store-uri: runs and models are kept in one. Leave it out; "
        "`airside import mlflow URI` takes over what the other one holds."
    )


def _app(sent: Sent) -> Effect:
    if sent.value != "basic-auth":
        raise WrongUse(f"{sent.where} is '{sent.value}': the only one that Airside knows is basic-auth. Leave it out.")
    return Effect(values={"auth": "on", "admin_login": True})


def uvicorn_options(text: str) -> dict[str, str]:
    """The options in a text for uvicorn, by name; a switch has the value `true`.

    >>> uvicorn_options("--ssl-keyfile /k.pem --ssl-certfile=/c.pem --reload")
    {'ssl-keyfile': '/k.pem', 'ssl-certfile': '/c.pem', 'reload': 'true'}

    Raises:
        WrongUse: a quotation mark has no partner.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise WrongUse(f"The options for uvicorn cannot be read: {error}. They are: {text[:200]}") from None
    options: dict[str, str] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name, mark, value = word[2:].partition("=")
            options[name] = value if mark else "true"
        elif name:
            options[name] = word
            name = ""
        else:
            options[word] = "true"
    return options


def _uvicorn(sent: Sent) -> Effect:
    options = uvicorn_options(str(sent.value))
    values = {
        name.replace("-", "_"): options.pop(name) for name in ("ssl-keyfile", "ssl-certfile") if options.get(name)
    }
    ignored = (f"{sent.where}: ignored are {quoted(options)}: one process does the work.",) if options else ()
    return Effect(values=values, lines=ignored)


_ONE_PROCESS = "one process does the work."

ALIASES: tuple[Alias, ...] = (
    Alias(
        flag="--backend-store-uri",
        variable="MLFLOW_BACKEND_STORE_URI",
        take=Sets("database"),
        does="`database`. `sqlite:///FILE` or `postgresql[+driver]://…`. A database that holds MLflow's tables, MySQL, "
        "SQL Server and `file:`/`mlruns` end the command: `airside import mlflow URI` takes them over",
    ),
    Alias(
        flag="--registry-store-uri",
        variable="MLFLOW_REGISTRY_STORE_URI",
        take=_registry,
        does="the same as `--backend-store-uri`: ignored; another: exit 2 (one store)",
    ),
    Alias(
        flag="--read-replica-backend-store-uri",
        variable="MLFLOW_READ_REPLICA_BACKEND_STORE_URI",
        take=_ignored("reads do not wait for writes here."),
        does="ignored",
    ),
    Alias(
        flag="--default-artifact-root",
        variable="MLFLOW_DEFAULT_ARTIFACT_ROOT",
        take=Sets("default_artifact_root"),
        does="`default_artifact_root`",
    ),
    Alias(
        flag="--artifacts-destination",
        variable="MLFLOW_ARTIFACTS_DESTINATION",
        take=Sets("artifacts_destination"),
        does="`artifacts_destination`; a path, `file:` or `s3://bucket/prefix`",
    ),
    Alias(
        flag="--serve-artifacts",
        off="--no-serve-artifacts",
        variable="MLFLOW_SERVE_ARTIFACTS",
        is_switch=True,
        take=Sets("serve_artifacts"),
        does="`serve_artifacts`",
    ),
    Alias(
        flag="--artifacts-only",
        variable="MLFLOW_ARTIFACTS_ONLY",
        is_switch=True,
        take=Sets("artifacts_only"),
        does="`artifacts_only`",
    ),
    Alias(
        flag="--artifacts-presigned-only",
        variable="MLFLOW_ARTIFACTS_PRESIGNED_ONLY",
        is_switch=True,
        take=Sets("artifacts_presigned_only"),
        does="`artifacts_presigned_only`; exit 2 unless artifacts lie in S3",
    ),
    Alias(flag="--host", short="-h", variable="MLFLOW_HOST", take=Sets("host"), does="`host`"),
    Alias(flag="--port", short="-p", variable="MLFLOW_PORT", take=Sets("port"), does="`port`"),
    Alias(flag="--workers", short="-w", variable="MLFLOW_WORKERS", take=_ignored(_ONE_PROCESS), does="ignored"),
    Alias(flag="--static-prefix", variable="MLFLOW_STATIC_PREFIX", take=Sets("static_prefix"), does="`static_prefix`"),
    Alias(
        flag="--allowed-hosts",
        variable="MLFLOW_SERVER_ALLOWED_HOSTS",
        take=Sets("allowed_hosts"),
        does="`allowed_hosts`; `*` alone is every host, with a warning",
    ),
    Alias(
        flag="--cors-allowed-origins",
        variable="MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
        take=Sets("allowed_origins"),
        does="`allowed_origins`; `*` never together with credentials",
    ),
    Alias(
        flag="--x-frame-options",
        variable="MLFLOW_SERVER_X_FRAME_OPTIONS",
        take=Sets("x_frame_options"),
        does="`x_frame_options`; `NONE` with a warning, and only for MLflow's paths",
    ),
    Alias(
        flag="--disable-security-middleware",
        variable="MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE",
        is_switch=True,
        take=_refused("name the hosts with --allowed-hosts and the origins with --cors-allowed-origins instead."),
        does="exit 2: name hosts and origins instead",
    ),
    Alias(
        flag="--expose-prometheus",
        variable="MLFLOW_EXPOSE_PROMETHEUS",
        take=_ignored("/metrics is always there."),
        does="ignored: `/metrics` is always there",
    ),
    Alias(
        flag="--app-name",
        take=_app,
        does="`basic-auth`: `auth` and `admin_login` on; the password is that of `MLFLOW_AUTH_ADMIN_PASSWORD`, "
        "the user `admin` or that of `MLFLOW_AUTH_ADMIN_USERNAME`",
    ),
    Alias(
        variable="MLFLOW_AUTH_CONFIG_PATH",
        take=_ignored("users, roles and their rights are kept in Airside's own database."),
        does="ignored with a line",
    ),
    Alias(
        variable="MLFLOW_FLASK_SERVER_SECRET_KEY",
        take=_ignored("Airside makes the keys that it needs, and keeps them in its home."),
        does="ignored with a line",
    ),
    Alias(flag="--dev", is_switch=True, take=_when_on(log_level="debug"), does="`log_level` is `debug`"),
    Alias(flag="--gunicorn-opts", variable="MLFLOW_GUNICORN_OPTS", take=_ignored(_ONE_PROCESS), does="ignored"),
    Alias(flag="--waitress-opts", take=_ignored(_ONE_PROCESS), does="ignored"),
    Alias(
        flag="--uvicorn-opts",
        variable="MLFLOW_UVICORN_OPTS",
        take=_uvicorn,
        does="`--ssl-keyfile` and `--ssl-certfile` in it are `ssl_keyfile` and `ssl_certfile`; the rest is ignored",
    ),
    Alias(
        flag="--enable-workspaces",
        off="--disable-workspaces",
        variable="MLFLOW_ENABLE_WORKSPACES",
        is_switch=True,
        take=_refused("there are no workspaces. Leave it out; a server for each team has a --home of its own."),
        does="exit 2",
    ),
    Alias(
        flag="--workspace-store-uri",
        variable="MLFLOW_WORKSPACE_STORE_URI",
        take=_refused("there are no workspaces. Leave it out."),
        does="exit 2",
    ),
    Alias(
        flag="--trace-archival-config",
        variable="MLFLOW_TRACE_ARCHIVAL_CONFIG",
        take=_refused("traces are not archived. Leave it out."),
        does="exit 2",
    ),
    Alias(
        flag="--secrets-cache-ttl",
        take=_refused("there is no gateway whose secrets could be kept. Leave it out."),
        does="exit 2",
    ),
    Alias(
        flag="--secrets-cache-max-size",
        take=_refused("there is no gateway whose secrets could be kept. Leave it out."),
        does="exit 2",
    ),
    Alias(
        flag="--insecure-no-auth",
        is_switch=True,
        take=_when_on(auth="off"),
        does="`auth` is `off`, on any address, with a warning (a flag of ours: MLflow's server is open)",
    ),
    Alias(variable="MLFLOW_TRUNCATE_LONG_VALUES", take=Sets("truncate_long_values"), does="`truncate_long_values`"),
    Alias(
        variable="MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH",
        take=Sets("artifact_location_limit"),
        does="`artifact_location_limit`",
    ),
    Alias(
        variable="MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX",
        take=Sets("version_source_pattern"),
        does="`version_source_pattern`",
    ),
    Alias(
        variable="MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES",
        take=Sets("location_schemes"),
        does="`location_schemes`",
    ),
    Alias(variable="MLFLOW_WEBHOOK_ALLOWED_SCHEMES", take=Sets("outbound_schemes"), does="`outbound_schemes`"),
    Alias(
        variable="MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS",
        is_switch=True,
        take=_when_on(outbound_allow=("*",)),
        does="`outbound_allow` is `*`",
    ),
    Alias(variable="MLFLOW_WEBHOOK_REQUEST_TIMEOUT", take=Sets("outbound_timeout_s"), does="`outbound_timeout_s`"),
    Alias(variable="MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES", take=Sets("webhook_retries"), does="`webhook_retries`"),
    Alias(
        variable="MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY",
        take=_ignored("what a webhook is signed with is protected by the rights of the home or the database."),
        does="ignored with a line",
    ),
    Alias(variable="MLFLOW_S3_ENDPOINT_URL", take=Sets("s3_endpoint_url"), does="`s3_endpoint_url`"),
    Alias(variable="MLFLOW_S3_IGNORE_TLS", take=Sets("s3_ignore_tls"), does="`s3_ignore_tls`"),
)
"""What `mlflow server` takes. A flag that is also a flag of ours (`--port`) is declared by its setting."""
BY_NAME = {alias.name: alias for alias in ALIASES}


class Taken(Record):
    """What the aliases come to.

    Attributes:
        values: by setting: the value, and the flag or variable that it comes from.
        lines: what to tell the person who started the server.
    """

    values: Mapping[str, tuple[Any, str]] = {}
    lines: tuple[str, ...] = ()


def from_variables(environment: Mapping[str, str]) -> Taken:
    """The variables that are other names of settings: what every command that opens a home goes by."""
    return _taken(tuple(alias for alias in ALIASES if alias.sets), environment, {})


def from_server(environment: Mapping[str, str], flags: Mapping[str, Any]) -> Taken:
    """All that `airside server` was given in MLflow's words.

    Args:
        environment: the variables.
        flags: the values of flags by the alias's name; those that were not given are None or left out.

    Raises:
        WrongUse: one of them cannot be honoured; says what to do.
    """
    return _taken(ALIASES, environment, flags)


def _taken(aliases: tuple[Alias, ...], environment: Mapping[str, str], flags: Mapping[str, Any]) -> Taken:
    given: dict[str, tuple[Any, str]] = {}
    for alias in aliases:
        if alias.variable and environment.get(alias.variable, "") != "":
            given[alias.name] = (environment[alias.variable], alias.variable)
        if flags.get(alias.name) is not None:
            given[alias.name] = (flags[alias.name], alias.flag)
    others = {name: value for name, (value, _) in given.items()}
    values: dict[str, tuple[Any, str]] = {}
    lines: list[str] = []
    for name, (value, where) in given.items():
        alias = BY_NAME[name]
        effect = alias.take(Sent(alias=alias, where=where, value=value, others=others))
        values.update({setting: (chosen, where) for setting, chosen in effect.values.items()})
        lines.extend(effect.lines)
    return Taken(values=values, lines=tuple(lines))
