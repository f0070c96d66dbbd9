"""Secrets at rest: who has the database alone has none of them."""

from pathlib import Path

import pytest

from airside.core.errors import Unavailable
from airside.store.sealing import Unsealable, Vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "secret.key")


def test_what_is_sealed_opens_again_and_does_not_show_what_it_is(vault: Vault) -> None:
    sealed = vault.seal("tell-nobody ä", "host")
    assert "tell" not in sealed
    assert sealed != vault.seal("tell-nobody ä", "host")
    assert Vault(vault.path).open(sealed, "host") == "tell-nobody ä"


def test_nothing_stays_nothing(vault: Vault) -> None:
    assert (vault.seal("", "host"), vault.open("", "host")) == ("", "")


def test_what_is_sealed_for_one_host_opens_for_no_other(vault: Vault) -> None:
    with pytest.raises(Unsealable, match="secret_key_file"):
        vault.open(vault.seal("s", "host"), "evil")


@pytest.mark.parametrize("changed", ["", "s1", "s1.x.y", "plain text", "s2", "cut"])
def test_what_was_changed_does_not_open(vault: Vault, changed: str) -> None:
    sealed = vault.seal("s", "host")
    spoilt = {"": "x", "cut": sealed[:-4], "s2": sealed.replace("s1", "s2", 1)}.get(changed, changed)
    with pytest.raises(Unsealable):
        vault.open(spoilt, "host")


def test_the_key_is_this_users_alone(vault: Vault) -> None:
    assert vault.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in vault.path.parent.iterdir()] == ["secret.key"]


def test_a_key_that_others_may_read_is_not_used(vault: Vault) -> None:
    vault.path.chmod(0o640)
    with pytest.raises(Unavailable, match="chmod 600"):
        Vault(vault.path)


@pytest.mark.parametrize("content", [b"", b"!!!", b"c2hvcnQ=\n"])
def test_a_file_that_is_no_key_is_told(vault: Vault, content: bytes) -> None:
    vault.path.write_bytes(content)
    with pytest.raises(Unavailable, match="key"):
        Vault(vault.path)


def test_another_key_opens_nothing(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(Unsealable):
        Vault(tmp_path / "other.key").open(vault.seal("s", "host"), "host")


def test_a_new_key_keeps_those_that_are_in_use(vault: Vault) -> None:
    first = vault.seal("one", "host")
    vault.renew([first])
    second = vault.seal("two", "host")
    assert (vault.open(first, "host"), Vault(vault.path).open(second, "host")) == ("one", "two")
    vault.renew([second])
    assert vault.open(second, "host") == "two"
    with pytest.raises(Unsealable):
        vault.open(first, "host")
