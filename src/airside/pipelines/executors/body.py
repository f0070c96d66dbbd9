"""The unit of work: import the function, load its arguments, run it, keep its outputs, leave a receipt.

The same in every executor: called in this process by `inline`, in a worker process by the others.
"""

import importlib
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from airside.core.errors import AirsideError, Invalid, quoted
from airside.pipelines.define import _CURRENT, Step, StepContext
from airside.pipelines.executors.port import Ended, Job, Site, receipt_path
from airside.pipelines.fingerprint.code import Code
from airside.pipelines.fingerprint.walk import fingerprint, fingerprint_classes
from airside.pipelines.records import RESULT, Value
from airside.pipelines.storage import ValueFolder
from airside.pipelines.values import digest_of, storable

ERROR_LENGTH = 500


class Bodies:
    """Runs the bodies of one run in this process. Not thread-safe.

    Args:
        site: where.
        functions: functions that are at hand already, by the graph's names for them; others are imported.
    """

    def __init__(self, site: Site, functions: Mapping[str, Callable[..., Any]] | None = None) -> None:
        self._site = site
        self._functions = dict(functions or {})
        self._root = Path(site.code)
        self._values = ValueFolder(Path(site.values), self._code_of)

    def fingerprint(self, functions: tuple[str, ...]) -> dict[str, Code]:
        """The fingerprints of functions.

        Raises:
            Invalid: one cannot be imported.
        """
        return {name: fingerprint(self._function(name), self._root) for name in functions}

    def import_function(self, name: str) -> None:
        """Import a function before its time is counted; if it cannot be, `run` will say so."""
        with suppress(Invalid):
            self._function(name)

    def run(self, job: Job) -> Ended:
        """One attempt. Whatever the body raises is what became of it."""
        began, clock = datetime.now(UTC), time.monotonic()
        token = _CURRENT.set(self._context(job))
        outputs: dict[str, Value] = {}
        error = ""
        try:
            outputs = self._outputs(job, self._called(job))
        except AirsideError as wrong:
            error = f"{type(wrong).__name__}: {wrong.message}"
            traceback.print_exc()
        except KeyboardInterrupt:
            raise
        except BaseException as wrong:  # noqa: BLE001 -- the edge of a step: SystemExit too is its failure
            error = "".join(traceback.format_exception_only(wrong)).strip()
            traceback.print_exc()
        finally:
            _CURRENT.reset(token)
        step = msgspec.structs.replace(
            job.step,
            state="failed" if error else "succeeded",
            outputs=outputs,
            error=storable(error[:ERROR_LENGTH]),
            seconds=time.monotonic() - clock,
            started_at=began,
            ended_at=datetime.now(UTC),
        )
        ended = Ended(step=step, parts=job.parts)
        self._leave_receipt(ended)
        return ended

    def _called(self, job: Job) -> Any:
        function = self._function(job.function)
        arguments = {name: self._values.load(value) for name, value in job.arguments.items()}
        return function(**arguments)

    def _outputs(self, job: Job, returned: Any) -> dict[str, Value]:
        if job.outputs == (RESULT,):
            return {RESULT: self._values.dump(returned)}
        if isinstance(returned, tuple) and len(returned) == len(job.outputs):
            returned = dict(zip(job.outputs, returned, strict=True))
        if not isinstance(returned, Mapping) or set(returned) != set(job.outputs):
            found = quoted(map(str, returned)) if isinstance(returned, Mapping) else type(returned).__name__
            raise Invalid(f"'{job.function}' must return a dictionary of {quoted(job.outputs)}; it returned {found}.")
        return {name: self._values.dump(returned[name]) for name in job.outputs}

    def _function(self, name: str) -> Callable[..., Any]:
        found = self._functions.get(name)
        if found is None:
            module_name, _, path = name.partition(":")
            try:
                target: Any = importlib.import_module(module_name)
                for part in path.split("."):
                    target = getattr(target, part)
            except Exception as error:
                raise Invalid(f"The step's function '{name}' cannot be imported: {error!r}") from error
            found = self._functions[name] = target.function if isinstance(target, Step) else target
        return found

    def _context(self, job: Job) -> StepContext:
        site = self._site
        return StepContext(
            run_id=site.run,
            step=job.step.step,
            attempt=job.step.attempt,
            tracking_run=site.tracking_run,
            pipeline=site.pipeline,
            url=site.url,
            token=site.token,
            scratch=site.scratch,
        )

    def _code_of(self, classes: set[type]) -> str:
        """The code of the project's classes in a value: methods of it run where the value goes."""
        parts = fingerprint_classes(classes, self._root).parts
        return digest_of("classes", msgspec.json.encode(parts)) if parts else ""

    def _leave_receipt(self, ended: Ended) -> None:
        if not self._site.receipts:
            return
        place = receipt_path(Path(self._site.receipts), ended.step)
        temporary = place.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(msgspec.json.encode(ended))
        temporary.replace(place)
        sys.stdout.flush()
