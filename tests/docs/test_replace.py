"""What the page about replacing `mlflow server` says can be done."""

import os
from pathlib import Path

import pytest
from tests.conftest import free_port
from tests.docs.pages import follow

from airside.core.aliases import ALIASES
from docs import generate


@pytest.mark.slow
def test_the_server_is_replaced_and_its_trash_emptied(tmp_path: Path) -> None:
    said = follow(["how-to/replace-mlflow-server.md"], tmp_path, dict(os.environ), port=free_port())

    assert "artifacts of the run lie at mlflow-artifacts:/0/" in said
    assert "has been permanently deleted." in said
    assert "the server ended with 0" in said
    assert (tmp_path / "store.db").exists()


def test_every_flag_and_variable_is_in_the_reference() -> None:
    text = generate.settings_page()
    names = [name for alias in ALIASES for name in (alias.flag, alias.variable) if name]

    assert [name for name in names if f"`{name}`" not in text] == []
