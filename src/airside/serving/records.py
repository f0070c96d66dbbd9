"""The nouns of serving: endpoint, rollout and its plan, the logged prediction, its ground truth, the routing."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from airside.core.estimate import Estimate
from airside.core.ids import EndpointName, ModelName, PredictionId, RolloutId
from airside.core.record import Record

Role = Literal["champion", "canary", "shadow"]
Phase = Literal["", "shadow", "canary"]
EndpointState = Literal["empty", "serving", "paused"]
RolloutState = Literal["shadow", "canary", "paused", "promoted", "rolled_back"]
Guard = Literal["error", "latency", "wrong_label"]
"""A bad event: a request that failed, a request slower than the objective, a row with a wrong label."""
OnTimeout = Literal["pause", "promote", "rollback"]
Label = str | int | float | bool | None
WEIGHT_UNIT = 10_000
"""Weights are whole ten-thousandths of the traffic."""


class Step(Record):
    """A step of a canary.

    Attributes:
        weight_percent: the canary's share of the requests, above 0, at most 100; each step's is at least the last's.
        min_rows: rows that the canary must have answered in this step before it may go on.
        min_labelled_rows: rows of the canary, over all steps, whose ground truth must have come by then.
    """

    weight_percent: float
    min_rows: int = 100
    min_labelled_rows: int = 0


class ShadowPhase(Record):
    """The phase in which the challenger answers the same requests, and nobody sees its answers.

    Attributes:
        min_rows: rows that both must have answered.
        margin: how much larger the challenger's share of wrong labels may be; the paired test must prove that it is
            not. 0.01 is one point.
        proof: `labels` waits for that proof; `none` asks for `min_rows` answers without harm only.
        max_disagreement: the share of rows on which both may differ; beyond it, proven, the challenger is refused.
    """

    min_rows: int = 500
    margin: float = 0.01
    proof: Literal["labels", "none"] = "labels"
    max_disagreement: float = 1.0


class Brake(Record):
    """The absolute limit beside the judge: `in_a_row` hard failures, or more than `share` of the last `last`."""

    in_a_row: int = 5
    share: float = 0.5
    last: int = 20


class RolloutPlan(Record):
    """How a new version takes over.

    Attributes:
        shadow: the phase before the canary; None leaves it out.
        steps: the canary's steps; none means: switch at once after the shadow (blue-green).
        alpha: the chance that a challenger no worse than the champion is rolled back, over any number of looks.
        margin: the allowance of the guards in `prove`, as a share.
        guards: the events watched in the canary, each against the champion's rate in the same ticks.
        prove: the guards that the last step must prove to be within `margin` before the promotion.
        latency_objective_ms: a slower answer is a bad event of the guard `latency`.
        interval_s: time between two looks of the judge.
        max_duration_s, on_timeout: what happens when no decision was reached.
    """

    shadow: ShadowPhase | None = ShadowPhase()
    steps: tuple[Step, ...] = (Step(weight_percent=10, min_rows=200), Step(weight_percent=50, min_rows=500))
    alpha: float = 0.05
    margin: float = 0.01
    guards: tuple[Guard, ...] = ("error", "latency", "wrong_label")
    prove: tuple[Guard, ...] = ()
    latency_objective_ms: float = 250.0
    interval_s: float = 10.0
    brake: Brake = Brake()
    max_duration_s: float = 86_400.0
    on_timeout: OnTimeout = "pause"


class ServingTransform(Record):
    """A declared step between the request and the model: scales or recodes columns.

    Attributes:
        multiply: column → factor.
        recode: column → (text of the old value → new value); values not listed stay.
        after: `start` applies it always; `shadow` from the canary on, so the shadow runs without it.
        note: why it is there; shown wherever the version is.
    """

    multiply: dict[str, float] = msgspec.field(default_factory=dict)
    recode: dict[str, dict[str, Label]] = msgspec.field(default_factory=dict)
    after: Literal["start", "shadow"] = "start"
    note: str = ""


class Endpoint(Record):
    """A name that answers predictions of one registered model.

    Attributes:
        version: the champion's version; 0 while nothing was deployed.
        previous_version: the one before, kept warm; 0 for none.
        revision: the routing's revision that this endpoint last changed in.
        rollout_id: the rollout that is under way, or empty.
    """

    name: EndpointName
    model: ModelName
    created_at: datetime
    updated_at: datetime
    version: int = 0
    previous_version: int = 0
    state: EndpointState = "empty"
    plan: RolloutPlan = RolloutPlan()
    transform: ServingTransform | None = None
    rollout_id: str = ""
    revision: int = 0
    salt: str = ""
    created_by: str = ""


class EndpointPage(Record):
    """Endpoints, by name."""

    items: tuple[Endpoint, ...]
    next_page_token: str = ""


class GuardEvidence(Record):
    """What the judge knows of one guard. It is the judge's whole state, so it survives restarts.

    Attributes:
        log_e_ratios: the log of the e-value against each risk ratio of `judge.RATIOS`.
        champion_rows, champion_bad, canary_rows, canary_bad: what was judged so far.
        log_e: the log of their mixture; at `limit` the canary is rolled back.
        champion, canary: the bad rates with their always-valid intervals.
    """

    guard: Guard
    log_e_ratios: tuple[float, ...] = (0.0,) * 7
    champion_rows: int = 0
    champion_bad: int = 0
    canary_rows: int = 0
    canary_bad: int = 0
    log_e: float = 0.0
    limit: float = 0.0
    champion: Estimate | None = None
    canary: Estimate | None = None


class PairedEvidence(Record):
    """What the shadow showed, on the same rows.

    Attributes:
        rows: rows that both answered; `labelled_rows` of them have ground truth.
        champion_wrong, challenger_wrong: labelled rows on which exactly that one was wrong.
        disagreement: the share of rows on which both differ.
        log_e_harm: the log of the e-value for "the challenger is wrong more often"; at `limit` it is rolled back.
        difference: wrong labels of the challenger - of the champion, with its always-valid interval.
    """

    rows: int = 0
    labelled_rows: int = 0
    champion_wrong: int = 0
    challenger_wrong: int = 0
    disagreement: Estimate | None = None
    log_e_harm: float = 0.0
    limit: float = 0.0
    difference: Estimate | None = None


class Evidence(Record):
    """All that a rollout's decisions rest on."""

    guards: tuple[GuardEvidence, ...] = ()
    paired: PairedEvidence | None = None
    step_rows: int = 0
    recent_failures: str = ""


