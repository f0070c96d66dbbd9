from tests.serving.conftest import MODEL, NAME, House

from airside.platform.reactions.serving import deploy_challenger, follow_champion
from airside.registry.events import AliasMoved, VersionPromoted
from airside.registry.operations.aliases import SetAlias
from airside.serving.operations.endpoints import GetEndpoint
from airside.serving.operations.rollouts import ListRollouts


def test_a_champion_moved_in_the_registry_switches_the_endpoint_once(house: House) -> None:
    house.model()
    house.endpoint()
    house.ask(SetAlias(name=MODEL, alias="champion", version=2))
    event = VersionPromoted(name=MODEL, version=2, previous=1)
    follow_champion(house.platform, event, 1)
    follow_champion(house.platform, event, 1)
    endpoint = house.ask(GetEndpoint(name=NAME))
    assert (endpoint.version, endpoint.previous_version) == (2, 1)


def test_a_promotion_that_is_overtaken_changes_nothing(house: House) -> None:
    house.model(versions=3)
    house.endpoint()
    house.ask(SetAlias(name=MODEL, alias="champion", version=3))
    follow_champion(house.platform, VersionPromoted(name=MODEL, version=2, previous=1), 1)
    assert house.ask(GetEndpoint(name=NAME)).version == 1


def test_a_challenger_starts_the_plan_of_the_endpoint_once(house: House) -> None:
    house.model()
    house.endpoint()
    event = AliasMoved(name=MODEL, alias="challenger", version=2, previous=None)
    deploy_challenger(house.platform, event, 1)
    deploy_challenger(house.platform, event, 1)
    deploy_challenger(house.platform, AliasMoved(name=MODEL, alias="other", version=2, previous=None), 2)
    assert [rollout.to_version for rollout in house.ask(ListRollouts()).items] == [2]
