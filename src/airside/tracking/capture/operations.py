"""The verbs: keep what was captured of a process with its run, and tell it."""

from airside.core.errors import Invalid
from airside.core.ids import RunId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.record import DONE, Ask, Done
from airside.tracking.capture import queries
from airside.tracking.capture.records import Capture, Captures
from airside.tracking.capture.rules import MAX_CAPTURES, check_capture
from airside.tracking.operations.runs import active, found


class KeepCapture(Ask[Done]):
    """Ask to keep what was captured of a process that makes a run."""

    run_id: RunId
    capture: Capture


@operation("runs.keep_capture", needs="run:write", audit="measure")
def keep_capture(ctx: Context, ask: KeepCapture) -> Done:
    """Keep a capture with its run. A later one of the same source takes the earlier one's place."""
    check_capture(ask.capture)
    number, _ = active(ctx, ask.run_id)
    if queries.count_others(ctx.tx, number, ask.capture.source) >= MAX_CAPTURES:
        raise Invalid(f"The run {ask.run_id} has {MAX_CAPTURES} captures, which is the most that one may have.")
    queries.put(ctx.tx, number, ask.capture)
    return DONE


class GetCaptures(Ask[Captures]):
    """Ask for what was captured of the processes that made a run."""

    run_id: RunId


@operation("runs.captures", needs="run:read")
def get_captures(ctx: Context, ask: GetCaptures) -> Captures:
    """What was captured of a run: code, command, environment, machine, seeds, of each process that made it."""
    return Captures(items=queries.of_run(ctx.tx, found(ctx, ask.run_id)[0]))


OPERATIONS: tuple[AnyOperation, ...] = (keep_capture, get_captures)