class Tally(Record):
    """Rows and bad rows of one role for one metric in one phase of a rollout."""

    phase: Phase
    metric: str
    role: Role
    rows: int = 0
    bad: int = 0


class Decision(Record):
    """One look of the judge, or one act of a person, with its numbers."""

    at: datetime
    outcome: str
    reason: str
    state: RolloutState
    step: int
    weight: int
    evidence: Evidence


class Rollout(Record):
    """The way of one version to become the champion of an endpoint.

    Attributes:
        step: index of the canary's step; -1 in the shadow.
        weight: the canary's share in ten-thousandths.
        paused_in: the state to go on with after a pause.
        reason: why it is in this state, in words.
    """

    id: RolloutId
    endpoint: EndpointName
    model: ModelName
    from_version: int
    to_version: int
    state: RolloutState
    plan: RolloutPlan
    started_at: datetime
    step_started_at: datetime
    step: int = -1
    weight: int = 0
    transform: ServingTransform | None = None
    tallies: tuple[Tally, ...] = ()
    evidence: Evidence = Evidence()
    history: tuple[Decision, ...] = ()
    paused_in: Phase = ""
    reason: str = ""
    started_by: str = ""
    looked_at: datetime | None = None
    ended_at: datetime | None = None
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None


class RolloutPage(Record):
    """Rollouts, the newest first."""

    items: tuple[Rollout, ...]
    next_page_token: str = ""


