"""A model card from what the rooms know. Pure; nothing is invented: what nobody recorded is said to be missing.

The sections follow Mitchell et al. 2019 ("Model Cards for Model Reporting"), with one on monitoring added.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from airside.core.clock import from_ms
from airside.core.estimate import Estimate
from airside.core.record import Record
from airside.data.records import DatasetVersion
from airside.governance.records import CardField, CardSection, MlTestScore, ModelCard
from airside.monitoring.records import Alert, Monitor, Window
from airside.quality.records import CheckResult, GateDecision
from airside.registry.records import ModelVersion, RegisteredModel
from airside.serving.records import Endpoint, Rollout
from airside.tracking.records import Run

MISSING = "*missing*"
STATED = (
    ("Intended use", "intended_use"),
    ("Users", "users"),
    ("Out of scope", "out_of_scope"),
    ("Limitations", "limitations"),
    ("Ethical considerations", "ethical_considerations"),
)
"""What only people can say: tags of the version or of the model, `card.<name>`."""


class CardFacts(Record):
    """All that a card is made from.

    Attributes:
        run: what trained it; None when it came from no run, or from one that is gone.
        gate: the newest decision about it.
        windows: of its monitors, newest first.
    """

    model: RegisteredModel
    version: ModelVersion
    run: Run | None = None
    datasets: tuple[DatasetVersion, ...] = ()
    gate: GateDecision | None = None
    endpoints: tuple[Endpoint, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    monitors: tuple[Monitor, ...] = ()
    windows: tuple[Window, ...] = ()
    alerts: tuple[Alert, ...] = ()
    score: MlTestScore
    at: datetime


def build(facts: CardFacts) -> ModelCard:
    """The card of a version."""
    sections = tuple(CardSection(title=title, fields=tuple(fields(facts))) for title, fields in SECTIONS)
    every = [field for section in sections for field in section.fields]
    filled = sum(not field.is_missing for field in every) / len(every)
    warnings = tuple(warnings_of(facts))
    return ModelCard(
        name=facts.model.name,
        version=facts.version.version,
        generated_at=facts.at,
        sections=sections,
        warnings=warnings,
        filled=filled,
        markdown=markdown(facts, sections, warnings, filled),
    )


def warnings_of(facts: CardFacts) -> Iterable[str]:
    """What makes a card doubtful now."""
    for alert in facts.alerts:
        yield f"Open alert ({alert.severity}): {alert.title}"
    if facts.gate is not None and facts.gate.outcome == "fail":
        yield f"The newest gate decision {facts.gate.id} failed: {facts.gate.summary}"
    failed = [test for test in facts.score.tests if test.status == "fail"]
    if failed:
        yield "Failing tests: " + ", ".join(f"{test.test} {test.name}" for test in failed)
    expired = [test.test for test in facts.score.tests if test.status == "expired"]
    if expired:
        yield "Evidence has expired for: " + ", ".join(expired)


def field(name: str, text: str, source: str = "") -> CardField:
    """A field; an empty text makes it missing.

    >>> field("Owner", "").is_missing
    True
    """
    return CardField(name=name, text=text, source=source if text else "", is_missing=not text)


def figure(estimate: Estimate | None, decimals: int = 4) -> str:
    """A figure with its interval and n.

    >>> figure(Estimate(value=0.789, low=0.781, high=0.797, n=9805), 3)
    '0.789 [0.781, 0.797], n = 9,805'
    """
    if estimate is None:
        return ""
    interval = (
        ""
        if estimate.low is None or estimate.high is None
        else f" [{estimate.low:.{decimals}f}, {estimate.high:.{decimals}f}]"
    )
    return f"{estimate.value:.{decimals}f}{interval}" + (f", n = {estimate.n:,}" if estimate.n else "")


def literal(text: str) -> str:
    r"""A stranger's text that cannot become markdown of ours.

    >>> literal("a|b" + chr(10) + "# c")
    'a\\|b \\# c'
    """
    flat = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>#|!" else letter for letter in flat)


def _details(facts: CardFacts) -> Iterable[CardField]:
    version = facts.version
    about = f"model version {version.name}@{version.version}"
    yield field("Name", literal(version.name), about)
    yield field("Version", str(version.version), about)
    yield field("Registered", f"{from_ms(version.created_ms):%Y-%m-%d %H:%M} UTC by {version.created_by}", about)
    yield field("Owner", literal(facts.model.tags.get("airside.owner", "")), f"registered model {version.name}")
    yield field("Licence", literal(_tag(facts, "licence")), about)
    yield field("Description", literal(version.description or facts.model.description or ""), about)
    yield field("Aliases", ", ".join(f"`{literal(alias)}`" for alias in version.aliases), about)
    yield field("Files", f"{len(version.files)} files, each with its BLAKE3 digest" if version.files else "", about)
    yield field("Golden predictions", literal(version.golden), about)


def _tag(facts: CardFacts, name: str) -> str:
    key = f"card.{name}"
    return facts.version.tags.get(key, "") or facts.model.tags.get(key, "")


def _use(facts: CardFacts) -> Iterable[CardField]:
    for title, name in STATED[:3]:
        yield field(title, literal(_tag(facts, name)), f"tag card.{name}")


def _considerations(facts: CardFacts) -> Iterable[CardField]:
    for title, name in STATED[3:]:
        yield field(title, literal(_tag(facts, name)), f"tag card.{name}")
    yield field("Weakest segments", _weakest(facts.gate), "" if facts.gate is None else f"gate {facts.gate.id}")


def _weakest(gate: GateDecision | None) -> str:
    if gate is None:
        return ""
    low = [one for one in gate.results if one.segment and one.estimate is not None and one.outcome != "pass"]
    return "; ".join(f"{literal(one.segment)}: {one.measure} {figure(one.estimate, 3)} ({one.outcome})" for one in low)


def _data(facts: CardFacts) -> Iterable[CardField]:
    for dataset in facts.datasets:
        text = f"{dataset.rows:,} rows, {len(dataset.columns)} columns, `{dataset.digest}`"
        yield field(f"Dataset {literal(dataset.name)}@{dataset.version}", text, f"dataset version {dataset.id}")
    if not facts.datasets:
        yield field("Training data", "")
    sensitive = sorted({column.name for one in facts.datasets for column in one.columns if column.sensitive})
    yield field("Sensitive columns", ", ".join(literal(name) for name in sensitive), "schema of the datasets")
    yield field("Signature", f"`{facts.version.signature}`" if facts.version.signature else "", "model version")


def _training(facts: CardFacts) -> Iterable[CardField]:
    run = facts.run
    if run is None:
        yield field("Run", "")
        return
    source = f"run {run.info.run_id}"
    tags = {tag.key: tag.value for tag in run.tags}
    yield field("Run", f"`{run.info.run_id}` ({run.info.status})", source)
    yield field("Parameters", _listed((param.key, param.value) for param in run.params), source)
    values = ((one.key, "not a number" if one.value is None else f"{one.value:.6g}") for one in run.metrics)
    yield field("Metrics", _listed(values), source)
    yield field("Code", literal(tags.get("mlflow.source.git.commit", "")), source)
    took = None if run.info.end_time_ms is None else (run.info.end_time_ms - run.info.start_time_ms) / 1000
    yield field("Duration", "" if took is None else f"{took:.1f} s", source)


def _listed(pairs: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{literal(key)} = {literal(value)}" for key, value in sorted(pairs))


def _analysis(facts: CardFacts) -> Iterable[CardField]:
    gate = facts.gate
    if gate is None:
        yield field("Gate", "")
        yield field("Fairness", "")
        return
    source = f"gate {gate.id}"
    against = f", compared with v{gate.compared_with}" if gate.compared_with else ""
    yield field("Gate", f"{gate.outcome}: {literal(gate.summary)}{against}", source)
    gaps = [one for one in gate.results if one.kind == "gap_at_most"]
    for one in gate.results:
        if one not in gaps:
            yield field(_titled(one), _judged(one), source)
    yield field("Fairness", "; ".join(f"{_titled(one)}: {_judged(one)}" for one in gaps), source)


def _titled(result: CheckResult) -> str:
    segment = f", {result.segment}" if result.segment else ""
    return literal(f"{result.name}{segment}")


def _judged(result: CheckResult) -> str:
    measured = figure(result.estimate) or "not measured"
    note = f" ({literal(result.note)})" if result.note else ""
    return f"**{result.outcome}**: {measured}; asked {literal(result.threshold)}{note}"


def _service(facts: CardFacts) -> Iterable[CardField]:
    serving = [one for one in facts.endpoints if one.version == facts.version.version]
    text = "; ".join(f"`{literal(one.name)}` ({one.state})" for one in serving)
    yield field("Serves", text, "endpoints")
    mine = [one for one in facts.rollouts if one.to_version == facts.version.version]
    text = "; ".join(f"{one.state}: {literal(one.reason)}" for one in mine)
    yield field("Rollouts", text, ", ".join(f"rollout {one.id}" for one in mine))


def _watch(facts: CardFacts) -> Iterable[CardField]:
    yield field("Monitors", ", ".join(f"`{literal(one.name)}`" for one in facts.monitors), "monitors")
    window = facts.windows[0] if facts.windows else None
    source = "" if window is None else f"window {window.window_id}"
    for basis in ("realised", "estimated"):
        found = [] if window is None else [one for one in window.figures if one.basis == basis and not one.segment]
        text = "; ".join(f"{one.measure} {figure(one.estimate, 3)}" for one in found)
        yield field(f"Quality, {basis}", text, source)
    text = "" if window is None else (", ".join(window.flagged) or "no column is flagged")
    yield field("Drift since training", text, source)
    open_alerts = "; ".join(f"{literal(one.title)} ({one.severity})" for one in facts.alerts)
    yield field("Open alerts", open_alerts or ("none" if facts.monitors else ""), "alerts")
    score = facts.score
    text = f"{score.score:g} of 7 ({score.band}); the weakest section is {score.weakest}"
    yield field("ML Test Score", text, "evidence")


SECTIONS: tuple[tuple[str, Callable[[CardFacts], Iterable[CardField]]], ...] = (
    ("Details", _details),
    ("Intended use", _use),
    ("Data", _data),
    ("Training", _training),
    ("Quantitative analysis", _analysis),
    ("Considerations", _considerations),
    ("Service", _service),
    ("Monitoring", _watch),
)
"""The card, top to bottom."""


def markdown(facts: CardFacts, sections: Sequence[CardSection], warnings: Sequence[str], filled: float) -> str:
    """The card as markdown, with the front matter that model hubs read."""
    name = facts.version.name
    lines = [
        "---",
        f'model_name: "{_quoted(name)}"',
        f"version: {facts.version.version}",
        f"generated_at: {facts.at.isoformat()}",
        "---",
        "",
        f"# {literal(name)}, version {facts.version.version}",
        "",
        f"Generated from what was recorded; {filled:.0%} of its fields are filled.",
    ]
    if warnings:
        lines += ["", "> **Doubtful now:**", *(f"> - {literal(warning)}" for warning in warnings)]
    for section in sections:
        lines += ["", f"## {section.title}", ""]
        for one in section.fields:
            source = f" — {one.source}" if one.source else ""
            lines.append(f"- **{one.name}**: {one.text or MISSING}{source}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
