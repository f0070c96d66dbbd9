"""The nouns of the room: evidence, model card, ML Test Score."""

from datetime import datetime
from typing import Literal, NewType

from airside.core.estimate import Estimate
from airside.core.ids import BlobId, ModelName
from airside.core.record import Record

EvidenceId = NewType("EvidenceId", str)

EvidenceKind = Literal["automatic", "attestation", "not_applicable", "waiver"]
EvidenceStatus = Literal["pass", "fail", "error", "unknown"]
Cause = Literal["schedule", "event", "gate", "trigger", "by_hand"]
SubjectKind = Literal["model_version", "dataset_version", "feature_view", "pipeline", "endpoint", "project"]


class Measured(Record):
    """A figure that was measured, with its interval and n."""

    name: str
    estimate: Estimate


class Threshold(Record):
    """A limit that was applied, and who set it."""

    name: str
    value: float
    set_by: str = ""


class Evidence(Record):
    """What was checked, on what, by whom or what, when, with what result, until when it counts. Never changed.

    Attributes:
        digest: BLAKE3 of the canonical record without its id and digest.
        items: what it is evidence for: `mts:D1` … `mts:O7`, `card:<field>`.
        subject_kind, subject: what was checked, e.g. `model_version`, `employment@3`.
        model, version: the model version it is about; empty and 0 if none.
        produced_by: the run, gate, rollout, window that produced it, by its id.
        valid_until: None when it does not age.
    """

    evidence_id: EvidenceId
    digest: BlobId
    items: tuple[str, ...]
    subject_kind: SubjectKind
    subject: str
    model: ModelName | Literal[""] = ""
    version: int = 0
    kind: EvidenceKind = "automatic"
    cause: Cause = "event"
    status: EvidenceStatus
    measured: tuple[Measured, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    produced_by: str = ""
    statement: str = ""
    signed_by: str
    created_at: datetime
    valid_until: datetime | None = None


class EvidencePage(Record):
    """Some evidence, newest first."""

    items: tuple[Evidence, ...]
    next_page_token: str = ""


class CardField(Record):
    """One field of a card. What nobody knows is said to be missing.

    Attributes:
        text: markdown; empty when missing.
        source: the record it was read from, e.g. `run 0191…`, `gate ga-…`.
    """

    name: str
    text: str = ""
    source: str = ""
    is_missing: bool = False


class CardSection(Record):
    """A part of a card."""

    title: str
    fields: tuple[CardField, ...]


class ModelCard(Record):
    """What the system knows of a model version. Generated, never edited.

    Attributes:
        warnings: what makes the card doubtful now: open alerts, failed gates, expired evidence.
        filled: the share of its fields that are not missing.
    """

    name: ModelName
    version: int
    generated_at: datetime
    sections: tuple[CardSection, ...]
    warnings: tuple[str, ...] = ()
    filled: float
    markdown: str


class ScoredTest(Record):
    """One of the 28 tests: its points, and the evidence that earned them.

    Attributes:
        points: 0 (not done), 0.5 (by hand or stated), 1 (automatic, again and again).
        status: of the newest evidence; `missing` without any, `expired` when it is too old.
        next_step: what would earn the next half point.
    """

    test: str
    name: str
    section: Literal["data", "model", "infrastructure", "monitoring"]
    points: float
    status: Literal["pass", "fail", "error", "unknown", "expired", "missing"]
    evidence_id: EvidenceId | Literal[""] = ""
    created_at: datetime | None = None
    valid_until: datetime | None = None
    next_step: str = ""


class MlTestScore(Record):
    """The ML Test Score of a model version: the minimum of the four sections."""

    model: ModelName
    version: int
    data: float
    model_section: float
    infrastructure: float
    monitoring: float
    score: float
    weakest: Literal["data", "model", "infrastructure", "monitoring"]
    band: str
    tests: tuple[ScoredTest, ...]
    computed_at: datetime