class NewBatch(Record):
    """One answered request, as the serving process hands it over.

    Attributes:
        id: made by the serving process; the same id is stored once.
        labels: what was answered, a value for each row; empty when `error` says why there is none.
        body: inputs and outputs as `log.encode_body` makes them.
        paired_id: for a shadow, the batch that the caller saw.
    """

    id: PredictionId
    request_id: str
    endpoint: EndpointName
    model: ModelName
    version: int
    role: Role
    received_at: datetime
    rows: int
    latency_ms: float
    rollout_id: str = ""
    phase: Phase = ""
    delivery: str = ""
    labels: tuple[Label, ...] = ()
    error: str = ""
    paired_id: str = ""
    transform: ServingTransform | None = None
    body: bytes = b""


class PredictionBatch(Record):
    """A logged request: what was asked of which version, when, and where its rows are.

    Attributes:
        labelled_rows, right_rows: rows whose ground truth came, and how many of them were right.
        file, offset, size_bytes: where `log.read_batches` finds inputs and outputs, below `predictions/` of the home.
    """

    id: PredictionId
    request_id: str
    endpoint: EndpointName
    model: ModelName
    version: int
    role: Role
    received_at: datetime
    rows: int
    latency_ms: float
    rollout_id: str = ""
    phase: Phase = ""
    delivery: str = ""
    error: str = ""
    paired_id: str = ""
    transform: ServingTransform | None = None
    labelled_rows: int = 0
    right_rows: int = 0
    file: str = ""
    offset: int = 0
    size_bytes: int = 0


class PredictionBatchPage(Record):
    """Logged requests, by the time they came."""

    items: tuple[PredictionBatch, ...]
    next_page_token: str = ""


class LoggedColumns(Record):
    """Rows of the log by column: inputs as they came, what was answered.

    Attributes:
        inputs: column → one value for each row.
        labels: one for each row.
        probabilities: one row of class probabilities for each row, or empty.
        outputs: further columns of the answer.
    """

    inputs: dict[str, list[Any]]
    labels: list[Any] = msgspec.field(default_factory=list)
    probabilities: list[list[float]] = msgspec.field(default_factory=list)
    outputs: dict[str, list[Any]] = msgspec.field(default_factory=dict)


class GroundTruth(Record):
    """What was true for the rows of a request."""

    request_id: str
    endpoint: EndpointName
    labels: tuple[Label, ...]
    received_at: datetime


class LoggedPrediction(Record):
    """A logged prediction with its inputs and outputs; `row` is None for the whole batch."""

    batch: PredictionBatch
    row: int | None
    columns: LoggedColumns
    truth: tuple[Label, ...] = ()


class Delivery(Record):
    """A named group of rows that arrived together."""

    endpoint: EndpointName
    name: str
    rows: int
    batches: int
    completed_at: datetime | None = None


class Arm(Record):
    """One version behind an endpoint.

    Attributes:
        weight: its share of the callers in ten-thousandths; 0 for a shadow.
        source: the model directory below the artifact root, as the registry knows it.
        files: path → `b3:` digest of every file of the model directory.
    """

    version: int
    role: Role
    weight: int
    source: str
    files: dict[str, str]
    transform: ServingTransform | None = None


class Route(Record):
    """All that a serving process needs to know of an endpoint.

    Attributes:
        standby: the versions kept warm without traffic.
    """

    endpoint: EndpointName
    model: ModelName
    state: EndpointState
    salt: str
    revision: int
    latency_objective_ms: float
    arms: tuple[Arm, ...]
    rollout_id: str = ""
    phase: Phase = ""
    standby: tuple[Arm, ...] = ()


class Routing(Record):
    """The routes of every endpoint at one revision; `routes` is empty when the asker has this revision already."""

    revision: int
    changed: bool
    routes: tuple[Route, ...] = ()
