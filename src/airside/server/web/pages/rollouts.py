"""A rollout: who answers how much, what the judge knows, what happens next and when."""

from collections.abc import Sequence

from airside.core.ids import RolloutId
from airside.core.record import Record
from airside.server.web.drawing.rollout import Bar, rollout_bar
from airside.server.web.drawing.whisker import Whisker, whisker
from airside.server.web.format import count, estimate, number, points, share
from airside.server.web.page import Call, Crumb, PageQuery, Table, View, address
from airside.server.web.pages.curves import CurveData, Line, told
from airside.serving.operations.rollouts import GetRollout
from airside.serving.records import Endpoint, GuardEvidence, Rollout

UNDER_WAY = ("shadow", "canary", "paused")
GUARDS = {
    "error": "errors",
    "latency": "slow answers",
    "wrong_label": "wrong labels",
    "disagreement": "disagreement",
}


class GuardRow(Record):
    """One guard of the judge, as a row."""

    name: str
    champion: str
    canary: str
    rows: str
    log_e: float
    limit: float
    share: float
    outcome: str
    words: str


class Serving(Record):
    """An endpoint with what it serves now.

    Attributes:
        rollout: the one under way, or the last.
    """

    endpoint: Endpoint
    rollout: Rollout | None
    is_rolling: bool
    bar: Bar
    sentence: str
    next_words: str


def served(endpoint: Endpoint, rollouts: Sequence[Rollout]) -> Serving:
    """Arrange an endpoint and its rollouts, newest first."""
    rolling = next((one for one in rollouts if one.state in UNDER_WAY), None)
    shown = rolling or (rollouts[0] if rollouts else None)
    shares = shares_of(endpoint, rolling)
    sentence = (
        ", ".join(f"{label} {role} {number(percent, 1)} %" for label, role, percent in shares) or "nothing serves"
    )
    steps = [step.weight_percent for step in rolling.plan.steps] if rolling else []
    return Serving(
        endpoint=endpoint,
        rollout=shown,
        is_rolling=rolling is not None,
        bar=rollout_bar(shares, steps),
        sentence=sentence,
        next_words=next_step(rolling) if rolling else "",
    )


def shares_of(endpoint: Endpoint, rolling: Rollout | None) -> list[tuple[str, str, float]]:
    """(version, role, percent of the answers) of an endpoint; a shadow answers to nobody, so it has none."""
    if rolling is None:
        return [(f"v{endpoint.version}", "champion", 100.0)] if endpoint.version else []
    percent = rolling.weight / 100
    first = (f"v{rolling.from_version}", "champion", 100 - percent)
    in_shadow = rolling.state == "shadow" or (rolling.state == "paused" and rolling.paused_in == "shadow")
    second = (f"v{rolling.to_version}", "shadow", 0.0) if in_shadow else (f"v{rolling.to_version}", "canary", percent)
    return [first, second] if rolling.from_version else [second]


def next_step(rollout: Rollout) -> str:
    """What happens next, and what it waits for."""
    plan = rollout.plan
    if rollout.state == "paused":
        return "It is held: nothing moves until it is resumed, promoted or rolled back."
    if rollout.state == "shadow" and plan.shadow is not None:
        paired = rollout.evidence.paired
        rows = paired.labelled_rows if paired and plan.shadow.proof == "labels" else (paired.rows if paired else 0)
        after = f"{number(plan.steps[0].weight_percent, 0)} %" if plan.steps else "all of the traffic"
        kind = "labelled rows" if plan.shadow.proof == "labels" else "rows"
        return f"Shadow → {after} when {count(plan.shadow.min_rows)} {kind} prove it; {count(rows)} so far."
    if rollout.state != "canary" or not plan.steps:
        return ""
    at = max(rollout.step, 0)
    here = plan.steps[min(at, len(plan.steps) - 1)]
    after = f"{number(plan.steps[at + 1].weight_percent, 0)} %" if at + 1 < len(plan.steps) else "promotion"
    missing = max(here.min_rows - rollout.evidence.step_rows, 0)
    if missing:
        return f"{number(here.weight_percent, 0)} % → {after} after {count(missing)} more rows without harm."
    return f"{number(here.weight_percent, 0)} % → {after} at the judge's next look."


