"""What `mlflow server` takes, alias by alias: honoured, ignored with a line, or refused with the way out."""

from typing import Any

import pytest

from airside.core.aliases import ALIASES, BY_NAME, Alias, from_server, from_variables, uvicorn_options
from airside.core.aliases import Sets as SetsSetting
from airside.core.errors import WrongUse
from airside.core.settings import BY_NAME as SETTINGS
from airside.core.settings import Settings

SAMPLES: dict[str, Any] = {"app_name": "basic-auth", "port": "7001", "uvicorn_opts": "--ssl-certfile /c.pem"}
REFUSED = {
    "registry_store_uri",
    "disable_security_middleware",
    "enable_workspaces",
    "workspace_store_uri",
    "trace_archival_config",
    "secrets_cache_ttl",
    "secrets_cache_max_size",
}
IGNORED = {"read_replica_backend_store_uri", "workers", "expose_prometheus", "gunicorn_opts", "waitress_opts"}


def sample(alias: Alias) -> Any:
    return SAMPLES.get(alias.name, True if alias.is_switch else "x")


@pytest.mark.parametrize("alias", [alias for alias in ALIASES if alias.flag], ids=lambda alias: alias.name)
def test_each_flag_sets_something_or_says_something(alias: Alias) -> None:
    given = {alias.name: sample(alias)}
    if alias.name in REFUSED:
        with pytest.raises(WrongUse):
            from_server({}, given)
        return
    taken = from_server({}, given)
    assert bool(taken.lines) == (alias.name in IGNORED)
    assert bool(taken.values) == (alias.name not in IGNORED)
    assert set(taken.values) <= set(SETTINGS)


@pytest.mark.parametrize("alias", [alias for alias in ALIASES if alias.variable], ids=lambda alias: alias.variable)
def test_each_variable_does_what_its_flag_does(alias: Alias) -> None:
    environment = {alias.variable: str(sample(alias))}
    if alias.name in REFUSED:
        with pytest.raises(WrongUse, match=alias.variable):
            from_server(environment, {})
        return
    taken = from_server(environment, {})
    assert taken.values or taken.lines
    assert all(alias.variable in line for line in taken.lines)


def test_an_alias_that_sets_one_of_ours_names_one_that_there_is() -> None:
    assert {alias.sets for alias in ALIASES if isinstance(alias.take, SetsSetting)} <= set(SETTINGS)
    assert len(BY_NAME) == len(ALIASES)


def test_a_flag_wins_over_its_variable() -> None:
    taken = from_server({"MLFLOW_BACKEND_STORE_URI": "sqlite:///a.db"}, {"backend_store_uri": "sqlite:///b.db"})
    assert taken.values["database"] == ("sqlite:///b.db", "--backend-store-uri")


def test_a_setting_of_ours_wins_over_the_alias() -> None:
    environment = {"MLFLOW_PORT": "7000", "MLFLOW_HOST": "127.0.0.2", "AIRSIDE_PORT": "7001"}
    settings = Settings.load(None, environment=environment)
    assert (settings["port"], settings["host"]) == (7001, "127.0.0.2")
    origins = {value.setting.name: value.origin for value in settings.values()}
    assert (origins["port"], origins["host"]) == ("environment", "mlflow")


def test_every_command_goes_by_the_variables_of_settings_and_by_no_others() -> None:
    environment = {"MLFLOW_ENABLE_WORKSPACES": "true", "MLFLOW_ARTIFACTS_DESTINATION": "/srv/a", "MLFLOW_WORKERS": "8"}
    assert dict(from_variables(environment).values) == {
        "artifacts_destination": ("/srv/a", "MLFLOW_ARTIFACTS_DESTINATION")
    }


@pytest.mark.parametrize("word", ["false", "0", "no", ""])
def test_a_switch_that_is_off_refuses_nothing(word: str) -> None:
    assert from_server({"MLFLOW_ENABLE_WORKSPACES": word}, {}).values == {}
    assert from_server({}, {"enable_workspaces": False}).values == {}


def test_the_registrys_store_may_be_named_if_it_is_the_same() -> None:
    same = {"backend_store_uri": "sqlite:///a.db", "registry_store_uri": "sqlite:///a.db"}
    assert "names the same store" in from_server({}, same).lines[0]
    with pytest.raises(WrongUse, match="airside import mlflow"):
        from_server({}, {**same, "registry_store_uri": "sqlite:///b.db"})


def test_only_basic_auth_is_known_of_the_apps() -> None:
    assert from_server({}, {"app_name": "basic-auth"}).values["admin_login"] == (True, "--app-name")
    with pytest.raises(WrongUse, match="basic-auth"):
        from_server({}, {"app_name": "oidc-auth"})


def test_of_uvicorns_options_tls_is_taken_and_the_rest_is_told() -> None:
    taken = from_server({}, {"uvicorn_opts": "--ssl-keyfile=/k.pem --ssl-certfile /c.pem --log-level debug --reload"})
    assert {name: value for name, (value, _) in taken.values.items()} == {
        "ssl_keyfile": "/k.pem",
        "ssl_certfile": "/c.pem",
    }
    assert "'log-level', 'reload'" in taken.lines[0]
    with pytest.raises(WrongUse, match="cannot be read"):
        uvicorn_options("--x 'y")


def test_the_variables_of_webhooks_let_what_they_let_in_mlflow() -> None:
    environment = {
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "https,http",
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
        "MLFLOW_WEBHOOK_REQUEST_TIMEOUT": "30",
        "MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES": "3",
    }
    values = {name: value for name, (value, _) in from_server(environment, {}).values.items()}
    assert values == {
        "outbound_schemes": "https,http",
        "outbound_allow": ("*",),
        "outbound_timeout_s": "30",
        "webhook_retries": "3",
    }
    assert from_server({"MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "false"}, {}).values == {}
