"""Endpoints follow the registry: `champion` moved by hand switches them, `challenger` starts their rollout plan."""

import logging

from airside.core.errors import Conflict
from airside.core.operation import SERVICE
from airside.platform.reacting import Reaction
from airside.platform.wiring import Platform
from airside.registry.events import AliasMoved, VersionPromoted
from airside.registry.records import CHALLENGER
from airside.serving.operations.endpoints import Deploy, FollowChampion, ListEndpoints

_log = logging.getLogger("airside.reactions.serving")


def follow_champion(platform: Platform, event: VersionPromoted, seq: int) -> None:
    """Switch the model's endpoints to its new champion, unless a rollout of theirs has done so."""
    ask = FollowChampion(model=event.name, version=event.version)
    platform.call(SERVICE, ask, idempotency_key=f"endpoints_follow_champion:{seq}")


def deploy_challenger(platform: Platform, event: AliasMoved, seq: int) -> None:
    """Start the rollout of a version that was made challenger, on each endpoint of its model."""
    if event.alias != CHALLENGER or event.version is None:
        return
    for endpoint in platform.call(SERVICE, ListEndpoints(model=event.name, max_results=1000)).items:
        ask = Deploy(endpoint=endpoint.name, version=event.version)
        try:
            platform.call(SERVICE, ask, idempotency_key=f"endpoints_deploy_challenger:{seq}:{endpoint.name}")
        except Conflict as refused:
            _log.info("challenger.not_deployed endpoint=%s reason=%s", endpoint.name, refused.message)


SERVING: tuple[Reaction, ...] = (
    Reaction(name="endpoints_follow_champion", event=VersionPromoted, handle=follow_champion),
    Reaction(name="endpoints_deploy_challenger", event=AliasMoved, handle=deploy_challenger),
)