def guard_row(one: GuardEvidence) -> GuardRow:
    """What the judge knows of a guard, in words."""
    reached = one.limit > 0 and one.log_e >= one.limit
    words = "harm is proven" if reached else "no proof of harm"
    return GuardRow(
        name=GUARDS.get(one.guard, one.guard),
        champion=estimate(one.champion),
        canary=estimate(one.canary),
        rows=f"{count(one.champion_rows)} / {count(one.canary_rows)}",
        log_e=one.log_e,
        limit=one.limit,
        share=min(max(one.log_e / one.limit, 0.0), 1.0) if one.limit > 0 else 0.0,
        outcome="fail" if reached else "pass",
        words=words,
    )


def evidence_curve(rollout: Rollout) -> CurveData | None:
    """The judge's evidence over its looks: the log of each guard's e-value, and the limit at which it rolls back."""
    looks = [one for one in rollout.history if one.evidence.guards or one.evidence.paired]
    if len(looks) < 2:
        return None
    names = list(dict.fromkeys(guard.guard for look in looks for guard in look.evidence.guards))
    lines = [
        Line(
            label=GUARDS.get(name, name),
            values=tuple(next((g.log_e for g in look.evidence.guards if g.guard == name), None) for look in looks),
        )
        for name in names
    ]
    if any(look.evidence.paired for look in looks):
        paired = tuple(look.evidence.paired.log_e_harm if look.evidence.paired else None for look in looks)
        lines.append(Line(label="paired harm (shadow)", values=paired))
    limits = [guard.limit for look in looks for guard in look.evidence.guards if guard.limit > 0]
    limits += [look.evidence.paired.limit for look in looks if look.evidence.paired and look.evidence.paired.limit > 0]
    if limits:
        lines.append(Line(label="limit: rolled back", values=(max(limits),) * len(looks), dashed=True))
    x = tuple(look.at.timestamp() for look in looks)
    words = [look.at.strftime("%H:%M:%S") for look in looks]
    return CurveData(
        x=x, x_kind="time", x_name="at", lines=tuple(lines), sentence="Evidence of harm: " + told(lines[0], words)
    )


def paired_whisker(rollout: Rollout) -> tuple[Whisker, str] | None:
    """The shadow's proof: the difference of wrong labels with its interval, against the margin."""
    paired = rollout.evidence.paired
    if paired is None or paired.difference is None:
        return None
    it = paired.difference
    limit = rollout.plan.shadow.margin if rollout.plan.shadow else None
    words = f"{points(it.value)} wrong labels, challenger minus champion; margin {share(limit)}"
    return whisker(it.value, it.low, it.high, () if limit is None else (limit,)), words


def rollout(call: Call, query: PageQuery) -> View:
    """One rollout: `/rollouts/R` and `/endpoints/E/rollouts/R`."""
    found = call(GetRollout(id=RolloutId(query.names["rollout"])))
    heads = ("at", "outcome", "state", "step", "weight_ten_thousandths", "reason")
    rows = tuple((d.at, d.outcome, d.state, d.step, d.weight, d.reason) for d in found.history)
    rolling = found if found.state in UNDER_WAY else None
    shares = shares_of(_endpoint_of(found), rolling)
    return View(
        template="rollout.html",
        title=f"Rollout of {found.model} v{found.to_version}",
        place="Endpoints",
        crumbs=(
            Crumb(text="Endpoints", href="/endpoints"),
            Crumb(text=found.endpoint, href=address("/endpoints/{}", found.endpoint)),
            Crumb(text=f"v{found.from_version} → v{found.to_version}"),
        ),
        shows={
            "rollout": found,
            "is_rolling": rolling is not None,
            "bar": rollout_bar(shares, [step.weight_percent for step in found.plan.steps] if rolling else []),
            "sentence": ", ".join(f"{label} {role} {number(percent, 1)} %" for label, role, percent in shares),
            "next_words": next_step(found),
            "guards": tuple(guard_row(one) for one in found.evidence.guards),
            "paired": paired_whisker(found),
            "curve": evidence_curve(found),
            "topics": (f"rollout:{found.id}",),
        },
        data=found,
        table=Table(heads=heads, rows=rows),
        modules=("curve",),
    )


def _endpoint_of(found: Rollout) -> Endpoint:
    """The endpoint as this rollout left it."""
    version = found.to_version if found.state == "promoted" else found.from_version
    at = found.ended_at or found.started_at
    return Endpoint(name=found.endpoint, model=found.model, version=version, created_at=found.started_at, updated_at=at)
