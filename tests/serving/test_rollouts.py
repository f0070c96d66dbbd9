from collections.abc import Sequence

import pytest
from tests.serving.conftest import MODEL, NAME, House

from airside.core.clock import FixedClock
from airside.core.errors import AlreadyExists, Conflict, Invalid, NotFound
from airside.core.ids import EndpointName, ModelName, RolloutId
from airside.registry.operations.aliases import SetAlias
from airside.registry.operations.models import GetModel, RequireOfModel
from airside.serving.operations.endpoints import (
    CreateEndpoint,
    DeleteEndpoint,
    Deploy,
    FollowChampion,
    GetEndpoint,
    GetRouting,
    PauseEndpoint,
)
from airside.serving.operations.rollouts import (
    AcknowledgeRollout,
    GetRollout,
    ListRollouts,
    PauseRollout,
    PromoteRollout,
    RollbackRollout,
    TickRollout,
)
from airside.serving.records import Label, Phase, Role, Rollout, RolloutPlan, ServingTransform, ShadowPhase, Step
from airside.serving.ticking import tick_all

CANARY = RolloutPlan(shadow=None, steps=(Step(weight_percent=10, min_rows=50), Step(weight_percent=50, min_rows=50)))


def started(house: House, plan: RolloutPlan = CANARY, transform: ServingTransform | None = None) -> Rollout:
    house.model()
    house.endpoint()
    return begun(house, plan, transform)


def begun(house: House, plan: RolloutPlan, transform: ServingTransform | None = None) -> Rollout:
    rollout = house.ask(Deploy(endpoint=NAME, version=2, plan=plan, transform=transform)).rollout
    assert rollout is not None
    return rollout


def serve(
    house: House, rollout: Rollout, right: Sequence[int], *, phase: Phase = "canary", role: Role = "canary"
) -> None:
    """Requests of one row each: 1 right, 0 wrong, -1 failed; labels come at once."""
    from airside.serving.operations.predictions import LabelPredictions, LabelsOfRequest

    batches = []
    for outcome in right:
        labels: tuple[Label, ...] = () if outcome < 0 else (outcome,)
        version = 1 if role == "champion" else 2
        batches.append(
            house.batch(
                labels,
                role=role,
                version=version,
                rollout=rollout.id,
                phase=phase,
                error="ModelFailed" if outcome < 0 else "",
                rows=1,
            )
        )
    house.append(*batches)
    items = tuple(LabelsOfRequest(request_id=batch.request_id, labels=(1,)) for batch in batches)
    house.ask(LabelPredictions(endpoint=NAME, items=items))


def test_an_endpoint_serves_the_champion_from_the_start(house: House) -> None:
    house.model()
    house.endpoint()
    endpoint = house.ask(GetEndpoint(name=NAME))
    assert (endpoint.version, endpoint.state) == (1, "serving")


def test_the_first_deployment_switches_at_once_and_moves_the_alias(house: House) -> None:
    house.model(champion=0)
    house.endpoint()
    assert house.ask(GetEndpoint(name=NAME)).state == "empty"
    deployed = house.ask(Deploy(endpoint=NAME, version=1))
    assert deployed.rollout is None
    assert deployed.endpoint.version == house.ask(GetModel(name=MODEL)).aliases["champion"] == 1


def test_a_canary_without_harm_steps_and_is_promoted(house: House) -> None:
    rollout = started(house)
    serve(house, rollout, [1] * 100, role="champion")
    serve(house, rollout, [1] * 50)
    stepped = house.ask(TickRollout(id=rollout.id))
    assert (stepped.state, stepped.step, stepped.weight) == ("canary", 1, 5_000)
    serve(house, rollout, [1] * 50, role="champion")
    serve(house, rollout, [1] * 60)
    ended = house.ask(TickRollout(id=rollout.id))
    assert ended.state == "promoted"
    endpoint = house.ask(GetEndpoint(name=NAME))
    assert (endpoint.version, endpoint.previous_version, endpoint.rollout_id) == (2, 1, "")
    assert house.ask(GetModel(name=MODEL)).aliases["champion"] == 2
    assert [decision.outcome for decision in ended.history] == ["started", "step", "promoted"]
    assert ended.history[-1].evidence.guards[0].canary_rows == 110


def test_wrong_labels_roll_the_canary_back_with_the_numbers(house: House) -> None:
    rollout = started(house)
    serve(house, rollout, [1, 1, 1, 1, 0] * 40, role="champion")
    serve(house, rollout, [0, 0, 0, 1, 1] * 8)
    ended = house.ask(TickRollout(id=rollout.id))
    assert ended.state == "rolled_back"
    assert "24 wrong labels in 40, champion 40 in 200" in ended.reason
    assert house.ask(GetEndpoint(name=NAME)).version == 1
    assert house.ask(GetModel(name=MODEL)).aliases["champion"] == 1


