"""The chain around a record is bounded, and many records of one kind do not crowd out the others."""

from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.registry.operations.models import CreateModel
from airside.registry.operations.versions import CreateVersion
from airside.tower.operations.chain import GetNeighbourhood
from airside.tracking.operations.runs import CreateRun


def register(platform: Platform, n: int) -> str:
    """A run from which so many versions were registered; its id."""
    run_id = platform.call(LOCAL, CreateRun(name="r")).info.run_id
    platform.call(LOCAL, CreateModel(name="m"))
    for _ in range(n):
        platform.call(LOCAL, CreateVersion(name="m", source=f"runs:/{run_id}/model", run_id=run_id))
    return run_id


def test_of_many_alike_only_some_are_followed_and_it_says_so(platform: Platform) -> None:
    run_id = register(platform, 5)
    near = platform.call(LOCAL, GetNeighbourhood(kind="run", id=run_id, hops=1, alike=3))
    assert sorted(node.id for node in near.nodes if node.kind == "model_version") == ["m@3", "m@4", "m@5"]
    assert not near.is_complete


def test_a_small_chain_is_complete_and_followed_both_ways(platform: Platform) -> None:
    run_id = register(platform, 2)
    near = platform.call(LOCAL, GetNeighbourhood(kind="model_version", id="m@1", hops=2))
    assert {(node.kind, node.id, node.hops) for node in near.nodes} == {
        ("model_version", "m@1", 0),
        ("run", run_id, 1),
        ("model_version", "m@2", 2),
    }
    assert near.is_complete
