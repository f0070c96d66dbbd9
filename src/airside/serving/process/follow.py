"""Follows the control plane: learns of a new routing, loads what it names, and swaps the table as one reference."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from airside.core.errors import AirsideError, Internal
from airside.core.ids import ModelName, RolloutId
from airside.inference.worker import ModelWorker
from airside.serving.operations.endpoints import GetRouting
from airside.serving.operations.rollouts import RollbackRollout
from airside.serving.process.batching import Batcher
from airside.serving.process.control import ControlPlane
from airside.serving.process.models import ModelFolders, key_of
from airside.serving.process.table import LiveArm, LiveModel, LiveRoute, Table
from airside.serving.records import Arm, Route, Routing

POLL_S = 0.25
RETRY_LOAD_S = 5.0
RETIRE_S = 90.0
_log = logging.getLogger("airside.serving.follow")


class Follower:
    """Keeps the table in step with the control plane, on a thread of its own.

    While the control plane is away, the last table stays: predictions go on.

    Args:
        swap: takes a new table; called on the follower's thread.
        remembered: the file that keeps the last routing, for a start while the control plane is away.
    """

    def __init__(
        self, control: ControlPlane, folders: ModelFolders, swap: Callable[[Table], None], remembered: Path
    ) -> None:
        self.has_begun = threading.Event()
        """Set once there is a table, or nobody could be asked for one."""
        self._remembered = remembered
        self._control = control
        self._folders = folders
        self._swap = swap
        self._table = Table()
        self._models: dict[str, LiveModel] = {}
        self._retired: list[tuple[float, LiveModel]] = []
        self._reported: set[str] = set()
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="airside-follow", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def told(self, revision: int) -> None:
        """Someone saw this revision; look at once when it is newer."""
        if revision > self._table.revision:
            self._wake.set()

    def close(self) -> None:
        """Stop following."""
        self._closed.set()
        self._wake.set()
        self._thread.join(5.0)
        for model in (*self._models.values(), *(model for _, model in self._retired)):
            if isinstance(model.predictor, ModelWorker):
                model.predictor.close()

    def look(self) -> bool:
        """Ask for the routing once; whether the table was swapped.

        Raises:
            AirsideError: the control plane does not answer.
        """
        has_fault = any(live.fault for live in self._table.routes.values())
        routing = self._control.call(GetRouting(known=-1 if has_fault else self._table.revision))
        if not routing.changed:
            return False
        self._take(routing)
        self._remember(routing)
        return True

    def recall(self) -> bool:
        """Begin with the last routing that was remembered; whether there was one."""
        try:
            routing = msgspec.json.decode(self._remembered.read_bytes(), type=Routing)
        except (OSError, msgspec.DecodeError):
            return False
        self._take(routing)
        return True

    def _take(self, routing: Routing) -> None:
        self._table = self._built(routing)
        self._swap(self._table)

    def _remember(self, routing: Routing) -> None:
        part = self._remembered.with_suffix(".part")
        try:
            part.write_bytes(msgspec.json.encode(routing))
            part.replace(self._remembered)
        except OSError:  # a full disk: it only matters at a start without the control plane
            _log.warning("routing.not_remembered revision=%s", routing.revision)

    def _run(self) -> None:
        while not self._closed.is_set():
            self._wake.clear()
            pause = POLL_S
            try:
                self.look()
                if any(live.fault for live in self._table.routes.values()):
                    pause = RETRY_LOAD_S
            except AirsideError as error:
                _log.warning("follow.failed error=%s", error.message)
                pause = 1.0
                if self._table.revision < 0 and error.status >= 500:
                    self.recall()
            except Exception:  # noqa: BLE001 -- the edge of the thread: it must go on
                _log.exception("follow.failed")
                pause = 1.0
            self.has_begun.set()
            self._wake.wait(pause)

    def _built(self, routing: Routing) -> Table:
        routes: dict[str, LiveRoute] = {route.endpoint: self._live(route) for route in routing.routes}
        used = {key_of(route.model, arm) for route in routing.routes for arm in (*route.arms, *route.standby)}
        used |= {live.model.key for route in routes.values() for live in route.arms}
        self._retire(used)
        self._folders.keep_only(used)
        return Table(revision=routing.revision, routes=routes)

    def _retire(self, used: set[str]) -> None:
        """Let go of models that no route names; a worker process ends when nobody can be waiting for it any more."""
        now = time.monotonic()
        self._retired += [(now, model) for key, model in self._models.items() if key not in used]
        self._models = {key: model for key, model in self._models.items() if key in used}
        for _, model in (gone for gone in self._retired if now - gone[0] > RETIRE_S):
            if isinstance(model.predictor, ModelWorker):
                model.predictor.close()
        self._retired = [kept for kept in self._retired if now - kept[0] <= RETIRE_S]

    def _live(self, route: Route) -> LiveRoute:
        live: dict[str, LiveArm] = {}
        faults = []
        for arm in route.arms:
            try:
                live[arm.role] = LiveArm(arm, self._model(route.model, arm))
            except AirsideError as error:
                faults.append(f"version {arm.version} cannot be loaded: {error.message}")
                _log.error("model.refused model=%s version=%s error=%s", route.model, arm.version, error.message)
                if arm.role != "champion" and route.rollout_id and error.status < 500:
                    self._report(RolloutId(route.rollout_id), faults[-1])
        for arm in route.standby:
            try:
                self._model(route.model, arm)
            except AirsideError as error:
                _log.warning("standby.refused model=%s version=%s error=%s", route.model, arm.version, error.message)
        arms = tuple(live[role] for role in ("champion", "canary") if role in live)
        before = self._table.routes.get(route.endpoint)
        if "champion" not in live and before is not None and route.arms:
            arms = before.arms[:1]  # better the version before than none
        by_version = {each.arm.version: each for each in (*arms, *live.values())}
        return LiveRoute(route, arms, live.get("shadow"), "; ".join(faults), by_version)

    def _model(self, model: ModelName, arm: Arm) -> LiveModel:
        key = key_of(model, arm)
        known = self._models.get(key)
        if known is None:
            try:
                predictor = self._folders.load(model, arm)
            except (OSError, ValueError) as error:
                _log.exception("model.unreadable model=%s version=%s", model, arm.version)
                raise Internal(f"The files of '{model}@{arm.version}' cannot be read here.") from error
            thread = ThreadPoolExecutor(1, thread_name_prefix=f"airside-model-{arm.version}")
            known = LiveModel(key, predictor, Batcher(predictor.predict, thread))
            self._models[key] = known
            _log.info("model.loaded model=%s version=%s form=%s", model, arm.version, predictor.form)
        return known

    def _report(self, rollout_id: RolloutId, reason: str) -> None:
        """A version that cannot be loaded cannot be judged: its rollout ends."""
        if rollout_id in self._reported:
            return
        self._reported.add(rollout_id)
        try:
            self._control.call(RollbackRollout(id=rollout_id, reason=f"Serving: {reason}"))
        except AirsideError as error:
            _log.warning("rollback.refused rollout=%s error=%s", rollout_id, error.message)
