"""What the page on logging runs tells the reader to do can be done, as it stands there."""

import os
from pathlib import Path

import pytest
from tests.conftest import free_port
from tests.docs.pages import follow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]


def test_a_run_is_logged_gone_on_with_and_its_code_restored(tmp_path: Path) -> None:
    said = follow(["how-to/log-a-run.md"], tmp_path, dict(os.environ), port=free_port())

    assert "run first try finished, " in said
    assert "went on with search" in said
    assert "Nothing waits." in said
    assert "train.py" in said.partition("$ ls again")[2]
