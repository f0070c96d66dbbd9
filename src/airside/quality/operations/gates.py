"""The gate: what was measured on a version, judged by the suite of its model."""

from airside.core.errors import Invalid, NotFound
from airside.core.ids import DatasetVersionId, ModelName, RunId
from airside.core.operation import Context, operation
from airside.core.paging import cut, page_size
from airside.core.record import Ask
from airside.quality import queries, rules
from airside.quality.events import GateDecided
from airside.quality.operations.suites import GetSuite, get_suite
from airside.quality.records import GateDecision, GateDecisionPage, Measured
from airside.registry.operations.models import GetModel, get_model
from airside.registry.operations.verdicts import LeaveVerdict, leave_verdict
from airside.registry.operations.versions import GetVersion, get_version
from airside.registry.records import CHAMPION

GATE = "quality"
"""The name of the gate in the registry: what a model asks for with `models.require`."""
MAX_MEASURED = 10_000


class DecideGate(Ask[GateDecision]):
    """What was measured on a version. The suite's rules are applied on the server.

    Attributes:
        compared_with: the version that the figures `against` the champion were measured with; 0 for none.
    """

    model: ModelName
    version: int
    measured: tuple[Measured, ...]
    compared_with: int = 0
    run_id: RunId | None = None
    dataset_versions: tuple[DatasetVersionId, ...] = ()


@operation("gates.decide", needs="model:judge")
def decide_gate(ctx: Context, ask: DecideGate) -> GateDecision:
    """Judge a version by its model's suite, keep the decision and leave its verdict on the version.

    Raises:
        NotFound: there is no such version, or its model has no suite.
        Invalid: there are too many figures.
    """
    if len(ask.measured) > MAX_MEASURED:
        raise Invalid(f"{len(ask.measured)} figures were sent; the limit is {MAX_MEASURED}.")
    get_version(ctx, GetVersion(name=ask.model, version=ask.version))
    suite = get_suite(ctx, GetSuite(model=ask.model))
    champion = get_model(ctx, GetModel(name=ask.model)).aliases.get(CHAMPION, 0)
    results = rules.judge(
        suite.checks,
        ask.measured,
        champion=0 if champion == ask.version else champion,
        compared_with=ask.compared_with,
    )
    outcome, summary = rules.decide(results)
    made = GateDecision(
        id=ctx.new_id("gate"),
        model=ask.model,
        version=ask.version,
        outcome=outcome,
        results=results,
        summary=summary,
        compared_with=ask.compared_with,
        run_id=ask.run_id,
        dataset_versions=ask.dataset_versions,
        decided_by=ctx.actor.name,
        decided_at=ctx.clock.now(),
    )
    queries.insert_decision(ctx, made)
    leave_verdict(
        ctx,
        LeaveVerdict(
            name=ask.model,
            version=ask.version,
            gate=GATE,
            passed=outcome == "pass",
            decision_id=made.id,
            summary=summary,
        ),
    )
    ctx.announce(GateDecided(id=made.id, model=made.model, version=made.version, outcome=outcome, summary=summary))
    return made


class GetGate(Ask[GateDecision]):
    """Which decision."""

    id: str


@operation("gates.get", needs="model:read")
def get_gate(ctx: Context, ask: GetGate) -> GateDecision:
    """One decision with each of its results.

    Raises:
        NotFound: there is none of that id.
    """
    found = queries.decision(ctx, ask.id)
    if found is None:
        raise NotFound(f"No gate decision '{ask.id}'. List them with: airside gates list")
    return found


class ListGates(Ask[GateDecisionPage]):
    """The decisions about a model, or about one version of it; of all models for the empty name."""

    model: ModelName = ModelName("")
    version: int = 0
    max_results: int = 100
    page_token: str = ""


@operation("gates.list", needs="model:read")
def list_gates(ctx: Context, ask: ListGates) -> GateDecisionPage:
    """Decisions, newest first; the page token is the last id seen.

    Raises:
        Invalid: the page's size is out of bounds.
    """
    size = page_size(ask.max_results)
    found = queries.decisions(ctx, ask.model, ask.version, before=ask.page_token, limit=size + 1)
    items, following = cut(found, size, lambda decision: decision.id)
    return GateDecisionPage(items=items, next_page_token=following)
