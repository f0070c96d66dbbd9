"""The nouns of the room: measured figures, checks, suites, gates."""

from datetime import datetime
from typing import Literal

from airside.core.estimate import Estimate
from airside.core.ids import DatasetVersionId, ModelName, RunId
from airside.core.record import Record

Outcome = Literal["pass", "fail", "unknown"]
"""`unknown`: the data do not suffice to tell. It never counts as a pass."""

CheckKind = Literal[
    "at_least",
    "at_most",
    "within",
    "better_than",
    "no_provable_loss",
    "gap_at_most",
    "somebody_selected",
    "label_balance",
]


class Measured(Record):
    """One figure that was measured on a model or on a table, with its interval.

    Attributes:
        measure: `accuracy`, `auc`, `log_loss`, `brier`, `calibration` (mean prediction - label),
            `selection_rate`, `true_positive_rate`, `false_positive_rate`, `positive_share`, `…_gap` (largest
            difference between the groups of the column in `segment`), `label_share_change`, ….
        segment: empty for all rows; `SEX=2` for a group; `SEX` for a gap over a column.
        against: empty for the figure itself; `champion` or `baseline` for the paired difference (ours - theirs).
        is_known: False when the group is too small to be judged; the figure is reported all the same.
        note: what one must know to read it, e.g. which groups of a gap were too small.
    """

    measure: str
    estimate: Estimate
    segment: str = ""
    against: str = ""
    is_known: bool = True
    note: str = ""


class Check(Record):
    """What a model is asked, declared. `rules.judge` answers it from measured figures.

    kind, and what passes (I = the interval of the figure):

    - `at_least`, `at_most`: I lies wholly at or above, at or below `limit`; `within`: wholly in ±`limit`.
    - `better_than`: I of the paired difference to `against`, in the better direction, lies at or above `limit`.
    - `no_provable_loss`: I of the paired difference to `against` does not lie wholly beyond `limit` on the worse side.
    - `gap_at_most`: I of the gap of `measure` between the groups of `column` lies at or below `limit`.
    - `somebody_selected`: in each segment of at least `minimum_rows` rows, of which a share of at least
      `minimum_positive_share` is positive, the model selects somebody.
    - `label_balance`: I of the change of the label's share against the reference lies within ±`limit` overall, and
      in no group wholly beyond it.

    Attributes:
        segment: for the first three: empty for all rows, `SEX=2` for one group, `SEX=*` for each group of a column,
            `*` for each segment.
    """

    kind: CheckKind
    name: str = ""
    measure: str = "accuracy"
    limit: float = 0.0
    against: str = ""
    column: str = ""
    segment: str = ""
    minimum_rows: int = 500
    minimum_positive_share: float = 0.1


class CheckResult(Record):
    """How one check came out, on the whole or in one segment.

    Attributes:
        threshold: what was asked, as a person reads it: `at least +0.01`.
        is_blocking: whether the gate waits for it; a group that is too small is told, and blocks nothing.
    """

    name: str
    kind: CheckKind
    measure: str
    segment: str = ""
    against: str = ""
    estimate: Estimate | None = None
    threshold: str
    outcome: Outcome
    is_blocking: bool = True
    note: str = ""


class Suite(Record):
    """What a model asks of each of its versions before it may serve."""

    model: ModelName
    checks: tuple[Check, ...] = ()
    set_by: str
    set_at: datetime


class GateDecision(Record):
    """The decision about a version: every blocking check passed, or not.

    Attributes:
        compared_with: the version that was champion in the comparison; 0 when there was none.
        summary: one line for people.
    """

    id: str
    model: ModelName
    version: int
    outcome: Literal["pass", "fail"]
    results: tuple[CheckResult, ...] = ()
    summary: str
    compared_with: int = 0
    run_id: RunId | None = None
    dataset_versions: tuple[DatasetVersionId, ...] = ()
    decided_by: str
    decided_at: datetime


class GateDecisionPage(Record):
    """Some decisions, newest first."""

    items: tuple[GateDecision, ...] = ()
    next_page_token: str = ""


class Bin(Record):
    """One bin of a calibration curve: rows of neighbouring predictions."""

    predicted: float
    observed: float
    rows: int


class Confusion(Record):
    """Counts of right and wrong decisions at the report's threshold."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int


class EvaluationReport(Record):
    """What a model is worth on a table: overall, in segments, between groups, against others.

    Attributes:
        threshold: a probability at or above it selects.
        entities: how many households (or other entities) the rows belong to; intervals resample those.
        measured: every figure. Look one up with `figure`.
    """

    rows: int
    entities: int
    threshold: float
    measured: tuple[Measured, ...] = ()
    confusion: Confusion
    calibration: tuple[Bin, ...] = ()

    def figure(self, measure: str, segment: str = "", against: str = "") -> Estimate:
        """The estimate of a measure.

        Raises:
            KeyError: it was not measured.
        """
        for one in self.measured:
            if (one.measure, one.segment, one.against) == (measure, segment, against):
                return one.estimate
        raise KeyError((measure, segment, against))
