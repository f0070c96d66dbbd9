"""The nouns of the registry."""

from datetime import datetime
from typing import Literal

from airside.core.ids import BlobId, LoggedModelId, ModelName, RunId
from airside.core.record import Record

Stage = Literal["None", "Staging", "Production", "Archived"]
VersionStatus = Literal["PENDING_REGISTRATION", "FAILED_REGISTRATION", "READY"]
ApprovalState = Literal["waiting", "approved", "refused", "revoked"]
SubjectKind = Literal["version", "step", "rollout"]

CHAMPION = "champion"
"""The alias that endpoints follow."""
CHALLENGER = "challenger"
"""The alias whose move starts the rollout plan of the model's endpoints."""


class Requirement(Record):
    """What a version must have before certain aliases, or the stage `Production`, move to it.

    Attributes:
        gates: the names of gates, each of which must have left a passing verdict on the version.
        approvers: the names of people, each of whom must have approved the version.
        aliases: the aliases that wait for it.
    """

    gates: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    aliases: tuple[str, ...] = (CHAMPION,)


class Verdict(Record):
    """What a gate found on a version. The newest of each gate counts."""

    name: ModelName
    version: int
    gate: str
    passed: bool
    left_by: str
    left_at: datetime
    decision_id: str = ""
    summary: str = ""


class Approval(Record):
    """A question put to named people: may this version, step or rollout go on?

    Attributes:
        subject: what is asked about: `churn@7` for a version, else the id of the step or rollout.
        approvers: who may decide; empty means whoever has the right to.
        decided_by: whose decision it was; empty while it waits. Who approved may revoke it later.
    """

    id: str
    subject_kind: SubjectKind
    subject: str
    asked_by: str
    asked_at: datetime
    question: str = ""
    approvers: tuple[str, ...] = ()
    state: ApprovalState = "waiting"
    decided_by: str = ""
    decided_at: datetime | None = None
    comment: str = ""


class ModelVersion(Record):
    """A version of a registered model. It never changes what it stands for.

    Attributes:
        source: where the client says that the files lie; text for the client's own use.
        run_id, model_id: the run and the logged model that it came from; empty when it came from neither.
        description: None when an update took it away, which MLflow's wire tells apart from an empty one.
        files: path in the model directory -> `b3:` digest of its bytes.
        reference: the blob of the profile of the training data; empty when there is none.
        golden: the verdict of the comparison on golden rows, as text.
        signature: the model's signature, as JSON.
        approvers: who must approve this version, beside those whom its model names.
    """

    name: ModelName
    version: int
    source: str
    created_by: str
    created_ms: int
    updated_ms: int
    run_id: RunId = RunId("")
    model_id: LoggedModelId = LoggedModelId("")
    status: VersionStatus = "READY"
    status_message: str = ""
    stage: Stage = "None"
    description: str | None = ""
    run_link: str = ""
    tags: dict[str, str] = {}
    aliases: tuple[str, ...] = ()
    files: dict[str, BlobId] = {}
    reference: BlobId = BlobId("")
    golden: str = ""
    signature: str = ""
    approvers: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


class RegisteredModel(Record):
    """A name under which versions are registered.

    Attributes:
        description: None until one was given, which MLflow's wire tells apart from an empty one.
        aliases: alias -> version.
        latest_versions: the highest version of each stage that has versions.
        requires: what a version needs before it may become champion.
    """

    name: ModelName
    created_by: str
    created_ms: int
    updated_ms: int
    description: str | None = None
    tags: dict[str, str] = {}
    aliases: dict[str, int] = {}
    latest_versions: tuple[ModelVersion, ...] = ()
    requires: Requirement = Requirement()


class ImportedModel(Record):
    """A registered model of another store; `last_version` is the highest number ever used there."""

    model: RegisteredModel
    last_version: int = 0


class ImportedVersion(Record):
    """A model version of another store, and where its files lie."""

    version: ModelVersion
    storage_location: str = ""


class ImportedVersions(Record):
    """Versions of one model by number, and the highest number ever used."""

    items: tuple[ImportedVersion, ...]
    last_version: int


class Change(Record):
    """One line of a model's history: who changed what, from what, to what.

    Attributes:
        version: None when the model itself was changed.
        what: `created`, `renamed`, `deleted`, `description`, `tag`, `alias`, `rollback`, `stage`, `verdict`,
            `requirement`, `approval`, `contents`.
        key: the tag, alias, gate or stage that it is about.
        reason: why, in the words of who rolled back; empty for other changes.
    """

    sequence: int
    name: ModelName
    version: int | None
    what: str
    actor: str
    at: datetime
    key: str = ""
    before: str = ""
    after: str = ""
    reason: str = ""


class ModelPage(Record):
    """A page of registered models."""

    items: tuple[RegisteredModel, ...]
    next_page_token: str = ""


class VersionPage(Record):
    """A page of model versions."""

    items: tuple[ModelVersion, ...]
    next_page_token: str = ""


class VersionList(Record):
    """Some versions of one model."""

    items: tuple[ModelVersion, ...]


class ChangePage(Record):
    """A page of a model's history, newest first."""

    items: tuple[Change, ...]
    next_page_token: str = ""


class ApprovalPage(Record):
    """A page of approvals, newest first."""

    items: tuple[Approval, ...]
    next_page_token: str = ""


class DownloadUri(Record):
    """Where the files of a version lie, as an artifact address."""

    artifact_uri: str


class AliasMove(Record):
    """What moving an alias did: which version it names now, and which it named before (None: none)."""

    name: ModelName
    alias: str
    version: int | None
    previous: int | None


class Rollback(AliasMove):
    """What a rollback did.

    Attributes:
        skipped: versions that were passed over, each with the reason.
        steps: how many steps back of this alias have followed each other; 0 when it came forward, or stayed.
        text: all of it in words.
    """

    skipped: tuple[str, ...] = ()
    steps: int = 0
    text: str


class MadeByRun(Record):
    """The run that a version came from."""

    run_id: RunId
    name: str
    experiment_id: str
    status: str
    user: str
    started_at: datetime | None = None


class MadeFromDataset(Record):
    """A dataset that the run behind a version read.

    Attributes:
        reference: `people@3` when it is a version of the data room; else empty.
        context: what for: `training`, `evaluation`, …
    """

    name: str
    digest: str
    context: str = ""
    source_type: str = ""
    source: str = ""
    reference: str = ""


class MadeWithCode(Record):
    """The code that the run behind a version ran, as far as it was told.

    Attributes:
        bundle: the blob of what no commit holds: uncommitted changes, untracked files.
    """

    commit: str = ""
    branch: str = ""
    repository: str = ""
    source: str = ""
    bundle: str = ""
    is_dirty: bool | None = None


class VersionLineage(Record):
    """Where a version comes from, and which versions were made of it.

    Attributes:
        run, logged_model: None when it came from none, or from one that is no longer there.
        copies: the versions that were registered from this one: `prod-churn@3`.
    """

    name: ModelName
    version: int
    source: str
    run_id: RunId
    model_id: LoggedModelId
    run: MadeByRun | None = None
    logged_model: str = ""
    datasets: tuple[MadeFromDataset, ...] = ()
    code: MadeWithCode = MadeWithCode()
    copies: tuple[str, ...] = ()
