"""MLflow's own calls inside a run of ours: `mlflow.autolog()` and the fluent functions log into the same run.

The run becomes the active run of the unmodified `mlflow` package: at once when that is imported already, else as soon
as it is. Autologging then finds an active run, logs into it, and leaves its end to us. A tracking address that somebody
else has set is left alone.
"""

import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from airside.client.recording.telling import tell
from airside.core.plugin import load

if TYPE_CHECKING:
    from airside.client.recording.run import Run

PACKAGE = "mlflow"
QUIET = "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"


class Joined:
    """One run of ours as the active run of `mlflow`, from `start` to `stop`."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._is_in = False
        self._watcher: _Watcher | None = None

    def start(self) -> None:
        """Join now, or when `mlflow` is imported."""
        if not self._run.url:
            return  # mlflow cannot reach a platform in this process
        if is_loaded():
            self.join()
        else:
            self._watcher = _Watcher(self)
            sys.meta_path.insert(0, self._watcher)

    def join(self) -> None:
        """Make the run active in `mlflow`. Whatever goes wrong there is told; our run goes on."""
        mlflow = sys.modules[PACKAGE]
        try:
            self._is_in = self._joined(mlflow)
        except Exception as error:  # noqa: BLE001 -- the edge to another package's state
            tell(f"mlflow's own calls are not logged into run {self._run.name}: {error}")

    def stop(self, status: str) -> None:
        """Leave it as it was."""
        if self._watcher is not None and self._watcher in sys.meta_path:
            sys.meta_path.remove(self._watcher)
        if not self._is_in:
            return
        self._is_in = False
        mlflow = sys.modules[PACKAGE]
        try:
            active = mlflow.active_run()
            if active is not None and active.info.run_id == self._run.run_id:
                told = os.environ.get(QUIET)
                os.environ[QUIET] = "true"  # the run's address is told by us
                mlflow.end_run(status)
                _set(QUIET, told)
        except Exception as error:  # noqa: BLE001 -- the edge to another package's state
            tell(f"mlflow could not end its part of run {self._run.name}: {error}")

    def _joined(self, mlflow: Any) -> bool:
        url = self._run.client.url
        set_to = str(mlflow.get_tracking_uri()) if load("mlflow.tracking:is_tracking_uri_set")() else ""
        if set_to and set_to.rstrip("/") != url:
            tell(f"mlflow's own calls go to {set_to}, as it was told; not into run {self._run.name}.")
            return False
        active = mlflow.active_run()
        if active is not None and not self._is_parent(active.info.run_id):
            tell(f"mlflow has a run of its own active; its calls are not logged into run {self._run.name}.")
            return False
        if not self._run.flush():
            tell(f"the server is away: mlflow's own calls are not logged into run {self._run.name}.")
            return False
        if not set_to:
            mlflow.set_tracking_uri(url)
        token = os.environ.get("AIRSIDE_TOKEN", "")
        if token:
            os.environ.setdefault("MLFLOW_TRACKING_TOKEN", token)
        mlflow.start_run(run_id=self._run.run_id, nested=active is not None, log_system_metrics=False)
        return True

    def _is_parent(self, run_id: str) -> bool:
        return any(run.run_id == run_id for run in load("airside.client.recording.stack:all_active")())


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def is_loaded() -> bool:
    """Whether `mlflow` is imported, and not in the middle of it."""
    module = sys.modules.get(PACKAGE)
    spec = getattr(module, "__spec__", None)
    return module is not None and not getattr(spec, "_initializing", False)


class _Watcher(importlib.abc.MetaPathFinder):
    """Waits for the import of `mlflow`, once."""

    def __init__(self, joined: Joined) -> None:
        self._joined = joined

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The package's own spec, with a loader that tells us when it is there."""
        if fullname != PACKAGE:
            return None
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._joined)
        return spec


class _Loader(importlib.abc.Loader):
    """The package's own loader, and then we join."""

    def __init__(self, loader: Any, joined: Joined) -> None:
        self._loader = loader
        self._joined = joined

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """As the package's own."""
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Run the package, then join."""
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._joined.join()
