"""Starting runs: defaults of the process, new runs, resumed ones, nested ones, and those of other processes.

import airside

with airside.start_run("first try", experiment="churn") as run:
    run.params(depth=7)
    for step, loss in enumerate(losses):
        run.log(loss=loss, step=step)
"""

import getpass
import os
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from airside.client.recording import stack
from airside.client.recording.delivery import AWAY
from airside.client.recording.entries import Question
from airside.client.recording.outbox import Outbox, outbox_of
from airside.client.recording.run import NOTE, Run
from airside.client.recording.spool import EMBEDDED
from airside.client.recording.telling import tell
from airside.client.transport import Client, connect, open_home
from airside.core.clock import system_random
from airside.core.errors import AirsideError, Conflict, Invalid, NotFound
from airside.core.ids import RunId, new_hex
from airside.core.plugin import load
from airside.tracking.names import invented
from airside.tracking.operations.runs import GetRun, StartRun, UpdateRun
from airside.tracking.records import Run as StoredRun
from airside.tracking.records import Tag

PARENT_TAG = "mlflow.parentRunId"
_defaults: dict[str, Any] = {"client": None, "process": 0}
_guests: dict[RunId, Run] = {}


def init(
    *,
    url: str = "",
    token: str = "",
    home: str | os.PathLike[str] = "",
    experiment: str = "",
    capture: bool | Collection[str] | None = None,
    quiet: bool | None = None,
) -> Client:
    """Set the defaults of this process and of those that it starts; what is not given comes from the environment.

    Args:
        url: the server's address; `AIRSIDE_URL`, else `MLFLOW_TRACKING_URI` when that is one.
        token: its access token; `AIRSIDE_TOKEN`.
        home: the home to open when there is no address; `AIRSIDE_HOME`.
        experiment: of runs that name none; `AIRSIDE_EXPERIMENT`, else `MLFLOW_EXPERIMENT_NAME`, else `Default`.
        capture: what is captured unasked: all, nothing, or these kinds; `AIRSIDE_CAPTURE`.
        quiet: whether the lines at start and end of a run are left out; `AIRSIDE_QUIET`.

    Raises:
        Invalid: the address is none, or there is no such kind of capture.
    """
    for name, value in (("URL", url), ("TOKEN", token), ("HOME", os.fspath(home)), ("EXPERIMENT", experiment)):
        if value:
            os.environ[f"AIRSIDE_{name}"] = value
    if quiet is not None:
        os.environ["AIRSIDE_QUIET"] = "1" if quiet else "0"
    if capture is not None:
        os.environ["AIRSIDE_CAPTURE"] = load("airside.tracking.capture.kinds:told")(capture)
    _defaults["client"] = None
    return default_client()


def default_client() -> Client:
    """The client of this process: the server that the environment names, else the local home.

    Raises:
        Conflict: the home belongs to another process that is no server.
    """
    found: Client | None = _defaults["client"]
    if found is None:
        found = _defaults["client"] = connect()
    return found


def start_run(  # noqa: PLR0913 -- the people's edge: all that may be said of a run, by name
    name: str = "",
    *,
    experiment: str = "",
    run_id: str = "",
    nested: bool = False,
    tags: Mapping[str, str] | None = None,
    note: str = "",
    client: Client | None = None,
    capture: bool | Collection[str] | None = None,
) -> Run:
    """Start a run, or go on with one. Use it in a `with`, or end it with `finish()`.

    When the server is away the run starts all the same: it waits in the spool.

    Args:
        name: its name; one is invented.
        experiment: the experiment's name, which is made when it is not there.
        run_id: the run to go on with.
        nested: whether it becomes a child of the active run.
        tags: set at its start.
        note: what people shall read about it, as markdown.
        client: the platform; that of `airside.init` or the environment when it is not given.
        capture: what is captured unasked: all (True), nothing (False), or these kinds: `code`, `command`,
            `environment`, `machine`, `seeds`, `threads`, `metrics`.

    Raises:
        Invalid: another run is active in this thread and `nested` is not said; a name is not allowed.
        NotFound: there is no run of that id. Denied: the token may not.
    """
    kinds = load("airside.tracking.capture.kinds:chosen")(capture)
    parent = _parent(nested=nested, is_resumed=bool(run_id))
    platform = client or default_client()
    address = address_of(platform)
    outbox = outbox_of(platform, address)
    made = {**(tags or {}), **({NOTE: note} if note else {}), **({PARENT_TAG: parent} if parent else {})}
    wanted = run_id or ("" if parent else _inherited_id())
    if wanted:
        run, stored = _resumed(platform, outbox, RunId(wanted), address)
        if made:
            run.tags(made)
    else:
        run, stored = _created(platform, outbox, name, experiment, made, address)
    stack.add(run)
    helpers = [load("airside.client.recording.autolog:Joined")(run)]
    if kinds:
        helpers.append(load("airside.client.recording.capturing:Capturing")(run, outbox, kinds, made, stored))
    run.own(*helpers)
    for helper in helpers:
        helper.start()
    tell(f"run {run.name} {'goes on' if wanted else 'started'}: {run.url or run.run_id}")
    return run


