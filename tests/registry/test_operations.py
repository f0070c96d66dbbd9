import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from airside.core.clock import FixedClock
from airside.core.errors import AlreadyExists, Conflict, Denied, Invalid, NotFound
from airside.core.ids import BlobId, ModelName, RunId
from airside.core.operation import LOCAL, Actor
from airside.platform.wiring import Platform
from airside.registry.operations.aliases import DeleteAlias, SetAlias
from airside.registry.operations.approvals import AskApproval, DecideApproval, SearchApprovals
from airside.registry.operations.models import (
    CreateModel,
    DeleteModel,
    DeleteModelTag,
    GetModel,
    ModelHistory,
    RenameModel,
    RequireOfModel,
    RollbackModel,
    SearchModels,
    SetModelTag,
    UpdateModel,
)
from airside.registry.operations.verdicts import LeaveVerdict
from airside.registry.operations.versions import (
    CompleteVersion,
    CreateVersion,
    DeleteVersion,
    DeleteVersionTag,
    GetDownloadUri,
    GetVersion,
    LatestVersions,
    SearchVersions,
    SetStage,
    SetVersionTag,
    UpdateVersion,
    VersionByAlias,
)
from airside.registry.records import ModelVersion

CHURN = ModelName("churn")
DIGEST = BlobId("b3:" + "0" * 64)
ANA = Actor(name="ana", role="owner")
BO = Actor(name="bo", role="owner")


@pytest.fixture
def churn(platform: Platform) -> ModelName:
    platform.call(LOCAL, CreateModel(name=CHURN))
    return CHURN


def register(platform: Platform, name: ModelName = CHURN, actor: Actor = LOCAL) -> ModelVersion:
    return platform.call(actor, CreateVersion(name=name, source=f"s3://bucket/{name}"))


def names_of_events(platform: Platform) -> list[str]:
    rows = platform.read(lambda ctx: ctx.tx.all("SELECT name FROM event ORDER BY seq"))
    return [name for (name,) in rows]


def test_a_model_is_read_as_it_was_created(platform: Platform) -> None:
    made = platform.call(LOCAL, CreateModel(name=CHURN, description="who leaves", tags={"team": "crm"}))
    assert made == platform.call(LOCAL, GetModel(name=CHURN))
    assert (made.created_by, made.description, made.tags) == ("local", "who leaves", {"team": "crm"})


def test_a_name_is_taken_once(platform: Platform, churn: ModelName) -> None:
    with pytest.raises(AlreadyExists, match=r"Registered Model \(name=churn\) already exists."):
        platform.call(LOCAL, CreateModel(name=churn))


def test_a_prompt_and_a_model_do_not_share_a_name(platform: Platform, churn: ModelName) -> None:
    with pytest.raises(AlreadyExists, match="Tried to create a prompt with name 'churn'"):
        platform.call(LOCAL, CreateModel(name=churn, tags={"mlflow.prompt.is_prompt": "true"}))


def test_versions_count_up_and_a_number_is_never_used_again(platform: Platform, churn: ModelName) -> None:
    numbers = [register(platform).version for _ in range(3)]
    platform.call(LOCAL, DeleteVersion(name=churn, version=3))
    assert [*numbers, register(platform).version] == [1, 2, 3, 4]


def test_a_deleted_name_is_free_and_its_versions_begin_anew(platform: Platform, churn: ModelName) -> None:
    register(platform)
    platform.call(LOCAL, SetAlias(name=churn, alias="champion", version=1))
    platform.call(LOCAL, DeleteModel(name=churn))
    with pytest.raises(NotFound, match="Registered Model with name=churn not found"):
        platform.call(LOCAL, GetModel(name=churn))
    platform.call(LOCAL, CreateModel(name=churn))
    assert register(platform).version == 1
    assert platform.call(LOCAL, GetModel(name=churn)).aliases == {}
    with pytest.raises(Conflict, match="no earlier champion"):
        platform.call(LOCAL, RollbackModel(name=churn))


def test_a_version_of_an_unknown_model_is_not_found(platform: Platform) -> None:
    with pytest.raises(NotFound, match="Registered Model with name=churn not found"):
        register(platform)
    with pytest.raises(NotFound, match=r"Model Version \(name=churn, version=1\) not found"):
        platform.call(LOCAL, GetVersion(name=CHURN, version=1))


