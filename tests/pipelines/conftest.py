"""What the tests of pipelines share: a platform as drivers see it, and a project on disk."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from airside.client.sdk.pipelines import register_pipeline
from airside.client.transport import Client
from airside.core.operation import LOCAL
from airside.core.record import Ask
from airside.pipelines.runner import Runner, RunnerOptions
from airside.platform.wiring import Platform

T = TypeVar("T")


class DirectTransport:
    """A platform of the test's own, without HTTP."""

    url = ""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def call(self, ask: Ask[T], *, idempotency_key: str) -> T:
        return self._platform.call(LOCAL, ask, idempotency_key=idempotency_key)

    def put_blob(self, pieces: Any) -> Any:
        return self._platform.blobs.put(pieces)

    def get_blob(self, blob: Any) -> Any:
        return self._platform.blobs.open(blob)

    def close(self) -> None:
        """Nothing to end."""


@pytest.fixture
def client(platform: Platform) -> Client:
    return Client(DirectTransport(platform))  # type: ignore[arg-type]  # artifacts are not asked for


@pytest.fixture
def runner(client: Client, tmp_path: Path) -> Callable[..., Runner]:
    def make(**options: Any) -> Runner:
        chosen = RunnerOptions(**{"executor": "pool", **options})
        return Runner(client, tmp_path / "runner", chosen, token="", stop=threading.Event())

    return make


@pytest.fixture
def project(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes a project's files and registers `pipeline.py:main` of it, in a process's fresh state."""

    def make(**files: str) -> None:
        import shutil
        import sys

        root = tmp_path / "project"
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        monkeypatch.syspath_prepend(str(root))
        for name, text in files.items():
            (root / f"{name}.py").write_text(text)
            sys.modules.pop(name, None)
        register_pipeline(client, f"{root / 'pipeline.py'}:main")
        for name in files:
            sys.modules.pop(name, None)

    return make