def test_five_failures_in_a_row_roll_back_without_a_tick(house: House) -> None:
    rollout = started(house)
    serve(house, rollout, [1, -1, -1, -1, -1])
    assert house.ask(GetRollout(id=rollout.id)).state == "canary"
    serve(house, rollout, [-1])
    ended = house.ask(GetRollout(id=rollout.id))
    assert (ended.state, ended.reason) == ("rolled_back", "Brake: 5 failures in a row.")


def test_labels_that_come_before_the_log_are_joined_when_it_comes(house: House) -> None:
    from airside.serving.operations.predictions import LabelPredictions, LabelsOfRequest

    rollout = started(house)
    labelled = house.ask(LabelPredictions(endpoint=NAME, items=(LabelsOfRequest(request_id="early", labels=(1, 1)),)))
    assert labelled.waiting == 1
    house.append(house.batch((1, 0), role="canary", version=2, rollout=rollout.id, phase="canary", request="early"))
    tallies = {(t.metric, t.role): (t.rows, t.bad) for t in house.ask(GetRollout(id=rollout.id)).tallies}
    assert tallies["wrong_label", "canary"] == (2, 1)


def test_the_shadow_is_judged_in_pairs_and_leads_to_the_canary(house: House) -> None:
    plan = RolloutPlan(shadow=ShadowPhase(min_rows=100, margin=0.05), steps=CANARY.steps)
    rollout = started(house, plan)
    assert rollout.state == "shadow"
    pair(house, rollout, champion=[1] * 90 + [0] * 10, shadow=[1] * 100)
    ended = house.ask(TickRollout(id=rollout.id))
    assert (ended.state, ended.weight) == ("canary", 1_000)
    paired = ended.evidence.paired
    assert paired is not None
    assert (paired.rows, paired.labelled_rows, paired.champion_wrong, paired.challenger_wrong) == (100, 100, 10, 0)


def test_a_shadow_that_is_wrong_more_often_is_refused(house: House) -> None:
    rollout = started(house, RolloutPlan())
    pair(house, rollout, champion=[1] * 100, shadow=[1] * 60 + [0] * 40)
    ended = house.ask(TickRollout(id=rollout.id))
    assert ended.state == "rolled_back"
    assert "it was the challenger on 40" in ended.reason


def pair(house: House, rollout: Rollout, *, champion: list[int], shadow: list[int]) -> None:
    from airside.serving.operations.predictions import LabelPredictions, LabelsOfRequest

    seen = house.batch(champion, rollout=rollout.id, phase="shadow")
    unseen = house.batch(
        shadow, role="shadow", version=2, rollout=rollout.id, phase="shadow", request=seen.request_id, paired=seen.id
    )
    house.append(seen, unseen)
    items = (LabelsOfRequest(request_id=seen.request_id, labels=(1,) * len(champion)),)
    house.ask(LabelPredictions(endpoint=NAME, items=items))


def test_a_promotion_that_the_registry_refuses_becomes_a_pause_that_says_why(house: House) -> None:
    rollout = started(house, RolloutPlan(shadow=None, steps=(Step(weight_percent=50, min_rows=5),)))
    house.ask(RequireOfModel(name=MODEL, gates=("release",)))
    serve(house, rollout, [1] * 5, role="champion")
    serve(house, rollout, [1] * 5)
    paused = house.ask(TickRollout(id=rollout.id))
    assert paused.state == "paused"
    assert "release" in paused.reason
    with pytest.raises(Conflict, match="release"):
        house.ask(PromoteRollout(id=rollout.id))


def test_a_version_without_its_verdicts_is_not_rolled_out(house: House) -> None:
    house.model()
    house.endpoint()
    house.ask(RequireOfModel(name=MODEL, gates=("release",)))
    with pytest.raises(Conflict, match="no passing verdict of release"):
        house.ask(Deploy(endpoint=NAME, version=2))


def test_the_routing_changes_with_each_move_and_names_the_files(house: House) -> None:
    months = ServingTransform(multiply={"AGEP": 12}, after="shadow", note="injected")
    plan = RolloutPlan(shadow=ShadowPhase(min_rows=10, proof="none"), steps=CANARY.steps)
    rollout = started(house, plan, months)
    routing = house.ask(GetRouting())
    (route,) = routing.routes
    assert [(arm.version, arm.role, arm.weight, arm.transform) for arm in route.arms] == [
        (1, "champion", 10_000, None),
        (2, "shadow", 0, None),
    ]
    assert route.arms[1].files == {"MLmodel": "b3:" + f"{2:064x}"}
    assert house.ask(GetRouting(known=routing.revision)).changed is False
    pair(house, rollout, champion=[1] * 10, shadow=[1] * 10)
    house.ask(TickRollout(id=rollout.id))
    (route,) = house.ask(GetRouting(known=routing.revision)).routes
    assert [(arm.role, arm.weight, arm.transform) for arm in route.arms] == [
        ("champion", 9_000, None),
        ("canary", 1_000, months),
    ]
    house.ask(RollbackRollout(id=rollout.id))
    (route,) = house.ask(GetRouting()).routes
    assert [(arm.version, arm.weight) for arm in route.arms] == [(1, 10_000)]


