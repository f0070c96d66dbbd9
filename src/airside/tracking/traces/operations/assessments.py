"""What people, models and programs think of traces."""

from collections.abc import Sequence
from typing import Any

import msgspec

from airside.core.errors import AlreadyExists, Invalid, NotFound
from airside.core.operation import AnyOperation, Context, operation
from airside.core.record import DONE, Ask, Done
from airside.tracking.traces import rules
from airside.tracking.traces.operations.finding import found
from airside.tracking.traces.queries import assessments as queries
from airside.tracking.traces.queries import traces as trace_queries
from airside.tracking.traces.records import Assessment, AssessmentError, AssessmentKind, NewAssessment, Texts


class CreateAssessment(Ask[Assessment]):
    """An assessment of a trace."""

    trace_id: str
    assessment: NewAssessment


@operation("assessments.create", needs="trace:write")
def create_assessment(ctx: Context, ask: CreateAssessment) -> Assessment:
    """Assess a trace. One that overrides another puts it out of force.

    Raises:
        NotFound: there is no such trace, or none of the id that it overrides.
        AlreadyExists: its id is taken. Invalid: the trace has too many.
    """
    head = found(ctx, ask.trace_id)
    made = _made(ctx, ask.trace_id, ask.assessment)
    _check_room(ctx, head.number, 1)
    if made.overrides and not queries.set_valid(ctx.tx, head.number, made.overrides, is_valid=False):
        raise _absent(ask.trace_id, made.overrides)
    if not queries.add(ctx.tx, (head.number, head.experiment_no), made):
        raise AlreadyExists(f"There is an assessment with the ID '{made.assessment_id}' already. Leave the ID out.")
    return made


class GetAssessment(Ask[Assessment]):
    """Ask for an assessment."""

    trace_id: str
    assessment_id: str


@operation("assessments.get", needs="trace:read")
def get_assessment(ctx: Context, ask: GetAssessment) -> Assessment:
    """One assessment of a trace, in force or not.

    Raises:
        NotFound: there is no such trace, or no such assessment of it.
    """
    return _found(ctx, ask.trace_id, ask.assessment_id)[1]


class UpdateAssessment(Ask[Assessment]):
    """Ask to change an assessment; what is not given stays.

    Attributes:
        kind: which kind of value is given; the assessment's own. None leaves value and error as they are.
        metadata: added to what is there.
    """

    trace_id: str
    assessment_id: str
    name: str | None = None
    kind: AssessmentKind | None = None
    value: Any = None
    error: AssessmentError | None = None
    rationale: str | None = None
    metadata: Texts = {}
    is_valid: bool | None = None


@operation("assessments.update", needs="trace:write")
def update_assessment(ctx: Context, ask: UpdateAssessment) -> Assessment:
    """Change an assessment's name, value, reason or metadata; its source and span stay.

    Raises:
        NotFound: there is no such trace, or no such assessment of it.
        Invalid: the value is of another kind.
    """
    number, before = _found(ctx, ask.trace_id, ask.assessment_id)
    if ask.kind is not None and ask.kind != before.kind:
        article = "a" if before.kind == "feedback" else "an"
        raise Invalid(f"Cannot update {ask.kind} value on {article} {before.kind.capitalize()} assessment.")
    changed = msgspec.structs.replace(
        before,
        name=before.name if ask.name is None else ask.name,
        value=before.value if ask.kind is None else ask.value,
        error=before.error if ask.kind is None else ask.error,
        rationale=before.rationale if ask.rationale is None else ask.rationale,
        metadata=rules.merged_metadata(before, ask.metadata),
        is_valid=before.is_valid if ask.is_valid is None else ask.is_valid,
        updated_ms=ctx.now_ms(),
    )
    queries.update(ctx.tx, number, changed)
    return changed


class DeleteAssessment(Ask[Done]):
    """Ask to delete an assessment."""

    trace_id: str
    assessment_id: str


@operation("assessments.delete", needs="trace:write")
def delete_assessment(ctx: Context, ask: DeleteAssessment) -> Done:
    """Delete an assessment; the one that it overrode is in force again. Doing it again changes nothing."""
    head = trace_queries.find(ctx.tx, ask.trace_id)
    before = queries.one(ctx.tx, head.number, ask.assessment_id) if head else None
    if head is None or before is None:
        return DONE
    if before.overrides:
        queries.set_valid(ctx.tx, head.number, before.overrides, is_valid=True)
    queries.delete(ctx.tx, head.number, ask.assessment_id)
    return DONE


def attach(ctx: Context, trace: tuple[int, int], trace_id: str, given: Sequence[NewAssessment]) -> None:
    """Write the assessments that came with a trace; those that are there already are overwritten.

    Raises:
        Invalid: there are too many. AlreadyExists: an id is another trace's.
    """
    if given:
        _check_room(ctx, trace[0], len(given))
    for each in given:
        made = _made(ctx, trace_id, each)
        if queries.one(ctx.tx, trace[0], made.assessment_id) is not None:
            queries.update(ctx.tx, trace[0], made)
        elif not queries.add(ctx.tx, trace, made):
            raise AlreadyExists(f"Another trace has an assessment with the ID '{made.assessment_id}'.")


def _made(ctx: Context, trace_id: str, given: NewAssessment) -> Assessment:
    rules.check_assessment(given)
    now_ms = ctx.now_ms()
    return Assessment(
        assessment_id=given.assessment_id or ctx.new_id("assessment"),
        trace_id=trace_id,
        name=given.name,
        kind=given.kind,
        value=given.value,
        error=given.error,
        source_type=given.source_type,
        source_id=given.source_id,
        span_id=given.span_id,
        rationale=given.rationale,
        metadata=rules.kept_texts(given.metadata, "texts of an assessment's metadata"),
        overrides=given.overrides,
        created_ms=given.created_ms or now_ms,
        updated_ms=given.updated_ms or now_ms,
    )


def _check_room(ctx: Context, number: int, more: int) -> None:
    there = queries.count(ctx.tx, number)
    if there + more > rules.MAX_ASSESSMENTS:
        raise Invalid(f"A trace can have at most {rules.MAX_ASSESSMENTS} assessments; this one has {there}.")


def _found(ctx: Context, trace_id: str, assessment_id: str) -> tuple[int, Assessment]:
    head = trace_queries.find(ctx.tx, trace_id)
    if head is None:
        raise NotFound(f"Trace with request_id '{trace_id[: rules.MAX_ID]}' not found")
    one = queries.one(ctx.tx, head.number, assessment_id)
    if one is None:
        raise _absent(trace_id, assessment_id)
    return head.number, one


def _absent(trace_id: str, assessment_id: str) -> NotFound:
    return NotFound(
        f"Assessment with ID '{assessment_id[: rules.MAX_ID]}' not found for trace '{trace_id[: rules.MAX_ID]}'"
    )


OPERATIONS: tuple[AnyOperation, ...] = (create_assessment, get_assessment, update_assessment, delete_assessment)
