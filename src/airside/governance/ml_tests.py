"""The ML Test Score: 28 tests, and the published rule that counts evidence. Pure.

Breck, Cai, Nielsen, Salib, Sculley: "The ML Test Score: A Rubric for ML Production Readiness and Technical Debt
Reduction", IEEE Big Data 2017. What counts as evidence, and for how long, is ours.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from airside.core.ids import ModelName
from airside.core.record import Record
from airside.governance.records import Evidence, MlTestScore, ScoredTest

Section = Literal["data", "model", "infrastructure", "monitoring"]
SECTIONS: tuple[Section, ...] = ("data", "model", "infrastructure", "monitoring")
STATED_DAYS = 90
"""How long a statement of a person counts."""


class MlTest(Record):
    """One of the 28 tests.

    Attributes:
        fresh_days: how long an automatic result counts; None: for its model version.
        earned_by: what writes its evidence; shown as the next step while it is missing.
    """

    id: str
    name: str
    section: Section
    fresh_days: int | None
    earned_by: str


def _test(id_: str, name: str, fresh_days: int | None, earned_by: str) -> MlTest:
    section: Section = {"D": "data", "M": "model", "I": "infrastructure", "O": "monitoring"}[id_[0]]  # type: ignore[assignment]  # the four are Section
    return MlTest(id=id_, name=name, section=section, fresh_days=fresh_days, earned_by=earned_by)


TESTS: tuple[MlTest, ...] = (
    _test("D1", "Feature expectations are captured in a schema", 7, "a data check on the dataset version"),
    _test("D2", "All features are beneficial", None, "permutation importance logged with the model's reference"),
    _test("D3", "No feature's cost is too much", 7, "the cost of each feature, from the pipeline's steps"),
    _test("D4", "Features adhere to meta-level requirements", None, "a policy of forbidden columns, checked"),
    _test("D5", "The data pipeline has appropriate privacy controls", 90, "a drill with a tagged record"),
    _test("D6", "New features can be added quickly", 180, "the lead time of the last three features"),
    _test("D7", "All input feature code is tested", None, "coverage of the steps' code, in CI"),
    _test("M1", "Model specs are reviewed and submitted", None, "an approval of the version by another person"),
    _test("M2", "Offline and online metrics correlate", 90, "an online metric beside the offline one, per version"),
    _test("M3", "All hyperparameters have been tuned", None, "a search over trials on the same dataset version"),
    _test("M4", "The impact of model staleness is known", 90, "a backfill that trains on older data"),
    _test("M5", "A simpler model is not better", None, "a gate check against a baseline"),
    _test("M6", "Model quality is sufficient on important data slices", None, "a gate check on segments"),
    _test("M7", "The model is tested for considerations of inclusion", None, "a gate check on gaps between groups"),
    _test("I1", "Training is reproducible", 30, "airside reproduce NAME@VERSION"),
    _test("I2", "Model specs are unit tested", None, "a smoke training in CI"),
    _test("I3", "The ML pipeline is integration tested", 1, "a pipeline run in a scratch project"),
    _test("I4", "Model quality is validated before serving", None, "a gate decision on the version"),
    _test("I5", "The model is debuggable", 7, "a replay of logged predictions"),
    _test("I6", "Models are canaried before serving", None, "a rollout with a shadow or a canary step"),
    _test("I7", "Serving models can be rolled back", 90, "a rollback, by the judge or as a drill"),
    _test("O1", "Dependency changes result in notification", 30, "a monitor of dependencies"),
    _test("O2", "Data invariants hold for inputs", 7, "a monitor's window"),
    _test("O3", "Training and serving are not skewed", 7, "a monitor's window against the training reference"),
    _test("O4", "Models are not too stale", 7, "a limit of age, derived from M4"),
    _test("O5", "Models are numerically stable", 7, "counts of values that are not finite, per window"),
    _test("O6", "Computing performance has not regressed", 7, "a monitor of latency"),
    _test("O7", "Prediction quality has not regressed", 7, "a monitor's window with labels"),
)
BY_ID = {test.id: test for test in TESTS}
"""The tests by their id."""

BANDS = (
    (0.0, "a research project rather than a production system"),
    (1.0, "not wholly untested, but serious holes in reliability are possible"),
    (2.0, "a first pass at production quality; more investment may be needed"),
    (3.0, "reasonably tested; more of it could be automated"),
    (5.0, "strong automated testing and monitoring; fit for mission-critical use"),
    (7.0, "exceptional"),
)


def band(score: float) -> str:
    """What a score means.

    >>> band(0), band(0.5)[:10], band(3.0)[:10], band(5.5)
    ('a research project rather than a production system', 'not wholly', 'reasonably', 'exceptional')
    """
    return next(text for limit, text in BANDS if score <= limit)


def valid_until(items: Iterable[str], kind: str, now: datetime) -> datetime | None:
    """When evidence stops to count: the shortest of what it is evidence for; None: not by itself.

    >>> from datetime import UTC
    >>> valid_until(["mts:O2", "mts:I4"], "automatic", datetime(2026, 1, 1, tzinfo=UTC)).day
    8
    >>> valid_until(["mts:I4"], "automatic", datetime(2026, 1, 1, tzinfo=UTC)) is None
    True
    """
    if kind != "automatic":
        return now + timedelta(days=STATED_DAYS)
    tests = [BY_ID[item[4:]] for item in items if item.startswith("mts:") and item[4:] in BY_ID]
    days = [test.fresh_days for test in tests if test.fresh_days is not None]
    return now + timedelta(days=min(days)) if days else None


def is_fresh(evidence: Evidence, now: datetime) -> bool:
    """Whether evidence still counts."""
    return evidence.valid_until is None or now < evidence.valid_until


def points(test: str, evidence: Sequence[Evidence], now: datetime) -> float:
    """The points of one test, by the published rule.

    Args:
        test: its id, e.g. `O2`.
        evidence: about the subject, oldest first; other tests' is left out here.
        now: the instant that freshness is judged at.
    """
    about = [one for one in evidence if f"mts:{test}" in one.items]
    judged = [one for one in about if one.kind == "automatic" and one.status in {"pass", "fail"}]
    by_system = [one for one in judged if one.cause != "by_hand"]
    if judged and judged[-1].status == "fail":
        return 0.0
    if judged and is_fresh(judged[-1], now):
        again = bool(by_system) and by_system[-1].status == "pass" and is_fresh(by_system[-1], now)
        return 1.0 if again else 0.5
    stated = [one for one in about if one.kind == "attestation" and one.status in {"pass", "fail"}]
    attested = [one for one in stated if is_fresh(one, now)]
    if attested and attested[-1].status == "pass":
        return 0.5
    excused = any(one.kind == "not_applicable" and one.statement and is_fresh(one, now) for one in about)
    return 0.5 if excused else 0.0


def scored(test: MlTest, evidence: Sequence[Evidence], now: datetime) -> ScoredTest:
    """One test with its points, and the evidence that decided them."""
    about = [one for one in evidence if f"mts:{test.id}" in one.items]
    earned = points(test.id, evidence, now)
    if not about:
        return ScoredTest(
            test=test.id, name=test.name, section=test.section, points=0.0, status="missing", next_step=test.earned_by
        )
    judged = [one for one in about if one.kind == "automatic" and one.status in {"pass", "fail"}]
    shown = (judged or about)[-1]
    expired = shown.status != "fail" and not is_fresh(shown, now)
    return ScoredTest(
        test=test.id,
        name=test.name,
        section=test.section,
        points=earned,
        status="expired" if expired else shown.status,
        evidence_id=shown.evidence_id,
        created_at=shown.created_at,
        valid_until=shown.valid_until,
        next_step="" if earned == 1.0 else test.earned_by,
    )


def score(model: ModelName, version: int, evidence: Sequence[Evidence], now: datetime) -> MlTestScore:
    """The ML Test Score: the minimum of the four sections, not their mean.

    Args:
        model: the subject's name.
        version: its number.
        evidence: about this version, oldest first.
        now: the instant that freshness is judged at.
    """
    tests = tuple(scored(test, evidence, now) for test in TESTS)
    sums = {section: sum(test.points for test in tests if test.section == section) for section in SECTIONS}
    weakest = min(SECTIONS, key=lambda section: sums[section])
    return MlTestScore(
        model=model,
        version=version,
        data=sums["data"],
        model_section=sums["model"],
        infrastructure=sums["infrastructure"],
        monitoring=sums["monitoring"],
        score=sums[weakest],
        weakest=weakest,
        band=band(sums[weakest]),
        tests=tests,
        computed_at=now,
    )