def test_a_version_is_read_as_it_was_registered(platform: Platform, churn: ModelName) -> None:
    ask = CreateVersion(
        name=churn,
        source="s3://bucket/m",
        run_id=RunId("r"),
        description="d",
        tags={"a": "1"},
        files={"MLmodel": DIGEST},
        reference=DIGEST,
        golden="equal",
        signature="{}",
    )
    made = platform.call(ANA, ask)
    assert made == platform.call(LOCAL, GetVersion(name=churn, version=1))
    assert (made.created_by, made.files, made.stage, made.status) == ("ana", {"MLmodel": DIGEST}, "None", "READY")


def test_contents_are_told_once(platform: Platform, churn: ModelName) -> None:
    register(platform)
    told = CompleteVersion(name=churn, version=1, files={"MLmodel": DIGEST}, signature="{}")
    assert platform.call(LOCAL, told) == platform.call(LOCAL, told)
    with pytest.raises(Invalid, match="never changes"):
        platform.call(LOCAL, CompleteVersion(name=churn, version=1, files={"other": DIGEST}))
    with pytest.raises(Invalid, match="not blob ids"):
        platform.call(LOCAL, CompleteVersion(name=churn, version=1, files={"other": BlobId("x")}))


def test_descriptions_and_tags_change_and_go(platform: Platform, churn: ModelName) -> None:
    register(platform)
    platform.call(LOCAL, UpdateModel(name=churn, description="new"))
    platform.call(LOCAL, SetModelTag(name=churn, key="k", value="v"))
    platform.call(LOCAL, SetVersionTag(name=churn, version=1, key="k", value="v"))
    version = platform.call(LOCAL, UpdateVersion(name=churn, version=1))
    model = platform.call(LOCAL, GetModel(name=churn))
    assert (model.description, model.tags, version.description, version.tags) == ("new", {"k": "v"}, None, {"k": "v"})
    platform.call(LOCAL, DeleteModelTag(name=churn, key="k"))
    platform.call(LOCAL, DeleteModelTag(name=churn, key="k"))
    platform.call(LOCAL, DeleteVersionTag(name=churn, version=1, key="k"))
    model = platform.call(LOCAL, GetModel(name=churn))
    assert (model.tags, model.latest_versions[0].tags) == ({}, {})


def test_an_alias_moves_and_goes_with_its_version(platform: Platform, churn: ModelName) -> None:
    for _ in range(2):
        register(platform)
    platform.call(LOCAL, SetAlias(name=churn, alias="blue", version=1))
    moved = platform.call(LOCAL, SetAlias(name=churn, alias="blue", version=2))
    assert (moved.previous, moved.version) == (1, 2)
    assert platform.call(LOCAL, VersionByAlias(name=churn, alias="blue")).aliases == ("blue",)
    platform.call(LOCAL, DeleteVersion(name=churn, version=2))
    with pytest.raises(Invalid, match=r"Registered model alias blue not found\."):
        platform.call(LOCAL, VersionByAlias(name=churn, alias="blue"))
    platform.call(LOCAL, DeleteAlias(name=churn, alias="blue"))


@pytest.mark.parametrize(
    ("alias", "text"),
    [
        ("latest", "is reserved"),
        ("LaTest", "is reserved"),
        ("v1", "Version alias name 'v1' is reserved"),
        ("a b", "Invalid alias name: 'a b'"),
        ("", "cannot be empty"),
        ("x" * 256, "'Registered model alias name' exceeds the maximum length of 255 characters"),
    ],
)
def test_an_alias_that_cannot_be_is_refused(platform: Platform, churn: ModelName, alias: str, text: str) -> None:
    register(platform)
    with pytest.raises(Invalid, match=text):
        platform.call(LOCAL, SetAlias(name=churn, alias=alias, version=1))


def test_latest_is_the_highest_version_of_any_stage(platform: Platform, churn: ModelName) -> None:
    with pytest.raises(NotFound, match=r"Latest version not found for model churn\."):
        platform.call(LOCAL, VersionByAlias(name=churn, alias="latest"))
    for _ in range(2):
        register(platform)
    platform.call(LOCAL, SetStage(name=churn, version=1, stage="production"))
    assert platform.call(LOCAL, VersionByAlias(name=churn, alias="latest")).version == 2


def test_a_stage_has_its_latest_version_and_may_archive_the_others(platform: Platform, churn: ModelName) -> None:
    for _ in range(3):
        register(platform)
    for version in (1, 2):
        ask = SetStage(name=churn, version=version, stage="PRODUCTION", archive_existing=version == 2)
        platform.call(LOCAL, ask)
    latest = platform.call(LOCAL, LatestVersions(name=churn)).items
    assert [(each.stage, each.version) for each in latest] == [("Archived", 1), ("Production", 2), ("None", 3)]
    only = platform.call(LOCAL, LatestVersions(name=churn, stages=("production",))).items
    assert [each.version for each in only] == [2]


