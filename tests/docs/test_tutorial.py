"""What the pages tell the reader to do can be done, as it stands there."""

import os
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.docs.pages import ROOT, follow


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_tutorial_can_be_followed_to_its_end(tmp_path: Path) -> None:
    said = follow(
        ROOT / "docs" / "tutorial.md", tmp_path, dict(os.environ), replace={"5000": str(free_port())}, timeout_s=300
    )

    assert "bit-equal on 200 golden rows" in said
    assert "3 of 3 were right" in said
    assert "computed again: the same bits" in said
