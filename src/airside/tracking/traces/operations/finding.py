"""A trace by its id, or the error that there is none."""

from airside.core.errors import NotFound
from airside.core.operation import Context
from airside.tracking.traces import rules
from airside.tracking.traces.queries import traces as queries
from airside.tracking.traces.records import TraceInfo


def found(ctx: Context, trace_id: str) -> queries.Head:
    """The head of a trace.

    Raises:
        NotFound: there is none of that id.
    """
    head = queries.find(ctx.tx, trace_id)
    if head is None:
        raise NotFound(rules.not_found(trace_id))
    return head


def whole(ctx: Context, number: int, trace_id: str) -> TraceInfo:
    """A trace by its number, with its texts and assessments.

    Raises:
        NotFound: there is none.
    """
    loaded = queries.load(ctx, (number,))
    if not loaded:
        raise NotFound(rules.not_found(trace_id))
    return loaded[0]
