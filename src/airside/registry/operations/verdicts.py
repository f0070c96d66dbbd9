"""Verbs on verdicts."""

from airside.core.clock import from_ms
from airside.core.ids import ModelName
from airside.core.operation import Context, operation
from airside.core.record import Ask
from airside.registry import history, queries
from airside.registry.events import VerdictLeft
from airside.registry.operations.versions import GetVersion, get_version
from airside.registry.records import Verdict


class LeaveVerdict(Ask[Verdict]):
    """What a gate found on a version; `decision_id` leads to the evidence."""

    name: ModelName
    version: int
    gate: str
    passed: bool
    decision_id: str = ""
    summary: str = ""


@operation("verdicts.leave", needs="model:judge")
def leave_verdict(ctx: Context, ask: LeaveVerdict) -> Verdict:
    """Leave a gate's verdict on a version; it replaces the same gate's earlier one.

    Raises:
        NotFound: there is no such version.
    """
    version = get_version(ctx, GetVersion(name=ask.name, version=ask.version))
    verdict = Verdict(
        name=ask.name,
        version=ask.version,
        gate=ask.gate,
        passed=ask.passed,
        decision_id=ask.decision_id,
        summary=ask.summary,
        left_by=ctx.actor.name,
        left_at=from_ms(ctx.now_ms()),
    )
    queries.put_verdict(ctx.tx, verdict)
    before = next((_word(v.passed) for v in version.verdicts if v.gate == ask.gate), "")
    history.record(ctx, ask.name, ask.version, what="verdict", key=ask.gate, before=before, after=_word(verdict.passed))
    ctx.announce(
        VerdictLeft(name=ask.name, version=ask.version, gate=ask.gate, passed=ask.passed, decision_id=ask.decision_id)
    )
    return verdict


def _word(passed: bool) -> str:  # noqa: FBT001 -- one claim to one word
    return "passed" if passed else "failed"
