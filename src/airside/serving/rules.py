"""The pure decisions of serving: which moves a rollout may make, what the judge's numbers mean, who gets which arm."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from math import log
from typing import Literal, NamedTuple

from airside.core.errors import Conflict, Invalid
from airside.core.estimate import Estimate
from airside.serving import judge
from airside.serving.records import (
    WEIGHT_UNIT,
    Arm,
    Evidence,
    GuardEvidence,
    PairedEvidence,
    Phase,
    Role,
    RolloutPlan,
    RolloutState,
    ServingTransform,
    Tally,
)

Signal = Literal["proven", "step", "promote", "harm", "pause", "resume"]

MOVES: Mapping[tuple[RolloutState, Signal], tuple[RolloutState, ...]] = {
    ("shadow", "proven"): ("canary",),
    ("shadow", "promote"): ("promoted",),
    ("shadow", "harm"): ("rolled_back",),
    ("shadow", "pause"): ("paused",),
    ("canary", "step"): ("canary",),
    ("canary", "promote"): ("promoted",),
    ("canary", "harm"): ("rolled_back",),
    ("canary", "pause"): ("paused",),
    ("paused", "resume"): ("shadow", "canary"),
    ("paused", "promote"): ("promoted",),
    ("paused", "harm"): ("rolled_back",),
}
"""From a state, by a signal, to the states that it may lead to. What is not listed is refused."""
FINAL: frozenset[RolloutState] = frozenset({"promoted", "rolled_back"})


class Position(NamedTuple):
    """Where a rollout stands."""

    state: RolloutState
    step: int = -1
    paused_in: Phase = ""


class Look(NamedTuple):
    """What a look of the judge came to. `signal` is None as long as nothing is decided."""

    signal: Signal | None
    reason: str
    evidence: Evidence


def start(plan: RolloutPlan) -> Position:
    """Where a rollout begins.

    >>> start(RolloutPlan())
    Position(state='shadow', step=-1, paused_in='')
    >>> start(RolloutPlan(shadow=None)).state
    'canary'
    """
    return Position("shadow") if plan.shadow is not None else Position("canary", 0)


def move(position: Position, signal: Signal) -> Position:
    """The position after a signal.

    Raises:
        Conflict: the state does not allow it.

    >>> move(Position("canary", 0), "step")
    Position(state='canary', step=1, paused_in='')
    >>> move(move(Position("canary", 1), "pause"), "resume")
    Position(state='canary', step=1, paused_in='')
    """
    allowed = MOVES.get((position.state, signal))
    if allowed is None:
        ways = ", ".join(sorted(by for state, by in MOVES if state == position.state)) or "nothing: it has ended"
        raise Conflict(f"Asked for '{signal}' of a rollout in the state '{position.state}', which allows: {ways}.")
    if signal == "pause":
        phase: Phase = "shadow" if position.state == "shadow" else "canary"
        return Position("paused", position.step, phase)
    if signal == "resume":
        return Position("shadow" if position.paused_in == "shadow" else "canary", position.step)
    advance = 1 if signal in {"proven", "step"} else 0
    return Position(allowed[0], position.step + advance)


def weight_of(position: Position, plan: RolloutPlan) -> int:
    """The canary's share in ten-thousandths. A pause holds the share that it found.

    >>> weight_of(Position("canary", 1), RolloutPlan())
    5000
    >>> weight_of(Position("shadow"), RolloutPlan())
    0
    """
    serving = position.paused_in if position.state == "paused" else position.state
    if serving != "canary":
        return 0
    return round(plan.steps[position.step].weight_percent * WEIGHT_UNIT / 100)


def check_plan(plan: RolloutPlan) -> None:
    """Refuse a plan that cannot be followed.

    Raises:
        Invalid: the text names the field, what was found and what is allowed.

    >>> from airside.serving.records import Step
    >>> check_plan(RolloutPlan(steps=(Step(weight_percent=50), Step(weight_percent=10))))
    Traceback (most recent call last):
    ...
    airside.core.errors.Invalid: Step 2 of the plan asks for 10 % after 50 %. Shares only grow, so that no caller flips.
    """
    last = 0.0
    for number, step in enumerate(plan.steps, 1):
        if not 0 < step.weight_percent <= 100:
            raise Invalid(
                f"Step {number} of the plan asks for {step.weight_percent:g} %. A share is above 0, up to 100."
            )
        if step.weight_percent < last:
            raise Invalid(
                f"Step {number} of the plan asks for {step.weight_percent:g} % after {last:g} %. "
                "Shares only grow, so that no caller flips."
            )
        last = step.weight_percent
    if not plan.steps and plan.shadow is None:
        raise Invalid("The plan has neither a shadow nor a step. Give one, or deploy with direct=true.")
    if not 0 < plan.alpha < 1:
        raise Invalid(f"The plan's alpha is {plan.alpha:g}. It lies between 0 and 1; usual is 0.05.")
    if plan.interval_s <= 0 or plan.max_duration_s <= 0:
        raise Invalid("The plan's interval_s and max_duration_s are above 0.")


def shadow_look(  # noqa: PLR0911 -- one return for each outcome
    plan: RolloutPlan, evidence: Evidence, tallies: Sequence[Tally]
) -> Look:
    """Judge the shadow: harm proven, within the margin proven, or not decided yet."""
    phase = plan.shadow
    if phase is None:
        return Look(None, "The plan has no shadow.", evidence)
    both = _count(tallies, "shadow", "pair", "shadow")
    champion = _count(tallies, "shadow", "pair_label", "champion")
    challenger = _count(tallies, "shadow", "pair_label", "shadow")
    log_e = judge.log_e_paired(champion.bad, challenger.bad)
    limit = judge.log_limit(plan.alpha, 1)
    low, high = judge.paired_interval(challenger.rows, champion.bad, challenger.bad, plan.alpha)
    differs = judge.interval(both.bad, both.rows, plan.alpha)
    share = challenger.rows or 1
    paired = PairedEvidence(
        rows=both.rows,
        labelled_rows=challenger.rows,
        champion_wrong=champion.bad,
        challenger_wrong=challenger.bad,
        disagreement=_estimate(both, differs, 1 - plan.alpha),
        log_e_harm=log_e,
        limit=limit,
        difference=Estimate(
            value=(challenger.bad - champion.bad) / share, low=low, high=high, level=1 - plan.alpha, n=challenger.rows
        ),
    )
    seen = Evidence(paired=paired, step_rows=both.rows, recent_failures=evidence.recent_failures)
    if brake := judge.brake_text(seen.recent_failures, plan.brake):
        return Look("harm", f"Brake in the shadow: {brake}.", seen)
    if log_e >= limit:
        return Look(
            "harm",
            f"Shadow: of {champion.bad + challenger.bad} rows on which one was wrong, it was the challenger on "
            f"{challenger.bad}; log E {log_e:.2f} reached {limit:.2f}.",
            seen,
        )
    if differs[0] > phase.max_disagreement:
        return Look("harm", f"Shadow: both differ on {differs[0]:.1%} of the rows or more, over the limit.", seen)
    if both.rows < phase.min_rows:
        return Look(None, f"{both.rows} of {phase.min_rows} rows in the shadow.", seen)
    if phase.proof == "none":
        return Look("proven", f"{both.rows} rows in the shadow without harm.", seen)
    proof = judge.log_e_margin(challenger.rows, champion.bad, challenger.bad, phase.margin)
    if proof >= log(1 / plan.alpha):
        return Look(
            "proven",
            f"Shadow, {challenger.rows} rows with labels: the challenger is wrong at most {phase.margin:.1%} more "
            f"often; log E {proof:.2f} reached {log(1 / plan.alpha):.2f}.",
            seen,
        )
    return Look(None, f"Shadow, {challenger.rows} rows with labels: not yet proven within {phase.margin:.1%}.", seen)


def canary_look(  # noqa: PLR0911 -- one return for each outcome
    plan: RolloutPlan, step: int, evidence: Evidence, tallies: Sequence[Tally]
) -> Look:
    """Judge the canary: brake, harm in one of the guards, step passed, or not decided yet."""
    limit = judge.log_limit(plan.alpha, len(plan.guards))
    before = {guard.guard: guard for guard in evidence.guards}
    guards = tuple(
        _judge_guard(before.get(name, GuardEvidence(guard=name)), tallies, plan.alpha, limit) for name in plan.guards
    )
    rows = _count(tallies, "canary", "rows", "canary").rows
    seen = Evidence(guards=guards, paired=evidence.paired, step_rows=rows, recent_failures=evidence.recent_failures)
    if brake := judge.brake_text(seen.recent_failures, plan.brake):
        return Look("harm", f"Brake: {brake}.", seen)
    for guard in guards:
        if guard.log_e >= limit:
            return Look("harm", _harm_text(guard, limit), seen)
    wanted = plan.steps[step]
    labelled = _count(tallies, "canary", "wrong_label", "canary").rows
    if rows < wanted.min_rows:
        return Look(None, f"{rows} of {wanted.min_rows} rows at {wanted.weight_percent:g} %.", seen)
    if labelled < wanted.min_labelled_rows:
        return Look(None, f"{labelled} of {wanted.min_labelled_rows} rows of the canary have labels.", seen)
    if step + 1 < len(plan.steps):
        return Look("step", f"{rows} rows at {wanted.weight_percent:g} % without harm.", seen)
    if missing := [guard.guard for guard in guards if guard.guard in plan.prove and not _proven(guard, plan.margin)]:
        return Look(None, f"Not yet proven within {plan.margin:.1%}: {', '.join(missing)}.", seen)
    return Look("promote", f"{rows} rows at {wanted.weight_percent:g} % without harm; every step is done.", seen)


def timeout_signal(plan: RolloutPlan) -> Signal:
    """What the plan wants when no decision was reached in time.

    >>> timeout_signal(RolloutPlan(on_timeout="rollback"))
    'harm'
    """
    by_word: dict[str, Signal] = {"pause": "pause", "promote": "promote", "rollback": "harm"}
    return by_word[plan.on_timeout]


def bucket(salt: str, key: str) -> int:
    """The place of a key among 10,000: the same for the same salt and key, everywhere.

    >>> bucket("s", "household-7") == bucket("s", "household-7") < 10_000
    True
    """
    digest = blake2b(key.encode(), key=salt.encode()[:64], digest_size=8).digest()
    return int.from_bytes(digest, "big") % WEIGHT_UNIT


def pick(arms: Sequence[Arm], place: int) -> Arm:
    """The arm whose range holds a place. The canary's range starts at 0, so it only grows when its weight does.

    >>> champion = Arm(version=1, role="champion", weight=9_000, source="", files={})
    >>> canary = Arm(version=2, role="canary", weight=1_000, source="", files={})
    >>> [pick((champion, canary), place).version for place in (0, 999, 1_000, 9_999)]
    [2, 2, 1, 1]
    """
    champion = arms[0]
    for arm in arms:
        if arm.role == "canary" and place < arm.weight:
            return arm
        if arm.role == "champion":
            champion = arm
    return champion


def shares(weight: int) -> tuple[int, int]:
    """The champion's and the canary's weights; they sum to 10,000.

    >>> shares(1_000)
    (9000, 1000)
    """
    return WEIGHT_UNIT - weight, weight


def transform_in(transform: ServingTransform | None, phase: Phase) -> ServingTransform | None:
    """The transform as it applies in a phase: one that comes `after` the shadow does not apply in it.

    >>> transform_in(ServingTransform(multiply={"AGEP": 12}, after="shadow"), "shadow") is None
    True
    """
    return None if transform is None or (transform.after == "shadow" and phase == "shadow") else transform


def apply_transform(transform: ServingTransform, columns: Mapping[str, Sequence[object]]) -> dict[str, list[object]]:
    """The columns as the model gets them. A missing value stays missing.

    >>> apply_transform(ServingTransform(multiply={"AGEP": 12}), {"AGEP": [2, None], "SEX": [1, 2]})
    {'AGEP': [24, None], 'SEX': [1, 2]}
    >>> apply_transform(ServingTransform(recode={"RELP": {"0": 20}}), {"RELP": [0, 1]})
    {'RELP': [20, 1]}
    """
    changed = {name: list(values) for name, values in columns.items()}
    for name, factor in transform.multiply.items():
        whole = int(factor) if float(factor).is_integer() else factor
        changed[name] = [_scaled(value, whole) for value in changed.get(name, ())]
    for name, codes in transform.recode.items():
        changed[name] = [codes.get(str(value), value) for value in changed.get(name, ())]
    return {name: changed[name] for name in columns}


def right_rows(labels: Sequence[object], truth: Sequence[object]) -> list[bool]:
    """Row by row, whether the label was right. 1, 1.0 and True are one label; so are they in Python.

    >>> right_rows([1, 0, "a"], [1.0, 1, "a"])
    [True, False, True]
    """
    return [given == true for given, true in zip(labels, truth, strict=True)]


def remember(recent: str, failures: Iterable[bool], keep: int) -> str:
    """The latest outcomes with some more, cut to what the brake looks at.

    >>> remember("00", [True, False], 3)
    '010'
    """
    return (recent + "".join("1" if failed else "0" for failed in failures))[-max(keep, 1) :]


def _scaled(value: object, factor: float) -> object:
    return value * factor if isinstance(value, int | float) and not isinstance(value, bool) else value


def _count(tallies: Sequence[Tally], phase: Phase, metric: str, role: Role) -> Tally:
    for tally in tallies:
        if (tally.phase, tally.metric, tally.role) == (phase, metric, role):
            return tally
    return Tally(phase=phase, metric=metric, role=role)


def _judge_guard(before: GuardEvidence, tallies: Sequence[Tally], alpha: float, limit: float) -> GuardEvidence:
    champion = _count(tallies, "canary", before.guard, "champion")
    canary = _count(tallies, "canary", before.guard, "canary")
    tick = judge.Tick(
        champion.rows - before.champion_rows,
        champion.bad - before.champion_bad,
        canary.rows - before.canary_rows,
        canary.bad - before.canary_bad,
    )
    state = judge.TwoSample(before.log_e_ratios, before.champion_rows, before.champion_bad)
    after = judge.look(state, tick)
    merged = tick.champion_rows == 0 or tick.challenger_rows == 0
    return GuardEvidence(
        guard=before.guard,
        log_e_ratios=after.log_e_ratios,
        champion_rows=before.champion_rows if merged else champion.rows,
        champion_bad=before.champion_bad if merged else champion.bad,
        canary_rows=before.canary_rows if merged else canary.rows,
        canary_bad=before.canary_bad if merged else canary.bad,
        log_e=after.log_e,
        limit=limit,
        champion=_estimate(champion, judge.interval(champion.bad, champion.rows, alpha / 2), 1 - alpha / 2),
        canary=_estimate(canary, judge.interval(canary.bad, canary.rows, alpha / 2), 1 - alpha / 2),
    )


def _estimate(tally: Tally, ends: tuple[float, float], level: float) -> Estimate:
    return Estimate(value=tally.bad / (tally.rows or 1), low=ends[0], high=ends[1], level=level, n=tally.rows)


def _proven(guard: GuardEvidence, margin: float) -> bool:
    if guard.champion is None or guard.canary is None or guard.champion.low is None or guard.canary.high is None:
        return False
    return guard.canary.high - guard.champion.low < margin


def _harm_text(guard: GuardEvidence, limit: float) -> str:
    words = {"error": "failed requests", "latency": "slow requests", "wrong_label": "wrong labels"}
    return (
        f"Canary: {guard.canary_bad} {words[guard.guard]} in {guard.canary_rows}, champion {guard.champion_bad} in "
        f"{guard.champion_rows}; log E {guard.log_e:.2f} reached {limit:.2f}."
    )