def test_by_hand_one_may_pause_resume_promote_and_acknowledge(house: House) -> None:
    rollout = started(house)
    with pytest.raises(Conflict, match="nothing to acknowledge"):
        house.ask(AcknowledgeRollout(id=rollout.id))
    assert house.ask(PauseRollout(id=rollout.id)).state == "paused"
    assert house.ask(TickRollout(id=rollout.id)).state == "paused"
    assert house.ask(PauseRollout(id=rollout.id, paused=False)).state == "canary"
    assert house.ask(PromoteRollout(id=rollout.id)).state == "promoted"
    assert house.ask(AcknowledgeRollout(id=rollout.id)).acknowledged_by == "local"
    with pytest.raises(Conflict, match="it has ended"):
        house.ask(RollbackRollout(id=rollout.id))
    assert house.ask(GetEndpoint(name=NAME)).version == 2


def test_a_champion_moved_by_hand_switches_the_endpoint_and_ends_its_rollout(house: House) -> None:
    house.model(versions=3)
    house.endpoint()
    rollout = begun(house, CANARY)
    house.ask(SetAlias(name=MODEL, alias="champion", version=3))
    changed = house.ask(FollowChampion(model=MODEL, version=3))
    assert [(endpoint.name, endpoint.version, endpoint.previous_version) for endpoint in changed.items] == [
        (NAME, 3, 1)
    ]
    assert house.ask(GetRollout(id=rollout.id)).state == "rolled_back"
    assert house.ask(FollowChampion(model=MODEL, version=3)).items == ()


def test_one_rollout_at_a_time_and_not_of_what_serves_already(house: House) -> None:
    rollout = started(house)
    with pytest.raises(Conflict, match="is under way"):
        house.ask(Deploy(endpoint=NAME, version=2))
    with pytest.raises(Conflict, match=rollout.id):
        house.ask(DeleteEndpoint(name=NAME))
    house.ask(RollbackRollout(id=rollout.id))
    with pytest.raises(Conflict, match="serves 'people@1' already"):
        house.ask(Deploy(endpoint=NAME, version=1))
    with pytest.raises(NotFound):
        house.ask(Deploy(endpoint=NAME, version=9))
    house.ask(DeleteEndpoint(name=NAME))
    assert [each.id for each in house.ask(ListRollouts(endpoint=NAME)).items] == [rollout.id]


def test_no_decision_in_time_ends_as_the_plan_says(house: House, clock: FixedClock) -> None:
    plan = RolloutPlan(shadow=None, steps=CANARY.steps, max_duration_s=60, on_timeout="rollback")
    rollout = started(house, plan)
    clock.advance(seconds=61)
    ended = house.ask(TickRollout(id=rollout.id))
    assert ended.state == "rolled_back"
    assert "No decision within 60 s" in ended.reason


def test_the_controller_looks_when_the_interval_has_passed(house: House, clock: FixedClock) -> None:
    rollout = started(house)
    tick_all(house.platform)
    first = house.ask(GetRollout(id=rollout.id)).looked_at
    assert first is not None
    clock.advance(seconds=5)
    tick_all(house.platform)
    assert house.ask(GetRollout(id=rollout.id)).looked_at == first
    clock.advance(seconds=6)
    tick_all(house.platform)
    third = house.ask(GetRollout(id=rollout.id)).looked_at
    assert third is not None
    assert third > first


def test_names_plans_and_pauses_are_checked(house: House) -> None:
    house.model(champion=0)
    with pytest.raises(Invalid, match="cannot be named"):
        house.ask(CreateEndpoint(name=EndpointName("../x"), model=MODEL))
    with pytest.raises(NotFound):
        house.ask(CreateEndpoint(name=NAME, model=ModelName("nobody")))
    house.endpoint()
    with pytest.raises(AlreadyExists):
        house.endpoint()
    with pytest.raises(Conflict, match="nothing to pause"):
        house.ask(PauseEndpoint(name=NAME))
    with pytest.raises(NotFound, match="'jobs'"):
        house.ask(GetEndpoint(name=EndpointName("job")))
    with pytest.raises(NotFound, match="No rollout"):
        house.ask(GetRollout(id=RolloutId("ro-0")))
