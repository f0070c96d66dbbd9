from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from tests.serving.asgi import FakeModel

from airside.core.errors import AirsideError, Conflict, Denied, Invalid, NotFound, Unavailable
from airside.core.ids import BlobId, EndpointName, ModelName
from airside.inference.predictor import Predictor
from airside.serving.operations.endpoints import GetRouting
from airside.serving.operations.rollouts import RollbackRollout
from airside.serving.process.follow import Follower
from airside.serving.process.models import ModelFolders
from airside.serving.process.table import Table
from airside.serving.records import Arm, Role, Route, Routing
from airside.store.blobs.identity import blob_of_file

FILES = {"MLmodel": b"flavors: {}", "model.pkl": b"never loaded"}
DIGESTS = {path: f"b3:{blake3(content).hexdigest()}" for path, content in FILES.items()}
MODEL = ModelName("people")


class Plane:
    """A control plane of one routing and some blobs."""

    def __init__(self, *routes: Route) -> None:
        self.routing = Routing(revision=1, changed=True, routes=routes)
        self.blobs = {DIGESTS[path]: content for path, content in FILES.items()}
        self.asked: list[Any] = []
        self.is_away = False

    def call(self, ask: Any, *, idempotency_key: str = "") -> Any:
        if self.is_away:
            raise Unavailable
        self.asked.append(ask)
        if isinstance(ask, GetRouting) and ask.known == self.routing.revision:
            return Routing(revision=ask.known, changed=False)
        return self.routing

    def save_blob(self, blob: BlobId, target: Path) -> None:
        if blob not in self.blobs:
            raise NotFound
        target.write_bytes(self.blobs[blob])

    def download_artifact(self, path: str, target: Path | None = None) -> bytes:
        raise NotFound


class Folders:
    """Loads fake models; refuses the versions that it is told to."""

    def __init__(self, *, refused: dict[int, AirsideError] | None = None) -> None:
        self.refused = refused or {}
        self.loaded: list[int] = []
        self.kept: set[str] = set()

    def load(self, _model: ModelName, arm: Arm) -> Predictor:
        if arm.version in self.refused:
            raise self.refused[arm.version]
        self.loaded.append(arm.version)
        return FakeModel()

    def keep_only(self, keys: set[str]) -> None:
        self.kept = set(keys)


def arm(version: int, role: Role = "champion", weight: int = 10_000) -> Arm:
    return Arm(version=version, role=role, weight=weight, source="", files=DIGESTS)


def route(*arms: Arm, standby: tuple[Arm, ...] = (), revision: int = 1, rollout: str = "") -> Route:
    return Route(
        endpoint=EndpointName("jobs"),
        model=MODEL,
        state="serving",
        salt="s",
        revision=revision,
        rollout_id=rollout,
        phase="canary" if rollout else "",
        latency_objective_ms=100,
        arms=arms,
        standby=standby,
    )


def follow(plane: Plane, folders: Folders, place: Path) -> tuple[Follower, list[Table]]:
    tables: list[Table] = []
    return Follower(plane, folders, tables.append, place / "routing.json"), tables  # type: ignore[arg-type]


def test_a_new_routing_is_loaded_once_and_swapped_in_whole(tmp_path: Path) -> None:
    plane, folders = Plane(route(arm(1), arm(2, "canary", 1_000), standby=(arm(3),))), Folders()
    follower, tables = follow(plane, folders, tmp_path)
    assert (follower.look(), follower.look()) == (True, False)
    plane.routing = Routing(revision=2, changed=True, routes=(route(arm(2), standby=(arm(1),), revision=2),))
    assert follower.look()
    assert folders.loaded == [1, 2, 3]
    assert [[live.arm.version for live in table.routes["jobs"].arms] for table in tables] == [[1, 2], [2]]
    assert tables[0].routes["jobs"].arms[1].model is tables[1].routes["jobs"].arms[0].model
    assert len(folders.kept) == 2


def test_a_canary_that_cannot_be_loaded_is_rolled_back_and_the_champion_serves_on(tmp_path: Path) -> None:
    plane = Plane(route(arm(1, weight=9_000), arm(2, "canary", 1_000), rollout="ro-1"))
    follower, tables = follow(plane, Folders(refused={2: Invalid("no compiled form")}), tmp_path)
    follower.look()
    follower.look()
    (live,) = tables[-1].routes.values()
    assert [each.arm.version for each in live.arms] == [1]
    assert "version 2 cannot be loaded: no compiled form" in live.fault
    reported = [ask for ask in plane.asked if isinstance(ask, RollbackRollout)]
    assert [(ask.id, "no compiled form" in ask.reason) for ask in reported] == [("ro-1", True)]


def test_a_champion_that_cannot_be_loaded_leaves_the_one_before_in_place(tmp_path: Path) -> None:
    plane, folders = Plane(route(arm(1))), Folders(refused={2: Unavailable()})
    follower, tables = follow(plane, folders, tmp_path)
    follower.look()
    plane.routing = Routing(revision=2, changed=True, routes=(route(arm(2), revision=2),))
    follower.look()
    assert tables[-1].routes["jobs"].arms[0].arm.version == 1
    assert tables[-1].is_ready
    folders.refused.clear()
    follower.look()
    assert tables[-1].routes["jobs"].arms[0].arm.version == 2


def test_a_start_without_the_control_plane_recalls_the_last_routing(tmp_path: Path) -> None:
    plane = Plane(route(arm(1)))
    follow(plane, Folders(), tmp_path)[0].look()
    plane.is_away = True
    follower, tables = follow(plane, Folders(), tmp_path)
    with pytest.raises(Unavailable):
        follower.look()
    assert follower.recall()
    assert tables[-1].routes["jobs"].arms[0].arm.version == 1
    (tmp_path / "routing.json").write_bytes(b"{")
    assert not follow(plane, Folders(), tmp_path)[0].recall()


def test_files_are_brought_once_and_checked_by_digest(tmp_path: Path) -> None:
    plane = Plane()
    folders = ModelFolders(tmp_path, plane, allow_pickle=False)
    with pytest.raises(Denied, match="no compiled form that may serve"):
        folders.load(MODEL, arm(1))
    (brought,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert (brought.name, blob_of_file(brought)) == ("MLmodel", DIGESTS["MLmodel"])
    folders.keep_only([])
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_what_was_registered_is_refused_and_removed(tmp_path: Path) -> None:
    plane = Plane()
    plane.blobs[DIGESTS["MLmodel"]] = b"something else"
    with pytest.raises(Conflict, match="is not the one that was registered"):
        ModelFolders(tmp_path, plane, allow_pickle=False).load(MODEL, arm(1))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("path", ["../MLmodel", "/etc/passwd", "airside/../../x", "a\\b", ""])
def test_a_file_outside_the_folder_is_refused(path: str, tmp_path: Path) -> None:
    hostile = Arm(version=1, role="champion", weight=1, source="", files={path: ""})
    with pytest.raises(Invalid):
        ModelFolders(tmp_path / "models", Plane(), allow_pickle=True).load(MODEL, hostile)
    assert not (tmp_path / "x").exists()


def test_a_version_without_digests_is_not_served(tmp_path: Path) -> None:
    bare = Arm(version=1, role="champion", weight=1, source="", files={})
    with pytest.raises(Invalid, match="without the digests"):
        ModelFolders(tmp_path, Plane(), allow_pickle=True).load(MODEL, bare)
