"""The machine's own metrics, sampled behind a run under MLflow's names, such as `system/disk_usage_percentage`."""

import os
import threading
from typing import TYPE_CHECKING

from airside.client.recording.telling import tell
from airside.core.errors import AirsideError
from airside.tracking.capture.system import Sampler

if TYPE_CHECKING:
    from airside.client.recording.run import Run

INTERVAL_S = 10.0
FIRST_S = 1.0
"""The first sample comes early: a run of a minute has a curve, too."""
PREFIX = "system/"


def interval_s() -> float:
    """Seconds between two samples: MLflow's variable, else its default."""
    try:
        return max(0.1, float(os.environ.get("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "")))
    except ValueError:
        return INTERVAL_S


class Monitor:
    """A thread that logs samples into a run, from `start` to `stop`."""

    def __init__(self, run: "Run", sampler: Sampler | None = None) -> None:
        self._run = run
        self._sampler = sampler or Sampler()
        self._stop = threading.Event()
        node = os.environ.get("MLFLOW_SYSTEM_METRICS_NODE_ID", "")
        self._prefix = f"{PREFIX}{node}/" if node else PREFIX
        self._thread = threading.Thread(target=self._work, name="airside-system-metrics", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, with a last sample when there has been one."""
        self._stop.set()
        self._thread.join(5.0)

    def log_sample(self) -> None:
        """Take a sample and log it."""
        self._run.log({f"{self._prefix}{name}": value for name, value in self._sampler.sample().items()})

    def _work(self) -> None:
        interval = interval_s()
        pause = min(FIRST_S, interval)
        try:
            self._sampler.begin()
            while not self._stop.wait(pause):
                self.log_sample()
                pause = interval
        except (AirsideError, OSError) as error:
            tell(f"the machine's metrics are not sampled any more: {error}")
