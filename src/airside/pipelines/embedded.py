"""A run in the asking process's own memory: for notebooks, tests and tiny pipelines."""

import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from airside.pipelines.captured import RunCapture
from airside.pipelines.control import Control
from airside.pipelines.driver import Driver, Outcome, finish
from airside.pipelines.executors.inline import InlineExecutor
from airside.pipelines.executors.port import Site
from airside.pipelines.journal import Journal
from airside.pipelines.keys import SECRET_BYTES, Keys
from airside.pipelines.operations.runs import Claimed
from airside.pipelines.records import PipelineRun


def drive(control: Control, claimed: Claimed, functions: Mapping[str, Callable[..., Any]], root: Path) -> PipelineRun:
    """Drive a claimed run to its end, here and now.

    Args:
        control: the control plane.
        claimed: the run.
        functions: the steps' functions by the names that the graph has for them.
        root: the folder of the code that they are part of.

    Raises:
        Stopped: the run was cancelled.
    """
    stop = threading.Event()
    with tempfile.TemporaryDirectory(prefix="airside-run-") as name:
        folder = Path(name)
        site = Site(
            run=claimed.run.id,
            pipeline=claimed.run.pipeline,
            tracking_run=claimed.run.tracking_run,
            code=str(root),
            values=str(folder / "values"),
            scratch=str(folder / "scratch"),
            url=control.url,
        )
        journal = Journal(control, claimed.run.id, claimed.token, lambda blob: folder / "values" / blob[3:])
        with closing(journal), closing(RunCapture(control, claimed, root=root)) as capture:
            capture.start()
            keys = Keys(root, os.environ, bytes(SECRET_BYTES))
            executor = InlineExecutor(site, functions=functions)
            driver = Driver(claimed, control, executor, journal, keys, values=folder / "values", stop=stop)
            try:
                outcome = driver.drive()
                journal.flush()
            except (Exception, KeyboardInterrupt) as error:
                journal.check()
                finish(control, claimed, Outcome(state="failed", error=f"The driver failed: {error!r}"), stop)
                raise
            return finish(control, claimed, outcome, stop)
