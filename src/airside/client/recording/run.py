"""A run that is being made: log to it, and leave."""

import html
import os
import shutil
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from airside.client.recording import stack
from airside.client.recording.entries import Question, Upload
from airside.client.recording.outbox import Outbox, Point
from airside.client.recording.telling import tell
from airside.client.recording.values import figure_bytes, flat, image_bytes, json_bytes, number_of, table_bytes
from airside.client.transport import Client
from airside.core.errors import Invalid
from airside.core.ids import LoggedModelId, RunId
from airside.core.plugin import load
from airside.store.names import safe_parts
from airside.tracking.operations.logging import LogBatch, LogInputs
from airside.tracking.operations.runs import UpdateRun
from airside.tracking.records import Param, RunStatus, Tag
from airside.tracking.rules import MAX_KEY, MAX_TAG_VALUE, check_length, check_name

NO_MODEL = LoggedModelId("")
GROUP = 100
COPY_BYTES = 64 << 20
"""Files up to this size are copied and sent from behind; larger ones are sent before the call returns."""
PATIENCE_S = 10.0
NOTE = "mlflow.note.content"
TABLES = "mlflow.loggedArtifacts"
_MAX_NOTE = MAX_TAG_VALUE - 100


class Run:
    """A run that is being logged to. Thread-safe, and usable in forked and spawned processes.

    Ends FINISHED; FAILED when its `with` is left by an error; KILLED by an interrupt or SIGTERM.

    Attributes:
        run_id: its id.
        name: its name.
    """

    def __init__(self, client: Client, outbox: Outbox, run_id: RunId, name: str, *, address: str) -> None:
        self.run_id = run_id
        self.name = name
        self._client = client
        self._outbox = outbox
        self._address = address
        self._process = os.getpid()
        self._known: set[str] = set()
        self._steps: dict[str, int] = {}
        self._tables: list[dict[str, str]] = []
        self._has_note = False
        self._is_ended = False
        self._is_owner = False
        self._ending = threading.Lock()
        self._points = 0
        self._helpers: list[Any] = []

    @property
    def client(self) -> Client:
        """The platform that it is logged to."""
        return self._client

    @property
    def url(self) -> str:
        """Its page; empty when the platform is in this process."""
        return f"{self._client.url}/runs/{self.run_id}" if self._client.url else ""

    def log(
        self,
        metrics: Mapping[str, Any] | None = None,
        /,
        *,
        step: int | None = None,
        model_id: LoggedModelId = NO_MODEL,
        **values: Any,
    ) -> None:
        """Log a point of each metric: `run.log(loss=0.1, step=3)` or `run.log({"val/loss": 0.2}, step=3)`.

        Returns at once; waits only when too many points wait already. Without a step, the points of a metric are
        counted: 0, 1, 2, …

        Raises:
            Invalid: a name breaks a rule, a value is no number, or the run has ended; none of these is logged.
        """
        self._check_open()
        now_ms = time.time_ns() // 1_000_000
        run_id, steps, known = self.run_id, self._steps, self._known
        points: list[Point] = []
        for key, value in (values if metrics is None else {**metrics, **values}).items():
            if key not in known:
                self._check_key(key, "name")
            number = value if type(value) is float and -1e308 < value < 1e308 else number_of(key, value)
            points.append((run_id, key, number, now_ms, steps.get(key, 0) if step is None else int(step), model_id))
        for point in points:
            steps[point[1]] = point[4] + 1
        self._points += len(points)
        self._outbox.put_points(points)

    def params(self, params: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Log parameters: each is written once. Those of a mapping within get dotted names."""
        self._check_open()
        pairs = [Param(key=key, value=value) for key, value in flat({**(params or {}), **more})]
        for pair in pairs:
            self._check_key(pair.key, "key")
        self._put_groups([LogBatch(run_id=self.run_id, params=tuple(part)) for part in _groups(pairs)])

    def tags(self, tags: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Set tags."""
        self._check_open()
        pairs = [Tag(key=key, value=str(value)) for key, value in {**(tags or {}), **more}.items()]
        for pair in pairs:
            self._check_key(pair.key, "key")
            self._has_note = self._has_note or pair.key == NOTE
        self._put_groups([LogBatch(run_id=self.run_id, tags=tuple(part)) for part in _groups(pairs)])

    def note(self, text: str) -> None:
        """Write what people shall read about the run, as markdown."""
        self.tags({NOTE: text})

    def artifact(self, source: str | os.PathLike[str], to: str = "") -> None:
        """Keep a file, or a folder with all that is in it.

        The file is copied first, so it may change afterwards; one of more than 64 MiB is sent before this returns.

        Args:
            source: the file or folder.
            to: its path among the run's artifacts; its own name when it is not given. One that ends in `/` is a folder
                to put it in.

        Raises:
            Invalid: there is no such file, or the path is not allowed.
        """
        self._check_open()
        path = Path(source)
        place = f"{to}{path.name}" if to.endswith("/") else to or path.name
        if path.is_dir():
            for inside in sorted(one for one in path.rglob("*") if one.is_file()):
                self._put_file(inside, f"{place}/{inside.relative_to(path).as_posix()}")
        elif path.is_file():
            self._put_file(path, place)
        else:
            raise Invalid(f"There is no file or folder '{path}' to keep as an artifact.")

    def text(self, name: str, text: str) -> None:
        """Keep a text as the artifact `name`."""
        self._put_bytes(name, text.encode())

    def json(self, name: str, value: Any) -> None:
        """Keep a value as JSON, as the artifact `name`."""
        self._put_bytes(name, json_bytes(value))

    def figure(self, name: str, figure: Any) -> None:
        """Keep a figure of matplotlib or plotly as the artifact `name`, in the format of its ending."""
        self._put_bytes(name if "." in name.rpartition("/")[2] else f"{name}.png", figure_bytes(name, figure))

    def image(self, name: str, image: Any) -> None:
        """Keep a picture as the artifact `name`: one of Pillow's, or an array (height, width[, channels])."""
        self._put_bytes(name if "." in name.rpartition("/")[2] else f"{name}.png", image_bytes(name, image))

    def table(self, name: str, data: Any) -> None:
        """Keep a table as the artifact `name`: lists by column, a list of rows, or a data frame.

        `mlflow.load_table(name)` reads it.
        """
        place = name if name.endswith(".json") else f"{name}.json"
        self._put_bytes(place, table_bytes(data))
        if {"path": place, "type": "table"} not in self._tables:
            self._tables.append({"path": place, "type": "table"})
            self.tags({TABLES: json_bytes(self._tables).decode()})

    def dataset(self, reference: str, context: str = "training") -> None:
        """Note that the run uses a dataset version, such as `people@3`.

        Raises:
            NotFound: there is none.
        """
        self._check_open()
        version = load("airside.client.sdk.data:get_version")(self._client, reference)
        given = load("airside.client.sdk.data:dataset_input")(version, context)
        self._outbox.put(Question(LogInputs(run_id=self.run_id, datasets=(given,))))

    def model(self, name: str, model: Any, *, example: Any, **options: Any) -> Any:
        """Store a fitted scikit-learn model; options and answer are those of `airside.client.sdk.models.log_model`."""
        self._check_open()
        self.flush()
        logged = load("airside.client.sdk.models:log_model")
        return logged(self._client, model, run_id=self.run_id, name=name, example=example, **options)

    def flush(self) -> bool:
        """Wait until all that was logged is durable; whether the server has it, and not only this machine's spool.

        Raises:
            AirsideError: something of it was refused.
        """
        is_there = self._outbox.settle()
        for error in self._outbox.troubles.refusals(self.run_id):
            raise error
        return is_there

    def finish(
        self, status: RunStatus = "FINISHED", *, error: BaseException | None = None, patience_s: float | None = None
    ) -> None:
        """Send what waits and end the run. What went wrong is told, never raised: see `flush` for that.

        Args:
            status: how it ended.
            error: why it did not finish: becomes its note.
            patience_s: how long to wait for a server that is away before it is left to the spool;
                `AIRSIDE_PATIENCE_S`, else 10 seconds.
        """
        with self._ending:
            if self._is_ended:
                return
            if self._process != os.getpid() or not self._is_owner:  # a guest in another process: it only logged
                self._outbox.settle()
                return
            for helper in self._helpers:
                helper.stop(status)
            if error is not None:
                self._note_error(error)
            end = UpdateRun(run_id=self.run_id, status=status, end_time_ms=time.time_ns() // 1_000_000)
            self._outbox.put(Question(end))
            self._is_ended = True
        is_there = self._outbox.settle(_patience_s() if patience_s is None else patience_s)
        self._outbox.leave()
        stack.remove(self)
        self._tell_end(status, is_there=is_there)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        status = stack.ended_as(error) if kind is not None else "FINISHED"
        self.finish(status, error=error if status != "FINISHED" else None)

    def __repr__(self) -> str:
        return f"<run {self.name} {self.run_id}{f' {self.url}' if self.url else ''}>"

    def _repr_html_(self) -> str:
        name = html.escape(self.name)
        if not self.url:
            return f"Airside run <b>{name}</b> <code>{self.run_id}</code>"
        return f'Airside run <a href="{html.escape(self.url)}" target="_blank" rel="noopener"><b>{name}</b></a>'

    def __reduce__(self) -> tuple[Any, ...]:
        return load("airside.client.recording.start:attached"), (self._address, self.run_id, self.name)

    def own(self, *helpers: Any) -> None:
        """Make this process the one that ends the run; helpers are stopped before it ends."""
        self._is_owner = True
        self._helpers = list(helpers)
        self._outbox.enter()

    def resume_steps(self, latest: Mapping[str, int], *, has_note: bool) -> None:
        """Go on counting where the metrics of a resumed run have stopped."""
        self._steps = {key: step + 1 for key, step in latest.items()}
        self._has_note = has_note

    def _check_open(self) -> None:
        if self._is_ended:
            raise Invalid(f"The run '{self.name}' has ended. Go on with it: airside.start_run(run_id='{self.run_id}')")

    def _check_key(self, key: str, what: str) -> None:
        if key in self._known:
            return
        check_name(key, what)
        check_length(key, what, MAX_KEY)
        if len(self._known) < 10_000:
            self._known.add(key)

    def _put_groups(self, asks: list[LogBatch]) -> None:
        self._outbox.put(*(Question(ask) for ask in asks))

    def _put_bytes(self, name: str, content: bytes) -> None:
        self._check_open()
        safe_parts(name)
        if len(content) > COPY_BYTES >> 4:
            copy = _copy_place()
            copy.write_bytes(content)
            self._outbox.put(Upload(copy, run_id=self.run_id, path=name))
        else:
            self._outbox.put(Upload(content, run_id=self.run_id, path=name))

    def _put_file(self, path: Path, to: str) -> None:
        safe_parts(to)
        if path.stat().st_size <= COPY_BYTES:
            copy = _copy_place()
            shutil.copyfile(path, copy)
            self._outbox.put(Upload(copy, run_id=self.run_id, path=to))
            return
        self._outbox.settle()  # the run itself may still be on its way
        self._client.upload_artifact(f"{self._outbox.roots.of(self._client, self.run_id)}/{to}", path)

    def _note_error(self, error: BaseException) -> None:
        redacted = load("airside.tracking.capture.secret:redacted")
        said = redacted("".join(traceback.format_exception_only(error)).strip())
        tags = {"airside.error": said[:1000]}
        if not self._has_note:
            trace = redacted("".join(traceback.format_exception(error)))
            tags[NOTE] = f"**{said[:500]}**\n\n```\n{trace[-(_MAX_NOTE - 600) :]}\n```"
        self.tags(tags)

    def _tell_end(self, status: RunStatus, *, is_there: bool) -> None:
        for wrong in self._outbox.troubles.refusals(self.run_id):
            tell(f"run {self.name} is not complete: {wrong.message[:500]}")
        if self._outbox.troubles.dropped:
            tell(f"{self._outbox.troubles.dropped:,} values were lost: the spool was full.")
        where = self.url or self.run_id
        if is_there:
            points = f"{self._points:,} point{'' if self._points == 1 else 's'}"
            tell(f"run {self.name} {status.lower()}, {points}: {where}")
        else:
            tell(
                f"run {self.name} {status.lower()}; what the server does not have yet waits in the spool. The next run "
                "sends it, or: airside spool send"
            )


def _patience_s() -> float:
    try:
        return max(0.0, float(os.environ.get("AIRSIDE_PATIENCE_S", "")))
    except ValueError:
        return PATIENCE_S


def _copy_place() -> Path:
    handle, name = tempfile.mkstemp(prefix="airside-", suffix=".bytes")
    os.close(handle)
    return Path(name)


def _groups(items: list[Any]) -> list[list[Any]]:
    return [items[at : at + GROUP] for at in range(0, len(items), GROUP)]