def test_a_version_and_those_that_it_sends_to_the_archive_move_at_one_moment(
    platform: Platform, churn: ModelName, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in (1, 2):
        register(platform)
        platform.call(LOCAL, SetStage(name=churn, version=version, stage="Staging"))
    monkeypatch.setattr(clock, "now_ms", itertools.count(clock.now_ms() + 1000).__next__)
    platform.call(LOCAL, SetStage(name=churn, version=2, stage="Staging", archive_existing=True))
    archived, moved = (platform.call(LOCAL, GetVersion(name=churn, version=version)) for version in (1, 2))
    assert (archived.stage, moved.stage) == ("Archived", "Staging")
    assert archived.updated_ms == moved.updated_ms


def test_a_stage_that_cannot_be_is_refused(platform: Platform, churn: ModelName) -> None:
    register(platform)
    with pytest.raises(Invalid, match=r"Value must be one of None, Staging, Production, Archived\."):
        platform.call(LOCAL, SetStage(name=churn, version=1, stage="bogus"))
    with pytest.raises(Invalid, match="'Archived' is not an Active stage"):
        platform.call(LOCAL, SetStage(name=churn, version=1, stage="archived", archive_existing=True))


def test_a_renamed_model_takes_all_along(platform: Platform, churn: ModelName) -> None:
    register(platform)
    platform.call(LOCAL, SetAlias(name=churn, alias="champion", version=1))
    platform.call(LOCAL, SetVersionTag(name=churn, version=1, key="k", value="v"))
    leavers = platform.call(LOCAL, RenameModel(name=churn, new_name=ModelName("leavers")))
    assert (leavers.aliases, leavers.latest_versions[0].tags) == ({"champion": 1}, {"k": "v"})
    with pytest.raises(NotFound):
        platform.call(LOCAL, GetModel(name=churn))
    platform.call(LOCAL, CreateModel(name=churn))
    with pytest.raises(AlreadyExists, match=r"Registered Model \(name=churn\) already exists. Error: "):
        platform.call(LOCAL, RenameModel(name=ModelName("leavers"), new_name=churn))


# --- what a champion needs -----------------------------------------------------------------------------------------


def test_a_model_that_asks_for_nothing_moves_freely(platform: Platform, churn: ModelName) -> None:
    register(platform)
    assert platform.call(LOCAL, SetAlias(name=churn, alias="champion", version=1)).version == 1


def test_champion_waits_for_the_verdicts_that_the_model_asks_for(platform: Platform, churn: ModelName) -> None:
    register(platform)
    platform.call(LOCAL, RequireOfModel(name=churn, gates=("data", "quality")))
    platform.call(LOCAL, LeaveVerdict(name=churn, version=1, gate="data", passed=True))
    platform.call(LOCAL, LeaveVerdict(name=churn, version=1, gate="quality", passed=False, summary="auc 0.5 < 0.8"))
    champion = SetAlias(name=churn, alias="champion", version=1)
    for ask in (champion, SetStage(name=churn, version=1, stage="Production")):
        with pytest.raises(
            Conflict, match=r"a passing verdict of the gate 'quality', which failed it \(auc 0.5 < 0.8\)"
        ):
            platform.call(LOCAL, ask)
    platform.call(LOCAL, SetAlias(name=churn, alias="challenger", version=1))
    platform.call(LOCAL, LeaveVerdict(name=churn, version=1, gate="quality", passed=True))
    assert platform.call(LOCAL, champion).version == 1


def test_champion_waits_for_each_approver(platform: Platform, churn: ModelName) -> None:
    register(platform, actor=ANA)
    platform.call(ANA, RequireOfModel(name=churn, approvers=("ana", "bo")))
    champion = SetAlias(name=churn, alias="champion", version=1)
    with pytest.raises(Conflict, match="the approval of 'ana'; the approval of 'bo'"):
        platform.call(ANA, champion)
    asked = platform.call(LOCAL, AskApproval(subject_kind="version", subject="churn@1"))
    assert asked.approvers == ("ana", "bo")
    platform.call(ANA, DecideApproval(id=asked.id, approved=True))
    (then,) = platform.call(LOCAL, SearchApprovals(state="waiting")).items
    assert (then.approvers, then.asked_by) == (("bo",), "local")
    platform.call(BO, DecideApproval(id=then.id, approved=True))
    assert platform.call(ANA, champion).version == 1


def test_who_registered_it_is_not_its_only_approver(platform: Platform, churn: ModelName) -> None:
    register(platform, actor=ANA)
    platform.call(ANA, RequireOfModel(name=churn, approvers=("ana",)))
    asked = platform.call(BO, AskApproval(subject_kind="version", subject="churn@1"))
    platform.call(ANA, DecideApproval(id=asked.id, approved=True))
    with pytest.raises(Conflict, match="someone besides 'ana'"):
        platform.call(ANA, SetAlias(name=churn, alias="champion", version=1))


def test_only_those_asked_decide_and_only_once(platform: Platform) -> None:
    asked = platform.call(ANA, AskApproval(subject_kind="step", subject="pr-1/train", approvers=("bo",)))
    with pytest.raises(Denied, match="'ana' is not asked"):
        platform.call(ANA, DecideApproval(id=asked.id, approved=True))
    with pytest.raises(Denied, match="on behalf"):
        platform.call(ANA, DecideApproval(id=asked.id, approved=True, on_behalf_of="bo"))
    decided = platform.call(BO, DecideApproval(id=asked.id, approved=False, comment="no"))
    assert (decided.state, decided.decided_by) == ("refused", "bo")
    with pytest.raises(Conflict, match="was refused by 'bo' already"):
        platform.call(BO, DecideApproval(id=asked.id, approved=True))


def test_approvals_are_found_by_state_a_page_at_a_time(platform: Platform) -> None:
    ids = [platform.call(LOCAL, AskApproval(subject_kind="rollout", subject=f"ro-{n}")).id for n in range(3)]
    platform.call(LOCAL, DecideApproval(id=ids[0], approved=True, on_behalf_of="bo"))
    waiting = SearchApprovals(state="waiting", max_results=1)
    first = platform.call(LOCAL, waiting)
    second = platform.call(LOCAL, SearchApprovals(state="waiting", page_token=first.next_page_token))
    assert {first.items[0].id, *(each.id for each in second.items)} == set(ids[1:])
    with pytest.raises(Invalid, match="names no version"):
        platform.call(LOCAL, AskApproval(subject_kind="version", subject="churn"))


# --- rollback and history ------------------------------------------------------------------------------------------


def test_rollback_goes_back_version_by_version(platform: Platform, churn: ModelName) -> None:
    for version in (1, 2, 3):
        register(platform)
        platform.call(LOCAL, SetAlias(name=churn, alias="champion", version=version))
    back = [platform.call(LOCAL, RollbackModel(name=churn)).version for _ in range(2)]
    assert back == [2, 1]
    with pytest.raises(Conflict, match="no earlier champion"):
        platform.call(LOCAL, RollbackModel(name=churn))


def test_rollback_needs_no_verdict_and_leaves_out_what_is_gone(platform: Platform, churn: ModelName) -> None:
    for version in (1, 2, 3):
        register(platform)
        platform.call(LOCAL, SetAlias(name=churn, alias="champion", version=version))
    platform.call(LOCAL, RequireOfModel(name=churn, gates=("quality",)))
    platform.call(LOCAL, DeleteVersion(name=churn, version=2))
    assert platform.call(LOCAL, RollbackModel(name=churn, reason="v2 was slow")).version == 1
    assert platform.call(LOCAL, ModelHistory(name=churn, what="rollback")).items[0].reason == "v2 was slow"


def test_promotion_is_told_and_nothing_is_told_twice(platform: Platform, churn: ModelName) -> None:
    register(platform)
    for _ in range(2):
        platform.call(LOCAL, SetAlias(name=churn, alias="champion", version=1))
    told = names_of_events(platform)
    assert told[-4:] == ["ModelCreated", "VersionRegistered", "AliasMoved", "VersionPromoted"]


def test_the_history_says_who_changed_what(platform: Platform, churn: ModelName) -> None:
    register(platform)
    platform.call(ANA, SetModelTag(name=churn, key="k", value="v"))
    platform.call(BO, SetAlias(name=churn, alias="champion", version=1))
    first = platform.call(LOCAL, ModelHistory(name=churn, max_results=2))
    rest = platform.call(LOCAL, ModelHistory(name=churn, page_token=first.next_page_token))
    lines = [(each.actor, each.what, each.key, each.after) for each in (*first.items, *rest.items)]
    assert lines == [
        ("bo", "alias", "champion", "1"),
        ("ana", "tag", "k", "v"),
        ("local", "created", "", "s3://bucket/churn"),
        ("local", "created", "", ""),
    ]


# --- sources -------------------------------------------------------------------------------------------------------

REFUSED_SOURCES = (
    "/etc",
    "file:///etc/passwd",
    "relative",
    "http://host/x",
    "https://host/api/2.0/mlflow-artifacts/artifacts/1",
    "ftp://host/x",
    "mlflow-artifacts://host/1/r/artifacts",
    "mlflow-artifacts:/1/r/artifacts",
    "runs:/r/model",
    "models:/m-1",
    "models:/",
    "s3://bucket/a/../b",
    "s3://bucket/a/%2e%2e/b",
    "s3://bucket/a%00",
    "dummy-source",
)


@pytest.mark.parametrize("source", REFUSED_SOURCES)
def test_a_source_that_the_server_could_be_led_by_is_refused(platform: Platform, churn: ModelName, source: str) -> None:
    with pytest.raises(Invalid, match=r"Invalid model version source|addresses a host"):
        platform.call(LOCAL, CreateVersion(name=churn, source=source))


def test_a_version_of_a_version_copies_where_it_lies(platform: Platform, churn: ModelName) -> None:
    platform.call(LOCAL, CreateVersion(name=churn, source="s3://bucket/m", run_id=RunId("r")))
    platform.call(LOCAL, SetAlias(name=churn, alias="blue", version=1))
    other = platform.call(LOCAL, CreateVersion(name=churn, source="models:/churn@blue"))
    uri = platform.call(LOCAL, GetDownloadUri(name=churn, version=2)).artifact_uri
    assert (other.source, other.run_id, uri) == ("models:/churn/1", "r", "s3://bucket/m")


# --- search --------------------------------------------------------------------------------------------------------


def test_models_are_found_by_name_and_tag(platform: Platform) -> None:
    for name, team in (("Alpha", "a"), ("beta", "b"), ("alpine", "a")):
        platform.call(LOCAL, CreateModel(name=ModelName(name), tags={"team": team}))

    def found(text: str) -> list[str]:
        return [model.name for model in platform.call(LOCAL, SearchModels(filter=text)).items]

    assert found("") == ["Alpha", "alpine", "beta"]
    assert found("name LIKE 'al%'") == ["alpine"]
    assert found("name ILIKE 'al%'") == ["Alpha", "alpine"]
    assert found("tags.team = 'a' AND name != 'Alpha'") == ["alpine"]
    assert found("name IN ('beta', 'nope')") == ["beta"]


def test_prompts_are_hidden_unless_they_are_asked_for(platform: Platform, churn: ModelName) -> None:
    prompt = ModelName("greeting")
    tags = {"mlflow.prompt.is_prompt": "true"}
    platform.call(LOCAL, CreateModel(name=prompt, tags=tags))
    platform.call(LOCAL, CreateVersion(name=prompt, source="dummy-source", tags=tags))
    register(platform)
    asked = "tags.`mlflow.prompt.is_prompt` = 'true'"
    models = [[m.name for m in platform.call(LOCAL, SearchModels(filter=text)).items] for text in ("", asked)]
    versions = [[v.name for v in platform.call(LOCAL, SearchVersions(filter=text)).items] for text in ("", asked)]
    assert (models, versions) == ([["churn"], ["greeting"]], [["churn"], ["greeting"]])


def test_versions_are_found_newest_first_a_page_at_a_time(platform: Platform, churn: ModelName) -> None:
    for _ in range(3):
        register(platform)
    first = platform.call(LOCAL, SearchVersions(filter="name = 'churn'", max_results=2))
    second = platform.call(LOCAL, SearchVersions(filter="name = 'churn'", page_token=first.next_page_token))
    assert [each.version for each in (*first.items, *second.items)] == [3, 2, 1]
    numbered = platform.call(LOCAL, SearchVersions(filter="version_number >= '2'", order_by=("version_number ASC",)))
    assert [each.version for each in numbered.items] == [2, 3]


@pytest.mark.parametrize("text", ["tags.k IS NULL", "name >", "stage = 'None'", "name = 1"])
def test_a_filter_that_cannot_be_read_is_refused(platform: Platform, text: str) -> None:
    with pytest.raises(Invalid):
        platform.call(LOCAL, SearchModels(filter=text))


def test_versions_registered_at_once_have_a_number_each(platform: Platform, churn: ModelName) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: register(platform).version, range(8)))
    assert sorted(made) == [1, 2, 3, 4, 5, 6, 7, 8]