def attached(address: str, run_id: RunId, name: str) -> Run:
    """The run of another process, to log to: what unpickling one gives. Its maker ends it."""
    for run in (*stack.all_active(), *_guests.values()):
        if run.run_id == run_id:
            return run
    client = _client_at(address)
    guest = _guests[run_id] = Run(client, outbox_of(client, address), run_id, name, address=address)
    return guest


def address_of(client: Client) -> str:
    """Where a client talks to, as the spool and other processes know it."""
    return client.url or f"{EMBEDDED}{client.home}"


def _client_at(address: str) -> Client:
    """A client for an address of `address_of`; of a home that another process has open, one that only spools."""
    if not address.startswith(EMBEDDED):
        known = _defaults["client"]
        return known if known is not None and known.url == address else connect(address)
    home = Path(address.removeprefix(EMBEDDED))
    try:
        return open_home(home)
    except Conflict:
        return Client(load("airside.client.transport:NowhereTransport")(home))


def _parent(*, nested: bool, is_resumed: bool) -> str:
    """The id of the run that a new one is a child of."""
    active = stack.active_here()
    if active is None:
        return "" if is_resumed else os.environ.get("AIRSIDE_PARENT_RUN", "")
    if nested:
        return active.run_id
    if _is_notebook():
        active.finish()
        return ""
    raise Invalid(
        f"The run '{active.name}' is active in this thread. End it first (run.finish()), or start a child of it: "
        "airside.start_run(nested=True)"
    )


def _is_notebook() -> bool:
    """Whether a cell that is run again starts its run again."""
    return "ipykernel" in sys.modules


def _inherited_id() -> str:
    """The run that a launcher made for this process: `AIRSIDE_RUN_ID`, or MLflow's variable. The first one takes it."""
    return os.environ.pop("AIRSIDE_RUN_ID", "") or os.environ.get("MLFLOW_RUN_ID", "")


def _created(
    client: Client, outbox: Outbox, name: str, experiment: str, tags: Mapping[str, str], address: str
) -> tuple[Run, StoredRun | None]:
    now_ms = time.time_ns() // 1_000_000
    user = _user()
    known = {"mlflow.user": user, **tags} if user else dict(tags)
    ask = StartRun(
        experiment=experiment
        or os.environ.get("AIRSIDE_EXPERIMENT", "")
        or os.environ.get("MLFLOW_EXPERIMENT_NAME", "")
        or "Default",
        run_id=RunId(new_hex(now_ms, system_random)),
        name=name or tags.get("mlflow.runName", "") or invented(system_random(4)),
        user_id=user,
        start_time_ms=now_ms,
        tags=tuple(Tag(key=key, value=str(value)) for key, value in known.items()),
    )
    run = Run(client, outbox, ask.run_id, ask.name, address=address)
    run.resume_steps({}, has_note=NOTE in tags)
    question = Question(ask)
    try:
        stored = outbox.client.call(ask, idempotency_key=question.key)
    except AWAY as error:
        outbox.troubles.went_away(error)
        outbox.put(question)
        return run, None
    _learn(outbox, stored)
    return run, stored


def _resumed(client: Client, outbox: Outbox, run_id: RunId, address: str) -> tuple[Run, StoredRun | None]:
    try:
        stored = outbox.client.call(GetRun(run_id=run_id))
    except NotFound:
        raise NotFound(f"There is no run '{run_id}' to go on with. Start a new one without run_id.") from None
    except AWAY as error:
        outbox.troubles.went_away(error)
        outbox.put(Question(UpdateRun(run_id=run_id, status="RUNNING", end_time_ms=0)))
        return Run(client, outbox, run_id, run_id[:8], address=address), None
    run = Run(client, outbox, run_id, stored.info.name, address=address)
    has_note = any(tag.key == NOTE for tag in stored.tags)
    run.resume_steps({metric.key: metric.step for metric in stored.metrics}, has_note=has_note)
    if stored.info.status != "RUNNING":
        outbox.put(Question(UpdateRun(run_id=run_id, status="RUNNING", end_time_ms=0)))
    _learn(outbox, stored)
    return run, stored


def _learn(outbox: Outbox, stored: StoredRun) -> None:
    try:
        outbox.roots.learn(stored.info.run_id, stored.info.artifact_uri)
    except AirsideError:  # said when an artifact is logged, if one is
        return


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user without a name
        return ""
